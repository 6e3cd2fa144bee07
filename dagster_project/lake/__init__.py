"""What publishers said, kept: snapshots as received, and the typed tables every source conforms to."""

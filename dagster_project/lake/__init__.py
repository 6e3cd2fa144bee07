"""What publishers said, kept: snapshots as received, and the tables every source conforms to."""

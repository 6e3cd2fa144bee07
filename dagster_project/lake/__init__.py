"""Storage of publishers' data: snapshots as received, and the tables every source conforms to."""

"""What a published or built file says of itself: its newest release and its snapshots, as queries.

`database` is the name under which a file is attached; without it, the connected file is meant.
"""

from __future__ import annotations


def select_newest_release(database: str = "") -> str:
    """The row of the last release of a file, which is its own."""
    return f"from {_in(database)}catalog.releases order by release_id desc limit 1"


def select_snapshots(database: str = "") -> str:
    """The snapshots that a file was made from: source, snapshot_id, document and more."""
    return f"from {_in(database)}catalog.snapshots"


def _in(database: str) -> str:
    return f"{database}." if database else ""

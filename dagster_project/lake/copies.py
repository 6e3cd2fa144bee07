"""Which copies of the bundled documents count on a day: one of each document, whole.

A version of the program brings its own copy of each of its documents. Those that versions before
brought stay, for the days on which they counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.schemas import LakeTable
from dagster_project.lake.tables import Lake


@dataclass(frozen=True)
class Copies:
    """The bundled snapshots of a source, oldest first, and since when (UTC) the program no longer
    brings the document of some, by snapshot.
    """

    snapshots: Sequence[Snapshot] = ()
    left: Mapping[str, datetime] = field(default_factory=dict)

    def left_out(self, table: LakeTable, day: date) -> frozenset[str]:
        """The snapshots of which no row of a table counts in a build for `day`.

        Of figures the copy counts that was landed last by then; on days before any was, the last
        one, as in a home of today. Of lists and facts the last one counts on every day: its text
        says what was known when.
        """
        end = datetime.combine(day + timedelta(days=1), time())
        documents: dict[str, list[Snapshot]] = {}
        for one in self.snapshots:
            documents.setdefault(one.document, []).append(one)
        counting = set()
        for copies in documents.values():
            by_then = [one for one in copies if one.landed_at < end]
            if table.counts_from != "vintage_at":
                by_then = []
            newest = (by_then or copies)[-1]
            left = self.left.get(newest.snapshot_id)
            if left is None or (by_then and left >= end):
                counting.add(newest.snapshot_id)
        return frozenset(one.snapshot_id for one in self.snapshots) - counting


def left_out_on(
    day: date, landing: Landing, lake: Lake, sources: Iterable[str]
) -> Callable[[LakeTable], frozenset[str]]:
    """By table, the snapshots of these sources of which no row counts in a build for a day."""
    copies = [copies_of(landing, source, lake) for source in sources]
    return lambda table: frozenset().union(*(one.left_out(table, day) for one in copies))


def copies_of(landing: Landing, source: str, lake: Lake | None = None) -> Copies:
    """The bundled snapshots of a source; with a lake, those of which it holds the rows: a copy
    that is not typed yet takes no other's place.
    """
    typed = None if lake is None else lake.snapshot_ids(source)
    return Copies(
        [
            one
            for one in landing.snapshots(source)
            if one.is_bundled and (typed is None or one.snapshot_id in typed)
        ],
        {snapshot_id: record.at for snapshot_id, record in landing.left_bundle(source).items()},
    )

"""Which copies of the bundled documents count on a day: one whole copy of each document.

Each version of the program bundles its own copy of its documents. The copies of earlier versions
are kept, for the days on which they counted.
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
    """The bundled snapshots of a source, oldest first, and, by snapshot, since when (UTC) the
    program no longer bundles the document of some.
    """

    snapshots: Sequence[Snapshot] = ()
    left: Mapping[str, datetime] = field(default_factory=dict)

    def left_out(self, table: LakeTable, day: date) -> frozenset[str]:
        """The snapshots of which no row of a table counts in a build for `day`.

        Of figures, the latest copies by that day count; on days before the first one was landed,
        the latest of all, as in a new home. Of lists and facts, the latest count on every day:
        their text gives the day on which each fact became known.
        """
        end = datetime.combine(day + timedelta(days=1), time())
        copies, left = self.snapshots, set(self.left)
        by_then = [copy for copy in copies if copy.landed_at < end]
        if by_then and table.counts_from == "vintage_at":
            copies = by_then
            left = {snapshot_id for snapshot_id, since in self.left.items() if since < end}
        newest = {copy.document: copy.snapshot_id for copy in copies}
        return frozenset(copy.snapshot_id for copy in self.snapshots) - (
            set(newest.values()) - left
        )


def left_out_on(
    day: date, landing: Landing, lake: Lake, sources: Iterable[str]
) -> Callable[[LakeTable], frozenset[str]]:
    """By table, the snapshots of these sources of which no row counts in a build for a day."""
    copies = [copies_of(landing, source, lake) for source in sources]
    return lambda table: frozenset().union(
        *(of_source.left_out(table, day) for of_source in copies)
    )


def copies_of(landing: Landing, source: str, lake: Lake | None = None) -> Copies:
    """The bundled snapshots of a source; with a lake, those whose rows it holds: a copy that is not
    conformed yet replaces no other.
    """
    typed = None if lake is None else lake.snapshot_ids(source)
    return Copies(
        [
            snapshot
            for snapshot in landing.snapshots(source)
            if snapshot.is_bundled and (typed is None or snapshot.snapshot_id in typed)
        ],
        {snapshot_id: record.at for snapshot_id, record in landing.left_bundle(source).items()},
    )

"""Which copies of the bundled documents are current on a day: one whole copy of each document.

Each version of the program bundles its own copy of its documents. The copies of earlier versions
are kept, for builds of the days on which they were current.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.schemas import LakeTable
from dagster_project.lake.tables import Lake


@dataclass(frozen=True)
class Copies:
    """The bundled snapshots of a source, in the order in which they were landed.

    `unbundled_at` gives, by snapshot, the instant (UTC) from which the program no longer bundles
    its document.
    """

    snapshots: Sequence[Snapshot] = ()
    unbundled_at: Mapping[str, datetime] = field(default_factory=dict)

    def left_out(self, table: LakeTable, day: date) -> frozenset[str]:
        """The snapshots of which a build for `day` reads no row of a table.

        Of figures, the latest copies by that day are current; on days before the first one was
        landed, the latest of all, as in a new home. Of lists and facts, the latest are current on
        every day: their text gives the day on which each fact became known.
        """
        end = datetime.combine(day + timedelta(days=1), time())
        copies, unbundled = self.snapshots, set(self.unbundled_at)
        landed_by_then = [copy for copy in copies if copy.landed_at < end]
        if landed_by_then and table.known_from == "vintage_at":
            copies = landed_by_then
            unbundled = {
                snapshot_id for snapshot_id, since in self.unbundled_at.items() if since < end
            }
        newest = {copy.document: copy.snapshot_id for copy in copies}
        return frozenset(copy.snapshot_id for copy in self.snapshots) - (
            set(newest.values()) - unbundled
        )


def left_out_on(
    day: date, landing: Landing, lake: Lake, sources: Iterable[str]
) -> Callable[[LakeTable], frozenset[str]]:
    """By table, the snapshots of these sources of which a build for a day reads no row."""
    copies = [copies_of(landing, source, lake) for source in sources]
    return lambda table: frozenset().union(
        *(copies_of_source.left_out(table, day) for copies_of_source in copies)
    )


def copies_of(landing: Landing, source: str, lake: Lake | None = None) -> Copies:
    """The bundled snapshots of a source.

    With a lake, only those that are in it: a copy that is not conformed yet replaces no other.
    """
    conformed = None if lake is None else lake.snapshot_ids(source)
    now = _now()
    bundled = [snapshot for snapshot in landing.snapshots(source) if snapshot.is_bundled]
    return Copies(
        [
            snapshot
            for snapshot in _landed_in_order(bundled, now)
            if conformed is None or snapshot.snapshot_id in conformed
        ],
        {
            snapshot_id: min(record.at, now)
            for snapshot_id, record in landing.unbundled(source).items()
        },
    )


def _landed_in_order(snapshots: Sequence[Snapshot], now: datetime) -> list[Snapshot]:
    """The snapshots, each landed by now and no later than those that follow it.

    A later time is that of a clock that was ahead.
    """
    in_order: list[Snapshot] = []
    for snapshot in reversed(snapshots):
        now = min(now, snapshot.landed_at)
        in_order.append(snapshot.model_copy(update={"landed_at": now}))
    return in_order[::-1]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

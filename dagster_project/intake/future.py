"""Names what was recorded in the future, by a clock that was ahead. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from dagster_project.errors import counted
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import landing_of
from dagster_project.lake.landing import Snapshot
from dagster_project.settings import Settings

MOST_NAMED = 3


def future_snapshots(settings: Settings, sources: Iterable[str], now: datetime) -> Iterator[str]:
    """A sentence for each source of which snapshots were retrieved after `now` (UTC)."""
    landing = landing_of(settings, is_read_only=True)
    for source in sources:
        future = landing.from_the_future(source, now)
        if not future:
            continue
        names = [snapshot.snapshot_id for snapshot in future[:MOST_NAMED]]
        more = f" and {len(future) - MOST_NAMED} more" if len(future) > MOST_NAMED else ""
        first = min(snapshot.retrieved_at for snapshot in future)
        yield (
            f"{source}: a clock was ahead when {counted(len(future), 'snapshot')} of it came: "
            f"{', '.join(names)}{more}. No build reads them before {first:%Y-%m-%d}. "
            f"{remedy(future)}"
        )


def future_asks(settings: Settings, sources: Iterable[str]) -> Iterator[str]:
    """A sentence for each source that was asked in the future."""
    landing = landing_of(settings, is_read_only=True)
    for source in sources:
        future = Ledger(landing, source).from_the_future()
        if future:
            last = max(ask.asked_at for ask in future)
            yield (
                f"{source}: a clock was ahead when it was asked, last on {last:%Y-%m-%d}. "
                "These answers are ignored before that day."
            )


def remedy(future: Sequence[Snapshot]) -> str:
    """What to do about snapshots of the future."""
    each = "each" if len(future) > 1 else "it"
    again = "fetch" if future[0].was_fetched else "land"
    return (
        f"Withdraw {each} and {again} the document again: kido withdraw {future[0].snapshot_id} "
        "--because 'the clock was ahead'."
    )

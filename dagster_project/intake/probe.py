"""One light request to each publisher that is fetched: does it answer, and what time is it there?

Nothing is landed or recorded in the ledger; the call is counted like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster_project.errors import ConfigurationError, FetchError
from dagster_project.http import Client
from dagster_project.intake.calls import counter
from dagster_project.intake.due import is_fetched, limits_of, why_not_asked
from dagster_project.settings import Settings
from dagster_project.sources.card import Source, can_be_asked

LONGEST_SILENCE_S = 10.0
"""A publisher that is silent for so long is unreachable; a shorter KIDO_TIMEOUT_S counts."""

PROBES_AT_ONCE = 8


@dataclass(frozen=True)
class Probe:
    """The outcome for one publisher: a status, or why there is none.

    `is_needed`: builds fetch from it. `not_asked` is the reason if it was not asked, `error` if it
    did not answer. `clock_ahead` is how far its clock is ahead of ours.
    """

    source: str
    is_needed: bool = False
    status: int | None = None
    not_asked: str = ""
    error: str = ""
    clock_ahead: timedelta | None = None


def probe_all(settings: Settings, sources: Iterable[Source]) -> list[Probe]:
    """Ask every publisher that `kido fetch` may ask, several at once; in the order given."""
    askable = [source for source in sources if can_be_asked(source)]
    with ThreadPoolExecutor(max_workers=PROBES_AT_ONCE) as pool:
        return list(pool.map(lambda source: probe(settings, source), askable))


def probe(settings: Settings, source: Source) -> Probe:
    """Ask one publisher."""
    card = source.CARD
    try:
        reason = why_not_asked(settings, source)
        if reason:
            return Probe(card.name, not_asked=reason)
        is_needed = is_fetched(settings, source)
        own, limits = settings.source(card.name), limits_of(settings, source)
    except ConfigurationError as error:
        return Probe(card.name, not_asked=str(error))
    try:
        with Client(
            base_url=card.base_url or "",
            stand_in=own.url,
            key=own.key,
            limits=limits,
            timeout_s=min(settings.timeout_s, LONGEST_SILENCE_S),
            before_call=counter(settings.intake_dir, card.name, limits.calls_a_day),
        ) as client:
            before = datetime.now(UTC).replace(tzinfo=None)
            reached = client.reach()
    except (FetchError, ConfigurationError) as error:
        return Probe(card.name, is_needed, error=str(error))
    ahead = reached.clock - before if reached.clock else None
    return Probe(card.name, is_needed, reached.status, clock_ahead=ahead)

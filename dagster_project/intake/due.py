"""What is due from a publisher: by the card's calendar, its windows and the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import polars as pl

from dagster_project.errors import (
    ConfigurationError,
    KidoError,
    UpstreamFormatError,
    exception_text,
)
from dagster_project.intake.ledger import Answered, Ledger
from dagster_project.intake.reach import newest_periods
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake import vocabulary
from dagster_project.lake.landing import AskedSlices
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.tables import Lake
from dagster_project.settings import Settings
from dagster_project.sources.card import (
    Asked,
    Calendar,
    Extract,
    Limits,
    Scope,
    Source,
    Window,
    Windows,
    can_be_asked,
    windows_between,
)

CALENDAR_REACHES = timedelta(days=45)
"""A calendar of releases whose last date is longer ago is not used: the next month has no date."""


Releases = Mapping[Window, datetime]
"""When a publisher says that it publishes each period (UTC)."""

NO_RELEASES: Releases = MappingProxyType({})


@dataclass(frozen=True)
class Due:
    """What a build would fetch: windows, or the documents of a source without windows.

    `needs_calendar`: the publisher's calendar of releases was not read yet today.
    """

    is_due: bool
    windows: tuple[Window, ...] = ()
    documents: tuple[Extract, ...] = ()
    needs_calendar: bool = False


def is_fetched(settings: Settings, source: Source) -> bool:
    """Whether a build fetches from the publisher.

    Raises ConfigurationError if one that is asked only by name, or has no address, is enabled.
    """
    card = source.CARD
    if card.only_by_name:
        if settings.source(card.name).enabled:
            raise ConfigurationError(
                f"KIDO_{card.name.upper()}_ENABLED: no build fetches {card.name}, whose answer is "
                f"too large; type kido fetch {card.name}."
            )
        return False
    return settings.is_fetched(
        card.name, card.base_url if can_be_asked(source) else None, card.needs_key
    )


def why_not_asked(settings: Settings, source: Source) -> str:
    """Why `kido fetch` without a name does not ask a source that can be asked; empty if it does.

    It is asked if it needs no key or has one, or is enabled. Raises ConfigurationError for an
    invalid setting of the source.
    """
    card, variable = source.CARD, f"KIDO_{source.CARD.name.upper()}"
    own = settings.source(card.name)
    if card.only_by_name:
        is_fetched(settings, source)  # raises if it is enabled all the same
        return f"only by name: kido fetch {card.name}"
    if own.enabled is not None:
        return "" if own.enabled else "switched off"
    if card.needs_key and own.key is None:
        return f"needs a key: {variable}_KEY"
    if card.needs_consent:
        return f"its terms need your consent: {variable}_ENABLED=true"
    return ""


def due_now(
    source: Source,
    ledger: Ledger,
    now: datetime,
    scope: Scope,
    releases: Releases = NO_RELEASES,
) -> Due:
    """What is due at `now` (UTC) for a request as wide as `scope`."""
    if not source.CARD.windows:
        documents = documents_due(source, ledger, now, extracts_for(source, (), scope))
        return Due(bool(documents), documents=documents)
    answered = answered_by(source, ledger, newest_of(source, now.date()), scope)
    return due_of(source, ledger, now, answered, releases)


def documents_due(
    source: Source, ledger: Ledger, now: datetime, extracts: Sequence[Extract]
) -> tuple[Extract, ...]:
    """The documents of a source without windows that were not answered since the calendar's last
    moment. One of several may have failed; a single one may have another name each time.
    """
    moment = last_moment(source.CARD.calendar, now)

    def is_due(extract: Extract) -> bool:
        last = ledger.last_answered(extract.document if len(extracts) > 1 else "")
        return last is None or last.asked_at < moment

    return tuple(filter(is_due, extracts))


def releases_of(lake: Lake, source: Source, until: datetime | None = None) -> Releases:
    """When the publisher says that it publishes each period (UTC); empty where it does not say.

    By the calendars that were read `until` an instant, if it is given.
    """
    if not hasattr(source, "release_calendar"):
        return {}
    rows = lake.rows(LAKE_TABLES["release_dates"], source.CARD.name)
    if rows is None:
        return {}
    if until is not None:
        rows = rows.filter(pl.col("vintage_at") <= until)
    newest_last = rows.sort("vintage_at").select("frequency", "period_start", "released_at")
    return {
        Window(frequency, start): released_at
        for frequency, start, released_at in newest_last.collect().iter_rows()
    }


def extracts_for(source: Source, windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """`source.plan`; any error becomes an UpstreamFormatError."""
    try:
        return source.plan(sorted(windows), scope)
    except KidoError:
        raise
    except Exception as error:
        raise UpstreamFormatError(
            f"{source.CARD.name}: the requests cannot be planned ({exception_text(error)})."
        ) from error


def answered_by(
    source: Source,
    ledger: Ledger,
    windows: Sequence[Window],
    scope: Scope,
    *,
    only_current: bool = False,
) -> Mapping[Window, Answered]:
    """The last answer about each window to a request as wide as `scope`, or wider.

    `only_current`: without answers that repeat a withdrawn one, whose rows are not in the lake.
    """
    answers = ledger.answers()
    known = [window for window in windows if window in answers]
    if not known:
        return {}
    answered = {}
    for extract in extracts_for(source, known, scope):
        for window in extract.windows:
            # An extract of a whole year may have months that were never asked for.
            for answer in reversed(answers.get(window, ())):
                if only_current and answer.is_withdrawn:
                    continue
                if covers(answer.asked, extract.asked):
                    answered[window] = answer
                    break
    return answered


def covers(before: Sequence[AskedSlices], now: Sequence[Asked]) -> bool:
    """Whether all that is requested now was requested before."""
    return all(
        any(
            earlier.table == each.table
            and set(earlier.reporters) >= set(each.reporters)
            and set(earlier.flows) >= set(each.flows)
            and set(earlier.commodity_codes) >= set(each.commodity_codes)
            for earlier in before
        )
        for each in now
    )


def due_of(
    source: Source,
    ledger: Ledger,
    now: datetime,
    answered: Mapping[Window, Answered],
    releases: Releases = NO_RELEASES,
) -> Due:
    """What the publisher may have published: fetched once after each day of its calendar.

    A window is due if it is one of the newest `revised_for` expected ones, and was not answered
    since the calendar's last moment. A late one, newer than all with figures, is due again on each
    weekday. Where the publisher says when it publishes which period (`releases`), a period with
    figures is not due again before the next release, and none is due before its own.
    """
    calendar = source.CARD.calendar
    moment = last_moment(calendar, now)
    last_weekday = last_moment(calendar and _every_weekday(calendar), now)
    last_release = max((at for at in releases.values() if at <= now), default=None)
    if last_release is None or now - last_release > CALENDAR_REACHES:
        last_release, releases = moment, {}

    newest_with_figures = {
        window.frequency: window for window in sorted(answered) if answered[window].window_ask.rows
    }

    def is_due(window: Window) -> bool:
        if releases.get(window, now) > now:
            return False
        if window not in answered:
            return True
        if answered[window].window_ask.rows > 0:
            return answered[window].asked_at < last_release
        is_late = window > newest_with_figures.get(window.frequency, window)
        return answered[window].asked_at < (last_weekday if is_late else moment)

    windows = tuple(filter(is_due, newest_of(source, now.date())))
    needs_calendar = _needs_calendar(source, ledger, now)
    return Due(bool(windows), windows, needs_calendar=needs_calendar)


def _needs_calendar(source: Source, ledger: Ledger, now: datetime) -> bool:
    if not hasattr(source, "release_calendar"):
        return False
    document = source.release_calendar().document
    asked = [ask.asked_at for ask in ledger.asks() if ask.document == document]
    return not asked or asked[-1].date() < now.date()


def expected(windows: Windows, today: date) -> list[Window]:
    """The periods that are expected to be published by today, oldest first."""
    return [
        window
        for window in windows_between(windows, windows.since, today)
        if window.end + windows.published_after <= today
    ]


def newest_of(source: Source, today: date, frequency: str = "") -> list[Window]:
    """The windows of a source that may still be revised; of one frequency, if named."""
    return [
        window
        for each in source.CARD.windows
        if frequency in ("", each.frequency)
        for window in newest(each, today)
    ]


def newest(windows: Windows, today: date) -> list[Window]:
    """The windows that may still be revised, oldest first."""
    expected_windows = expected(windows, today)
    return expected_windows[max(0, len(expected_windows) - windows.revised_for) :]


def unanswered(
    windows: Sequence[Window], answered: Mapping[Window, Answered], due: Due
) -> list[Window]:
    """The windows that were never answered, and those that are due again."""
    again = set(due.windows)
    return [window for window in windows if window not in answered or window in again]


def last_moment(calendar: Calendar | None, now: datetime) -> datetime:
    """The last moment before `now` (UTC) at which something new may have been published.

    Without a calendar it is always now: every request is sent.
    """
    if calendar is None:
        return now
    from croniter import croniter

    local = now.replace(tzinfo=UTC).astimezone(ZoneInfo(calendar.timezone))
    moment: datetime = croniter(calendar.cron, local).get_prev(datetime)
    return moment.astimezone(UTC).replace(tzinfo=None)


def _every_weekday(calendar: Calendar) -> Calendar:
    """The calendar at its time of day, on each weekday."""
    minute, hour, *_ = calendar.cron.split()
    return replace(calendar, cron=f"{minute} {hour} * * 1-5")


def scope_of(settings: Settings, source: Source, ledger: Ledger) -> Scope:
    """What to request besides the periods: by the settings, the card and the ledger.

    Raises ConfigurationError where a setting names an unknown economy.
    """
    own = settings.source(source.CARD.name)
    unknown = [code for code in own.reporters if code not in vocabulary.economies()]
    if unknown:
        raise ConfigurationError(
            f"KIDO_{source.CARD.name.upper()}_REPORTERS: {unknown[0]!r} is not an economy.",
            hint="They are ISO 3166 alpha-3 codes, separated by commas.",
        )
    caps = source.CARD.rows_per_call
    has_key = own.key is not None
    return Scope(
        commodity_codes=settings.scope.codes(),
        reporters=own.reporters,
        rows_per_call=own.rows_per_call or (caps and caps[0 if has_key else 1]),
        has_key=has_key,
        known_until=None if source.CARD.windows else ledger.known_until(),
        held_through=None if source.CARD.windows else _held_through(settings, source),
        today=datetime.now(UTC).date(),
    )


def _held_through(settings: Settings, source: Source) -> date | None:
    landing, today = landing_of(settings, is_read_only=True), datetime.now(UTC).date()
    newest = newest_periods(lake_of(settings), landing, source, today)
    return max(newest.values(), default=None)


def limits_of(settings: Settings, source: Source) -> Limits:
    """The limits on calls: by the settings of the subscription, else by the card."""
    own, card = settings.source(source.CARD.name), source.CARD.limits
    return Limits(
        calls_a_minute=own.calls_per_minute or card.calls_a_minute,
        calls_a_day=own.calls_per_day or card.calls_a_day,
        largest_answer_bytes=card.largest_answer_bytes,
    )

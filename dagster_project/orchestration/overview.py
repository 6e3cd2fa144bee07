"""What `kido sources`, `kido releases` and `kido docs` show; nothing here runs a build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.errors import ConfigurationError, PublicationError, counted, iso_instant
from dagster_project.intake.due import (
    due_now,
    is_fetched,
    releases_of,
    scope_of,
    why_not_asked,
)
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.build_file import connect
from dagster_project.lake.copies import left_out_on
from dagster_project.lake.landing import Landing
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.tables import Lake
from dagster_project.orchestration.builds import blocked_builds
from dagster_project.orchestration.lateness import (
    Lateness,
    lateness_by_frequency,
    longest_overdue,
    shortened_day,
)
from dagster_project.orchestration.preview import lake_reach
from dagster_project.orchestration.private_rows import select_shown
from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.rules import Suite
from dagster_project.serving.publication import (
    Release,
    current_release,
    is_kept,
    published_releases,
)
from dagster_project.serving.terminal import Column, print_table, print_text, say, width
from dagster_project.settings import Settings
from dagster_project.sources.card import Source, SourceCard, can_be_asked
from dagster_project.sources.registry import all_sources

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class SourceState:
    """A source and how far its figures reach; the fields are the keys of `kido sources --json`.

    Days are ISO text, a latest period may be a year; null where there is none. `is_due` is also
    true if its one document is due. `due_periods` is null for a source that cannot be fetched.
    """

    source: str
    title: str
    publisher: str
    figures: tuple[str, ...]
    """How its figures are received: bundled, fetched, landed."""
    needs_key: bool
    has_key: bool
    needs_consent: bool
    """Whether its terms need a person's consent."""
    not_asked: str | None
    """Why `kido fetch` without a name does not ask it; null if it does, or nobody can."""
    last_vintage: str | None
    latest_period: str | None
    can_be_fetched: bool
    is_due: bool
    due_periods: int | None
    held_through: str | None
    """`latest_period` as it is written: 2024, 2024-05 or 2024-05-17."""
    published_through: str | None
    """The newest period that should have been published by yesterday."""
    days_late: int
    """Days since the first missing period was due; 0 if none is, or the source needs a person."""
    old_since: str | None
    """The day on which the first missing period was due, of any source."""
    next_period: str | None
    """The next period to be published, by its publisher's calendar."""
    next_released_at: str | None
    last_answer: str | None
    last_asked_at: str | None
    licence: str


def source_states(settings: Settings) -> Iterator[SourceState]:
    """The sources, by name."""
    landing, lake = landing_of(settings), lake_of(settings)
    now = datetime.now(UTC).replace(tzinfo=None)
    for name, source in all_sources().items():
        card = source.CARD
        snapshots = landing.snapshots(name)
        ledger = Ledger(landing, name)
        last, latest = _reach(landing, lake, card)
        due, releases = None, releases_of(lake, source)
        if can_be_asked(source):
            due = due_now(source, ledger, now, scope_of(settings, source, ledger), releases)
        is_fetched_by_builds, not_asked = _is_fetched(settings, source)
        late = longest_overdue(lateness_by_frequency(settings, source, lake, landing))
        last_run = ledger.last_run()
        yield SourceState(
            source=name,
            title=card.title,
            publisher=card.publisher,
            figures=(
                *(["bundled"] if card.bundled else []),
                *(["fetched"] if is_fetched_by_builds else []),
                *(["landed"] if any(each.is_landed_by_hand for each in snapshots) else []),
            ),
            needs_key=card.needs_key,
            has_key=settings.source(name).key is not None,
            needs_consent=card.needs_consent,
            not_asked=not_asked or None,
            last_vintage=last or None,
            latest_period=latest or None,
            can_be_fetched=due is not None,
            is_due=due is not None and due.is_due,
            due_periods=None if due is None else len(due.windows),
            held_through=(late and late.held_through)
            or shortened_day(latest, card.cadence)
            or None,
            **_lateness(late),
            last_answer=last_run.answer if last_run else None,
            last_asked_at=iso_instant(last_run.asked_at) if last_run else None,
            licence=card.licence,
        )


def print_sources(sources: Iterable[SourceState]) -> None:
    """Print the sources as a table; what a reader asks for first is on the left."""
    states = list(sources)
    print_table(
        [
            Column("source", [state.source for state in states]),
            Column("published through", [state.published_through or "–" for state in states]),
            Column("held through", [state.held_through or "–" for state in states]),
            Column("late by", [_late_in_words(state) for state in states]),
            Column("figures", [" + ".join(state.figures) or "none yet" for state in states]),
            Column("due", [_due_in_words(state) for state in states]),
            Column("last vintage", [state.last_vintage or "–" for state in states]),
            Column("needs", [_needs_in_words(state) for state in states]),
            Column("last answer", [_answer_in_words(state) for state in states]),
            Column("licence", [state.licence for state in states]),
        ]
    )
    for state in states if width() is not None else ():  # a pipe has all columns
        if state.needs_consent:
            say(f"{state.source}: {state.licence}.")


def _is_fetched(settings: Settings, source: Source) -> tuple[bool, str]:
    """Whether builds fetch a source, and why `kido fetch` without a name does not; a wrong setting
    is such a reason.
    """
    try:
        if not can_be_asked(source):
            return is_fetched(settings, source), ""
        return is_fetched(settings, source), why_not_asked(settings, source)
    except ConfigurationError as error:
        return False, error.message


def _lateness(late: Lateness | None) -> dict[str, Any]:
    """What a source's state says of its publications."""
    if late is None:
        late = Lateness("A", date.max, is_asked=False)
    following = late.next_one
    return {
        "published_through": late.published_through.name if late.published_through else None,
        "days_late": late.days_late,
        "old_since": str(late.missing.due_on) if late.missing and late.days_old else None,
        "next_period": following.name if following else None,
        "next_released_at": iso_instant(following.due_at) if following else None,
    }


def _late_in_words(source: SourceState) -> str:
    if source.days_late:
        return counted(source.days_late, "day")
    return f"old since {source.old_since}" if source.old_since else "–"


def _due_in_words(source: SourceState) -> str:
    if not source.can_be_fetched:
        return "–"
    if not source.is_due and source.next_period and source.next_released_at:
        return f"{source.next_period} on {source.next_released_at[: len('2026-01-31')]}"
    if not source.is_due:
        return "nothing"
    return counted(source.due_periods, "period") if source.due_periods else "its document"


def _needs_in_words(source: SourceState) -> str:
    """What a person has to do so that it is fetched."""
    if source.not_asked:
        return source.not_asked
    return "its file" if not source.can_be_fetched else "nothing"


def _answer_in_words(source: SourceState) -> str:
    if source.last_answer is None or source.last_asked_at is None:
        return "–"
    return f"{source.last_answer.replace('_', ' ')} {source.last_asked_at[: len('2026-01-31')]}"


@dataclass(frozen=True)
class ReleaseState:
    """A published release, or a blocked build; instants are ISO text in UTC.

    The fields are the keys of `kido releases --json`: `is_held` and `held_for` are of a blocked
    build, and keep their names for programs that read them.
    """

    release_id: str
    published_at: str | None
    as_of: str
    code_version: str
    contract_version: str
    duckdb_version: str
    is_current: bool
    is_kept: bool
    """Whether it can be restored."""
    is_held: bool
    """Whether it is blocked. The names of both fields are those of earlier versions."""
    held_for: str | None
    """The losses that block it."""
    accepted_at: str | None
    accepted_losses: str | None


def release_states(settings: Settings) -> list[ReleaseState]:
    """The published releases, oldest first, then the blocked builds."""
    current = current_release(settings)
    published = [
        _release_state(
            release,
            is_current=current is not None and release.release_id == current.release_id,
            is_kept=is_kept(settings, release.release_id),
        )
        for release in published_releases(settings)
    ]
    blocked = [
        _release_state(build.release, blocked_for=build.blocked_for)
        for build in blocked_builds(settings.build_dir)
    ]
    return [*published, *blocked]


def _release_state(
    release: Release,
    *,
    is_current: bool = False,
    is_kept: bool = False,
    blocked_for: str | None = None,
) -> ReleaseState:
    return ReleaseState(
        release_id=release.release_id,
        published_at=None if blocked_for is not None else iso_instant(release.published_at),
        as_of=str(release.as_of),
        code_version=release.code_version,
        contract_version=release.contract_version,
        duckdb_version=release.duckdb_version,
        is_current=is_current,
        is_kept=is_kept,
        is_held=blocked_for is not None,
        held_for=blocked_for,
        accepted_at=iso_instant(release.accepted_at) if release.accepted_at else None,
        accepted_losses=release.accepted_losses,
    )


def print_releases(releases: Iterable[ReleaseState]) -> None:
    """Print the releases as a table, then accepted losses and the losses that block builds."""
    states = list(releases)
    if not states:
        print_text("Nothing is published yet. Run kido build.")
        return
    print_table(
        [
            Column("release", [state.release_id for state in states]),
            Column("published (UTC)", [_minute(state.published_at) for state in states]),
            Column("as of", [state.as_of for state in states]),
            Column("kept", ["yes" if state.is_kept else "" for state in states]),
            Column(
                "state",
                [
                    "◀ current" if state.is_current else "blocked" * state.is_held
                    for state in states
                ],
            ),
            Column("code", [state.code_version for state in states]),
        ]
    )
    for state in states:
        if state.accepted_at:
            print_text(
                f"\n{state.release_id} was accepted on {state.accepted_at[: len('2026-01-31')]}: "
                f"{state.accepted_losses}"
            )
    for state in states:
        if state.is_held:
            print_text(f"\n{state.release_id} is blocked: {state.held_for}")


def _minute(instant: str | None) -> str:
    return (instant or "").replace("T", " ")[: len("2026-01-31 12:00")]


def render_data_docs(settings: Settings) -> Path:
    """Render Great Expectations' site on the published marts; returns its index.

    Rows of private sources are left out.

    Raises PublicationError if nothing is published yet.
    """
    release = current_release(settings)
    if release is None:
        raise PublicationError("Nothing is published yet.", hint="Run kido build.")
    say(f"Checking {len(mart_suites())} tables for the Data Docs")
    with connect(settings.published_file, read_only=True, memory=settings.memory) as connection:

        def frames() -> Iterator[tuple[Suite, pl.DataFrame]]:
            for number, (name, suite) in enumerate(mart_suites().items(), 1):
                say(f"  {number} of {len(mart_suites())}: {name}")
                yield suite, connection.sql(select_shown(connection, name)).pl()
            say("Writing the pages")

        pages = settings.reports_dir / "data_docs"
        return build_data_docs(frames(), pages, today=release.as_of)


def _reach(landing: Landing, lake: Lake, card: SourceCard) -> tuple[str, str]:
    """Days of the last vintage and of the latest period (or fact) in the lake; empty if none."""
    left_out = left_out_on(datetime.now(UTC).date(), landing, lake, [card.name])
    tables = [LAKE_TABLES[name] for name in card.tables]
    reached = [lake_reach(lake, table, card.name, left_out(table)) for table in tables]
    return max(last for last, _ in reached), max(latest for _, latest in reached)

"""Overviews outside a build: the sources and their latest figures, the Data Docs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.errors import PublicationError
from dagster_project.intake.due import Due, due_now, is_fetched, scope_of
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.build_file import connect
from dagster_project.lake.copies import left_out_on
from dagster_project.lake.landing import Landing
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.tables import Lake
from dagster_project.orchestration.builds import complete_build
from dagster_project.orchestration.preview import lake_reach
from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.suites import MART_SUITES
from dagster_project.settings import Settings
from dagster_project.sources.card import SourceCard, can_be_asked
from dagster_project.sources.registry import all_sources


def source_overview(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Source, where figures come from, credentials, last vintage, latest period, what is due, the
    last answer, licence.
    """
    landing, lake = landing_of(settings), lake_of(settings)
    now = datetime.now(UTC).replace(tzinfo=None)
    for name, source in all_sources().items():
        card = source.CARD
        snapshots = landing.snapshots(name)
        ledger = Ledger(landing, name)
        last, latest = _reach(landing, lake, card)
        figures = [
            *(["bundled"] if card.bundled else []),
            *(["fetched"] if is_fetched(settings, source) else []),
            *(["landed"] if any(each.is_landed_by_hand for each in snapshots) else []),
        ]
        has_key = settings.source(name).key is not None
        last_run = ledger.last_run()
        yield (
            name,
            " + ".join(figures) or "none yet",
            ("set" if has_key else "not set") if card.needs_key else "none needed",
            last or "–",
            latest or "–",
            _due_in_words(due_now(source, ledger, now, scope_of(settings, source, ledger)))
            if can_be_asked(source)
            else "–",
            f"{last_run.answer.replace('_', ' ')} {last_run.asked_at:%Y-%m-%d}"
            if last_run
            else "–",
            card.licence,
        )


def _due_in_words(due: Due) -> str:
    if not due.is_due:
        return "nothing"
    count = len(due.windows)
    return f"{count} {'period' if count == 1 else 'periods'}" if count else "its document"


def render_data_docs(settings: Settings) -> Path:
    """Great Expectations' own site on the marts of the last complete build; returns its first page.

    Raises PublicationError when nothing is built yet.
    """
    build = complete_build(settings.build_dir)
    if build is None:
        raise PublicationError("Nothing is built yet.", hint="Run kido build.")
    with connect(build.file, read_only=True, memory=settings.memory) as connection:
        frames = [
            (suite, connection.sql(f"from {name}").pl()) for name, suite in MART_SUITES.items()
        ]
    return build_data_docs(frames, settings.reports_dir / "data_docs", today=build.release.as_of)


def _reach(landing: Landing, lake: Lake, card: SourceCard) -> tuple[str, str]:
    """Days of the last vintage and of the latest period (or fact) in the lake."""
    left_out = left_out_on(datetime.now(UTC).date(), landing, lake, [card.name])
    tables = [LAKE_TABLES[name] for name in card.tables]
    reached = [lake_reach(lake, table, card.name, left_out(table)) for table in tables]
    return max(last for last, _ in reached), max(latest for _, latest in reached)

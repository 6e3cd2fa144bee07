"""What people look up beside a build: the sources and how far they reach, the Data Docs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dagster_project.errors import PublicationError
from dagster_project.lake.build_file import connect
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.tables import Lake
from dagster_project.orchestration import ingest
from dagster_project.orchestration.builds import complete_build
from dagster_project.orchestration.preview import lake_reach
from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.mart_suites import MART_SUITES
from dagster_project.settings import Settings
from dagster_project.sources.card import SourceCard
from dagster_project.sources.registry import all_sources


def source_overview(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Source, where figures come from, credentials, last vintage, latest period, licence."""
    landing, lake = ingest.landing_of(settings), ingest.lake_of(settings)
    for name, source in all_sources().items():
        card = source.CARD
        snapshots = landing.snapshots(name)
        last, latest = _reach(lake, card)
        figures = [
            *(["bundled"] if card.bundled else []),
            *(["fetched"] if ingest.is_fetched(settings, source) else []),
            *(["landed"] if any(_is_landed(snapshot.request) for snapshot in snapshots) else []),
        ]
        has_key = settings.source(name).key is not None
        yield (
            name,
            " + ".join(figures) or "none yet",
            ("set" if has_key else "not set") if card.needs_key else "none needed",
            last or "–",
            latest or "–",
            card.licence,
        )


def render_data_docs(settings: Settings) -> Path:
    """Great Expectations' own site on the marts of the last whole build; returns its first page.

    Raises PublicationError when nothing is built yet.
    """
    build = complete_build(settings.build_dir)
    if build is None:
        raise PublicationError("Nothing is built yet.", hint="Run kido build.")
    with connect(build.file, read_only=True) as connection:
        frames = [
            (suite, connection.sql(f"from {name}").pl()) for name, suite in MART_SUITES.items()
        ]
    return build_data_docs(frames, settings.reports_dir / "data_docs", today=build.release.as_of)


def _is_landed(request: str) -> bool:
    return request.startswith("file ")


def _reach(lake: Lake, card: SourceCard) -> tuple[str, str]:
    """Days of the last vintage and of the latest period (or fact) that the lake holds."""
    reached = [lake_reach(lake, LAKE_TABLES[name], card.name) for name in card.tables]
    return max(last for last, _ in reached), max(latest for _, latest in reached)

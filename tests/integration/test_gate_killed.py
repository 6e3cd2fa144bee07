"""Killed at any moment, an acceptance or a rollback leaves the release before it or the one after.

The files are small: what readers are told first needs marts that they have not.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from dagster_project.orchestration import builds
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.integration.killing import kill_at_seeded_moments
from tests.unit.serving.test_publication import (
    START,
    build,
    publish,
    published_close,
    rolled_back,
    state,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The home of a warehouse that was published twice; 'b' brought the second release."""
    found = Settings.load(home=tmp_path / "home")
    publish(found, 0, 150.0, "a")
    publish(found, 1, 160.0, "a", "b")
    return found


def accept(release: str) -> None:
    """What `kido accept` runs."""
    import dagster as dg

    from dagster_project.orchestration import publication_assets
    from dagster_project.orchestration.resources import Warehouse

    for told, instead in (("answers", None), ("answers_markdown", ""), ("headline", "")):
        setattr(publication_assets, told, lambda *_, instead=instead: instead)
    publication_assets.Answers = None  # type: ignore[attr-defined]
    dg.materialize(
        [publication_assets.published_asset()],
        resources={"warehouse": Warehouse()},
        run_config={"ops": {"published__warehouse": {"config": {"accept": release}}}},
    )


def accepted(settings: Settings) -> list[str | None]:
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        found = connection.execute(
            "select accepted_losses from catalog.releases order by release_id"
        ).fetchall()
    return [losses for (losses,) in found]


def held(settings: Settings) -> list[str]:
    return [build.release.release_id for build in builds.held_builds(settings.build_dir)]

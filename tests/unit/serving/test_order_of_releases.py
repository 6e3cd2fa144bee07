"""The order of the releases is that in which they began, whatever a clock said."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dagster_project.orchestration import builds
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.unit.serving.test_publication import (
    START,
    TODAY,
    build,
    completing,
    published_close,
    state,
)

A_YEAR = timedelta(days=365)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def began(settings: Settings, moment: datetime, as_of: date | None = None) -> publication.Release:
    """The release of a build that begins now, by a clock that shows `moment`."""
    release = publication.new_release(
        moment, as_of or moment.date(), "0.1.0", after=builds.known_releases(settings)
    )
    builds.Build(settings.build_dir / release.release_id).start(release, None, "models")
    return release


def publish(
    settings: Settings, release: publication.Release, close: float, moment: datetime
) -> publication.Release:
    path = build(settings.build_dir, release, close)
    return publication.publish(settings, path, release, completing(path), moment)


def test_a_release_follows_one_of_a_day_when_the_clock_was_ahead(settings: Settings) -> None:
    ahead, now = START + A_YEAR, START + timedelta(minutes=5)
    first = publish(settings, began(settings, ahead), 1.0, ahead)
    second = publish(settings, began(settings, now), 2.0, now)
    third = publish(settings, began(settings, now), 3.0, now)
    names = [release.release_id for release in (first, second, third)]
    assert names == sorted(names)
    assert published_close(settings) == 3.0
    assert state(settings) == (third.release_id, names, names)
    # What it says of its own time is what the clock said.
    assert third.published_at == now
    assert third.as_of == third.built_on == TODAY
    assert publication.rollback(settings) == second
    assert published_close(settings) == 2.0


def test_a_release_behind_one_of_the_future_is_one_of_its_own_day(settings: Settings) -> None:
    ahead = START + A_YEAR
    publish(settings, began(settings, ahead), 1.0, ahead)
    second = publish(settings, began(settings, START), 2.0, START)
    assert second.is_for_build_day
    assert publication.last_for_build_day(settings) == second
    past = publish(settings, began(settings, START, date(2025, 10, 20)), 3.0, START)
    assert not past.is_for_build_day
    assert publication.last_for_build_day(settings) == second


def test_of_two_builds_the_later_one_stays_also_where_the_clock_went_back(
    settings: Settings,
) -> None:
    earlier = began(settings, START + A_YEAR)
    later = began(settings, START)
    assert publish(settings, later, 2.0, START) == later
    assert publish(settings, earlier, 1.0, START).release_id == later.release_id
    assert published_close(settings) == 2.0


def test_five_are_kept_by_their_order_and_not_by_a_clock(settings: Settings) -> None:
    moments = [START + A_YEAR, *(START - timedelta(days=day) for day in range(6))]
    releases = [
        publish(settings, began(settings, moment), float(number), moment)
        for number, moment in enumerate(moments)
    ]
    kept = sorted(folder.name for folder in settings.releases_dir.glob("2*"))
    assert kept == [release.release_id for release in releases[-5:]]


def test_a_home_of_an_earlier_version_with_a_release_of_the_future_goes_on(
    settings: Settings,
) -> None:
    """It records neither the day of the build nor the scope."""
    ahead = START + A_YEAR
    publish(settings, began(settings, ahead), 1.0, ahead)
    files = [settings.published_file, *settings.releases_dir.glob("2*/kido.duckdb")]
    for file in files:
        with duckdb.connect(str(file)) as connection:
            connection.execute("alter table catalog.releases drop column built_on")
            connection.execute("alter table catalog.releases drop column scope")
    (record,) = settings.releases_dir.glob("2*/release.json")
    old = publication.Release.model_validate_json(record.read_bytes())
    record.write_text(old.model_dump_json(exclude={"built_on", "scope"}))
    current = publication.current_release(settings)
    assert current is not None
    assert current.is_for_build_day
    second = publish(settings, began(settings, START), 2.0, START)
    assert publication.current_release(settings) == second
    assert publication.rollback(settings).release_id == current.release_id


@pytest.mark.parametrize("name", ["99991231T235959-abcdef", "20269999T000000-abcdef", "", "x"])
def test_a_name_without_a_usable_time_does_not_matter(name: str) -> None:
    assert publication.instant_of(name) is None
    release = publication.new_release(START, TODAY, "0.1.0", after=[name])
    assert release.release_id.startswith("20261125T120000-")


def test_a_release_of_the_future_is_named(settings: Settings) -> None:
    assert publication.from_the_future(settings, START) is None
    publish(settings, began(settings, START), 1.0, START)
    assert publication.from_the_future(settings, START) is None
    ahead = publish(settings, began(settings, START + A_YEAR), 1.0, START)
    assert publication.from_the_future(settings, START) == ahead
    assert publication.from_the_future(settings, START + A_YEAR) is None

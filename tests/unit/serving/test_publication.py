"""The published file changes by one rename, keeps its comments, and can go back."""

import struct
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.errors import PublicationError
from dagster_project.serving import publication
from dagster_project.settings import Settings

START = datetime(2026, 11, 25, 12)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def build(folder: Path, release: publication.Release, close: float) -> Path:
    """A build file with the published schemas, a private one, comments and a constraint."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{release.release_id}.duckdb"
    with duckdb.connect(str(path)) as connection:
        for schema in (*publication.PUBLISHED_SCHEMAS, "staging"):
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.something as select 1 as one")
        connection.execute(
            f"create table market.prices as select 'USDJPY' as instrument, {close}::double as close"
        )
        connection.execute("alter table market.prices alter column instrument set not null")
        connection.execute("comment on table market.prices is 'One row per instrument''s day.'")
        connection.execute("comment on column market.prices.close is 'Yen per dollar.'")
        connection.execute(
            "create table catalog.checks (layer varchar, table_name varchar, check_name varchar, "
            "engine varchar, severity varchar, status varchar, observed varchar, "
            "failing_rows bigint)"
        )
        connection.register("release", pl.DataFrame([release.model_dump()]).to_arrow())
        connection.execute("create table catalog.releases as from release")
    return path


CHECKS = pl.DataFrame(
    {
        "layer": ["mart"], "table_name": ["market.prices"], "check_name": ["close_is_positive"],
        "engine": ["great_expectations"], "severity": ["error"], "status": ["passed"],
        "observed": ["no offending rows"], "failing_rows": [0],
    }
)  # fmt: skip


def publish(settings: Settings, minute: int, close: float) -> publication.Release:
    moment = START + timedelta(minutes=minute)
    release = publication.new_release(moment, date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, close)
    return publication.publish(settings, path, release, CHECKS, moment)


def published_close(settings: Settings) -> float:
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        (close,) = connection.execute("select close from market.prices").fetchone() or (0.0,)
    return float(close)


def test_only_the_published_schemas_come_out_with_comments_and_constraints(
    settings: Settings,
) -> None:
    publish(settings, 0, 150.0)
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        schemas = {
            row[0]
            for row in connection.execute(
                "select distinct schema_name from duckdb_tables()"
            ).fetchall()
        }
        assert schemas == set(publication.PUBLISHED_SCHEMAS)
        assert connection.execute(
            "select comment from duckdb_tables() where table_name = 'prices'"
        ).fetchone() == ("One row per instrument's day.",)
        assert connection.execute(
            "select comment, is_nullable from duckdb_columns() where table_name = 'prices' "
            "order by column_index"
        ).fetchall() == [(None, False), ("Yen per dollar.", True)]
        assert connection.execute("select check_name, status from catalog.checks").fetchall() == [
            ("close_is_positive", "passed")
        ]


def test_the_file_is_in_the_storage_format_that_duckdb_1_1_opens(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    header = settings.published_file.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    # DuckDB 1.0 and 1.1 read storage version 64; newer formats carry larger numbers.
    assert struct.unpack("<Q", header[12:20]) == (64,)


def test_a_reader_with_the_file_open_keeps_its_release_and_blocks_nothing(
    settings: Settings,
) -> None:
    publish(settings, 0, 150.0)
    with settings.published_file.open("rb") as reader:
        before = reader.read()
        publish(settings, 1, 151.0)
        reader.seek(0)
        assert reader.read() == before
    assert published_close(settings) == 151.0


def test_five_releases_are_kept_and_one_can_go_back_step_by_step(settings: Settings) -> None:
    releases = [publish(settings, minute, 150.0 + minute) for minute in range(7)]
    kept = sorted(path.name for path in settings.releases_dir.iterdir() if path.is_dir())
    assert kept == [release.release_id for release in releases[-5:]]
    assert publication.rollback(settings).release_id == releases[-2].release_id
    assert published_close(settings) == 155.0
    assert publication.rollback(settings).release_id == releases[-3].release_id
    assert published_close(settings) == 154.0
    assert publication.rollback(settings, releases[-1].release_id) == releases[-1]
    assert published_close(settings) == 156.0


def test_going_back_too_far_says_so_and_changes_nothing(settings: Settings) -> None:
    only = publish(settings, 0, 150.0)
    with pytest.raises(PublicationError, match="no earlier release"):
        publication.rollback(settings)
    with pytest.raises(PublicationError, match=f"Kept: {only.release_id}"):
        publication.rollback(settings, "20200101T000000-abcdef")
    assert published_close(settings) == 150.0


def test_what_a_killed_publication_left_is_swept_and_never_published(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    leftover = settings.releases_dir / ".new-20261125T120100-abcdef"
    leftover.mkdir()
    (leftover / "kido.duckdb").write_bytes(b"half a file")
    (settings.home / ".kido.duckdb.12345678").write_bytes(b"half a copy")
    assert [release.as_of for release in publication.published_releases(settings)] == [
        date(2026, 11, 25)
    ]
    publish(settings, 1, 151.0)
    assert not leftover.exists()
    assert not (settings.home / ".kido.duckdb.12345678").exists()


def test_a_build_without_a_published_schema_is_refused(settings: Settings) -> None:
    release = publication.new_release(START, date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, 150.0)
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop schema exposure cascade")
    with pytest.raises(PublicationError, match="exposure"):
        publication.publish(settings, path, release, CHECKS, START)
    assert not settings.published_file.exists()


def test_the_same_build_published_again_is_the_same_release(settings: Settings) -> None:
    release = publication.new_release(START, date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, 150.0)
    publication.publish(settings, path, release, CHECKS, START)
    publish(settings, 1, 151.0)
    publication.publish(settings, path, release, CHECKS, START)
    assert published_close(settings) == 150.0
    assert len(publication.published_releases(settings)) == 2

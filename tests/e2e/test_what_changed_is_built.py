"""A build makes what changed since the last one: what it publishes is what a build of all would."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import dagster as dg
import duckdb
import pytest
from polars.testing import assert_frame_equal

from dagster_project.lake.build_file import work_file
from dagster_project.orchestration.builds import STAGES, Build, complete_build
from dagster_project.serving.wording.plugin import add_sentences
from tests.e2e.conftest import BUNDLED, day_of, run_kido
from tests.e2e.work import CANARY_PRICE, CANARY_TEXT, price_file, scenario_file, with_a_month
from tests.homes import copy_of
from tests.nightly import nightly

OF_THE_BUILD = ("lake", "runtime", "build")
"""Schemas of what a build reads and decides by: locations of files, times, hashes."""


@dataclass
class Story:
    """A home to which things happen, on days that are passed forth and back."""

    home: Path
    folder: Path
    day: date
    printed: list[str]

    def kido(self, *arguments: str) -> CompletedProcess[str]:
        result = run_kido(self.home, *arguments)
        assert result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}"
        return result

    def build(self, *arguments: str) -> str:
        """Build for the day of the story; what was said."""
        said = self.kido("build", "--as-of", f"{self.day}", "--publish", *arguments).stderr
        self.printed.append(said)
        return said

    @property
    def models_made(self) -> int:
        """How many models the last build made."""
        (line,) = [line for line in self.printed[-1].splitlines() if " made; adding views" in line]
        return int(line.split()[0])


def a_day_passes(story: Story) -> None:
    story.day += timedelta(days=1)


def a_day_is_repeated(story: Story) -> None:
    story.day -= timedelta(days=1)


def a_scenario_lands(story: Story) -> None:
    story.kido("scenario", str(scenario_file(story.folder, "extended")), "--no-build")


def prices_land(story: Story) -> None:
    story.kido("land", "rare_earth_prices", price_file(story.folder), "--replace")


def other_prices_land(story: Story) -> None:
    story.kido("land", "rare_earth_prices", price_file(story.folder, 1.0), "--replace")


def a_month_lands(story: Story) -> None:
    story.kido("land", "hmrc", str(with_a_month(story.folder)))


def the_last_is_withdrawn(story: Story) -> None:
    """The newest snapshot of what landed in the story, if there is one."""
    with published(story) as connection:
        found = connection.execute(
            "select snapshot_id from catalog.snapshots where source in "
            "('rare_earth_prices', 'scenarios') order by retrieved_at desc limit 1"
        ).fetchone()
    if found:
        story.kido("withdraw", found[0], "--because", "a slip")


def it_is_rolled_back(story: Story) -> None:
    with published(story) as connection:
        names = connection.execute(
            "select release_id from catalog.releases order by release_id desc limit 2"
        ).fetchall()
    if len(names) == 2:
        story.kido("rollback", names[1][0])


HAPPENINGS: Sequence[Callable[[Story], None]] = (
    a_day_passes, a_day_is_repeated, a_scenario_lands, prices_land, other_prices_land,
    a_month_lands, the_last_is_withdrawn, it_is_rolled_back,
)  # fmt: skip


@contextmanager
def published(story: Story) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(story.home / "kido.duckdb"), read_only=True) as connection:
        yield connection


def last_build(home: Path) -> Build:
    build = complete_build(home / "build")
    assert build is not None
    return build


@dataclass(frozen=True)
class Relation:
    """A table or view of a build: comments, columns, and a query of its rows in an order."""

    comment: str | None
    columns: Sequence[tuple[str, str, str | None]]
    rows: str


@contextmanager
def opened(build: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    """Both files of a build."""
    with duckdb.connect(str(build.file), read_only=True) as connection:
        add_sentences(connection)
        connection.execute(f"attach '{work_file(build.file)}' as work (read_only)")
        yield connection


def relations(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Relation]:
    found = {}
    for database, schema, name, comment in connection.execute(
        "select database_name, schema_name, table_name, comment from duckdb_tables() "
        "where database_name not in ('system', 'temp') "
        "union all select database_name, schema_name, view_name, comment from duckdb_views() "
        "where not internal and database_name not in ('system', 'temp')"
    ).fetchall():
        if schema in OF_THE_BUILD:
            continue
        columns = connection.execute(
            "select column_name, data_type, comment from duckdb_columns() where "
            "database_name = ? and schema_name = ? and table_name = ? order by column_index",
            [database, schema, name],
        ).fetchall()
        # Figures at the end: sums of parallel queries may differ in their last digits.
        order = sorted(columns, key=lambda column: column[1] == "DOUBLE")
        by = ", ".join(f'"{column}"' for column, *_ in order)
        rows = f'from "{database}"."{schema}"."{name}" order by {by}'
        found[f"{schema}.{name}"] = Relation(comment, columns, rows)
    return found


def checks(build: Build) -> Sequence[tuple[Any, ...]]:
    return sorted(
        (check.layer, check.table_name, check.check_name, check.status, check.observed)
        for stage in STAGES
        for check in build.checks(stage)
    )


def require_equal_to_all_made(story: Story) -> None:
    """The last build is equal to one that makes all, of a copy of the home."""
    whole = Story(copy_of(story.home, story.folder / "whole"), story.folder, story.day, [])
    whole.build("--full")
    assert whole.models_made > 200
    mine, theirs = last_build(story.home), last_build(whole.home)
    assert mine.release.as_of == theirs.release.as_of == story.day
    with opened(mine) as left, opened(theirs) as right:
        described = relations(right)
        assert relations(left) == described
        for name, relation in described.items():
            ours, others = left.sql(relation.rows).pl(), right.sql(relation.rows).pl()
            assert ours.height == others.height, name
            assert_frame_equal(ours, others, rel_tol=1e-9, abs_tol=1e-9)
    assert checks(mine) == checks(theirs)
    shutil.rmtree(story.folder / "whole")


@pytest.fixture
def story(home: Path, folder: Path) -> Story:
    (folder / "whole").mkdir()
    (folder / "whole" / BUNDLED).symlink_to((folder / BUNDLED).resolve())
    return Story(home, folder, date.fromisoformat(day_of(home)) - timedelta(days=3), [])


def test_what_changes_is_made_and_nothing_else(story: Story) -> None:
    """Prices of today, then a scenario on a day before them: equal to a build of all."""
    story.day += timedelta(days=3)
    story.build()
    prices_land(story)
    said = story.build("-v")
    assert 0 < story.models_made < 60
    assert "stg_lake__price_quotes was made: snapshots of rare_earth_prices\n" in said
    assert "prices was made: rows of " in said
    assert "supplier_shares was made" not in said
    # What stands was checked in the first build, and is not materialised anew.
    with published(story) as connection:
        checked = connection.execute(
            "select distinct table_name from catalog.checks where layer = 'mart' and "
            "engine = 'great_expectations' and table_name not in "
            "('catalog.checks', 'catalog.releases', 'catalog.tables', 'catalog.changes') "
            "and checked_in = (select max(release_id) from catalog.releases)"
        ).fetchall()
    assert ("market.prices",) in checked
    assert ("dependency.supplier_shares",) not in checked
    with dg.DagsterInstance.from_config(str(story.home / "dagster")) as instance:
        prices, published_file, flows = (
            instance.get_latest_materialization_event(dg.AssetKey(key))
            for key in (["market", "prices"], ["published", "warehouse"], ["trade", "baci_flows"])
        )
    assert prices is not None
    assert published_file is not None
    assert prices.run_id == published_file.run_id
    assert flows is None  # of a home that knows the builds of this story alone
    a_scenario_lands(story)
    story.day -= timedelta(days=2)
    story.build()
    assert 0 < story.models_made < 150
    require_equal_to_all_made(story)


@nightly
@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_is_built_as_if_all_were_made(story: Story, seed: int) -> None:
    chance = random.Random(seed)
    for happening in [chance.choice(HAPPENINGS) for _ in range(6)]:
        happening(story)
        story.build()
    require_equal_to_all_made(story)


@nightly
def test_withdrawn_rows_are_gone_from_the_bytes_of_both_files(story: Story) -> None:
    """Prices of a private source: a copy of the file that has them would keep them."""
    story.day += timedelta(days=3)
    prices_land(story)
    story.build()
    assert all(CANARY_TEXT.encode() in file.read_bytes() for file in last_build(story.home).files)
    the_last_is_withdrawn(story)
    story.build()
    files = [*last_build(story.home).files, story.home / "kido.duckdb"]
    assert not [file for file in files if CANARY_TEXT.encode() in file.read_bytes()]


@nightly
def test_fifty_builds_on_each_other_are_hardly_larger_than_one_of_all(story: Story) -> None:
    story.day += timedelta(days=3)
    for number in range(50):  # the gate takes a change of this size
        prices = price_file(story.folder, CANARY_PRICE + number % 2)
        story.kido("land", "rare_earth_prices", prices, "--replace")
        story.build()
    last = last_build(story.home)
    whole = Story(copy_of(story.home, story.folder / "whole"), story.folder, story.day, [])
    whole.build("--full")
    for file, of_all in zip(last.files, last_build(whole.home).files, strict=True):
        assert file.stat().st_size <= 1.3 * of_all.stat().st_size

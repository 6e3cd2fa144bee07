"""What a release says is new in it: a month that landed, a correction, a status by date alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from dagster_project.lake import corrections
from tests.e2e.conftest import BUNDLED, run_kido, start_kido
from tests.e2e.work import ACT, KILOGRAMS, NEW_MONTH, NUMBER, Work, with_lists
from tests.nightly import nightly

MAGNETS = "Magnets of rare earths arriving in the United Kingdom from China, by month"
RIGHT_KILOGRAMS = 111_000
DAY_BEFORE, DAY = "2026-11-27", "2026-11-28"
"""The suspension by notice 72/2025 ended on the first of these days."""

Row = tuple[str, str, str | None, str | None]

OF_THE_DAY: Sequence[Row] = [
    ("notice", f"mofcom {NUMBER}", None, "to_be_read"),
    ("notice", f"mofcom 2026-{ACT}", None, "to_be_read"),
    ("notice", "gta", None, "to_be_read"),
    ("status", "CN-2026-99", None, "in_force"),
    ("figure", f"JPN: {MAGNETS}", "103.6 t (June 2026)", "110.0 t (July 2026)"),
    ("period", "hmrc trade_flows M", "2026-06", "2026-07"),
    ("period", "japan_customs national_trade M", None, "2026-02"),
    ("period", "made_up trade_flows A", None, "2025"),
    ("period", "rare_earth_prices price_quotes D", None, "2026-10-10"),
]
CORRECTION: Sequence[Row] = [
    ("figure", f"JPN: {MAGNETS}", "110.0 t (July 2026)", "111.0 t (July 2026)"),
    ("correction", "HMRC-MAGNETS-2026-07", None, "applied"),
]
STATUS: Sequence[Row] = [
    ("status", "CN-2024-46-2", "suspended", "unknown"),
    ("status", "CN-2025-72", "in_force", "unknown"),
]


def register(folder: Path) -> Path:
    """A register of corrections with that of the new month."""
    row = {
        "reporter_iso3": "GBR", "partner_iso3": "CHN", "flow": "import", "frequency": "M",
        "commodity_code": "rare_earth_magnets", "period_start": f"{NEW_MONTH}-01",
    }  # fmt: skip
    entry = {
        "correction": "HMRC-MAGNETS-2026-07", "table": "trade_flows", "row": row,
        "column": "net_weight_kg", "action": "replace", "wrong": KILOGRAMS,
        "right": RIGHT_KILOGRAMS, "reason": "A slip of a finger.", "citation": "Invented.",
    }  # fmt: skip
    file = folder / "corrections.yaml"
    file.write_text(yaml.safe_dump({"corrections": [entry]}), "utf8")
    return file


def use_register(file: Path) -> None:
    """Let this process read the corrections of HMRC from there."""
    of_project = corrections.corrections_file

    def corrections_file(source: str) -> Path:
        return file if source == "hmrc" else of_project(source)

    corrections.corrections_file = corrections_file
    corrections.corrections.cache_clear()


def releases(home: Path) -> list[str]:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        found = connection.execute("select release_id from catalog.releases order by 1").fetchall()
    return [release for (release,) in found]


def rows(home: Path, release: str) -> list[tuple[object, ...]]:
    """What is new in a release, as the current one carries it."""
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        return connection.execute(
            "select kind, subject, before, after from catalog.changes where release_id = ? "
            "order by position",
            [release],
        ).fetchall()


def test_what_landed_is_new_with_the_figures_that_it_moves(work: Work) -> None:
    first, of_the_day = releases(work.home)
    assert rows(work.home, first) == []
    assert rows(work.home, of_the_day) == OF_THE_DAY


def test_a_build_without_news_publishes_no_release_and_says_so(work: Work) -> None:
    assert "Nothing has changed since" in work.printed["nothing"].stderr
    assert "What is new" not in work.printed["nothing"].stdout


def test_a_build_prints_what_is_new_after_the_page(work: Work) -> None:
    page, _, new = work.printed["build"].stdout.partition("What is new since the release before\n")
    assert "published statements, each with its verdict, in catalog.claims" in page
    *lines, empty, published = new.splitlines()
    assert len(lines) == len(OF_THE_DAY)
    assert lines[4:6] == [
        f"  Japan: {MAGNETS}: 110.0 t (July 2026), 6.4 t more than 103.6 t (June 2026)",
        "  hmrc: months of trade flows through 2026-07, 2026-06 before",
    ]
    assert (empty, published) == ("", f"Published: {work.home / 'kido.duckdb'}")


def test_any_release_is_printed_and_an_unknown_one_is_named(work: Work) -> None:
    first, of_the_day = releases(work.home)
    printed = work.printed["changes"].stdout.splitlines()
    assert printed[0] == f"What is new in {of_the_day}"
    figures, periods = (
        printed.index(title)
        for title in ("Figures of the page of answers", "Periods of the sources")
    )
    assert printed[figures + 1 : periods + 2] == [
        f"  Japan: {MAGNETS}: 110.0 t (July 2026), 6.4 t more than 103.6 t (June 2026)", "",
        "Periods of the sources", "  hmrc: months of trade flows through 2026-07, 2026-06 before",
    ]  # fmt: skip
    current = run_kido(work.home, "changes", "--json")
    assert [row["subject"] for row in json.loads(current.stdout)] == [row[1] for row in OF_THE_DAY]
    printed_first = run_kido(work.home, "changes", first)
    assert printed_first.stdout == (
        f"{first} is the first release: there is none to compare it with.\n"
    )
    unknown = run_kido(work.home, "changes", "20200101T000000-nobody")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("kido: There is no release '20200101T000000-nobody'. Releases")
    assert of_the_day in unknown.stderr


def test_a_public_copy_has_only_what_may_be_passed_on(work: Work) -> None:
    rows = pl.read_parquet(work.public / "catalog" / "changes.parquet")
    sources = {source for text in rows["source"] for source in text.split(", ")}
    kept = {row[0] for row in work.query("from catalog.sources select source "
                                          "where is_redistributable")}  # fmt: skip
    assert sources <= kept
    assert {"hmrc", "catalogue"} <= sources
    ((listed,),) = work.query("select rows from catalog.tables where table_name = 'changes'")
    assert work.query("select count(*) from catalog.changes") == [(listed,)]


# What comes of it later.


@dataclass(frozen=True)
class Later:
    """A copy of that home after three more builds, with the release that each published."""

    home: Path
    releases: dict[str, str]


@pytest.fixture(scope="module")
def later(work: Work, tmp_path_factory: pytest.TempPathFactory) -> Later:
    folder = tmp_path_factory.mktemp("later")
    (folder / BUNDLED).symlink_to(work.folder / BUNDLED)
    home = Path(shutil.copytree(work.home, folder / "home"))
    names = {"day of work": releases(home)[-1]}
    prepare = partial(with_lists_and_register, work.folder / "economies.csv", register(folder))
    for name, arguments in {
        "correction": ("--full",),
        "day before": ("--as-of", DAY_BEFORE, "--publish"),
        "status": ("--as-of", DAY, "--publish"),
    }.items():
        built = start_kido(home, "build", *arguments, prepare=prepare).wait()
        assert built.returncode == 0, built.stdout + built.stderr
        names[name] = releases(home)[-1]
    return Later(home, names)


def with_lists_and_register(economies: Path, file: Path) -> None:
    with_lists(economies)
    use_register(file)


@nightly
def test_a_correction_is_itself_and_the_figure_that_it_moves(later: Later) -> None:
    assert rows(later.home, later.releases["correction"]) == CORRECTION


@nightly
def test_a_status_that_changes_by_date_alone_is_all_that_is_new(later: Later) -> None:
    assert rows(later.home, later.releases["status"]) == STATUS


@nightly
def test_what_was_new_in_a_release_is_printed_after_its_rollback(later: Later) -> None:
    day_of_work = later.releases["day of work"]
    back = run_kido(later.home, "rollback", day_of_work)
    assert back.returncode == 0, back.stderr
    assert len(rows(later.home, day_of_work)) == len(OF_THE_DAY)
    printed = run_kido(later.home, "changes", later.releases["correction"])
    assert "Correction HMRC-MAGNETS-2026-07 (hmrc, trade flows) is applied" in printed.stdout

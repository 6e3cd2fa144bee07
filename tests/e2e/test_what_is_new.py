"""What a release says is new in it: a month that landed, a correction, a status by date alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import polars as pl
import pytest
import yaml

from dagster_project.lake import corrections
from dagster_project.settings import BUNDLED as PRODUCT_BUNDLED
from tests.e2e.conftest import BUNDLED, copy_of, run_kido, start_kido

MONTHS = PRODUCT_BUNDLED / "hmrc" / "monthly_flows.csv"
MAGNETS = "Magnets of rare earths arriving in the United Kingdom from China, by month"
NEW_MONTH, KILOGRAMS, RIGHT_KILOGRAMS = "2026-07", 110_000, 111_000
DAY_BEFORE, DAY = "2026-11-27", "2026-11-28"
"""The suspension by notice 72/2025 ended on the first of these days."""

Row = tuple[str, str, str | None, str | None]

MONTH: Sequence[Row] = [
    ("figure", f"JPN: {MAGNETS}", "103.6 t (June 2026)", "110.0 t (July 2026)"),
    ("period", "hmrc trade_flows M", "2026-06", "2026-07"),
]
CORRECTION: Sequence[Row] = [
    ("figure", f"JPN: {MAGNETS}", "110.0 t (July 2026)", "111.0 t (July 2026)"),
    ("correction", "HMRC-MAGNETS-2026-07", None, "applied"),
]
STATUS: Sequence[Row] = [
    ("status", "CN-2024-46-2", "suspended", "unknown"),
    ("status", "CN-2025-72", "in_force", "unknown"),
]


def with_a_month(folder: Path) -> Path:
    """The bundled months of the United Kingdom, and one more in which each trade grew."""
    months = pl.read_csv(MONTHS, infer_schema=False)
    grown = (
        (pl.col(name).cast(pl.Float64) * 1.05).round(2).cast(pl.String)
        for name in ("value_usd", "net_weight_kg")
    )
    july = months.filter(pl.col("period") == "2026-06").with_columns(
        *grown, period=pl.lit(NEW_MONTH)
    )
    is_line = (
        (pl.col("partner_iso3") == "CHN")
        & (pl.col("flow") == "import")
        & (pl.col("commodity_code") == "rare_earth_magnets")
    )
    weight = pl.when(is_line).then(pl.lit(str(KILOGRAMS))).otherwise(pl.col("net_weight_kg"))
    file = folder / MONTHS.name
    pl.concat([months, july.with_columns(net_weight_kg=weight)]).write_csv(file)
    return file


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


@dataclass(frozen=True)
class Story:
    """A home after all builds, with what each of them printed and the release it published."""

    home: Path
    printed: dict[str, CompletedProcess[str]]
    releases: dict[str, str]
    public: Path

    def query(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.home / "kido.duckdb"), read_only=True) as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def rows(self, build: str) -> list[tuple[object, ...]]:
        """What is new in the release of a build, as the last release carries it."""
        return self.query(
            "select kind, subject, before, after from catalog.changes where release_id = ? "
            "order by position",
            self.releases[build],
        )


def newest(home: Path) -> str:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        (release,) = connection.execute("select max(release_id) from catalog.releases").fetchall()
    return str(release[0])


@pytest.fixture(scope="module")
def story(small: Path, few_flows: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    (folder / BUNDLED).symlink_to(few_flows)
    home = copy_of(small, folder)
    printed: dict[str, CompletedProcess[str]] = {}
    releases = {"first": newest(home)}
    landed = run_kido(home, "land", "hmrc", str(with_a_month(folder)))
    assert landed.returncode == 0, landed.stderr
    corrected = partial(start_kido, home, prepare=partial(use_register, register(folder)))
    for name, build in {
        "month": partial(start_kido, home, "build"),
        "nothing": partial(start_kido, home, "build"),
        "correction": partial(corrected, "build", "--force"),
        "day before": partial(start_kido, home, "build", "--as-of", DAY_BEFORE, "--publish"),
        "status": partial(start_kido, home, "build", "--as-of", DAY, "--publish"),
    }.items():
        printed[name] = build().wait()
        assert printed[name].returncode == 0, printed[name].stdout + printed[name].stderr
        releases[name] = newest(home)
    public = folder / "public"
    exported = run_kido(home, "export", "--parquet", str(public), "--public")
    assert exported.returncode == 0, exported.stderr
    return Story(home, printed, releases, public)


def test_the_first_release_has_no_row(story: Story) -> None:
    assert story.rows("first") == []


def test_a_landed_month_is_a_period_and_the_figure_that_it_moves(story: Story) -> None:
    assert story.rows("month") == MONTH


def test_a_correction_is_itself_and_the_figure_that_it_moves(story: Story) -> None:
    assert story.rows("correction") == CORRECTION


def test_a_status_that_changes_by_date_alone_is_all_that_is_new(story: Story) -> None:
    assert story.rows("status") == STATUS


def test_a_build_without_news_publishes_no_release_and_says_so(story: Story) -> None:
    assert story.releases["nothing"] == story.releases["month"]
    assert "Nothing has changed since" in story.printed["nothing"].stderr
    assert "What is new" not in story.printed["nothing"].stdout


def test_a_build_prints_what_is_new_after_the_page(story: Story) -> None:
    page, _, new = story.printed["month"].stdout.partition("What is new since the release before\n")
    assert "published statements, each with its verdict, in catalog.claims" in page
    assert new.splitlines() == [
        f"  Japan: {MAGNETS}: 110.0 t (July 2026), 6.4 t more than 103.6 t (June 2026)",
        "  hmrc: months of trade flows through 2026-07, 2026-06 before",
        "",
        f"Published: {story.home / 'kido.duckdb'}",
    ]


def test_any_release_is_printed_and_an_unknown_one_is_named(story: Story) -> None:
    printed = run_kido(story.home, "changes", story.releases["month"])
    assert printed.stdout.splitlines() == [
        f"What is new in {story.releases['month']}", "", "Figures of the page of answers",
        f"  Japan: {MAGNETS}: 110.0 t (July 2026), 6.4 t more than 103.6 t (June 2026)", "",
        "Periods of the sources", "  hmrc: months of trade flows through 2026-07, 2026-06 before",
    ]  # fmt: skip
    current = run_kido(story.home, "changes", "--json")
    assert [row["subject"] for row in json.loads(current.stdout)] == [row[1] for row in STATUS]
    first = run_kido(story.home, "changes", story.releases["first"])
    assert first.stdout == (
        f"{story.releases['first']} is the first release: there is none to compare it with.\n"
    )
    unknown = run_kido(story.home, "changes", "20200101T000000-nobody")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("kido: There is no release '20200101T000000-nobody'. Releases")
    assert story.releases["status"] in unknown.stderr


def test_a_public_copy_has_only_what_may_be_passed_on(story: Story) -> None:
    rows = pl.read_parquet(story.public / "catalog" / "changes.parquet")
    sources = {source for text in rows["source"] for source in text.split(", ")}
    kept = {row[0] for row in story.query("from catalog.sources select source "
                                          "where is_redistributable")}  # fmt: skip
    assert sources <= kept
    assert {"hmrc", "catalogue"} <= sources
    ((listed,),) = story.query("select rows from catalog.tables where table_name = 'changes'")
    assert story.query("select count(*) from catalog.changes") == [(listed,)]


def test_what_was_new_in_a_release_is_printed_after_its_rollback(story: Story) -> None:
    back = run_kido(story.home, "rollback", story.releases["month"])
    assert back.returncode == 0, back.stderr
    assert story.query("select count(*) from catalog.changes") == [(len(MONTH),)]
    printed = run_kido(story.home, "changes", story.releases["correction"])
    assert "Correction HMRC-MAGNETS-2026-07 (hmrc, trade flows) is applied" in printed.stdout

"""A new country and prices of one's own, from landing to the published file and its public copy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import pytest

from dagster_project.orchestration import dbt_runner
from dagster_project.orchestration.builds import blocked_builds
from dagster_project.orchestration.lineage import sources_behind
from dagster_project.settings import BUNDLED as PRODUCT_BUNDLED
from tests import other_lists
from tests.e2e.conftest import BUNDLED, copy_of, run_kido, start_kido
from tests.fakes import gta
from tests.fakes.gta import FakeGta, intervention
from tests.fakes.japan_customs import FakeJapanCustoms, Line, csv_of
from tests.fakes.mofcom import COLUMN, Entry, FakeMofcom

NEW, UNKNOWN = "999", "998"
"""Two codes of countries that are in no list; a person finds out that the first is Tuvalu."""

CANARY_TEXT, CANARY_PRICE = "CANARYAGENCY", 918273645.25
CANARY_ACT, CANARY_NUMBER = "CANARYMETAL", 736481925
ACT, FIRST_DAY = 980, datetime.now(UTC).date() - timedelta(days=60)
CANARIES = (
    CANARY_TEXT, CANARY_ACT, "918273645", "918,273,645", "9.18273645", "9.18274e+08",
    f"{CANARY_NUMBER}",
)  # fmt: skip
PRIVATE = re.compile("|".join(rf"(?<![\d.]){re.escape(canary)}" for canary in CANARIES))
"""A long fraction has any nine digits by chance; a figure has them before its point."""

PRICES_HEADER = (
    "price_date,product_code,product_name,purity,basis,incoterm,location,currency,unit,low,high,"
    "mid,vat_included,source,source_licence,source_ref,received_at"
)


@dataclass(frozen=True)
class Story:
    """A home after all commands, with what each of them printed."""

    home: Path
    printed: dict[str, CompletedProcess[str]]
    public: Path
    blocked: CompletedProcess[str]
    """A build with the private prices corrected."""

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.home / "kido.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def customs_files(folder: Path) -> list[str]:
    """A year's page and file: sixty lines of China, and one of each new country."""
    amounts = {1: (0, 1000, 1000), 2: (0, 2000, 2500)}
    lines = [Line(f"2805300{code}", "105", amounts) for code in range(10, 70)]
    lines += [Line("280530010", code, {1: (0, 7, 77)}) for code in (NEW, UNKNOWN)]
    server = FakeJapanCustoms()
    server.publish("import", 2026, {1: "確報", 2: "確報"}, lines)
    page = server._month_page("import", 2026, server.years["import", 2026]).encode()
    (folder / "page.html").write_bytes(page)
    (folder / "figures.csv").write_bytes(csv_of("import", 2026, lines))
    return [str(folder / "page.html"), str(folder / "figures.csv")]


def price_file(folder: Path, price: float = CANARY_PRICE) -> str:
    """Forty prices of dysprosium, and one of a day in the future, which is quarantined."""
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(40)]
    lines = [
        f"{day},DY_OX,,>=99.5%,spot,FOB,China,USD,kg,,,{price},false,{CANARY_TEXT},mine,,"
        for day in (*days, date(2099, 1, 1))
    ]
    file = folder / f"my_prices_{'first' if price == CANARY_PRICE else 'corrected'}.csv"
    file.write_text("\n".join([PRICES_HEADER, *lines]) + "\n", "utf8")
    return str(file)


def interventions() -> list[dict[str, Any]]:
    """Forty acts of Global Trade Alert, all named alike, and one of a day in the future, which is
    quarantined.
    """
    days = [FIRST_DAY + timedelta(days=number) for number in range(40)]
    return [
        intervention(
            CANARY_NUMBER * 100 + number,
            f"China: Export ban on gallium, {CANARY_ACT}",
            f"{day}",
            intervention_description=[{"description": f"<p>{CANARY_ACT} is banned.</p>"}],
        )
        for number, day in enumerate((*days, date(2099, 1, 1)))
    ]


def fetch_interventions(home: Path) -> CompletedProcess[str]:
    with FakeGta(interventions()) as server:
        return run_kido(home, "fetch", "gta", KIDO_GTA_URL=server.base_url, KIDO_GTA_KEY=gta.KEY)


def fetch_announcement(home: Path) -> CompletedProcess[str]:
    """An announcement of the ministry on the same mineral, in a month with some of those acts."""
    with FakeMofcom() as ministry:
        ministry.columns[COLUMN] = [
            Entry(f"商务部公告2026年第{ACT}号 公布对镓的决定", f"{FIRST_DAY}")
        ]
        return run_kido(
            home, "fetch", "mofcom",
            KIDO_MOFCOM_URL=ministry.base_url, KIDO_MOFCOM_CALLS_PER_MINUTE="6000",
        )  # fmt: skip


@pytest.fixture(scope="module")
def story(small: Path, few_flows: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    (folder / BUNDLED).symlink_to(few_flows)
    home = copy_of(small, folder)
    (home / "dagster").mkdir(exist_ok=True)
    economies = folder / "economies.csv"
    other_lists.economies_with(economies, "japan_customs_code", NEW, "TUV")
    printed = {
        "land": run_kido(home, "land", "japan_customs", *customs_files(folder)),
        "land prices": run_kido(home, "land", "rare_earth_prices", price_file(folder)),
        "fetch gta": fetch_interventions(home),
        "fetch mofcom": fetch_announcement(home),
        "list": run_kido(home, "quarantine"),
        "show": run_kido(home, "quarantine", "japan_customs", "--json"),
    }
    mapped = partial(start_kido, home, prepare=partial(other_lists.use_economies, economies))
    printed["replay"] = mapped("quarantine", "replay", "japan_customs").wait()
    printed["build"] = mapped("build").wait()
    printed["docs"] = run_kido(home, "docs")
    printed["changes"] = run_kido(home, "changes")
    printed["answers"] = run_kido(home, "answers")
    printed["public"] = run_kido(home, "export", "--parquet", str(folder / "public"), "--public")
    for command, result in printed.items():
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    corrected = run_kido(home, "land", "rare_earth_prices", price_file(folder, 1.0), "--replace")
    assert corrected.returncode == 0, corrected.stderr
    return Story(home, printed, folder / "public", run_kido(home, "build"))


def test_a_new_country_is_listed_mapped_replayed_and_published(story: Story) -> None:
    listed = story.printed["list"].stdout
    assert "japan_customs" in listed
    assert "partner_code_is_in_the_list" in listed
    shown = json.loads(story.printed["show"].stdout)
    assert sorted(row["value"] for row in shown) == [UNKNOWN, NEW]
    assert json.loads(shown[0]["row"])["partner_iso3"] is None
    replayed = " ".join(story.printed["replay"].stdout.split())
    assert "2 quarantined rows read again, 1 accepted, 1 still quarantined." in replayed
    assert replayed.endswith("Then: kido build.")
    lines = story.query(
        "select partner_iso3, value_local from trade.national_lines "
        "where source = 'japan_customs' and partner_iso3 <> 'CHN'"
    )
    assert lines == [("TUV", 77_000.0)]


def test_what_stays_quarantined_is_published_with_its_snapshot(story: Story) -> None:
    rows = story.query(
        "select source, table_name, rule, value, rows_of_rule, retrieved_at is not null "
        "from catalog.quarantine left join catalog.snapshots using (snapshot_id, source) "
        "order by source"
    )
    assert rows == [
        ("gta", "notices", "notice_is_not_of_the_future", "2099-01-01", 1, True),
        ("japan_customs", "national_trade", "partner_code_is_in_the_list", UNKNOWN, 1, True),
        ("rare_earth_prices", "price_quotes", "price_date_is_not_in_the_future", "2099-01-01", 1,
         True),
    ]  # fmt: skip


def test_lineage_leads_from_each_table_to_the_sources_of_dbt(story: Story) -> None:
    """Walked in the published file, against what the manifest says of models between."""
    inputs = story.query("from catalog.lineage")
    direct: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    for schema, table, input_schema, input_table, source in inputs:
        name = f"{schema}.{table}"
        direct.setdefault(name, set()).add(f"{input_schema}.{input_table}")
        sources.setdefault(name, set()).update({str(source)} if source else ())

    def behind(table: str) -> set[str]:
        return sources.get(table, set()).union(*map(behind, direct.get(table, ())))

    expected = sources_behind(dbt_runner.load_manifest())
    published = {
        f"{schema}.{table}"
        for schema, table in story.query(
            "select schema_name, table_name from catalog.tables where not ends_with(table_name, "
            "'_named') and (schema_name, table_name) not in "
            "(('catalog', 'changes'), ('catalog', 'checks'), ('catalog', 'releases'), "
            "('catalog', 'tables'))"
        )
    }
    assert direct.keys() == published
    assert {table: behind(table) for table in published} == {
        table: set(expected[table]) for table in published
    }
    assert "trade.reported_flows" in {entry for entries in direct.values() for entry in entries}


def test_the_owners_file_has_the_private_prices(story: Story) -> None:
    ((rows,),) = story.query(f"select count(*) from market.prices where close = {CANARY_PRICE}")
    assert rows == 40


def test_no_public_copy_has_a_private_figure_or_text(story: Story) -> None:
    manifest = json.loads((story.public / "manifest.json").read_text("utf8"))
    leaks = PRIVATE.findall(json.dumps(manifest))
    for table in manifest["tables"]:
        if table["file"]:
            file = story.public / table["file"]
            rows = duckdb.execute(f"select columns(*)::varchar from '{file}'").fetchall()
            assert len(rows) == table["rows"]
            shown = (cell for row in rows for cell in row if cell)
            leaks += [f"{table['file']}: {cell}" for cell in shown if PRIVATE.search(cell)]
    assert leaks == []
    by_name = {table["table"]: table for table in manifest["tables"]}
    assert by_name["market.prices"]["rows_left_out"] >= 40
    assert by_name["catalog.quarantine"]["rows"] == 1
    assert {row["source"] for row in manifest["left_out"]["sources"]} == {
        "comtrade_baskets", "gta", "rare_earth_prices",
    }  # fmt: skip
    public = {row["source"] for row in manifest["sources"]}
    assert public.isdisjoint({"gta", "rare_earth_prices"})
    # A copy that had nothing would have no canary either.
    for table in ("dependency.supplier_shares", "trade.baci_flows", "reference.mineral_groups"):
        assert by_name[table]["rows"] > 0, table
    assert "market.prices" in story.printed["public"].stdout


PRIVATE_SOURCES = ["gta", "rare_earth_prices"]
OF_PRIVATE_SOURCES = f"list_has_any(string_split(source, ', '), {PRIVATE_SOURCES})"


def test_notices_of_public_sources_are_named_and_private_ones_counted(story: Story) -> None:
    named = f"mofcom 2026-{ACT} of {FIRST_DAY} (gallium) and 40 of gta;"
    for command in ("build", "answers"):
        assert named in " ".join(story.printed[command].stdout.split())
    for command in ("build", "changes"):
        assert f"mofcom 2026-{ACT} is to be read" in story.printed[command].stdout
        assert "40 notices of gta are to be read" in story.printed[command].stdout
    at_the_terminal = run_kido(story.home, "notices").stdout
    assert f"gta {CANARY_NUMBER}00" in at_the_terminal
    assert CANARY_ACT in at_the_terminal


@pytest.mark.parametrize("table", ["catalog.changes", "exposure.early_warnings"])
def test_a_row_that_is_private_in_part_is_in_no_public_copy(table: str, story: Story) -> None:
    columns = f"select distinct source from {table} where {OF_PRIVATE_SOURCES} order by all"
    private = {source for (source,) in story.query(columns)}
    file = story.public / f"{table.replace('.', '/')}.parquet"
    public = duckdb.execute(f"select distinct source from '{file}'").fetchall()
    sources = {name for (source,) in public for name in source.split(", ")}
    assert sources.isdisjoint(PRIVATE_SOURCES)
    if table == "catalog.changes":
        assert {"gta", "rare_earth_prices"} <= private
        assert "mofcom" in sources
    else:
        assert any("gta" in source for source in private)
        assert sources


def test_what_is_new_has_private_figures_in_no_sentence(story: Story) -> None:
    rows = story.query(
        f"select subject, sentence, before, after from catalog.changes where {OF_PRIVATE_SOURCES}"
    )
    assert rows
    assert [row for row in rows if PRIVATE.search(f"{row}")] == []


def test_no_page_preview_or_log_has_a_private_figure_or_text(story: Story) -> None:
    """The landed bytes, the lake, quarantine, builds and releases are the owner's own."""
    own = {"landing", "lake", "quarantine", "build", "releases", "kido.duckdb", "cache", "intake"}
    looked_at = [
        path
        for path in story.home.rglob("*")
        if path.is_file() and path.relative_to(story.home).parts[0] not in own
    ]
    names = {path.relative_to(story.home).parts[0] for path in looked_at}
    assert {"reports", "dagster"} <= names
    contents = [(str(path), path.read_bytes()) for path in looked_at]
    contents += [
        (command, f"{result.stdout}{result.stderr}".encode())
        for command, result in story.printed.items()
        if command != "land prices"
    ]
    contents.append(("blocked", f"{story.blocked.stdout}{story.blocked.stderr}".encode()))
    private = re.compile(PRIVATE.pattern.encode())
    assert [name for name, content in contents if private.search(content)] == []
    # The pages do have the table whose rows they leave out.
    pages = list((story.home / "reports" / "data_docs").rglob("*.html"))
    assert any("market.prices" in page.read_text("utf8") for page in pages)


def test_a_build_that_a_private_price_blocks_names_no_figure_and_no_code(story: Story) -> None:
    """Its sentences are in the UI and are sent to KIDO_ALERTS."""
    assert story.blocked.returncode == 1
    (build,) = blocked_builds(story.home / "build")
    losses = build.blocked_for or ""
    assert "in market.prices would shrink: figures not shown, since of a private source" in losses
    assert PRIVATE.findall(losses) == []
    assert "DY_OX" not in losses


def test_no_bundled_file_is_of_a_private_source() -> None:
    from dagster_project.orchestration.private_rows import private_sources

    assert private_sources() == {"rare_earth_prices", "exchange_prices", "gta"}
    assert not [name for name in private_sources() if (PRODUCT_BUNDLED / name).exists()]

"""A new country and prices of one's own, from landing to the published file and its public copy."""

from __future__ import annotations

import json
import re

import duckdb
import pytest

from dagster_project.orchestration import dbt_runner
from dagster_project.orchestration.builds import blocked_builds
from dagster_project.orchestration.lineage import sources_behind
from dagster_project.settings import BUNDLED as PRODUCT_BUNDLED
from tests.e2e.work import (
    ACT,
    CANARY_ACT,
    CANARY_NUMBER,
    CANARY_PRICE,
    CANARY_TEXT,
    FIRST_DAY,
    NEW,
    NUMBER,
    TODAY,
    UNKNOWN,
    Work,
)

CANARIES = (
    CANARY_TEXT, CANARY_ACT, "918273645", "918,273,645", "9.18273645", "9.18274e+08",
    f"{CANARY_NUMBER}",
)  # fmt: skip
PRIVATE = re.compile("|".join(rf"(?<![\d.]){re.escape(canary)}" for canary in CANARIES))
"""A long fraction has any nine digits by chance; a figure has them before its point."""


def test_a_new_country_is_listed_mapped_replayed_and_published(work: Work) -> None:
    listed = work.printed["list"].stdout
    assert "japan_customs" in listed
    assert "partner_code_is_in_the_list" in listed
    shown = json.loads(work.printed["show"].stdout)
    assert sorted(row["value"] for row in shown) == [UNKNOWN, NEW]
    assert json.loads(shown[0]["row"])["partner_iso3"] is None
    replayed = " ".join(work.printed["replay"].stdout.split())
    assert "2 quarantined rows read again, 1 accepted, 1 still quarantined." in replayed
    assert replayed.endswith("Then: kido build.")
    lines = work.query(
        "select partner_iso3, value_local from trade.national_lines "
        "where source = 'japan_customs' and partner_iso3 <> 'CHN'"
    )
    assert lines == [("TUV", 77_000.0)]


def test_what_stays_quarantined_is_published_with_its_snapshot(work: Work) -> None:
    rows = work.query(
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


def test_lineage_leads_from_each_table_to_the_sources_of_dbt(work: Work) -> None:
    """Walked in the published file, against what the manifest says of models between."""
    inputs = work.query("from catalog.lineage")
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
        for schema, table in work.query(
            "select schema_name, table_name from catalog.tables where not ends_with(table_name, "
            "'_named') and (schema_name, table_name) not in "
            "(('catalog', 'changes'), ('catalog', 'checks'), ('catalog', 'releases'), "
            "('catalog', 'tables'))"
        )
    }
    assert direct.keys() == published
    # A publisher that is made up for the build is in no manifest.
    assert "made_up" in behind("trade.reported_flows")
    assert {table: behind(table) - {"made_up"} for table in published} == {
        table: set(expected[table]) for table in published
    }
    assert "trade.reported_flows" in {entry for entries in direct.values() for entry in entries}


def test_the_owners_file_has_the_private_prices(work: Work) -> None:
    ((rows,),) = work.query(f"select count(*) from market.prices where close = {CANARY_PRICE}")
    assert rows == 40


def test_no_public_copy_has_a_private_figure_or_text(work: Work) -> None:
    manifest = json.loads((work.public / "manifest.json").read_text("utf8"))
    leaks = PRIVATE.findall(json.dumps(manifest))
    for table in manifest["tables"]:
        if table["file"]:
            file = work.public / table["file"]
            rows = duckdb.execute(f"select columns(*)::varchar from '{file}'").fetchall()
            assert len(rows) == table["rows"]
            shown = (cell for row in rows for cell in row if cell)
            leaks += [f"{table['file']}: {cell}" for cell in shown if PRIVATE.search(cell)]
    assert leaks == []
    by_name = {table["table"]: table for table in manifest["tables"]}
    assert by_name["market.prices"]["rows_left_out"] >= 40
    assert by_name["catalog.quarantine"]["rows"] == 1
    assert {row["source"] for row in manifest["left_out"]["sources"]} == {
        "comtrade_baskets", "gta", "made_up", "rare_earth_prices",
    }  # fmt: skip
    public = {row["source"] for row in manifest["sources"]}
    assert public.isdisjoint({"gta", "rare_earth_prices"})
    # A copy that had nothing would have no canary either.
    for table in ("dependency.supplier_shares", "trade.baci_flows", "reference.mineral_groups"):
        assert by_name[table]["rows"] > 0, table
    assert "market.prices" in work.printed["public"].stdout


PRIVATE_SOURCES = ["gta", "rare_earth_prices"]
OF_PRIVATE_SOURCES = f"list_has_any(string_split(source, ', '), {PRIVATE_SOURCES})"


def test_notices_of_public_sources_are_named_and_private_ones_counted(work: Work) -> None:
    named = (
        f"mofcom {NUMBER} of {TODAY} (gallium), mofcom 2026-{ACT} of {FIRST_DAY} (gallium) and 40 "
        "of gta;"
    )
    for command in ("build", "answers"):
        assert named in " ".join(work.printed[command].stdout.split())
    for command in ("build", "changes"):
        assert f"mofcom 2026-{ACT} is to be read" in work.printed[command].stdout
        assert "40 notices of gta are to be read" in work.printed[command].stdout
    at_the_terminal = work.printed["notices"].stdout
    assert f"gta {CANARY_NUMBER}00" in at_the_terminal
    assert CANARY_ACT in at_the_terminal


@pytest.mark.parametrize("table", ["catalog.changes", "exposure.early_warnings"])
def test_a_row_that_is_private_in_part_is_in_no_public_copy(table: str, work: Work) -> None:
    columns = f"select distinct source from {table} where {OF_PRIVATE_SOURCES} order by all"
    private = {source for (source,) in work.query(columns)}
    file = work.public / f"{table.replace('.', '/')}.parquet"
    public = duckdb.execute(f"select distinct source from '{file}'").fetchall()
    sources = {name for (source,) in public for name in source.split(", ")}
    assert sources.isdisjoint(PRIVATE_SOURCES)
    if table == "catalog.changes":
        assert {"gta", "rare_earth_prices"} <= private
        assert "mofcom" in sources
    else:
        assert any("gta" in source for source in private)
        assert sources


def test_what_is_new_has_private_figures_in_no_sentence(work: Work) -> None:
    rows = work.query(
        f"select subject, sentence, before, after from catalog.changes where {OF_PRIVATE_SOURCES}"
    )
    assert rows
    assert [row for row in rows if PRIVATE.search(f"{row}")] == []


def test_no_page_preview_or_log_has_a_private_figure_or_text(work: Work) -> None:
    """The landed bytes, the lake, quarantine, builds and releases are the owner's own."""
    own = {"landing", "lake", "quarantine", "build", "releases", "kido.duckdb", "cache", "intake"}
    looked_at = [
        path
        for path in work.home.rglob("*")
        if path.is_file() and path.relative_to(work.home).parts[0] not in own
    ]
    names = {path.relative_to(work.home).parts[0] for path in looked_at}
    assert {"reports", "dagster"} <= names
    contents = [(str(path), path.read_bytes()) for path in looked_at]
    contents += [
        (command, f"{result.stdout}{result.stderr}".encode())
        for command, result in work.printed.items()
        if command not in {"land prices", "notices"}
    ]
    private = re.compile(PRIVATE.pattern.encode())
    assert [name for name, content in contents if private.search(content)] == []
    # The pages do have the table whose rows they leave out.
    pages = list((work.home / "reports" / "data_docs").rglob("*.html"))
    assert any("market.prices" in page.read_text("utf8") for page in pages)


def test_a_build_that_a_private_price_blocks_names_no_figure_and_no_code(work: Work) -> None:
    """Its sentences are in the UI and are sent to KIDO_ALERTS."""
    assert work.printed["blocked"].returncode == 1
    (build,) = blocked_builds(work.blocked_home / "build")
    losses = build.blocked_for or ""
    assert "in market.prices would shrink: figures not shown, since of a private source" in losses
    assert PRIVATE.findall(losses) == []
    assert "DY_OX" not in losses


def test_no_bundled_file_is_of_a_private_source() -> None:
    from dagster_project.orchestration.private_rows import private_sources

    assert private_sources() == {"rare_earth_prices", "exchange_prices", "gta"}
    assert not [name for name in private_sources() if (PRODUCT_BUNDLED / name).exists()]

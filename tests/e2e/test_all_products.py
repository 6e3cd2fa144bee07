"""BACI of all products, made up: it is published, and its shares are those computed by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path

import duckdb
import polars as pl
import pytest

from benchmarks.generated_baci import write_archive
from dagster_project.lake.vocabulary import commodity_codes
from tests.e2e.conftest import start_kido
from tests.nightly import nightly

ROWS, YEAR = 2_000_000, 2024
LONGEST_S = 3600
OTHER_TABLES = ("import_reliance", "alternatives", "strategic_products")
"""Tables about minerals by code or group."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The archive, and the home that has published it."""
    folder = tmp_path_factory.mktemp("all_products")
    archive, home = folder / "BACI_HS22_V202601.zip", folder / "home"
    write_archive(archive, ROWS)
    for command in (("land", "baci", str(archive), "--replace"), ("build",)):
        done = start_kido(home, *command, KIDO_SCOPE="all").wait(LONGEST_S)
        assert done.returncode == 0, done.stderr
    return archive, home / "kido.duckdb"


@pytest.fixture(scope="module")
def flows(published: tuple[Path, Path]) -> pl.DataFrame:
    """The flows of the archive: exporter, importer, code, dollars."""
    with zipfile.ZipFile(published[0]) as archive:
        tables = {name: pl.read_csv(archive.read(name), null_values="NA", schema_overrides={
            "k": pl.String, "v": pl.Float64, "q": pl.Float64, "code": pl.String,
        }) for name in archive.namelist()}  # fmt: skip
    (rows,) = (table for name, table in tables.items() if name.startswith("BACI_"))
    (codes,) = (table for name, table in tables.items() if name.startswith("country_codes"))
    names = codes.select("country_code", pl.col("country_iso3").replace("S19", "TWN"))
    return (
        rows.join(names.rename({"country_code": "i", "country_iso3": "exporter"}), on="i")
        .join(names.rename({"country_code": "j", "country_iso3": "importer"}), on="j")
        .select("exporter", "importer", code="k", usd=pl.col("v") * 1000)
    )


def query(file: Path, sql: str) -> pl.DataFrame:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.sql(sql).pl()


@nightly
def test_every_flow_of_all_products_is_published(
    published: tuple[Path, Path], flows: pl.DataFrame
) -> None:
    made = query(
        published[1],
        f"select hs6_code as code, count(*) as flows from trade.baci_flows "
        f"where year = {YEAR} group by all",
    )
    expected = flows.group_by("code").len("expected")
    both = expected.join(made, on="code", how="left")
    assert expected["expected"].sum() == ROWS
    assert both.filter(pl.col("flows").ne_missing(pl.col("expected"))).is_empty()


@nightly
def test_shares_of_a_product_that_is_no_mineral_are_those_of_its_flows(
    published: tuple[Path, Path], flows: pl.DataFrame
) -> None:
    others = flows.filter(~pl.col("code").is_in(list(commodity_codes())))
    code = others.group_by("code").len().sort("len", "code").item(-1, "code")
    total = pl.col("usd").sum().over("importer")
    expected = flows.filter(pl.col("code") == code).with_columns(share=pl.col("usd") / total)
    made = query(
        published[1],
        f"select importer_iso3 as importer, supplier_iso3 as exporter, share as made "
        f"from dependency.supplier_shares where mineral_group = 'hs_{code}' "
        f"and measure = 'value_usd' and period_start = '{YEAR}-01-01'",
    )
    both = expected.join(made, on=["importer", "exporter"], how="full")
    assert both.height == expected.height == made.height > 1000
    assert both.select((pl.col("share") - pl.col("made")).abs().max()).item() < 1e-9


@nightly
def test_the_largest_exporters_of_a_mineral_are_the_alternatives(
    published: tuple[Path, Path], flows: pl.DataFrame
) -> None:
    of_mineral = flows.filter(pl.col("code").is_in(list(commodity_codes())))
    code = of_mineral.group_by("code").len().sort("len", "code").item(-1, "code")
    of_code = flows.filter(pl.col("code") == code)
    importer = of_code.group_by("importer").len().sort("len", "importer").item(-1, "importer")
    largest = (
        of_code.filter(pl.col("exporter") != importer)
        .group_by("exporter")
        .agg(pl.col("usd").sum())
        .sort("usd", descending=True)
        .head(10)
    )
    made = query(
        published[1],
        f"select supplier_iso3, exports_usd, share_of_importer from dependency.alternatives "
        f"where importer_iso3 = '{importer}' and hs6_code = '{code}' and supplier_rank <= 10 "
        f"order by supplier_rank",
    )
    assert made["supplier_iso3"].to_list() == largest["exporter"].to_list()
    assert ((made["exports_usd"] - largest["usd"]).abs() < 1e-6 * largest["usd"]).all()
    own = of_code.filter(pl.col("importer") == importer)
    own_shares = dict(own.select("exporter", pl.col("usd") / pl.col("usd").sum()).iter_rows())
    for supplier, _, share in made.iter_rows():
        assert share == pytest.approx(own_shares.get(supplier, 0), rel=1e-6)


@nightly
@pytest.mark.parametrize("table", OTHER_TABLES)
def test_tables_about_minerals_have_no_other_products(
    published: tuple[Path, Path], table: str
) -> None:
    column = "mineral_group" if table == "import_reliance" else "hs6_code"
    made = query(published[1], f"select distinct {column} as name from dependency.{table}")
    codes = {
        name.removeprefix("hs_")
        for name in made["name"]
        if column == "hs6_code" or name.startswith("hs_")
    }
    assert codes
    assert codes <= commodity_codes()

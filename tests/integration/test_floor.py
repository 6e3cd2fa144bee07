"""The benchmark's floor makes the same tables as the models: else its ratio would say nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from dagster_project.intake.land import land_files
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.conftest import CHECKOUT
from tests.integration.marts import OF_THE_LOADING, Marts
from tests.nightly import nightly

BENCHMARKS = CHECKOUT / "benchmarks"
TABLES = ("trade.baci_flows", "dependency.supplier_shares", "dependency.import_concentration")
ROWS, YEARS = 300_000, 2


def run(script: str, *arguments: str) -> None:
    subprocess.run([sys.executable, str(BENCHMARKS / script), *arguments], check=True)


@nightly
def test_the_floor_of_the_benchmark_is_what_the_models_make_of_the_same_archive(
    tmp_path: Path, marts: Marts
) -> None:
    archive, floor = tmp_path / "BACI_HS22_V202601.zip", tmp_path / "floor.duckdb"
    run("generated_baci.py", str(archive), "--rows", str(ROWS), "--years", str(YEARS))
    run("floor.py", str(archive), str(floor))
    settings = Settings.load(home=tmp_path / "home")
    land_files(settings, source_named("baci"), [archive], replace_all=True)
    made = marts(settings, source_named("baci"), TABLES)
    groups = made["dependency.supplier_shares"]["mineral_group"].unique()
    codes = made["trade.baci_flows"]["hs6_code"].unique()
    assert made["trade.baci_flows"]["year"].n_unique() == YEARS
    assert any(not group.startswith("hs_") for group in groups)
    with duckdb.connect(str(floor), read_only=True) as connection:
        for name in TABLES:
            column, among = (
                ("hs6_code", codes) if name.startswith("trade") else ("mineral_group", groups)
            )
            expected = connection.sql(f"from {name}").pl().drop(OF_THE_LOADING, strict=False)
            # The floor takes every code there is.
            expected = expected.filter(pl.col(column).is_in(among.implode()))
            assert made[name].columns == expected.columns
            key = [column for column in expected.columns if expected[column].dtype == pl.String]
            key += [one for one in ("year", "period_start") if one in expected.columns]
            assert_frame_equal(
                made[name].sort(key), expected.sort(key), rel_tol=1e-12, abs_tol=0
            )  # fmt: skip

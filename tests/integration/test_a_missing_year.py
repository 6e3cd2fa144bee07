"""A year of a code that is not bundled, landed in CEPII's own layout, fills the gap."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.integration.marts import Marts

TABLES = ("dependency.supplier_shares", "dependency.import_concentration", "trade.baci_flows")

PERIOD = "period_start"
KEY = (
    "importer_iso3", "mineral_group", "measure", PERIOD, "supplier_iso3", "exporter_iso3",
    "hs6_code", "year",
)  # fmt: skip

# Year, exporter, importer, code, thousand dollars, tons: made up, in the size of 2024's.
ROWS = """t,i,j,k,v,q
2023,156,392,850511,150000.000,3600.000
2023,608,392,850511,190000.000,3000.000
2023,704,392,850511,160000.000,2700.000
2023,156,410,850511,300000.000,NA
2023,608,410,850511,100000.000,1800.000
"""
COUNTRIES = """country_code,country_name,country_iso2,country_iso3
156,China,CN,CHN
392,Japan,JP,JPN
410,Rep. of Korea,KR,KOR
608,Philippines,PH,PHL
704,Viet Nam,VN,VNM
"""


@pytest.mark.usefixtures("bundled_with_few_flows")
def test_a_year_that_is_not_bundled_of_a_code_comes_with_cepiis_archive(
    marts: Marts, tmp_path: Path
) -> None:
    archive = tmp_path / "BACI_HS17_V202601.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("BACI_HS17_Y2023_V202601.csv", ROWS)
        file.writestr("country_codes_V202601.csv", COUNTRIES)
    settings, source = Settings.load(home=tmp_path / "home"), source_named("baci")
    land_bundled(settings, source)
    conform(settings, source)
    before = marts(settings, source, TABLES)
    land_files(settings, source, [archive])
    after = marts(settings, source, TABLES)

    years = [
        set(tables["trade.baci_flows"].filter(pl.col("hs6_code") == "850511")["year"])
        for tables in (before, after)
    ]
    assert years == [{2024}, {2023, 2024}]
    series = after["dependency.supplier_shares"].filter(
        pl.col("importer_iso3") == "JPN",
        pl.col("mineral_group") == "permanent_magnets",
        pl.col("supplier_iso3") == "CHN",
    )
    shares = {(row["period_start"].year, row["measure"]): row["share"] for row in series.to_dicts()}
    assert shares == pytest.approx(
        {
            (2023, "value_usd"): 0.3,
            (2023, "net_weight_kg"): 3600 / 9300,
            (2024, "value_usd"): 0.2758,
            (2024, "net_weight_kg"): 0.3595,
        },
        abs=5e-5,
    )
    by_value = series.filter(measure="value_usd").sort(PERIOD)
    assert by_value["step_factor"].to_list() == [
        None, pytest.approx(by_value["amount"][1] / by_value["amount"][0]),
    ]  # fmt: skip
    # Of Korea's, three quarters of the value have no weight: no row by weight.
    korea = after["dependency.import_concentration"].filter(
        pl.col("importer_iso3") == "KOR",
        pl.col("mineral_group") == "permanent_magnets",
        pl.col("period_start") == date(2023, 1, 1),
    )
    assert korea["measure"].to_list() == ["value_usd"]
    for name in TABLES:
        known, found = before[name], after[name]
        if "year" in known.columns:
            is_added = (pl.col("year") == 2023) & (pl.col("hs6_code") == "850511")
        else:
            of_magnets = pl.col("mineral_group").is_in(["permanent_magnets", "hs_850511"])
            is_added = (pl.col(PERIOD) == date(2023, 1, 1)) & of_magnets
        assert known.filter(is_added).is_empty()
        if "step_factor" in known.columns:
            # The year after has one before it now, and steps from it.
            is_after = (pl.col(PERIOD) == date(2024, 1, 1)) & of_magnets
            assert known.filter(is_after)["step_factor"].is_null().all()
            steps = ("step_factor", "is_step")
            known, found = (
                frame.with_columns(pl.when(~is_after).then(pl.col(*steps)))
                for frame in (known, found)
            )
        key = [one for one in KEY if one in known.columns]
        # Sums of the same amounts may differ in their last digit.
        assert_frame_equal(found.filter(~is_added).sort(key), known.sort(key), rel_tol=1e-12)

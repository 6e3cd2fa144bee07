"""Groups of codes and common baselines, held against the publishers' rows in the lake.

No code without a row is unknown where its publisher covers it, and no short list hides an estimate
of all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

RARE_EARTHS = ("280530", "284610", "284690")
GRAPHITE = ("250410", "250490")
Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def baci(built: Path) -> pl.DataFrame:
    """What CEPII published, every edition of the HS by itself."""
    files = list((built / "lake" / "reconciled_trade" / "baci").glob("*.parquet"))
    assert files
    rows = pl.concat([pl.read_parquet(file) for file in files], how="vertical_relaxed")
    return rows.filter(pl.col("exporter_iso3") != pl.col("importer_iso3")).with_columns(
        year=pl.col("period_start").dt.year()
    )


@pytest.fixture(scope="module")
def baskets(built: Path) -> pl.DataFrame:
    files = list((built / "lake" / "trade_flows" / "comtrade_baskets").glob("*.parquet"))
    rows = pl.concat([pl.read_parquet(file) for file in files], how="vertical_relaxed")
    return rows.filter(commodity_code="rare_earths", flow="import").with_columns(
        year=pl.col("period_start").dt.year()
    )


def test_the_page_shows_the_newest_year_in_which_any_rare_earth_came(
    rows: Rows, baci: pl.DataFrame, baskets: pl.DataFrame
) -> None:
    """An importer that had compounds and no metal in 2024 had no metal: the group is known."""
    named = ~pl.col("partner").is_in(["_X", "WLD"]) & (pl.col("partner") != pl.col("importer"))
    newest = (
        pl.concat(
            [
                baci.filter(
                    pl.col("hs6_code").is_in(RARE_EARTHS), pl.col("hs_revision") == "HS1992"
                ).select("year", importer="importer_iso3", partner="exporter_iso3"),
                baskets.filter(pl.col("value_usd").is_not_null()).select(
                    "year", importer="reporter_iso3", partner="partner_iso3"
                ),
            ]
        )
        .filter(named, pl.col("year") >= 2010)
        .group_by("importer")
        .agg(pl.col("year").max())
    )
    pages = dict(
        rows(
            "select importer_iso3, period from catalog.answers "
            "where subject = 'Rare-earth imports from China, by value'"
        )
    )
    expected = {importer: str(year) for importer, year in newest.iter_rows()}
    # The Union's is that of its members.
    assert pages.pop("EU27") == "2024"
    assert pages == {importer: expected.get(importer) for importer in pages}
    assert sum(period == "2024" for period in pages.values()) >= 140


def test_of_a_list_that_covers_less_than_half_the_estimate_of_all_of_it_counts(
    rows: Rows, baci: pl.DataFrame, baskets: pl.DataFrame
) -> None:
    """France's rare earths of 2024: suppliers of 43.4 % of the value are listed, China is not."""
    france = baskets.filter(reporter_iso3="FRA", year=2024)
    total = france.filter(partner_iso3="WLD")["value_usd"].item()
    listed = france.filter(~pl.col("partner_iso3").is_in(["WLD", "_X", "FRA"]))
    assert listed["value_usd"].sum() / total == pytest.approx(0.434, abs=5e-4)
    assert "CHN" not in listed["partner_iso3"].to_list()
    estimate = baci.filter(
        pl.col("hs6_code").is_in(RARE_EARTHS), importer_iso3="FRA", year=2024, hs_revision="HS1992"
    )
    share = estimate.filter(exporter_iso3="CHN")["value_usd"].sum() / estimate["value_usd"].sum()
    assert share == pytest.approx(0.159, abs=5e-4)
    found = rows(
        """
        select share, source from dependency.supplier_shares
        where
            importer_iso3 = 'FRA' and mineral_group = 'rare_earths' and measure = 'value_usd'
            and period_start = '2024-01-01' and supplier_iso3 = 'CHN'
        """
    )
    assert found == [(pytest.approx(share), "baci")]


def test_japans_lists_stay_those_of_its_customs(rows: Rows) -> None:
    assert rows(
        """
        select distinct source from dependency.import_concentration
        where
            importer_iso3 = 'JPN' and mineral_group = 'rare_earths' and period_start >= '2005-01-01'
        """
    ) == [("comtrade_baskets",)]


def test_a_group_is_of_one_edition_and_an_importer_without_a_code_has_none_of_it(
    rows: Rows, baci: pl.DataFrame
) -> None:
    """Graphite of 2024 is in HS 2017 in part only: both codes are those of HS 1992."""
    graphite = baci.filter(
        pl.col("hs6_code").is_in(GRAPHITE), year=2024, hs_revision="HS1992"
    ).filter(pl.col("importer_iso3") != "_X")
    sums = dict(graphite.group_by("importer_iso3").agg(pl.col("value_usd").sum()).iter_rows())
    without_one = {
        importer
        for importer, codes in graphite.group_by("importer_iso3")
        .agg(pl.col("hs6_code").n_unique())
        .iter_rows()
        if codes == 1
    }
    found = dict(
        rows(
            """
            select importer_iso3, total_amount from dependency.import_concentration
            where
                mineral_group = 'natural_graphite' and measure = 'value_usd'
                and period_start = '2024-01-01' and importer_iso3 <> 'EU27'
            """
        )
    )
    assert without_one & found.keys()
    named = graphite.filter(pl.col("exporter_iso3") != "_X")["importer_iso3"].unique()
    assert found.keys() == set(named)
    assert {name: pytest.approx(sums[name]) for name in found} == found


def test_two_editions_of_a_reconciler_are_a_break_for_every_code(
    rows: Rows, baci: pl.DataFrame
) -> None:
    """Lithium carbonate (283691) is in HS 2017 for 2024, in HS 1992 before."""
    editions = (
        baci.filter(hs6_code="283691", importer_iso3="JPN")
        .group_by("year")
        .agg(pl.col("hs_revision").max())
        .sort("year")
    )
    assert editions.rows()[-3:] == [(2022, "HS1992"), (2023, "HS1992"), (2024, "HS2017")]
    assert rows(
        """
        select year(period_start), comparable_since from dependency.import_concentration
        where
            importer_iso3 = 'JPN' and mineral_group = 'hs_283691' and measure = 'value_usd'
            and period_start >= '2022-01-01' and source = 'baci'
        order by 1
        """
    ) == [(2022, None), (2023, None), (2024, date(2024, 1, 1))]


@pytest.mark.parametrize("importer", ["JPN", "CAN", "ZAF", "AUS"])
def test_what_is_controlled_together_is_of_one_year_for_all_economies_that_supply_in_it(
    importer: str, rows: Rows, baci: pl.DataFrame
) -> None:
    """China's licences and Malaysia's moratorium on 284690: of the four only Japan had flows from
    Malaysia in the moratorium's own year, 2022; in 2024 all have.
    """
    of_2024 = baci.filter(
        importer_iso3=importer, hs6_code="284690", year=2024, hs_revision="HS1992"
    )
    supplied = of_2024.filter(pl.col("exporter_iso3").is_in(["CHN", "MYS"]))["value_usd"].sum()
    [(clauses, high, first, last)] = rows(
        """
        select clause_ids, exposed_share_high, baseline_from, baseline_to
        from exposure.joint_exposure
        where importer_iso3 = ? and commodity_code = '284690' and valid_from <= '2025-11-01'
            and (valid_to is null or valid_to > '2025-11-01')
        """,
        importer,
    )
    assert {"CN-2025-18", "MY-2024-01-REE"} <= set(clauses)
    assert (first, last) == (date(2024, 1, 1), date(2024, 12, 31))
    assert high == pytest.approx(supplied / of_2024["value_usd"].sum())


def test_groups_that_hold_the_same_trade_name_each_other(rows: Rows) -> None:
    """Natural graphite is its two codes; magnets of metal are the one code 850511 under two names.

    Where one source gives both in one year, what holds a group of codes is never the smaller.
    """
    parts = dict(rows("select mineral_group, is_part_of from reference.mineral_groups"))
    assert parts["hs_250410"] == parts["hs_250490"] == ["natural_graphite"]
    assert parts["natural_graphite"] == []
    assert (parts["permanent_magnets"], parts["hs_850511"]) == (
        ["hs_850511"],
        ["permanent_magnets"],
    )
    assert parts["rare_earth_magnets"] == ["hs_850511", "permanent_magnets"]
    assert parts["gallium"] == parts["germanium"] == ["hs_811292"]
    assert {group for group, wholes in parts.items() if "rare_earths" in wholes} == {
        f"hs_{code}" for code in RARE_EARTHS
    }
    # The borates of HS 1992 are a part of those of HS 2017, and both have figures of 2024.
    assert parts["hs_252890"] == ["hs_252800"]
    assert rows(
        """
        with parts as (
            select mineral_group, unnest(is_part_of) as whole from reference.mineral_groups
        )
        select whole, count(*) > 1000, count(*) filter (part.total_amount > whole.total_amount + 1)
        from parts
        inner join dependency.import_concentration as part using (mineral_group)
        inner join dependency.import_concentration as whole
            on whole.mineral_group = parts.whole and whole.importer_iso3 = part.importer_iso3
            and whole.frequency = part.frequency and whole.period_start = part.period_start
            and whole.measure = part.measure and whole.source = part.source
        where
            parts.whole in ('natural_graphite', 'rare_earths', 'permanent_magnets')
            and part.measure = 'value_usd' and mineral_group <> 'hs_250490'
        group by whole order by whole
        """
    ) == [("natural_graphite", True, 0), ("permanent_magnets", True, 0), ("rare_earths", True, 0)]

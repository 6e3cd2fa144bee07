"""Figures the default warehouse must show, each a published figure and not a second computation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.parametrize(
    ("year", "by_weight", "by_value"),
    [
        (2010, 81.6, 82.2),
        (2012, 57.9, 61.6),
        (2018, 58.0, 42.0),
        (2022, 66.3, 65.6),
        (2023, 67.6, 64.7),
        (2024, 71.3, 44.0),
    ],
)
def test_chinas_share_of_japans_rare_earths(
    rows: Rows, year: int, by_weight: float, by_value: float
) -> None:
    found = dict(
        rows(
            "select measure, share * 100 from dependency.supplier_shares "
            "where importer_iso3 = 'JPN' and supplier_iso3 = 'CHN' and frequency = 'A' "
            "and mineral_group = 'rare_earths' and year(period_start) = ?",
            year,
        )
    )
    assert found["net_weight_kg"] == pytest.approx(by_weight, abs=0.05)
    assert found["value_usd"] == pytest.approx(by_value, abs=0.05)


@pytest.mark.parametrize(
    ("year", "share", "tonnes"),
    [(2009, 85.49, None), (2010, 81.61, None), (2011, 68.37, None), (2014, 59.64, 22_307)],
)
def test_the_weight_shares_that_japans_customs_published(
    rows: Rows, year: int, share: float, tonnes: float | None
) -> None:
    ((found, total),) = rows(
        "select share * 100, amount / share / 1000 from dependency.supplier_shares "
        "where importer_iso3 = 'JPN' and supplier_iso3 = 'CHN' and measure = 'net_weight_kg' "
        "and mineral_group = 'rare_earths' and year(period_start) = ?",
        year,
    )
    assert found == pytest.approx(share, abs=0.05)
    if tonnes is not None:
        assert total == pytest.approx(tonnes, abs=1)


def test_japans_other_suppliers_of_2018_by_weight(rows: Rows) -> None:
    found = dict(
        rows(
            "select supplier_iso3, share * 100 from dependency.supplier_shares "
            "where importer_iso3 = 'JPN' and mineral_group = 'rare_earths' "
            "and measure = 'net_weight_kg' and period_start = '2018-01-01'"
        )
    )
    assert found["VNM"] == pytest.approx(13.5, abs=0.05)
    assert found["FRA"] == pytest.approx(11.0, abs=0.05)
    assert found["MYS"] == pytest.approx(9.8, abs=0.05)


def test_japans_totals_and_concentration_of_2024(rows: Rows) -> None:
    found = {
        row[0]: row[1:]
        for row in rows(
            "select measure, total_amount, hhi, hhi_high, top_supplier_iso3, effective_suppliers "
            "from dependency.import_concentration where importer_iso3 = 'JPN' "
            "and mineral_group = 'rare_earths' and period_start = '2024-01-01'"
        )
    }
    weight, value = found["net_weight_kg"], found["value_usd"]
    assert weight[0] == pytest.approx(22_406e3, abs=1e3)
    assert value[0] == pytest.approx(442.7e6, abs=0.05e6)
    assert weight[1:3] == pytest.approx((0.526, 0.550), abs=5e-4)
    assert value[1:3] == pytest.approx((0.330, 0.367), abs=5e-4)
    assert weight[3] == value[3] == "CHN"
    # Below 0.95 coverage nobody knows how many suppliers there are.
    assert weight[4] is value[4] is None


def test_the_claim_of_more_than_60_percent_depends_on_the_basis(rows: Rows) -> None:
    ((verdict, low, high, explanation),) = rows(
        "select verdict, computed_low, computed_high, explanation from catalog.claims "
        "where claim_id = 'JP-2024-CHINA-OVER-60'"
    )
    assert verdict == "depends_on_basis"
    assert (low, high) == pytest.approx((0.440, 0.713), abs=5e-4)
    assert "71.3" in explanation
    assert "44.0" in explanation


def intervals(rows: Rows, clause: str) -> list[tuple[str, date, date | None]]:
    return rows(
        "select status, valid_from, valid_to from exposure.measure_status "
        "where clause_id = ? order by valid_from",
        clause,
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (
            "CN-2025-57",
            [
                ("announced", date(2025, 10, 9), date(2025, 11, 7)),
                ("suspended", date(2025, 11, 7), date(2026, 11, 11)),
                ("unknown", date(2026, 11, 11), None),
            ],
        ),
        (
            "CN-2024-46-2",
            [
                ("in_force", date(2024, 12, 3), date(2025, 11, 9)),
                ("suspended", date(2025, 11, 9), date(2026, 11, 28)),
                ("unknown", date(2026, 11, 28), None),
            ],
        ),
        ("CN-2024-46-1", [("in_force", date(2024, 12, 3), None)]),
        ("CN-2025-18", [("in_force", date(2025, 4, 4), None)]),
        ("CN-2026-1", [("in_force", date(2026, 1, 6), None)]),
        (
            "CN-2025-61-C",
            [
                ("in_force", date(2025, 10, 9), date(2025, 11, 7)),
                ("suspended", date(2025, 11, 7), date(2026, 11, 11)),
                ("unknown", date(2026, 11, 11), None),
            ],
        ),
        (
            "CN-2025-68",
            [
                ("announced", date(2025, 10, 26), date(2026, 1, 1)),
                ("in_force", date(2026, 1, 1), date(2028, 1, 1)),
                ("ended", date(2028, 1, 1), None),
            ],
        ),
        (
            "CN-2023-23",
            [
                ("announced", date(2023, 7, 3), date(2023, 8, 1)),
                ("in_force", date(2023, 8, 1), None),
            ],
        ),
    ],
)
def test_the_status_of_a_clause_by_day(
    rows: Rows, clause: str, expected: list[tuple[str, date, date | None]]
) -> None:
    assert intervals(rows, clause) == expected


def test_1_2026_is_aimed_at_japans_military_users(rows: Rows) -> None:
    assert rows(
        "select target_iso3, target_class, target_name, direction from exposure.measures "
        "where clause_id = 'CN-2026-1'"
    ) == [("JPN", "end_user", "military", "restrict")]


def test_tdk_is_named_on_the_watch_list(rows: Rows) -> None:
    names = {
        name
        for (name,) in rows(
            "select target_name from exposure.measures where clause_id = 'CN-2026-12'"
        )
    }
    assert len(names) == 20
    assert {"TDK", "SUBARU", "ENEOS"} < names


def test_the_rates_of_30_october_2026(rows: Rows) -> None:
    found = {
        row[0]: row[1:]
        for row in rows(
            "select instrument, close, is_derived, currency from market.prices "
            "where price_date = '2026-10-30'"
        )
    }
    assert found["EURUSD"] == (1.1172, False, "USD")
    assert found["EURJPY"] == (175.68, False, "JPY")
    assert found["EURCNY"] == (7.4326, False, "CNY")
    # 175.68 / 1.1172 and 175.68 / 7.4326, by hand.
    assert found["USDJPY"][0] == pytest.approx(157.2503, abs=5e-5)
    assert found["CNYJPY"][0] == pytest.approx(23.63641, abs=5e-5)
    assert found["USDJPY"][1:] == (True, "JPY")


def test_the_renminbi_begins_in_april_2005_and_the_dollar_in_1999(rows: Rows) -> None:
    found = dict(rows("select instrument, min(price_date) from market.prices group by instrument"))
    assert found["EURCNY"] == found["CNYJPY"] == date(2005, 4, 1)
    assert found["EURUSD"] == found["USDJPY"] == date(1999, 1, 4)


def test_a_heading_stands_for_every_code_below_it(rows: Rows) -> None:
    codes = {
        code
        for (code,) in rows(
            "select hs6_code from exposure.measure_scope "
            "where clause_id = 'CN-2025-68' and mineral = 'tungsten' and hs6_code like '8101%'"
        )
    }
    # HS 2022, heading 81.01.
    assert codes == {"810110", "810194", "810196", "810197", "810199"}


def test_a_heading_stands_for_no_code_of_goods_of_another_mineral(rows: Rows) -> None:
    """Announcement 68/2025 names 28.25 for both; 282580 is antimony oxide, 282570 molybdenum's."""
    assert rows(
        "select hs6_code, mineral from exposure.measure_scope "
        "where clause_id = 'CN-2025-68' and hs6_code like '2825%' order by all"
    ) == [("282580", "antimony"), ("282590", "tungsten")]


def test_every_code_says_where_it_stopped_meaning_the_same_goods(rows: Rows) -> None:
    assert rows(
        "select hs_revision, changed_meaning from reference.commodities where hs6_code = '810600'"
    ) == [("HS1992", "Between HS 2017 and HS 2022: By purity it became 810610 and 810690.")]
    # BACI has other amounts of the same graphite, magnesite and palladium in HS 1992 and HS 2017.
    reconciled_apart = "('250490', '252922', '711021')"
    assert rows(
        "select distinct changed_meaning from reference.commodities "
        f"where hs6_code in {reconciled_apart}"
    ) == [(None,)]
    assert rows(
        "select hs6_code, break_name from reference.nomenclature_breaks "
        "where not changes_goods order by all"
    ) == [(code, "HS1992/HS2017") for code in ("250490", "252922", "711021")]
    assert rows(
        "select distinct hs_revision from trade.reported_flows where commodity_code = '380110' "
        "except select hs_revision from reference.commodities where hs6_code = '380110'"
    ) == []  # fmt: skip


def test_every_row_can_say_where_it_comes_from(rows: Rows) -> None:
    assert rows(
        "select count(*) from trade.reported_flows left join catalog.snapshots using (snapshot_id) "
        "where catalog.snapshots.sha256 is null"
    ) == [(0,)]
    assert rows(
        "select count(*) from catalog.checks where status <> 'passed' and severity='error'"
    ) == [(0,)]
    layers = set(rows("select distinct layer, engine from catalog.checks"))
    assert layers == {
        ("lake", "great_expectations"),
        ("mart", "great_expectations"),
        ("mart", "dbt"),
    }


def test_every_published_column_has_a_comment_and_is_in_the_dictionary(rows: Rows) -> None:
    assert (
        rows(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where not internal and (comment is null or comment = '')"
        )
        == []
    )
    assert (
        rows(
            "select schema_name, table_name, column_name from duckdb_columns() where not internal "
            "except select schema_name, table_name, column_name from catalog.columns"
        )
        == []
    )

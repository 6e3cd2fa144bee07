"""What trade did after a restriction, on the bundled months: figures worked out by hand, and rows
drawn at random that are worked out again from the bundled files.
"""

from __future__ import annotations

import csv
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pytest

from dagster_project.settings import BUNDLED

Rows = Callable[..., list[tuple[Any, ...]]]

GRAPHITE, GALLIUM_AND_GERMANIUM, RARE_EARTHS = "CN-2023-39", "CN-2023-23", "CN-2025-18"
KG, USD = "net_weight_kg", "value_usd"


def month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


@pytest.fixture
def response(rows: Rows) -> Callable[..., tuple[Any, ...]]:
    """The columns asked for, of the one row of a clause, importer, commodity, month and measure."""

    def ask(
        columns: str, clause: str, importer: str, commodity: str, period: str, measure: str = KG
    ) -> tuple[Any, ...]:
        (row,) = rows(
            f"select {columns} from exposure.trade_response where clause_id = ? "
            "and importer_iso3 = ? and supplier_iso3 = 'CHN' and commodity_code = ? "
            "and period_start = ? and measure = ?",
            clause, importer, commodity, month(period), measure,
        )  # fmt: skip
        return row

    return ask


# ---- Graphite, announced on 2023-10-20, licensed from 2023-12-01


@pytest.mark.parametrize(
    ("period", "kilograms", "times_its_baseline"),
    [
        # The extract has 40,517,966 kg, 2.53 times its baseline, with Belgium counted twice:
        # 3,992,000 kg where China exported 1,996,000. Of the other two months Belgium has nothing.
        ("2023-11", 40_517_966 - 1_996_000, 2.42),
        ("2023-12", 2_725_725, 0.18),
        ("2024-01", 4_176_894, 0.25),
    ],
)
def test_flake_graphite_was_stocked_ahead_of_its_licences_and_stopped_with_them(
    response: Callable[..., tuple[Any, ...]],
    period: str,
    kilograms: int,
    times_its_baseline: float,
) -> None:
    amount, baseline, observations, shortfall, reason, is_decidable, source, flow = response(
        "amount, baseline_amount, baseline_observations, shortfall_share, baseline_reason, "
        "is_decidable, source, flow",
        GRAPHITE, "WLD", "250410", period,
    )  # fmt: skip
    assert amount == pytest.approx(kilograms, abs=1)
    assert round(amount / baseline, 2) == times_its_baseline
    assert shortfall == pytest.approx(1 - amount / baseline)
    # Of the code the licences control a part.
    assert (observations, reason, is_decidable) == (2, None, False)
    # No total is printed: it is the sum of what China declares for each partner.
    assert (source, flow) == ("comtrade_baskets", "export")


def test_as_the_extract_has_it_november_is_two_and_a_half_times_its_baseline() -> None:
    """The figures before Belgium's are halved, which a reader of the extract finds."""
    tonnes = {
        period: sum(
            float(line[KG] or 0)
            for line in lines("comtrade_baskets", "china_exports_monthly.csv")
            if line["commodity_code"] == "250410" and line["period"] == period
        )
        for period in ("2021-11", "2022-11", "2023-11")
    }
    assert round(tonnes["2023-11"]) == 40_517_966
    assert round(2 * tonnes["2023-11"] / (tonnes["2021-11"] + tonnes["2022-11"]), 2) == 2.53


@pytest.mark.parametrize(
    ("period", "kilograms", "months_since"),
    [("2023-11", 8_517_234, -1), ("2023-12", 20_003, 0), ("2024-01", 839_324, 1)],
)
def test_flake_graphite_for_japan(
    response: Callable[..., tuple[Any, ...]], period: str, kilograms: int, months_since: int
) -> None:
    assert response(
        "round(amount), months_since_effective, is_true_zero", GRAPHITE, "JPN", "250410", period
    ) == (kilograms, months_since, False)


def test_artificial_graphite_did_not_fall_by_weight_but_by_value(
    response: Callable[..., tuple[Any, ...]],
) -> None:
    columns = "amount, amount / baseline_amount, unit_value, unit_value_change_share"
    kilograms, by_weight, unit_value, change = response(
        columns, GRAPHITE, "WLD", "380110", "2023-12"
    )
    dollars, by_value, *same = response(columns, GRAPHITE, "WLD", "380110", "2023-12", USD)
    assert round(by_weight, 2) == 0.96
    assert round(by_value, 2) == 0.51
    # 47,298,656 dollars in the extract, 303,942 of them of Belgium, which is counted twice.
    assert dollars == 47_298_656 - 303_942 / 2
    # A kilogram had cost almost twice as much: 0.507 / 0.963 is 0.526 of it.
    assert unit_value == pytest.approx(dollars / kilograms)
    assert change == pytest.approx(by_value / by_weight - 1)
    assert round(change, 2) == -0.47
    assert same == [unit_value, change]


def test_months_before_the_announcement_are_shown_without_a_baseline(rows: Rows) -> None:
    assert rows(
        "select distinct period_start < date '2023-10-01', "
        "min(period_start) over (), max(period_start) over (), baseline_reason "
        "from exposure.trade_response where clause_id = ? and importer_iso3 = 'WLD' "
        "and commodity_code = '250410' order by 1",
        GRAPHITE,
    ) == [
        (False, month("2021-10"), month("2024-12"), None),
        (True, month("2021-10"), month("2024-12"), "before_announcement"),
    ]


# ---- Gallium, germanium and others of their code, licensed from 2023-08-01


@pytest.mark.parametrize(
    ("period", "kilograms"),
    [("2023-07", 102_957), ("2023-08", 83_981), ("2023-09", 174_043), ("2023-11", 359_845)],
)
def test_the_code_of_gallium_and_germanium_did_not_fall_and_decides_nothing(
    response: Callable[..., tuple[Any, ...]], period: str, kilograms: int
) -> None:
    """Gallium, germanium, indium, niobium and vanadium share the code; until 2021 hafnium and
    rhenium did too, so that of the months from July to December one before is of the same goods.
    """
    assert response(
        "round(amount), baseline_observations, is_decidable",
        GALLIUM_AND_GERMANIUM, "WLD", "811292", period,
    ) == (kilograms, 1, False)  # fmt: skip


def test_a_baseline_is_not_of_the_goods_of_another_edition(
    rows: Rows, response: Callable[..., tuple[Any, ...]]
) -> None:
    """China's exports of 811292 to Japan: 3,700 kg in November 2021 (HS 2017), 151 in 2022."""
    kilograms = {
        line["hs_revision"]: float(line[KG])
        for line in lines("comtrade_baskets", "china_exports_monthly.csv")
        if line["commodity_code"] == "811292"
        and line["partner_iso3"] == "JPN"
        and line["period"] in ("2021-11", "2022-11")
    }
    assert kilograms == {"HS2017": 3700, "HS2022": 151}
    assert response(
        "baseline_amount, baseline_observations", GALLIUM_AND_GERMANIUM, "JPN", "811292", "2023-11"
    ) == (151, 1)
    assert rows(
        "select distinct month(period_start), baseline_observations from exposure.trade_response "
        "where clause_id = ? and commodity_code = '811292' and importer_iso3 = 'WLD' "
        "and baseline_observations > 0 and measure = 'net_weight_kg' order by 1",
        GALLIUM_AND_GERMANIUM,
    ) == [(number, 2 if number < 7 else 1) for number in range(1, 13)]


def test_it_is_decidable_only_where_all_of_the_code_is_controlled(rows: Rows) -> None:
    bounds = {
        (clause, code): low
        for clause, code, low in rows(
            "select clause_id, hs6_code, max(control_share_low) from exposure.measure_scope "
            "group by all"
        )
    }
    end_users = {
        clause
        for (clause,) in rows(
            "select clause_id from exposure.measures where target_class = 'end_user'"
        )
    }
    found = rows(
        "select distinct clause_id, commodity_code, is_decidable from exposure.trade_response "
        "where length(commodity_code) = 6"
    )
    assert {is_decidable for *_, is_decidable in found} == {True, False}
    for clause, code, is_decidable in found:
        assert is_decidable == (bounds[clause, code] == 1 and clause not in end_users), clause


@pytest.mark.parametrize("measure", [KG, USD])
@pytest.mark.parametrize("period", ["2023-02", "2023-09", "2024-04"])
def test_a_published_month_without_a_row_for_japan_is_a_true_zero(
    rows: Rows, response: Callable[..., tuple[Any, ...]], period: str, measure: str
) -> None:
    exports = (
        "from trade.reported_flows where reporter_iso3 = 'CHN' and flow = 'export' "
        "and frequency = 'M' and period_start = ? and source = 'comtrade_baskets'"
    )
    assert rows(
        f"select count(*) > 0, count(*) filter (where commodity_code = '811292' "
        f"and partner_iso3 = 'JPN') {exports}",
        month(period),
    ) == [(True, 0)]
    assert response(
        "amount, is_true_zero, unit_value",
        GALLIUM_AND_GERMANIUM, "JPN", "811292", period, measure,
    ) == (0, True, None)  # fmt: skip


# ---- Magnets of rare earths, licensed from 2025-04-04


@pytest.mark.parametrize(
    ("period", "tonnes", "reason"),
    [
        ("2025-03", 5_323, "before_announcement"),
        ("2025-04", 2_628, "not_reported"),
        ("2025-05", 1_238, "not_reported"),
        ("2025-06", 3_188, "not_reported"),
    ],
)
def test_chinas_reported_exports_of_magnets_fell_from_a_baseline_nobody_reported(
    response: Callable[..., tuple[Any, ...]], period: str, tonnes: int, reason: str
) -> None:
    assert response(
        "amount, baseline_amount, shortfall_share, baseline_observations, baseline_reason, source, "
        "flow",
        RARE_EARTHS, "WLD", "rare_earth_magnets", period,
    ) == (1000 * tonnes, None, None, 0, reason, "china_customs_reported", "export")  # fmt: skip


def test_the_press_has_no_true_zeros_of_magnets(rows: Rows) -> None:
    """2025-02 and 2026-01 are in no report: they are missing, and have no row."""
    found = rows(
        "select period_start, is_true_zero from exposure.trade_response where clause_id = ? "
        "and importer_iso3 = 'WLD' and commodity_code = 'rare_earth_magnets' order by 1",
        RARE_EARTHS,
    )
    assert [period for period, _ in found] == [
        month(text)
        for text in (
            "2024-07", "2024-10", "2025-01", "2025-03", "2025-04", "2025-05", "2025-06", "2025-07",
            "2025-08", "2025-09", "2025-10", "2025-11", "2025-12", "2026-02", "2026-03",
        )
    ]  # fmt: skip
    assert not any(is_true_zero for _, is_true_zero in found)


@pytest.mark.parametrize(
    ("period", "tonnes", "baseline", "observations", "reason"),
    [
        # The bundled months begin with 2024-05: there is no April before, and one June.
        ("2025-04", 79.5, None, 0, "not_reported"),
        ("2025-06", 58.5, 101_858, 1, None),
    ],
)
def test_the_united_kingdoms_arrivals_have_the_baseline_that_their_months_allow(
    response: Callable[..., tuple[Any, ...]],
    period: str,
    tonnes: float,
    baseline: float | None,
    observations: int,
    reason: str | None,
) -> None:
    amount, *others = response(
        "amount, baseline_amount, baseline_observations, baseline_reason, source, flow",
        RARE_EARTHS, "GBR", "rare_earth_magnets", period,
    )  # fmt: skip
    assert round(amount / 1000, 1) == tonnes
    assert others == [baseline, observations, reason, "hmrc", "import"]


def test_a_series_is_of_one_report(rows: Rows) -> None:
    assert (
        rows(
            "select clause_id, importer_iso3, supplier_iso3, commodity_code "
            "from exposure.trade_response group by all having count(distinct (source, flow)) > 1"
        )
        == []
    )


def test_rows_are_of_what_a_clause_restricts_and_whom_it_targets(rows: Rows) -> None:
    assert (
        rows(
            "select distinct response.clause_id, response.importer_iso3 "
            "from exposure.trade_response as response "
            "left join exposure.measures as measures "
            "on response.clause_id = measures.clause_id and measures.direction = 'restrict' "
            "and measures.target_class <> 'entity' "
            "and response.supplier_iso3 = measures.implementer_iso3 "
            "and measures.target_iso3 in ('ALL', response.importer_iso3) "
            "where measures.clause_id is null"
        )
        == []
    )


# ---- Once more from the files

MONTHLY_FILES = {
    "comtrade_baskets": "china_exports_monthly.csv",
    "hmrc": "monthly_flows.csv",
    "comexstat": "monthly_flows.csv",
    "china_customs_reported": "exports.csv",
}
Amounts = dict[str, float | None]
MISSING: Amounts = {KG: None, USD: None}


@cache
def lines(source: str, file: str) -> list[dict[str, str]]:
    with (BUNDLED / source / file).open(encoding="utf8", newline="") as opened:
        return [line for line in csv.DictReader(opened) if line["frequency"] == "M"]


def amounts_of(source: str, line: Mapping[str, str]) -> Amounts:
    twice = source == "comtrade_baskets" and line["partner_iso3"] == "BEL"
    found: Amounts = {}
    for measure in (KG, USD):
        text = line[measure]
        found[measure] = float(text) / (2 if twice else 1) if text else None
    if found[KG] == 0 and (found[USD] or 0) > 0:
        found[KG] = None
    return found


@cache
def months_of(
    source: str, flow: str, importer: str, supplier: str, commodity: str
) -> dict[date, Amounts]:
    """The months of a series, each with its amounts, null where they are missing."""
    reporter, partner = (importer, supplier) if flow == "import" else (supplier, importer)
    is_press = source == "china_customs_reported"
    published: set[date] = set()
    of_pair: dict[date, Amounts] = {}
    of_month: dict[date, list[Amounts]] = defaultdict(list)
    for line in lines(source, MONTHLY_FILES[source]):
        if (line["reporter_iso3"], line["flow"]) != (reporter, flow):
            continue
        period = month(line["period"])
        published.add(period)
        if line["commodity_code"] == commodity:
            of_month[period].append(amounts_of(source, line))
            if line["partner_iso3"] == partner:
                of_pair[period] = amounts_of(source, line)
    if is_press:
        return of_pair
    if partner != "WLD":
        return {period: of_pair.get(period, {KG: 0, USD: 0}) for period in published}
    return {
        period: {measure: total(one[measure] for one in of_month[period]) for measure in (KG, USD)}
        for period in published
    }


def total(parts: Iterator[float | None]) -> float | None:
    known = list(parts)
    return None if None in known else math.fsum(part for part in known if part is not None)


def years_before(period: date, announced: date, commodity: str) -> Iterator[date]:
    """The same calendar month in the 24 months before the month of the announcement, of the same
    goods: with HS 2022 hafnium and rhenium left 811292.
    """
    first = announced.year * 12 + announced.month - 1 - 24
    for number in range(first, first + 24):
        before = date(number // 12, number % 12 + 1, 1)
        is_broken = commodity == "811292" and before.year < 2022 <= period.year
        if before.month == period.month and not is_broken:
            yield before


def worked_out(row: Mapping[str, Any], announced: date, effective: date | None) -> dict[str, Any]:
    series = months_of(
        row["source"], row["flow"], row["importer_iso3"], row["supplier_iso3"],
        row["commodity_code"],
    )  # fmt: skip
    period, measure = row["period_start"], row["measure"]
    own, code = series[period], row["commodity_code"]
    amount, kilograms, dollars = own[measure], own[KG], own[USD]
    assert amount is not None
    before: list[Amounts] = []
    if period >= announced.replace(day=1):
        before = [series.get(one, MISSING) for one in years_before(period, announced, code)]
    counted = [one[measure] for one in before if one[measure] is not None]
    baseline = (
        math.fsum(one for one in counted if one is not None) / len(counted) if counted else None
    )
    weighed = [
        (one[USD], one[KG]) for one in before if one[USD] is not None and one[KG] is not None
    ]
    weight = math.fsum(kg for _, kg in weighed if kg is not None)
    unit_value = dollars / kilograms if dollars is not None and kilograms else None
    usual = math.fsum(usd for usd, _ in weighed if usd is not None) / weight if weight else None
    return {
        "amount": amount,
        "baseline_amount": baseline,
        "baseline_observations": len(counted),
        "shortfall_share": 1 - amount / baseline if baseline else None,
        "unit_value": unit_value,
        "unit_value_change_share": unit_value / usual - 1 if unit_value and usual else None,
        "months_since_effective": None
        if effective is None
        else (period.year - effective.year) * 12 + period.month - effective.month,
        "is_true_zero": not kilograms and not dollars and kilograms is not None,
    }


def test_a_hundred_rows_are_worked_out_again_from_the_bundled_files(
    published: duckdb.DuckDBPyConnection,
) -> None:
    days = {
        clause: (announced, effective)
        for clause, announced, effective in published.execute(
            "select distinct clause_id, announced_date, effective_date from exposure.measures"
        ).fetchall()
    }
    # The Union's are sums of these, see `test_exposure_of_importers`.
    found = published.execute(
        "select * from exposure.trade_response where importer_iso3 <> 'EU27' order by all"
    )
    names = [column[0] for column in found.description or []]
    every = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    compared = [row for row in every if row["baseline_amount"] is not None]
    chosen = random.Random("trade_response")
    for row in [*chosen.sample(every, 40), *chosen.sample(compared, 60)]:
        for column, expected in worked_out(row, *days[row["clause_id"]]).items():
            if isinstance(expected, float):
                assert row[column] == pytest.approx(expected, rel=1e-9, abs=1e-9), (column, row)
            else:
                assert row[column] == expected, (column, row)


def test_no_month_of_a_code_is_left_out(rows: Rows) -> None:
    """Every month and measure that the files have of 811292, from the 24 months before on."""
    importers = {
        line["partner_iso3"]
        for line in lines("comtrade_baskets", "china_exports_monthly.csv")
        if line["commodity_code"] == "811292"
    }
    expected = {
        (importer, period, measure)
        for importer in {*importers, "WLD"}
        for period, amounts in months_of(
            "comtrade_baskets", "export", importer, "CHN", "811292"
        ).items()
        for measure, amount in amounts.items()
        if period >= month("2021-07") and amount is not None
    }
    assert (
        set(
            rows(
                "select importer_iso3, period_start, measure from exposure.trade_response "
                "where clause_id = ? and commodity_code = '811292' and importer_iso3 <> 'EU27'",
                GALLIUM_AND_GERMANIUM,
            )
        )
        == expected
    )

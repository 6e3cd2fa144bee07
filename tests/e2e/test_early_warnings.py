"""Early warnings and their backtest against the rule worked out again in Python, and by hand.

The rule is the text of decision 0031, not the project's SQL: medians come from `statistics`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]

BEFORE = {"A": (10, 5), "M": (3, 10)}
"""Years that are looked at, and the least number of observations in them."""

SPREAD_FLOOR, LEAST_CHANGE = 0.05, 0.25


def years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years)


def warnings_of(series: Mapping[date, float], frequency: str, sign: int) -> dict[date, float]:
    """The periods that fire, each with its limit."""
    years, least = BEFORE[frequency]
    changes = {}
    for day, figure in series.items():
        comparable = [series.get(years_before(day, n)) for n in (1, 2)]
        if all(comparable) and figure:
            changes[day] = math.log(2 * figure / sum(filter(None, comparable)))
    levels = {day: math.log(figure) if figure else -math.inf for day, figure in series.items()}
    fired = {}
    for day, figure in series.items():
        earlier = [d for d in series if years_before(day, years) <= d < day]
        known = [changes[d] for d in earlier if d in changes]
        if day in changes and len(known) >= least:
            unit = figure / math.exp(changes[day])
        else:
            known, unit = [levels[d] for d in earlier], 1.0
        if len(known) < least:
            continue
        median = statistics.median(known)
        spread = max(
            SPREAD_FLOOR, 1.4826 * statistics.median(abs(value - median) for value in known)
        )
        distance = max(3 * spread, abs(math.log(1 + sign * LEAST_CHANGE)))
        limit = unit * math.exp(median + sign * distance)
        if sign * figure >= sign * limit:
            fired[day] = limit
    return fired


EXPORTS = (
    "select period_start, case when count({0}) = count(*) then sum({0}) end "
    "from trade.reported_flows where source = 'comtrade_baskets' and "
    "reporter_iso3 = 'CHN' and flow = 'export' and frequency = 'M' and commodity_code = $1 and "
    "($2 = 'WLD' or partner_iso3 = $2) group by period_start"
)


def exports(rows: Rows, measure: str, code: str, importer: str) -> dict[date, float]:
    """By month; a month in which a part is missing has no sum."""
    found = rows(EXPORTS.format(measure), code, importer)
    assert len(found) == 96
    return {day: amount for day, amount in found if amount is not None}


def published(
    rows: Rows, importer: str, code: str, supplier: str, signal: str
) -> dict[date, float]:
    return dict(
        rows(
            "select period_start, threshold from exposure.early_warnings where importer_iso3 = $1 "
            "and commodity_code = $2 and supplier_iso3 = $3 and signal = $4",
            importer, code, supplier, signal,
        )
    )  # fmt: skip


@pytest.mark.parametrize("importer", ["WLD", "JPN"])
@pytest.mark.parametrize("code", ["250410", "380110"])
def test_drops_and_surges_of_chinas_exports_are_those_of_the_rule(
    rows: Rows, code: str, importer: str
) -> None:
    weights = exports(rows, "net_weight_kg", code, importer)
    values = exports(rows, "value_usd", code, importer)
    drops = warnings_of(weights, "M", -1)
    assert drops
    assert published(rows, importer, code, "CHN", "volume_drop") == pytest.approx(drops)
    prices = {day: values[day] / weights[day] for day in sorted(weights)}
    surges = warnings_of(prices, "M", 1)
    assert surges
    assert published(rows, importer, code, "CHN", "price_surge") == pytest.approx(surges)


@pytest.mark.parametrize(
    ("importer", "group"),
    [
        ("JPN", "rare_earths"), ("DEU", "rare_earths"), ("CHN", "hs_260400"), ("CHN", "hs_260600"),
    ],
)  # fmt: skip
def test_drops_of_a_years_imports_are_those_of_the_rule(
    rows: Rows, importer: str, group: str
) -> None:
    expected: dict[date, float] = {}
    found = rows(
        "select source, period_start, total_amount from dependency.import_concentration "
        "where importer_iso3 = $1 and mineral_group = $2 and frequency = 'A' "
        "and measure = 'net_weight_kg'",
        importer, group,
    )  # fmt: skip
    for source in {source for source, *_ in found}:
        series = {day: amount for of, day, amount in found if of == source}
        expected |= warnings_of(series, "A", -1)
    code = group.removeprefix("hs_")
    assert published(rows, importer, code, "WLD", "volume_drop") == pytest.approx(expected)


def test_chinas_graphite_of_december_2023_is_a_drop_as_its_sentence_says(rows: Rows) -> None:
    [(value, unit, severity, sentence)] = rows(
        "select value, unit, severity, explanation from exposure.early_warnings "
        "where importer_iso3 = 'WLD' and commodity_code = '250410' and signal = 'volume_drop' "
        "and period_start = date '2023-12-01'"
    )
    assert (value, unit, severity) == (2_725_725, "kg", "medium")
    assert sentence.startswith("Exports of 250410 from China in December 2023: 2,726 t, ")


def test_a_suspension_that_ends_in_two_days_warns_the_economy_it_is_for(rows: Rows) -> None:
    found = rows(
        "select distinct clause_id, importer_iso3, value, threshold, unit, period_start "
        "from exposure.early_warnings where signal = 'lapse_ahead'"
    )
    assert found == [("CN-2024-46-2", "USA", 2, 30, "days", date(2026, 11, 1))]


def test_a_new_restriction_warns_japan_by_what_it_had_from_china_in_the_year_before(
    rows: Rows,
) -> None:
    """China's part of Japan's rare earths in 2024 by value is 44.0 %."""
    [(value, severity, period)] = rows(
        "select value, severity, period_start from exposure.early_warnings "
        "where signal = 'new_restriction' and clause_id = 'CN-2025-57' and importer_iso3 = 'JPN' "
        "and commodity_code = 'rare_earths'"
    )
    assert (round(value, 3), severity, period) == (0.44, "medium", date(2025, 10, 1))


def test_severity_is_of_what_the_clause_may_hit_of_a_code_or_of_a_groups_codes(rows: Rows) -> None:
    """All of China's part of both codes may be of the five rare earths of notice 57/2025."""

    def grade(share: float) -> str:
        return "high" if share >= 0.6 else "medium" if share >= 0.3 else "low"

    bought = {
        (importer, code): (china, total)
        for importer, code, china, total in rows(
            "select own.importer_iso3, substr(own.mineral_group, 4), "
            "coalesce(sum(shares.amount), 0), own.total_amount "
            "from dependency.import_concentration as own "
            "left join dependency.supplier_shares as shares "
            "using (importer_iso3, mineral_group, frequency, period_start, measure) "
            "where own.importer_iso3 in ('JPN', 'USA') and shares.supplier_iso3 = 'CHN' "
            "and own.mineral_group in ('hs_280530', 'hs_284690') and own.frequency = 'A' "
            "and own.period_start = date '2024-01-01' and own.measure = 'value_usd' group by all"
        )
    }
    expected = {key: grade(china / total) for key, (china, total) in bought.items()}
    for importer in ("JPN", "USA"):
        both = [part for (of, _), part in bought.items() if of == importer]
        expected[importer, "rare_earths"] = grade(
            sum(china for china, _ in both) / sum(total for _, total in both)
        )
    assert expected["USA", "rare_earths"] == "high" != expected["JPN", "280530"] == "low"
    assert dict.fromkeys(expected, True) == {
        (importer, code): severity == expected[importer, code]
        for importer, code, severity in rows(
            "select importer_iso3, commodity_code, severity from exposure.early_warnings "
            "where clause_id = 'CN-2025-57' and signal = 'new_restriction' "
            "and importer_iso3 in ('JPN', 'USA')"
        )
    }


def test_only_targets_of_a_clause_are_warned(rows: Rows) -> None:
    assert rows(
        "select distinct importer_iso3 from exposure.early_warnings "
        "where clause_id = 'CN-2024-46-2' and signal = 'new_restriction'"
    ) == [("USA",)]


BACKTEST = [
    ("natural_graphite_2023_all", "volume_drop", "missed", date(2023, 12, 1), -31),
    ("natural_graphite_2023_jpn", "volume_drop", "missed", date(2023, 12, 1), -31),
    ("artificial_graphite_2023_all", "volume_drop", "missed", None, None),
    ("artificial_graphite_2023_jpn", "volume_drop", "missed", None, None),
    ("gallium_germanium_2023_all", "volume_drop", "missed", None, None),
    ("gallium_germanium_2023_jpn", "volume_drop", "fired", date(2022, 11, 1), 243),
    ("rare_earths_2010_quota_jpn", "price_surge", "not_testable", date(2011, 1, 1), -542),
    ("rare_earths_2010_ban_jpn", "price_surge", "not_testable", date(2011, 1, 1), -467),
    ("rare_earths_2010_ban_jpn", "volume_drop", "not_testable", None, None),
    ("rare_earth_metals_2010_jpn", "price_surge", "missed", date(2011, 1, 1), -542),
    ("nickel_ore_2014_chn", "price_surge", "missed", date(2014, 1, 1), -354),
    ("nickel_ore_2014_chn", "volume_drop", "missed", None, None),
    ("bauxite_2014_chn", "price_surge", "missed", None, None),
    ("bauxite_2014_chn", "volume_drop", "missed", None, None),
    ("antimony_2024_all", "volume_drop", "not_testable", None, None),
    ("magnets_2025_reported_all", "volume_drop", "not_testable", None, None),
    ("magnets_2025_gbr", "volume_drop", "missed", None, None),
    ("magnets_2025_bra", "volume_drop", "not_testable", None, None),
]
"""A period is over on the first day after it: December 2023 is 31 days after 2023-12-01, and
November 2022 is 30 + 31 + 28 + 31 + 30 + 31 + 30 + 31 + 1 = 243 days before 2023-08-01. The year
2014 is over 354 days after Indonesia's ban of 2014-01-12; a test below works out that it fired.
"""


@pytest.mark.parametrize(("episode", "signal", "verdict", "first_fired", "days"), BACKTEST)
def test_the_backtest_says_when_a_signal_first_fired(
    rows: Rows, episode: str, signal: str, verdict: str, first_fired: date | None, days: int | None
) -> None:
    assert rows(
        "select verdict, first_fired, days_before_effective from exposure.warning_backtest "
        "where episode = $1 and signal = $2",
        episode, signal,
    ) == [(verdict, first_fired, days)]  # fmt: skip


def test_chinas_nickel_ore_became_dearer_in_the_year_of_indonesias_first_ban(rows: Rows) -> None:
    figures = {
        measure: dict(
            rows(
                "select period_start, total_amount from dependency.import_concentration "
                "where importer_iso3 = 'CHN' and mineral_group = 'hs_260400' and frequency = 'A' "
                "and source = 'baci' and measure = $1",
                measure,
            )
        )
        for measure in ("value_usd", "net_weight_kg")
    }
    weights = figures["net_weight_kg"]
    prices = {day: figures["value_usd"][day] / weights[day] for day in sorted(weights)}
    fired = [day for day in warnings_of(prices, "A", 1) if 2013 <= day.year <= 2014]
    assert fired == [date(2014, 1, 1)]


def test_no_restriction_of_the_commodity_is_in_the_quiet_years(rows: Rows) -> None:
    found = rows(
        "select distinct episode, measures.clause_id from exposure.warning_backtest as episodes "
        "join reference.mineral_group_codes as codes "
        "on codes.mineral_group in (commodity_code, 'hs_' || commodity_code) "
        "join exposure.measure_scope using (hs6_code) "
        "join exposure.measures on measures.clause_id = measure_scope.clause_id "
        "where measures.direction = 'restrict' and measures.announced_date <= quiet_to "
        "and (measures.ended_date is null or measures.ended_date >= quiet_from)"
    )
    assert found == []


@pytest.mark.parametrize("importer", ["WLD", "JPN"])
@pytest.mark.parametrize(
    ("code", "episode"), [("250410", "natural_graphite"), ("380110", "artificial_graphite")]
)
def test_false_alarms_are_the_warnings_of_the_quiet_years(
    rows: Rows, code: str, episode: str, importer: str
) -> None:
    """Of 57 quiet months, January 2018 to September 2022, all have ten months before them."""
    weights = exports(rows, "net_weight_kg", code, importer)
    alarms = [
        day for day in warnings_of(weights, "M", -1) if date(2018, 1, 1) <= day <= date(2022, 9, 1)
    ]
    name = f"{episode}_2023_{'all' if importer == 'WLD' else importer.lower()}"
    assert rows(
        "select false_alarms_in_quiet_years, quiet_periods from exposure.warning_backtest "
        "where episode = $1 and signal = 'volume_drop'",
        name,
    ) == [(len(alarms), 57)]

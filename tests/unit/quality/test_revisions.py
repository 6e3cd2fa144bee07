"""What a file does to the figures that count, and each objection beside its nearest honest one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lake.schemas import (
    GOVERNANCE_SCORES,
    INSTANT,
    LAKE_TABLES,
    MILESTONES,
    PRICE_QUOTES,
    PRODUCTION,
    RECONCILED_TRADE,
    RESTRICTION_CLAUSES,
    TRADE_FLOWS,
    LakeTable,
)
from dagster_project.lake.vintages import current_rows
from dagster_project.quality.comparison import NUMERIC_FACTS
from dagster_project.quality.revisions import Group, Revision, compare_with_known

Row = Mapping[str, Any]
TODAY = date(2026, 11, 26)
_OF_A_TYPE: Mapping[Any, Any] = {
    pl.String: "x", pl.Boolean: False, pl.Date: date(2024, 1, 1), pl.Int32: 2024, pl.Int64: 1,
    pl.Float64: 1.0, INSTANT: datetime(2026, 1, 1),
}  # fmt: skip


def frame(table: LakeTable, rows: Sequence[Row], month: int = 1) -> pl.DataFrame:
    """Rows of which only what matters is named, as they came in a month of 2026."""
    came = {
        "vintage_at": datetime(2026, month, 1), "snapshot_id": f"x-2026{month:02}01T000000000000",
    }  # fmt: skip
    given = pl.DataFrame([{"row": 0, **row} for row in rows]).drop("row")
    required = {
        name: pl.lit([] if column.dtype == pl.List(pl.String) else _OF_A_TYPE[column.dtype])
        for name, column in table.columns.items()
        if not column.nullable and name not in (*given.columns, *came)
    }
    return table.conform(given.with_columns(**required, **{k: pl.lit(v) for k, v in came.items()}))


def revision_of(table: LakeTable, known: Sequence[Row], fresh: Sequence[Row]) -> Revision:
    before, file = frame(table, known), frame(table, fresh, month=2)
    return compare_with_known(
        table,
        current_rows(table, before, TODAY),
        file,
        current_rows(table, pl.concat([before, file]), TODAY),
    )


def counts(revision: Revision) -> tuple[int, int, int, int]:
    return revision.added, revision.unchanged, revision.changed, revision.removed


def flows(exporters: int, code: str = "850511", **output: Any) -> list[dict[str, Any]]:
    """Flows of as many exporters to Japan, each of another value near a million dollars."""
    return [
        {"exporter_iso3": f"E{number:02}", "importer_iso3": "JPN", "hs6_code": code,
         "value_usd": 1e6 + 1_237.0 * number, "net_weight_kg": 5e4 + 97.0 * number, **output}
        for number in range(exporters)
    ]  # fmt: skip


def with_first(rows: Sequence[Row], count: int, **change: Any) -> list[Row]:
    """The same rows, the first ones changed: a measure by a factor, or to another value."""
    return [
        {**row, **{
            name: row[name] * by if isinstance(by, int | float) else by
            for name, by in change.items()
        }} if number < count else row
        for number, row in enumerate(rows)
    ]  # fmt: skip


# Counts and messages


def test_the_same_figures_again_change_nothing() -> None:
    revision = revision_of(RECONCILED_TRADE, flows(9), flows(9)[::-1])
    assert counts(revision) == (0, 9, 0, 0)
    assert revision.groups == ()
    assert revision.objections == ()
    assert list(revision.lines()) == ["reconciled_trade: 9 as known."]


def test_rows_are_added_repeated_changed_and_removed() -> None:
    known = flows(9)
    fresh = [*with_first(known, 1, value_usd=1.1)[:8], *flows(2, "280530")]
    revision = revision_of(RECONCILED_TRADE, [*known, *flows(9, "280461")], fresh)
    assert counts(revision) == (2, 7, 1, 1)
    (group,) = revision.groups
    assert group.name == "850511 2024"
    assert (group.rows_before, group.rows_after) == (9, 8)
    first, second, third = revision.lines()
    assert first == "reconciled_trade: 2 new, 1 changed, 7 as known, 1 removed."
    assert second == "Replaces 9 rows of 850511 2024 (USD 9.0 m) by 8 (USD 8.1 m)."
    assert third == "value_usd: 1 of 8 changed (12.5%), ratio 1.1; all of 850511."


def test_a_figure_within_half_a_per_cent_is_the_same_printed_twice() -> None:
    for factor, changed in ((1.0049, 0), (1.0051, 1)):
        fresh = with_first(flows(9), 1, value_usd=factor)
        assert revision_of(RECONCILED_TRADE, flows(9), fresh).changed == changed


def test_what_is_older_than_the_known_is_reported() -> None:
    known = [{**row, "edition": 202601} for row in flows(3)]
    older = [{**row, "edition": 202501, "value_usd": 5.0} for row in flows(3)]
    revision = revision_of(RECONCILED_TRADE, known, older)
    assert counts(revision) == (0, 0, 0, 0)
    assert revision.objections == ()
    assert list(revision.lines()) == ["reconciled_trade: older than what is known."]


@pytest.mark.parametrize(
    ("measure", "total", "text"),
    [
        ("value_usd", 4.963e9, "10 rows of magnets (USD 4,963 m) by 1 (USD 0)"),
        ("value_usd", 23.4e6, "10 rows of magnets (USD 23.4 m) by 1 (USD 0)"),
        ("value_usd", 168_176.0, "10 rows of magnets (USD 168,176) by 1 (USD 0)"),
        ("net_weight_kg", 5_933_000.0, "10 rows of magnets (5,933 t) by 1 (0 t)"),
        ("amount_t", 1_980.0, "10 rows of magnets (1,980 t) by 1 (0 t)"),
        ("share", 0.7, "10 rows of magnets by 1"),
    ],
)
def test_amounts_are_in_the_unit_of_their_column(measure: str, total: float, text: str) -> None:
    assert str(Group("magnets", 10, 1, measure, total, 0.0)) == text


def test_at_most_three_groups_are_named() -> None:
    groups = [Group(str(number), 2, 1, "", 0.0, 0.0) for number in range(5)]
    _, output = Revision("t", 0, 0, 0, 5, groups, ()).lines()
    assert output == "Replaces 2 rows of 0 by 1; 2 rows of 1 by 1; 2 rows of 2 by 1; and 2 more."


def flow(exporter: str, code: str, value: float | None, weight: float | None) -> Row:
    return {
        "exporter_iso3": exporter, "importer_iso3": "JPN", "hs6_code": code, "value_usd": value,
        "net_weight_kg": weight,
    }  # fmt: skip


def test_how_much_the_figures_of_each_measure_changed_is_named_with_their_series() -> None:
    known = [
        flow("AUS", "850511", 100.0, 10.0), flow("CHN", "850511", 200.0, None),
        flow("DEU", "850511", 400.0, 30.0), flow("USA", "850511", 500.0, 40.0),
        flow("CHN", "280530", 1000.0, 50.0), flow("MYS", "280530", 0.0, 60.0),
        flow("CHN", "284610", 70.0, 70.0),
    ]  # fmt: skip
    fresh = [
        flow("AUS", "850511", 110.0, 10.0), flow("CHN", "850511", 180.0, 20.0),
        flow("DEU", "850511", 500.0, None), flow("USA", "850511", 500.0, 40.0),
        flow("CHN", "280530", 600.0, 50.0), flow("MYS", "280530", 9.0, 60.0),
        flow("CHN", "284610", 70.0, 70.0),
    ]  # fmt: skip
    # Of the values 110/100, 180/200, 500/400 and 600/1000; 9 to 0 is no ratio.
    *_, values, weights = revision_of(RECONCILED_TRADE, known, fresh).lines()
    assert values == (
        "value_usd: 5 of 7 changed (71.4%), median ratio 1 (0.6 to 1.25); "
        "most 280530 (2 of 2, 0.6), 850511 (3 of 4, 1.1)."
    )
    assert weights == (
        "net_weight_kg: 2 of 7 changed (28.6%), 1 now missing, 1 missing before; all of 850511."
    )


def test_of_many_series_those_that_moved_most_are_named() -> None:
    ratios = {"TIN": 1.03, "ZINC": 0.9, "LEAD": 1.05, "GOLD": 1.2, "IRON": 1.0}
    known = [
        {"instrument": name, "close": 50.0, "price_date": date(2024, month, 1)}
        for name in ratios
        for month in (1, 2)
    ]
    fresh = with_first(known, 9, close=1.0)
    for row, ratio in zip(fresh[::2], ratios.values(), strict=True):
        row["close"] *= ratio
    *_, line = revision_of(PRICE_QUOTES, known, fresh).lines()
    assert line == (
        "close: 4 of 10 changed (40.0%), median ratio 1.04 (0.9 to 1.2); "
        "most GOLD (1 of 2, 1.2), ZINC (1 of 2, 0.9), LEAD (1 of 2, 1.05)."
    )


def test_scores_around_zero_change_by_a_difference() -> None:
    known = [
        {"indicator": name, "economy_iso3": f"E{number:02}", "year": 2023, "estimate": estimate}
        for name in ("rule_of_law", "political_stability")
        for number, estimate in enumerate([-1.5, -0.2, 0.1, 2.0])
    ]
    fresh = with_first(known, 2, estimate=1.1)  # by -0.15 and -0.02
    fresh[4] = {**fresh[4], "estimate": -1.2}  # by 0.3
    *_, line = revision_of(GOVERNANCE_SCORES, known, fresh).lines()
    assert line == (
        "estimate: 3 of 8 changed (37.5%), median difference -0.02 (-0.15 to +0.3); "
        "most political_stability (1 of 4, +0.3), rule_of_law (2 of 4, -0.085)."
    )


# Losses


@pytest.mark.parametrize(("lost", "is_refused"), [(29, False), (31, True)])
def test_three_tenths_of_the_rows_may_go(lost: int, is_refused: bool) -> None:
    other = flows(100, "280530")  # so that no exporter is gone
    known = flows(100)
    kept = [*known[:20], *known[20 + lost :]]
    revision = revision_of(RECONCILED_TRADE, [*known, *other], [*kept, *other])
    assert counts(revision) == (0, 200 - lost, 0, lost)
    assert bool(revision.objections) == is_refused
    if is_refused:
        assert revision.objections[0].startswith(
            "It would replace 100 rows of 850511 2024 (USD 106 m) by 69 (USD 73."
        )


@pytest.mark.parametrize(("share", "is_refused"), [(0.28, False), (0.32, True)])
def test_of_few_rows_the_value_counts(share: float, is_refused: bool) -> None:
    known, other = flows(5), flows(5, "280530")
    of_others = sum(row["value_usd"] for row in known if row["exporter_iso3"] != "E02")
    known[2]["value_usd"] = of_others * share / (1 - share)
    fresh = [row for row in known if row["exporter_iso3"] != "E02"]
    revision = revision_of(RECONCILED_TRADE, [*known, *other], [*fresh, *other])
    assert bool(revision.objections) == is_refused


@pytest.mark.parametrize(
    ("rows", "left", "is_refused"), [(10, 0.65, True), (10, 0.75, False), (9, 0.65, False)]
)
def test_three_tenths_of_the_value_of_many_rows_may_not_go_where_no_row_does(
    rows: int, left: float, is_refused: bool
) -> None:
    known, other = flows(rows), flows(rows, "280530")
    of_others = sum(row["value_usd"] for row in known[1:])
    known[0]["value_usd"] = 9 * of_others  # nine tenths of the value
    fresh = with_first(known, 1, value_usd=(left - 0.1) / 0.9)
    revision = revision_of(RECONCILED_TRADE, [*known, *other], [*fresh, *other])
    assert counts(revision) == (0, 2 * rows - 1, 1, 0)
    assert revision.objections == (
        ("It would replace 10 rows of 850511 2024 (USD 90.6 m) by 10 (USD 58.9 m).",)
        if is_refused
        else ()
    )


@pytest.mark.parametrize(("codes", "is_refused"), [(4, False), (5, True)])
def test_an_economy_of_five_rows_is_not_revised_away(codes: int, is_refused: bool) -> None:
    island = {"exporter_iso3": "TON", "importer_iso3": "JPN", "value_usd": 1.0}
    kept = [row for code in range(5) for row in flows(9, f"28053{code}")]
    gone = [{**island, "hs6_code": f"28053{code}"} for code in range(codes)]
    revision = revision_of(RECONCILED_TRADE, [*gone, *kept], kept)
    assert revision.removed == codes
    assert revision.objections == (
        ("exporter_iso3: TON is in 5 rows that it would replace and in none of its own.",)
        if is_refused
        else ()
    )


def test_a_table_that_ends_within_one_slice_was_cut() -> None:
    known = [*flows(9), *flows(9, "853400")]
    revision = revision_of(RECONCILED_TRADE, known, known[:-2])
    assert revision.objections == (
        "It seems cut within 853400 2024: 2 of 9 known rows are missing there, and none elsewhere.",
    )
    assert revision_of(RECONCILED_TRADE, known, known[:-1]).objections == ()
    # Of a part of the table, one row is enough.
    more = [*known, *flows(9, "900000")]
    assert "1 of 9 known rows" in revision_of(RECONCILED_TRADE, more, known[:-1]).objections[0]


def test_a_table_that_ends_within_two_years_of_one_label_was_cut() -> None:
    known = [
        {"label": label, "economy_iso3": economy, "year": year, "edition": 2026, "amount_t": 9.0}
        for label in ("Tin", "Zinc", "Zircon")
        for economy in ("AUS", "BRA", "CHN", "PER")
        for year in (2024, 2025)
    ]
    assert "It seems cut within Zinc" in revision_of(PRODUCTION, known, known[:14]).objections[0]
    assert revision_of(PRODUCTION, known, known[:16]).objections == ()


# Figures


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"value_usd": 10}, "value_usd is ten times what is known for 5 of 9 figures."),
        ({"net_weight_kg": 0.001}, "net_weight_kg is a thousandth of what is known for 5 of 9 "
                                   "figures: tonnes?"),
        ({"value_usd": 1e-6}, "value_usd is a millionth of what is known for 5 of 9 figures: "
                              "million dollars?"),
        ({"value_usd": 1e5}, "value_usd is 10 to the 5 times what is known for 5 of 9 figures."),
        ({"value_usd": -1}, "value_usd has the other sign for 5 of 9 known figures."),
        ({"value_usd": 0}, "value_usd is 0 for 5 of 9 known figures."),
        ({"net_weight_kg": None}, "net_weight_kg is missing for 5 of 9 known figures."),
    ],
)  # fmt: skip
def test_half_of_the_figures_make_a_pattern(change: Row, sentence: str) -> None:
    known = flows(9)
    assert (
        sentence in revision_of(RECONCILED_TRADE, known, with_first(known, 5, **change)).objections
    )
    four = revision_of(RECONCILED_TRADE, known, with_first(known, 4, **change))
    assert sentence.split(" for ")[0] not in " ".join(four.objections)


def test_a_pattern_of_one_series_is_named() -> None:
    known = [*flows(20), *flows(6, "280530")]
    fresh = [*flows(20), *with_first(flows(6, "280530"), 6, value_usd=1000)]
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == (
        "value_usd is a thousand times what is known for 6 of 6 figures of hs6_code 280530.",
    )


def test_another_ratio_needs_ten_figures() -> None:
    for rows, sentences in ((9, ()), (10, ("value_usd is 1.13 times what is known for 10 of 10 "
                                           "changed figures of hs6_code 850511.",))):  # fmt: skip
        fresh = with_first(flows(rows), rows, value_usd=1.13)
        assert revision_of(RECONCILED_TRADE, flows(rows), fresh).objections == sentences


@pytest.mark.parametrize(
    ("factor", "unit"), [(2.2046, ": pounds?"), (0.4536, ": pounds?"), (1.05, ".")]
)
def test_another_ratio_within_one_code_or_series_is_named(factor: float, unit: str) -> None:
    """Pounds for kilograms in one of many: all other figures are as known."""
    others = flows(90, "280530")
    fresh = [*others, *with_first(flows(10), 10, net_weight_kg=factor)]
    assert revision_of(RECONCILED_TRADE, [*others, *flows(10)], fresh).objections == (
        f"net_weight_kg is {factor:.3g} times what is known for 10 of 10 changed figures of "
        f"hs6_code 850511{unit}",
    )
    tin, copper = prices(MONTHS), prices(MONTHS, instrument="COPPER")
    new = [*tin, *with_first(copper, len(copper), close=factor)]
    assert revision_of(PRICE_QUOTES, [*tin, *copper], new).objections == (
        f"close is {factor:.3g} times what is known for 22 of 22 changed figures of instrument "
        f"COPPER{unit}",
    )


@pytest.mark.parametrize(
    ("changed", "factor", "is_refused"),
    [
        (9, 1.13, False), (10, 1.13, True), (20, 1.13, True), (20, 1.019, True),
        (20, 1.004, False), (4, 2.2046, False), (5, 2.2046, True), (5, 1.1023, True),
        (5, 1 / 31.1035, True),
    ],
)  # fmt: skip
def test_ten_figures_of_one_ratio_are_refused_and_five_of_that_of_a_unit(
    changed: int, factor: float, is_refused: bool
) -> None:
    """Also where they are a part of those of their code."""
    others, known = flows(90, "280530"), flows(40)
    fresh = [*others, *with_first(known, changed, net_weight_kg=factor)]
    assert bool(revision_of(RECONCILED_TRADE, [*others, *known], fresh).objections) == is_refused


def test_ratios_that_scatter_are_a_revision() -> None:
    """By 3 to 7 %, all in one direction."""
    known = flows(40)
    fresh = [
        {**row, "net_weight_kg": row["net_weight_kg"] * (1.03 + 0.001 * number)}
        for number, row in enumerate(known)
    ]
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == ()


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_figures_printed_with_fewer_digits_are_a_revision(digits: int) -> None:
    known = [{**row, "value_usd": 1e6 * 1.07**at} for at, row in enumerate(flows(40))]
    fresh = [{**row, "value_usd": float(f"{row['value_usd']:.{digits}g}")} for row in known]
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == ()


@pytest.mark.parametrize("seed", range(10))
def test_shares_of_few_digits_that_become_smaller_are_a_revision(seed: int) -> None:
    """17 becomes 16, and 12 becomes 11: each alone may be of nearly any ratio."""
    rng = random.Random(seed)
    known = [{**row, "value_usd": float(rng.randint(3, 95))} for row in flows(120)]
    fresh = [
        {**row, "value_usd": float(round(row["value_usd"] * rng.uniform(0.9, 1.0)))}
        for row in known
    ]
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == ()


def test_pounds_are_named_also_where_they_are_printed_with_two_digits() -> None:
    known = [{**row, "value_usd": float(f"{1e6 * 1.17**at:.2g}")} for at, row in
             enumerate(flows(20))]  # fmt: skip
    fresh = [{**row, "value_usd": float(f"{row['value_usd'] * 2.2046:.2g}")} for row in known]
    (objection,) = revision_of(RECONCILED_TRADE, known, fresh).objections
    assert objection.startswith("value_usd is 2.2 times what is known for")


@pytest.mark.parametrize(
    ("column", "value"), [("importer_iso3", "KOR"), ("period_start", date(2022, 1, 1))]
)
def test_one_ratio_of_an_economy_or_a_year_is_refused(column: str, value: object) -> None:
    known = [
        {**row, "importer_iso3": importer, "hs6_code": code, "period_start": date(year, 1, 1)}
        for importer in ("JPN", "KOR", "USA")
        for year in (2021, 2022, 2023)
        for code in ("850511", "280530")
        for row in flows(12)
    ]
    fresh = [
        {**row, "value_usd": row["value_usd"] * 1.03} if row[column] == value else row
        for row in known
    ]
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == (
        "value_usd is 1.03 times what is known for 72 of 72 changed figures.",
    )


def test_one_ratio_of_a_code_of_one_exporter_is_refused_beside_a_revision() -> None:
    """China's magnets, three quarters of what they were, among figures that are estimated anew."""
    known = [
        {**row, "exporter_iso3": exporter, "importer_iso3": row["exporter_iso3"], "hs6_code": code}
        for exporter in ("CHN", "JPN", "DEU")
        for code in ("850511", "280530")
        for row in flows(20)
    ]
    fresh = [
        {**row, "net_weight_kg": row["net_weight_kg"] * (
            0.75 if (row["exporter_iso3"], row["hs6_code"]) == ("CHN", "850511")
            else 0.9 + 0.01 * (number % 17)
        )}
        for number, row in enumerate(known)
    ]  # fmt: skip
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == (
        "net_weight_kg is 0.75 times what is known for 20 of 20 changed figures of hs6_code "
        "850511 in exporter_iso3 CHN.",
    )


@pytest.mark.parametrize(
    ("factor", "sentence"),
    [
        (1.0, ""),
        (1000.0, "value_usd is a thousand times what is known in another edition of the HS for "
                 "24 of 30 figures."),
        (0.01, "value_usd is a hundredth of what is known in another edition of the HS for "
               "24 of 30 figures."),
    ],
)  # fmt: skip
def test_a_new_edition_of_the_nomenclature_is_compared_with_the_known_one(
    factor: float, sentence: str
) -> None:
    """Four of five flows are equal in both, as in BACI; the others are of other goods."""
    known = flows(30, hs_revision="HS2017")
    fresh = [
        {**row, "hs_revision": "HS2022",
         "value_usd": row["value_usd"] * factor * (1.3 if number % 5 == 0 else 1)}
        for number, row in enumerate(known)
    ]  # fmt: skip
    objections = revision_of(RECONCILED_TRADE, known, fresh).objections
    assert objections == ((sentence,) if sentence else ())


@pytest.mark.parametrize(("step", "is_warned"), [(1.9, False), (2.2046, True), (0.45, True)])
def test_a_step_of_one_series_in_a_new_period_is_a_warning(step: float, is_warned: bool) -> None:
    tin, copper = prices(MONTHS), prices(MONTHS, instrument="COPPER")
    known = [*tin[:-1], *copper[:-1]]
    steady = {**copper[-1], "close": copper[-2]["close"] * step}
    revision = revision_of(PRICE_QUOTES, known, [tin[-1], steady])
    assert revision.objections == ()
    assert [warning.startswith("close of COPPER is ") for warning in revision.warnings] == (
        [True] if is_warned else []
    )
    assert sum("Warning: close of COPPER" in line for line in revision.lines()) == is_warned


@pytest.mark.parametrize(("moved", "is_refused"), [(9, False), (10, True)])
def test_ten_figures_a_row_off_are_named_among_many(moved: int, is_refused: bool) -> None:
    """Those of one exporter, in a file of two hundred; the figures have five digits or more."""
    known = [
        {**row, "exporter_iso3": exporter, "importer_iso3": row["exporter_iso3"],
         "value_usd": round(12_345 * (1.07 + place / 100) ** number) + 1.0}
        for place, exporter in enumerate(("CHN", "JPN", "DEU", "USA", "KOR"))
        for number, row in enumerate(flows(40))
    ]  # fmt: skip
    values = [row["value_usd"] for row in known[:moved]]
    fresh = [
        {**row, "value_usd": value}
        for row, value in zip(known, [values[-1], *values[:-1]], strict=False)
    ]
    objections = revision_of(RECONCILED_TRADE, known, [*fresh, *known[moved:]]).objections
    assert objections == (
        ("10 of 10 changed figures are known ones of other rows.",) if is_refused else ()
    )


def test_columns_and_sides_that_are_swapped_are_named() -> None:
    known = flows(9)
    columns = [
        {**row, "value_usd": row["net_weight_kg"], "net_weight_kg": row["value_usd"]}
        for row in known
    ]
    assert "net_weight_kg is what is known as value_usd for 9 of 9 figures." in (
        revision_of(RECONCILED_TRADE, known, columns).objections
    )
    both = [*known, *({**row, "exporter_iso3": "JPN", "importer_iso3": row["exporter_iso3"],
                       "value_usd": row["value_usd"] * 3} for row in known)]  # fmt: skip
    sides = [
        {**row, "exporter_iso3": row["importer_iso3"], "importer_iso3": row["exporter_iso3"]}
        for row in both
    ]
    assert (
        "18 of 18 figures are known ones of other rows."
        in revision_of(RECONCILED_TRADE, both, sides).objections
    )


def prices(values: Sequence[float], **output: Any) -> list[dict[str, Any]]:
    return [
        {"instrument": "TIN", "frequency": "M", "unit": "USD per t", "close": value,
         "price_date": date(2024 + month // 12, month % 12 + 1, 1), **output}
        for month, value in enumerate(values)
    ]  # fmt: skip


MONTHS = [30_000.0 + 137.0 * (number * 7 % 23) for number in range(22)]


def test_figures_of_the_period_before_are_named() -> None:
    moved = prices([MONTHS[0], *MONTHS[:-1]])
    assert revision_of(PRICE_QUOTES, prices(MONTHS), moved).objections == (
        "21 of 22 figures are those that are known of 1 month earlier.",
    )
    # Fewer than five may stand so by chance.
    few = prices([MONTHS[0], *MONTHS[:4], *MONTHS[5:]])
    assert revision_of(PRICE_QUOTES, prices(MONTHS), few).objections == ()


def test_working_days_of_another_year_are_named() -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(500)]
    known = [
        {"instrument": "EURUSD", "unit": "USD", "frequency": "D", "price_date": day,
         "close": 1 + number / 1009}
        for number, day in enumerate(days)
        if day.weekday() < 5
    ]  # fmt: skip
    moved = [
        {**row, "price_date": row["price_date"].replace(year=row["price_date"].year - 1)}
        for row in known
    ]
    (objection,) = revision_of(PRICE_QUOTES, known, moved).objections
    assert objection.endswith("are those that are known of 1 year later.")


@pytest.mark.parametrize(
    ("frequency", "words"), [("D", "2026-01-01"), ("M", "2026-01"), ("A", "2026")]
)
def test_a_period_is_written_as_its_frequency(frequency: str, words: str) -> None:
    def quotes(thing: str, day: date, close: float) -> list[Row]:
        return [
            {"instrument": f"{thing}{number}", "price_date": day, "frequency": frequency,
             "close": close + number / 7}
            for number in range(3)
        ]  # fmt: skip

    known = [*quotes("X", date(2025, 12, 1), 7), *quotes("Y", date(2025, 11, 1), 7)]
    zeros = [{**row, "close": 0.0} for row in quotes("X", date(2026, 1, 1), 0)]
    zeros += quotes("Y", date(2025, 12, 1), 7.1)
    assert revision_of(PRICE_QUOTES, known, zeros).objections == (
        f"close is 0 for 3 of 3 figures of price_date {words}, and was not in the period before.",
    )


@pytest.mark.parametrize(("step", "is_refused"), [(4.9, False), (5.1, True), (1 / 5.1, True)])
def test_a_price_does_not_make_a_step_of_five(step: float, is_refused: bool) -> None:
    new = prices([*MONTHS, MONTHS[-1] * step])[-1:]
    revision = revision_of(PRICE_QUOTES, prices(MONTHS), new)
    assert counts(revision) == (1, 0, 0, 0)
    assert revision.objections == (
        (f"close is {step:.3g} times that of the period before, in the middle of 1 new figure.",)
        if is_refused else ()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (10.0, ()),
        (None, ("close is 0.1 times that of the period before, in the middle of 1 new figure.",)),
        (0.1, ("close is 0.01 times that of the period before, in the middle of 1 new figure.",)),
    ],
)
def test_a_split_that_is_given_is_no_step(split: float | None, sentence: tuple[str, ...]) -> None:
    """Ten new shares for one: a close of a tenth is the same value. One for ten is another."""
    new = [{**prices([*MONTHS, MONTHS[-1] / 10])[-1], "split_ratio": split}]
    assert revision_of(PRICE_QUOTES, prices(MONTHS), new).objections == sentence


def test_a_split_that_becomes_known_is_a_changed_row() -> None:
    known = prices(MONTHS)
    assert counts(revision_of(PRICE_QUOTES, known, known)) == (0, len(known), 0, 0)
    again = [{**known[0], "split_ratio": 2.0}, *({**row, "split_ratio": None} for row in known[1:])]
    revision = revision_of(PRICE_QUOTES, known, again)
    assert counts(revision) == (0, len(known) - 1, 1, 0)
    assert revision.objections == ()


@pytest.mark.parametrize(("rows", "is_refused"), [(10, False), (9, True)])
def test_a_new_period_has_half_of_the_rows_of_the_one_before(rows: int, is_refused: bool) -> None:
    known = flows(20, period_start=date(2023, 1, 1))
    new = with_first(flows(20)[:rows], rows, value_usd=1.07, net_weight_kg=1.09)
    assert revision_of(RECONCILED_TRADE, known, new).objections == (
        ("2024 is new and has 9 rows of what the period before has 20 of.",) if is_refused else ()
    )


@pytest.mark.parametrize(
    ("figures", "factor", "is_refused"), [(9, 1.4, False), (10, 1.24, False), (10, 1.4, True)]
)
def test_half_of_ten_figures_may_not_move_by_a_fifth(
    figures: int, factor: float, is_refused: bool
) -> None:
    known = flows(figures)
    fresh = [
        {**row, "value_usd": row["value_usd"] * (factor + number / 100)} if number % 2 else row
        for number, row in enumerate(known)
    ]
    revision = revision_of(RECONCILED_TRADE, known, fresh)
    assert revision.objections == (
        ("value_usd differs by more than 20% for 5 of 10 known figures.",) if is_refused else ()
    )


def scores(**more: Any) -> list[Row]:
    """Twenty economies from -2 to 1.8; the standard deviation is 1.18."""
    return [
        {"indicator": "rule_of_law", "economy_iso3": f"E{number:02}", "year": 2023,
         "estimate": (number - 10) / 5 + 0.013, **more}
        for number in range(20)
    ]  # fmt: skip


def moved(rows: Sequence[Row], by: float) -> list[Row]:
    """Restated scores: each moved by a little more than the one before, one up, one down."""
    return [
        {**row, "estimate": row["estimate"] + (-1) ** number * by * (1 + number / 100)}
        for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize("by", [0.1, 0.3, 0.45])
def test_scores_around_zero_may_be_restated_within_half_of_their_spread(by: float) -> None:
    assert revision_of(GOVERNANCE_SCORES, scores(), moved(scores(), by)).objections == ()


def test_scores_that_move_by_more_than_half_of_their_spread_are_refused() -> None:
    # The limit is 0.59; those from the ninth on have moved by more.
    assert revision_of(GOVERNANCE_SCORES, scores(), moved(scores(), 0.55)).objections == (
        "estimate differs by more than half of the spread of all scores for 12 of 20 known "
        "figures.",
    )


def test_an_answer_may_lack_all_standard_errors_and_no_estimate() -> None:
    known = scores(standard_error=0.2)
    assert revision_of(GOVERNANCE_SCORES, known, scores()).objections == ()
    half = [{**row, "standard_error": 0.2 if number < 4 else None}
            for number, row in enumerate(known)]  # fmt: skip
    (objection,) = revision_of(GOVERNANCE_SCORES, known, half).objections
    assert objection == "standard_error is missing for 16 of 20 known figures."


# Periods that are new


def next_year(rows: Sequence[Row], change: float = 1.1, **other: Any) -> list[Row]:
    """The same flows in 2025, each a little more."""
    return [
        {**row, "period_start": date(2025, 1, 1), "value_usd": row["value_usd"] * change,
         "net_weight_kg": row["net_weight_kg"] * change, **other}
        for row in rows
    ]  # fmt: skip


def spread(exporters: int, code: str = "850511") -> list[Row]:
    """Flows of which each is three times the one before it, over again after seven."""
    return [
        {**row, "value_usd": 1e4 * 3.0 ** (number % 7), "net_weight_kg": 20.0 * 3.0 ** (number % 7)}
        for number, row in enumerate(flows(exporters, code, period_start=date(2024, 1, 1)))
    ]


def test_a_year_that_follows_is_no_slip() -> None:
    known = [*spread(60), *spread(40, "280530")]
    assert revision_of(RECONCILED_TRADE, known, next_year(known)).objections == ()
    assert revision_of(RECONCILED_TRADE, known, [*known, *next_year(known, 0.8)]).objections == ()


@pytest.mark.parametrize(("rows", "is_refused"), [(9, False), (10, True)])
def test_a_measure_that_is_missing_in_a_new_year_is_named(rows: int, is_refused: bool) -> None:
    known = spread(rows)
    fresh = next_year(known, net_weight_kg=None)
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == (
        ("net_weight_kg is missing for 10 of 10 figures, and was not in the period before.",)
        if is_refused else ()
    )  # fmt: skip


def test_new_figures_in_any_order_are_named() -> None:
    known = spread(56)
    # Largest and smallest in each other's place: 729, 81, 9, 1, 1/9, 1/81 and 1/729 times.
    values = [1.1e4 * 3.0 ** (6 - number % 7) for number in range(56)]
    mixed = [
        {**row, "value_usd": value} for row, value in zip(next_year(known), values, strict=True)
    ]
    assert revision_of(RECONCILED_TRADE, known, mixed).objections == (
        "value_usd is off the period before by a factor of 5 or more, up or down, for 48 of 56 new "
        "figures.",
    )


@pytest.mark.parametrize(("scores", "is_refused"), [(28, False), (30, True)])
def test_new_scores_off_by_half_of_the_spread_are_named(scores: int, is_refused: bool) -> None:
    """From -1.5 to 1.5 the spread is 0.9: with the other sign most are off by more than half."""
    known = [
        {"indicator": "rule_of_law", "economy_iso3": f"E{number:02}", "year": 2023,
         "estimate": 3 * (number - scores / 2) / scores + 0.013}
        for number in range(scores)
    ]  # fmt: skip
    fresh = [{**row, "year": 2024, "estimate": row["estimate"] + 0.05} for row in known]
    assert revision_of(GOVERNANCE_SCORES, known, fresh).objections == ()
    turned = revision_of(
        GOVERNANCE_SCORES, known, [{**row, "estimate": -row["estimate"]} for row in fresh]
    )
    assert [words[:72] for words in turned.objections] == (
        ["estimate is off the period before by more than half of the spread of all"]
        if is_refused else []
    )  # fmt: skip


def test_new_flows_under_another_economy_or_the_wrong_way_round_are_named() -> None:
    known = [
        {**row, "importer_iso3": importer}
        for importer in ("JPN", "KOR", "USA")
        for row in spread(9)
    ]
    fresh = next_year(known)
    renamed = [{**row, "importer_iso3": "FJI"} if row["importer_iso3"] == "KOR" else row
               for row in fresh]  # fmt: skip
    assert revision_of(RECONCILED_TRADE, known, renamed).objections == (
        "importer_iso3 FJI is new, with figures near those of KOR, which has none any more (9 of 9 "
        "rows).",
    )
    turned = [
        {**row, "exporter_iso3": row["importer_iso3"], "importer_iso3": row["exporter_iso3"]}
        for row in fresh
    ]
    assert revision_of(RECONCILED_TRADE, known, turned).objections == (
        "exporter_iso3 and importer_iso3 are the other way round for 27 of 27 new rows.",
    )
    # The same economies' exports in the other direction are other figures.
    others = [{**row, "value_usd": 1e9 / row["value_usd"] ** 2} for row in turned]
    assert revision_of(RECONCILED_TRADE, known, others).objections == ()


@pytest.mark.parametrize(
    ("former", "successor", "year", "is_refused"),
    [
        ("SCG", "SRB", 2006, False), ("SCG", "SRB", 2010, True), ("SCG", "ALB", 2006, True),
        ("_X", "ZAF", 2000, False), ("_X", "ALB", 2000, True),
    ],
)  # fmt: skip
def test_an_economy_gives_way_to_those_that_succeed_it_and_then_only(
    former: str, successor: str, year: int, is_refused: bool
) -> None:
    def of(exporter: str, number: int) -> list[Row]:
        others = [row for code in ("280530", "850511", "811292") for row in spread(12, code)]
        own = [
            {**row, "exporter_iso3": exporter, "importer_iso3": f"I{at:02}"}
            for code in ("280530", "850511", "811292")
            for at, row in enumerate(spread(12, code))
        ]
        return [{**row, "period_start": date(number, 1, 1)} for row in (*others, *own)]

    known = of(former, year - 1)
    fresh = [{**row, "value_usd": row["value_usd"] * 1.1} for row in of(successor, year)]
    objections = revision_of(RECONCILED_TRADE, known, fresh).objections
    assert bool(objections) == is_refused
    if is_refused:
        assert objections[0].startswith(f"exporter_iso3 {successor} is new, with figures near ")


@pytest.mark.parametrize(
    ("code", "edition", "year", "is_refused"),
    [
        ("811230", "HS1992", 2007, False), ("811230", "HS1992", 2008, True),
        ("811230", "HS2017", 2007, True), ("811292", "HS1992", 2007, True),
    ],
)  # fmt: skip
def test_a_code_has_fewer_rows_where_its_nomenclature_changed_and_only_there(
    code: str, edition: str, year: int, is_refused: bool
) -> None:
    def of(number: int, rows: int, change: float = 1.0) -> list[Row]:
        named = {"hs_revision": edition, "period_start": date(number, 1, 1)}
        found = [*spread(rows, code), *spread(60, "280530")]
        return [{**row, **named, "value_usd": row["value_usd"] * change} for row in found]

    objections = revision_of(RECONCILED_TRADE, of(year - 1, 40), of(year, 8, 1.1)).objections
    assert objections == (
        (f"{year} is new and has 8 rows of {code} of what the period before has 40 of.",)
        if is_refused
        else ()
    )


def test_what_is_not_published_may_be_without_any_flow_in_the_next_year() -> None:
    known = [*spread(60), *({**row, "importer_iso3": "_X"} for row in spread(45))]
    assert revision_of(RECONCILED_TRADE, known, next_year(known[:60])).objections == ()


def test_the_next_edition_may_name_fewer_of_the_small_producers_and_withhold_a_few() -> None:
    def edition(number: int, producers: int, germanium: float | None) -> list[Row]:
        mines = [
            {"label": "Manganese", "stage": "extraction", "scope_iso3": "WLD", "year": 2023,
             "economy_iso3": f"P{at:02}", "edition": number,
             "amount_t": 7_000_000.0 if at >= 12 else 10_000.0 + 137 * at}
            for at in range(18 - producers, 18)
        ]  # fmt: skip
        refined = [
            {"label": "Germanium", "stage": "processing", "scope_iso3": "WLD", "year": 2023,
             "economy_iso3": f"P{at:02}", "edition": number,
             "amount_t": germanium and germanium * (at + 1)}
            for at in range(4)
        ]  # fmt: skip
        return [*mines, *refined]

    known = edition(2024, 18, 31.0)
    assert revision_of(PRODUCTION, known, edition(2025, 12, None)).objections == ()
    # The same edition again is the same text.
    again = " ".join(revision_of(PRODUCTION, known, edition(2024, 12, None)).objections)
    assert "It would replace 18 rows of Manganese" in again
    assert "amount_t is missing for 4 of 4 known figures" in again
    # Some of the large ones are not what is small.
    lost = [row for row in edition(2025, 18, 31.0) if row["economy_iso3"] not in ("P13", "P14")]
    assert revision_of(PRODUCTION, known, lost).objections[0] == (
        "It would replace 18 rows of Manganese extraction 2023 (42,129,042 t) by 16 (28,129,042 t)."
    )


def test_a_yearly_average_may_end() -> None:
    def averages(year: int, *names: str) -> list[Row]:
        return [
            {"instrument": name, "price_date": date(year, 1, 1), "frequency": "A",
             "unit": "USD per kg", "close": 10.0 + at}
            for at, name in enumerate(names)
        ]  # fmt: skip

    known = [row for year in (2021, 2022) for row in averages(year, "COBALT", "COBALT_LME", "TIN")]
    assert revision_of(PRICE_QUOTES, known, averages(2023, "COBALT", "TIN")).objections == ()


def test_a_reporter_may_report_for_the_first_time_and_alone() -> None:
    def reported(by: str, year: int, change: float) -> list[Row]:
        return [
            {"reporter_iso3": by, "partner_iso3": row["exporter_iso3"], "flow": "import",
             "commodity_code": "850511", "frequency": "A", "period_start": date(year, 1, 1),
             "value_usd": row["value_usd"] * change}
            for row in spread(9)
        ]  # fmt: skip

    known = [*reported("AUS", 2023, 1.0), *reported("CAN", 2023, 1.4)]
    assert revision_of(TRADE_FLOWS, known, reported("NZL", 2024, 1.2)).objections == ()


@pytest.mark.parametrize(
    ("rows", "of_the_second_code", "is_refused"),
    [(19, 9, False), (20, 9, True), (39, 0, False), (40, 0, True)],
)
def test_an_economy_of_many_flows_is_not_without_any_in_the_next_year(
    rows: int, of_the_second_code: int, is_refused: bool
) -> None:
    second = spread(of_the_second_code, "280530")
    of_one = [
        {**row, "importer_iso3": "KOR"} for row in [*spread(rows - of_the_second_code), *second]
    ]
    known = [*spread(60), *spread(60, "280530"), *of_one]
    fresh = next_year([row for row in known if row not in of_one])
    assert revision_of(RECONCILED_TRADE, known, fresh).objections == (
        (f"importer_iso3: KOR is in {rows} rows of the period before 2025 and in none of it.",)
        if is_refused
        else ()
    )


@pytest.mark.parametrize(
    ("frequency", "series", "share", "is_refused"),
    [
        ("M", 3, 0.033, False), ("M", 3, 0.06, True), ("M", 4, 0.02, True), ("M", 4, 0.005, False),
        ("A", 3, 0.02, True),
    ],
)  # fmt: skip
def test_a_partner_of_three_series_may_be_without_any_in_the_next_month(
    frequency: str, series: int, share: float, is_refused: bool
) -> None:
    """As the United Kingdom's was with Saudi Arabia in 2026-02."""

    def period(first_day: date, change: float, *, is_whole: bool) -> list[Row]:
        named = {
            "reporter_iso3": "GBR", "flow": "import", "frequency": frequency,
            "period_start": first_day,
        }  # fmt: skip
        others = [
            {"partner_iso3": f"E{number}", "commodity_code": f"28053{code}",
             "value_usd": 1e5 * (number + 1) * change, **named}
            for code in range(6) for number in range(5)
        ]  # fmt: skip
        value = share / (1 - share) * sum(row["value_usd"] for row in others) / series
        own = [
            {"partner_iso3": "SAU", "commodity_code": f"28053{code}", "value_usd": value, **named}
            for code in range(series)
        ]
        return [*others, *own] if is_whole else others

    known = period(date(2026, 1, 1), 1.0, is_whole=True)
    next_one = date(2026, 2, 1) if frequency == "M" else date(2027, 1, 1)
    objections = revision_of(TRADE_FLOWS, known, period(next_one, 1.1, is_whole=False)).objections
    words = f"{next_one:%Y-%m}" if frequency == "M" else "2027"
    assert objections == (
        (f"partner_iso3: SAU is in {series} rows of the period before {words} and in none of it.",)
        if is_refused
        else ()
    )


@pytest.mark.parametrize("is_alone", [False, True])
@pytest.mark.parametrize(("factor", "is_refused"), [(0.098, False), (0.01, True)])
def test_exports_of_a_month_may_fall_to_a_tenth_when_controls_begin(
    factor: float, is_refused: bool, is_alone: bool
) -> None:
    def month(first_day: date, of_natural: float, of_artificial: float) -> list[Row]:
        return [
            {"reporter_iso3": "CHN", "partner_iso3": row["exporter_iso3"], "flow": "export",
             "commodity_code": code, "frequency": "M", "period_start": first_day,
             "value_usd": row["value_usd"] * by}
            for code, by in (("250410", of_natural), ("380110", of_artificial))
            for row in spread(20, code)
        ]  # fmt: skip

    known, fresh = month(date(2023, 11, 1), 1, 1), month(date(2023, 12, 1), factor, 1.1)
    # Alone in a file, the whole of it is that commodity.
    of = " of commodity_code 250410" if not is_alone else ""
    fresh = [row for row in fresh if not is_alone or row["commodity_code"] == "250410"]
    assert revision_of(TRADE_FLOWS, known, fresh).objections == (
        (f"value_usd{of} is 0.01 times that of the period before, in the middle of 20 new "
         "figures.",) if is_refused else ()
    )  # fmt: skip


@pytest.mark.parametrize(("factor", "is_refused"), [(4.9, False), (10.0, True)])
def test_all_commodities_of_a_month_do_not_become_ten_times_as_much(
    factor: float, is_refused: bool
) -> None:
    def month(first_day: date, by: float) -> list[Row]:
        return [
            {"reporter_iso3": "CHN", "partner_iso3": row["exporter_iso3"], "flow": "export",
             "commodity_code": code, "frequency": "M", "period_start": first_day,
             "value_usd": row["value_usd"] * by}
            for code in ("250410", "380110")
            for row in spread(20, code)
        ]  # fmt: skip

    known, fresh = month(date(2023, 11, 1), 1), month(date(2023, 12, 1), factor)
    assert revision_of(TRADE_FLOWS, known, fresh).objections == (
        ("value_usd is 10 times that of the period before, in the middle of 40 new figures.",)
        if is_refused
        else ()
    )


def test_a_file_that_ends_within_a_new_year_was_cut() -> None:
    known = [*spread(12), *spread(12, "280530")]
    fresh = next_year(known)
    assert revision_of(RECONCILED_TRADE, known, [*known, *fresh[:11]]).objections == (
        "2025 is new and has 11 rows of what the period before has 24 of.",
    )
    assert revision_of(RECONCILED_TRADE, known, [*known, *fresh[:12]]).objections == ()
    # Of one code alone nobody can see that there are others.
    assert revision_of(RECONCILED_TRADE, known, fresh[:12]).objections == ()


# Facts


def milestones(count: int, **output: Any) -> list[dict[str, Any]]:
    return [
        {"milestone_id": f"M{number}", "title": f"title {number}", "statement": f"said {number}",
         "known_at": date(2024, 2, number + 1), "event_date": date(2023, 2, number + 1),
         "evidence_class": "official", **output}
        for number in range(count)
    ]  # fmt: skip


def test_facts_that_are_gone_or_swapped_are_named() -> None:
    known = milestones(6)
    for change, sentence in (
        (lambda row: {"statement": None}, "statement is missing for 6 of 6 known facts."),
        (lambda row: {"title": row["statement"], "statement": row["title"]},
         "title is what is known as statement for 6 of 6 facts that changed."),
    ):  # fmt: skip
        fresh = [{**row, **change(row)} for row in known]
        assert revision_of(MILESTONES, known, fresh).objections[0] == sentence
        two = [*fresh[:2], *known[2:]]
        revision = revision_of(MILESTONES, known, two)
        assert counts(revision) == (0, 4, 2, 0)
        assert revision.objections == ()


def clauses(names: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    return [
        {"measure_id": "M", "clause_id": f"C{number}", "target_names": list(some),
         "announced_date": date(2024, 1, 1), "known_at": date(2024, 1, 1)}
        for number, some in enumerate(names)
    ]  # fmt: skip


def test_a_list_that_lost_an_entry_or_has_another_one_is_a_fact_that_changed() -> None:
    known = [["Aoki", "Berg"], ["Berg", "Aoki"], ["Cole"], [], ["Dent"]]
    for fresh, changed in (
        ([["Berg", "Aoki"], ["Aoki", "Berg"], ["Cole"], [], ["Dent"]], 0),  # the order is none
        ([["Aoki"], *known[1:]], 1),
        ([known[0], known[2], known[1], *known[3:]], 2),
        ([*known[:3], ["Ede"], []], 2),
    ):
        revision = revision_of(RESTRICTION_CLAUSES, clauses(known), clauses(fresh))
        assert counts(revision) == (0, 5 - changed, changed, 0)
        assert revision.objections == ()


def test_lists_that_are_gone_or_all_others_are_named() -> None:
    known = [[f"name {number}"] for number in range(10)]
    for fresh, words in (
        ([[]] * 10, "missing for 10 of 10 known"), ([*known[1:], known[0]], "another than known "
                                                    "for 10 of 10"),
    ):  # fmt: skip
        assert revision_of(RESTRICTION_CLAUSES, clauses(known), clauses(fresh)).objections == (
            f"target_names is {words} facts.",
        )


def test_ten_facts_may_not_all_say_something_else() -> None:
    for count in (9, 10):
        known = milestones(count)
        fresh = [{**row, "title": f"another {row['title']}"} for row in known]
        assert revision_of(MILESTONES, known, fresh).objections == (
            ("title is another than known for 10 of 10 facts.",) if count == 10 else ()
        )


def test_three_of_nine_entries_may_not_go() -> None:
    known = milestones(9)
    assert revision_of(MILESTONES, known, [known[0], *known[3:]]).objections == ()
    (objection,) = revision_of(MILESTONES, known, [known[0], *known[4:]]).objections
    assert objection == "It would replace 9 rows of x by 6."


# Whatever the figures are


MEASURES = [
    (table, name)
    for table in LAKE_TABLES.values()
    for name, column in table.columns.items()
    if column.dtype == pl.Float64
    and name not in NUMERIC_FACTS
    # A scenario replaces the one of its name as a whole, and is compared with nothing.
    and table.name != "scenario_changes"
]


@pytest.mark.parametrize(
    ("table", "measure"), MEASURES, ids=lambda value: getattr(value, "name", value)
)
def test_a_thousand_times_is_refused_of_three_figures_of_any_measure(
    table: LakeTable, measure: str
) -> None:
    name = next(
        name for name in table.key
        if (table.columns[name].dtype == pl.String and name not in ("source", *table.vintage_slice))
        or (name == table.key[-1] and table.columns[name].dtype == pl.String)
        or name in ("instrument", "indicator", "label", "clause_id", "claim_id")
    )  # fmt: skip
    for count in (3, 7):
        known = [{name: f"X{number}", measure: 0.3 + number / 11} for number in range(count)]
        for factor, words in ((1000, "a thousand times"), (0.001, "a thousandth of")):
            fresh = with_first(known, count, **{measure: factor})
            output = " ".join(revision_of(table, known, fresh).objections)
            assert f"{measure} is {words} what is known for {count} of {count} figures" in output


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_a_table_that_is_empty_or_without_figures_is_no_slip(table: LakeTable) -> None:
    one, empty = frame(table, [{}]), table.empty()
    without = one.with_columns(
        pl.lit(None, column.dtype).alias(name)
        for name, column in table.columns.items()
        if column.nullable
    )
    for known, fresh in ((empty, one), (one, empty), (empty, empty), (without, without)):
        after = fresh if fresh.height else known
        revision = compare_with_known(table, known, fresh, after)
        assert revision.objections == ()
        assert sum(counts(revision)) == fresh.height


@given(st.permutations(range(18)), st.sampled_from([1.0, 1.1, 10.0, -1.0, 0.0]), st.integers(0, 18))
def test_the_order_of_the_rows_decides_nothing(
    order: list[int], factor: float, changed: int
) -> None:
    known = [*flows(9), *flows(9, "280530")]
    fresh = with_first(known, changed, value_usd=factor)
    straight = revision_of(RECONCILED_TRADE, known, fresh)
    shuffled = revision_of(RECONCILED_TRADE, known, [fresh[number] for number in order])
    assert set(shuffled.objections) == set(straight.objections)
    assert counts(shuffled) == counts(straight)


@given(st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=40))
def test_equal_figures_are_as_known(values: list[float]) -> None:
    rows = prices(values)
    revision = revision_of(PRICE_QUOTES, rows, rows)
    assert counts(revision) == (0, len(rows), 0, 0)
    assert revision.objections == ()

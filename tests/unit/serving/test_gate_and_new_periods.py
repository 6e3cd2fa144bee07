"""A new period that is several times the one before is news; in another unit it blocks.

On the bundled flows of BACI, as one file after the other brings them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from dagster_project.serving import gate
from dagster_project.settings import BUNDLED
from tests.unit.serving.test_gate import OTHER, RIGHT, SLIP, kinds, sentence, warehouse
from tests.unit.serving.test_gate import compare as compare_files

LITHIUM, TIN = "283691", "260900"
OF_LITHIUM = pl.col("hs6_code") == LITHIUM


@cache
def baci() -> pl.DataFrame:
    files = sorted((BUNDLED / "baci").glob("*.parquet"))
    measures = pl.col("value_usd", "net_weight_kg").cast(pl.Float64)
    return pl.concat(pl.read_parquet(file) for file in files).with_columns(
        measures, snapshot_id=pl.lit(RIGHT[0])
    )


def year(number: int) -> pl.DataFrame:
    """A year as a new file has it."""
    return baci().filter(pl.col("year") == number).with_columns(snapshot_id=pl.lit(SLIP[0]))


def until(number: int) -> pl.DataFrame:
    """The two years that are known."""
    return baci().filter(pl.col("year").is_in((number - 1, number)))


def times(factor: float, column: str, where: pl.Expr | None = None) -> Callable[..., pl.DataFrame]:
    return lambda rows: rows.with_columns(
        pl.when(where if where is not None else pl.lit(True))
        .then(pl.col(column) * factor)
        .otherwise(column)
    )


def year_after_2021(lithium: float = 6.69465, weight: float = 1.2) -> pl.DataFrame:
    """A year like 2021, in which lithium carbonate became dear: from 1,526,814,994 dollars to
    10,221 million, as it did in 2022.
    """
    rows = year(2021).with_columns(year=pl.lit(2022, pl.Int32))
    return rows.pipe(times(lithium, "value_usd", OF_LITHIUM)).pipe(
        times(weight, "net_weight_kg", OF_LITHIUM)
    )


@pytest.fixture
def compare(tmp_path: Path) -> Callable[[pl.DataFrame, pl.DataFrame], gate.ReleaseComparison]:
    def compared(before: pl.DataFrame, after: pl.DataFrame) -> gate.ReleaseComparison:
        files = []
        for name, flows, snapshots in (
            ("before", before, [RIGHT, OTHER]),
            ("after", after, [RIGHT, SLIP, OTHER]),
        ):
            file = tmp_path / f"{name}.duckdb"
            file.unlink(missing_ok=True)
            files.append(warehouse(file, {"trade.baci_flows": flows}, snapshots))
        return compare_files(files[0], files[1], sources_of={"trade.baci_flows": {"un"}})

    return compared


Compare = Callable[[pl.DataFrame, pl.DataFrame], gate.ReleaseComparison]


def news(compared: gate.ReleaseComparison) -> list[str]:
    return [each.sentence for each in compared.news]


def test_a_code_that_became_dear_is_published_with_a_warning(compare: Compare) -> None:
    found = compare(until(2021), pl.concat([until(2021), year_after_2021()]))
    assert found.losses == []
    assert news(found) == [
        "value_usd of 283691 in 2022 in trade.baci_flows is 10,221,492,000, after 1,526,814,994 "
        "in the year before (brought by un-2 (slip.csv))."
    ]
    (check,) = found.checks
    assert (check.layer, check.table_name, check.engine) == ("mart", "trade.baci_flows", "gate")
    assert (check.check_name, check.status, check.failing_rows) == (gate.NEWS, "failed", 1)
    assert check.observed == news(found)[0]
    assert not check.blocks
    assert news(found)[0] in found.page


def test_it_is_one_also_where_it_comes_alone(compare: Compare) -> None:
    alone = year_after_2021().filter(OF_LITHIUM)
    found = compare(until(2021), pl.concat([until(2021), alone]))
    assert found.losses == []
    assert len(news(found)) == 1


@pytest.mark.parametrize("factor", [12, 1 / 12])
def test_a_weight_that_is_twelve_times_that_before_is_a_warning(
    compare: Compare, factor: float
) -> None:
    found = compare(until(2021), pl.concat([until(2021), year_after_2021(1.0, factor)]))
    assert found.losses == []
    (warning,) = news(found)
    assert warning.startswith("net_weight_kg of 283691 in 2022 in trade.baci_flows is ")
    assert warning.endswith(", after 198,047,333 in the year before (brought by un-2 (slip.csv)).")


def test_a_true_year_with_impossible_weights_is_published_with_warnings(compare: Compare) -> None:
    """2014 as CEPII has it: 2,955,139 t of tin ore, and of zirconium ore."""
    found = compare(until(2013), pl.concat([until(2013), year(2014)]))
    assert found.losses == []
    assert [warning.partition(" in trade.")[0] for warning in news(found)] == [
        "net_weight_kg of 260900 in 2014", "net_weight_kg of 261400 in 2014",
    ]  # fmt: skip
    assert "is 2,955,139,431, after 47,250,546 in the year before" in news(found)[0]


@pytest.mark.parametrize(
    ("new", "factor", "column"),
    [
        (2009, 1000, "value_usd"), (2009, 1 / 1000, "net_weight_kg"), (2010, 10, "value_usd"),
        (2021, 1 / 10, "net_weight_kg"), (2021, 100, "value_usd"),
    ],
)  # fmt: skip
def test_a_year_in_another_power_of_ten_blocks(
    compare: Compare, new: int, factor: float, column: str
) -> None:
    """2009 too, when half of the codes lost a third of their value."""
    slip = times(factor, column)(year(new))
    found = compare(until(new - 1), pl.concat([until(new - 1), slip]))
    assert set(kinds(found)) == {"magnitudes_are_kept"}
    blocking = sentence(found, "magnitudes_are_kept")
    assert blocking.startswith(f"{column} of ")
    assert f" in {new} in trade.baci_flows would change from " in blocking
    assert " against the year before, and " in blocking
    assert blocking.endswith("more like it (brought by un-2 (slip.csv)).")


@pytest.mark.parametrize(
    ("new", "factor"),
    [(2004, 1 / 907.185), (2009, 2.20462), (2010, 1 / 2.20462), (2021, 1 / 28.3495)],
)
def test_a_year_weighed_in_pounds_ounces_or_short_tons_blocks(
    compare: Compare, new: int, factor: float
) -> None:
    slip = times(factor, "net_weight_kg")(year(new))
    found = compare(until(new - 1), pl.concat([until(new - 1), slip]))
    assert sentence(found, "magnitudes_are_kept").startswith("net_weight_kg of ")


@pytest.mark.parametrize(("new", "factor"), [(2009, 2.20462), (2010, 1 / 2.20462)])
def test_dollars_are_in_no_unit_of_weight(compare: Compare, new: int, factor: float) -> None:
    dear = times(factor, "value_usd")(year(new))
    found = compare(until(new - 1), pl.concat([until(new - 1), dear]))
    assert "magnitudes_are_kept" not in kinds(found)


@pytest.mark.parametrize("codes", [[LITHIUM], [LITHIUM, TIN]])
def test_a_file_of_one_or_two_codes_in_another_unit_blocks(
    compare: Compare, codes: list[str]
) -> None:
    for factor in (1000, 1 / 1000):
        slip = times(factor, "value_usd")(year(2021).filter(pl.col("hs6_code").is_in(codes)))
        found = compare(until(2020), pl.concat([until(2020), slip]))
        assert kinds(found) == ["magnitudes_are_kept"]
        assert not news(found)


def test_news_with_which_known_figures_change_blocks(compare: Compare) -> None:
    """The same file has another 2020 of lithium: half more than is known."""
    known = pl.col("year") == 2020
    # The revision is not one ratio: half of the flows rise by 1.7, the others by 1.3.
    half = pl.col("value_usd").rank("ordinal") % 2 == 0
    revised = until(2021).pipe(times(1.7, "value_usd", known & OF_LITHIUM & half))
    revised = revised.pipe(times(1.3, "value_usd", known & OF_LITHIUM & ~half))
    found = compare(until(2021), pl.concat([revised, year_after_2021()]))
    assert kinds(found) == ["magnitudes_are_kept"]
    assert "would change from 1,526,814,994 to 10,221,492,000 against the year before" in (
        sentence(found, "magnitudes_are_kept")
    )
    # By a tenth or so, as publishers revise: it is news.
    revised = until(2021).pipe(times(1.15, "value_usd", known & OF_LITHIUM & half))
    revised = revised.pipe(times(1.05, "value_usd", known & OF_LITHIUM & ~half))
    found = compare(until(2021), pl.concat([revised, year_after_2021()]))
    assert found.losses == []
    assert len(news(found)) == 1


def test_a_known_year_that_is_seven_times_what_it_was_blocks(compare: Compare) -> None:
    changed = times(7, "value_usd", OF_LITHIUM & (pl.col("year") == 2020))(until(2020))
    after = pl.concat([changed, year(2021)])
    assert sentence(compare(until(2020), after), "magnitudes_are_kept") == (
        "value_usd of 283691 in 2020 in trade.baci_flows would change from 1,022,136,382 to "
        "7,154,954,674 (brought by un-2 (slip.csv))."
    )


def months(*factors: float, code: str = "280530") -> pl.DataFrame:
    """Twenty flows a month, each month times a factor of a thousand dollars."""
    return pl.DataFrame(
        [
            {
                "source": "un", "reporter_iso3": f"E{number:02}", "partner_iso3": "CHN",
                "flow": "import", "commodity_code": code, "frequency": "M",
                "period_start": date(2025, month, 1), "value_usd": 1000.0 * factor,
                "snapshot_id": RIGHT[0] if month < len(factors) else SLIP[0],
            }
            for number in range(20)
            for month, factor in enumerate(factors, start=1)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("factors", "is_blocking"),
    [
        ((1.0, 12.0), False), ((1.0, 1000.0), True), ((1.0, 1.0, 4.0), False),
        ((1.0, 1.0, 1.0, 0.25), False), ((1.0, 3.0, 12.0), False), ((1.0, 3.0, 2000.0), True),
    ],
)  # fmt: skip
def test_a_new_month_of_a_known_year_is_no_change_of_that_year(
    tmp_path: Path, factors: tuple[float, ...], is_blocking: bool
) -> None:
    before = warehouse(
        tmp_path / "before", {"trade.reported_flows": months(*factors[:-1])}, [RIGHT]
    )
    after = warehouse(tmp_path / "after", {"trade.reported_flows": months(*factors)}, [RIGHT, SLIP])
    found = compare_files(before, after)
    assert kinds(found) == (["magnitudes_are_kept"] if is_blocking else [])
    figures = {
        (1.0, 12.0): "2025-02 (M, import) in trade.reported_flows of un is 240,000, after 20,000",
        (1.0, 3.0, 12.0): "2025-03 (M, import) in trade.reported_flows of un is 240,000, "
        "after 40,000 on average",
    }.get(factors)
    assert news(found) == (
        [f"value_usd of 280530 in {figures} in the periods before (brought by un-2 (slip.csv))."]
        if figures
        else []
    )
    if factors[-1] == 2000:
        assert "from 40,000 to 40,000,000 on average against the periods before" in (
            sentence(found, "magnitudes_are_kept")
        )


def test_the_first_month_of_a_year_is_compare_a_month_of_the_year_before(
    tmp_path: Path,
) -> None:
    known = months(1.0, 1.0, 1.0, 1.0)
    before = warehouse(tmp_path / "before", {"trade.reported_flows": known}, [RIGHT])
    for factor, expected in ((1.0, []), (6.0, ["is 120,000, after 20,000 on average in the"])):
        january = known.filter(pl.col("period_start") == date(2025, 1, 1)).with_columns(
            period_start=pl.lit(date(2026, 1, 1)), value_usd=1000 * factor,
            snapshot_id=pl.lit(SLIP[0]),
        )  # fmt: skip
        after = warehouse(
            tmp_path / f"after {factor}", {"trade.reported_flows": pl.concat([known, january])},
            [RIGHT, SLIP],
        )  # fmt: skip
        found = compare_files(before, after)
        assert found.losses == []
        assert len(news(found)) == len(expected)
        assert all(words in sentence for words, sentence in zip(expected, news(found), strict=True))


def test_a_known_month_that_is_a_thousand_times_too_high_blocks(tmp_path: Path) -> None:
    before = warehouse(tmp_path / "before", {"trade.reported_flows": months(1, 1)}, [RIGHT])
    after = warehouse(tmp_path / "after", {"trade.reported_flows": months(1000, 1, 1)}, [SLIP])
    assert kinds(compare_files(before, after)) == ["magnitudes_are_kept"]


def test_what_is_made_of_news_is_not_listed_again(tmp_path: Path) -> None:
    flows = pl.concat([until(2021), year_after_2021()]).filter(OF_LITHIUM)
    made = flows.select(
        "importer_iso3", "year", mineral_group=pl.lit("lithium"), measure=pl.lit("value_usd"),
        supplier_iso3="exporter_iso3", amount="value_usd",
    )  # fmt: skip
    is_known = pl.col("year") <= 2021

    def found(*, with_flows: bool) -> list[str]:
        files = []
        for name, where, snapshots in (
            ("before", is_known, [RIGHT]),
            ("after", pl.lit(True), [RIGHT, SLIP]),
        ):
            marts = {"dependency.shares": made.filter(where)}
            if with_flows:
                marts["trade.baci_flows"] = flows.filter(where)
            path = tmp_path / f"{name} {with_flows}"
            files.append(warehouse(path, marts, snapshots))
        tables = ("trade.baci_flows", "dependency.shares")
        compared = compare_files(files[0], files[1], sources_of={name: {"un"} for name in tables})
        assert compared.losses == []
        return [each.table for each in compared.news]

    assert found(with_flows=True) == ["trade.baci_flows"]
    assert found(with_flows=False) == ["dependency.shares"]


@pytest.mark.parametrize(("importers", "is_news"), [(4, True), (5, False)])
def test_imports_of_twice_as_many_economies_are_another_total(
    tmp_path: Path, importers: int, is_news: bool
) -> None:
    """A month in which others report too, whose imports are larger: their total is no step."""

    def shares(number: int, economies: int, amount: float) -> pl.DataFrame:
        return pl.DataFrame(
            [
                {
                    "importer_iso3": f"I{importer}", "supplier_iso3": f"S{supplier}",
                    "mineral_group": "lithium", "measure": "value_usd", "frequency": "M",
                    "period_start": date(2024, number, 1), "amount": amount,
                }
                for importer in range(economies)
                for supplier in range(10)
            ]
        )  # fmt: skip

    known = shares(11, 2, 10.0)
    new = pl.concat([known, shares(12, importers, 60.0)])
    before = warehouse(tmp_path / "before", {"dependency.shares": known}, [RIGHT])
    after = warehouse(tmp_path / "after", {"dependency.shares": new}, [RIGHT, SLIP])
    found = compare_files(before, after)
    assert found.losses == []
    assert bool(news(found)) == is_news


@pytest.mark.parametrize(
    ("column", "expected"),
    [("production_high_t", []), ("production_t", ["magnitudes_are_kept"])],
)
def test_what_each_of_many_may_have_of_one_rest_is_no_total(
    tmp_path: Path, column: str, expected: list[str]
) -> None:
    """Rare earths by the USGS: of 2019 a rest of 20,500 t may be anyone's, of 2020 one of 100 t."""

    def reliance(year: int, tonnes: float) -> pl.DataFrame:
        return pl.DataFrame(
            [
                {
                    "economy_iso3": f"E{number:02}", "mineral_group": "rare_earths", "year": year,
                    "source": "un", column: tonnes,
                }
                for number in range(20)
            ]
        )  # fmt: skip

    known = reliance(2019, 20_500.0)
    new = pl.concat([known, reliance(2020, 100.5)])
    name = "dependency.import_reliance"
    before = warehouse(tmp_path / "before", {name: known}, [RIGHT])
    after = warehouse(tmp_path / "after", {name: new}, [RIGHT, SLIP])
    assert kinds(compare_files(before, after, sources_of={name: {"un"}})) == expected

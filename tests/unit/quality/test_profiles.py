"""Large frames in blocks: the verdict of the whole frame, its rows and words, in bounded memory."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality import profiles
from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Rule, Suite, quarantine, report, stop
from dagster_project.quality.runner import BatchVerdict, evaluate, evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from tests.nightly import nightly

TODAY = date(2026, 11, 25)
WHOLE, PROFILE = 10**9, 0


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a frame of some hundred rows has many blocks."""
    monkeypatch.setattr(profiles, "BLOCK_ROWS", 97)


def suite_of(*rules: Rule) -> Suite:
    return Suite("lake", "quotes", rules)


def rare(
    rng: np.random.Generator, rows: int, good: object, bad: object, share: float
) -> list[object]:
    return [bad if odd else good for odd in rng.random(rows) < share]


def trade(seed: int, rows: int = 900, share: float = 0.01) -> pl.DataFrame:
    """Flows with faults of every kind in a few rows, repeated keys among them."""
    rng = np.random.default_rng(seed)
    codes = ["280530", "284610", "850511"]
    weights = np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(5, 2, rows))
    frame = pl.DataFrame(
        {
            "source": ["comtrade"] * rows,
            "reporter_iso3": rng.choice(["JPN", "CHN", "USA"], rows),
            "partner_iso3": rng.choice(["WLD", "DEU", "FRA", "VNM", "_X"], rows),
            "flow": rare(rng, rows, "import", "transit", share),
            "commodity_code": rng.choice([*codes, "28053"], rows, p=[0.4, 0.3, 0.29, 0.01]),
            "is_basket": [False] * rows,
            "hs_revision": rare(rng, rows, "HS2022", None, share),
            "frequency": ["A"] * rows,
            "period_start": [
                date(int(year), 1, int(day))
                for year, day in zip(
                    rng.integers(1985, 2030, rows), 1 + (rng.random(rows) < share), strict=True
                )
            ],
            "value_usd": np.where(rng.random(rows) < share, -1.0, rng.lognormal(8, 3, rows)),
            "net_weight_kg": pl.Series(weights).fill_nan(None),
            "valuation": rare(rng, rows, "CIF", "EXW", share),
            "document": ["a.json"] * rows,
            "vintage_at": [datetime(2026, 1, 1)] * rows,
            "is_provisional": rare(rng, rows, False, None, share),
            "snapshot_id": [""] * rows,
        },
        strict=False,
    )
    return LAKE_TABLES["trade_flows"].conform(frame)


def reconciled(seed: int, rows: int = 900, share: float = 0.01) -> pl.DataFrame:
    flows = trade(seed, rows, share)
    return LAKE_TABLES["reconciled_trade"].conform(
        flows.select(
            "source",
            "period_start",
            "value_usd",
            "net_weight_kg",
            "is_provisional",
            "document",
            "vintage_at",
            "snapshot_id",
            "hs_revision",
            exporter_iso3="partner_iso3",
            importer_iso3="reporter_iso3",
            hs6_code="commodity_code",
        )
    )


def same_results(one: list[CheckResult], other: list[CheckResult]) -> None:
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert (mine.check_name, mine.status, mine.observed, mine.failing_rows) == (
            theirs.check_name, theirs.status, theirs.observed, theirs.failing_rows,
        )  # fmt: skip
        assert (mine.sample is None) == (theirs.sample is None)
        if mine.sample is not None and theirs.sample is not None:
            assert mine.sample.equals(theirs.sample)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=nightly) for seed in (1, 2))])
@pytest.mark.parametrize(
    ("table", "make"), [("trade_flows", trade), ("reconciled_trade", reconciled)]
)
def test_a_file_in_blocks_has_the_verdict_of_the_whole_frame(
    table: str, make: object, seed: int, tmp_path: Path
) -> None:
    frame = make(seed)  # type: ignore[operator]
    frame.write_parquet(tmp_path / "rows.parquet", row_group_size=61)
    scan = pl.scan_parquet(tmp_path / "rows.parquet")
    suite = LAKE_SUITES[table]
    whole = evaluate(frame, suite, today=TODAY, profile_above=WHOLE)
    assert sum(result.status == "failed" for result in whole) >= 6
    same_results(evaluate(scan, suite, today=TODAY, profile_above=PROFILE), whole)
    same_results(evaluate(scan, suite, today=TODAY, profile_above=WHOLE), whole)


@pytest.mark.parametrize(
    ("table", "make"), [("trade_flows", trade), ("reconciled_trade", reconciled)]
)
@pytest.mark.parametrize("finds_distinct_rows", [True, False])
def test_a_table_of_duckdb_has_the_verdict_of_the_whole_frame(
    table: str, make: Callable[[int], pl.DataFrame], finds_distinct_rows: bool
) -> None:
    frame = make(7)
    found: list[Sequence[str]] = []
    with duckdb.connect() as connection:
        connection.register("seen", frame.to_arrow())
        connection.execute("create table flows as from seen")
        rows = connection.sql("from flows")

        def distinct_rows(columns: Sequence[str]) -> pl.DataFrame:
            found.append(columns)
            return rows.select(*map(duckdb.ColumnExpression, columns)).distinct().pl()

        suite = LAKE_SUITES[table]
        same_results(
            evaluate(
                rows.pl(lazy=True), suite, today=TODAY, profile_above=PROFILE,
                distinct_rows=distinct_rows if finds_distinct_rows else None,
            ),
            evaluate(frame, suite, today=TODAY, profile_above=WHOLE),
        )  # fmt: skip
    asked = {name for columns in found for name in columns}
    assert ("hs_revision" in asked) is finds_distinct_rows
    assert not {name for name in asked if frame.schema[name].is_float()}


def test_a_derived_column_that_bears_the_name_of_another_is_not_looked_up() -> None:
    frame = pl.DataFrame({"code": ["a", "b", "z"]})
    before_is_known = stop(
        "code_before_is_known", "The last one is before none.", "ExpectColumnValuesToBeInSet",
        {"code": pl.col("code").shift(1)}, column="code", value_set=("a", "b"),
    )  # fmt: skip
    (result,) = evaluate(
        frame.lazy(), Suite("mart", "codes", (before_is_known,)), today=TODAY,
        profile_above=PROFILE, distinct_rows=frame.select,
    )  # fmt: skip
    assert result.status == "passed"


PRICE = quarantine(
    "price_is_positive", "No sign.", "ExpectColumnValuesToBeBetween", column="price", min_value=0
)
CODE = quarantine(
    "code_is_short", "Long.", "ExpectColumnValuesToMatchRegex", column="code", regex="^.{1,3}$"
)
KEY = stop(
    "one_row_per_code", "A key.", "ExpectCompoundColumnsToBeUnique", column_list=("code", "part")
)


def quotes(rows: int = 1000, bad: tuple[int, ...] = ()) -> pl.DataFrame:
    """Rows counted from 1; the bad ones have a price below 0."""
    return pl.DataFrame(
        {
            "code": [str(row) for row in range(rows)],
            "part": ["a"] * rows,
            "price": [-1.0 if row in bad else 1.0 for row in range(1, rows + 1)],
        }
    )


def both_verdicts(
    frame: pl.DataFrame, *rules: Rule
) -> tuple[BatchVerdict[pl.DataFrame], BatchVerdict[pl.LazyFrame]]:
    return (
        evaluate_batch(frame, suite_of(*rules), profile_above=WHOLE),
        evaluate_batch(frame.lazy(), suite_of(*rules), profile_above=PROFILE),
    )


def test_a_lazy_batch_goes_on_lazily_without_the_rows_quarantined() -> None:
    frame = quotes(bad=(3, 97, 98, 1000))
    whole, lazy = both_verdicts(frame, PRICE, CODE, KEY)
    assert isinstance(lazy.accepted, pl.LazyFrame)
    assert lazy.accepted.collect().equals(whole.accepted)
    assert whole.accepted.height == 996
    assert lazy.quarantined.equals(whole.quarantined)
    assert lazy.quarantined["row_number"].to_list() == [3, 97, 98, 1000]
    same_results(lazy.results, whole.results)


def test_a_row_that_breaks_two_rules_is_quarantined_once_in_a_lazy_batch_too() -> None:
    frame = quotes(bad=(500,)).with_columns(
        code=pl.when(pl.col("price") < 0).then(pl.lit("too long")).otherwise("code")
    )
    whole, lazy = both_verdicts(frame, PRICE, CODE)
    assert lazy.quarantined.equals(whole.quarantined)
    assert lazy.quarantined["value"].to_list() == ["-1.0; too long"]


def test_a_lazy_batch_of_which_nothing_is_quarantined_goes_on_as_it_is() -> None:
    frame = quotes().lazy()
    assert evaluate_batch(frame, suite_of(PRICE, KEY), profile_above=PROFILE).accepted is frame


def test_a_lazy_batch_with_too_many_bad_rows_is_rejected_without_keeping_them() -> None:
    frame = quotes(bad=tuple(range(1, 61)))
    whole, lazy = both_verdicts(frame, PRICE)
    assert lazy.is_rejected
    assert lazy.reason == whole.reason
    assert lazy.reason == (
        "quotes: 60 of 1000 rows would be quarantined, more than 5%: price_is_positive, first -1.0."
    )
    assert isinstance(lazy.accepted, pl.LazyFrame)
    assert lazy.accepted.collect().height == 0
    assert lazy.quarantined["row_number"].to_list() == list(range(1, 21))


@pytest.mark.parametrize("keys_per_chunk", [1, 1_000_000])
def test_repeated_keys_are_found_across_blocks_wherever_they_stand(
    keys_per_chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "KEYS_PER_CHUNK", keys_per_chunk)
    frame = pl.concat([quotes(600), quotes(600)[[599, 5, 0, 5]]])
    (result,) = evaluate(frame.lazy(), suite_of(KEY), profile_above=PROFILE)
    assert result.failing_rows == 7
    assert result.sample is not None
    assert result.sample["row_number"].to_list() == [1, 6, 600, 601, 602, 603, 604]
    assert (
        result.observed == "7 of 604 rows, first code=0, part=a; code=5, part=a; code=599, part=a"
    )


def test_keys_with_equal_hashes_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    equal = property(lambda metric: metric.columns["code"].hash(0) % 5)
    monkeypatch.setattr(profiles.KeyMetric, "hash", equal)
    (unique,) = evaluate(quotes().lazy(), suite_of(KEY), profile_above=PROFILE)
    assert unique.status == "passed"
    repeated = pl.concat([quotes(), quotes()[[7]]])
    (result,) = evaluate(repeated.lazy(), suite_of(KEY), profile_above=PROFILE)
    assert result.failing_rows == 2


def test_columns_that_change_places_are_another_key() -> None:
    frame = pl.DataFrame({"code": ["a", "b"], "part": ["b", "a"]}).lazy()
    (result,) = evaluate(frame, suite_of(KEY), profile_above=PROFILE)
    assert result.status == "passed"


def test_zero_and_minus_zero_are_one_key_and_so_are_missing_parts() -> None:
    rule = stop(
        "one_row", "A key.", "ExpectCompoundColumnsToBeUnique", column_list=("code", "price")
    )
    frame = pl.DataFrame({"code": ["a", "a", "b", "b"], "price": [0.0, -0.0, None, float("nan")]})
    (result,) = evaluate(frame.lazy(), suite_of(rule), profile_above=PROFILE)
    assert result.failing_rows == 4


def test_a_value_that_a_derived_column_cannot_be_computed_from_spoils_only_its_rule() -> None:
    rules = (
        report(
            "year_is_low", "", "ExpectColumnValuesToBeBetween",
            {"year": pl.col("code").cast(pl.Int64)}, column="year", max_value=2000,
        ),
        PRICE,
    )  # fmt: skip
    frame = quotes(bad=(900,)).with_columns(
        code=pl.when(pl.col("price") < 0).then(pl.lit("x")).otherwise("code")
    )
    broken, price = evaluate(frame.lazy(), suite_of(*rules), profile_above=PROFILE)
    assert broken.status == "could_not_run"
    assert (price.status, price.failing_rows) == ("failed", 1)


@pytest.mark.parametrize("late", [[], [3], [120, 5, 700]])
@pytest.mark.parametrize("holes", [False, True])
def test_a_day_computed_from_a_year_is_decided_on_each_year_once(
    late: list[int], holes: bool
) -> None:
    """Also where years are missing, and where one is no year polars can make a day of."""
    rule = stop(
        "begins_by_today", "", "ExpectColumnValuesToBeBetween",
        {"day": pl.date(pl.col("year"), 1, 1)}, column="day", max_value=TODAY,
    )  # fmt: skip
    years = [2030 if row in late else 1988 + row % 30 for row in range(900)]
    frame = pl.DataFrame(
        {"year": [None if holes and row % 7 == 0 else year for row, year in enumerate(years)]}
    )
    whole = evaluate(frame, suite_of(rule), today=TODAY, profile_above=WHOLE)
    assert whole[0].failing_rows == sum(not (holes and row % 7 == 0) for row in late)
    same_results(evaluate(frame.lazy(), suite_of(rule), today=TODAY, profile_above=PROFILE), whole)


def test_a_rule_that_fails_in_a_late_block_leaves_the_metrics_of_others() -> None:
    rules = (
        report(
            "code_is_low", "", "ExpectColumnValuesToBeBetween",
            {"number": pl.col("price") + pl.col("code").cast(pl.Int64)}, column="number",
        max_value=5000),
        PRICE,
        report("part_is_a", "", "ExpectColumnValuesToBeInSet", column="part", value_set=("a",)),
    )  # fmt: skip
    frame = quotes(bad=(3,)).with_columns(
        code=pl.when(pl.col("code") == "500").then(pl.lit("x")).otherwise("code"),
        part=pl.when(pl.col("code") == "900").then(pl.lit("b")).otherwise("part"),
    )
    results = evaluate(frame.lazy(), suite_of(*rules), profile_above=PROFILE)
    assert [(result.status, result.failing_rows) for result in results] == [
        ("could_not_run", 0), ("failed", 1), ("failed", 1),
    ]  # fmt: skip


def test_a_year_that_no_day_can_be_made_of_spoils_only_its_rule() -> None:
    rules = (
        report(
            "begins_early", "", "ExpectColumnValuesToBeBetween",
            {"number": pl.col("year").cast(pl.Int8)}, column="number", max_value=100,
        ),
        PRICE,
    )  # fmt: skip
    frame = quotes(bad=(900,)).with_columns(
        year=pl.when(pl.col("price") < 0).then(300).otherwise(1)
    )
    results = evaluate(frame.lazy(), suite_of(*rules), profile_above=PROFILE)
    assert [result.status for result in results] == ["could_not_run", "failed"]


def test_a_mart_may_have_a_column_that_is_named_like_one_of_the_quarantine() -> None:
    rule = stop("price_is_low", "", "ExpectColumnValuesToBeBetween", column="price", max_value=0)
    frame = quotes(120).with_columns(explanation=pl.lit("why"))
    for above in (WHOLE, PROFILE):
        (result,) = evaluate(frame.lazy(), suite_of(rule), profile_above=above)
        assert result.failing_rows == 120


@pytest.mark.parametrize(("most", "status"), [(119, "failed"), (120, "passed")])
def test_rows_are_counted_up_to_the_bound(most: int, status: str) -> None:
    rule = report("few", "", "ExpectTableRowCountToBeBetween", min_value=2, max_value=most)
    (result,) = evaluate(quotes(120).lazy(), suite_of(rule), profile_above=PROFILE)
    assert result.status == status


def test_a_column_that_looks_at_other_rows_is_computed_over_all_blocks() -> None:
    ratio = pl.col("price") / pl.col("price").shift(1).over("part")
    rule = report(
        "no_jump",
        "",
        "ExpectColumnValuesToBeBetween",
        {"ratio": ratio},
        column="ratio",
        max_value=2,
    )
    frame = quotes().with_columns(price=pl.int_range(1, pl.len() + 1).cast(pl.Float64))
    # Row 195 is the first of the third block.
    frame = frame.with_columns(
        price=pl.when(pl.col("code") == "194").then(900.0).otherwise("price")
    )
    (result,) = evaluate(frame.lazy(), suite_of(rule), profile_above=PROFILE)
    assert result.sample is not None
    assert result.sample["row_number"].to_list() == [195]


@pytest.mark.parametrize(
    ("expression", "row_by_row"),
    [
        (pl.col("a").cast(pl.String) + "x", True),
        (pl.when(pl.col("b") > 0).then(pl.col("a") / pl.col("b")), True),
        (pl.format("{} {}", "a", "b"), True),
        (pl.coalesce("a", "b"), True),
        (pl.col("a").sum(), False),
        (pl.col("a") / pl.col("a").shift(1).over("b"), False),
        (pl.when(pl.col("b") > pl.col("b").mean()).then("a"), False),
        (pl.col("a").fill_null(pl.col("a").max()), False),
        (pl.format("{} {}", pl.col("a").rank(), "b"), False),
        (pl.any_horizontal(pl.col("a").is_duplicated(), "b"), False),
        (pl.col("a") / pl.len(), False),
        (pl.col("a").map_batches(lambda series: series) + 1, False),
    ],
    ids=str,
)
def test_a_column_is_computed_in_blocks_only_where_each_row_stands_alone(
    expression: pl.Expr, row_by_row: bool
) -> None:
    assert profiles.is_row_by_row(expression) is row_by_row

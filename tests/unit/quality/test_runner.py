"""How a suite is evaluated on a frame: the right rows and status, whole or by a profile."""

from datetime import date, datetime
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dagster_project.lake.vocabulary import economies
from dagster_project.quality.results import CheckResult, as_frame
from dagster_project.quality.rules import Known, Rule, Suite, Today, quarantine, report, stop
from dagster_project.quality.runner import (
    LARGEST_QUARANTINED_SHARE,
    LARGEST_SHARE_OF_UNKNOWN_CODES,
    evaluate,
    evaluate_batch,
)
from tests.nightly import times

TODAY = date(2026, 11, 25)
WHOLE, PROFILE = 10_000, 0
"""`profile_above`: a frame of a few rows is shown whole, or as a profile."""

FRAME = pl.DataFrame(
    {
        "code": ["A", "B", "C", "A", None, "D"],
        "other": ["X", "B", "Y", "X", "Y", None],
        "price": [1.0, -2.0, None, 1.0, 500.0, 3.0],
        "bound": [0.0, 0.0, 0.0, 2.0, None, 3.0],
        "day": [
            date(2026, 1, 1), date(2026, 11, 26), date(2026, 12, 1), None, date(1900, 1, 1),
            date(2026, 11, 25),
        ],
        "at": [datetime(2026, 11, 25, hour) for hour in (0, 5, 10, 15, 20, 23)],
        "flag": [True, None, False, True, True, True],
    }
)  # fmt: skip

KINDS: list[tuple[str, dict[str, object], list[int]]] = [
    (
        "ExpectColumnValuesToBeBetween",
        {"column": "price", "min_value": 0, "max_value": 100},
        [2, 5],
    ),
    (
        "ExpectColumnValuesToBeBetween",
        {"column": "price", "min_value": 1, "strict_min": True},
        [1, 2, 4],
    ),
    (
        "ExpectColumnValuesToBeBetween",
        {"column": "day", "min_value": date(1988, 1, 1), "max_value": Today()},
        [2, 3, 5],
    ),
    ("ExpectColumnValuesToBeBetween", {"column": "at", "max_value": Today()}, [2, 3, 4, 5, 6]),
    ("ExpectColumnValuesToBeInSet", {"column": "code", "value_set": ("A", "B")}, [3, 6]),
    ("ExpectColumnValuesToBeInSet", {"column": "flag", "value_set": (True,)}, [3]),
    ("ExpectColumnValuesToNotBeInSet", {"column": "code", "value_set": ("A",)}, [1, 4]),
    ("ExpectColumnValuesToMatchRegex", {"column": "code", "regex": "^[AB]$"}, [3, 6]),
    ("ExpectColumnValuesToNotMatchRegex", {"column": "code", "regex": "^[AB]$"}, [1, 2, 4]),
    ("ExpectColumnValuesToNotBeNull", {"column": "price"}, [3]),
    ("ExpectColumnValuesToBeNull", {"column": "bound"}, [1, 2, 3, 4, 6]),
    (
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "column_A": "price",
            "column_B": "bound",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        [2, 4],
    ),
    (
        "ExpectColumnPairValuesToBeEqual",
        {"column_A": "code", "column_B": "other", "ignore_row_if": "either_value_is_missing"},
        [1, 3, 4],
    ),
    (
        "ExpectSelectColumnValuesToBeUniqueWithinRecord",
        {"column_list": ("code", "other"), "ignore_row_if": "any_value_is_missing"},
        [2],
    ),
    ("ExpectColumnValuesToBeUnique", {"column": "code"}, [1, 4]),
    ("ExpectCompoundColumnsToBeUnique", {"column_list": ("code", "price")}, [1, 4]),
]


def suite_of(*rules: Rule) -> Suite:
    return Suite("lake", "quotes", rules)


def one_result(frame: pl.DataFrame, rule: Rule, *, profile_above: int = WHOLE) -> CheckResult:
    (result,) = evaluate(frame, suite_of(rule), today=TODAY, profile_above=profile_above)
    return result


@pytest.mark.parametrize("profile_above", [WHOLE, PROFILE], ids=["whole", "profile"])
@pytest.mark.parametrize(("expectation", "kwargs", "rows"), KINDS)
def test_the_offending_rows_are_named(
    expectation: str, kwargs: dict[str, object], rows: list[int], profile_above: int
) -> None:
    result = one_result(
        FRAME, stop("it_is_so", "Why.", expectation, **kwargs), profile_above=profile_above
    )
    assert result.status == "failed"
    assert result.failing_rows == len(rows)
    assert result.sample is not None
    assert result.sample["row_number"].to_list() == rows
    assert result.sample.drop("row_number").equals(FRAME[[row - 1 for row in rows]])
    assert result.observed.startswith(f"{len(rows)} of 6 rows, first ")


@pytest.mark.parametrize("profile_above", [WHOLE, PROFILE], ids=["whole", "profile"])
@pytest.mark.parametrize(
    ("expectation", "kwargs", "observed"),
    [
        ("ExpectTableRowCountToBeBetween", {"min_value": 7}, "6 rows"),
        (
            "ExpectColumnDistinctValuesToContainSet",
            {"column": "code", "value_set": ("A", "Q", "R")},
            "without Q, R",
        ),
        ("ExpectColumnSumToBeBetween", {"column": "price", "max_value": 100}, "price: 503.0"),
    ],
)
def test_a_failure_of_the_whole_table_blames_no_row(
    expectation: str, kwargs: dict[str, object], observed: str, profile_above: int
) -> None:
    result = one_result(
        FRAME, stop("it_is_so", "Why.", expectation, **kwargs), profile_above=profile_above
    )
    assert (result.status, result.failing_rows, result.observed) == ("failed", 0, observed)
    assert result.sample is None


CODES = st.none() | st.sampled_from(["JPN", "CHN", "_X", "ALL", "QQQ", "jpn", ""])


@pytest.mark.parametrize("profile_above", [WHOLE, PROFILE], ids=["whole", "profile"])
@pytest.mark.parametrize(
    "expectation", ["ExpectColumnValuesToBeInSet", "ExpectColumnValuesToNotBeInSet"]
)
@settings(max_examples=times(at_night=10, by_day=4))
@given(codes=st.lists(CODES, min_size=1, max_size=8))
def test_a_list_of_codes_decides_as_it_would_written_out(
    expectation: str, profile_above: int, codes: list[str | None]
) -> None:
    frame = pl.DataFrame({"code": codes}, schema={"code": pl.String})
    known, whole = (
        stop("it_is_known", "", expectation, column="code", value_set=value_set)
        for value_set in (Known("economies", ("ALL",)), ("ALL", *sorted(economies())))
    )
    found = one_result(frame, known, profile_above=profile_above)
    expected = one_result(frame, whole, profile_above=profile_above)
    assert as_frame([found], "now").equals(as_frame([expected], "now"))


def test_a_column_of_numbers_has_no_code_of_a_list() -> None:
    rule = stop(
        "it_is_known", "", "ExpectColumnValuesToBeInSet", column="price",
        value_set=Known("economies"),
    )  # fmt: skip
    assert one_result(FRAME, rule).failing_rows == 5


def test_a_list_of_codes_for_a_column_that_is_absent_could_not_run() -> None:
    rule = stop(
        "it_is_known", "", "ExpectColumnValuesToBeInSet", column="absent",
        value_set=Known("economies"),
    )  # fmt: skip
    assert one_result(FRAME, rule).status == "could_not_run"


def test_a_list_of_codes_is_compared_with_a_derived_column() -> None:
    rule = quarantine(
        "it_is_known", "", "ExpectColumnValuesToBeInSet",
        {"named": pl.when(pl.col("price") > 0).then("code")}, column="named",
        value_set=Known("economies"),
    )  # fmt: skip
    verdict = evaluate_batch(FRAME, suite_of(rule), today=TODAY)
    assert set(verdict.quarantined["value"]) == {"A", "D"}


def test_a_result_carries_what_of_the_rule() -> None:
    result = one_result(
        FRAME,
        report(
            "price_is_low", "Why.", "ExpectColumnValuesToBeBetween", column="price", max_value=9
        ),
    )
    assert (result.layer, result.table_name, result.check_name) == (
        "lake",
        "quotes",
        "price_is_low",
    )
    assert (result.engine, result.severity) == ("great_expectations", "warn")
    assert result.explanation == "Why."
    assert result.observed == "1 of 6 rows, first 500.0"


def test_a_repeated_key_with_a_missing_part_is_a_repeated_key() -> None:
    frame = pl.DataFrame({"code": ["A", "A", "B"], "split": [None, None, None]})
    result = one_result(
        frame.cast(pl.String),
        stop("one_row", "", "ExpectCompoundColumnsToBeUnique", column_list=("code", "split")),
    )
    assert result.failing_rows == 2


def test_a_column_that_is_not_there_could_not_be_checked_and_the_others_still_are() -> None:
    absent, there = evaluate(
        FRAME.drop("price"),
        suite_of(
            stop("price_is_there", "", "ExpectColumnValuesToNotBeNull", column="price"),
            stop("code_is_there", "", "ExpectColumnValuesToNotBeNull", column="code"),
        ),
    )
    assert (absent.status, absent.observed) == ("could_not_run", "column price is missing")
    assert (there.status, there.failing_rows) == ("failed", 1)


@pytest.mark.parametrize("profile_above", [WHOLE, PROFILE], ids=["whole", "profile"])
def test_a_value_of_another_type_could_not_be_checked(profile_above: int) -> None:
    result = one_result(
        FRAME,
        stop("code_is_low", "", "ExpectColumnValuesToBeBetween", column="code", max_value=1),
        profile_above=profile_above,
    )
    assert result.status == "could_not_run"
    assert result.observed
    assert result.failing_rows == 0


def test_a_derived_column_that_cannot_be_computed_could_not_be_checked() -> None:
    result = one_result(
        FRAME,
        stop(
            "year_is_low", "", "ExpectColumnValuesToBeBetween",
            {"year": pl.col("code").dt.year()}, column="year", max_value=2000,
        ),
    )  # fmt: skip
    assert result.status == "could_not_run"


def test_the_results_stand_in_the_order_of_the_suite() -> None:
    rules = [
        stop(f"rule_{number}", "", expectation, **kwargs)
        for number, (expectation, kwargs, _) in enumerate(KINDS)
    ]
    for order in (rules, rules[::-1]):
        results = evaluate(FRAME, suite_of(*order), today=TODAY)
        assert [result.check_name for result in results] == [rule.name for rule in order]
        failing = {result.check_name: result.failing_rows for result in results}
        assert failing == {f"rule_{n}": len(rows) for n, (_, _, rows) in enumerate(KINDS)}


@pytest.mark.parametrize("profile_above", [WHOLE, PROFILE], ids=["whole", "profile"])
def test_no_row_of_an_empty_frame_breaks_a_rule(profile_above: int) -> None:
    rules = [
        stop(f"rule_{number}", "", expectation, **kwargs)
        for number, (expectation, kwargs, _) in enumerate(KINDS)
    ]
    rows = stop("there_are_rows", "", "ExpectTableRowCountToBeBetween", min_value=1)
    *others, counted = evaluate(
        FRAME.clear(), suite_of(*rules, rows), today=TODAY, profile_above=profile_above
    )
    assert {result.status for result in others} == {"passed"}
    assert (counted.status, counted.observed) == ("failed", "0 rows")


def test_an_empty_suite_finds_nothing() -> None:
    assert evaluate(FRAME, suite_of()) == []
    assert evaluate_batch(FRAME, suite_of()).accepted.equals(FRAME)


def test_a_sample_has_the_first_twenty_rows_and_the_count_all() -> None:
    frame = pl.DataFrame({"price": [-1.0] * 50 + [1.0]})
    result = one_result(
        frame,
        stop("price_is_positive", "", "ExpectColumnValuesToBeBetween", column="price", min_value=0),
    )
    assert result.failing_rows == 50
    assert result.sample is not None
    assert result.sample["row_number"].to_list() == list(range(1, 21))


# --- batches ---

PRICE = quarantine(
    "price_is_positive", "No sign.", "ExpectColumnValuesToBeBetween", column="price", min_value=0
)
LOW = quarantine(
    "price_is_above_minus_five", "Too low.", "ExpectColumnValuesToBeBetween", column="price",
    min_value=-5,
)  # fmt: skip
KEY = stop("one_row_per_code", "A key.", "ExpectColumnValuesToBeUnique", column="code")
ODD = report("price_is_low", "Odd.", "ExpectColumnValuesToBeBetween", column="price", max_value=50)


def batch(bad: dict[int, float], rows: int = 100) -> pl.DataFrame:
    """`rows` rows with a price of 1, and other prices in the rows named (from 1)."""
    return pl.DataFrame(
        {
            "code": [str(row) for row in range(1, rows + 1)],
            "price": [bad.get(row, 1.0) for row in range(1, rows + 1)],
        }
    )


def test_a_bad_row_is_quarantined_with_the_reason_and_the_rest_goes_on() -> None:
    verdict = evaluate_batch(batch({3: -1.0, 7: -9.0}), suite_of(PRICE, LOW, KEY))
    assert not verdict.is_rejected
    assert verdict.reason == ""
    assert verdict.accepted["code"].to_list() == [
        str(row) for row in range(1, 101) if row not in (3, 7)
    ]
    assert verdict.quarantined.to_dicts() == [
        {
            "row_number": 3, "rule": "price_is_positive", "value": "-1.0",
            "explanation": "No sign.", "code": "3", "price": -1.0,
        },
        {
            "row_number": 7, "rule": "price_is_positive, price_is_above_minus_five",
            "value": "-9.0; -9.0", "explanation": "No sign. Too low.", "code": "7", "price": -9.0,
        },
    ]  # fmt: skip
    assert [(r.status, r.severity) for r in verdict.results] == [
        ("failed", "warn"),
        ("failed", "warn"),
        ("passed", "error"),
    ]


def test_a_good_batch_goes_on_whole() -> None:
    frame = batch({})
    verdict = evaluate_batch(frame, suite_of(PRICE, KEY))
    assert verdict.accepted.equals(frame)
    assert verdict.quarantined.height == 0
    assert verdict.quarantined.columns == [
        "row_number",
        "rule",
        "value",
        "explanation",
        *frame.columns,
    ]


def test_a_repeated_key_stops_the_batch_and_is_named() -> None:
    frame = batch({}).with_columns(code=pl.lit("EURJPY"))[:2]
    verdict = evaluate_batch(frame, suite_of(PRICE, KEY))
    assert verdict.is_rejected
    assert verdict.accepted.height == 0
    assert verdict.reason == ("quotes: one_row_per_code fails: 2 of 2 rows, first EURJPY.")


def test_more_rows_quarantined_than_the_ceiling_stop_the_batch() -> None:
    assert LARGEST_QUARANTINED_SHARE == 0.05
    five = evaluate_batch(batch(dict.fromkeys(range(1, 6), -1.0)), suite_of(PRICE))
    assert not five.is_rejected
    assert five.accepted.height == 95
    six = evaluate_batch(batch(dict.fromkeys(range(1, 7), -1.0)), suite_of(PRICE))
    assert six.is_rejected
    assert six.reason == (
        "quotes: 6 of 100 rows would be quarantined, more than 5%: price_is_positive, first -1.0."
    )


@pytest.mark.parametrize("profile_above", [WHOLE, PROFILE])
def test_codes_that_are_in_no_list_stop_a_batch_only_where_they_are_most(
    profile_above: int,
) -> None:
    assert LARGEST_SHARE_OF_UNKNOWN_CODES == 0.5
    suite = suite_of(PRICE.of_unknown_codes(), ODD)
    half = evaluate_batch(
        batch(dict.fromkeys(range(1, 51), -1.0)), suite, profile_above=profile_above
    )
    assert not half.is_rejected
    assert (half.accepted.height, half.quarantined.height) == (50, 50)
    most = evaluate_batch(
        batch(dict.fromkeys(range(1, 52), -1.0)), suite, profile_above=profile_above
    )
    assert most.is_rejected
    assert most.reason == (
        "quotes: 51 of 100 rows would be quarantined, more than 50%: price_is_positive, first -1.0."
    )


def test_a_rule_for_rows_that_could_not_be_checked_stops_the_batch() -> None:
    verdict = evaluate_batch(batch({}).drop("price"), suite_of(PRICE))
    assert verdict.is_rejected
    assert verdict.reason == (
        "quotes: price_is_positive could not be checked: column price is missing."
    )


def test_what_is_only_odd_changes_nothing() -> None:
    frame = batch({1: 99.0})
    verdict = evaluate_batch(frame, suite_of(ODD))
    assert not verdict.is_rejected
    assert verdict.accepted.equals(frame)
    assert verdict.results[0].status == "failed"


def test_a_report_that_could_not_run_stops_nothing() -> None:
    verdict = evaluate_batch(batch({}).drop("price"), suite_of(ODD, KEY))
    assert not verdict.is_rejected
    assert verdict.results[0].status == "could_not_run"


def test_a_window_in_a_derived_column_sees_the_rows_that_are_not_quarantined_too() -> None:
    ratio = (pl.col("price") / pl.col("price").shift(1)).alias("ratio")
    rule = quarantine(
        "price_does_not_jump", "", "ExpectColumnValuesToBeBetween", {"ratio": ratio},
        column="ratio", max_value=2,
    )  # fmt: skip
    verdict = evaluate_batch(batch({50: 8.0}), suite_of(rule))
    assert verdict.quarantined["row_number"].to_list() == [50]
    assert verdict.quarantined["value"].to_list() == ["8.0"]


# --- whole and profile agree; the order of rows does not matter ---

rows = st.lists(
    st.fixed_dictionaries(
        {
            "code": st.sampled_from(["A", "B", "C", "", None]),
            "other": st.sampled_from(["A", "B", None]),
            "price": st.sampled_from([-1.0, 0.0, 0.5, 1.0, float("inf"), float("nan"), None]),
            "bound": st.sampled_from([0.0, 1.0, None]),
            "day": st.sampled_from([date(1900, 1, 1), TODAY, date(2030, 1, 1), None]),
            "at": st.sampled_from([datetime(2026, 11, 24), datetime(2026, 11, 26), None]),
            "flag": st.sampled_from([True, False, None]),
        }
    ),
    max_size=25,
)
EVERY_KIND = Suite(
    "lake",
    "quotes",
    (
        *(
            report(f"rule_{number}", "", expectation, **kwargs)
            for number, (expectation, kwargs, _) in enumerate(KINDS)
        ),
        report("there_are_rows", "", "ExpectTableRowCountToBeBetween", min_value=3),
        report(
            "a_is_there", "", "ExpectColumnDistinctValuesToContainSet", column="code",
            value_set=("A",),
        ),
        report("the_sum_is_low", "", "ExpectColumnSumToBeBetween", column="bound", max_value=2),
    ),
)  # fmt: skip
# Without shrinking: an example costs a tenth of a second, a shrink thousands of them.
some_examples = settings(
    max_examples=times(at_night=25, by_day=5),
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def frame_of(records: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(records, schema=FRAME.schema)


@some_examples
@given(rows)
def test_a_profile_leads_to_the_verdict_of_the_whole_frame(
    records: list[dict[str, object]],
) -> None:
    frame = frame_of(records)
    whole = evaluate(frame, EVERY_KIND, today=TODAY, profile_above=WHOLE)
    profile = evaluate(frame.lazy(), EVERY_KIND, today=TODAY, profile_above=PROFILE)
    assert as_frame(profile, "now").equals(as_frame(whole, "now"))
    for one, other in zip(whole, profile, strict=True):
        assert (one.sample is None) == (other.sample is None)
        if one.sample is not None and other.sample is not None:
            assert one.sample.equals(other.sample)


@some_examples
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_verdict(
    records: list[dict[str, object]], random: Random
) -> None:
    def verdicts(frame: pl.DataFrame) -> list[tuple[str, int]]:
        results = evaluate(frame, EVERY_KIND, today=TODAY)
        return [(result.status, result.failing_rows) for result in results]

    shuffled = records[:]
    random.shuffle(shuffled)
    assert verdicts(frame_of(shuffled)) == verdicts(frame_of(records))


@some_examples
@given(rows)
def test_accepted_rows_and_rows_quarantined_are_the_batch(records: list[dict[str, object]]) -> None:
    frame = frame_of(records)
    verdict = evaluate_batch(frame, suite_of(PRICE))
    negative = frame["price"].is_in([-1.0]).fill_null(False).sum()
    assert verdict.quarantined.height == negative
    if verdict.is_rejected:
        assert negative > LARGEST_QUARANTINED_SHARE * frame.height
        assert verdict.accepted.height == 0
    else:
        assert verdict.accepted.height + verdict.quarantined.height == frame.height

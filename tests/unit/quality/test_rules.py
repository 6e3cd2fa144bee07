"""Rules and suites as data: names, validity, and the version by which results become stale."""

import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from dagster_project.lake import vocabulary
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.scope import CommodityScope
from dagster_project.quality.markets import Markets
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.rules import (
    Known,
    OfMarkets,
    Rule,
    Suite,
    Today,
    lists_of,
    quarantine,
    report,
    resolved_kwargs,
    stop,
    suite_version,
)
from dagster_project.quality.suites import LAKE_SUITES

POSITIVE = {"column": "close", "min_value": 0}
BETWEEN = "ExpectColumnValuesToBeBetween"


def test_no_module_of_the_room_imports_great_expectations_or_pandas() -> None:
    modules = "rules, shared_rules, runner, suites, quarantine, results, report, data_docs"
    program = (
        f"from dagster_project.quality import {modules}\n"
        "import sys\n"
        "print(sorted({'great_expectations', 'pandas', 'dagster'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_a_process_that_has_imported_the_suites_can_be_forked() -> None:
    """polars computes in threads, which a child does not have: it would wait for them for ever."""
    program = (
        "from dagster_project.quality import suites\n"
        "import os, polars as pl\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    pl.Series(range(1000)).implode().explode().sort()\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "7"


def test_every_lake_table_has_a_suite_and_every_suite_a_table() -> None:
    assert set(LAKE_SUITES) == set(LAKE_TABLES)


@pytest.mark.parametrize(
    "suite", [*LAKE_SUITES.values(), *mart_suites().values()], ids=lambda suite: suite.table
)
def test_every_check_is_named_by_a_sentence_and_explained(suite: Suite) -> None:
    for rule in suite.rules:
        assert "_" in rule.name
        assert rule.name == rule.name.lower()
        assert rule.explanation.rstrip().endswith(".")


def test_an_expectation_that_no_profile_can_decide_is_refused() -> None:
    with pytest.raises(ValueError, match="EXPECTATIONS"):
        stop("it_is_normal", "", "ExpectColumnKLDivergenceToBeLessThan", column="close")


def test_a_rule_for_most_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="every row"):
        stop("close_is_positive", "", BETWEEN, **POSITIVE, mostly=0.9)


def test_a_rule_that_names_no_rows_sets_none_aside() -> None:
    with pytest.raises(ValueError, match="no rows to quarantine"):
        quarantine("there_are_rows", "", "ExpectTableRowCountToBeBetween", min_value=1)


def test_only_an_error_blocks() -> None:
    with pytest.raises(ValueError, match="blocks if, and only if"):
        Rule("close_is_positive", BETWEEN, POSITIVE, "", severity="warn", on_failure="stop")


def test_a_duplicated_name_in_a_suite_is_rejected() -> None:
    rule = stop("close_is_positive", "", BETWEEN, **POSITIVE)
    with pytest.raises(ValueError, match="duplicated"):
        Suite("lake", "price_quotes", (rule, rule))


def test_a_mart_sets_no_rows_aside() -> None:
    with pytest.raises(ValueError, match="never quarantined"):
        Suite("mart", "market.prices", (quarantine("close_is_positive", "", BETWEEN, **POSITIVE),))


def test_one_name_for_two_derived_columns_is_refused() -> None:
    first = report("a_is_low", "", BETWEEN, {"a": pl.col("x") + 1}, column="a", max_value=1)
    second = report("a_is_high", "", BETWEEN, {"a": pl.col("x") + 2}, column="a", min_value=1)
    with pytest.raises(ValueError, match="two ways"):
        Suite("lake", "t", (first, second))


def test_a_rule_needs_the_columns_its_derived_ones_are_made_of() -> None:
    rule = stop(
        "ratio_is_low", "", BETWEEN, {"ratio": pl.col("a") / pl.col("b")}, column="ratio",
        max_value=1,
    )  # fmt: skip
    assert rule.evaluated_columns == ("ratio",)
    assert set(rule.columns) == {"a", "b"}


def test_days_and_lists_of_codes_are_found_when_a_rule_is_evaluated() -> None:
    future = stop("day_is_past", "", BETWEEN, column="day", max_value=Today(2))
    assert resolved_kwargs(future, date(2026, 2, 28))["max_value"] == date(2026, 3, 2)
    known = stop(
        "it_is_known", "", "ExpectColumnValuesToBeInSet", column="c",
        value_set=Known("economies", ("ALL",)),
    )  # fmt: skip
    codes = resolved_kwargs(known, date(2026, 2, 28))["value_set"]
    assert isinstance(codes, list)
    assert {"JPN", "_X", "ALL"} <= set(codes)


def of_calendars(markets: Markets) -> pl.Expr:
    return pl.when(pl.col("instrument").is_in(list(markets.by_calendar))).then("close")


def of_sessions(markets: Markets) -> pl.Expr:
    return pl.when(pl.col("day").is_in(markets.sessions("XNYS").implode())).then("close")


def test_a_rule_on_exchanges_needs_the_columns_its_derived_ones_are_made_of() -> None:
    rule = stop("c_is_low", "", BETWEEN, {"c": of_sessions}, column="c", max_value=1)
    assert rule.needs_markets
    assert set(rule.columns) == {"day", "close"}
    known = rule.with_markets(Markets({}, lambda _: pl.Series([date(2026, 3, 2)])))
    assert not known.needs_markets
    frame = pl.DataFrame({"day": [date(2026, 3, 2), date(2026, 3, 3)], "close": [5, 6]})
    assert frame.select(known.expressions()["c"]).to_series().to_list() == [5, None]


def test_the_version_of_a_suite_changes_with_an_expression_made_of_exchanges() -> None:
    def suite(derived: OfMarkets) -> Suite:
        rule = stop("c_is_low", "", BETWEEN, {"c": derived}, column="c", max_value=1)
        return Suite("lake", "price_quotes", (rule,))

    assert suite_version(suite(of_sessions)) == suite_version(suite(lambda m: of_sessions(m)))
    assert suite_version(suite(of_sessions)) != suite_version(suite(of_calendars))


def suite_of(
    name: str = "close_is_positive", minimum: object = 0, explanation: str = "", offset: int = 1
) -> Suite:
    derived = {"c": pl.col("close") + offset}
    rule = stop(name, explanation, BETWEEN, derived, column="c", min_value=minimum)
    return Suite("lake", "price_quotes", (rule,))


def test_the_version_of_a_suite_is_the_same_for_the_same_rules() -> None:
    assert suite_version(suite_of()) == suite_version(suite_of())
    assert len(suite_version(suite_of())) == 12


@pytest.mark.parametrize(
    "other",
    [
        suite_of(name="close_is_high"),
        suite_of(minimum=1),
        suite_of(explanation="Because."),
        suite_of(offset=2),
        suite_of(minimum=Today()),
    ],
    ids=["name", "bound", "explanation", "derived column", "day"],
)
def test_the_version_of_a_suite_changes_with_any_part_of_a_rule(other: Suite) -> None:
    assert suite_version(other) != suite_version(suite_of())


def test_the_version_of_a_suite_changes_where_a_rule_is_of_unknown_codes() -> None:
    rule = known_as(Known("economies"))
    plain, of_codes = (Suite("lake", "t", (each,)) for each in (rule, rule.of_unknown_codes()))
    assert suite_version(plain) != suite_version(of_codes)


def known_as(known: Known) -> Rule:
    return stop("it_is_known", "", "ExpectColumnValuesToBeInSet", column="c", value_set=known)


def test_the_version_of_a_suite_names_which_list_of_codes_it_uses_and_not_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def suite(known: Known) -> Suite:
        return Suite("lake", "price_quotes", (known_as(known),))

    before = suite_version(suite(Known("economies")))
    others = (Known("instruments"), Known("economies", ("ALL",)))
    assert before not in {suite_version(suite(known)) for known in others}
    assert lists_of(suite(Known("economies", ("ALL",)))) == {"economies"}
    monkeypatch.setattr(vocabulary, "economies", lambda: frozenset({"JPN"}))
    assert suite_version(suite(Known("economies"))) == before


def test_a_list_of_codes_is_that_of_the_lake_and_what_is_added_to_it() -> None:
    kwargs = resolved_kwargs(known_as(Known("economies", ("ALL",))), date(2026, 2, 28))
    assert kwargs["value_set"] == sorted({*vocabulary.economies(), "ALL"})


def test_in_a_wide_scope_each_of_its_codes_is_a_mineral_group() -> None:
    rule, groups = known_as(Known("mineral_groups")), ["hs_010121", "hs_980000", "rare_earths"]
    for scope, known in ((CommodityScope(), set()), (CommodityScope.named("01"), {"hs_010121"})):
        found = resolved_kwargs(rule, date(2026, 2, 28), scope, groups)["value_set"]
        assert isinstance(found, list)
        assert set(found) - vocabulary.mineral_groups() == known


def test_the_version_of_a_suite_is_the_same_in_another_process() -> None:
    program = (
        "from dagster_project.quality.suites import LAKE_SUITES\n"
        "from dagster_project.quality.rules import suite_version\n"
        "print(*(suite_version(suite) for suite in LAKE_SUITES.values()))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [suite_version(suite) for suite in LAKE_SUITES.values()]

"""Rows of `catalog.checks` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"layer": "mart", "table_name": "market.prices", "check_name": "prices_are_of_known_days",
     "engine": "dbt", "severity": "error", "status": "passed", "failing_rows": 0},
    {"layer": "mart", "table_name": "market.prices", "check_name": "close_is_positive",
     "engine": "great_expectations", "severity": "warn", "status": "failed",
     "failing_rows": 2},
]  # fmt: skip

DEFECTS: Defects = {
    "one_row_per_layer_table_and_check": ({"check_name": "close_is_positive"}, 2),
    "engine_is_known": ({"engine": "pandera"}, 1),
    "severity_is_known": ({"severity": "fatal"}, 1),
    "status_is_known": ({"status": "pass"}, 1),
    "failing_rows_is_not_negative": ({"failing_rows": -1}, 1),
    "a_passed_check_has_no_failing_rows": ({"failing_rows": 3}, 1),
}

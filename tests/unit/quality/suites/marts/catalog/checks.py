"""Rows of `catalog.checks` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"engine": "dbt", "severity": "error", "status": "passed", "failing_rows": 0},
    {"engine": "great_expectations", "severity": "warn", "status": "failed",
     "failing_rows": 2},
]  # fmt: skip

DEFECTS: Defects = {
    "engine_is_known": ({"engine": "pandera"}, 1),
    "severity_is_known": ({"severity": "fatal"}, 1),
    "status_is_known": ({"status": "pass"}, 1),
    "failing_rows_is_not_negative": ({"failing_rows": -1}, 1),
    "a_passed_check_has_no_failing_rows": ({"failing_rows": 3}, 1),
}

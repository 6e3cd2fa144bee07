"""Seeded defects: rows a suite accepts, and for each of its rules a change that breaks it."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate

TODAY = date(2026, 11, 25)

Row = Mapping[str, object]
Defect = tuple[Mapping[str, object] | Sequence[Row], int]
"""What changes in the first row (or the rows to hold instead), and how many rows then offend."""


def changed(rows: Sequence[Row], defect: Mapping[str, object] | Sequence[Row]) -> Sequence[Row]:
    if isinstance(defect, Mapping):
        return [{**rows[0], **defect}, *rows[1:]]
    return defect


def ask(suite: Suite, rule: Rule, frame: pl.DataFrame) -> CheckResult:
    (result,) = evaluate(frame, Suite(suite.layer, suite.table, (rule,)), today=TODAY)
    return result

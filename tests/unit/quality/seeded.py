"""Seeded defects: rows a suite accepts, and for each of its rules a change that breaks it.

Those of one table lie in `suites/`, as its suite does in the product: `GOOD` and `DEFECTS`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib import import_module

import polars as pl

from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate

TODAY = date(2026, 11, 25)

Row = Mapping[str, object]
Defect = tuple[Mapping[str, object] | Sequence[Row], int]
"""What changes in the first row (or the rows to hold instead), and how many rows then offend."""
Defects = Mapping[str, Defect]

PROVENANCE: Row = {
    "source": "a_source", "document": "a.csv", "snapshot_id": "", "is_provisional": False,
    "vintage_at": datetime(2026, 7, 1),
}  # fmt: skip

MEMBERS = (
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV",
    "HUN", "IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN",
    "SWE",
)  # fmt: skip
"""The economies of the European Union."""

CODES: Defects = {"hs6_code_has_six_digits": ({"hs6_code": "81340"}, 1)}
EDITION: Defects = {"hs_revision_is_a_known_edition": ({"hs_revision": "H6"}, 1)}
SHARES_IN_COMMON: Defects = {
    "measure_is_value_or_weight": ({"measure": "value"}, 1),
    "frequency_is_annual_or_monthly": ({"frequency": "Y"}, 1),
    "mineral_group_is_known": ({"mineral_group": "magnets"}, 1),
    "period_starts_on_its_first_day": ({"period_start": date(2024, 12, 31)}, 1),
    "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
    "importer_is_one_economy": ({"importer_iso3": "WLD"}, 1),
}
MARKET_ANSWERS: Defects = {
    "model_is_known": ({"model": "fama_french"}, 1),
    "the_market_model_and_no_other_has_a_factor": ({"market_instrument": "TOPIX"}, 1),
    "standard_error_is_positive": ({"standard_error": 0.0}, 1),
    "session_date_is_not_after_the_day_of_the_build": ({"session_date": date(2026, 12, 24)}, 1),
}
PRODUCTION_IN_COMMON: Defects = {
    "stage_is_known": ({"stage": "refining"}, 1),
    "material_is_a_name": ({"material": "Rare earths"}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
}


def cases(suite: Suite) -> tuple[Sequence[Row], Defects]:
    """Rows that hold, and a defect for each rule, of the suite's table."""
    folder = {"lake": "lake", "mart": "marts"}[suite.layer]
    found = import_module(f"tests.unit.quality.suites.{folder}.{suite.table}")
    return found.GOOD, found.DEFECTS


def without(rows: Sequence[Row], column: str, value: object) -> Sequence[Row]:
    return [row for row in rows if row[column] != value]


def changed(rows: Sequence[Row], defect: Mapping[str, object] | Sequence[Row]) -> Sequence[Row]:
    if isinstance(defect, Mapping):
        return [{**rows[0], **defect}, *rows[1:]]
    return defect


def ask(suite: Suite, rule: Rule, frame: pl.DataFrame) -> CheckResult:
    (result,) = evaluate(frame, Suite(suite.layer, suite.table, (rule,)), today=TODAY)
    return result

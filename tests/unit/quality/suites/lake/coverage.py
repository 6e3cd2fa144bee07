"""Rows of `coverage` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

SLICE: Row = {
    **PROVENANCE, "table_name": "trade_flows", "reporter_iso3": "JPN", "flow": "import",
    "frequency": "M", "period_start": date(2025, 6, 1), "rows": 40,
}  # fmt: skip

GOOD: Sequence[Row] = [
    SLICE,
    {**SLICE, "period_start": date(2026, 9, 1), "rows": 0},
    {**SLICE, "table_name": "reconciled_trade", "reporter_iso3": "", "flow": "", "frequency": "A",
     "period_start": date(2024, 1, 1)},
    {**SLICE, "table_name": "price_quotes", "reporter_iso3": "", "flow": "", "frequency": "D",
     "period_start": date(2026, 10, 30)},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"rows": None}, 1),
    "one_row_per_slice": ([*GOOD, {**SLICE, "rows": 3}], 2),
    "table_is_a_lake_table_with_a_period": ({"table_name": "restriction_clauses"}, 1),
    "reporter_is_a_known_economy": ({"reporter_iso3": "392"}, 1),
    "flow_is_import_export_or_their_returns": ({"flow": "M"}, 1),
    "frequency_is_annual_monthly_or_daily": ({"frequency": "Q"}, 1),
    "period_starts_on_its_first_day": ({"period_start": date(2025, 6, 30)}, 1),
    "rows_is_not_negative": ({"rows": -1}, 1),
}

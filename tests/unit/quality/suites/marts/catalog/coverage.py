"""Rows of `catalog.coverage` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date, datetime

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"table_name": table, "flow": flow, "frequency": frequency, "period_start": start,
     "asked_at": datetime(2026, 11, 24), "rows": rows}
    for table, flow, frequency, start, rows in (
        ("trade_flows", "import", "M", date(2025, 6, 1), 40),
        ("trade_flows", "import", "A", date(2025, 1, 1), 0),
        ("price_quotes", "", "D", date(2026, 10, 30), 3),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "table_name_is_not_blank": ({"table_name": ""}, 1),
    "flow_is_import_export_or_their_returns": ({"flow": "M"}, 1),
    "frequency_is_annual_monthly_or_daily": ({"frequency": "Q"}, 1),
    "period_starts_on_its_first_day": ({"period_start": date(2025, 6, 30)}, 1),
    "rows_is_not_negative": ({"rows": -1}, 1),
    "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
    "asked_at_is_not_after_the_day_of_the_build": ({"asked_at": datetime(2026, 12, 24)}, 1),
}

"""Rules of marts that YAML cannot express: their columns depend on exchanges, or on lists.

All others are in the `.yml` of their mart (`mart_suites.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Rule, report

LONGEST_GAP_DAYS = 100
"""A price may double or halve from the average of one year to that of the next: of the 28 yearly
series of the Mineral Commodity Summaries six did. Quotes of months that are further apart have
months missing."""

_FOLLOWS_SOON = pl.col("price_date") - pl.col("price_date").shift(1).over(
    "instrument", "frequency", order_by="price_date"
) < pl.duration(days=LONGEST_GAP_DAYS)
"""Whether the quote before is recent: that of a year is not."""

_IS_QUOTED = ~pl.col("instrument").str.starts_with("UNIT_VALUE_")
"""Not a unit value of trade, which moves with the mix of goods too: of 957 that follow soon in the
bundled figures 84 are double or half of the one before, which would hide the jump of a quote. Slips
in the flows themselves are found there: `unit_value_is_plausible`."""

_RETURN_CLOSE = pl.col("return_close")
_SERIES = ("instrument", "frequency", "unit")
_IS_DAILY = pl.col("frequency") == "D"
"""Only daily quotes belong to a session of an exchange."""

MART_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            # Of market.prices.
            *shared_rules.rates_are_plausible(report),
            shared_rules.does_not_jump(("instrument", "frequency"), _FOLLOWS_SOON & _IS_QUOTED),
            shared_rules.has_no_step_of_a_split(
                _RETURN_CLOSE / _RETURN_CLOSE.shift(1).over(_SERIES, order_by="price_date"),
                _IS_DAILY,
            ),
            shared_rules.is_a_session(_IS_DAILY),
            shared_rules.no_session_is_missing(_SERIES, _IS_DAILY),
            # Of exposure.measures.
            shared_rules.inferred_names_columns(),
        )
    }
)
"""By name."""

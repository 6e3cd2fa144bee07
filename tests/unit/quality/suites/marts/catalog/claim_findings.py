"""Rows of `catalog.claim_findings` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {
        "basis": basis, "moment": moment, "value": value, "unit": unit, "period": period,
        "source": source,
    }
    for basis, moment, value, unit, period, source in (
        ("net_weight_kg", None, 0.713, "share_of_weight", "2024", "comtrade"),
        ("rare_earths, usgs_mcs 2025, now", "now", 1.0, "share_of_output", "2025", "usgs_mcs"),
        ("light_rare_earth, ec_crm 2023", "then", 0.849, "share_of_output", "2016/2020", "ec_crm"),
        ("rare_earths, usgs_mcs 2022", None, 0.3385, "share_of_reserves", "2022", "usgs_mcs"),
        ("rare_earths", "then", None, "share_of_capacity", None, None),
        ("neodymium, ec_crm", None, 0.8, "share_of_use", "2023", "ec_crm"),
        ("value_usd", None, 0.44, "share_of_value", "2024", "comtrade"),
        ("monthly, value_usd", None, -0.54, "change_of_value", "2025-05", "monthly"),
        ("monthly, net_weight_kg", None, 1.2, "change_of_weight", "2025-05", "monthly"),
        ("cerium / copper", None, 1.11, "times_as_abundant", None, "crc_handbook, rudnick_gao"),
        ("all", "then", -0.2, "return", "2025-12-31/2026-08-05", "equity_indices"),
        ("none", None, None, "t", "2025-10", None),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "basis_is_not_blank": ({"basis": " "}, 1),
    "moment_is_known": ({"moment": "today"}, 1),
    "unit_is_known": ({"unit": "percent"}, 1),
    # A share in per cent.
    "a_share_lies_between_0_and_1_within_rounding": ({"value": 71.3}, 1),
    "a_ratio_or_an_amount_is_not_negative": ({"value": -1.0, "unit": "t"}, 1),
    "period_is_a_year_a_month_or_an_interval": ({"period": "Oct 2025"}, 1),
    "a_value_has_a_source": ({"source": None}, 1),
}

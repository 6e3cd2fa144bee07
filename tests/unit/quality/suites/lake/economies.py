"""Rows of `economies` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import MEMBERS, PROVENANCE, Defects, Row

ECONOMY: Row = {
    **PROVENANCE, "economy_iso3": "JPN", "name": "Japan", "name_ja": "日本", "m49_code": "392",
    "comtrade_code": "392", "japan_customs_code": None, "is_eu27": False,
}  # fmt: skip

NUMBERLESS: Row = {**ECONOMY, "m49_code": None, "comtrade_code": None}

GOOD: Sequence[Row] = [
    ECONOMY,
    {**ECONOMY, "economy_iso3": "CHN", "m49_code": "156", "comtrade_code": "156",
     "japan_customs_code": "105"},
    {**ECONOMY, "economy_iso3": "USA", "m49_code": "840", "comtrade_code": "842 841"},
    *({**NUMBERLESS, "economy_iso3": code} for code in ("VNM", "_X", "WLD", "EU27")),
    *({**NUMBERLESS, "economy_iso3": code, "is_eu27": True} for code in MEMBERS),
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"name_ja": None}, 1),
    "one_row_per_economy": ([*GOOD, ECONOMY], 2),
    "economy_iso3_has_three_signs_or_is_a_special_code": ({"economy_iso3": "JP"}, 1),
    "the_list_holds_the_well_known": (GOOD[1:], 0),
    "m49_code_names_one_economy": ({"m49_code": "156"}, 2),
    "m49_code_has_three_digits": ({"m49_code": "8"}, 1),
    "publishers_codes_are_digits": ({"comtrade_code": "392.0"}, 1),
    "the_european_union_has_27_members": ({"is_eu27": True}, 0),
}

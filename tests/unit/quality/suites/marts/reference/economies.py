"""Rows of `reference.economies` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import MEMBERS, Defects, Row, without

GOOD: Sequence[Row] = [
    {"economy_iso3": "JPN", "name": "Japan", "name_ja": "日本", "m49_code": "392",
     "is_eu27": False},
    *({"economy_iso3": code, "name": code, "name_ja": "国", "m49_code": None, "is_eu27": False}
      for code in ("CHN", "USA", "VNM", "_X", "WLD")),
    *({"economy_iso3": code, "name": code, "name_ja": "ドイツ", "m49_code": "276",
       "is_eu27": True} for code in MEMBERS),
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "the_well_known_are_there": (without(GOOD, "economy_iso3", "_X"), 0),
    "name_is_not_blank": ({"name": " "}, 1),
    # Shift-JIS read as Latin-1.
    "name_ja_is_in_japanese": ({"name_ja": "“ú–{"}, 1),
    "m49_code_has_three_digits": ({"m49_code": "4"}, 1),
    # The United Kingdom, still.
    "the_european_union_has_27_members": ({"is_eu27": True}, 0),
}

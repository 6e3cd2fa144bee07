"""Rows of `reference.minerals` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"mineral": "dysprosium", "symbol": "Dy", "name_ja": "ジスプロシウム",
     "family": "heavy_rare_earth", "is_rare_earth": True},
    {"mineral": "tungsten", "symbol": "W", "name_ja": "タングステン", "family": "other",
     "is_rare_earth": False},
    *({"mineral": mineral, "symbol": None, "name_ja": "黒鉛", "family": "other",
       "is_rare_earth": False}
      for mineral in ("gallium", "germanium", "graphite", "neodymium", "praseodymium",
                      "samarium", "terbium", "yttrium")),
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "family_is_known": ({"family": "medium_rare_earth"}, 1),
    "the_controlled_minerals_are_there": ({"mineral": "Dysprosium"}, 0),
    "a_light_or_heavy_rare_earth_is_a_rare_earth": ({"is_rare_earth": False}, 1),
    "symbol_is_that_of_an_element": ({"symbol": "Xx"}, 1),
    "name_ja_is_in_japanese": ({"name_ja": "Dysprosium"}, 1),
}

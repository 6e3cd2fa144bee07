"""Rows of `reference.mineral_groups` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"mineral_group": group, "name": "Rare earths", "name_ja": "希土類",
     "is_part_of": []}
    for group in ("rare_earths", "permanent_magnets", "natural_graphite",
                  "artificial_graphite", "hs_850511")
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "the_named_groups_are_there": ({"mineral_group": "rare_earth"}, 0),
    "mineral_group_is_a_name": ({"mineral_group": "Rare earths"}, 1),
    "name_is_not_blank": ({"name": ""}, 1),
    "no_group_is_a_part_of_itself": ({"is_part_of": ["rare_earths"]}, 1),
    "name_ja_is_in_japanese": ({"name_ja": "?????"}, 1),
}

"""Rules that `reference.minerals` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import contains, is_in_japanese, no_row_has
from dagster_project.quality.parts import ELEMENT, has_rows, is_one_of, matches

HEAVY_AND_MAGNET_MINERALS = (
    "dysprosium", "gallium", "germanium", "graphite", "neodymium", "praseodymium", "samarium",
    "terbium", "yttrium",
)  # fmt: skip


RULES = (
    has_rows(),
    is_one_of(
        "family_is_known", "family", words.MINERAL_FAMILIES,
        "Light and heavy rare earths are controlled and supplied separately.",
    ),
    contains(
        "the_controlled_minerals_are_there", "mineral", HEAVY_AND_MAGNET_MINERALS,
        "The minerals China has controlled since 2023 are what a reader asks about.",
    ),
    no_row_has(
        "a_light_or_heavy_rare_earth_is_a_rare_earth",
        "Else a filter on the family and one on the flag would differ.",
        contradiction=pl.when(
            pl.col("family").str.ends_with("rare_earth") & ~pl.col("is_rare_earth")
        ).then("mineral"),
    ),
    matches(
        "symbol_is_that_of_an_element", "symbol", ELEMENT,
        "A compound or a mixture has no symbol.",
    ),
    is_in_japanese(),
)  # fmt: skip

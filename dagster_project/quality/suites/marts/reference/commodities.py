"""Rules that `reference.commodities` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality.mart_parts import contains, has_a_known_edition, is_an_hs6_code
from dagster_project.quality.parts import has_rows, is_not_blank, is_one_of

RULES = (
    has_rows(),
    is_an_hs6_code(),
    has_a_known_edition(),
    is_one_of(
        "product_form_is_known", "product_form",
        words.PRODUCT_FORMS,
        "The form places a code in the chain from mine to magnet.",
    ),
    is_not_blank("description"),
    contains(
        "rare_earths_and_magnets_are_there", "hs6_code",
        ("280530", "284610", "284690", "850511"),
        "The codes of the first question.",
    ),
)  # fmt: skip

"""Rules that a batch of `material_labels` must satisfy before it is used."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Known
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import has_rows, is_one_of, matches, one_row_per

RULES = (
    has_rows(),
    is_filled("material_labels"),
    one_row_per("label", *key_of("material_labels")),
    matches(
        "material_is_a_name", "material", shared_rules.SLUG,
        "Materials have one form of name (`natural_graphite`), else two publishers do not match.",
    ),
    matches(
        "mineral_is_a_name", "mineral", shared_rules.SLUG,
        "Minerals have one form of name (`rare_earths`), else they match nothing.",
    ),
    is_one_of(
        "mineral_group_is_known", "mineral_group", Known("mineral_groups"),
        "A label of an undefined group would match no trade.",
    ),
    is_one_of(
        "stage_is_known", "stage", words.STAGES,
        "The basis of a label applies to the stage that the label names.",
    ),
    is_one_of(
        "content_basis_is_known", "content_basis", words.CONTENT_BASES,
        "A ton of oxide and a ton of the metal in it are not added up.",
    ),
    matches(
        "reason_is_in_words", "left_out", shared_rules.NOT_BLANK,
        "Either a label's figures are used, or the reason for leaving it out is given.",
    ),
)  # fmt: skip

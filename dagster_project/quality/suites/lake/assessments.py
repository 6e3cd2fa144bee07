"""Rules that a batch of `assessments` must satisfy before it is used."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality.rules import quarantine
from dagster_project.quality.shared_lake_rules import is_filled, key_of, year_has_begun
from dagster_project.quality.shared_rules import has_rows, is_one_of, one_row_per

RULES = (
    has_rows(),
    is_filled("assessments"),
    one_row_per("result", *key_of("assessments")),
    is_one_of(
        "stage_is_extraction_or_processing", "stage", words.STAGES_OF_OUTPUT,
        "An assessment is of the mine or of the refinery.",
    ),
    is_one_of(
        "supply_used_is_known", "supply_used", words.SUPPLY_USED,
        "The supply that is assessed decides the formula.",
    ),
    year_has_begun(),
    quarantine(
        "import_reliance_raw_is_at_most_1",
        "Net imports are at most all that is used; more is a percentage.",
        "ExpectColumnValuesToBeBetween",
        column="import_reliance_raw",
        min_value=-10,
        max_value=1,
    ),
    *(
        quarantine(
            f"{column}_is_between_0_and_1",
            "A share above 1 is a percentage.",
            "ExpectColumnValuesToBeBetween",
            column=column,
            min_value=0,
            max_value=1,
        )
        for column in ("import_reliance", "eol_recycling_rate")
    ),
    *(
        quarantine(
            f"{column}_is_between_0_and_{most}",
            f"The index ends at {most}; more is another index or a shifted point.",
            "ExpectColumnValuesToBeBetween",
            column=column,
            min_value=0,
            max_value=most,
        )
        for column, most in (
            ("supply_risk", 10),
            ("economic_importance", 10),
            ("substitution_index_economic", 1),
            ("substitution_index_supply", 1),
            ("hhi_global_supply", 10),
            ("hhi_consumer_sourcing", 10),
        )
    ),
)  # fmt: skip

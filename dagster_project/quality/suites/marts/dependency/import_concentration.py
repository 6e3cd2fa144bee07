"""Rules that `dependency.import_concentration` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least, shares_in_common
from dagster_project.quality.parts import is_a_share

RULES = (
    *shares_in_common(),
    *(
        is_a_share(column)
        for column in (
            "hhi", "hhi_low", "hhi_high", "hhi_normalised", "cr1_share", "cr3_share",
            "top_supplier_share", "partner_coverage_share",
        )
    ),
    is_at_least("total_amount", 0, "Without imports there is no concentration.", strict=True),
    is_at_least("effective_suppliers", 1 - parts.ROUNDING, "There is at least one supplier."),
)  # fmt: skip

"""The scope of a clause: codes, minerals and the bounds of what is controlled."""

import polars as pl

from tests.conftest import needs_edition_of_catalogue
from tests.unit.sources.catalogue.examples import (
    reference,
)


def test_the_code_the_gallium_notice_misprints_is_kept_beside_the_right_one(frames):
    found = frames["restriction_scope"].row(
        by_predicate=(pl.col("clause_id") == "CN-2023-23")
        & (pl.col("hs_code") == "811292")
        & (pl.col("mineral") == "gallium"),
        named=True,
    )
    assert "8110929010" in found["source_codes"]
    assert "8110.92 does not exist" in found["correction_reason"]


def test_heavy_rare_earths_are_bounds_in_a_code_that_holds_others_too(frames):
    scope = frames["restriction_scope"].filter(
        (pl.col("clause_id") == "CN-2025-18") & (pl.col("hs_code") == "280530")
    )
    assert set(scope["mineral"]) == {
        "samarium", "gadolinium", "terbium", "dysprosium", "lutetium", "scandium", "yttrium",
    }  # fmt: skip
    assert set(scope["control_share_low"]) == {0.0}
    assert set(scope["control_share_high"]) == {1.0}


@needs_edition_of_catalogue
def test_every_row_of_scope_is_cell_for_cell_that_of_the_list(frames):
    listed = reference("restriction_scope.csv")
    expected = sorted(
        (
            row["clause_id"], row["hs_code"], row["mineral"],
            float(row["control_share_low"]), float(row["control_share_high"]),
            row["basis"], row["source_codes"], row["correction_reason"],
        )
        for row in listed
    )  # fmt: skip
    columns = (
        "clause_id", "hs_code", "mineral", "control_share_low", "control_share_high", "basis",
        "source_codes", "correction_reason",
    )  # fmt: skip
    found = sorted(
        tuple("" if cell is None else cell for cell in row)
        for row in frames["restriction_scope"].select(columns).iter_rows()
    )
    assert len(found) == 163
    assert found == expected

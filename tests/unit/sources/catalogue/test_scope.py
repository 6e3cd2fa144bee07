"""The scope of a clause: codes, minerals and the bounds of what is controlled."""

import polars as pl
import pytest

from dagster_project.sources import catalogue
from tests.conftest import needs_edition_of_catalogue
from tests.corrected import corrected_rows
from tests.unit.sources.catalogue.examples import DOCUMENT, FILES, reference


@pytest.fixture(scope="module")
def scope() -> pl.DataFrame:
    """The scope of the bundled measures, with the misprinted code read as the right one."""
    rows, _ = corrected_rows(catalogue, FILES["measures.yaml"], DOCUMENT)
    return rows["restriction_scope"]


def gallium(scope: pl.DataFrame) -> dict[str, object]:
    return scope.row(
        by_predicate=(pl.col("clause_id") == "CN-2023-23")
        & (pl.col("hs_code") == "811292")
        & (pl.col("mineral") == "gallium"),
        named=True,
    )


def test_the_code_the_gallium_notice_misprints_is_kept_beside_the_right_one(scope):
    found = gallium(scope)
    assert found["source_codes"] == "8110929010 8112929090"
    assert "8110.92 does not exist" in found["correction_reason"]
    assert scope["correction_reason"].drop_nulls().len() == 1


def test_a_notice_that_prints_the_right_code_needs_no_reason():
    printed = FILES["measures.yaml"].replace(b'"8110929010 8112929090"', b'"8112929010 8112929090"')
    assert printed != FILES["measures.yaml"]
    rows, statuses = corrected_rows(catalogue, printed, DOCUMENT)
    assert gallium(rows["restriction_scope"])["correction_reason"] is None
    assert statuses == {"CN-2023-23-GALLIUM-CODE": "no_longer_matches"}


def test_a_reason_that_the_entry_gives_itself_is_kept():
    own = FILES["measures.yaml"].replace(
        b'printed: "8110929010 8112929090"',
        b'printed: "8110929010 8112929090"\n            correction: as the gazette corrects it',
    )
    rows, _ = corrected_rows(catalogue, own, DOCUMENT)
    assert gallium(rows["restriction_scope"])["correction_reason"] == "as the gazette corrects it"


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
def test_every_row_of_scope_is_cell_for_cell_that_of_the_list(scope):
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
        for row in scope.select(columns).iter_rows()
    )
    assert len(found) == 163
    assert found == expected

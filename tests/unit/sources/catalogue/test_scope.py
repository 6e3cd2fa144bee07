"""The scope of a clause: codes, minerals and the bounds of what is controlled."""

import polars as pl
import pytest

from dagster_project.sources import catalogue
from tests.conftest import needs_reference
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


def test_the_ban_on_japans_military_covers_what_was_on_the_control_list_and_no_more(frames):
    scope = frames["restriction_scope"]

    def minerals(*clauses: str) -> set[str]:
        return set(scope.filter(pl.col("clause_id").is_in(clauses))["mineral"])

    # What notices 23/2023, 39/2023, 33/2024, 10/2025 and 18/2025 control.
    assert minerals("CN-2026-1") == {
        "gallium", "germanium", "graphite", "antimony", "superhard_materials", "tungsten",
        "tellurium", "bismuth", "molybdenum", "indium", "samarium", "gadolinium", "terbium",
        "dysprosium", "lutetium", "scandium", "yttrium",
    }  # fmt: skip
    light = {"lanthanum", "cerium", "praseodymium"}
    assert not light & set(scope["mineral"])
    # Neodymium is restricted by India alone, the five of 57/2025 by that notice alone.
    assert set(scope.filter(pl.col("mineral") == "neodymium")["clause_id"]) == {"IN-2025-06-IREL"}
    five = {"holmium", "erbium", "thulium", "europium", "ytterbium"}
    assert set(scope.filter(pl.col("mineral").is_in(five))["clause_id"]) == {"CN-2025-57"}


def test_a_code_is_listed_only_for_minerals_that_its_goods_may_be(frames):
    scope = frames["restriction_scope"]
    pairs = set(scope.select("hs_code", "mineral").iter_rows())
    # Unwrought indium and molybdenum are not on the list of 10/2025, lithium carbonate is no raw
    # mineral, and of heading 2825 two codes can be meant.
    assert not pairs & {
        ("811292", "indium"), ("810294", "molybdenum"), ("283691", "lithium"),
        ("2825", "tungsten"), ("2825", "antimony"),
    }  # fmt: skip
    assert {("282580", "antimony"), ("282590", "tungsten"), ("280429", "helium")} <= pairs
    of_one_metal = {(code[:4], mineral) for code, mineral in pairs if code.startswith("810")}
    assert of_one_metal == {
        ("8101", "tungsten"), ("8102", "molybdenum"), ("8105", "cobalt"), ("8106", "bismuth"),
    }  # fmt: skip


@needs_reference
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
    assert len(found) == 387
    assert found == expected

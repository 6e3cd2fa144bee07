"""Factors from tons of goods to tons of oxide and metal, worked out from atomic weights."""

from __future__ import annotations

import csv

import pytest

from dagster_project.lake.vocabulary import economies
from dagster_project.settings import DBT_PROJECT

WEIGHTS = {
    "H": 1.008, "Li": 6.94, "C": 12.011, "O": 15.999, "V": 50.942, "Mo": 95.95, "Sb": 121.76,
}  # fmt: skip
"""IUPAC, abridged standard atomic weights 2021."""

COMPOUNDS = [
    # Code, mineral, atoms of the compound, of its oxide per atom of metal, atoms of metal.
    ("283691", "Li", {"Li": 2, "C": 1, "O": 3}, {"Li": 2, "O": 1}),
    ("282520", "Li", {"Li": 2, "O": 4, "H": 6}, {"Li": 2, "O": 1}),
    ("282530", "V", {"V": 2, "O": 5}, {"V": 2, "O": 5}),
    ("282570", "Mo", {"Mo": 1, "O": 3}, {"Mo": 1, "O": 3}),
    ("282580", "Sb", {"Sb": 2, "O": 3}, {"Sb": 2, "O": 3}),
]


def seed(name: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"seed_{name}.csv").open(encoding="utf8") as file:
        return list(csv.DictReader(file))


def weight(atoms: dict[str, int]) -> float:
    return sum(WEIGHTS[element] * number for element, number in atoms.items())


@pytest.mark.parametrize(("code", "metal", "compound", "oxide"), COMPOUNDS)
def test_a_compound_has_the_metal_and_oxide_of_its_formula(
    code: str, metal: str, compound: dict[str, int], oxide: dict[str, int]
) -> None:
    """Two formula units of lithium hydroxide monohydrate have the lithium of one of the oxide."""
    (row,) = [row for row in seed("mass_conversions") if row["hs6_code"] == code]
    of_metal = WEIGHTS[metal] * compound[metal] / weight(compound)
    assert float(row["metal_factor"]) == pytest.approx(of_metal, abs=5e-5)
    assert float(row["oxide_factor"]) == pytest.approx(weight(oxide) / weight(compound), abs=5e-5)
    assert "IUPAC" in row["source"]


def test_all_other_codes_are_metals_without_an_oxide() -> None:
    compounds = {code for code, *_ in COMPOUNDS}
    rest = [row for row in seed("mass_conversions") if row["hs6_code"] not in compounds]
    assert len(rest) == 20
    assert {(row["oxide_factor"], row["metal_factor"]) for row in rest} == {("", "1")}


def test_dysprosium_oxide_has_the_published_share_of_its_metal() -> None:
    """Dy2O3 x 0.8713, as trade statistics convert it: the same arithmetic on another oxide."""
    assert 2 * 162.50 / (2 * 162.50 + 3 * WEIGHTS["O"]) == pytest.approx(0.8713, abs=5e-5)


def test_members_of_customs_unions_are_economies_of_one_union() -> None:
    members = [row["economy_iso3"] for row in seed("customs_unions")]
    assert set(members) <= set(economies())
    assert len(members) == len(set(members))

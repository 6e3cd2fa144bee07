"""Which codes are asked for and kept, by the setting."""

from __future__ import annotations

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.lake.scope import (
    CommodityScope,
    nomenclature,
)
from dagster_project.lake.vocabulary import commodity_codes
from dagster_project.settings import Settings

MAGNETS, HORSES, COAL, TOBACCO_1996 = "850511", "010121", "270112", "240391"


@pytest.mark.parametrize(("name", "kept"), [
    ("minerals", [MAGNETS, COAL]),
    ("", [MAGNETS, COAL]),
    ("all", [MAGNETS, HORSES, COAL, "854810"]),  # 854810 is of HS 2017: not in the list of 2022
    ("01", [MAGNETS, HORSES, COAL]),
    (" 8548 , 010129 ", [MAGNETS, COAL, "854810"]),
])  # fmt: skip
def test_the_mineral_groups_are_in_every_scope_and_more_by_prefix(
    name: str, kept: list[str]
) -> None:
    # 980000 is national, 9999AA "not specified", 85051 a number that lost a digit.
    codes = [MAGNETS, HORSES, COAL, "854810", "980000", "9999AA", "85051", None]
    assert CommodityScope.named(name).select(codes) == kept


def test_all_of_the_hs_is_asked_for_by_the_codes_of_2022_and_those_of_the_minerals() -> None:
    # World Customs Organization: HS 2022 has 5,609 subheadings; UN Comtrade lists 3 more.
    codes = set(CommodityScope.named("all").codes())
    assert len(codes & set(nomenclature())) == 5_612
    # Codes of minerals that ended before 2022.
    assert codes - set(nomenclature()) == {
        "252890", "810310", "810510", "810600", "810710", "811211", "811230",
    }  # fmt: skip
    assert set(CommodityScope().codes()) == set(commodity_codes())
    rare_earths = {"280530", "284610", "284690"}
    assert rare_earths <= set(CommodityScope.named("28").codes())
    assert HORSES not in CommodityScope.named("28").codes()
    assert "permanent magnets" in nomenclature()["8505"]


def test_a_code_is_a_group_of_its_own_where_it_is_in_scope() -> None:
    groups = ["hs_010121", "hs_980000", "hs_10121", "rare_earths", None]
    assert CommodityScope().groups(groups) == set()
    assert CommodityScope.named("all").groups(groups) == {"hs_010121"}


@pytest.mark.parametrize(("given", "name"), [
    ("ALL", "all"), ("8505, 28", "28,8505"), ("28,28", "28"), ("minerals", "minerals"),
])  # fmt: skip
def test_a_scope_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, given: str, name: str
) -> None:
    monkeypatch.setenv("KIDO_SCOPE", given)
    assert Settings.load().scope.name == name
    assert CommodityScope.named(name) == Settings.load().scope


@pytest.mark.parametrize("given", ["magnets", "98", "285", "all,28", "2805300", "minerals,28"])
def test_what_is_no_scope_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("KIDO_SCOPE", given)
    with pytest.raises(ConfigurationError, match=r"^KIDO_SCOPE: '.*' is not a chapter, heading"):
        Settings.load()

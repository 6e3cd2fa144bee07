"""The explanation of a published statement in English, of facts made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.serving.wording.english.claims import explanation

FIGURE: dict[str, Any] = {
    "subject": None,
    "compared_subject": None,
    "value": None,
    "value_high": None,
    "unit": None,
    "period": None,
    "year": None,
    "is_inside": None,
    "publishers": None,
    "applications": None,
    "largest_fall_share": None,
    "flow": None,
    "frequency": None,
    "reporter": None,
    "partner": None,
    "latest_of_code": None,
    "latest_of_any": None,
}
BY_WEIGHT = {
    **FIGURE,
    "value": 0.713,
    "unit": "share_of_weight",
    "period": "2024",
    "is_inside": True,
    "publishers": ["UN Comtrade"],
}
BY_VALUE = {**BY_WEIGHT, "value": 0.44, "unit": "share_of_value", "is_inside": False}
RARE_EARTHS = {
    **FIGURE,
    "subject": "rare_earths",
    "value": 0.6923,
    "unit": "share_of_output",
    "period": "2024",
    "year": 2024,
    "is_inside": True,
    "publishers": ["USGS"],
}
NO_RARE_EARTHS = {**FIGURE, "subject": "rare_earths", "unit": "share_of_output"}
MAGNETS = {
    **FIGURE,
    "subject": "850511",
    "unit": "t",
    "period": "2025-10",
    "flow": "export",
    "frequency": "M",
    "reporter": "China",
    "partner": "Netherlands",
}
CERIUM = {
    **FIGURE,
    "subject": "cerium",
    "compared_subject": "copper",
    "value": 1.11,
    "value_high": 1.11,
    "unit": "times_as_abundant",
    "is_inside": True,
    "publishers": ["CRC Handbook"],
}


def shown(verdict: str, *figures: dict[str, Any], **others: Any) -> dict[str, Any]:
    """What the figures show at a moment."""
    return {"moment": None, "verdict": verdict, "nearest": None, "figures": figures, **others}


def worded(**facts: Any) -> str:
    """The explanation of a claim that has only these facts."""
    return explanation(
        {
            "test": "supplier_share",
            "missing": None,
            "is_day_unknown": False,
            "is_of_years": False,
            "claimed_low": None,
            "claimed_high": None,
            "said": None,
            "today": None,
            "same_return_of": None,
            "evidence": None,
            **facts,
        }
    )


def test_a_source_of_all_figures_is_named_once_after_the_last() -> None:
    assert worded(said=shown("depends_on_basis", BY_WEIGHT, BY_VALUE)) == (
        "It depends on the basis: it holds by 71.3 % of weight, it does not by 44.0 % of value "
        "(UN Comtrade, 2024)."
    )


def test_figures_of_two_sources_name_each_its_own() -> None:
    customs = {**BY_WEIGHT, "publishers": ["Japan Customs"]}
    assert worded(said=shown("depends_on_basis", customs, BY_VALUE)) == (
        "It depends on the basis: it holds by 71.3 % of weight (Japan Customs, 2024), it does not "
        "by 44.0 % of value (UN Comtrade, 2024)."
    )


def test_a_claim_without_a_year_names_the_year_of_each_figure() -> None:
    later = {**BY_WEIGHT, "value": 0.6764, "period": "2025", "is_inside": False}
    assert worded(said=shown("depends_on_basis", BY_WEIGHT, later), is_of_years=True) == (
        "It depends on the basis and the year: it holds by 71.3 % of weight in 2024, it does not "
        "by 67.6 % of weight in 2025 (UN Comtrade)."
    )


@pytest.mark.parametrize(
    ("low", "figure"), [(0.6, "71.3 %"), (0.575, "71.3 %"), (0.6832, "71.30 %")]
)
def test_a_share_is_as_precise_as_the_bounds(low: float, figure: str) -> None:
    said = shown("supported", BY_WEIGHT)
    assert worded(said=said, claimed_low=low).startswith(f"The figures agree: {figure} of weight")


def test_the_nearest_share_outside_both_bounds_says_how_far_off() -> None:
    outside = {**BY_WEIGHT, "is_inside": False}
    said = shown("contradicted", outside, nearest=0.013)
    assert worded(said=said, claimed_low=0.6, claimed_high=0.7) == (
        "The figures disagree: 71.3 % of weight (UN Comtrade, 2024). The nearest is 1.3 points "
        "from what it is read as, 60.0 % to 70.0 %."
    )


def test_a_missing_figure_is_named_after_those_there_are() -> None:
    terbium = {**NO_RARE_EARTHS, "subject": "terbium"}
    assert worded(said=shown("supported", RARE_EARTHS, terbium)) == (
        "The figures agree: rare earths (69.2 %; USGS 2024). No figure was found for terbium."
    )


def test_an_average_of_years_says_which() -> None:
    average = {**RARE_EARTHS, "period": "2016/2020", "year": 2023, "publishers": ["EC"]}
    assert worded(said=shown("supported", average)) == (
        "The figures agree: rare earths (69.2 %; EC 2023, average of 2016 to 2020)."
    )


def test_minerals_compared_with_the_same_are_one_phrase() -> None:
    neodymium = {**CERIUM, "subject": "neodymium", "value": 0.69, "value_high": 0.96}
    tin = {**CERIUM, "subject": "terbium", "compared_subject": "tin"}
    assert worded(said=shown("supported", CERIUM, neodymium, tin)) == (
        "The figures agree: cerium 1.11 and neodymium 0.69 to 0.96 times as abundant as copper, "
        "terbium 1.11 times as abundant as tin (CRC Handbook)."
    )


@pytest.mark.parametrize(
    ("latest", "reach"),
    [
        (
            {"latest_of_code": "2024-12", "latest_of_any": "2025-01"},
            "the latest month of such exports in the warehouse is December 2024",
        ),
        (
            {"latest_of_any": "2025-01"},
            "no month of this code is in the warehouse yet, its other exports are there up to "
            "January 2025",
        ),
        ({}, "no month of such exports is in the warehouse yet"),
    ],
)
def test_a_missing_flow_says_how_far_the_figures_reach(latest: dict[str, str], reach: str) -> None:
    assert worded(said=shown("not_testable", {**MAGNETS, **latest})) == (
        "No figure was found for China's exports of customs code 850511 to the Netherlands in "
        f"October 2025 ({reach})."
    )


def test_a_flow_is_in_tonnes_by_its_publisher() -> None:
    exported = {**MAGNETS, "value": 22307.5, "is_inside": True, "publishers": ["HMRC"]}
    assert worded(said=shown("supported", {**exported, "partner": None})) == (
        "The figures agree: China's exports of customs code 850511 in October 2025 "
        "(22,307.5 t by HMRC)."
    )


def test_a_return_names_the_largest_fall_on_the_way() -> None:
    risen = {
        **FIGURE,
        "subject": "IRON_ORE",
        "value": 0.8182,
        "unit": "return",
        "period": "2025-06-30/2026-08-05",
        "is_inside": True,
        "largest_fall_share": 0.4103,
    }
    assert worded(said=shown("supported", risen)) == (
        "The figures agree: IRON_ORE +81.8 % from 2025-06-30 to 2026-08-05, with a largest fall "
        "of 41.0 % on the way."
    )


def test_a_share_of_use_names_the_use() -> None:
    used = {**RARE_EARTHS, "value": 0.35, "unit": "share_of_use", "applications": "magnets"}
    assert worded(said=shown("supported", used)) == (
        "The figures agree: rare earths (35.0 % of its use: magnets; USGS 2024)."
    )


def test_a_unit_without_words_is_printed_as_it_is() -> None:
    days = {**RARE_EARTHS, "value": 21.5, "unit": "days_of_use", "period": "2026-03"}
    assert worded(said=shown("supported", days)) == (
        "The figures agree: rare earths (21.5 days of use; USGS March 2026)."
    )


def test_what_was_said_of_a_moment_has_todays_figures_beside_it() -> None:
    revised = {**RARE_EARTHS, "value": 0.711, "is_inside": False}
    said = shown("supported", RARE_EARTHS, moment="then")
    today = shown("contradicted", revised, moment="now")
    assert worded(said=said, today=today) == (
        "When it was said, the figures agreed: rare earths (69.2 %; USGS 2024). Today the figures "
        "disagree: rare earths (71.1 %; USGS 2024)."
    )
    assert worded(said=said, today={**said, "moment": "now"}, is_day_unknown=True) == (
        "When it was noted, the figures agreed: rare earths (69.2 %; USGS 2024). Today the figures "
        "are the same."
    )


def test_nothing_is_said_of_today_where_no_figure_ever_was() -> None:
    said = shown("not_testable", NO_RARE_EARTHS, moment="then")
    assert worded(said=said, today={**said, "moment": "now"}) == (
        "When it was said, no figure was known for rare earths."
    )


def test_a_claim_without_a_figure_says_which_is_missing() -> None:
    said = shown("not_testable", NO_RARE_EARTHS)
    assert worded(said=said, missing="The output of mines.") == "Missing: The output of mines."
    assert worded(test="price_return") == (
        "The warehouse has no figure of the test price_return for it."
    )


@pytest.mark.parametrize(
    ("verdict", "consequence"),
    [
        ("supported", "it can confirm the quotation and not the trade"),
        ("contradicted", "the quotation is rounded, of another basis or of another year"),
    ],
)
def test_the_same_return_and_the_catalogue_come_last(verdict: str, consequence: str) -> None:
    text = worded(said=shown(verdict, BY_WEIGHT), same_return_of="Japan", evidence=["A", "B"])
    assert text.endswith(
        "It is the same return: what UN Comtrade has is Japan's own figure, so that "
        f"{consequence}. The catalogue has: A, B."
    )

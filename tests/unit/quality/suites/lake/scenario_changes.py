"""Rows of `scenario_changes` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

CUT: Row = {
    **PROVENANCE, "scenario": "china_stops", "title": "China stops its exports",
    "importer_iso3": "JPN", "position": 1, "kind": "cut", "mineral_groups": ["rare_earths"],
    "supplier_iso3": "CHN", "share": 1.0, "from_date": date(2027, 1, 1),
}  # fmt: skip

GOOD: Sequence[Row] = [
    CUT,
    {
        **CUT, "position": 2, "kind": "shift", "to_supplier_iso3": "AUS", "share": 0.1,
        "source_url": "https://example.org/a",
    },
    {
        **CUT, "position": 3, "kind": "add", "supplier_iso3": "MYS", "share": None,
        "tonnes_low": 900.0, "tonnes_high": 1200.0,
    },
    {
        **CUT, "position": 4, "kind": "add", "supplier_iso3": "JPN", "share": None,
        "from_date": None, "project": "MINAMITORISHIMA", "relief_scenario": "commercial",
    },
    {
        **CUT, "position": 5, "kind": "lift", "supplier_iso3": None, "share": None,
        "from_date": None, "clause_id": "CN-2025-18", "effective_date": date(2027, 3, 31),
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"title": None}, 1),
    "one_row_per_change": ([*GOOD, CUT], 2),
    "scenario_is_a_name": ({"scenario": "China stops"}, 1),
    "title_is_not_blank": ({"title": " "}, 1),
    "importer_is_a_known_economy": ({"importer_iso3": "JP"}, 1),
    "supplier_is_a_known_economy": ({"supplier_iso3": "CN"}, 1),
    "to_supplier_is_a_known_economy": ({"to_supplier_iso3": "AU"}, 1),
    "kind_is_known": ({"kind": "ban"}, 1),
    "mineral_groups_are_names": ({"mineral_groups": ["Rare earths"]}, 1),
    "change_is_about_a_mineral_group": ({"mineral_groups": []}, 1),
    "share_is_between_0_and_1": ({"share": 100.0}, 1),
    "tonnes_low_is_not_negative": ({"tonnes_low": -1.0}, 1),
    "tonnes_low_is_not_above_high": ({"tonnes_low": 2.0, "tonnes_high": 1.0}, 1),
    "change_has_its_subject": ({"supplier_iso3": None}, 1),
    "change_has_its_day": ({"from_date": None}, 1),
    "from_date_is_the_first_of_a_month": ({"from_date": date(2027, 1, 2)}, 1),
    "source_url_is_a_web_address": ({"source_url": "nippon.com/en"}, 1),
}

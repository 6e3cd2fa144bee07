"""Rows of `dependency.bilateral_views` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, EDITION, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "850511", "hs_revision": "HS2017", "year": 2024,
     "exporter_value_usd": 1.53758e8, "importer_value_usd": 1.57519e8,
     "reconciled_value_usd": 1.54856e8, "baci_value_usd": 1.56880e8,
     "exporter_weight_kg": 4940780.0, "importer_weight_kg": 3682183.0,
     "reconciled_weight_kg": 3993679.0, "baci_weight_kg": 3714509.0,
     "reason": "freight_and_insurance", "weight_reason": "unexplained"},
    {"hs6_code": "850511", "hs_revision": None, "year": 2024,
     "exporter_value_usd": None, "importer_value_usd": None,
     "reconciled_value_usd": None, "baci_value_usd": 0.5,
     "exporter_weight_kg": None, "importer_weight_kg": None,
     "reconciled_weight_kg": None, "baci_weight_kg": None,
     "reason": None, "weight_reason": None},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    **EDITION,
    "year_is_at_least_1988": ({"year": 24}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2027}, 1),
    "reason_is_a_known_word": ({"reason": "smuggling"}, 1),
    "weight_reason_is_a_known_word": ({"weight_reason": "freight_and_insurance"}, 1),
    "amounts_are_not_negative": ({"baci_weight_kg": -1.0}, 1),
}

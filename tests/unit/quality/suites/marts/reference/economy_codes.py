"""Rows of `reference.economy_codes` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"scheme": "comtrade", "code": "156"},
    {"scheme": "japan_customs", "code": "105"},
    {"scheme": "eurostat", "code": "CN"},
    {"scheme": "hmrc", "code": "CN"},
    {"scheme": "comexstat", "code": "990"},
]

DEFECTS: Defects = {
    "scheme_is_known": ([*GOOD, {"scheme": "geonom", "code": "720"}], 1),
    "every_scheme_has_codes": (GOOD[1:], 0),
}

"""Rows of `dependency.import_reliance` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"year": 2024, "mass_basis": "metal", "import_reliance_ec": 0.64,
     "net_import_reliance_usgs": 0.67, "import_reliance_ec_raw": 0.64, "reason": None},
    {"year": 2024, "mass_basis": "gross", "import_reliance_ec": None,
     "net_import_reliance_usgs": None, "import_reliance_ec_raw": None, "reason": "no_conversion"},
]  # fmt: skip

DEFECTS: Defects = {
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
    "mass_basis_is_known": ({"mass_basis": "ore"}, 1),
    "import_reliance_ec_is_in_range": ({"import_reliance_ec": 64.0}, 1),
    "net_import_reliance_usgs_is_in_range": ({"net_import_reliance_usgs": -0.1}, 1),
    "import_reliance_ec_raw_is_in_range": ({"import_reliance_ec_raw": 1.5}, 1),
    "reason_is_known": ({"reason": "unknown"}, 1),
}

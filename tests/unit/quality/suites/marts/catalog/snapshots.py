"""Rows of `catalog.snapshots` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"sha256": "0a" * 32, "bytes": 1234, "media_type": "text/csv",
     "request": "GET /v1?fmt=json&key=REDACTED&a=b"},
    # Nothing was published.
    {"sha256": "0b" * 32, "bytes": 0, "media_type": "", "request": "GET /v1/2027"},
]  # fmt: skip

DEFECTS: Defects = {
    "sha256_is_64_hex_digits": ({"sha256": "0a"}, 1),
    "bytes_is_positive": ({"bytes": 0}, 1),
    "request_is_not_blank": ({"request": ""}, 1),
    "request_shows_no_credential": ({"request": "GET /v1?fmt=json&key=abc123def456"}, 1),
}

"""Rows of `notices` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

NOTICE: Row = {
    **PROVENANCE, "notice_id": "2026-1", "published_at": date(2026, 1, 6),
    "issuer": "商务部", "kind": "announcement",
    "title": "商务部公告2026年第1号", "url": "https://example.org/art_1.html",
    "implementer_iso3": "CHN", "acts": ["MOFCOM 2026-1"], "words": ["两用物项"], "minerals": [],
    "hs6_codes": [],
}  # fmt: skip

GOOD: Sequence[Row] = [
    NOTICE,
    {
        **NOTICE, "notice_id": "2026-2", "published_at": None, "implementer_iso3": None,
        "url": None, "minerals": ["gallium"], "hs6_codes": ["811292"],
    },
]  # fmt: skip

DEFECTS: Defects = {
    "required_columns_are_filled": ({"issuer": None}, 1),
    "one_row_per_notice": ([*GOOD, NOTICE], 2),
    "notice_id_is_not_blank": ({"notice_id": " "}, 1),
    "title_is_not_blank": ({"title": ""}, 1),
    "implementer_is_a_known_economy": ({"implementer_iso3": "CHI"}, 1),
    "kind_is_known": ({"kind": "Rule"}, 1),
    "notice_is_not_of_the_future": ({"published_at": date(2052, 1, 6)}, 1),
    "url_is_a_web_address": (
        {"url": "https://x> ![p](http://attacker.example/x.png) **well** <https://y"},
        1,
    ),
    "minerals_are_names": ({"minerals": ["gallium", "Ga metal"]}, 1),
    "codes_have_six_digits": ({"hs6_codes": ["8112.92"]}, 1),
}

"""A server that answers like Global Trade Alert's API, version 2: POST with a key in a header."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen, json_reply

KEY = "gta-secret-key"
DENIED = {"detail": "Access denied"}


def intervention(
    number: int,
    title: str = "China: Export controls on rare-earth items",
    day: str = "2025-04-07",
    products: Sequence[int] = (280530,),
    **fields: Any,
) -> dict[str, Any]:
    """An intervention as basic access gives it; `fields` are those of full access, or other ones.

    It is announced three days before it is published and updated on that day.
    """
    published = date.fromisoformat(day)
    return {
        "intervention_id": number,
        "state_act_id": number - 1,
        "state_act_title": title,
        "intervention_url": f"https://globaltradealert.org/intervention/{number}",
        "gta_evaluation": "Red",
        "implementing_jurisdictions": [{"id": 156, "name": "China", "iso": "CHN"}],
        "implementing_jurisdiction_groups": [],
        "affected_jurisdictions": [{"id": 392, "name": "Japan", "iso": "JPN"}],
        "intervention_type": "Export licensing requirement",
        "affected_products": [{"product_id": code, "name": "A product"} for code in products],
        "date_announced": f"{published - timedelta(days=3)}",
        "date_published": day,
        "date_implemented": day,
        "date_removed": None,
        "is_in_force": 1,
        "last_updated": day,
        **fields,
    }


class FakeGta(FakePublisher):
    """`interventions` in any order. It answers with a bare list, or with pages in `results`.

    Filters and order are those of the request; a limit above 1,000 is refused.
    """

    def __init__(
        self,
        interventions: Sequence[Mapping[str, Any]] = (),
        *,
        is_paginated: bool = False,
        log: Path | None = None,
    ) -> None:
        super().__init__(log=log)
        self.interventions = list(interventions)
        self.is_paginated = is_paginated

    def answer(self, request: Seen) -> Reply:
        if (request.method, request.path) != ("POST", "/api/v2/gta/data/"):
            return NOT_FOUND
        if request.headers.get("authorization") != f"APIKey {KEY}":
            return json_reply(DENIED, 403)
        asked = json.loads(request.body)
        limit, offset, wanted = (
            asked.get("limit", 10),
            asked.get("offset", 0),
            asked["request_data"],
        )
        if not 0 <= limit <= 1000 or asked["sorting"] != ["-last_updated"]:
            return json_reply({"limit": ["Ensure this value is less than or equal to 1000."]}, 400)
        since, until = wanted["update_period"]
        products = set(wanted["affected_products"])
        rows = sorted(
            (
                row
                for row in self.interventions
                if (since or "") <= row["last_updated"] <= (until or "9999")
                and products & {_number(each) for each in row["affected_products"]}
            ),
            key=lambda row: row["last_updated"],
            reverse=True,
        )
        page = rows[offset : offset + limit]
        if not self.is_paginated:
            return json_reply(page)
        content = {"count": len(rows), "next": None, "previous": None, "results": [page]}
        return json_reply(content)


def _number(product: Any) -> int:
    return int(product["product_id"] if isinstance(product, dict) else product)

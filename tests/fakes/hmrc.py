"""A local server in place of UK Trade Info: `Country`, and `OTS` by `$apply`, page by page.

Figures of tests are invented; the layout, ids and pages are those of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.fakes.server import FakePublisher, Reply, Seen, json_reply

BASE = "https://api.uktradeinfo.com"

COUNTRIES: Mapping[int, tuple[str, str]] = {
    4: ("DE", "Germany"),
    720: ("CN", "China"),
    732: ("JP", "Japan"),
    400: ("US", "United States"),
    93: ("XS ", "Serbia"),
    959: ("QV", "Not specified"),
}
"""Number, code (padded for one, not ISO for another) and name of a country."""


@dataclass(frozen=True)
class Trade:
    """A row of OTS: one port."""

    month: int
    flow_type: int
    commodity: int
    country: int
    value: float | None
    mass: float | None
    suppression: int = 0
    port: int = 9


_RANGE = re.compile(r"CommodityId ge (\d+) and CommodityId le (\d+)")


class FakeHmrc(FakePublisher):
    """`with FakeHmrc() as hmrc:` serves `rows`, `page_rows` at a time."""

    def __init__(self, rows: Iterable[Trade] = (), *, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.rows = list(rows)
        self.page_rows = 30_000

    def answer(self, request: Seen) -> Reply:
        if request.path == "/Country":
            return json_reply(
                {
                    "@odata.context": f"{BASE}/$metadata#Country",
                    "value": [
                        {"CountryId": number, "CountryCodeNumeric": f"{number:03}",
                         "CountryName": name, "CountryCodeAlpha": alpha}
                        for number, (alpha, name) in COUNTRIES.items()
                    ],
                }
            )  # fmt: skip
        if request.path != "/OTS" or "$apply" not in request.query:
            return json_reply(_error("The query specified in the URI is not valid."), 400)
        if " in (" in request.query["$apply"] or "+" in request.target:
            return Reply(403, b"<html><body><h1>403 Forbidden</h1></body></html>", "text/html")
        return self._page(request)

    def _page(self, request: Seen) -> Reply:
        text = request.query["$apply"]
        first, last = _months(text)
        ranges = [(int(low), int(high)) for low, high in _RANGE.findall(text)]
        wanted = [
            row
            for row in self.rows
            if first <= row.month <= last
            and any(low <= row.commodity <= high for low, high in ranges)
        ]
        groups = summed(wanted)
        start = int(request.query.get("$skip", "0"))
        page = groups[start : start + self.page_rows]
        content: dict[str, object] = {"@odata.context": f"{BASE}/$metadata#OTS", "value": page}
        if start + self.page_rows < len(groups):
            content["@odata.nextLink"] = (
                f"{BASE}/OTS?$apply={quote(text)}&$skip={start + self.page_rows}"
            )
        return json_reply(content)


def _months(text: str) -> tuple[int, int]:
    named = [int(month) for month in re.findall(r"MonthId \w\w (\d{6})", text)]
    return min(named), max(named)


def summed(rows: Iterable[Trade]) -> list[dict[str, object]]:
    """Sums over ports, as the server makes them: a missing mass is left out of a sum."""
    groups: dict[tuple[int, ...], list[Trade]] = {}
    for row in rows:
        key = (row.month, row.flow_type, row.suppression, row.commodity, row.country)
        groups.setdefault(key, []).append(row)
    names = ("MonthId", "FlowTypeId", "SuppressionIndex", "CommodityId", "CountryId")
    return [
        {
            **dict(zip(names, key, strict=True)),
            "Value": _sum(trade.value for trade in group),
            "NetMass": _sum(trade.mass for trade in group),
        }
        for key, group in sorted(groups.items())
    ]


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _error(message: str) -> Mapping[str, object]:
    return {"error": {"code": "", "message": message}}

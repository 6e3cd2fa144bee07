"""A local server in place of the World Bank's indicators API, version 2: one indicator of all
economies, page by page. Errors come with status 200, as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.server import Behaviour, FakePublisher, Reply, Seen, changed, json_reply

CODES = tuple(f"GOV_WGI_{letters}.EST" for letters in ("VA", "PV", "GE", "RQ", "RL", "CC"))

UNKNOWN = {
    "id": "175",
    "key": "Invalid format",
    "value": "The indicator was not found. It may have been deleted or archived.",
}
INVALID = {
    "id": "120",
    "key": "Invalid value",
    "value": "The provided parameter value is not valid",
}


@dataclass(frozen=True)
class Score:
    """A figure of an economy in a year; without a `code` it is known by its name alone."""

    code: str
    name: str
    year: int
    value: float | None


AGGREGATES = (Score("WLD", "World", 2024, None), Score("", "Euro area", 2024, 0.9))


def row(indicator: str, score: Score) -> dict[str, object]:
    return {
        "indicator": {"id": indicator, "value": f"{indicator}: Estimate"},
        "country": {"id": score.code[:2] or "XX", "value": score.name},
        "countryiso3code": score.code,
        "date": f"{score.year}",
        "value": score.value,
        "unit": "",
        "obs_status": "",
        "decimal": 2,
    }


class FakeWgi(FakePublisher):
    """`with FakeWgi(scores) as bank:` serves `scores`, by indicator; `most_rows` on a page."""

    def __init__(
        self, scores: dict[str, Sequence[Score]] | None = None, *, log: Path | None = None
    ) -> None:
        super().__init__(log=log)
        self.scores = dict(scores or {})
        self.most_rows = 20_000
        self.last_updated = "2025-11-05"

    def answer(self, request: Seen) -> Reply:
        match = re.fullmatch(r"/v2/country/all/indicator/([^/]+)", request.path)
        query = request.query
        if match is None or query.get("format") != "json":
            return Reply(404, b"<html>Not found</html>", "text/html")
        if query.get("source") != "3" or not query.get("page", "1").isdecimal():
            return message(INVALID)
        if match[1] not in self.scores:
            return message(UNKNOWN)
        per_page = min(self.most_rows, int(query.get("per_page", "50")))
        return self._page(match[1], int(query.get("page", "1")), per_page)

    def _page(self, code: str, page: int, per_page: int) -> Reply:
        scores = self.scores[code]
        pages = -(-len(scores) // per_page)
        if not 1 <= page <= pages:
            about = {"page": 0, "pages": 0, "per_page": per_page, "total": 0,
                     "sourceid": None, "lastupdated": None}  # fmt: skip
            return json_reply([about, None])
        shown = scores[per_page * (page - 1) : per_page * page]
        about = {"page": page, "pages": pages, "per_page": per_page, "total": len(scores),
                 "sourceid": "3", "sourcename": "Worldwide Governance Indicators",
                 "lastupdated": self.last_updated}  # fmt: skip
        return json_reply([about, [row(code, score) for score in shown]])


def message(*parts: dict[str, str]) -> Reply:
    return json_reply([{"message": list(parts)}])


def about_another(code: str) -> Behaviour:
    """The proper answer, its rows under the code of another indicator."""
    return changed(
        lambda reply: Reply(200, re.sub(rb'"id":"GOV_WGI[^"]*"', f'"id":"{code}"'.encode(),
                                        reply.body))
    )  # fmt: skip


def without_last_rows(number: int) -> Behaviour:
    """The proper answer, short of its last rows under the head of all."""

    def shorten(reply: Reply) -> Reply:
        about, rows = json.loads(reply.body)
        return json_reply([about, rows[:-number]])

    return changed(shorten)


def by_code(scores: Iterable[Score]) -> dict[str, Sequence[Score]]:
    """The same figures under each indicator, each a hundredth higher than under the one before."""
    each = list(scores)
    return {
        code: [
            Score(one.code, one.name, one.year,
                  None if one.value is None else round(one.value + number / 100, 6))
            for one in each
        ]
        for number, code in enumerate(CODES)
    }  # fmt: skip

"""A publisher made up for tests: flows of a year on pages, and the source that would read it.

It answers `/flows?year=2024&page=1` with `{"rows": [...], "next": 2}`; a slice may lie on two
pages, as a real publisher's does.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.scope import CommodityScope
from dagster_project.sources.card import (
    Answer,
    Asked,
    Calendar,
    Document,
    Done,
    Extract,
    Limits,
    More,
    Request,
    Scope,
    SourceCard,
    Window,
    Windows,
)
from dagster_project.sources.registry import all_sources
from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen, json_reply

ROWS_ON_A_PAGE = 4

CARD = SourceCard(
    name="made_up",
    title="Flows on pages",
    publisher="Nobody",
    licence="none",
    licence_url="https://example.org/licence",
    is_redistributable=False,
    cadence="annual",
    domain="trade",
    homepage="https://example.org/",
    tables=("trade_flows",),
    description="Flows of a year, some on each page.",
    base_url="https://pages.example.org",
    windows=(Windows("A", date(2015, 1, 1), timedelta(days=90), 3),),
    limits=Limits(),
    calendar=Calendar("0 6 * * *", "UTC", "Every morning."),
)


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """One extract per year, beginning with its first page."""
    return [
        Extract(
            document=f"flows-{window.key}",
            requests=(_page(window.key, 1),),
            windows=(window,),
            asked=(Asked("trade_flows", ("JPN", "USA"), ("import",), scope.commodity_codes),),
        )
        for window in windows
    ]


def follow(request: Request, answer: Answer) -> Done | More:
    """The next page, where the answer names one."""
    try:
        following = json.loads(answer.file.read_bytes()).get("next")
    except (ValueError, AttributeError):
        raise UpstreamFormatError("made_up: no page of flows.") from None
    return More((_page(request.params["year"], following),)) if following else Done()


def parse(payload: bytes, document: Document, scope: CommodityScope) -> Mapping[str, pl.DataFrame]:
    """A page -> `trade_flows`."""
    rows = json.loads(payload)["rows"]
    year = re.sub(r"\D", "", document.name)
    frame = pl.DataFrame(
        rows,
        schema={
            "reporter_iso3": pl.String, "partner_iso3": pl.String, "commodity_code": pl.String,
            "value_usd": pl.Float64,
        },
    )  # fmt: skip
    return {
        "trade_flows": frame.with_columns(
            source=pl.lit(CARD.name),
            flow=pl.lit("import"),
            is_basket=pl.lit(False),
            hs_revision=pl.lit("HS2022"),
            frequency=pl.lit("A"),
            period_start=pl.lit(date(int(year), 1, 1)),
            valuation=pl.lit("CIF"),
            is_provisional=pl.lit(False),
            vintage_at=pl.lit(document.retrieved_at, INSTANT),
        )
    }


def _page(year: str, page: int) -> Request:
    return Request("flows", ("json",), params={"year": year, "page": str(page)})


class FakePaged(FakePublisher):
    """`flows` by year: rows of (reporter, partner, code, value)."""

    def __init__(
        self,
        flows: Mapping[str, Sequence[tuple[str, str, str, float]]],
        *,
        log: Path | None = None,
    ) -> None:
        super().__init__(log=log)
        self.flows = {year: list(rows) for year, rows in flows.items()}

    def answer(self, request: Seen) -> Reply:
        if request.path != "/flows":
            return NOT_FOUND
        page = int(request.query["page"])
        rows = self.flows.get(request.query["year"], [])
        end = page * ROWS_ON_A_PAGE
        names = ("reporter_iso3", "partner_iso3", "commodity_code", "value_usd")
        content = [dict(zip(names, row, strict=True)) for row in rows[end - ROWS_ON_A_PAGE : end]]
        return json_reply({"rows": content, "next": page + 1 if end < len(rows) else None})


def add() -> None:
    """Let this process know of a source more than the project has."""
    cast("dict[str, object]", all_sources())[CARD.name] = sys.modules[__name__]

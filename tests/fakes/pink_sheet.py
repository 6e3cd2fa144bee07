"""A local server in place of the World Bank's page of commodity markets and its documents."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openpyxl

from dagster_project.settings import BUNDLED
from dagster_project.sources import pink_sheet
from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen

PAGE = "/en/research/commodity-markets"
DOCUMENTS = "https://thedocs.worldbank.org/en/doc"
LINK = (
    f"{DOCUMENTS}/74e8be41ceb20fa0da750cda2f6b9e4e-0050012026/related"
    "/CMO-Historical-Data-Monthly.xlsx"
)
LINK_OF_NEXT_YEAR = LINK.replace("74e8be41ceb20fa0da750cda2f6b9e4e-0050012026", "0aff-0050012027")
NOTE = "monthly indices based on nominal US dollars, 2010=100, 1960 to present"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Row = Sequence[Any]


def workbook(
    *,
    names: Row,
    units: Row,
    months: Sequence[Row],
    indices: Sequence[Row],
    note: str = NOTE,
    sheets: tuple[str, str] = ("Monthly Prices", "Monthly Indices"),
) -> bytes:
    """A workbook laid out as the World Bank's: a hidden sheet first, notes, names, months."""
    book = openpyxl.Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.title, hidden.sheet_state = "AFOSHEET", "hidden"
    title = "World Bank Commodity Price Data (The Pink Sheet)"
    prices = book.create_sheet(sheets[0])
    for row in (
        [title], ["monthly prices in nominal US dollars, 1960 to present"],
        ["(monthly series are available only in nominal US dollars)"], ["Updated on June 02, 2026"],
        [None, *names], [None, *units], *months,
    ):  # fmt: skip
        prices.append(list(row))
    index_sheet = book.create_sheet(sheets[1])
    for row in ([title], [note], ["Updated on June 02, 2026"], [None], *indices):
        index_sheet.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


Figures = Mapping[str, Mapping[str, float]]
"""By month (2026-05) and instrument."""


def bundled_figures() -> Figures:
    """The figures that come with the project, as published."""
    with (BUNDLED / "pink_sheet" / "monthly_prices.csv").open(newline="") as file:
        return {
            row["month"]: {
                name.upper(): float(figure)
                for name, figure in row.items()
                if name != "month" and figure
            }
            for row in csv.DictReader(file)
        }


def workbook_of(figures: Figures, **units: str) -> bytes:
    """The series in scope as a workbook; in other `units` than usual where given, by instrument."""
    prices, indices = pink_sheet.PRICES, pink_sheet.INDICES
    months = {month.replace("-", "M"): row for month, row in sorted(figures.items())}
    return workbook(
        names=list(prices),
        units=[units.get(name, unit) for name, unit in prices.values()],
        months=[
            (month, *(row.get(name, "…") for name, _ in prices.values()))
            for month, row in months.items()
        ],
        indices=[
            (None, *indices),
            *((month, *(row.get(name, "…") for name in indices.values()))
              for month, row in months.items()),
        ],
    )  # fmt: skip


class FakePinkSheet(FakePublisher):
    """`with FakePinkSheet(workbook) as bank:` links to `documents` under `link`, as the page does.

    Other files stand beside it; `link` is empty on a page without one.
    """

    def __init__(self, payload: bytes = b"", *, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.link = LINK
        self.documents = {LINK: payload}

    @staticmethod
    def page_linking_to(monthly: str) -> str:
        beside = LINK.replace("Monthly.xlsx", "Annual.xlsx")
        links = {beside: "Annual prices", monthly: "Monthly prices",
                 LINK.replace(".xlsx", ".pdf"): "Pink Sheet"}  # fmt: skip
        listed = " ".join(f'<a href="{link}">{name}</a>' for link, name in links.items() if link)
        return f"<!DOCTYPE html>\n<html><body>{listed}</body></html>"

    def answer(self, request: Seen) -> Reply:
        if request.path == PAGE:
            return Reply(200, self.page_linking_to(self.link).encode(), "text/html")
        by_path = {urlsplit(link).path: payload for link, payload in self.documents.items()}
        payload = by_path.get(request.path)
        return NOT_FOUND if payload is None else Reply(200, payload, XLSX)

"""A local server in place of USGS's ScienceBase: a search, items with their children, and files."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.settings import BUNDLED
from dagster_project.sources.usgs_mcs import PRICE_UNITS
from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen, json_reply

HOST = "https://www.sciencebase.gov"
SIBLINGS = (
    "Yale stocks and flows database",
    "U.S. Geological Survey Mineral Commodity Summaries 2023 Data Release - Cobalt",
    "Mineral Commodity Summaries 2028 Data Release - Lithium",
)
"""Items that the search finds too, and that are no edition."""


@dataclass
class Item:
    """An item with its files, by name, and its children. `checksums` replace the files' own:
    type and value, None for a file without one.
    """

    id: str
    title: str
    files: dict[str, bytes] = field(default_factory=dict)
    children: list[Item] = field(default_factory=list)
    checksums: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    def shown(self, *, with_files: bool) -> dict[str, object]:
        content: dict[str, object] = {"id": self.id, "title": self.title}
        if with_files:
            content["files"] = [self._file(name) for name in self.files]
        return content

    def _file(self, name: str) -> dict[str, object]:
        address = f"{HOST}/catalog/file/get/{self.id}?f=__disk__{name}"
        shown: dict[str, object] = {
            "name": name, "contentType": "text/csv", "size": len(self.files[name]),
            "url": address, "downloadUri": address,
        }  # fmt: skip
        own = ("MD5", hashlib.md5(self.files[name], usedforsecurity=False).hexdigest())
        checksum = self.checksums.get(name, own)
        if checksum:
            shown["checksum"] = dict(zip(("type", "value"), checksum, strict=True))
        return shown


class FakeScienceBase(FakePublisher):
    """`with FakeScienceBase(items) as usgs:` finds `items`, after SIBLINGS, `page_items` a page."""

    def __init__(self, *items: Item, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.items = list(items)
        self.page_items = 50

    def answer(self, request: Seen) -> Reply:
        query = request.query
        if request.path == "/catalog/items" and query.get("format") == "json":
            return self._items(query)
        kind, _, item_id = request.path.removeprefix("/catalog/").rpartition("/")
        item = self._all().get(item_id)
        if item is None:
            return NOT_FOUND
        if kind == "item":
            return json_reply(item.shown(with_files=True))
        name = query.get("f", "").removeprefix("__disk__")
        if kind != "file/get" or name not in item.files:
            return NOT_FOUND
        return Reply(200, item.files[name], "text/csv")

    def _items(self, query: Mapping[str, str]) -> Reply:
        with_files = "files" in query.get("fields", "")
        if "parentId" in query:
            children = self._all()[query["parentId"]].children
            found = [child.shown(with_files=with_files) for child in children]
        else:
            others = [Item(f"{n:024}", title) for n, title in enumerate(SIBLINGS)]
            found = [one.shown(with_files=with_files) for one in (*others, *self.items)]
        first = int(query.get("offset", "0"))
        most = min(self.page_items, int(query.get("max", "20")))
        content: dict[str, object] = {"total": len(found), "items": found[first : first + most]}
        if first + most < len(found):
            following = "&".join(
                f"{name}={value.replace(' ', '%20')}"
                for name, value in {**query, "offset": str(first + most)}.items()
            )
            content["nextlink"] = {"rel": "next", "url": f"{HOST}/catalog/items?{following}"}
        return json_reply(content)

    def _all(self) -> Mapping[str, Item]:
        return {one.id: one for item in self.items for one in (item, *item.children)}


LONG_COLUMNS = (
    "MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit",
    "Year", "Value", "Notes", "Is critical mineral 2026", "Other notes",
)  # fmt: skip
STATISTICS = {"extraction": "Production", "processing": "Production", "reserves": "Reserves",
              "capacity": "Capacity"}  # fmt: skip
MARKS = {"withheld": "W", "not_available": "NA", "not_applicable": "XX", "zero": "—"}
BOUNDS = {"below": "<", "above": ">"}


THOUSANDS = "Vanadium: Reserves"
"""Printed in thousands of tons in 2026, under a heading of tons: see `corrections.yaml`."""


def edition_of_2027(changes: Mapping[tuple[str, str, int], float] | None = None) -> bytes:
    """An edition in the long layout, in Windows-1252 and metric tons: the figures of 2025 are those
    of the edition of 2026, and those of 2026 a few per cent more, each by another part.

    `changes` replace amounts, by label, economy and year.
    """
    out = io.StringIO()
    table = csv.DictWriter(out, LONG_COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    table.writerows(_production(changes or {}))
    table.writerows(_prices())
    return out.getvalue().encode("cp1252")


def _production(changes: Mapping[tuple[str, str, int], float]) -> Iterator[dict[str, str]]:
    names = {row["economy_iso3"]: row["name"] for row in _bundled("catalogue/economies.csv")}
    names |= {"WLD": "World total", "_X": "Other countries"}
    for number, row in enumerate(_bundled("usgs_mcs/mcs_2026.csv")):
        if row["year"] != "2025":
            continue
        label, economy, of_2025 = row["label"], row["economy_iso3"], float(row["amount_t"] or 0)
        commodity, _, detail = label.partition(": ")
        for year in (2026,) if row["stage"] == "reserves" else (2025, 2026):
            growth = 1 if year == 2025 else 1.02 + number % 17 / 500
            amount = of_2025 * growth * (1_000 if label == THOUSANDS else 1)
            amount = changes.get((label, economy, year), amount)
            yield {
                "Section": "World Production", "Commodity": commodity, "Country": names[economy],
                "Statistics": STATISTICS[row["stage"]], "Statistics_detail": detail,
                "Unit": "metric tons", "Year": f"{year}",
                "Value": MARKS.get(row["flag"]) or BOUNDS.get(row["bound"], "") + _plain(amount),
                "Notes": "Estimated." if year == 2026 else "",
            }  # fmt: skip


def _prices() -> Iterator[dict[str, str]]:
    units = {kido: printed for printed, kido in PRICE_UNITS.items()}
    unit_of = {row["label"]: row["unit"] for row in _bundled("usgs_mcs/price_labels.csv")}
    for number, row in enumerate(_bundled("usgs_mcs/prices_2026.csv")):
        commodity, _, detail = row["label"].partition(": ")
        years = {"2021": (), "2025": (2025, 2026)}.get(row["year"], (int(row["year"]),))
        for year in years:
            growth = 1.03 + number % 7 / 100 if year == 2026 else 1
            yield {
                "Section": "Salient Statistics—United States", "Commodity": commodity,
                "Country": "United States", "Statistics": "Price", "Statistics_detail": detail,
                "Unit": units[unit_of[row["label"]]], "Year": f"{year}",
                "Value": _plain(float(row["price"]) * growth),
            }  # fmt: skip


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _bundled(file: str) -> Iterator[dict[str, str]]:
    with (BUNDLED / file).open(encoding="utf8", newline="") as opened:
        yield from csv.DictReader(opened)

"""A local server in place of USGS's ScienceBase: a search, items with their children, and files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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

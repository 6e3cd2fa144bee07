"""A local server in place of the Chinese Ministry of Commerce: columns, their lists, the firewall.

A column's page has no entries, only the parameters of its list, which `build/unit` answers with
HTML inside JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen, json_reply

COLUMN = "/zwgk/zcfb/index.html"
SECOND_COLUMN = "/zcfb/blgg/index.html"
THIRD_COLUMN = "/zcfb/zgdwjjmywg/index.html"
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"

WEB_ID, TEMPLATE_ID = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
LIST_TAG = "信息列表"

FIREWALL = "<html><head><title>403</title></head><body>访问被拒绝</body></html>".encode()


@dataclass(frozen=True)
class Entry:
    """An entry of a list. `titled` is the title of its link, where it differs from its text."""

    title: str
    day: str
    path: str = ""
    titled: str = ""

    @property
    def address(self) -> str:
        digest = hashlib.md5(f"{self.title}{self.day}".encode()).hexdigest()
        return self.path or f"/zwgk/zcfb/art/{self.day[:4]}/art_{digest}.html"


def column_page(page_id: str, *, with_page_id: bool = True, unit: str | None = None) -> str:
    """The page of a column; without `with_page_id` only its `<meta>` gives the column's number."""
    given = {
        "webId": WEB_ID,
        **({"pageId": page_id} if with_page_id else {}),
        "parseType": "bulidstatic",
        "pageType": "column",
        "tagId": LIST_TAG,
        "tplSetId": TEMPLATE_ID,
        "paramJson": "{}",
    }
    # The publisher writes the parameters as Python would, with single quotes.
    parameters = "{" + ",".join(f"'{name}':'{value}'" for name, value in given.items()) + "}"
    menu = "{'webId':'0','pageId':'1','tagId':'导航','tplSetId':'2'}"
    listed = unit if unit is not None else f'<script src="/u.js" queryData="{parameters}"></script>'
    return (
        f'<html><head><meta charset="utf-8"><meta name="ColId" content="{page_id}"></head>'
        f'<body><script src="/u.js" queryData="{menu}"></script>{listed}</body></html>'
    )


def list_html(entries: Sequence[Entry], count: int, size: int) -> str:
    items = "".join(
        f'<li><a href="{each.address}" title="{each.titled or each.title}">{each.title}</a>'
        f"<span>[{each.day}]</span></li>"
        for each in entries
    )
    return (
        f'<ul class="txtList_01">{items}</ul><div class="page" count="{count}" pageSize="{size}">'
        '<a href="javascript:;">下一页</a></div>'
    )


def list_answer(html: str | None, code: str = "200", message: str = "success") -> dict[str, Any]:
    return {"code": code, "message": message, "data": {"html": html} if html is not None else None}


def announcement_page(title: str, day: str, paragraphs: Sequence[str], url: str = "") -> bytes:
    """The page of an announcement, with its own address in a `<meta>` where it is given."""
    address = f'<meta name="Url" content="{url}">' if url else ""
    text = "".join(f'<p style="text-indent: 2em;">{each}</p>' for each in paragraphs)
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8">'
        '<meta name="SiteName" content="中华人民共和国商务部">'
        f'<meta name="ArticleTitle" content="{title}"><meta name="PubDate" content="{day}">'
        f'{address}</head><body><div class="menu">稀土</div><div class="art-title">{title}</div>'
        f'<div class="art-con art-con-bottonmLine">{text}</div><div class="foot">镓</div>'
        "</body></html>"
    ).encode()


class FakeMofcom(FakePublisher):
    """`with FakeMofcom() as ministry:` serves its `columns`: entries by path, the newest first."""

    def __init__(self, *, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.columns: dict[str, list[Entry]] = {COLUMN: [], SECOND_COLUMN: [], THIRD_COLUMN: []}
        self.pages: dict[str, str] = {}

    def _page_id(self, path: str) -> str:
        return f"column{list(self.columns).index(path)}"

    def answer(self, request: Seen) -> Reply:
        if request.path in self.columns:
            page = self.pages.get(request.path) or column_page(self._page_id(request.path))
            return Reply(200, page.encode(), "text/html")
        if request.path == UNIT:
            return json_reply(self._unit(request.query))
        return NOT_FOUND

    def _unit(self, query: Mapping[str, str]) -> dict[str, Any]:
        expected = {
            "parseType": "bulidstatic",
            "pageType": "column",
            "tagId": LIST_TAG,
            "editType": "null",
            "webId": WEB_ID,
            "tplSetId": TEMPLATE_ID,
        }
        if any(query.get(name) != value for name, value in expected.items()):
            return list_answer(None, "500", "参数错误")
        by_id = {self._page_id(path): entries for path, entries in self.columns.items()}
        entries = by_id.get(query.get("pageId", ""))
        if entries is None:
            return list_answer(None, "500", "栏目不存在")
        page = json.loads(query["paramJson"])
        first, size = (page["pageNo"] - 1) * page["pageSize"], page["pageSize"]
        return list_answer(list_html(entries[first : first + size], len(entries), size))

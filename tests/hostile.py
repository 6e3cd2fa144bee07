"""Texts made to hurt whoever reads them, and what a page or a terminal may show of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import mistune

FORGED = "kido: Everything is well."
HOST = "attacker.example"

TEXTS: Mapping[str, str] = {
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "link": f"[click](http://{HOST})",
    "script in a link": "[click](javascript:alert(1))",
    "picture": f"![x](http://{HOST}/x.png)",
    "address": f"see http://{HOST}/ or www.{HOST}",
    "address in brackets": f"<http://{HOST}>",
    "reference": f"[x]\n\n[x]: http://{HOST}",
    "mail": f"write to a@{HOST}",
    "heading": "# Everything is well",
    "list": "- Everything\n- is well",
    "emphasis": "**bold** and ~~struck~~ and _this_",
    "code": "`` ` ``` x",
    "bar": "a | b \\| c",
    "entity": "&lt;script&gt;&#x202e;",
    "end of XML": "]]></text></svg><script>alert(1)</script>",
    "colours": "\x1b[31mred\x1b[0m",
    "colours of one byte": "\x9b31mred",
    "title": "\x1b]0;owned\x07",
    "forged line": f"x\n{FORGED}\r{FORGED}\x0b{FORGED}\u2028{FORGED}",
    "backwards": "\u202egnp.exe\u2066\u200f",
    "no width": "a\u200bb\u200d\ufeff",
    "NUL": "a\x00b",
    "no character": "\uffff\ufffe",
    "long": "x" * 20_000,
    "formula": f'=HYPERLINK("http://{HOST}")',
    "formulas": "+1+cmd|'/C calc'!A0",
    "formula after a blank": " \t@SUM(1)",
    "formula in full width": "＝1",
}

EVERYTHING = " ".join(text for name, text in TEXTS.items() if name != "long")


def is_safe_line(line: str) -> bool:
    """Whether a terminal shows the line as it is, and nobody takes it for one of Kido's."""
    return line.isprintable() and not line.startswith(FORGED)


def tokens_of_markdown(text: str) -> Iterator[Mapping[str, Any]]:
    """The tokens of GitHub's Markdown, those inside others included."""
    read = mistune.create_markdown(renderer="ast", plugins=["table", "url", "strikethrough"])

    def walk(tokens: Any) -> Iterator[Mapping[str, Any]]:
        for token in tokens:
            yield token
            yield from walk(token.get("children", ()))

    yield from walk(read(text))


def markup_of(text: str) -> set[str]:
    """The kinds of tokens of a Markdown text by which it links, loads, emphasises or is HTML."""
    harmless = {
        "text", "codespan", "paragraph", "blank_line", "table", "table_head", "table_body",
        "table_row", "table_cell", "softbreak", "linebreak",
    }  # fmt: skip
    return {token["type"] for token in tokens_of_markdown(text)} - harmless


class Loaded(HTMLParser):
    """What a page of HTML runs, loads or links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.harmful: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "iframe", "object", "embed", "link", "base", "form"):
            self.harmful.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "src" or HOST in (value or ""):
                self.harmful.append(f"{tag} {name}")
            if "javascript:" in (value or ""):
                self.harmful.append(f"{tag} {name}")

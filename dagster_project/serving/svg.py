"""Parts of an SVG that pictures share: the opening, a line, a text.

SVG is written by hand: a plotting library takes a second to import in every build.
"""

from __future__ import annotations

from typing import Any

from dagster_project.safe_text import xml_text

INK, FAINT = "#222222", "#8a8a8a"


def opening(width: float, height: float) -> str:
    """The opening tag and a white ground; `</svg>` closes it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="11" '
        f'fill="{INK}"><rect width="{width}" height="{height}" fill="#ffffff"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="3 3"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'
    )


def text(
    x: float, y: float, words: str, colour: str = INK, *, size: int = 11, anchor: str = "start",
    weight: str = "normal",
) -> str:  # fmt: skip
    more: dict[str, Any] = {
        "fill": colour, "font-size": size, "text-anchor": anchor, "font-weight": weight,
    }  # fmt: skip
    attributes = " ".join(f'{name}="{value}"' for name, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{xml_text(words)}</text>'

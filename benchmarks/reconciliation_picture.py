"""Draws reconciled flows and shares against BACI's as SVG. No figures are computed here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import polars as pl

CELLS = 60
LEAST, LARGEST = 2, 10
"""Powers of ten of USD that are drawn; smaller flows are rounding."""

SIZE, GAP, LEFT, TOP = 420, 96, 78, 56
WIDTH, HEIGHT = LEFT + 2 * SIZE + GAP + 24, TOP + SIZE + 60
COLOURS = {"exporter_iso3": "#0b6e99", "importer_iso3": "#d1622b"}
STYLE = (
    "text{font:13px sans-serif;fill:#333}.t{font-weight:bold;font-size:14px}"
    ".a{stroke:#999;fill:none}.d{stroke:#555;stroke-dasharray:4 3}"
)


def picture(flows: pl.DataFrame, shares: pl.DataFrame) -> str:
    """`flows` has `value_usd` and `value_usd_right` (BACI's), `shares` `side`, `share` and
    `share_right`.
    """
    parts = [
        *_frame(LEFT, "Flows, USD (colour: flows in a cell)", _powers()),
        *_cells(flows),
        *_frame(LEFT + SIZE + GAP, "Shares of the largest six of each code", _parts()),
        *_dots(shares, LEFT + SIZE + GAP),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}">\n<style>{STYLE}</style>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _powers() -> list[tuple[float, str]]:
    names = {3: "1 k", 6: "1 M", 9: "1 bn"}
    return [((power - LEAST) / (LARGEST - LEAST), name) for power, name in names.items()]


def _parts() -> list[tuple[float, str]]:
    return [(part / 100, f"{part} %") for part in (0, 25, 50, 75, 100)]


def _frame(left: int, title: str, ticks: list[tuple[float, str]]) -> Iterator[str]:
    bottom = TOP + SIZE
    yield f'<text class="t" x="{left}" y="{TOP - 30}">{title}</text>'
    yield f'<rect class="a" x="{left}" y="{TOP}" width="{SIZE}" height="{SIZE}"/>'
    for place, name in ticks:
        across, up = left + place * SIZE, bottom - place * SIZE
        yield f'<path class="a" d="M{across:.1f} {bottom}v5M{left} {up:.1f}h-5"/>'
        yield f'<text x="{across:.1f}" y="{bottom + 20}" text-anchor="middle">{name}</text>'
        yield f'<text x="{left - 9}" y="{up + 4:.1f}" text-anchor="end">{name}</text>'
    middle = left + SIZE / 2
    yield f'<text x="{middle}" y="{bottom + 42}" text-anchor="middle">CEPII BACI</text>'
    height = TOP + SIZE / 2
    yield (
        f'<text x="{left - 58}" y="{height}" text-anchor="middle" '
        f'transform="rotate(-90 {left - 58} {height})">Kido</text>'
    )


def _diagonal(left: int) -> str:
    return f'<path class="d" d="M{left} {TOP + SIZE}l{SIZE} -{SIZE}"/>'


def _cells(flows: pl.DataFrame) -> Iterator[str]:
    counts: Counter[tuple[int, int]] = Counter()
    for ours, theirs in flows.select("value_usd", "value_usd_right").iter_rows():
        cell = tuple(
            math.floor((math.log10(usd) - LEAST) / (LARGEST - LEAST) * CELLS)
            for usd in (theirs, ours)
        )
        if min(cell) >= 0 and max(cell) < CELLS:
            counts[cell[0], cell[1]] += 1
    side = SIZE / CELLS
    most = math.log(max(counts.values()) + 1)
    for (across, up), number in sorted(counts.items()):
        part = math.log(number + 1) / most
        shade = [round(255 - part * (255 - channel)) for channel in (11, 60, 110)]
        yield (
            f'<rect x="{LEFT + across * side:.1f}" y="{TOP + SIZE - (up + 1) * side:.1f}" '
            f'width="{side:.1f}" height="{side:.1f}" '
            f'fill="#{shade[0]:02x}{shade[1]:02x}{shade[2]:02x}"/>'
        )
    yield _diagonal(LEFT)


def _dots(shares: pl.DataFrame, left: int) -> Iterator[str]:
    yield _diagonal(left)
    for side, ours, theirs in shares.select("side", "share", "share_right").iter_rows():
        across, up = left + theirs * SIZE, TOP + SIZE - ours * SIZE
        yield (
            f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3" fill="{COLOURS[side]}" '
            'fill-opacity="0.55"/>'
        )
    for number, (side, colour) in enumerate(COLOURS.items()):
        height = TOP + 20 + 20 * number
        yield f'<circle cx="{left + 16}" cy="{height}" r="4" fill="{colour}"/>'
        yield f'<text x="{left + 28}" y="{height + 4}">of {side.partition("_")[0]}s</text>'

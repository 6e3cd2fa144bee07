"""The picture of an economy's materials: supply risk against economic importance, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.serving.svg import FAINT, INK, line, opening, text

WIDTH, HEIGHT = 900, 560
LEFT, TOP, RIGHT, BOTTOM = 60, 70, 30, 60
LARGEST_IMPORTANCE = 10.0
RESTRICTED, FREE = "#b3261e", "#1f5fa8"
RADIUS = 4
LETTER, LINE_HEIGHT = 6.0, 12
"""Of a label, in pixels: about the width of a letter, and the height of a line."""

RISK_THRESHOLD, IMPORTANCE_THRESHOLD = 1.0, 2.8
"""From both on, a material is critical to the European Commission."""


_Scale = Callable[[float], float]
"""From a figure to pixels."""


@dataclass(frozen=True)
class Material:
    """A point of the picture: its risk with bounds, and what hits its imports.

    Without a figure of the risk it is the bounds alone.
    """

    name: str
    importance: float
    risk: float | None
    low: float
    high: float
    is_of_world_alone: bool
    is_restricted: bool

    @property
    def middle(self) -> float:
        """Where its name stands."""
        return (self.low + self.high) / 2 if self.risk is None else self.risk


def drawn(connection: duckdb.DuckDBPyConnection, importer: str) -> str | None:
    """The picture of an importer's newest assessment; None where it has no risk."""
    rows = connection.execute(_MATERIALS, [importer]).fetchall()
    if not rows:
        return None
    (name, year), *_ = connection.execute(_TITLE, [importer]).fetchall()
    return _svg(name, year, [Material(*row) for row in rows])


# Elements of a family that has a row of its own are left to it.
_MATERIALS = """
with ranking as (
    select * from dependency.risk_ranking
    where importer_iso3 = $1 and is_first and supply_risk_low is not null
),
names as (
    select material, any_value(material_name) as name from reference.materials group by material
)
select
    coalesce(names.name, ranking.material),
    ranking.economic_importance,
    ranking.supply_risk,
    ranking.supply_risk_low,
    ranking.supply_risk_high,
    ranking.supply_used = 'global',
    case
        when ranking.mineral_group is null then len(ranking.restricting_producers) > 0
        else coalesce(
            len(ranking.clauses_that_hit) > 0 and coalesce(ranking.restricted_share_high, 1) > 0,
            false
        )
    end
from ranking
left join names on ranking.material = names.material
left join reference.minerals as minerals on ranking.material = minerals.mineral
where ranking.economic_importance is not null
and not exists (
    select 1 from ranking as families
    where families.material = minerals.family || 's'
    and ranking.supply_used in (families.supply_used, 'global')
)
order by ranking.rank_low, ranking.material
"""

_TITLE = """
select economies.name, max(ranking.year)
from dependency.risk_ranking as ranking
inner join reference.economies as economies on ranking.importer_iso3 = economies.economy_iso3
where ranking.importer_iso3 = $1
group by economies.name
"""


def _svg(importer: str, year: int, materials: Sequence[Material]) -> str:
    largest_risk = max(2.0, *(material.high for material in materials)) * 1.05

    def x(importance: float) -> float:
        return LEFT + importance / LARGEST_IMPORTANCE * (WIDTH - LEFT - RIGHT)

    def y(risk: float) -> float:
        return TOP + (1 - risk / largest_risk) * (HEIGHT - TOP - BOTTOM)

    parts = [
        opening(WIDTH, HEIGHT),
        text(LEFT, 22, f"{importer}: supply risk and economic importance, {year}", size=14),
        text(
            LEFT, 40,
            "Method of the European Commission. Red: under a restriction in force. "
            "Hollow: of the world's supply alone. Line: what the inputs allow; it can be alone.",
            FAINT,
        ),
        *_axes(x, y, largest_risk),
    ]  # fmt: skip
    taken = [
        (
            x(material.importance) - RADIUS,
            y(material.middle) - RADIUS,
            x(material.importance) + RADIUS,
            y(material.middle) + RADIUS,
        )
        for material in materials
    ]
    for material in materials:
        colour = RESTRICTED if material.is_restricted else FREE
        across, up = x(material.importance), y(material.middle)
        fill = "#ffffff" if material.is_of_world_alone else colour
        parts.append(line(across, y(material.low), across, y(material.high), colour))
        if material.risk is None:
            parts += [
                line(across - RADIUS, y(end), across + RADIUS, y(end), colour)
                for end in (material.low, material.high)
            ]
        else:
            parts.append(
                f'<circle cx="{across:.1f}" cy="{up:.1f}" r="{RADIUS}" fill="{fill}" '
                f'stroke="{colour}" stroke-width="1.5"/>'
            )
        place = _free_place(material.name, across, up, taken)
        if place is not None:
            parts.append(text(place[0], place[1], material.name, INK, size=10))
    return "".join([*parts, "</svg>"])


def _axes(x: _Scale, y: _Scale, largest_risk: float) -> list[str]:
    right, bottom = x(LARGEST_IMPORTANCE), y(0)
    parts = [
        line(LEFT, bottom, right, bottom, FAINT),
        line(LEFT, TOP, LEFT, bottom, FAINT),
        line(LEFT, y(RISK_THRESHOLD), right, y(RISK_THRESHOLD), FAINT, dashed=True),
        line(x(IMPORTANCE_THRESHOLD), TOP, x(IMPORTANCE_THRESHOLD), bottom, FAINT, dashed=True),
        text(right, bottom + 34, "economic importance to the European Union", anchor="end"),
        text(LEFT - 44, TOP - 10, "supply risk"),
    ]
    for importance in range(0, int(LARGEST_IMPORTANCE) + 1, 2):
        parts.append(text(x(importance), bottom + 16, str(importance), FAINT, anchor="middle"))
    for risk in range(int(largest_risk) + 1):
        parts.append(text(LEFT - 8, y(risk) + 4, str(risk), FAINT, anchor="end"))
    return parts


_Box = tuple[float, float, float, float]


def _free_place(
    name: str, across: float, up: float, taken: list[_Box]
) -> tuple[float, float] | None:
    """Where a label beside its point overlaps no other, which is then taken; None if nowhere."""
    width = LETTER * len(name)
    for left, base in (
        (across + 7, up + 4),
        (across - 7 - width, up + 4),
        (across - width / 2, up - 8),
        (across - width / 2, up + 16),
    ):
        box = (left, base - LINE_HEIGHT + 2, left + width, base + 2)
        is_inside = left >= LEFT and left + width <= WIDTH
        if is_inside and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            return left, base
    return None


def _overlap(box: _Box, other: _Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]

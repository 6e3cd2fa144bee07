"""The picture of the markets around events, and all pictures of published tables, for the UI."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.errors import PublicationError
from dagster_project.lake.build_file import connect
from dagster_project.market import PATH_FROM, PATH_TO
from dagster_project.serving import risk_picture
from dagster_project.serving.svg import FAINT, line, opening, text

WIDTH, HEIGHT = 290, 130
"""Of a panel, in pixels."""

LEFT, TOP, GAP, BETWEEN = 60, 76, 34, 46
BAND, LINE = "#cfe0f3", "#1f5fa8"


@dataclass(frozen=True)
class Panel:
    """The path of an instrument around an event.

    `path` has by session the cumulative abnormal return and its interval, as shares.
    """

    event_id: str
    event_date: date
    title: str
    instrument: str
    factor: str | None
    is_contaminated: bool
    path: Sequence[tuple[int, float, float, float]]


def picture(published_file: Path, importer: str, events: Sequence[str] = ()) -> str:
    """The markets around the events of an importer's page of answers, or around others, as SVG.

    Raises PublicationError where the file has no studies of such events.
    """
    with connect(published_file, read_only=True) as connection:
        drawn = pictures(connection, importer, events).get(("market", "event_studies"))
    if drawn is None and events:
        raise PublicationError(
            f"{published_file.name} has no event studies for {', '.join(events)}.",
            hint='kido query "select distinct event_id from market.event_studies" lists them.',
        )
    if drawn is None:
        raise PublicationError(
            f"{published_file.name} has no event studies for {importer}.",
            hint="Run kido build; the events of an importer are in dbt/seeds.",
        )
    return drawn


def picture_of_risks(published_file: Path, importer: str) -> str:
    """The materials an importer needs, by supply risk and economic importance, as SVG.

    Raises PublicationError where the file ranks none for it.
    """
    with connect(published_file, read_only=True) as connection:
        drawn = pictures(connection, importer).get(("dependency", "risk_ranking"))
    if drawn is None:
        raise PublicationError(
            f"{published_file.name} ranks no materials for {importer}.",
            hint='kido query "select distinct importer_iso3 from dependency.risk_ranking" '
            "lists the importers.",
        )
    return drawn


def write_picture(file: Path, draw: Callable[[], str]) -> str:
    """Write a picture to a file; returns what was written, in a sentence.

    Raises PublicationError where that cannot be done, or where the name asks for another format.
    """
    if file.suffix.lower() not in ("", ".svg"):
        raise PublicationError(
            f"{file}: a picture is written as SVG, not as {file.suffix.lstrip('.').upper()}.",
            hint=f"Name it {file.with_suffix('.svg')}.",
        )
    drawn = draw()
    try:
        file.write_text(drawn, "utf8")
    except OSError as error:
        raise PublicationError(f"{file} cannot be written: {error.strerror}.") from error
    return f"Wrote {file}, an SVG of {len(drawn.encode()) / 1000:.0f} kB."


def pictures(
    connection: duckdb.DuckDBPyConnection, importer: str, events: Sequence[str] = ()
) -> Mapping[tuple[str, str], str]:
    """By schema and table, the picture of it for an importer, or for some events; none of a table
    that has no rows of them.
    """
    drawn = {}
    risks = ("dependency", "risk_ranking")
    if not events and _has_table(connection, risks):
        drawn[risks] = risk_picture.drawn(connection, importer)
    markets = ("market", "event_studies")
    if _has_table(connection, markets):
        rows = connection.execute(_PANELS, [list(events), importer]).fetchall()
        drawn[markets] = _drawn([Panel(*row) for row in rows]) if rows else None
    return {table: svg for table, svg in drawn.items() if svg is not None}


def _has_table(connection: duckdb.DuckDBPyConnection, table: tuple[str, str]) -> bool:
    row = connection.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ?", table
    ).fetchone()
    return row is not None


def as_markdown(svg: str, text: str) -> str:
    """The picture inside a Markdown text; `text` is for those who do not see it."""
    return f"![{text}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


_PANELS = """
select
    studies.event_id,
    studies.event_date,
    studies.title,
    studies.instrument,
    studies.market_instrument,
    coalesce(studies.is_contaminated, false) as is_contaminated,
    (
        select
            list(
                (
                    session_offset,
                    exp(cumulative_abnormal_return) - 1,
                    exp(ci95_low) - 1,
                    exp(ci95_high) - 1
                )
                order by session_offset
            )
        from market.abnormal_returns as paths
        where paths.event_id = studies.event_id
        and paths.instrument = studies.instrument
        and paths.model = studies.model
    ) as path
from market.event_studies as studies
where case
    when len($1::varchar[]) > 0 then list_contains($1, studies.event_id)
    else list_contains(studies.shown_for, $2)
end
and studies.is_preferred
and studies.window_from = -1
order by studies.event_date, studies.event_id, studies.instrument
"""


def _drawn(panels: Sequence[Panel]) -> str:
    instruments = sorted({drawn.instrument for drawn in panels}, key=_order)
    events = list(
        dict.fromkeys((drawn.event_id, drawn.event_date, drawn.title) for drawn in panels)
    )
    reach = {name: _reach(panels, name) for name in instruments}
    by_place = {(drawn.event_id, drawn.instrument): drawn for drawn in panels}
    width = LEFT + len(instruments) * (WIDTH + GAP)
    height = TOP + len(events) * (HEIGHT + BETWEEN)
    parts = [
        opening(width, height),
        text(LEFT, 18, "Markets around the measures: cumulative abnormal return in %", size=14),
        text(
            LEFT, 34,
            "from the fifth session before the event's, which is 0, to the tenth after it; band: "
            "95 % interval of each sum, not adjusted for the number of events.",
            FAINT,
        ),
    ]  # fmt: skip
    for row, (event_id, event_date, title) in enumerate(events):
        top = TOP + row * (HEIGHT + BETWEEN)
        parts.append(text(LEFT, top, f"{event_date}  {event_id}: {title}"))
        for column, instrument in enumerate(instruments):
            left = LEFT + column * (WIDTH + GAP)
            panel = by_place.get((event_id, instrument))
            parts.append(_panel(panel, left, top + 8, reach[instrument]))
    for column, instrument in enumerate(instruments):
        factor = next(drawn.factor for drawn in panels if drawn.instrument == instrument)
        named = f"{instrument} against {factor}" if factor else instrument
        left = LEFT + column * (WIDTH + GAP)
        parts.append(text(left, TOP - 20, named, size=12, weight="bold"))
    return "".join([*parts, "</svg>"])


def _order(instrument: str) -> tuple[bool, bool, str]:
    """The fund first, then the currency."""
    return instrument != "REMX", instrument != "USDJPY", instrument


def _reach(panels: Sequence[Panel], instrument: str) -> float:
    """The largest distance from 0 of an instrument's bands: its panels have one scale."""
    bounds = [
        abs(bound)
        for panel in panels
        if panel.instrument == instrument
        for _, car, low, high in panel.path or ()
        for bound in (car, low - car, high - car, low, high)
    ]
    return 1.05 * max(bounds, default=0.01)


def _panel(panel: Panel | None, left: float, top: float, reach: float) -> str:
    def x(session: float) -> float:
        return left + (session - PATH_FROM) / (PATH_TO - PATH_FROM) * WIDTH

    def y(share: float) -> float:
        return top + HEIGHT / 2 * (1 - share / reach)

    parts = []
    path = panel.path if panel is not None and panel.path else []
    if path:
        above = " ".join(f"{x(session):.1f},{y(high):.1f}" for session, _, _, high in path)
        below = " ".join(f"{x(session):.1f},{y(low):.1f}" for session, _, low, _ in reversed(path))
        parts.append(f'<polygon points="{above} {below}" fill="{BAND}"/>')
    parts += [
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" '
        f'stroke="#d0d0d0"/>',
        line(x(PATH_FROM), y(0), x(PATH_TO), y(0), FAINT),
        line(x(0), top, x(0), top + HEIGHT, FAINT, dashed=True),
    ]
    for mark in _marks(reach):
        parts.append(
            text(left - 6, y(mark) + 4, f"{100 * mark:+.0f}" if mark else "0", FAINT, anchor="end")
        )
        parts.append(line(left - 3, y(mark), left, y(mark), FAINT))
    for session in (-5, 0, 5, 10):
        parts.append(
            text(
                x(session),
                top + HEIGHT + 12,
                f"{session:+d}" if session else "0",
                FAINT,
                anchor="middle",
            )
        )
    if path:
        points = " ".join(f"{x(session):.1f},{y(car):.1f}" for session, car, _, _ in path)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    remark = "other events in (-1,+1)" if panel is not None and panel.is_contaminated else ""
    parts.append(text(left + 6, top + 14, remark if path else "no prices", FAINT))
    return "".join(parts)


def _marks(reach: float) -> list[float]:
    """0 and the largest round share within reach, on both sides."""
    steps = [share for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if share <= reach]
    largest = steps[-1] if steps else reach
    return [-largest, 0.0, largest]

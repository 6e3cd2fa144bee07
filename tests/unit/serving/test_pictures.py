"""The picture of event studies, on small published files made by hand."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

from dagster_project.errors import PublicationError
from dagster_project.serving.pictures import (
    as_markdown,
    picture,
    picture_of_risks,
    pictures,
    write_picture,
)
from tests.unit.serving.test_answers import published

SVG = "{http://www.w3.org/2000/svg}"

STUDY = {
    "event_id": "CN-2026-1", "event_date": date(2026, 1, 6), "title": "A ban <on> goods",
    "instrument": "REMX", "model": "constant_mean", "window_from": -1, "window_to": 1,
    "is_preferred": True,
    "is_contaminated": False, "shown_for": ["JPN"],
}  # fmt: skip


def path(**more: object) -> list[dict[str, Any]]:
    """Sums of 0, 1, ... 15 % with intervals of 2 % to both sides."""
    return [
        {
            "event_id": "CN-2026-1", "instrument": "REMX", "model": "constant_mean",
            "session_offset": offset, "cumulative_abnormal_return": (offset + 5) / 100,
            "ci95_low": (offset + 3) / 100, "ci95_high": (offset + 7) / 100, **more,
        }
        for offset in range(-5, 11)
    ]  # fmt: skip


def drawn(file: Path) -> ElementTree.Element:
    return ElementTree.fromstring(picture(file, "JPN"))


def words_of(svg: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def test_a_panel_has_the_path_its_band_and_its_event(tmp_path: Path) -> None:
    svg = drawn(published(tmp_path, market__event_studies=[STUDY], market__abnormal_returns=path()))
    (line,) = svg.iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(points) == 16
    across, down = zip(*points, strict=True)
    assert list(across) == sorted(across)
    assert list(down) == sorted(down, reverse=True), "the sum rises, and so does the line"
    (band,) = svg.iter(f"{SVG}polygon")
    assert len(band.attrib["points"].split()) == 32
    assert "2026-01-06  CN-2026-1: A ban <on> goods" in words_of(svg)
    assert "REMX" in words_of(svg)
    assert not any("other events" in words for words in words_of(svg))


def test_other_events_and_missing_prices_are_written_on_the_panel(tmp_path: Path) -> None:
    studies = [
        {**STUDY, "is_contaminated": True},
        {**STUDY, "event_id": "LATER", "event_date": date(2026, 2, 24), "instrument": "USDJPY"},
    ]
    svg = drawn(published(tmp_path, market__event_studies=studies, market__abnormal_returns=path()))
    words = words_of(svg)
    assert words.count("other events in (-1,+1)") == 1
    # Of two events and two instruments one pair has a path.
    assert words.count("no prices") == 3
    assert words.index("REMX") < words.index("USDJPY")


def test_the_row_to_read_is_drawn(tmp_path: Path) -> None:
    market = {**STUDY, "model": "market", "market_instrument": "PEERS"}
    other = {**STUDY, "is_preferred": False}
    svg = drawn(
        published(
            tmp_path,
            market__event_studies=[other, market],
            market__abnormal_returns=[*path(), *path(model="market")[:3]],
        )
    )
    assert "REMX against PEERS" in words_of(svg)
    (line,) = svg.iter(f"{SVG}polyline")
    assert len(line.attrib["points"].split()) == 3


def test_another_importer_has_no_events(tmp_path: Path) -> None:
    file = published(tmp_path, market__event_studies=[STUDY], market__abnormal_returns=path())
    with pytest.raises(PublicationError, match="no event studies for DEU"):
        picture(file, "DEU")


def test_what_was_written_is_named_with_its_format(tmp_path: Path) -> None:
    file = published(tmp_path, market__event_studies=[STUDY], market__abnormal_returns=path())
    target = tmp_path / "markets.svg"
    sentence = write_picture(target, lambda: picture(file, "JPN"))
    kilobytes = round(target.stat().st_size / 1000)
    assert sentence == f"Wrote {target}, an SVG of {kilobytes} kB."
    assert ElementTree.parse(target).getroot().tag == f"{SVG}svg"


@pytest.mark.parametrize("name", ["markets.png", "markets.PDF", "markets.svg.gz"])
def test_a_name_of_another_format_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    file = published(tmp_path, market__event_studies=[STUDY], market__abnormal_returns=path())
    with pytest.raises(PublicationError, match=f"{name}: a picture is written as SVG, not as"):
        write_picture(tmp_path / name, lambda: picture(file, "JPN"))
    assert not (tmp_path / name).exists()


def test_a_file_of_an_earlier_version_has_no_picture(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "kido.duckdb")) as connection:
        assert pictures(connection, "JPN") == {}


def test_markdown_contains_the_picture_itself(tmp_path: Path) -> None:
    file = published(tmp_path, market__event_studies=[STUDY], market__abnormal_returns=path())
    text = as_markdown(picture(file, "JPN"), "markets")
    start = "![markets](data:image/svg+xml;base64,"
    assert text.startswith(start)
    assert base64.b64decode(text.removeprefix(start).removesuffix(")")).startswith(b"<svg")


# ---- The materials an importer needs


def ranked(material: str, importance: float | None, risk: float | None, **more: object) -> Any:
    return {
        "importer_iso3": "JPN", "material": material, "year": 2024, "is_first": True,
        "economic_importance": importance, "supply_risk": risk, "supply_risk_low": risk,
        "supply_risk_high": risk, "supply_used": "global_and_consumer",
        "rank_low": None if risk is None else round(100 - 10 * risk),
        "restricted_share_high": 0.0, "clauses_that_hit": [], "mineral_group": "g",
        "restricting_producers": [], **more,
    }  # fmt: skip


def risks_of(folder: Path, *ranking: Any) -> ElementTree.Element:
    file = published(
        folder,
        dependency__risk_ranking=list(ranking),
        reference__economies=[{"economy_iso3": "JPN", "name": "Japan <island>"}],
        reference__materials=[
            {"material": "niobium", "material_name": "Niobium & co"},
            {"material": "heavy_rare_earths", "material_name": "Heavy rare earths"},
        ],
        reference__minerals=[{"mineral": "terbium", "family": "heavy_rare_earth"}],
    )
    return ElementTree.fromstring(picture_of_risks(file, "JPN"))


def test_a_material_is_a_point_by_importance_and_risk(tmp_path: Path) -> None:
    svg = risks_of(
        tmp_path,
        ranked("niobium", 6.0, 4.0),
        ranked("gallium", 3.0, 2.0, supply_used="global", mineral_group=None,
               restricting_producers=["CHN"]),
        ranked("natural_graphite", 9.0, 1.0, clauses_that_hit=["CN-2023-39"],
               restricted_share_high=0.9),
        ranked("bounds_alone", 4.0, None, supply_risk_low=1.5, supply_risk_high=2.5,
               clauses_that_hit=None),
        ranked("without_a_risk", 3.0, None),
        ranked("the_smaller_stage", 5.0, 5.0, is_first=False),
        ranked("without_importance", None, 3.0),
    )  # fmt: skip
    points = [
        (float(dot.attrib["cx"]), float(dot.attrib["cy"]), dot.attrib["fill"], dot.attrib["stroke"])
        for dot in svg.iter(f"{SVG}circle")
    ]
    assert len(points) == 3
    niobium, gallium, graphite = points
    assert gallium[0] < niobium[0] < graphite[0], "importance goes to the right"
    assert niobium[1] < gallium[1] < graphite[1], "risk goes up"
    assert gallium[2] == "#ffffff", "of the world's supply alone: hollow"
    assert niobium[2] == niobium[3] != graphite[3], "a restriction has its own colour"
    assert gallium[3] == graphite[3], "also where the world's supply is all that is known"
    words = words_of(svg)
    assert "Japan <island>: supply risk and economic importance, 2024" in words
    assert {"Niobium & co", "gallium", "natural_graphite", "bounds_alone"} <= set(words)
    assert not {"without_a_risk", "the_smaller_stage"} & set(words)


def test_elements_are_left_to_their_family_and_labels_do_not_overlap(tmp_path: Path) -> None:
    svg = risks_of(
        tmp_path,
        ranked("heavy_rare_earths", 4.2, 3.7),
        ranked("terbium", 3.9, 3.5),
        *(ranked(f"material_{number}", 5.0, 2.0) for number in range(9)),
    )
    words = words_of(svg)
    assert "Heavy rare earths" in words
    assert "terbium" not in words
    assert len(list(svg.iter(f"{SVG}circle"))) == 10
    labels = [word for word in words if word.startswith("material_")]
    assert 1 <= len(labels) < 9, "nine labels have no room at one point"


def test_an_importer_without_a_ranking_has_no_picture_of_risks(tmp_path: Path) -> None:
    file = published(tmp_path, dependency__risk_ranking=[])
    with pytest.raises(PublicationError, match="ranks no materials for DEU"):
        picture_of_risks(file, "DEU")

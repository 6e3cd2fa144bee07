"""Lists of critical materials: what each says of a material, and one sentence per mistake."""

import csv
import re
from calendar import monthrange
from collections import Counter
from datetime import date

import polars as pl
import pytest

from dagster_project.errors import UnknownCodeError
from dagster_project.settings import DBT_PROJECT
from dagster_project.sources import catalogue
from tests.conftest import needs_reference
from tests.unit.sources.catalogue.examples import DOCUMENT, reference, rejection_of, row

LIST = """\
critical_lists:
  - list: UK-2024
    name: Criticality assessment
    jurisdiction: GBR
    class: critical
    date: 2024-11-30
    date_precision: month
    status: {now: superseded, known: 2026-11-01, before: in force}
    confidence: from knowledge
    note: Its table was not read.
    url: https://example.org/uk
    materials:
      borates: boron
      silicon metal: silicon
    parts:
      - status: unsettled
        date: 2025-01-10
        date_precision: day
        known: 2025-01-15
        confidence: disputed
        materials:
          graphite: graphite
...
"""


def read(text: str) -> pl.DataFrame:
    (frame,) = catalogue.parse(text.encode(), DOCUMENT).values()
    return frame


def test_a_material_has_the_fields_of_its_list_and_our_word():
    borates = row(read(LIST), "material_as_printed", "borates")
    assert borates == {
        "list_id": "UK-2024", "material_as_printed": "borates", "jurisdiction_iso3": "GBR",
        "list_name": "Criticality assessment", "list_date": date(2024, 11, 30),
        "date_precision": "month", "class": "critical", "status": "superseded",
        "status_known_at": date(2026, 11, 1), "status_before": "in force", "slug": "boron",
        "confidence": "from knowledge", "note": "Its table was not read.",
        "source_url": "https://example.org/uk", "known_at": date(2024, 11, 30),
        "source": "catalogue", "is_provisional": False, "vintage_at": DOCUMENT.retrieved_at,
    }  # fmt: skip


def test_a_part_differs_in_the_fields_that_it_gives():
    lists = read(LIST)
    assert lists["material_as_printed"].to_list() == ["borates", "silicon metal", "graphite"]
    graphite = row(lists, "material_as_printed", "graphite")
    assert (graphite["list_name"], graphite["source_url"], graphite["note"]) == (
        "Criticality assessment", "https://example.org/uk", "Its table was not read.",
    )  # fmt: skip
    assert (graphite["list_date"], graphite["date_precision"], graphite["known_at"]) == (
        date(2025, 1, 10), "day", date(2025, 1, 15),
    )  # fmt: skip
    # Its own status has nothing before it.
    assert (graphite["status"], graphite["status_known_at"], graphite["status_before"]) == (
        "unsettled", None, None,
    )  # fmt: skip
    assert graphite["confidence"] == "disputed"


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("class: critical", "class: stockpile", ("UK-2024", "`class`", "stockpile")),
        ("from knowledge", "certain", ("UK-2024", "`confidence`", "certain")),
        ("date: 2024-11-30", "date: 2024-11", ("UK-2024", "`date`", "2024-11")),
        ("    date: 2024-11-30\n", "", ("UK-2024", "`date`", "missing")),
        (", before: in force", "", ("UK-2024", "`status`", "`before`")),
        ("url: https://example.org/uk", "url: example.org", ("UK-2024", "`url`", "example.org")),
        ("borates: boron", "borates: Boron", ("line 13", "UK-2024", "`borates`", "Boron")),
        ("borates: boron", "borates: 5", ("UK-2024", "`borates`", "5")),
        ("silicon metal: silicon", "borates: silicon", ("line 14", "`borates`", "duplicated")),
        ("graphite: graphite", "borates: boron", ("line 16", "UK-2024, borates", "duplicated")),
        ("known: 2025-01-15", "known: 2025-01-09", ("line 16", "part 1", "2025-01-09")),
        ("- status: unsettled", "- class: watch", ("part 1", "`class`", "not a known field")),
        ("        materials:\n          graphite: graphite\n", "", ("part 1", "`materials`")),
        ("- status: unsettled", "- unsettled\n      - note: a", ("UK-2024", "`parts`", "fields")),
        ("...", LIST.partition("\n")[2], ("line 23", "UK-2024", "duplicated")),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_the_list(
    old: str, new: str, names: tuple[str, ...]
) -> None:
    sentence = rejection_of(LIST.replace(old, new, 1))
    for name in names:
        assert name in sentence


def test_a_list_of_an_unknown_economy_is_rejected():
    with pytest.raises(UnknownCodeError, match="UK-2024: `jurisdiction` is 'EU'"):
        read(LIST.replace("GBR", "EU"))


JURISDICTIONS = {
    "Australia": "AUS", "Canada": "CAN", "China": "CHN", "EU": "EU27", "India": "IND",
    "Japan": "JPN", "Korea": "KOR", "UK": "GBR", "USA": "USA",
}  # fmt: skip
CLASSES = {"specified critical": "critical", "stockpile": "strategic"}
WORDED = {
    # What the list says by its order is said by name.
    "same, watch list": "UK criticality assessment 2021 / strategy of 2022-07-22, watch list",
    "in force; the 35 above less phosphorus":
        "in force; the 35 of JP-ESPA-ORDER-10 less phosphorus",
}  # fmt: skip


def last_day(printed: str) -> tuple[date, str]:
    if len(printed) == len("2024-02"):
        year, month = map(int, printed.split("-"))
        return date(year, month, monthrange(year, month)[1]), "month"
    return date.fromisoformat(printed), "day"


@needs_reference
def test_every_material_is_cell_for_cell_that_of_the_list(frames):
    listed = reference("critical_lists.csv")
    expected = sorted(
        (
            row["list_id"], row["material_as_printed"], JURISDICTIONS[row["jurisdiction"]],
            WORDED.get(row["list_name"], row["list_name"]), *last_day(row["list_date"]),
            CLASSES.get(row["class"], row["class"]), WORDED.get(row["status"], row["status"]),
            row["slug"], row["confidence"], row["source_url"],
        )
        for row in listed
    )  # fmt: skip
    columns = (
        "list_id", "material_as_printed", "jurisdiction_iso3", "list_name", "list_date",
        "date_precision", "class", "status", "slug", "confidence", "source_url",
    )  # fmt: skip
    found = sorted(frames["critical_lists"].select(columns).iter_rows())
    assert len(found) == 473
    assert found == expected


def test_what_was_not_read_and_what_is_disputed_keep_their_confidence(frames):
    lists = frames["critical_lists"]
    assert Counter(lists["confidence"]) == {
        "verified in stored page": 450, "from knowledge": 21, "disputed": 2,
    }  # fmt: skip
    disputed = lists.filter(confidence="disputed").select("list_id", "material_as_printed")
    assert set(disputed.iter_rows()) == {("UK-2024-34", "chromium"), ("UK-2024-34", "graphite")}


def test_on_its_own_day_no_list_tells_of_a_later_year(frames):
    for listed in frames["critical_lists"].iter_rows(named=True):
        known, day = listed["status_known_at"], listed["list_date"]
        status = listed["status_before"] if known and known > day else listed["status"]
        years = map(int, re.findall(r"20\d\d", status))
        assert max(years, default=0) <= day.year, listed["list_id"]
        assert "superseded" not in status


def words_of_lists() -> dict[str, tuple[list[str], list[str]]]:
    with (DBT_PROJECT / "seeds" / "seed_materials_of_lists.csv").open(encoding="utf8") as file:
        return {
            row["slug"]: (row["materials"].split(), row["mineral_groups"].split())
            for row in csv.DictReader(file)
        }


def test_every_word_of_the_lists_leads_to_its_figures_and_no_other_does(frames):
    assert set(words_of_lists()) == set(frames["critical_lists"]["slug"])


def test_a_word_leads_to_what_it_is_called_in_the_tables():
    found = words_of_lists()
    assert found["boron"] == (["borate"], ["hs_252800", "hs_252890"])
    assert found["silicon"] == (["silicon_metal"], ["hs_280469"])
    assert found["baryte"][0] == ["barytes"]
    assert found["iron"][0] == ["iron_ore"]
    # What is not the same substance has no figures, and neither has what nobody reports.
    for word in ("barium", "fluorine", "high_purity_alumina", "oil", "rubidium", "thallium"):
        assert found[word] == ([], [])
    assert found["permanent_magnets"][0] == []
    assert "permanent_magnets" in found["permanent_magnets"][1]


def test_rare_earths_keep_the_level_of_the_list():
    found = {word: set(materials) for word, (materials, _) in words_of_lists().items()}
    light, heavy = found["light_rare_earths"], found["heavy_rare_earths"]
    assert (len(light), len(heavy)) == (5 + 1, 10 + 1)
    # 17 without promethium, of which there are no figures, and three groups of them.
    assert found["rare_earths"] == light | heavy | {"scandium", "rare_earths"}
    assert len(found["rare_earths"]) == 16 + 3
    assert found["dysprosium"] == {"dysprosium"}
    # Regulation (EU) 2024/1252, Annex I: Nd, Pr, Tb, Dy, Gd, Sm and Ce.
    assert found["rare_earths_magnet"] == {
        "neodymium", "praseodymium", "terbium", "dysprosium", "gadolinium", "samarium", "cerium",
    }  # fmt: skip


def test_a_word_has_every_group_that_its_materials_are_traded_in():
    with (DBT_PROJECT / "seeds" / "seed_trade_groups_of_materials.csv").open() as file:
        traded = [row for row in csv.DictReader(file) if row["mineral_group"]]
    for word, (materials, groups) in words_of_lists().items():
        assert {row["mineral_group"] for row in traded if row["material"] in materials} <= set(
            groups
        ), word
        assert materials == sorted(set(materials)), word
        assert groups == sorted(set(groups)), word

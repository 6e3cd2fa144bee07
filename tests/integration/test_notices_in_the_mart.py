"""Notices from a landed answer to `exposure.notices`: which are known, and which are to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import source_named
from tests.conftest import SHARED, needs_shared
from tests.fakes.federal_register import HOME, document
from tests.fakes.mofcom import Entry, list_answer, list_html
from tests.integration.marts import Marts

PAYLOADS = SHARED / "payloads"
NOTICES = "exposure.notices"

LANDED: Mapping[str, tuple[str, ...]] = {
    "mofcom": ("list_unit_SYNTHETIC.json", "announcement_SYNTHETIC_from_real_template.html"),
    "federal_register": (
        "documents_bis_SYNTHETIC.json", "page1_with_cursor_SYNTHETIC.json",
        "page2_last_SYNTHETIC.json", "documents_page_REAL_trimmed.json",
    ),
    "gta": ("v2_data_response_paginated_SYNTHETIC.json",),
}  # fmt: skip


@pytest.fixture
def home(settings: Settings) -> Settings:
    """A home with the catalogue alone."""
    land_bundled(settings, source_named("catalogue"))
    conform(settings, source_named("catalogue"))
    return settings


def land(settings: Settings, source: str, *files: Path) -> None:
    for file in files:
        land_files(settings, source_named(source), [file])


def notices_of(settings: Settings, marts: Marts) -> Mapping[str, Mapping[str, Any]]:
    frame = marts(settings, source_named("mofcom"), (NOTICES,))[NOTICES]
    return {row["notice_id"]: row for row in frame.iter_rows(named=True)}


@needs_shared
def test_published_answers_belong_to_their_clauses_or_are_to_be_read(
    home: Settings, marts: Marts
) -> None:
    for source, names in LANDED.items():
        folder = "gta" if source == "gta" else source
        land(home, source, *(PAYLOADS / folder / name for name in names))
    land(home, "oecd_restrictions", PAYLOADS / "oecd_er" / "byo_contract_SYNTHETIC.csv")
    notices = notices_of(home, marts)
    states = {number: (row["state"], row["clause_id"]) for number, row in notices.items()}
    known = {number: clause for number, (state, clause) in states.items() if state == "known"}
    assert known == {"2026-1": "CN-2026-1", "2025-57": "CN-2025-57", "2025-18": "CN-2025-18"}
    to_be_read = {number for number, (state, _) in states.items() if state == "to_be_read"}
    assert to_be_read == {
        "2025-19846", "2026-13124", "C1-2026-13124", "999001",
        "CHN / Export licensing requirement / Rare-earth compounds / 2015-01-01",
    }  # fmt: skip
    # Neither on passports nor of a title that says nothing.
    assert {number for number in states if number not in {*known, *to_be_read}} == {
        "2026-14001", "2026-18736",
    }  # fmt: skip
    assert {number for number, row in notices.items() if row["words"]} <= {*known, *to_be_read}


SUCCESSORS = {
    "2026-970": "商务部 海关总署公告2026年第970号 公布暂停实施商务部公告2025年第55号的决定",
    "2026-972": "商务部公告2026年第972号 公布暂停实施商务部公告2024年第46号第二款的决定",
    "2026-940": "商务部公告2026年第940号 关于延长商务部公告2025年第55号的公告",
    "2026-941": "商务部公告2026年第941号 关于停止实施商务部公告2024年第46号",
    "2026-942": "商务部公告〔2026〕第942号",
    "2026-943": "商务部２０２６年第９４３号公告",
}
TYRES = {"2026-944": "商务部公告2026年第944号 关于延长轮胎反倾销调查期限的公告"}


def test_what_suspends_extends_or_lifts_a_control_is_to_be_read(
    home: Settings, marts: Marts, tmp_path: Path
) -> None:
    entries = [Entry(title, "2026-11-20") for title in (SUCCESSORS | TYRES).values()]
    file = tmp_path / "list.json"
    file.write_text(json.dumps(list_answer(list_html(entries, len(entries), 15))), "utf8")
    land(home, "mofcom", file)
    notices = notices_of(home, marts)
    assert {number for number, row in notices.items() if row["state"] == "to_be_read"} == set(
        SUCCESSORS
    )
    assert notices["2026-944"]["state"] == "not_relevant"
    assert notices["2026-941"]["because"] == "it names MOFCOM 2024-46; no clause names it"
    assert notices["2026-943"]["because"] == "its title is a number alone; no clause names it"


def test_a_correction_is_to_be_read_though_what_it_corrects_was_put_aside(
    home: Settings, marts: Marts, tmp_path: Path
) -> None:
    documents = [
        document("2026-13124", "2026-07-08", "Additions to the Entity List"),
        document(
            "C1-2026-13124", "2026-07-15", "Additions to the Entity List; Correction",
            correction_of=f"{HOME}/api/v1/documents/2026-13124",
        ),
    ]  # fmt: skip
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({"count": 2, "results": documents}), "utf8")
    land(home, "federal_register", file)
    line = "  - {source: federal_register, notices: ['2026-13124'], reason: a test, "
    text = (BUNDLED / "catalogue" / "notices.yaml").read_text("utf8")
    decided = tmp_path / "notices.yaml"
    decided.write_text(text.replace("\n...\n", f"\n{line}decided: 2026-11-28}}\n...\n"), "utf8")
    land(home, "catalogue", decided)
    notices = notices_of(home, marts)
    assert notices["2026-13124"]["state"] == "not_relevant"
    corrected = notices["C1-2026-13124"]
    assert (corrected["state"], corrected["corrects"]) == ("to_be_read", "2026-13124")
    assert corrected["because"].startswith("it corrects 2026-13124; it names entity list")

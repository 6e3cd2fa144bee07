"""What is a document of the catalogue, of whichever kind, and what is rejected in one sentence."""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.sources import catalogue
from dagster_project.sources.card import Document
from tests.nightly import times
from tests.unit.sources.catalogue.examples import (
    ABUNDANT,
    CLAIM,
    COMPANY,
    DOCUMENT,
    ECONOMIES,
    FILES,
    FLOW,
    MEASURE,
    MILESTONE,
    PRODUCED,
    RETRIEVED,
    RISEN,
    UNDECIDED,
    USED,
    rejection_of,
)


def test_the_bundled_files_fill_the_tables_of_the_card(frames):
    assert set(frames) == set(catalogue.CARD.tables)
    for table, frame in frames.items():
        conformed = LAKE_TABLES[table].conform(
            frame.with_columns(snapshot_id=pl.lit("s"), document=pl.lit("d"))
        )
        assert conformed.height == frame.height
        keys = list(LAKE_TABLES[table].key)
        assert conformed.select(keys).is_duplicated().sum() == 0
        assert conformed.select(keys).null_count().sum_horizontal().item() == 0
        for name, column in LAKE_TABLES[table].columns.items():
            assert column.nullable or conformed[name].null_count() == 0, (table, name)
        assert set(conformed["vintage_at"]) == {RETRIEVED}
        assert set(conformed["is_provisional"]) == {False}
        assert set(conformed["source"]) == {"catalogue"}


def test_an_instant_with_a_zone_becomes_utc():
    tokyo = datetime(2026, 1, 6, 9, tzinfo=timezone(timedelta(hours=9)))
    document = Document(name="mine.yaml", retrieved_at=tokyo, is_bundled=False)
    claims = catalogue.parse(FILES["claims.yaml"], document)["claims"]
    assert set(claims["vintage_at"]) == {tokyo.astimezone(UTC).replace(tzinfo=None)}
    assert set(claims["vintage_at"]) == {datetime(2026, 1, 6, 0)}


def test_other_sections_written_by_hand_are_recognised_by_their_content():
    assert set(catalogue.parse(MILESTONE.encode(), DOCUMENT)) == {"milestones"}
    assert set(catalogue.parse(COMPANY.encode(), DOCUMENT)) == {"company_facts"}
    for claim in (CLAIM, PRODUCED, USED, ABUNDANT, RISEN, FLOW, UNDECIDED):
        assert set(catalogue.parse(claim.encode(), DOCUMENT)) == {"claims"}
    spreadsheet = b"\xef\xbb\xbf" + ECONOMIES.replace("\n", "\r\n").encode()
    economies = catalogue.parse(spreadsheet, DOCUMENT)["economies"]
    assert dict(economies.select("economy_iso3", "name_ja").iter_rows())["EST"] == "エストニア"


@pytest.mark.parametrize(
    ("text", "old", "new", "names"),
    [
        (MEASURE, "implementer: CHN", "implementer: CHI", ("XX-1-A", "`implementer`", "CHI")),
        (MEASURE, "economy: JPN", "economy: JAP", ("XX-1-A", "`target`", "JAP")),
        (MILESTONE, "economy: JPN", "economy: JAP", ("M-1", "`economy`", "JAP")),
        (CLAIM, "importer: JPN", "importer: JAP", ("C-1", "`importer`", "JAP")),
        (CLAIM, "supplier: CHN", "supplier: CHI", ("C-1", "`supplier`", "CHI")),
        (CLAIM, "rare_earths", "rare_birds", ("C-1", "`mineral_group`", "rare_birds")),
        (PRODUCED, "producer: CHN", "producer: CHI", ("C-1", "`producer`", "CHI")),
        (FLOW, "reporter: CHN", "reporter: CHI", ("C-1", "`reporter`", "CHI")),
        (FLOW, "partner: WLD", "partner: ALL", ("C-1", "`partner`", "ALL")),
        (FLOW, "850511", "85051110", ("C-1", "`commodity`", "85051110")),
    ],
)
def test_an_unknown_code_is_named(text, old, new, names):
    with pytest.raises(UnknownCodeError) as caught:
        catalogue.parse(text.replace(old, new, 1).encode(), DOCUMENT)
    for name in names:
        assert name in caught.value.message


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        ("", ("empty",)),
        (" \n", ("empty",)),
        ("<!DOCTYPE html><html><body>Not found</body></html>", ("HTML",)),
        ("hello", ("`measures:`", "`milestones:`", "`claims:`")),
        ("measure:\n  - a\n...\n", ("`measures:`",)),
        ("measures:\nclaims:\n...\n", ("`measures:`",)),
        ("measures:\n...\n", ("`measures:`", "not a list")),
        ("measures:\n  - CN-1\n...\n", ("entry 1", "CN-1")),
        ("measures:\n  - {measure: A\n...\n", ("line",)),
        ("measures:\n  - {measure: !!int x}\n...\n", ("!!",)),
        ("measures:\n  - {[a]: b, [a]: c}\n...\n", ("line 2",)),
        ("measures: [\x07]\n...\n", ("not YAML",)),
        ("- a\n---\n- b\n...\n", ()),
        ("measures:\n  - !!python/object/apply:os.system [ls]\n...\n", ("line 2",)),
        ("対策:".encode("cp932"), ("UTF-8",)),
        (b"PK\x03\x04\x00\x00", ()),
        (ECONOMIES.encode("utf-16"), ()),
        ("iso3,name\nJPN,Japan\n", ("economy_iso3", "missing")),
    ],
)
def test_what_is_no_file_of_the_catalogue_is_rejected_in_a_sentence(payload, names):
    message = rejection_of(payload)
    for name in names:
        assert name in message, message


@pytest.mark.parametrize(
    "text", [MEASURE, MILESTONE, COMPANY, CLAIM, PRODUCED, UNDECIDED, ECONOMIES]
)
def test_a_file_cut_anywhere_is_rejected(text):
    payload = text.encode()
    for length in range(len(payload.rstrip())):
        rejection_of(payload[:length])


@given(st.sampled_from(sorted(FILES)), st.floats(0, 1, exclude_max=True))
@settings(max_examples=times(at_night=40, by_day=10))
def test_a_bundled_file_cut_anywhere_is_rejected(name, part):
    payload = FILES[name].rstrip()
    rejection_of(payload[: int(len(payload) * part)])

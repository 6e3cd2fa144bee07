"""The lists of codes: every code a publisher prints is an economy, or names itself."""

import csv
import gzip
import json
from collections.abc import Iterator

import pytest

from dagster_project.errors import ConfigurationError, UnknownCodeError
from dagster_project.lake import vocabulary
from dagster_project.lake.vocabulary import (
    economies,
    economy_by,
    economy_of,
    material_labels,
    mineral_groups,
)
from tests.conftest import SHARED, needs_shared


@pytest.mark.parametrize(
    ("by", "code", "economy"),
    [
        ("japan_customs_code", "105", "CHN"),
        ("japan_customs_code", "235", "EST"),
        ("japan_customs_code", "106", "TWN"),
        ("japan_customs_code", "702", "_X"),
        ("comtrade_code", "842", "USA"),
        ("comtrade_code", "251", "FRA"),
        ("comtrade_code", "699", "IND"),
        ("comtrade_code", "757", "CHE"),
        ("comtrade_code", "579", "NOR"),
        ("comtrade_code", "490", "TWN"),
        ("comtrade_code", "0", "WLD"),
        ("comtrade_code", "837", "_X"),
        ("m49_code", "004", "AFG"),
        ("m49_code", "840", "USA"),
        ("iso2", "XK", "XKX"),
        ("economy_iso3", "S19", "TWN"),
        ("economy_iso3", "_X ", "_X"),
        ("economy_iso3", "XX ", "_X"),
        ("economy_iso3", "X1 ", "_X"),
        ("economy_iso3", "X2 ", "_X"),
        ("economy_iso3", "W00", "WLD"),
        ("economy_iso3", "JPN", "JPN"),
    ],
)
def test_a_publishers_code_is_an_economy(by, code, economy):
    assert economy_of(code, by=by, publisher="someone") == economy


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("comtrade_code", "840"),  # M49's United States, which Comtrade calls 842
        ("comtrade_code", "004"),
        ("m49_code", "4"),
        ("japan_customs_code", "999"),
        ("economy_iso3", "ROM"),
        ("iso2", ""),
    ],
)
def test_a_code_nobody_knows_is_named_and_its_publisher(by, code):
    with pytest.raises(UnknownCodeError) as caught:
        economy_of(code, by=by, publisher="Statistics of Nowhere")
    assert repr(code) in caught.value.message
    assert "Statistics of Nowhere" in caught.value.message


def test_the_special_economies_are_known_and_their_codes_lead_to_economies():
    assert {"_X", "WLD", "EU27", "TWN", "XKX", "ANT"} <= economies()
    assert set(vocabulary.SPECIAL_AREAS.values()) <= economies()


def test_mineral_groups_are_read_from_their_seed():
    assert {"rare_earths", "permanent_magnets", "natural_graphite"} <= mineral_groups()


def test_instruments_are_read_from_their_seed():
    assert {"EURJPY", "REMX", "NICKEL"} <= vocabulary.instruments()
    assert "PNEODYM" not in vocabulary.instruments()


def test_a_missing_list_names_which_file_to_restore(monkeypatch):
    monkeypatch.setattr(
        vocabulary, "MINERAL_GROUPS_FILE", vocabulary.MINERAL_GROUPS_FILE.with_name("gone.csv")
    )
    mineral_groups.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match=r"dbt/seeds/gone\.csv is missing"):
            mineral_groups()
    finally:
        mineral_groups.cache_clear()


def test_the_kind_of_an_instrument_and_the_calendar_of_its_exchange():
    assert vocabulary.traded()["REMX"] == vocabulary.Traded("etf", "XNYS")
    assert vocabulary.traded()["NICKEL"].calendar is None


# ---- Lists of labels


MATERIALS = "label,material,mineral,mineral_group,stage,content_basis,left_out\n"
SERIES = "instrument,unit,label\n"


@pytest.mark.parametrize(
    ("read", "name", "text", "sentence"),
    [
        (material_labels, "labels.csv", "label,material\nCopper,copper\n",
         "the columns are not content_basis, label, left_out, material, mineral, mineral_group, "
         "stage."),
        (material_labels, "labels.csv", f"{MATERIALS}Copper,copper\n",
         "row 1 has another number of cells than the header."),
        (material_labels, "labels.csv", f"{MATERIALS}Copper,copper,,,,,,\n",
         "row 1 has another number of cells than the header."),
        (material_labels, "labels.csv", f"{MATERIALS}Copper,,,,,,\n", "row 1 has no material."),
        (material_labels, "labels.csv", f"{MATERIALS}Tin,tin,,,,,\nTin,tin_ores,,,,,\n",
         "row 2 lists 'Tin' again."),
        (vocabulary.price_labels, "price_labels.csv", "instrument,label\nTIN,Tin\n",
         "the columns are not instrument, label, unit."),
        (vocabulary.price_labels, "price_labels.csv", f"{SERIES}TIN,,Tin\n", "row 1 has no unit."),
        (vocabulary.price_labels, "price_labels.csv", f"{SERIES}TIN,USD per t,\n",
         "row 1 has no label."),
        (vocabulary.price_labels, "price_labels.csv",
         f"{SERIES}TIN,USD per t,Tin\nTIN,USD per t,Tin\n", "row 2 lists 'Tin' again."),
        (vocabulary.price_labels, "price_labels.csv",
         f"{SERIES}TIN,USD per t,Tin\nTIN,USD per kg,Tin: Price\n",
         "TIN is in 'USD per t' and in 'USD per kg'."),
    ],
)  # fmt: skip
def test_a_malformed_list_of_labels_is_one_sentence(
    read, name, text, sentence, tmp_path, monkeypatch
):
    monkeypatch.setattr(vocabulary, "_BUNDLED", tmp_path)
    (tmp_path / "a_source").mkdir()
    (tmp_path / "a_source" / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read("a_source")
    assert str(caught.value).endswith(f"{name}: {sentence}")


def test_a_list_of_labels_that_is_not_utf_8_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(vocabulary, "_BUNDLED", tmp_path)
    (tmp_path / "a_source").mkdir()
    (tmp_path / "a_source" / "labels.csv").write_bytes(f"{MATERIALS}Caf\xe9,".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"labels\.csv cannot be read as CSV in UTF-8"):
        material_labels("a_source")


def rows(path: str) -> Iterator[dict[str, str]]:
    file = SHARED / "data" / path
    with (
        gzip.open(file, "rt", encoding="utf-8")
        if path.endswith(".gz")
        else file.open(encoding="utf-8")
    ) as lines:
        yield from csv.DictReader(lines)


@needs_shared
def test_every_country_code_of_japan_customs_is_an_economy():
    codes = {row["Code"] for row in rows("classifications/japan_customs_countries.csv")}
    assert codes == set(economy_by("japan_customs_code"))


@needs_shared
def test_every_iso_country_has_its_m49_and_alpha_2_code():
    for row in rows("classifications/country-codes.csv"):
        economy = row["ISO3166-1-Alpha-3"]
        assert economy_by("m49_code")[row["M49"].zfill(3)] == economy
        assert economy_by("iso2")[row["ISO3166-1-Alpha-2"]] == economy


@needs_shared
def test_bacis_own_list_pairs_numbers_and_letters_as_ours_does():
    for row in rows("baci/country_codes_V202601.csv"):
        if row["country_iso3"] == "ZA1":  # a customs union that reported as one until 1999
            continue
        by_number = economy_of(row["country_code"], by="comtrade_code", publisher="BACI")
        by_letters = economy_of(row["country_iso3"], publisher="BACI")
        assert by_number == by_letters, row


@needs_shared
def test_comtrades_own_list_of_reporters_pairs_numbers_and_letters_as_ours_does():
    listed = json.loads(
        (SHARED / "payloads/comtrade_ref/Reporters_REAL_extract.json").read_text("utf-8-sig")
    )["results"]
    assert len(listed) > 10
    for reporter in listed:
        if reporter["isGroup"]:
            continue
        number, letters = reporter["reporterCode"], reporter["reporterCodeIsoAlpha3"]
        assert economy_of(str(number), by="comtrade_code", publisher="Comtrade") == economy_of(
            letters, publisher="Comtrade"
        )


@needs_shared
def test_no_partner_of_comtrade_is_unknown_by_letters_or_by_number():
    letters = {
        row["country_iso"] for row in rows("comtrade_rare_earths/comtrade_country_ts.csv")
    } | {
        row[side]
        for row in rows("comtrade_rare_earths/comtrade_flows.csv")
        for side in ("importer_iso", "exporter_iso")
    }
    numbers = {
        row[side]
        for row in rows("comtrade_raw/comtrade_2024.csv.gz")
        for side in ("reporter", "partner")
    }
    assert len(letters) > 200
    assert len(numbers) > 200
    for code in letters:
        economy_of(code, publisher="Comtrade")
    for code in numbers:
        economy_of(code, by="comtrade_code", publisher="Comtrade")

"""The lists of codes: every code a publisher prints is an economy, or names itself."""

import csv
import gzip
import json
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import ConfigurationError, UnknownCodeError
from dagster_project.lake import vocabulary
from dagster_project.lake.vocabulary import (
    WordMap,
    WordSet,
    economies,
    economies_by_name,
    economy_by,
    economy_named,
    economy_of,
    material_labels,
    met_words,
    mineral_groups,
    still_hold,
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


# ---- Which words were met


def keys_met(ask: Callable[[], object]) -> dict[str, list[str] | None]:
    with met_words() as met:
        ask()
    record = met.record()
    assert json.loads(json.dumps(record)) == record
    return {name: part["keys"] for name, part in record.items()}


@pytest.mark.parametrize(
    ("ask", "met"),
    [
        (lambda: "JPN" in economies(), {"economies": ["JPN"]}),
        (lambda: "QQQ" in economies(), {"economies": ["QQQ"]}),
        (lambda: None in economies(), {}),
        (lambda: economies().among(["QQQ", "JPN", None, 5, "JPN"]), {"economies": ["JPN", "QQQ"]}),
        (lambda: economies() & {"JPN", "QQQ"}, {"economies": ["JPN", "QQQ"]}),
        (lambda: {"JPN", "QQQ"} - economies(), {"economies": ["JPN", "QQQ"]}),
        (lambda: mineral_groups() | {"JPN"}, {"mineral_groups": None}),
        (lambda: {"JPN"} <= economies(), {"economies": None}),
        (lambda: sorted(economies()), {"economies": None}),
        (lambda: len(economies()), {"economies": None}),
        (lambda: economy_by("m49_code").get("392"), {"economies.m49_code": ["392"]}),
        (lambda: economy_by("m49_code").get("9"), {"economies.m49_code": ["9"]}),
        (lambda: list(economy_by("iso2").items()), {"economies.iso2": None}),
        (lambda: economy_by("iso2") == {}, {"economies.iso2": None}),
        (lambda: economy_of("392", by="comtrade_code", publisher=""),
         {"economies.comtrade_code": ["392"]}),
        (lambda: economy_of("JPN ", publisher=""), {"economies": ["JPN"]}),
        (lambda: economy_of("S19", publisher=""), {}),
        (lambda: economy_named(" Viet  Nam", publisher=""), {"economies.name": ["viet nam"]}),
        (lambda: vocabulary.instruments().among([]), {"instruments": []}),
        (lambda: vocabulary.commodity_codes().among(["010121"]), {"commodity_codes": ["010121"]}),
        (lambda: vocabulary.require_known_labels(["Copper"], source="pink_sheet"),
         {"material_labels.pink_sheet": ["Copper"]}),
        (lambda: vocabulary.label_rows("pink_sheet"), {"material_labels.pink_sheet": None}),
        (lambda: vocabulary.price_labels("usgs_mcs").among(["Lithium: Price_dt"]),
         {"price_labels.usgs_mcs": ["Lithium: Price_dt"]}),
        (lambda: ("JPN" in economies(), set(economies()), "CHN" in economies()),
         {"economies": None}),
    ],
)  # fmt: skip
def test_the_words_that_were_met_or_looked_for_are_noted(ask, met):
    assert keys_met(ask) == met


def test_a_word_that_is_not_there_is_noted_though_asking_for_it_fails():
    with met_words() as met, pytest.raises(KeyError):
        economy_by("iso2")["??"]
    assert met.record()["economies.iso2"]["keys"] == ["??"]


def test_nobody_hears_what_was_met_before_or_after():
    assert "JPN" in economies()
    with met_words() as met:
        pass
    assert "JPN" in economies()
    assert met.record() == {}


def test_one_listener_inside_another_is_heard_by_both():
    with met_words() as outer:
        assert "JPN" in economies()
        with met_words() as inner:
            assert "CHN" in economies()
        assert "USA" in economies()
    assert inner.record()["economies"]["keys"] == ["CHN"]
    assert outer.record()["economies"]["keys"] == ["CHN", "JPN", "USA"]


def test_what_was_met_in_a_list_is_a_plain_dict_or_frozenset():
    assert economies().among(["JPN", "QQQ"]) == {"JPN": "JPN"}
    assert economy_by("comtrade_code").among(["842", "840"]) == {"842": "USA"}
    assert type(economies() & {"JPN"}) is type(economies() | {"JPN"}) is frozenset
    assert economies() & {"JPN", "QQQ"} == {"JPN"}
    assert {"JPN", "QQQ"} - economies() == {"QQQ"}


CODES = st.sampled_from("ABCDEFGH")
LISTS = st.dictionaries(CODES, st.sampled_from(["JPN", "CHN", "_X"]))


@given(LISTS, LISTS, st.sets(CODES))
def test_a_record_holds_as_long_as_the_list_agrees_of_the_words_that_were_met(
    then: dict[str, str], now: dict[str, str], asked: set[str]
):
    with met_words() as met:
        WordMap("economies.name", then).among(asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "economies_by_name", lambda: WordMap("economies.name", now))
        is_alike = all(then.get(code) == now.get(code) for code in asked)
        assert still_hold(met.record()) is is_alike


@given(st.lists(CODES, unique=True), st.lists(CODES, unique=True), st.none() | st.sets(CODES))
def test_a_record_of_a_set_holds_whatever_its_order(
    then: list[str], now: list[str], asked: set[str] | None
):
    with met_words() as met:
        codes = WordSet("economies", then)
        _ = set(codes) if asked is None else codes.among(asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "economies", lambda: WordSet("economies", now))
        seen = set("ABCDEFGH") if asked is None else asked
        assert still_hold(met.record()) is (set(then) & seen == set(now) & seen)


def test_every_part_of_a_label_counts(monkeypatch):
    with met_words() as met:
        assert material_labels("pink_sheet")["Copper"].left_out is None
    known = dict(material_labels("pink_sheet"))
    for part in ("material", "mineral", "mineral_group", "stage", "left_out"):
        label = vocabulary.MaterialLabel(**{**vars(known["Copper"]), part: "another"})
        other = WordMap("material_labels.pink_sheet", {**known, "Copper": label})
        with monkeypatch.context() as patch:
            patch.setattr(vocabulary, "material_labels", lambda source, other=other: other)
            assert not still_hold(met.record())
    assert still_hold(met.record())


def test_a_record_of_a_list_that_is_gone_does_not_hold():
    part = {"keys": ["Copper"], "digest": "0" * 12}
    for name in (
        "material_labels.nobody",
        "price_labels.nobody",
        "economies.nothing",
        "nothing",
    ):
        assert not still_hold({name: part})


def test_a_record_of_every_list_holds_today():
    with met_words() as met:
        for name in ("m49_code", "iso2", "comtrade_code", "japan_customs_code"):
            economy_by(name).among(["JP", "392"])
        economies_by_name().among(["japan"])
        for codes in (
            economies(), mineral_groups(), vocabulary.commodity_codes(), vocabulary.instruments(),
        ):  # fmt: skip
            assert codes
        assert material_labels("usgs_mcs")
        assert vocabulary.price_labels("usgs_mcs")
        assert vocabulary.traded()["REMX"] == vocabulary.Traded("etf", "XNYS")
        assert vocabulary.traded()["NICKEL"].calendar is None
    assert len(met.record()) == 12
    assert still_hold(met.record())


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


def test_two_thousand_records_of_two_hundred_words_are_compared_at_once():
    codes = sorted(economies())[:200]
    with met_words() as met:
        economies().among(codes)
        economy_by("comtrade_code").among(map(str, range(200)))
    record = met.record()
    assert [len(part["keys"]) for part in record.values()] == [200, 200]
    records = [json.loads(json.dumps(record)) for _ in range(2000)]
    start = time.perf_counter()
    assert all(map(still_hold, records))
    assert time.perf_counter() - start < 0.2


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

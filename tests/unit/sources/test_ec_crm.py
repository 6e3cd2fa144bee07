"""The EC's studies: their annex tables and our tidy ones say the same, and what they print."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake import vocabulary
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.settings import BUNDLED
from dagster_project.sources import ec_crm
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "ec_crm"
STUDIES = SHARED / "data" / "ec_critical_raw_materials"
WORLD_TABLE = "ec_fact_GlobalSupplyShares&t.csv"
UNION_TABLE = "ec_fact_EUSupplyShares&t.csv"
USE_TABLE = "ec_fact_MaterialUseShares.csv"
OVER_TIME_TABLE = "ec_dimension_CRMsOverTime.csv"
INPUTS_TABLE = "ec2017_supply_risk.csv"

RETRIEVED = datetime(2026, 11, 1, 9, 30)
LANDED = Document("download.csv", RETRIEVED, is_bundled=False)

HEAVY = (
    "Dysprosium", "Erbium", "Europium", "Gadolinium", "Holmium", "Lutetium", "Terbium", "Thulium",
    "Ytterbium", "Yttrium",
)  # fmt: skip
LIGHT = ("Lanthanum", "Cerium", "Praseodymium", "Neodymium", "Samarium")

# What the annex prints, a few rows of each table, in its own ways.
WORLD = (
    "Material,Stage,Country,Share,t\r\n"
    "Antimony,E,China,56.4%,1.1\r\n"
    "Antimony,E,Turkyie,4.7%,1.0\r\n"
    "Antimony,E,Kyrgyzstan,<0.1%,1.0\r\n"
    'Gallium,P,"Korea, South",0.0%,1.0\r\n'
    "Iron ore,E,Brasilia,15%,\r\n"
)
UNION = (
    "Material,Stage,Country,Share,t\r\n"
    "Silicon metal,P,Germany,6,0.8\r\n"
    "Silicon metal,P,Norway,34%,1\r\n"
    "Potash,E,Russia,11%,1.0\r\n"
    "Cerium,P,Norway,0.1%,1\r\n"
    "Heavy Rare earths Elements,E,Japan,55%,1\r\n"
)
METAL = '"C25 - Manufacture of fabricated metal products, except machinery and equipment",163568'
USES = (
    "Material,Application,Share,NACE sector,VA in million €\r\n"
    f"Magnesium,Construction,13%,{METAL}\r\n"
    f"Magnesium,Construction,13%,{METAL}\r\n"
    'Magnesium,Transportation (automotive),48%,"C29 - Manufacture of motor\nvehicles, trailers '
    'and semi-trailers",194448\r\n'
    "Copper,Building construction,>0%,C32 - Other manufacturing,45912\r\n"
    "Iron ore,other,3%,,\r\n"
)
OVER_TIME = (
    "Material,Year,SR,EI\r\n"
    '"Natural Teak\nwood",2020,1.9,2\r\n'
    "Boron,2011,0.6,5\r\n"
    "Helium,2014,-,-\r\n"
    "Gallium,2017,1.4,3.2\r\n"
    "HREEs,2017,4.9,3.7\r\n"
    "Xenon,2023,0.8,-\r\n"
)
INPUTS = (
    "material,stage,SR_pub,EI_pub,IR_pct,EoL_RIR_pct,supply_used,SI_EI,SI_SR,HHI_GS,HHI_EU\r\n"
    "Gallium,Processing,1.4,3.2,34.0,0.0,GS + EUS,0.9,1.0,3.5,1.1\r\n"
    "Beryllium,Extraction,2.4,3.9,,0.0,GS only,1.0,1.0,2.4,\r\n"
    "Gold,Extraction,0.2,2.0,100.0,20.0,GS only,1.0,1.0,0.3,0.0\r\n"
    "Indium,Processing,2.4,3.1,0.0,0.0,GS only,0.9,1.0,2.5,0.8\r\n"
    "Sapele wood,Extraction,1.4,1.3,100.0,15.0,EUS only,0.9,0.9,0.0,1.8\r\n"
)
TIDY_SHARES = (
    "year,scope_iso3,label,stage,economy_iso3,share,bound,trade_parameter,printed,figure_source\n"
    "2023,WLD,Antimony,extraction,CHN,0.564,exact,1.1,56.4%,study\n"
)
TIDY_USES = (
    "year,label,application,sector,nace2_code,use_share,sector_value_added_eur_m,figure_source\n"
    "2023,Iron ore,other,other,,0.03,,study\n"
)
TIDY_ASSESSMENTS = (
    ",".join(ec_crm.ASSESSMENT_COLUMNS) + "\n2020,Boron,,3.2,3.5,,,,,,,,study\n"
    "2017,Gallium,processing,1.4,3.2,global_and_consumer,0.34,0,0.9,1,3.5,1.1,study\n"
)
EVERY_TABLE = {
    "world": (WORLD, "production"),
    "union": (UNION, "production"),
    "uses": (USES, "end_uses"),
    "over time": (OVER_TIME, "assessments"),
    "inputs": (INPUTS, "assessments"),
    "tidy shares": (TIDY_SHARES, "production"),
    "tidy uses": (TIDY_USES, "end_uses"),
    "tidy assessments": (TIDY_ASSESSMENTS, "assessments"),
}
every_table = pytest.mark.parametrize(
    ("text", "lake_table"), EVERY_TABLE.values(), ids=EVERY_TABLE.keys()
)


def parse(text: str | bytes, lake_table: str, document: Document = LANDED) -> pl.DataFrame:
    payload = text if isinstance(text, bytes) else text.encode("cp1252")
    return ec_crm.parse(payload, document)[lake_table]


def bundled_document(file: str) -> Document:
    return Document(file, datetime(2026, 11, 25), is_bundled=True)


def bundled(file: str, lake_table: str) -> pl.DataFrame:
    return parse((FOLDER / file).read_bytes(), lake_table, bundled_document(file))


def printed_rows(file: str) -> Iterator[dict[str, str]]:
    """The rows of a table of the studies, read without our parser; runs of blanks made one."""
    text = (STUDIES / file).read_bytes().decode("cp1252")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield {name.strip(): " ".join(cell.split()) for name, cell in row.items()}


def percent(cell: str) -> float:
    """A printed percentage as 0 to 1: `<0.1%` is half, `6` is 6 %."""
    value = float(cell.strip("<>%")) / 100
    return value / 2 if cell.startswith("<") else value


@pytest.fixture(scope="module")
def shares() -> pl.DataFrame:
    return bundled("supply_shares.csv", "production")


@pytest.fixture(scope="module")
def uses() -> pl.DataFrame:
    return bundled("end_uses.csv", "end_uses")


@pytest.fixture(scope="module")
def assessments() -> pl.DataFrame:
    return bundled("assessments.csv", "assessments")


def supply_of(shares: pl.DataFrame, label: str, stage: str, scope: str = "WLD") -> pl.DataFrame:
    found = shares.filter(label=label, stage=stage, scope_iso3=scope)
    assert found.height, (label, stage, scope)
    return found


def concentration(supply: pl.DataFrame) -> dict[str, float]:
    """HHI, HHI with trade parameters and CR1, CR3 on shares as published; entropy on their sum."""
    values = sorted(supply["share"], reverse=True)
    total = sum(values)
    return {
        "n": len(values),
        "share_sum": total,
        "hhi": sum(share**2 for share in values),
        "hhi_t": sum(
            share**2 * factor
            for share, factor in zip(supply["share"], supply["trade_parameter"], strict=True)
        ),
        "cr1": values[0],
        "cr3": sum(values[:3]),
        "shannon": -sum(share / total * math.log(share / total) for share in values if share),
    }


class TestSupplyShares:
    def test_a_share_of_the_worlds_supply_is_read_as_printed(self) -> None:
        row: dict[str, Any] = (
            parse(WORLD, "production").filter(economy_iso3="CHN").row(0, named=True)
        )
        assert row == {
            "source": "ec_crm",
            "label": "Antimony",
            "stage": "extraction",
            "scope_iso3": "WLD",
            "economy_iso3": "CHN",
            "year": 2023,
            "reference_period": "2016/2020",
            "edition": 2023,
            "amount_t": None,
            "share": 0.564,
            "bound": "exact",
            "flag": "reported",
            "trade_parameter": 1.1,
            "printed": "56.4%",
            "notes": None,
            "is_provisional": False,
            "vintage_at": RETRIEVED,
        }

    def test_below_a_tenth_of_a_percent_is_half_of_it_and_marked_as_a_bound(self) -> None:
        row = parse(WORLD, "production").filter(economy_iso3="KGZ").row(0, named=True)
        assert (row["share"], row["bound"], row["printed"]) == (0.0005, "below", "<0.1%")

    def test_a_printed_zero_stays_zero(self) -> None:
        row = parse(WORLD, "production").filter(economy_iso3="KOR").row(0, named=True)
        assert (row["share"], row["flag"], row["printed"]) == (0.0, "zero", "0.0%")

    def test_a_blank_trade_parameter_is_neutral(self) -> None:
        row = parse(WORLD, "production").filter(label="Iron ore").row(0, named=True)
        assert (row["economy_iso3"], row["trade_parameter"]) == ("BRA", 1.0)

    def test_a_whole_number_without_its_sign_is_a_percentage(self) -> None:
        row = parse(UNION, "production").filter(economy_iso3="DEU").row(0, named=True)
        assert (row["share"], row["bound"], row["printed"]) == (0.06, "exact", "6")

    def test_names_of_economies_that_are_misspelt_are_understood(self) -> None:
        assert set(parse(WORLD, "production")["economy_iso3"]) == {
            "CHN", "TUR", "KGZ", "KOR", "BRA",
        }  # fmt: skip

    def test_the_worlds_table_and_the_eus_are_distinguished_by_how_they_print(self) -> None:
        assert set(parse(WORLD, "production")["scope_iso3"]) == {"WLD"}
        assert set(parse(UNION, "production")["scope_iso3"]) == {"EU27"}

    def test_the_name_of_the_file_does_not_decide_whose_supply_it_is(self) -> None:
        other = Document(WORLD_TABLE, RETRIEVED, is_bundled=False)
        assert set(parse(UNION, "production", other)["scope_iso3"]) == {"EU27"}

    def test_without_a_neutral_trade_parameter_the_shares_alone_decide(self) -> None:
        text = "Material,Stage,Country,Share,t\nAntimony,E,China,56.4%,1.1\n"
        assert parse(text, "production")["scope_iso3"].to_list() == ["WLD"]

    def test_a_table_whose_figures_were_printed_anew_is_refused(self) -> None:
        with pytest.raises(UpstreamFormatError, match="it is unclear whether") as refusal:
            parse(WORLD.replace("1.0\r\n", "1\r\n"), "production")
        assert "scope_iso3" in refusal.value.hint

    @pytest.mark.parametrize("cell", ["0.06", "much", "-4%", "4%%", "1e3%", "n/a", "4,5%"])
    def test_a_share_that_is_no_percentage_is_refused(self, cell: str) -> None:
        with pytest.raises(UpstreamFormatError, match="is not a share in percent"):
            parse(UNION.replace("34%", f'"{cell}"'), "production")

    def test_a_trade_parameter_that_is_no_number_is_refused(self) -> None:
        with pytest.raises(UpstreamFormatError, match=r"'high' is not a trade parameter"):
            parse(WORLD.replace("1.1", "high"), "production")

    def test_an_unknown_economy_is_named(self) -> None:
        with pytest.raises(UnknownCodeError, match="Atlantis"):
            parse(WORLD.replace("China", "Atlantis"), "production")

    def test_an_unknown_stage_is_named(self) -> None:
        with pytest.raises(UnknownCodeError, match="'R' is not a stage"):
            parse(WORLD.replace(",P,", ",R,"), "production")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("WLD", "EARTH", "'EARTH' is not a known economy"),
            ("CHN", "CHI", "'CHI' is not a known economy"),
            ("extraction", "mining", "'mining' is not a stage"),
            ("exact", "about", "'about' is not a bound"),
            ("0.564", "half", r"'half' is not a number \(share\)"),
            ("2023", "last", "'last' is not a year"),
            (",study", ",", "rows without figure_source"),
        ],
    )
    def test_a_tidy_table_with_a_wrong_cell_is_refused(
        self, old: str, new: str, message: str
    ) -> None:
        with pytest.raises(UpstreamFormatError, match=message):
            parse(TIDY_SHARES.replace(old, new), "production")

    @pytest.mark.parametrize(
        ("study", "period"),
        # Averages of five years; of a study that is not known here nothing is said.
        [("2017", "2010/2014"), ("2020", "2012/2016"), ("2023", "2016/2020"), ("2026", None)],
    )
    def test_shares_are_the_average_of_the_years_before_the_study(
        self, study: str, period: str | None
    ) -> None:
        rows = parse(TIDY_SHARES.replace("2023", study), "production")
        assert rows["reference_period"].unique().to_list() == [period]

    def test_a_later_study_fits_the_tidy_table(self) -> None:
        row = parse(TIDY_SHARES.replace("2023", "2026"), "production").row(0, named=True)
        assert (row["year"], row["vintage_at"]) == (2026, RETRIEVED)


class TestEndUses:
    def test_a_use_names_the_division_its_code_and_its_value_added(self) -> None:
        row: dict[str, Any] = (
            parse(USES, "end_uses").filter(label="Magnesium", nace2_code="C29").row(0, named=True)
        )
        assert row == {
            "source": "ec_crm",
            "label": "Magnesium",
            "application": "Transportation (automotive)",
            "sector": "Manufacture of motor vehicles, trailers and semi-trailers",
            "nace2_code": "C29",
            "year": 2023,
            "use_share": 0.48,
            "sector_value_added_eur_m": 194448.0,
            "is_provisional": False,
            "vintage_at": RETRIEVED,
        }

    def test_a_row_that_repeats_another_is_dropped(self) -> None:
        construction = parse(USES, "end_uses").filter(application="Construction")
        assert construction["use_share"].to_list() == [0.13]

    def test_two_shares_of_one_application_in_one_division_are_summed(self) -> None:
        twice = USES + f"Magnesium,Construction,4%,{METAL}\r\n"
        construction = parse(twice, "end_uses").filter(application="Construction")
        assert construction["use_share"].to_list() == [0.17]

    def test_one_application_with_two_values_added_is_refused(self) -> None:
        other = f"Magnesium,Construction,4%,{METAL}\r\n".replace("163568", "5")
        with pytest.raises(UpstreamFormatError, match=r"Magnesium: Construction .* two values"):
            parse(USES + other, "end_uses")

    def test_a_use_without_a_division_is_of_the_sector_other(self) -> None:
        row = parse(USES, "end_uses").filter(label="Iron ore").row(0, named=True)
        assert (row["sector"], row["nace2_code"], row["use_share"]) == ("other", None, 0.03)
        assert row["sector_value_added_eur_m"] is None

    def test_more_than_nothing_is_counted_as_nothing(self) -> None:
        row = parse(USES, "end_uses").filter(label="Copper").row(0, named=True)
        assert (row["use_share"], row["nace2_code"]) == (0.0, "C32")

    def test_a_sector_that_is_no_division_is_refused(self) -> None:
        with pytest.raises(UpstreamFormatError, match="is not a division of NACE"):
            parse(USES.replace("C32 - Other", "Other"), "end_uses")

    def test_a_value_added_that_is_no_number_is_refused(self) -> None:
        with pytest.raises(UpstreamFormatError, match="'lots' is not a number"):
            parse(USES.replace("45912", "lots"), "end_uses")

    def test_utf8_and_windows_1252_are_both_read(self) -> None:
        read = [parse(USES.encode(code), "end_uses") for code in ("utf-8", "utf-8-sig", "cp1252")]
        assert read[0].equals(read[1])
        assert read[0].equals(read[2])


class TestAssessments:
    def test_inputs_become_shares_and_the_supply_used_is_in_our_words(self) -> None:
        row: dict[str, Any] = (
            parse(INPUTS, "assessments").filter(label="Gallium").row(0, named=True)
        )
        assert row == {
            "source": "ec_crm",
            "assessment": "EC 2017",
            "year": 2017,
            "label": "Gallium",
            "stage": "processing",
            "supply_risk": 1.4,
            "economic_importance": 3.2,
            "import_reliance": 0.34,
            "import_reliance_raw": None,
            "eol_recycling_rate": 0.0,
            "supply_used": "global_and_consumer",
            "substitution_index_economic": 0.9,
            "substitution_index_supply": 1.0,
            "hhi_global_supply": 3.5,
            "hhi_consumer_sourcing": 1.1,
            "is_provisional": False,
            "vintage_at": RETRIEVED,
        }

    @pytest.mark.parametrize(
        ("label", "used", "of_the_world", "of_the_union"),
        [
            ("Gold", "global", 0.3, None),
            ("Indium", "global", 2.5, 0.8),
            ("Beryllium", "global", 2.4, None),
            ("Sapele wood", "consumer", None, 1.8),
        ],
    )
    def test_zero_concentration_is_null_only_on_the_side_not_used(
        self, label: str, used: str, of_the_world: float | None, of_the_union: float | None
    ) -> None:
        row = parse(INPUTS, "assessments").filter(label=label).row(0, named=True)
        assert row["supply_used"] == used
        assert row["hhi_global_supply"] == of_the_world
        assert row["hhi_consumer_sourcing"] == of_the_union

    def test_zero_concentration_on_a_side_that_is_used_stays(self) -> None:
        text = INPUTS.replace("3.5,1.1", "0.0,0.0")
        row = parse(text, "assessments").filter(label="Gallium").row(0, named=True)
        assert (row["hhi_global_supply"], row["hhi_consumer_sourcing"]) == (0.0, 0.0)

    def test_a_blank_input_is_null_and_a_printed_zero_is_zero(self) -> None:
        rows = parse(INPUTS, "assessments")
        reliance = dict(zip(rows["label"], rows["import_reliance"], strict=True))
        assert (reliance["Beryllium"], reliance["Indium"]) == (None, 0.0)

    def test_results_over_time_are_one_assessment_per_study_without_a_stage(self) -> None:
        rows = parse(OVER_TIME, "assessments").select(
            "assessment", "label", "stage", "supply_risk", "economic_importance"
        )
        assert rows.rows() == [
            ("EC 2011", "Boron", None, 0.6, 5.0),
            ("EC 2017", "HREEs", None, 4.9, 3.7),
            ("EC 2020", "Natural Teak wood", None, 1.9, 2.0),
            ("EC 2023", "Xenon", None, 0.8, None),
        ]

    def test_an_unknown_supply_used_is_named(self) -> None:
        with pytest.raises(UnknownCodeError, match="'GS and more' is none of"):
            parse(INPUTS.replace("GS + EUS", "GS and more"), "assessments")

    @pytest.mark.parametrize(
        ("text", "old", "new", "message"),
        [
            (OVER_TIME, "0.6,5", "low,5", "'low' is not a number"),
            (OVER_TIME, "2011", "first", "'first' is not a year"),
            (INPUTS, "34.0", "a third", r"'a third' is not a number \(import_reliance\)"),
            (INPUTS, "Processing", "Refining", "'Refining' is not a stage"),
            (TIDY_ASSESSMENTS, "processing", "refining", "'refining' is not a stage"),
            (TIDY_ASSESSMENTS, "global_and_consumer", "both", "'both' is none of"),
            (TIDY_ASSESSMENTS, "0.34", "34%", "'34%' is not a number"),
        ],
    )
    def test_a_wrong_cell_is_refused(self, text: str, old: str, new: str, message: str) -> None:
        with pytest.raises(UpstreamFormatError, match=message):
            parse(text.replace(old, new), "assessments")


class TestEveryTable:
    @every_table
    def test_the_frames_fit_the_lake_once_their_provenance_is_added(
        self, text: str, lake_table: str
    ) -> None:
        frames = ec_crm.parse(text.encode("cp1252"), LANDED)
        assert set(frames) == {lake_table, "material_labels"}
        for name, frame in frames.items():
            table = LAKE_TABLES[name]
            landed = frame.with_columns(document=pl.lit("a.csv"), snapshot_id=pl.lit("ec_crm-1"))
            assert table.conform(landed).schema == table.polars_schema
            assert not frame.select(table.key).is_duplicated().any()

    @every_table
    def test_an_unknown_material_is_named(self, text: str, lake_table: str) -> None:
        row = text.splitlines()[1]
        label = next(cell for cell in row.replace('"', "").split(",") if cell[:1].isupper())
        if label == "WLD":
            label = "Antimony"
        with pytest.raises(UnknownCodeError, match="Unobtainium"):
            parse(text.replace(label, "Unobtainium"), lake_table)

    @every_table
    def test_a_missing_column_is_named(self, text: str, lake_table: str) -> None:
        header, body = text.split("\n", 1)
        names = header.strip().split(",")
        with pytest.raises(UpstreamFormatError, match=f"missing: {names[-1].lower()};"):
            parse(",".join([*names[:-1], "other"]) + "\n" + body, lake_table)

    @every_table
    def test_a_file_cut_anywhere_in_its_last_row_is_refused(
        self, text: str, lake_table: str
    ) -> None:
        whole = text.rstrip("\r\n")
        start = max(whole.rfind("\n"), 0) + 2
        for end in range(start, len(whole) + 1):
            with pytest.raises(UpstreamFormatError):
                parse(whole[:end], lake_table)

    @every_table
    def test_the_order_of_columns_and_their_case_do_not_count(
        self, text: str, lake_table: str
    ) -> None:
        names, *rows = csv.reader(io.StringIO(text))
        turned = io.StringIO()
        csv.writer(turned).writerows(
            [[name.upper() for name in reversed(names)], *(row[::-1] for row in rows)]
        )
        assert parse(turned.getvalue(), lake_table).equals(parse(text, lake_table))

    @every_table
    def test_the_labels_come_with_every_table(self, text: str, lake_table: str) -> None:
        labels = parse(text, "material_labels")
        assert labels.height == len(vocabulary.material_labels("ec_crm"))
        assert set(labels["vintage_at"]) == {RETRIEVED}

    @pytest.mark.parametrize(
        ("payload", "message"),
        [
            (b"", "the file is empty"),
            (b" \r\n", "the file is empty"),
            (b"<!DOCTYPE html><html>Page not found</html>", "HTML page where CSV"),
            (b"PK\x03\x04\x14\x00\x06\x00", "a workbook or archive where CSV"),
            (b"Material,Stage\n\x81\x8d\n", "neither UTF-8 nor Windows-1252"),
            (b"screened_material,group\ndysprosium,REE\n", "group, screened_material are of no"),
            (b"Material,Stage,Country,Share,t\r\n", "a header and no rows"),
        ],
    )
    def test_what_is_no_table_of_a_study_is_refused_in_a_sentence(
        self, payload: bytes, message: str
    ) -> None:
        with pytest.raises(UpstreamFormatError, match=message):
            ec_crm.parse(payload, LANDED)

    def test_a_label_left_out_has_no_figures_and_keeps_its_reason(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        iron = vocabulary.MaterialLabel(
            "Iron ore", "iron_ore", None, None, None, None, "not of interest"
        )
        listed = vocabulary.material_labels("ec_crm")
        known = {**listed, "Iron ore": iron}
        monkeypatch.setattr(vocabulary, "material_labels", lambda source: known)
        monkeypatch.setattr(ec_crm, "material_labels", lambda source: known)
        frames = ec_crm.parse(WORLD.encode(), LANDED)
        assert set(frames["production"]["label"]) == {"Antimony", "Gallium"}
        reasons = frames["material_labels"].filter(label="Iron ore")["left_out"]
        assert reasons.to_list() == ["not of interest"]

    @given(st.data())
    def test_a_permutation_of_rows_changes_nothing(self, data: st.DataObject) -> None:
        text, lake_table = data.draw(st.sampled_from(list(EVERY_TABLE.values())))
        header, *rows = csv.reader(io.StringIO(text))
        shuffled = io.StringIO()
        csv.writer(shuffled).writerows([header, *data.draw(st.permutations(rows))])
        assert parse(shuffled.getvalue(), lake_table).equals(parse(text, lake_table))

    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=9))
    def test_tenths_of_a_percent_come_out_without_noise(self, tenths: list[int]) -> None:
        economies = ("China", "Japan", "India", "Chile", "Peru", "Brazil", "Spain", "Italy", "Cuba")
        rows = [
            f"Tin,E,{name},{tenth // 10}.{tenth % 10}%,1.0"
            for name, tenth in zip(economies, tenths, strict=False)
        ]
        text = "\n".join(["Material,Stage,Country,Share,t", *rows, ""])
        assert sorted(parse(text, "production")["share"]) == sorted(t / 1000 for t in tenths)


class TestBundled:
    def test_a_bundled_figure_counts_from_the_day_of_its_study(
        self, shares: pl.DataFrame, uses: pl.DataFrame, assessments: pl.DataFrame
    ) -> None:
        for frame in (shares, uses):
            assert set(frame["vintage_at"]) == {datetime(2023, 3, 16)}
        assert set(assessments.select("assessment", "vintage_at").rows()) == {
            ("EC 2011", datetime(2011, 2, 2)),
            ("EC 2014", datetime(2014, 5, 26)),
            ("EC 2017", datetime(2017, 9, 13)),
            ("EC 2020", datetime(2020, 9, 3)),
            ("EC 2023", datetime(2023, 3, 16)),
        }

    def test_a_bundled_figure_of_a_year_without_a_study_is_refused(self) -> None:
        text = TIDY_SHARES.replace("2023", "2022").encode()
        with pytest.raises(UpstreamFormatError, match="'2022' is a year without a study"):
            ec_crm.parse(text, bundled_document("supply_shares.csv"))

    def test_the_labels_are_known_as_early_as_the_first_figure_that_needs_them(
        self, assessments: pl.DataFrame
    ) -> None:
        labels = bundled("assessments.csv", "material_labels")
        assert set(labels["vintage_at"]) == {assessments["vintage_at"].min()}

    @pytest.mark.parametrize(
        ("label", "stage", "hhi", "hhi_t", "cr1", "cr3"),
        [
            ("Dysprosium", "extraction", 0.7218, 0.7218, 0.844, 0.956),
            ("Neodymium", "extraction", 0.4909, 0.4909, 0.683, 0.874),
            ("Neodymium", "processing", 0.7325, 0.7325, 0.849, 0.973),
            ("Gallium", "processing", 0.8809, 0.8809, 0.938, 0.979),
            ("Germanium", "processing", 0.6966, 0.6961, 0.831, 0.926),
            ("Antimony", "processing", 0.2895, 0.3141, 0.518, 0.668),
            ("Tungsten", "extraction", 0.6878, 0.7569, 0.826, 0.917),
            ("Cobalt", "extraction", 0.4071, 0.4465, 0.628, 0.735),
            ("Magnesium", "processing", 0.8230, 0.8230, 0.906, 0.962),
        ],
    )
    def test_the_worlds_shares_give_the_known_concentration(
        self,
        shares: pl.DataFrame,
        label: str,
        stage: str,
        hhi: float,
        hhi_t: float,
        cr1: float,
        cr3: float,
    ) -> None:
        found = concentration(supply_of(shares, label, stage))
        assert found["hhi"] == pytest.approx(hhi, abs=5e-5)
        assert found["hhi_t"] == pytest.approx(hhi_t, abs=5e-5)
        # CR3 of gallium is a sum whose last digit is half a unit: printed shares have three.
        assert found["cr1"] == pytest.approx(cr1, abs=5.1e-4)
        assert found["cr3"] == pytest.approx(cr3, abs=5.1e-4)

    @pytest.mark.parametrize("label", HEAVY)
    def test_china_alone_processes_each_heavy_rare_earth(
        self, shares: pl.DataFrame, label: str
    ) -> None:
        supply = supply_of(shares, label, "processing")
        assert supply.select("economy_iso3", "share").rows() == [("CHN", 1.0)]

    @pytest.mark.parametrize("label", LIGHT)
    def test_china_processes_84_9_percent_of_each_light_rare_earth(
        self, shares: pl.DataFrame, label: str
    ) -> None:
        supply = supply_of(shares, label, "processing")
        assert supply.filter(economy_iso3="CHN")["share"].to_list() == [0.849]

    def test_antimony_is_processed_in_68_economies_down_to_the_smallest(
        self, shares: pl.DataFrame
    ) -> None:
        supply = supply_of(shares, "Antimony", "processing")
        assert supply.height == 68
        assert {"SMR", "CPV"} <= set(supply["economy_iso3"])

    def test_each_supply_adds_up_to_what_the_study_lists(self, shares: pl.DataFrame) -> None:
        sums: Mapping[str, list[float]] = {
            str(scope): group.group_by("label", "stage").agg(pl.col("share").sum())["share"].sort()
            .round(4)
            .to_list()
            for (scope,), group in shares.group_by("scope_iso3")
        }  # fmt: skip
        assert {scope: len(values) for scope, values in sums.items()} == {"WLD": 122, "EU27": 96}
        assert (sums["WLD"][0], sums["EU27"][0], sums["EU27"][-1]) == (0.887, 0.09, 1.011)
        assert sum(value < 0.97 for value in sums["WLD"]) == 6
        assert sums["WLD"][-1] == pytest.approx(1.021, abs=5.1e-4)

    def test_there_is_no_share_of_more_than_the_whole_and_no_odd_trade_parameter(
        self, shares: pl.DataFrame
    ) -> None:
        assert shares["share"].is_between(0, 1).all()
        assert shares["trade_parameter"].is_between(0.8, 1.5).all()
        assert shares["amount_t"].null_count() == shares.height

    def test_members_of_the_union_have_the_trade_parameter_of_the_union(
        self, shares: pl.DataFrame
    ) -> None:
        favoured = shares.filter(pl.col("trade_parameter") < 1)
        assert set(favoured["trade_parameter"]) == {0.8}
        with (BUNDLED / "catalogue" / "economies.csv").open(encoding="utf-8") as file:
            members = {r["economy_iso3"] for r in csv.DictReader(file) if r["is_eu27"] == "true"}
        assert set(favoured["economy_iso3"]) <= members

    @pytest.mark.parametrize(
        ("label", "expected"),
        [
            ("Gallium", {"C26": 0.75, "C27": 0.25}),
            ("Terbium", {"C25": 0.9, "C27": 0.1}),
            ("Samarium", {"C25": 0.97, "C26": 0.03}),
            ("Gadolinium", {"C20": 0.4, "C21": 0.4, "C24": 0.1, "C25": 0.1, "C27": 0.0}),
            (
                "Neodymium",
                {"C20": 0.09, "C23": 0.05, "C24": 0.02, "C25": 0.8, "C27": 0.04},
            ),
            ("Magnesium", {"C24": 0.12, "C25": 0.36, "C29": 0.48, "C30": 0.04}),
        ],
    )
    def test_uses_add_up_to_the_divisions_they_are_known_for(
        self, uses: pl.DataFrame, label: str, expected: Mapping[str, float]
    ) -> None:
        found = uses.filter(label=label).group_by("nace2_code").agg(pl.col("use_share").sum())
        assert dict(found.iter_rows()) == pytest.approx(expected)

    def test_gallium_goes_to_circuits_solar_cells_and_lighting(self, uses: pl.DataFrame) -> None:
        found = uses.filter(label="Gallium").select("application", "use_share", "nace2_code")
        assert set(found.rows()) == {
            ("Integrated circuits", 0.7, "C26"),
            ("CIGS solar cells", 0.05, "C26"),
            ("Lighting", 0.25, "C27"),
        }

    @pytest.mark.parametrize(
        ("label", "importance", "implied"),
        [
            ("Gallium", 3.923, 0.943),
            ("Antimony", 5.858, 0.922),
            ("Tungsten", 9.162, 0.950),
            ("Bismuth", 5.951, 0.958),
        ],
    )
    def test_uses_and_values_added_give_the_importance_before_substitution(
        self,
        uses: pl.DataFrame,
        assessments: pl.DataFrame,
        label: str,
        importance: float,
        implied: float,
    ) -> None:
        """EI without substitution: sum of share x value added, times 10 over the largest (C28)."""
        of_label = uses.filter(label=label)
        found = (of_label["use_share"] * of_label["sector_value_added_eur_m"]).sum() * 10 / 204_200
        assert found == pytest.approx(importance, abs=5.1e-4)
        published = assessments.filter(assessment="EC 2023", label=label)["economic_importance"]
        assert published.item() / found == pytest.approx(implied, abs=5.1e-4)

    def test_there_are_338_uses_and_17_without_a_division(self, uses: pl.DataFrame) -> None:
        assert uses.height == 338
        assert uses.filter(sector="other").height == 17
        assert uses["nace2_code"].null_count() == 17
        totals = uses.group_by("label").agg(pl.col("use_share").sum().round(6))
        assert totals["use_share"].min() == 0.9
        # Magnesium prints 113 %: 100 once the repeated row is gone.
        assert totals["use_share"].max() == 1.02

    def test_each_study_has_as_many_results_as_it_screened(self, assessments: pl.DataFrame) -> None:
        counts = dict(assessments.group_by("assessment").len().iter_rows())
        assert counts == {
            "EC 2011": 43,
            "EC 2014": 52,
            "EC 2017": 78 + 3,
            "EC 2020": 66,
            "EC 2023": 70,
        }
        of_2017 = assessments.filter(assessment="EC 2017")
        assert of_2017["stage"].null_count() == 3

    @pytest.mark.parametrize(
        ("label", "risk", "importance"),
        [
            ("LREEs", 3.7, 5.9), ("HREEs", 5.1, 4.2), ("Gallium", 3.9, 3.7),
            ("Magnesium", 4.1, 7.4), ("Germanium", 1.8, 3.6), ("Tungsten", 1.2, 8.7),
            ("Natural graphite", 1.8, 3.4), ("Cobalt", 2.8, 6.8), ("Scandium", 2.4, 3.7),
        ],
    )  # fmt: skip
    def test_the_results_of_2023_are_the_published_ones(
        self, assessments: pl.DataFrame, label: str, risk: float, importance: float
    ) -> None:
        row = assessments.filter(assessment="EC 2023", label=label).row(0, named=True)
        assert (row["supply_risk"], row["economic_importance"]) == (risk, importance)

    @pytest.mark.parametrize(
        ("label", "world", "union", "reliance", "recycling", "substitution", "risk"),
        [
            ("Yttrium", 9.2, 1.8, 1.0, 0.31, 1.0, 3.8),
            ("Neodymium", 8.8, 1.8, 1.0, 0.01, 0.9, 4.8),
            ("Germanium", 2.9, 1.5, 0.64, 0.02, 1.0, 1.9),
            ("Natural graphite", 3.2, 2.9, 0.99, 0.03, 1.0, 2.9),
            ("Beryllium", 2.4, None, None, 0.0, 1.0, 2.4),
        ],
    )
    def test_the_inputs_of_2017_are_the_published_ones(
        self,
        assessments: pl.DataFrame,
        label: str,
        world: float,
        union: float | None,
        reliance: float | None,
        recycling: float,
        substitution: float,
        risk: float,
    ) -> None:
        row = assessments.filter(assessment="EC 2017", label=label).row(0, named=True)
        assert row["hhi_global_supply"] == world
        assert row["hhi_consumer_sourcing"] == union
        assert row["import_reliance"] == reliance
        assert row["eol_recycling_rate"] == recycling
        assert row["substitution_index_supply"] == substitution
        assert row["supply_risk"] == risk

    def test_the_inputs_of_2017_bracket_the_published_risk_of_all_78(
        self, assessments: pl.DataFrame
    ) -> None:
        """The formula of the 2017 method on intervals of half a unit of each last digit printed."""
        for row in assessments.filter(assessment="EC 2017").drop_nulls("stage").to_dicts():
            low, high = (self._supply_risk(row, side) for side in (-1, 1))
            assert low <= row["supply_risk"] + 0.05, row["label"]
            assert high >= row["supply_risk"] - 0.05, row["label"]

    @staticmethod
    def _supply_risk(row: Mapping[str, Any], side: int) -> float:
        def moved(column: str, by: float) -> float:
            return max(0.0, (row[column] or 0.0) + side * by)

        world = moved("hhi_global_supply", 0.05)
        union = moved("hhi_consumer_sourcing", 0.05)
        reliance = row["import_reliance"] or 0.0
        # More reliance moves weight to the world's side: which end is the lower depends on it.
        weights = [min(max(reliance + step, 0.0), 1.0) / 2 for step in (-0.005, 0.005)]
        mixes = [world * weight + union * (1 - weight) for weight in weights]
        mix = {
            "global": world,
            "consumer": union,
            "global_and_consumer": max(mixes) if side > 0 else min(mixes),
        }[row["supply_used"]]
        recycled = max(0.0, row["eol_recycling_rate"] - side * 0.005)
        return float(mix * (1 - recycled) * moved("substitution_index_supply", 0.05))

    def test_groups_of_2017_are_the_means_of_their_members(self, assessments: pl.DataFrame) -> None:
        of_2017 = assessments.filter(assessment="EC 2017")
        for group, members in (("LREEs", LIGHT), ("HREEs", HEAVY)):
            published = of_2017.filter(label=group)["supply_risk"].item()
            mean = of_2017.filter(pl.col("label").is_in(members))["supply_risk"].mean()
            assert mean == pytest.approx(published, abs=0.05)

    def test_nothing_is_left_out_without_its_reason_and_each_file_gives_where_it_is_from(
        self,
    ) -> None:
        origins = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf-8"))["files"]
        assert [origin["file"] for origin in origins] == list(ec_crm.CARD.bundled)
        assert set(ec_crm.CARD.bundled) == {
            path.name for path in FOLDER.glob("*.csv") if path.name != "labels.csv"
        }
        assert {origin["retrieved"] for origin in origins} == {date(2026, 11, 25)}
        for origin in origins:
            assert origin["left_out"], origin["file"]


class TestLabels:
    @pytest.fixture(scope="class")
    def labels(self) -> pl.DataFrame:
        return bundled("end_uses.csv", "material_labels").select(
            "label", "material", "mineral", "mineral_group"
        )

    @pytest.mark.parametrize(
        ("spellings", "material"),
        [
            (("Baryte", "Barytes"), "barytes"),
            (("Borate", "Boron"), "borate"),
            (("Phosphorus", "Phosphorous"), "phosphorus"),
            (("Kaolin", "Kaolin clay"), "kaolin"),
            (("Natural graphite", "Natural Graphite"), "natural_graphite"),
            (("HREEs", "Heavy Rare earths Elements"), "heavy_rare_earths"),
            (("LREEs",), "light_rare_earths"),
            (("Titanium", "Titanium ores"), "titanium_ores"),
            (("Titanium metal",), "titanium_metal"),
        ],
    )
    def test_spellings_of_one_material_are_one_material(
        self, labels: pl.DataFrame, spellings: Sequence[str], material: str
    ) -> None:
        of_material = labels.filter(material=material)["label"]
        assert set(of_material) == set(spellings)

    def test_minerals_and_groups_are_of_our_lists(self, labels: pl.DataFrame) -> None:
        seed = BUNDLED.parents[1] / "dbt" / "seeds" / "seed_minerals.csv"
        with seed.open(encoding="utf-8") as file:
            minerals = {row["mineral"] for row in csv.DictReader(file)}
        assert set(labels["mineral"].drop_nulls()) <= minerals
        assert set(labels["mineral_group"].drop_nulls()) <= vocabulary.mineral_groups()

    def test_every_lanthanide_scandium_and_yttrium_is_its_own_mineral(
        self, labels: pl.DataFrame
    ) -> None:
        for name in (*HEAVY, *LIGHT, "Scandium"):
            row = labels.filter(label=name).row(0, named=True)
            assert row["material"] == row["mineral"] == name.lower()

    def test_no_two_labels_duplicate_one_figure(
        self,
        labels: pl.DataFrame,
        shares: pl.DataFrame,
        uses: pl.DataFrame,
        assessments: pl.DataFrame,
    ) -> None:
        for frame, key in (
            (shares, ["scope_iso3", "material", "stage", "year"]),
            (uses, ["material", "year"]),
            (uses.join(labels, on="label"), ["mineral", "year"]),
            (assessments, ["assessment", "material"]),
        ):
            named = frame if "mineral" in frame.columns else frame.join(labels, on="label")
            spellings = named.drop_nulls(key).group_by(key).agg(pl.col("label").n_unique())
            assert spellings["label"].max() == 1, key


@needs_shared
class TestAgainstTheStudies:
    """The bundled figures beside the publisher's own tables, read here by another way."""

    def test_every_share_of_supply_is_there_as_printed(self, shares: pl.DataFrame) -> None:
        stages = {"E": "extraction", "P": "processing"}
        for file, scope, rows in ((WORLD_TABLE, "WLD", 2561), (UNION_TABLE, "EU27", 907)):
            printed = [
                (
                    row["Material"],
                    stages[row["Stage"]],
                    vocabulary.economies_by_name()[row["Country"].casefold()],
                    row["Share"],
                    float(row["t"] or 1),
                    round(percent(row["Share"]), 6),
                )
                for row in printed_rows(file)
            ]
            ours = shares.filter(scope_iso3=scope).select(
                "label", "stage", "economy_iso3", "printed", "trade_parameter", "share"
            )
            assert len(printed) == rows
            assert sorted(ours.rows()) == sorted(printed)
            below = ours.filter(pl.col("printed").str.starts_with("<")).height
            assert below == shares.filter(scope_iso3=scope, bound="below").height

    def test_all_218_concentrations_of_2023_come_out(self, shares: pl.DataFrame) -> None:
        scopes, stages = {"global": "WLD", "eu": "EU27"}, {"E": "extraction", "P": "processing"}
        rows = list(printed_rows("ec2023_hhi.csv"))
        assert len(rows) == 218
        for row in rows:
            found = concentration(
                supply_of(shares, row["material"], stages[row["stage"]], scopes[row["scope"]])
            )
            where = (row["material"], row["stage"], row["scope"])
            assert found["n"] == int(row["n"]), where
            for column, name, scale, digits in (
                ("share_sum", "share_sum", 1, 4),
                ("hhi_0_10000", "hhi", 10_000, 1),
                ("hhi_t_0_10000", "hhi_t", 10_000, 1),
                ("cr1", "cr1", 1, 4),
                ("cr3", "cr3", 1, 4),
                ("shannon_nats", "shannon", 1, 4),
            ):
                expected = pytest.approx(float(row[column]), abs=0.51 * 10**-digits)
                assert found[name] * scale == expected, (where, column)

    def test_every_use_is_there_once(self, uses: pl.DataFrame) -> None:
        printed: dict[tuple[str, ...], float] = {}
        rows = list(printed_rows(USE_TABLE))
        for row in rows:
            code, _, sector = row["NACE sector"].partition(" - ")
            use = (row["Material"], row["Application"], sector or "other", code)
            printed[use] = percent(row["Share"])
        ours = {
            (label, application, sector, code or ""): share
            for label, application, sector, code, share in uses.select(
                "label", "application", "sector", "nace2_code", "use_share"
            ).iter_rows()
        }
        assert (len(rows), len(printed)) == (339, 338)
        assert ours == pytest.approx(printed)

    def test_implied_substitution_indices_of_2023_are_plausible(
        self, uses: pl.DataFrame, assessments: pl.DataFrame
    ) -> None:
        """Published EI over the share-weighted value added, where each use has a division.

        Single rare earths and platinum metals have no result of 2023 but that of their group.
        """
        material = {
            row.label: row.material for row in vocabulary.material_labels("ec_crm").values()
        }
        published = {
            material[label]: importance
            for label, importance in assessments.filter(assessment="EC 2023")
            .select("label", "economic_importance")
            .iter_rows()
        }
        value_added: dict[str, float] = defaultdict(float)
        for label, share, added in uses.select(
            "label", "use_share", "sector_value_added_eur_m"
        ).iter_rows():
            value_added[material[label]] += share * (math.nan if added is None else added)
        implied = {
            name: published[name] / (added * 10 / 204_200)
            for name, added in value_added.items()
            if name in published and not math.isnan(added)
        }
        assert len(implied) == 33
        assert {name: index for name, index in implied.items() if not 0.6 <= index <= 1.05} == {}

    def test_every_result_and_input_is_there(self, assessments: pl.DataFrame) -> None:
        inputs = {row["material"]: row for row in printed_rows(INPUTS_TABLE)}
        assert len(inputs) == 78
        ours = {
            row["label"]: row
            for row in assessments.filter(assessment="EC 2017").drop_nulls("stage").to_dicts()
        }
        assert set(ours) == set(inputs)
        for label, row in inputs.items():
            for printed, column, scale in (
                ("SR_pub", "supply_risk", 1),
                ("EI_pub", "economic_importance", 1),
                ("IR_pct", "import_reliance", 100),
                ("EoL_RIR_pct", "eol_recycling_rate", 100),
                ("SI_EI", "substitution_index_economic", 1),
                ("SI_SR", "substitution_index_supply", 1),
            ):
                expected = float(row[printed]) / scale if row[printed] else None
                assert ours[label][column] == pytest.approx(expected), (label, column)
            assert ours[label]["stage"] == row["stage"].lower()

    def test_results_of_2017_repeat_the_inputs_table_except_for_the_groups(
        self, assessments: pl.DataFrame
    ) -> None:
        inputs = {row["material"]: row for row in printed_rows(INPUTS_TABLE)}
        inputs["Boron"] = inputs["Borate"]
        groups = set()
        over_time = list(printed_rows(OVER_TIME_TABLE))
        for row in over_time:
            if row["Year"] == "2017" and row["SR"] != "-":
                if row["Material"] not in inputs:
                    groups.add(row["Material"])
                    continue
                same = inputs[row["Material"]]
                assert float(row["SR"]) == float(same["SR_pub"]), row
                assert float(row["EI"]) == float(same["EI_pub"]), row
        assert groups == {"HREEs", "LREEs", "PGMs"}

        expected = {
            (f"EC {row['Year']}", row["Material"], float(row["SR"]), float(row["EI"]))
            for row in over_time
            if row["SR"] != "-" and (row["Year"] != "2017" or row["Material"] in groups)
        }
        ours = assessments.filter(pl.col("stage").is_null()).select(
            "assessment", "label", "supply_risk", "economic_importance"
        )
        assert set(ours.rows()) == expected
        assert ours.height == len(expected) == 234

    def test_raw_import_reliances_are_there_where_they_were_set_to_zero(
        self, assessments: pl.DataFrame
    ) -> None:
        """European Commission 2017, table 13."""
        raw = assessments.drop_nulls("import_reliance_raw")
        assert set(raw["import_reliance"]) == {0.0}
        assert dict(zip(raw["label"], raw["import_reliance_raw"], strict=True)) == {
            "Aggregates": -0.12, "Feldspar": -0.25, "Gypsum": -0.21, "Indium": -0.15,
            "Natural cork": -0.01, "Perlite": -0.02, "Silica sand": 0.0, "Sulphur": -0.13,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("files", "bundled_file", "lake_table"),
        [
            ((WORLD_TABLE, UNION_TABLE), "supply_shares.csv", "production"),
            ((USE_TABLE,), "end_uses.csv", "end_uses"),
            ((OVER_TIME_TABLE, INPUTS_TABLE), "assessments.csv", "assessments"),
        ],
    )
    def test_the_publishers_tables_and_the_bundled_ones_come_out_the_same(
        self, files: Sequence[str], bundled_file: str, lake_table: str
    ) -> None:
        columns = list(LAKE_TABLES[lake_table].key)
        of_publisher = pl.concat(
            parse((STUDIES / file).read_bytes(), lake_table) for file in files
        ).sort(columns, nulls_last=True)
        ours = bundled(bundled_file, lake_table).sort(columns, nulls_last=True)
        # Raw import reliances are of another table of the report.
        apart = ["vintage_at", *(["import_reliance_raw"] if "assessments" in bundled_file else [])]
        assert ours.drop(apart).equals(of_publisher.drop(apart).select(ours.drop(apart).columns))

    def test_every_label_of_the_tables_is_in_the_list_and_no_other(self) -> None:
        printed = {
            row.get("Material") or row["material"]
            for file in (WORLD_TABLE, UNION_TABLE, USE_TABLE, OVER_TIME_TABLE, INPUTS_TABLE)
            for row in printed_rows(file)
        }
        assert set(vocabulary.material_labels("ec_crm")) == printed
        assert len(printed) == 101

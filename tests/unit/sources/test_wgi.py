"""The governance indicators: Stata file, workbook, answers of the service, our bundled table."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.intake.land import land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import GOVERNANCE_SCORES
from dagster_project.lake.vocabulary import economies, economies_by_name
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources import wgi
from dagster_project.sources.card import Answer, Document, Done, More, Request, Scope
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "wgi"
STATA_FILE = SHARED / "data" / "governance" / "wgidataset.dta"
ANSWERS = SHARED / "payloads" / "wb_wgi"
RETRIEVED = datetime(2026, 10, 1, 9, 30)
LANDED = Document("anything", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("estimates.csv", datetime(2023, 7, 28), is_bundled=True)
SIX = (
    "voice_and_accountability", "political_stability", "government_effectiveness",
    "regulatory_quality", "rule_of_law", "control_of_corruption",
)  # fmt: skip
LETTERS = ("va", "pv", "ge", "rq", "rl", "cc")

Key = tuple[str, str, int]


def parse(payload: bytes | str, document: Document = LANDED) -> pl.DataFrame:
    if isinstance(payload, str):
        payload = payload.encode()
    return wgi.parse(payload, document)["governance_scores"]


def estimates(scores: pl.DataFrame) -> Mapping[Key, float]:
    return {
        (row["indicator"], row["economy_iso3"], row["year"]): row["estimate"]
        for row in scores.to_dicts()
    }


def refusal(payload: bytes | str, error: type[Exception] = UpstreamFormatError) -> str:
    with pytest.raises(error) as caught:
        parse(payload)
    return str(caught.value)


def stata(rows: Sequence[Mapping[str, Any]], version: int = 118) -> bytes:
    written = io.BytesIO()
    pd.DataFrame(list(rows)).to_stata(written, write_index=False, version=version)  # type: ignore[call-overload]
    return written.getvalue()


def wide(code: str, year: int, **figures: float) -> dict[str, Any]:
    """A row of the Stata file: `vae`, `vas` and so on, missing where not given."""
    columns = (f"{letters}{kind}" for letters in LETTERS for kind in "es")
    missing = dict.fromkeys(columns, math.nan)
    return {"code": code, "countryname": "x", "year": year, **missing, "var": 50.0, **figures}


WIDE = [
    wide("ZAR", 2020, rle=-1.75, rls=0.15, cce=-1.5, ccs=0.125),
    wide("JPN", 2021, rle=1.5, rls=0.25, vae=1.0, vas=0.125),
    wide("ADO", 1996, vae=1.25, vas=0.25),
    wide("NRU", 1996),
]
WIDE_EXPECTED = {
    ("rule_of_law", "COD", 2020): (-1.75, 0.15),
    ("control_of_corruption", "COD", 2020): (-1.5, 0.125),
    ("rule_of_law", "JPN", 2021): (1.5, 0.25),
    ("voice_and_accountability", "JPN", 2021): (1.0, 0.125),
    ("voice_and_accountability", "AND", 1996): (1.25, 0.25),
}
STATA = stata(WIDE)

LONG_HEADER = ("codeindyr", "code", "countryname", "year", "indicator", "estimate", "stddev")
LONG = [
    ("ROMrl2022", "ROM", "Romania", 2022, "rl", 0.5, 0.125),
    ("ROMcc2022", "ROM", "Romania", 2022, "cc", 0.25, 0.125),
    ("COKcc2022", "COK", "Cook Islands", 2022, "cc", "..", ".."),
    ("TWNva2022", "TWN", "Taiwan, China", 2022, "va", 1.125, 0.0625),
]
LONG_EXPECTED = {
    ("rule_of_law", "ROU", 2022): 0.5,
    ("control_of_corruption", "ROU", 2022): 0.25,
    ("voice_and_accountability", "TWN", 2022): 1.125,
}


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def zipped(*members: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for member in members:
            archive.writestr(member, "text")
    return written.getvalue()


def answer(
    *rows: tuple[str, str, str, float | None],
    code: str = "GOV_WGI_RL.EST",
    page: int = 1,
    pages: int = 1,
) -> str:
    """An answer of the service: rows of code, name, year and value."""
    about = {"page": page, "pages": pages, "per_page": 1000, "total": len(rows), "sourceid": "3"}
    return json.dumps(
        [
            about,
            [
                {
                    "indicator": {"id": code, "value": "Rule of Law: Estimate"},
                    "country": {"id": iso3[:2], "value": name},
                    "countryiso3code": iso3,
                    "date": year,
                    "value": value,
                    "unit": "",
                    "obs_status": "",
                    "decimal": 2,
                }
                for iso3, name, year, value in rows
            ],
        ]
    )


HEADER = ",".join(
    ["economy_iso3", "year", *(f"{name}{kind}" for name in SIX for kind in ("", "_error"))]
)
TIDY = f"{HEADER}\nJPN,2021,1.0,0.125,,,,,,,1.5,0.25,,\nAND,1996,1.25,0.25,,,,,,,,,,\n"


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return parse((FOLDER / "estimates.csv").read_bytes(), FROM_THE_PROJECT)


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_the_stata_file_becomes_one_row_per_indicator_economy_and_year(version: int) -> None:
    scores = parse(stata(WIDE, version))
    found = {
        (row["indicator"], row["economy_iso3"], row["year"]): (
            row["estimate"], row["standard_error"],
        )
        for row in scores.to_dicts()
    }  # fmt: skip
    assert found == WIDE_EXPECTED
    assert scores.height == len(WIDE_EXPECTED)


def test_a_score_gives_where_it_is_from_and_when_it_was_retrieved() -> None:
    assert parse(STATA).row(0, named=True) == {
        "source": "wgi",
        "indicator": "control_of_corruption",
        "economy_iso3": "COD",
        "year": 2020,
        "estimate": -1.5,
        "standard_error": 0.125,
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


@pytest.mark.parametrize(
    ("world_bank", "iso"),
    [
        ("ADO", "AND"),
        ("KSV", "XKX"),
        ("ROM", "ROU"),
        ("TMP", "TLS"),
        ("WBG", "PSE"),
        ("ZAR", "COD"),
    ],
)
def test_the_world_banks_own_codes_become_iso_codes(world_bank: str, iso: str) -> None:
    for code in (world_bank, iso):
        assert parse(stata([wide(code, 2021, rle=0.5)]))["economy_iso3"].to_list() == [iso]


def test_the_newer_shape_with_a_row_per_indicator_is_read_from_a_workbook() -> None:
    blank = [None] * len(LONG_HEADER)
    assert estimates(parse(workbook([LONG_HEADER, *LONG, blank]))) == LONG_EXPECTED


def test_the_newer_shape_is_read_from_a_stata_file() -> None:
    rows = [
        dict(zip(LONG_HEADER, [math.nan if cell == ".." else cell for cell in row], strict=True))
        for row in LONG
    ]  # fmt: skip
    assert estimates(parse(stata(rows))) == LONG_EXPECTED


def test_an_answer_of_the_service_is_read_and_a_null_makes_no_row() -> None:
    scores = parse(
        answer(
            ("CHN", "China", "2024", -0.05), ("JPN", "Japan", "2024", 2), ("MMR", "x", "2024", None)
        )
    )
    assert estimates(scores) == {
        ("rule_of_law", "CHN", 2024): -0.05,
        ("rule_of_law", "JPN", 2024): 2.0,
    }
    assert scores["standard_error"].null_count() == 2


@pytest.mark.parametrize(("letters", "indicator"), zip(LETTERS, SIX, strict=True))
@pytest.mark.parametrize("separator", [".", "_"])
def test_each_indicator_is_known_by_both_spellings_of_its_code(
    letters: str, indicator: str, separator: str
) -> None:
    code = f"GOV_WGI_{letters.upper()}{separator}EST"
    scores = parse(answer(("CHN", "China", "2024", -0.05), code=code))
    assert scores["indicator"].to_list() == [indicator]


def test_regions_and_income_groups_are_dropped_by_code_or_name() -> None:
    scores = parse(
        answer(
            ("EAS", "East Asia & Pacific", "2024", 0.1),
            ("WLD", "World", "2024", 0.0),
            ("", "Sub-Saharan Africa", "2024", -0.7),
            ("HIC", "High income", "2024", 1.1),
            ("CHN", "China", "2024", -0.05),
        )
    )
    assert scores["economy_iso3"].to_list() == ["CHN"]


@pytest.mark.parametrize(
    ("name", "iso"),
    [
        ("Taiwan, China", "TWN"), ("Anguilla", "AIA"), ("Cook Islands", "COK"), ("Niue", "NIU"),
        ("French Guiana", "GUF"), ("Jersey, Channel Islands", "JEY"), ("Martinique", "MTQ"),
        ("Netherlands Antilles", "ANT"), ("Netherlands Antilles (former)", "ANT"),
        ("Reunion", "REU"), ("Réunion", "REU"),
    ],
)  # fmt: skip
def test_an_economy_to_which_the_service_gives_no_code_is_known_by_its_name(
    name: str, iso: str
) -> None:
    scores = parse(answer(("", name, "2024", 0.5), ("CHN", "China", "2024", 0.1)))
    assert set(scores["economy_iso3"]) == {iso, "CHN"}


def test_no_economy_passes_for_a_region() -> None:
    assert economies() & wgi.AGGREGATE_CODES == {"WLD"}
    assert economies() & set(wgi.OTHER_ECONOMY_CODES) == set()
    assert {economies_by_name().get(name) for name in wgi.AGGREGATE_NAMES} <= {None, "WLD", "EU27"}


def test_the_pages_of_an_answer_hold_together_what_one_answer_holds() -> None:
    rows = [("CHN", "China", "2024", -0.05), ("JPN", "Japan", "2024", 1.56)]
    pages = [answer(row, page=number, pages=2) for number, row in enumerate(rows, start=1)]
    assert pl.concat([parse(page) for page in pages]).equals(parse(answer(*rows)))


@pytest.mark.parametrize("names", [("page_1.json", "page_2.json"), ("wgi.json", "wgi.json")])
def test_two_pages_landed_one_after_the_other_both_count(
    names: tuple[str, str], tmp_path: Path
) -> None:
    settings = Settings.load(home=tmp_path / "home")
    pages = (
        answer(("CHN", "China", "2024", -0.05), ("CHN", "China", "2023", -0.04), pages=2),
        answer(("JPN", "Japan", "2024", 1.56), ("JPN", "Japan", "2023", 1.55), page=2, pages=2),
    )
    for day, (name, page) in enumerate(zip(names, pages, strict=True), start=1):
        (tmp_path / name).write_text(page)
        # A page alone has few economies of a new year: a person confirms that this is right.
        day_of_page = date(2026, 10, day)
        brought = land_files(settings, wgi, [tmp_path / name], day_of_page, replace_all=True)
        assert brought.rows == {"governance_scores": 2}
    rows = lake_of(settings).rows(GOVERNANCE_SCORES, "wgi")
    assert rows is not None
    scores = rows.collect()
    assert estimates(scores) == {
        ("rule_of_law", "CHN", 2024): -0.05,
        ("rule_of_law", "CHN", 2023): -0.04,
        ("rule_of_law", "JPN", 2024): 1.56,
        ("rule_of_law", "JPN", 2023): 1.55,
    }
    assert scores.height == 4


def test_a_negative_standard_error_is_quarantined_and_the_other_scores_go_on() -> None:
    rows = [wide("JPN", year, rle=1.5, rls=0.25) for year in range(2002, 2024)]
    rows[3]["rls"] = -1.0
    scores = parse(stata(rows)).with_columns(document=pl.lit("a.dta"), snapshot_id=pl.lit("s-1"))
    verdict = evaluate_batch(GOVERNANCE_SCORES.conform(scores), LAKE_SUITES["governance_scores"])
    assert not verdict.is_rejected
    assert verdict.quarantined.select("year", "rule").rows() == [
        (2005, "standard_error_is_not_negative")
    ]


def test_a_blank_in_a_column_of_text_is_a_missing_estimate() -> None:
    rows = [{**row, "rle": "" if math.isnan(row["rle"]) else str(row["rle"])} for row in WIDE]
    assert parse(stata(rows)).equals(parse(STATA))


def test_the_tidy_table_is_read_with_its_columns_in_any_order() -> None:
    scores = parse(TIDY)
    assert estimates(scores) == {
        ("voice_and_accountability", "AND", 1996): 1.25,
        ("voice_and_accountability", "JPN", 2021): 1.0,
        ("rule_of_law", "JPN", 2021): 1.5,
    }
    turned = "\n".join(",".join(reversed(line.split(","))) for line in TIDY.splitlines()) + "\n"
    assert parse(turned).equals(scores)


def test_a_bundled_estimate_counts_from_september_of_the_year_after() -> None:
    scores = parse(TIDY, FROM_THE_PROJECT)
    assert dict(scores.select("year", "vintage_at").unique().rows()) == {
        1996: datetime(1997, 9, 30),
        2021: datetime(2022, 9, 30),
    }


def test_the_bundled_scores_fit_the_lake_and_pass_its_rules(bundled: pl.DataFrame) -> None:
    batch = GOVERNANCE_SCORES.conform(
        bundled.with_columns(document=pl.lit("estimates.csv"), snapshot_id=pl.lit("s-1"))
    )
    verdict = evaluate_batch(batch, LAKE_SUITES["governance_scores"])
    assert not verdict.is_rejected, verdict.reason
    assert verdict.accepted.height == bundled.height
    assert {result.status for result in verdict.results} == {"passed"}


def test_the_bundled_scores_cover_six_indicators_of_every_published_year(
    bundled: pl.DataFrame,
) -> None:
    assert set(bundled["indicator"]) == set(SIX)
    assert set(bundled["year"]) == {1996, 1998, 2000, *range(2002, 2022)}
    assert bundled["standard_error"].null_count() == 0
    assert bundled["standard_error"].min() > 0.1  # type: ignore[operator]
    mean = bundled.filter(year=2021)["estimate"].mean()
    assert mean == pytest.approx(0, abs=0.05)  # standardised over the economies of a year


def test_the_bundled_files_have_their_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(wgi.CARD.bundled)
    for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
        assert files[0][word]
    assert (FOLDER / "estimates.csv").stat().st_size < 1_000_000


@needs_shared
def test_the_bundled_scores_are_the_publishers_estimate_for_estimate(bundled: pl.DataFrame) -> None:
    # Independent of the parser: pandas alone, cell by cell.
    table = pd.read_stata(STATA_FILE)
    own = {"ADO": "AND", "KSV": "XKX", "ROM": "ROU", "TMP": "TLS", "WBG": "PSE", "ZAR": "COD"}
    published = {
        (indicator, own.get(row["code"], row["code"]), int(row["year"])): (
            float(row[f"{letters}e"]), float(row[f"{letters}s"]),
        )
        for row in table.to_dict("records")
        for letters, indicator in zip(LETTERS, SIX, strict=True)
        if not math.isnan(row[f"{letters}e"])
    }  # fmt: skip
    ours = {
        (row["indicator"], row["economy_iso3"], row["year"]): (
            row["estimate"], row["standard_error"],
        )
        for row in bundled.to_dicts()
    }  # fmt: skip
    assert len(ours) == bundled.height == len(published) == 28_377
    assert ours.keys() == published.keys()
    for key, (estimate, error) in published.items():
        assert ours[key] == (pytest.approx(estimate, rel=6e-6), pytest.approx(error, rel=6e-6))
    counts = dict(bundled.group_by("indicator").len().rows())
    assert [counts[name] for name in SIX] == [4768, 4753, 4679, 4681, 4793, 4703]
    assert ours["rule_of_law", "JPN", 2021] == (1.57946, 0.163193)
    assert ours["voice_and_accountability", "CHN", 2021] == (-1.63658, 0.130234)


@needs_shared
def test_the_publishers_stata_file_lands_as_the_same_rows(bundled: pl.DataFrame) -> None:
    scores = parse(STATA_FILE.read_bytes())
    key = ["indicator", "economy_iso3", "year"]
    assert scores.select(key).equals(bundled.select(key))
    assert (scores["estimate"] - bundled["estimate"]).abs().max() < 1e-5  # type: ignore[operator]
    assert scores["vintage_at"].unique().to_list() == [RETRIEVED]


@needs_shared
def test_a_captured_answer_of_the_service_is_read() -> None:
    assert estimates(parse((ANSWERS / "GOV_WGI_RL_EST_SYNTHETIC.json").read_bytes())) == {
        ("rule_of_law", "CHN", 2024): -0.05,
        ("rule_of_law", "JPN", 2024): 1.56,
    }


@needs_shared
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "error_200_indicator_not_found_DOC.json",
            "The indicator was not found. It may have been deleted or archived. (id 175)",
        ),
        (
            "error_200_invalid_value_SYNTHETIC.json",
            "The provided parameter value is not valid (id 120)",
        ),
    ],
)
def test_a_captured_error_with_status_200_is_an_error(name: str, words: str) -> None:
    assert refusal((ANSWERS / name).read_bytes()) == f"wgi: the World Bank answers: {words}"


WHOSE = f"Is it the file of {wgi.CARD.homepage}?"
ASK = (
    "The service answers at https://api.worldbank.org/v2/country/all/indicator/GOV_WGI_RL.EST"
    "?source=3&format=json."
)
NOT_AN_ANSWER = (
    "wgi: the JSON is not an answer of the World Bank's service (a list of what it is about and "
    f"its rows). {ASK}"
)
EMPTY = f"wgi: the World Bank's answer is empty: it has no figures for the request. {ASK}"
NOT_AN_ESTIMATE = (
    "is not an estimate of a governance indicator (-2.5 to 2.5). Ask for GOV_WGI_RL.EST and its "
    "like; `.SC` is a score from 0 to 100."
)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ('[{"message":[{"id":"175","key":"Invalid format","value":"Gone."}]}]',
         "wgi: the World Bank answers: Gone. (id 175)"),
        ('[{"message":[{"id":"120","key":"Invalid value"}]}]',
         "wgi: the World Bank answers: Invalid value (id 120)"),
        ('[{"message":"busy"}]', "wgi: the World Bank answers: 'busy'"),
        ('[{"page":1,"pages":0,"total":0}, null]', EMPTY),
        ('[{"page":1,"pages":1,"total":0}, []]', EMPTY),
        ("{}", NOT_AN_ANSWER),
        ("[]", NOT_AN_ANSWER),
        ("[[], []]", NOT_AN_ANSWER),
        ('[{"page":1}]', NOT_AN_ANSWER),
        (answer(("CHN", "China", "2024", None)), f"wgi: the file contains no estimate. {WHOSE}"),
        (answer(("CHN", "China", "2024Q1", 1.0)), "wgi: '2024Q1' is not a year."),
        (stata([wide("CHN", 2024)]), f"wgi: the file contains no estimate. {WHOSE}"),
        (stata([{"code": "CHN", "year": 2021, "vae": 1.0}]),
         f"wgi: columns missing: vas, pve, pvs, gee, ges, rqe, rqs, rle, rls, cce, ccs. {WHOSE}"),
        (stata([wide("CHN", 21, vae=1.0)]), "wgi: '21.0' is not a year."),
        (workbook([LONG_HEADER[:-1], LONG[0][:-1]]), f"wgi: columns missing: stddev. {WHOSE}"),
        (workbook([LONG_HEADER, (*LONG[0][:5], "strong", 0.1)]),
         "wgi: 'estimate: strong' is not a number."),
        (workbook([("code", "code"), (1, 2)]),
         f"wgi: two columns of the workbook have one name. {WHOSE}"),
        (workbook([]), f"wgi: the first sheet of the workbook is empty. {WHOSE}"),
        (zipped("Readme.txt", "wgidataset.csv", "wgidataset.dta"),
         "wgi: the zip archive is not a workbook, it contains Readme.txt, wgidataset.csv, "
         "wgidataset.dta. Unpack it and land wgidataset.dta."),
        (zipped(), "wgi: the zip archive is not a workbook, it contains nothing."),
        (zipped("wgidataset.dta")[:40], "wgi: the workbook is cut or damaged (File is not a zip "
         "file). Fetch or land the file again."),
        ("", "wgi: the file is empty."),
        ("<!DOCTYPE html><html></html>", "wgi: HTML page where a Stata file, workbook, JSON "
         f"or CSV was expected. {WHOSE}"),
        (TIDY.encode("utf-16"), "wgi: the file is text in UTF-16. Save it as CSV in UTF-8."),
        (b"\xd0\xcf\x11\xe0" + bytes(600),
         "wgi: the file is an Excel workbook of the old kind (.xls). Save it as .xlsx."),
        (HEADER + "\n", "wgi: the file has a header and no rows."),
        (TIDY.replace("rule_of_law,", "law,"),
         f"wgi: columns missing: rule_of_law; not known: law. {WHOSE}"),
        (TIDY.replace("2021", "twenty"), "wgi: 'twenty' is not a year."),
        (TIDY.replace("1.25", "high"), "wgi: 'voice_and_accountability: high' is not a number."),
        (TIDY.replace("1.25", "inf"), "wgi: 'voice_and_accountability: inf' is not a number."),
        (TIDY.rstrip("\n"), "wgi: the last line (line 3) is cut. Fetch or land the file again."),
    ],
)  # fmt: skip
def test_what_holds_no_estimates_is_refused_in_one_sentence(
    payload: bytes | str, sentence: str
) -> None:
    assert refusal(payload) == sentence


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (answer(("CHN", "China", "2024", 50.0), code="GOV_WGI_RL.SC"),
         f"wgi: 'GOV_WGI_RL.SC' {NOT_AN_ESTIMATE}"),
        (answer(("CHN", "China", "2024", 50.0), code="GOV_WGI_RL_SC"),
         f"wgi: 'GOV_WGI_RL_SC' {NOT_AN_ESTIMATE}"),
        (answer(("CHN", "China", "2024", 50.0), code="NY.GDP.MKTP.CD"),
         f"wgi: 'NY.GDP.MKTP.CD' {NOT_AN_ESTIMATE}"),
        (workbook([LONG_HEADER, ("x", "CHN", "China", 2022, "zz", 0.5, 0.1)]),
         "wgi: no indicator has the letters 'zz'. Those read are va, pv, ge, rq, rl, cc: "
         "see dagster_project/sources/wgi.py."),
    ],
)  # fmt: skip
def test_a_measure_that_is_no_estimate_is_refused(payload: bytes | str, sentence: str) -> None:
    assert refusal(payload, UnknownCodeError) == sentence


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (answer(("QQQ", "Ruritania", "2024", 0.5)), "'QQQ'"),
        (answer(("", "Ruritania", "2024", 0.5)), "'Ruritania'"),
        (answer(("", "", "2024", 0.5)), "''"),
        (stata([wide("QQQ", 2021, vae=0.5)]), "'QQQ'"),
        (stata([wide("", 2021, vae=0.5)]), "''"),
        (TIDY.replace("JPN", "QQQ"), "'QQQ'"),
        (workbook([LONG_HEADER, ("x", None, "?", 2022, "rl", 0.5, 0.1)]), "''"),
    ],
)
def test_an_unknown_economy_stops_the_file_and_is_named(payload: bytes | str, named: str) -> None:
    sentence = refusal(payload, UnknownCodeError)
    assert sentence.startswith("wgi: no economy has the")
    assert named in sentence


@pytest.mark.parametrize(
    "row",
    [
        "text", 5, ["list"], {"indicator": "GOV_WGI_RL.EST"},
        {"indicator": {"id": "GOV_WGI_RL.EST"}, "country": {"value": "China"},
         "countryiso3code": "CHN", "date": "2024", "value": "high"},
        {"indicator": {"id": "GOV_WGI_RL.EST"}, "country": {"value": "China"},
         "countryiso3code": "CHN", "date": {"year": 2024}, "value": 0.5},
    ],
)  # fmt: skip
def test_a_row_of_another_shape_stops_the_answer_in_one_sentence(row: Any) -> None:
    good = json.loads(answer(("CHN", "China", "2024", 0.5)))
    for rows in ([row], [*good[1], row], {"rows": [row]}):
        sentence = refusal(json.dumps([good[0], rows]))
        assert sentence.startswith("wgi: ")
        assert "\n" not in sentence


@given(st.integers(2, len(STATA) - 1))
def test_a_cut_stata_file_is_refused(length: int) -> None:
    sentence = refusal(STATA[:length])
    if length >= len("<stata_dta>"):
        assert sentence == "wgi: the Stata file is cut. Fetch or land the file again."


@given(st.integers(1, len(answer(("CHN", "China", "2024", 0.5))) - 1))
def test_a_cut_answer_is_refused(length: int) -> None:
    sentence = refusal(answer(("CHN", "China", "2024", 0.5))[:length])
    assert sentence.startswith("wgi: the JSON is cut or damaged (")


@settings(max_examples=30)
@given(st.permutations(WIDE))
def test_a_permutation_of_rows_changes_nothing(rows: list[dict[str, Any]]) -> None:
    assert parse(stata(rows)).equals(parse(STATA))


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["CHN", "JPN", "VNM", "TWN"]), st.integers(1996, 2030)),
        st.none() | st.floats(-3, 3),
        min_size=1,
    )
)
def test_every_estimate_of_an_answer_comes_out_and_no_null(
    values: dict[tuple[str, int], float | None],
) -> None:
    payload = answer(
        ("CHN", "China", "1995", 0.5),
        *((iso3, "name", str(year), value) for (iso3, year), value in values.items()),
    )
    found = {(iso3, year): value for (_, iso3, year), value in estimates(parse(payload)).items()}
    assert found == {
        ("CHN", 1995): 0.5,
        **{key: value for key, value in values.items() if value is not None},
    }


def test_the_files_of_the_six_indicators_are_one_landing(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home")
    files = []
    for number, letters in enumerate(wgi.INDICATORS):
        files.append(tmp_path / f"{letters}.json")
        scores = ("CHN", "China", "2024", -number / 10), ("JPN", "Japan", "2024", number / 10)
        files[-1].write_text(answer(*scores, code=f"GOV_WGI_{letters.upper()}.EST"))
    report = land_files(settings, wgi, files, replace_all=True)
    assert report.documents == ("cc.json", "ge.json", "pv.json", "rl.json", "rq.json", "va.json")
    (snapshot,) = landing_of(settings).snapshots("wgi")
    rows = lake_of(settings).rows(GOVERNANCE_SCORES, "wgi")
    assert rows is not None
    scores_of = rows.filter(pl.col("snapshot_id") == snapshot.snapshot_id).collect()
    assert estimates(scores_of) == {
        (indicator, iso3, 2024): sign * number / 10
        for number, indicator in enumerate(wgi.INDICATORS.values())
        for iso3, sign in (("CHN", -1), ("JPN", 1))
    }


# Asked for.


def requests() -> Sequence[Request]:
    (extract,) = wgi.plan([], Scope())
    return extract.requests


def received(tmp_path: Path, text: str) -> Answer:
    file = tmp_path / "answer"
    file.write_text(text)
    return Answer("content", 200, file)


ROWS = (("CHN", "China", "2024", -0.05), ("JPN", "Japan", "2024", 1.56))
RULE_OF_LAW = 4


def page(number: int, pages: int, rows: int, total: int, code: str = "GOV_WGI_RL.EST") -> str:
    """A page of two rows at most, as the service sends it."""
    about, content = json.loads(answer(*ROWS[:rows], code=code))
    about.update(page=number, pages=pages, per_page="2", total=total)
    return json.dumps([about, content])


def test_each_of_the_six_estimates_is_asked_of_their_own_database() -> None:
    assert [request.url for request in requests()] == [
        f"v2/country/all/indicator/GOV_WGI_{letters}.EST"
        for letters in ("VA", "PV", "GE", "RQ", "RL", "CC")
    ]
    for request in requests():
        assert request.expects == ("json",)
        assert (request.params["source"], request.params["format"]) == ("3", "json")


def test_pages_are_asked_for_until_the_last_one(tmp_path: Path) -> None:
    step = wgi.follow(requests()[RULE_OF_LAW], received(tmp_path, page(1, 2, 2, total=3)))
    assert isinstance(step, More)
    (second,) = step.requests
    assert second.params == {**requests()[RULE_OF_LAW].params, "page": "2"}
    assert wgi.follow(second, received(tmp_path, page(2, 2, 1, total=3))) == Done()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (page(2, 2, 1, total=3),
         "the answer for GOV_WGI_RL.EST has 1 rows of page 2, and 2 of page 1 were expected."),
        (page(1, 1, 1, total=2),
         "the answer for GOV_WGI_RL.EST has 1 rows of page 1, and 2 of page 1 were expected."),
        (page(1, 1, 2, total=2, code="GOV_WGI_CC.EST"),
         "the answer for GOV_WGI_RL.EST is about 'GOV_WGI_CC.EST'."),
        (page(1, 1, 2, total=2, code="GOV_WGI_RL.SC"),
         "the answer for GOV_WGI_RL.EST is about 'GOV_WGI_RL.SC'."),
        (page(1, 1, 2, total=2).replace('"total": 2', '"total": "many"'),
         "the head of the answer has no number of total."),
        (page(1, 1, 2, total=2)[:-2], "the JSON is cut or damaged"),
        ('[{"page":0,"pages":0,"per_page":20000,"total":0,"lastupdated":null},null]',
         "the World Bank's answer for GOV_WGI_RL.EST is empty"),
        ('[{"message":[{"id":"120","key":"Invalid value","value":"Not valid"}]}]',
         "the World Bank answers for GOV_WGI_RL.EST: Not valid (id 120)"),
        ('{"error":"busy"}', "the JSON is not an answer of the World Bank's service"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_page_of_the_indicator_is_refused(
    text: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        wgi.follow(requests()[RULE_OF_LAW], received(tmp_path, text))
    assert str(caught.value).startswith(f"wgi: {sentence}")


def test_an_indicator_that_the_service_does_not_have_is_named(tmp_path: Path) -> None:
    text = '[{"message":[{"id":"175","key":"Invalid format","value":"It was not found."}]}]'
    with pytest.raises(UnknownCodeError, match=r"for GOV_WGI_RL\.EST: It was not found\. \(id 175"):
        wgi.follow(requests()[RULE_OF_LAW], received(tmp_path, text))


@needs_shared
def test_captured_pages_and_errors_are_followed(tmp_path: Path) -> None:
    def follow(name: str) -> object:
        return wgi.follow(
            requests()[RULE_OF_LAW], received(tmp_path, (ANSWERS / name).read_text("utf8"))
        )

    step = follow("data_page1_of_2_SYNTHETIC.json")
    assert isinstance(step, More)
    assert step.requests[0].params["page"] == "2"
    for name in (
        "error_200_indicator_not_found_DOC.json",
        "error_200_invalid_value_SYNTHETIC.json",
        "empty_null_200_SYNTHETIC.json",
    ):
        with pytest.raises(UpstreamFormatError, match=r"for GOV_WGI_RL\.EST"):
            follow(name)


def six_parts(**changed_codes: str) -> list[bytes]:
    codes = (f"GOV_WGI_{letters.upper()}.EST" for letters in LETTERS)
    return [answer(*ROWS, code=changed_codes.get(code[8:10], code)).encode() for code in codes]


def test_the_parts_of_an_extract_are_the_six_indicators() -> None:
    scores = wgi.parse_extract(six_parts(), LANDED)["governance_scores"]
    assert estimates(scores) == {
        (indicator, iso3, 2024): value
        for indicator in SIX
        for iso3, value in (("CHN", -0.05), ("JPN", 1.56))
    }
    # The order of the parts, of which an indicator may have two, changes nothing.
    parts = six_parts()
    split = [answer(row, code="GOV_WGI_VA.EST").encode() for row in ROWS]
    assert wgi.parse_extract([*parts[:0:-1], *split], LANDED)["governance_scores"].equals(scores)


def test_a_score_of_0_to_100_among_the_estimates_is_refused() -> None:
    with pytest.raises(UnknownCodeError, match=r"'GOV_WGI_RL\.SC' is not an estimate"):
        wgi.parse_extract(six_parts(RL="GOV_WGI_RL.SC"), LANDED)


def test_an_extract_that_lacks_an_indicator_is_refused() -> None:
    with pytest.raises(UpstreamFormatError, match=r"^wgi: no estimate of rule_of_law\."):
        wgi.parse_extract([part for part in six_parts() if b"_RL." not in part], LANDED)


def test_answers_on_both_sides_of_a_release_are_not_put_together() -> None:
    *parts, last = six_parts()
    about, rows = json.loads(last)
    about["lastupdated"] = "2027-10-01"
    with pytest.raises(UpstreamFormatError, match=r"different releases \(2027-10-01, no day\)"):
        wgi.parse_extract([*parts, json.dumps([about, rows]).encode()], LANDED)

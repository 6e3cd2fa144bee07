"""What has the documents of a source parsed again, and what does not."""

from __future__ import annotations

import csv
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from dagster_project.intake import versions
from dagster_project.intake.versions import (
    depends_on_scope,
    lists_read_by,
    modules_of,
    parser_version,
)  # fmt: skip
from dagster_project.lake import vocabulary
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import LIST_FILES, ListName
from dagster_project.settings import BUNDLED
from dagster_project.sources import screening_list
from dagster_project.sources.card import Document, Source
from dagster_project.sources.catalogue.company_names import company_names
from dagster_project.sources.registry import all_sources
from tests.fakes.comexstat import Trade as Shipment
from tests.fakes.comexstat import countries_csv, year_csv
from tests.fakes.comext import csv_data, trade
from tests.fakes.comtrade import Flow, as_json
from tests.fakes.federal_register import document
from tests.fakes.gta import intervention
from tests.fakes.hmrc import Trade, summed
from tests.fakes.japan_customs import Line, csv_of
from tests.fakes.mofcom import announcement_page
from tests.fakes.price_publishers import Chart, body, chart_json, daily_json, sdmx_json
from tests.fakes.screening_list import csv_of as listings_csv
from tests.fakes.screening_list import listing

SOURCES = all_sources()
PACKAGE = versions._SOURCES


def names_of(source: str) -> set[str]:
    """The modules whose bytes are in the version of a source's parser."""
    found = modules_of(Path(inspect.getfile(SOURCES[source])))  # type: ignore[arg-type]
    return {path.relative_to(PACKAGE).as_posix() for path in found}


@pytest.fixture
def lists_anew() -> Iterator[None]:
    """Lists are read once per process: here again, and once more afterwards."""
    cached = [one for one in vars(vocabulary).values() if hasattr(one, "cache_clear")]

    def clear() -> None:
        for one in (*cached, versions._digest_of):
            one.cache_clear()

    clear()
    yield
    clear()


def test_a_version_is_twelve_hex_digits_and_each_source_has_its_own() -> None:
    found = {parser_version(source) for source in SOURCES.values()}
    assert len(found) == len(SOURCES)
    assert all(len(version) == 12 and int(version, 16) >= 0 for version in found)


def test_the_version_is_the_same_in_any_process() -> None:
    program = (
        "from dagster_project.intake.versions import parser_version\n"
        "from dagster_project.sources.registry import all_sources\n"
        "print(*(parser_version(source) for source in all_sources().values()))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [parser_version(source) for source in SOURCES.values()]


@pytest.mark.parametrize(
    ("source", "own", "shared"),
    [
        ("baci", {"baci.py"}, {"formats.py", "reconciled_flows.py", "limits.py", "parquet.py"}),
        ("hmrc", {"hmrc.py"}, {"flow_tables.py", "formats.py"}),
        ("rudnick_gao", {"rudnick_gao.py"}, {"abundance_tables.py", "formats.py"}),
        ("catalogue", {"catalogue/__init__.py", "catalogue/clauses.py", "catalogue/claims.py",
                       "catalogue/yaml_text.py"}, {"formats.py"}),
    ],
)  # fmt: skip
def test_its_own_files_and_the_readers_they_import_are_in_the_version(
    source: str, own: set[str], shared: set[str]
) -> None:
    found = names_of(source)
    assert own | shared <= found
    assert "card.py" not in found
    assert not {f"{other}.py" for other in SOURCES if other != source} & found


def test_any_byte_of_these_files_changes_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_SOURCES", tmp_path)
    own, reader = tmp_path / "hmrc.py", tmp_path / "readers.py"
    own.write_text("from dagster_project.sources.readers import read\n")
    reader.write_text("def read():\n    return 1\n")
    source = SOURCES["hmrc"]
    monkeypatch.setattr(versions.inspect, "getfile", lambda _: str(own))
    seen = {parser_version(source)}
    for file in (own, reader):
        with file.open("a") as text:
            text.write("# a comment\n")
        seen.add(parser_version(source))
    modules_of.cache_clear()
    assert len(seen) == 3


def test_the_columns_of_a_table_change_the_version_and_their_descriptions_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, table = SOURCES["ecb"], LAKE_TABLES["price_quotes"]
    before = parser_version(source)
    (name, column), *_ = table.columns.items()
    for changed, differs in (
        (replace(column, description="In other words."), False),
        (replace(column, nullable=not column.nullable), True),
    ):
        columns = {**table.columns, name: changed}
        monkeypatch.setattr(
            versions, "LAKE_TABLES",
            {**LAKE_TABLES, "price_quotes": replace(table, columns=columns)},
        )  # fmt: skip
        assert (parser_version(source) != before) is differs


def test_what_conforms_all_rows_is_said_to_have_changed_by_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {parser_version(source) for source in SOURCES.values()}
    monkeypatch.setattr(versions, "ROWS_VERSION", 2)
    assert before.isdisjoint({parser_version(source) for source in SOURCES.values()})


@pytest.mark.parametrize("name", LIST_FILES)
def test_a_list_changes_the_versions_of_the_sources_that_read_it(
    name: vocabulary.ListName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {key: parser_version(source) for key, source in SOURCES.items()}
    changed = tmp_path / "list.csv"
    changed.write_bytes(LIST_FILES[name].read_bytes() + b"\n")
    monkeypatch.setattr(versions, "LIST_FILES", {**LIST_FILES, name: changed})
    found = {key for key, source in SOURCES.items() if parser_version(source) != before[key]}
    assert found == {key for key, source in SOURCES.items() if name in lists_read_by(source)}
    assert found


TRADE = Trade(202606, 3, 28053010, 720, 5, 1)
COUNTRIES = b'{"value": [{"CountryId": 720, "CountryCodeAlpha": "CN"}]}'
EXTRACTS: Mapping[str, Sequence[bytes]] = {
    "japan_customs": [csv_of("import", 2026, [Line("280530010", "105", {1: (0, 5, 6)})])],
    "hmrc": [COUNTRIES, json.dumps({"value": summed([TRADE])}).encode()],
    "comexstat": [
        countries_csv(),
        *(year_csv(flow, 2026, [Shipment(6, "28053010", "160", 5, 9)]) for flow in ("IMP", "EXP")),
    ],
}
"""What the customs answer, of those whose answers are not their bundled files."""

PRICE_FILE = (
    b"price_date,product_code,currency,unit,low,high,mid,vat_included,source,source_licence\n"
    b"2026-09-22,NDPR_OX,CNY,kg,,,547.5,true,SMM,own\n"
)
NOTICE = document("2026-1", "2026-06-01", "Controls on 8505.11.00.50")
NOTICES: Mapping[str, bytes] = {
    "federal_register": json.dumps({"count": 1, "results": [NOTICE]}).encode(),
    "mofcom": announcement_page("商务部公告2026年第1号", "2026-06-01", ["8112921000"]),
    "gta": json.dumps([intervention(1, "China: Export controls (2805.30)")]).encode(),
    "oecd_restrictions": b"country_iso3,hs6,product,measure_type,date_start\n"
    b"CHN,280530,Rare earths (2805.30),Export tax,2012-01-01\n",
    "screening_list": listings_csv([listing(1, "TDK", license_requirement="2805.30")]),
}
"""What publishers of notices answer; each names a code."""

DAY = {date(2026, 6, 1): (60.0, 60.0)}
PRICES: Mapping[str, bytes] = {
    "alphavantage": body(daily_json({"2026-06-01": "60"})),
    "exchange_prices": PRICE_FILE,
    "fred": b"observation_date,DEXJPUS\n2026-06-01,153.2\n",
    "imf_pcps": body(sdmx_json({"PREODOM": {"2026-M05": "4060.1"}})),
    "rare_earth_prices": PRICE_FILE,
    "yahoo": body(chart_json("REMX", Chart(DAY))),
}
"""What publishers of prices answer, and what a person lands."""


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_card_names_the_lists_that_its_parser_reads(
    source: Source, lists_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_file, seen = vocabulary._rows, set()

    def note(path: Path) -> object:
        seen.add(path)
        return read_file(path)

    def note_list(name: ListName) -> bytes:
        seen.add(LIST_FILES[name])
        return LIST_FILES[name].read_bytes()

    monkeypatch.setattr(vocabulary, "_rows", note)
    monkeypatch.setattr(vocabulary, "bytes_of_list", note_list)
    company_names.cache_clear()
    screening_list._companies.cache_clear()
    documents = {
        name: (BUNDLED / source.CARD.name / name).read_bytes() for name in source.CARD.bundled
    }
    if source.CARD.name in (*PRICES, *NOTICES):
        documents = {"a.file": {**PRICES, **NOTICES}[source.CARD.name]}
    if source is SOURCES["comtrade"]:
        documents = {"a.json": as_json([Flow(392, 156, "M", "280530", "2024", 1.0)])}
    if source is SOURCES["comext"]:
        documents = {"a.csv": csv_data(trade("DE", "CN", "28053010", "1", "2026-09", "5"))}
    for name, payload in documents.items():
        source.parse(payload, Document(name, datetime(2026, 7, 1), is_bundled=True))
    extract = EXTRACTS.get(source.CARD.name, ())
    if extract:
        source.parse_extract(extract, Document("extract", datetime(2026, 7, 1), is_bundled=False))
    assert documents or extract
    assert {name for name, file in LIST_FILES.items() if file in seen} == set(source.CARD.lists)


def test_the_lists_of_rules_are_those_of_the_tables_they_check() -> None:
    assert lists_read_by(SOURCES["ecb"]) == {"instruments"}
    assert "economies" in lists_read_by(SOURCES["comtrade_baskets"])
    assert lists_read_by(SOURCES["comtrade"]) >= {"economies", "commodities"}


def test_the_scope_matters_to_sources_whose_rows_name_commodities() -> None:
    found = {name for name, source in SOURCES.items() if depends_on_scope(source)}
    assert {"baci", "comtrade", "comtrade_baskets"} <= found
    assert not {"ecb", "equity_indices", "wgi", "rudnick_gao", *NOTICES} & found


def test_labels_and_corrections_of_a_source_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lists_anew: None
) -> None:
    before = {key: parser_version(source) for key, source in SOURCES.items()}
    labels = vocabulary.labels_file("pink_sheet")
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][1] = "another"
    changed = tmp_path / "labels.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    own = vocabulary.labels_file
    monkeypatch.setattr(
        vocabulary, "labels_file", lambda name: changed if name == "pink_sheet" else own(name)
    )
    assert {key for key, one in SOURCES.items() if parser_version(one) != before[key]} == {
        "pink_sheet"
    }
    monkeypatch.undo()
    register = versions.corrections
    monkeypatch.setattr(
        versions, "corrections",
        lambda name: {"A-1": "another"} if name == "wgi" else register(name),
    )  # fmt: skip
    assert {key for key, one in SOURCES.items() if parser_version(one) != before[key]} == {"wgi"}

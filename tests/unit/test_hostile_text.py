"""Hostile text in every text column and in file names: no terminal, page or file is harmed."""

from __future__ import annotations

import csv
import importlib
import io
import json
import logging
import os
import pty
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import KidoError, UpstreamFormatError
from dagster_project.orchestration import notice_checks
from dagster_project.orchestration.metadata import markdown_table, suite_check_result
from dagster_project.orchestration.preview import mart_preview
from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.report import render_report
from dagster_project.quality.rules import Suite, stop
from dagster_project.quality.runner import evaluate
from dagster_project.serving.answers import answers, answers_markdown, print_answers
from dagster_project.serving.measures import measures_on, print_measures
from dagster_project.serving.pictures import picture
from dagster_project.serving.terminal import Column, note, print_table, print_text, print_values
from tests import contract
from tests.conftest import CHECKOUT
from tests.hostile import EVERYTHING, FORGED, TEXTS, Loaded, is_safe_line, markup_of
from tests.unit.serving.test_answers import BY_WEIGHT, published
from tests.unit.serving.test_measures import clause, exposure
from tests.unit.serving.test_pictures import STUDY, path

TABLES = sorted(contract.published())
PRICE_COLUMNS = (
    "price_date", "product_code", "product_name", "purity", "basis", "incoterm", "location",
    "currency", "unit", "low", "high", "mid", "vat_included", "source", "source_licence",
    "source_ref", "received_at",
)  # fmt: skip


def assert_safe(printed: str) -> None:
    assert printed
    unsafe = [line for line in printed.removesuffix("\n").split("\n") if not is_safe_line(line)]
    assert unsafe == []


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published file with hostile text in every text column of every table."""
    folder = tmp_path_factory.mktemp("hostile")
    values = {"varchar": EVERYTHING, "varchar[]": [EVERYTHING, *TEXTS.values()]}
    rows: dict[str, list[dict[str, Any]]] = {
        table.replace(".", "__"): [
            {name: values[kind] for name, kind in columns.items() if kind in values}
        ]
        for table, columns in contract.published().items()
    }
    text = {"title": EVERYTHING, "because": EVERYTHING, "excludes": EVERYTHING}
    rows["exposure__measure_timeline"] += [
        clause(**text, target_names=None), clause("CN-2", status="unknown", **text),
    ]  # fmt: skip
    for row in rows["exposure__measure_timeline"]:
        row.pop("target_names", None)
    rows["exposure__importer_exposure"] += [exposure("280530")]
    rows["catalog__answers"] += [
        {**BY_WEIGHT, "subject": f"{EVERYTHING}, {EVERYTHING}", "detail": EVERYTHING},
        {**BY_WEIGHT, "position": 3, "subject": EVERYTHING, "period": EVERYTHING},
    ]
    rows["market__event_studies"] += [{**STUDY, "title": EVERYTHING}]
    rows["market__abnormal_returns"] += path()
    for table in ("catalog__releases", "catalog__sources", "reference__economies"):
        del rows[table]
    economies = [{"economy_iso3": code, "name": EVERYTHING} for code in ("JPN", "CHN")]
    published(folder, reference__economies=economies, **rows)
    return folder


def run(home: Path, *arguments: str, columns: int = 0) -> str:
    """What a command prints, to both outputs; an error as the front door prints it."""
    result = CliRunner().invoke(
        app, [*arguments], env={"KIDO_HOME": str(home), "COLUMNS": str(columns)}
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, KidoError), result.exception
        return f"{result.output}kido: {result.exception}\n"
    return result.output


@pytest.mark.parametrize("table", TABLES)
def test_no_text_of_a_table_harms_a_terminal(home: Path, table: str) -> None:
    for columns in (0, 100):
        assert_safe(run(home, "query", f"from {table}", columns=columns))
        assert_safe(run(home, "query", f"from {table}", "--vertical", columns=columns))


def test_no_heading_of_a_query_and_no_error_harms_a_terminal(home: Path) -> None:
    for text in TEXTS.values():
        quoted = text.replace('"', '""').replace("\0", "")
        assert_safe(run(home, "query", f'select 1 as "{quoted}", 2 as b'))
        assert_safe(run(home, "query", f'select "{quoted}" from catalog.claims'))
        assert_safe(run(home, "query", f'from "{quoted}"'))
        assert_safe(run(home, "describe", "--", text))


def test_the_pages_of_an_importer_are_lines_of_their_own(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_measures(measures_on(home / "kido.duckdb", "JPN"))
    print_answers(home / "kido.duckdb", "JPN")
    printed = capsys.readouterr().out
    assert "Everything is well" in printed
    assert_safe(printed)


def test_every_way_to_print_makes_a_text_safe(capsys: pytest.CaptureFixture[str]) -> None:
    for text in TEXTS.values():
        print_table([Column(text, [text, "a"]), Column("b", ["1", "2"], is_number=True)])
        print_table([Column(text, [text, "a"])], vertical=True)
        print_values([text], [text])
        print_text(f"Of {text.partition(chr(10))[0]}", label=text.partition("\n")[0])
        note(f"Of {text.partition(chr(10))[0]}")
    printed = capsys.readouterr()
    assert_safe(printed.out)
    assert_safe(printed.err)


def test_a_forged_line_in_a_message_is_part_of_the_message() -> None:
    error = UpstreamFormatError(f"baci: x\n{FORGED} is not a year.", hint=f"Or\r\n{FORGED}?")
    assert_safe(f"kido: {error}")
    assert str(error) == f"baci: x {FORGED} is not a year. Or  {FORGED}?"


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in ("NUL", "long")])
def test_a_hostile_file_name_is_a_sentence_of_its_own(tmp_path: Path, name: str) -> None:
    file = tmp_path / TEXTS[name].replace("/", "∕").strip()
    file.write_text("no year, no code\n")
    printed = run(tmp_path / "home", "land", "baci", "--", str(file))
    assert "kido: " in printed
    assert_safe(printed)


@pytest.mark.parametrize("how", ["csv", "json", "markdown"])
def test_an_exact_format_is_exact_in_a_pipe_and_safe_in_a_terminal(home: Path, how: str) -> None:
    command = [
        sys.executable, "-m", "dagster_project.cli", "query",
        "select clause_id, title from exposure.measure_timeline", "--format", how,
    ]  # fmt: skip
    environment = {**os.environ, "KIDO_HOME": str(home), "PYTHONUTF8": "1"}
    piped = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, check=True)
    assert "\u202e" in piped.stdout.decode()
    reader, terminal = pty.openpty()
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=terminal) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(reader)
        assert process.wait() == 0
    assert all(character.isprintable() or character in "\r\n\t" for character in shown.decode())


def test_no_quarantined_text_harms_a_terminal(tmp_path: Path) -> None:
    """Prices of a day in the future, whose other cells are hostile, and a file that is refused."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(PRICE_COLUMNS)
    texts = [" ".join(text.replace("\0", "").split())[:5000] for text in TEXTS.values()]
    days = [(f"2099-01-{number:02}", text) for number, text in enumerate(texts, 1)]
    # A file with more rows to quarantine than to keep is refused.
    days += [(f"{date(2018, 1, 1) + timedelta(number)}", "mine") for number in range(3000)]
    for day, text in days:
        writer.writerow(
            [day, "DY_OX", text, text, "spot", "FOB", "China", "USD", "kg", "", "", 1,
             "false", text, "mine", text, ""]
        )  # fmt: skip
    future = tmp_path / "future \u202e\x1b[31m [x](http:⁄⁄a).csv"
    future.write_text(out.getvalue(), "utf8")
    assert_safe(run(tmp_path / "home", "land", "rare_earth_prices", str(future)))
    refused = tmp_path / f"refused {TEXTS['backwards']}.csv"
    refused.write_text(f"{TEXTS['colours']},{TEXTS['link']}\n1,2\n", "utf8")
    assert_safe(run(tmp_path / "home", "land", "rare_earth_prices", str(refused)))
    listed = run(tmp_path / "home", "quarantine", columns=200)
    assert f" {len(TEXTS)} " in listed
    assert_safe(listed)
    for columns in (0, 100):
        shown = run(tmp_path / "home", "quarantine", "rare_earth_prices", columns=columns)
        assert "2099-01-01" in shown
        assert_safe(shown)
    for text in TEXTS.values():
        assert_safe(run(tmp_path / "home", "quarantine", "--rule", "x", "--", text))
    rows = json.loads(run(tmp_path / "home", "quarantine", "rare_earth_prices", "--json"))
    units = " ".join(json.loads(row["row"])["unit"] for row in rows)
    assert [text for text in texts if text not in units] == []


@pytest.fixture
def tables_named(home: Path, tmp_path: Path) -> Path:
    """The home: every text is hostile but for the names of the tables, which are Kido's own."""
    own = Path(shutil.copytree(home, tmp_path / "own"))
    with duckdb.connect(str(own / "kido.duckdb")) as connection:
        connection.execute("delete from catalog.tables")
        connection.execute(
            "insert into catalog.tables by name "
            "select schema_name, table_name, false as is_view from duckdb_tables()"
        )
    return own


@pytest.mark.parametrize("options", [[], ["--public"]])
def test_an_export_of_hostile_texts_is_exact_and_its_words_are_safe(
    tables_named: Path, tmp_path: Path, options: list[str]
) -> None:
    out = tmp_path / "out"
    assert_safe(run(tables_named, "export", "--parquet", str(out), *options))
    manifest = json.loads((out / "manifest.json").read_text("utf8"))
    files = [table["file"] for table in manifest["tables"] if table["file"]]
    assert all(file.replace("/", "").replace(".", "").replace("_", "").isalnum() for file in files)
    titles = duckdb.sql(f"select title from '{out}/exposure/measure_timeline.parquet'").fetchall()
    assert {title for (title,) in titles} == {EVERYTHING}


def test_an_export_to_a_folder_of_a_hostile_name_is_made_and_its_words_are_safe(
    tables_named: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(tables_named / "kido.duckdb")) as connection:
        connection.execute("delete from catalog.tables where table_name <> 'measure_timeline'")
    for text in TEXTS.values():
        folder = tmp_path / text.replace("\0", "").replace("/", "∕")[:80]
        assert_safe(run(tables_named, "export", "--parquet", str(folder)))
        assert list(folder.rglob("measure_timeline.parquet"))


def test_excel_computes_no_text_of_a_csv(home: Path) -> None:
    sql = "select unnest(hs6_codes) as \"=1+1\", -1.5 as b, date '2024-01-01' as c "
    sql += "from exposure.measure_timeline"
    printed = run(home, "query", sql, "--format", "csv", "--for-excel")
    header, *rows = csv.reader(io.StringIO(printed.removeprefix("\ufeff"), newline=""))
    assert header == ["'=1+1", "b", "c"]
    texts = [text for text, *_ in rows]
    assert not [text for text in texts if text.lstrip()[:1] in tuple("=+-@＝")]
    assert {f"'{TEXTS[name]}" for name in TEXTS if name.startswith("formula")} <= set(texts)
    assert {tuple(row[1:]) for row in rows} == {("-1.5", "2024-01-01")}
    exact = run(home, "query", sql, "--format", "csv")
    assert exact.startswith("=1+1,b,c\n")


def test_a_picture_is_xml_whatever_its_texts(home: Path) -> None:
    svg = picture(home / "kido.duckdb", "JPN")
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert tags == {"svg", "rect", "text", "line", "polyline", "polygon"}
    assert "Everything is well" in svg


@pytest.mark.parametrize("table", TABLES)
def test_no_preview_in_the_ui_is_markup(home: Path, table: str) -> None:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        _, _, rows = mart_preview(connection, *table.split("."), date(2026, 1, 1))
    assert markup_of(markdown_table(rows)) == set()


def test_the_page_of_answers_in_the_ui_has_its_own_markup_only(home: Path) -> None:
    text = answers_markdown(answers(home / "kido.duckdb", "JPN"))
    assert "Everything is well" in text
    assert markup_of(text) <= {"heading", "strong", "list", "list_item", "block_text"}


def test_the_rows_of_a_failed_check_are_no_markup_in_any_page(tmp_path: Path) -> None:
    rules = tuple(
        stop(f"{name}_is_known", "", "ExpectColumnValuesToBeInSet", column=name, value_set=["a"])
        for name in ("code", "label")
    )
    suite = Suite("mart", "trade.flows", rules)
    values = [text for text in TEXTS.values() if len(text) < 1000]
    frame = pl.DataFrame({"code": values, "label": values[::-1]})
    results = evaluate(frame, suite)
    import dagster as dg

    metadata = suite_check_result(suite, dg.AssetKey(["trade", "flows"]), results).metadata
    for name in ("offending_rows", "rules"):
        assert markup_of(str(metadata[name].value)) <= {"strong"}
    report = render_report(results)
    assert Loaded(report).harmful == []
    assert "\u202e" not in report
    build_data_docs([(suite, frame)], tmp_path / "docs")
    pages = list((tmp_path / "docs").rglob("*.html"))
    assert pages
    for page in pages:
        assert Loaded(page.read_text("utf8")).harmful == [], page
        assert "\u202e" not in page.read_text("utf8")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_notice_to_be_read_is_markup_in_the_ui(text: str) -> None:
    url = f"https://x> {text} <https://y"
    notice = SimpleNamespace(
        source=text, name=text, title=text, shown_title=text, url=url, published_at=None,
        is_private=False,
    )  # fmt: skip
    shown = notice_checks._markdown([cast(Any, notice)])
    assert markup_of(shown) <= {"list", "list_item", "block_text"}


def test_no_line_of_a_log_harms_a_terminal(caplog: pytest.LogCaptureFixture) -> None:
    package = CHECKOUT / "dagster_project"
    files = [file for file in package.rglob("*.py") if "= logger(__name__)" in file.read_text()]
    assert {file.stem for file in files} >= {"http", "publication", "conform"}
    for file in files:
        module = ".".join(file.relative_to(CHECKOUT).with_suffix("").parts)
        importlib.import_module(module)
        logging.getLogger(module).warning("%s: retried", EVERYTHING)
        assert is_safe_line(caplog.messages[-1])
    unfiltered = [
        file.name
        for file in package.rglob("*.py")
        if "getLogger(__name__)" in file.read_text("utf8")
    ]
    assert unfiltered == []

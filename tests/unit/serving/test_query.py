"""Queries at a terminal and in a pipe: what a table shows, and that exports are exact."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.errors import KidoError
from tests.conftest import CHECKOUT
from tests.nightly import nightly
from tests.unit.serving.published import AMOUNT, ROWS, SHARE, publish

Query = Callable[..., Result]
EVERYTHING = "from dependency.supplier_shares"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    publish(folder)
    return folder


@pytest.fixture
def query(home: Path) -> Query:
    """`kido query` in a pipe, or in so many columns."""

    def run(*arguments: str, columns: int | None = None) -> Result:
        environment = {"KIDO_HOME": str(home), "COLUMNS": columns and str(columns)}
        return CliRunner().invoke(app, ["query", *arguments], env=environment)

    return run


def rejected(result: Result) -> str:
    """The sentence that a query ends with."""
    assert isinstance(result.exception, KidoError)
    return str(result.exception)


def as_duckdb_has_them(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_a_table_fits_the_terminal_and_names_what_it_leaves_out(
    query: Query, home: Path, columns: int
) -> None:
    shown = query(EVERYTHING, columns=columns)
    lines = (shown.stdout + shown.stderr).splitlines()
    assert max(map(cell_len, lines)) <= columns
    if columns < 200:  # what is the same in every row makes room for the others
        above, _, below = shown.stdout.partition("supplier_rank")
        assert " ".join(above.split()) == (
            "In each of the 40 rows shown: importer_iso3 JPN, hs6_code 250410, period_start "
            "2024-01-01, year 2024, amount 15,981,526, share 0.7133, is_provisional false, "
            "snapshot_ids baci-20261127T115953143363-21ccd258"
        )
        header = f"{above} supplier_rank {below.splitlines()[0]}"
    else:
        header, first = shown.stdout.splitlines()[:2]
        assert header.split()[:4] == ["importer_iso3", "hs6_code", "period_start", "year"]
        assert first.split()[:5] == ["JPN", "250410", "2024-01-01", "2024", "15,981,526"]
        assert "0.7133" in first
    every = as_duckdb_has_them(
        home, "select column_name from duckdb_columns() where table_name = 'supplier_shares'"
    )
    assert [name for (name,) in every if name not in header.split()] == []
    assert "Left out" not in shown.stderr


def test_what_is_the_same_in_the_rows_shown_is_not_taken_for_that_of_all(query: Query) -> None:
    rows = "select i // 5 as year, repeat('x', 50) || i as text, i as more from range(6) as r (i)"
    few = query(rows, "--limit", "5", columns=60)
    assert few.stdout.startswith("In each of the 5 rows shown: year 0")
    every = query(f"{rows} where i < 5", "--limit", "5", columns=60)
    assert every.stdout.startswith("In every row: year 0")


def test_a_query_without_rows_prints_its_columns_and_that_there_are_none(query: Query) -> None:
    shown = query(f"{EVERYTHING} where supplier_rank = 0")
    assert shown.stdout.split()[0] == "importer_iso3"
    assert shown.stderr == "No rows.\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_columns_that_do_not_fit_are_named(query: Query, columns: int) -> None:
    names = [f"the_share_of_{number}" for number in range(12)]
    shown = query(
        f"select {', '.join(f'number + {name[-1]} as {name}' for name in names)} "
        "from range(3) as numbers (number)",
        columns=columns,
    )
    header = shown.stdout.splitlines()[0].split()
    assert header == names[: len(header)]
    assert header != names
    remarks = " ".join(shown.stderr.split())
    left_out = ", ".join(names[len(header) :])
    assert remarks == f"Left out, as they do not fit: {left_out}. --vertical prints all."


def test_a_table_has_40_rows_and_says_how_many_there_are(query: Query) -> None:
    shown = query(EVERYTHING)
    assert len(shown.stdout.splitlines()) == 1 + 40
    assert shown.stderr.startswith(f"40 of {ROWS} rows; --limit 0 prints all")
    few = query(EVERYTHING, "--limit", "3")
    assert (len(few.stdout.splitlines()), few.stderr[:13]) == (1 + 3, "3 of 100 rows")
    every = query(EVERYTHING, "--limit", "0")
    assert (len(every.stdout.splitlines()), every.stderr) == (1 + ROWS, "")
    exactly = query(f"{EVERYTHING} limit 40")
    assert (len(exactly.stdout.splitlines()), exactly.stderr) == (1 + 40, "")


def test_in_a_pipe_a_table_has_all_columns_and_a_row_is_a_line(query: Query) -> None:
    shown = query(f"{EVERYTHING} where supplier_rank in (3, 4) order by supplier_rank")
    header, third, fourth = shown.stdout.splitlines()
    assert header.split()[-1] == "note"
    assert third.endswith('a "quoted", text | 日本')
    assert fourth.endswith("two lines")
    assert shown.stderr == ""


def test_vertical_has_every_column_of_a_row_in_80_columns(query: Query) -> None:
    shown = query(EVERYTHING, "--limit", "1", "--vertical", columns=80)
    assert "  share           0.7133" in shown.stdout
    assert "  snapshot_ids    baci-20261127T115953143363-21ccd258" in shown.stdout
    assert "Left out" not in shown.stderr
    assert "--vertical is a way to print a table, not csv." in rejected(
        query(EVERYTHING, "--vertical", "--format", "csv")
    )


VALUES = (
    "select importer_iso3, hs6_code, period_start, amount, share, supplier_rank, is_provisional, "
    "snapshot_ids, note from dependency.supplier_shares order by supplier_rank"
)


def test_csv_has_every_value_as_duckdb_writes_it(query: Query, home: Path) -> None:
    printed = query(VALUES, "--format", "csv").stdout
    header, *rows = csv.reader(io.StringIO(printed, newline=""))
    texts = as_duckdb_has_them(home, f"select columns(*)::varchar from ({VALUES})")
    assert len(rows) == ROWS
    assert header[0] == "importer_iso3"
    assert [tuple(row) for row in rows] == [tuple(one or "" for one in row) for row in texts]
    assert (float(rows[0][3]), float(rows[0][4])) == (AMOUNT, SHARE)


def test_csv_tells_a_missing_text_from_an_empty_one(query: Query) -> None:
    printed = query("select null::varchar as a, '' as b, 'x' as \"c,d\"", "--format", "csv").stdout
    assert printed == 'a,b,"c,d"\n,"",x\n'


JAPANESE = "select '希土類' as \"鉱物\", '二\r\n行' as b, null as c, 0.5 as d"


@pytest.mark.parametrize("to", ["pipe", "file"])
def test_csv_for_excel_has_a_mark_and_ends_of_lines_of_its_own(
    home: Path, tmp_path: Path, to: str
) -> None:
    """In a locale without Japanese, as a job of a scheduler has it."""
    file = tmp_path / "rows.csv"
    with file.open("wb") as opened:
        result = subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", "query", JAPANESE,
             "--format", "csv", "--for-excel"],
            cwd=CHECKOUT, env={**environment(home), "PYTHONIOENCODING": "ascii"},
            stdout=subprocess.PIPE if to == "pipe" else opened, check=True,
        )  # fmt: skip
    found = result.stdout if to == "pipe" else file.read_bytes()
    assert found.startswith(b"\xef\xbb\xbf")
    assert found.decode("utf-8-sig") == '鉱物,b,c,d\r\n希土類,"二\r\n行",,0.5\r\n'


def test_only_csv_is_written_for_excel(query: Query) -> None:
    for how in ("table", "json", "parquet"):
        sentence = rejected(query(EVERYTHING, "--for-excel", "--format", how))
        assert sentence == "--for-excel is a way to write CSV. Add --format csv."


def test_json_has_every_value_as_duckdb_has_it(query: Query, home: Path) -> None:
    found = json.loads(query(VALUES, "--format", "json").stdout)
    expected = as_duckdb_has_them(home, VALUES)
    assert len(found) == ROWS
    for one, row in zip(found, expected, strict=True):
        assert list(one.values()) == [*row[:2], row[2].isoformat(), *row[3:]]
    assert json.loads(query(f"{EVERYTHING} where false", "--format", "json").stdout) == []


def test_json_is_valid_where_a_float_is_not_finite_and_a_number_is_large(query: Query) -> None:
    sql = "select 'nan'::double as a, 9007199254740993 as b, 1e-300::double as c, "
    sql += "[1.5, null, 'inf'::double] as d"
    found = json.loads(
        query(sql, "--format", "json").stdout, parse_constant=lambda name: pytest.fail(name)
    )
    assert found == [{"a": None, "b": 9007199254740993, "c": 1e-300, "d": [1.5, None, None]}]


def test_markdown_has_every_value_as_duckdb_writes_it(query: Query, home: Path) -> None:
    printed = query(VALUES, "--format", "markdown").stdout.splitlines()
    header, rule, *rows = printed
    assert header.startswith("| importer_iso3 | hs6_code | period_start | amount | share |")
    assert rule == "| --- | --- | --- | ---: | ---: | ---: | --- | --- | --- |"
    texts = as_duckdb_has_them(home, f"select columns(*)::varchar from ({VALUES})")
    assert len(rows) == ROWS
    for line, row in zip(rows, texts, strict=True):
        cells = line.removeprefix("| ").removesuffix(" |").replace(r"\|", "¦").split(" | ")
        assert [cell.replace("¦", "|").replace("<br>", "\n") for cell in cells] == [
            one or "" for one in row
        ]


def test_parquet_has_the_values_and_types_of_duckdb(home: Path) -> None:
    result = piped(home, VALUES, "--format", "parquet")
    found = pq.read_table(io.BytesIO(result.stdout))
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        assert found.to_pylist() == connection.sql(VALUES).to_arrow_table().to_pylist()
        typed = connection.sql(VALUES).pl().schema
    assert pl.read_parquet(io.BytesIO(result.stdout)).schema == typed


def test_another_format_is_limited_only_where_that_is_asked_for(query: Query) -> None:
    assert len(query(EVERYTHING, "--format", "json", "--limit", "2").stdout.splitlines()) == 1 + 3
    assert len(json.loads(query(EVERYTHING, "--format", "json", "--limit", "0").stdout)) == ROWS


def test_parquet_says_which_column_it_cannot_hold(query: Query) -> None:
    sentence = rejected(query("select interval 3 month as a", "--format", "parquet"))
    assert sentence.startswith("Parquet has no type for a column of this query")


@pytest.mark.parametrize("output", ["table", "csv", "json", "markdown", "parquet"])
@pytest.mark.parametrize(
    "sql", ["select interval 3 month as a", "select case i when 200000 then error(i) end from "
            "range(200001) as _(i)"],
)  # fmt: skip
def test_a_query_that_ends_early_does_not_keep_the_file_open(
    query: Query, output: str, sql: str
) -> None:
    gc.collect()
    gc.disable()
    try:
        query(sql, "--format", output)
        assert query("select 1 as a", "--format", "csv").stdout == "a\n1\n"
    finally:
        gc.enable()


def test_values_without_a_type_in_python_are_shown_as_duckdb_writes_them(query: Query) -> None:
    sql = (
        "select interval 3 month as a, map {'k': 1.5::double} as b, "
        "170141183460469231731687303715884105727::hugeint as c"
    )
    assert query(sql).stdout.splitlines()[1].split("  ") == [
        "3 months", "{k: 1.5}", "170141183460469231731687303715884105727",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("from dependency.suplier_shares", "Did you mean dependency.supplier_shares?"),
        ("from supplier_shares", "Did you mean dependency.supplier_shares?"),
        ("from dependancy.supplier_shares", "Did you mean dependency.supplier_shares?"),
        ("from dependency.economies", "Did you mean reference.economies?"),
        ("describe Suplier_Shares", "Did you mean dependency.supplier_shares?"),
        ("select importer_iso from dependency.supplier_shares", "Did you mean importer_iso3?"),
        ("select s.shre from dependency.supplier_shares as s", "Did you mean share?"),
        ("from nothing_like_it", "kido tables lists them."),
        ("select zzz from reference.economies", "kido describe TABLE lists the columns."),
    ],
)
def test_a_misspelt_name_leads_to_the_nearest(query: Query, sql: str, sentence: str) -> None:
    found = rejected(query(sql))
    assert found.startswith("The query cannot be run: no ")
    assert found.endswith(sentence)


def test_a_misspelt_command_leads_to_the_nearest() -> None:
    result = CliRunner().invoke(app, ["quary"])
    assert result.exit_code == 2
    assert "Did you mean 'query'?" in result.output


@pytest.mark.parametrize("sql", ["", "  ", ";", "/* nothing */"])
def test_an_empty_query_says_what_to_type(query: Query, sql: str) -> None:
    assert rejected(query(sql)) == (
        'There is no query to run. Type one, e.g. kido query "from dependency.supplier_shares". '
        "kido tables lists what can be queried."
    )
    assert "There is no query to run." in rejected(query())


@pytest.mark.parametrize("sql", ["show tables", "SHOW TABLES;", " show  tables "])
def test_show_tables_lists_the_published_tables(query: Query, sql: str) -> None:
    found = json.loads(query(sql, "--format", "json").stdout)
    assert found[0] == {
        "schema_name": "dependency", "table_name": "supplier_shares", "rows": 100,
        "grain": "importer, HS6 code and year",
    }  # fmt: skip
    assert [row["table_name"] for row in found] == [
        "supplier_shares", "supplier_shares_named", "economies",
    ]  # fmt: skip
    assert "economies" in query(sql).stdout


def test_the_plan_of_a_query_is_printed_as_it_is(query: Query) -> None:
    assert "supplier_shares" in query(f"explain {EVERYTHING}", columns=80).stdout


def test_one_query_at_a_time(query: Query) -> None:
    assert rejected(query("select 1; select 2")) == "One query at a time, please."


def environment(home: Path) -> dict[str, str]:
    """Without the setting that has Python write at once: a pipe is then closed before its end."""
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        "KIDO_HOME": str(home),
    }


def piped(
    home: Path, *arguments: str, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "query", *arguments],
        cwd=CHECKOUT,
        env=environment(home),
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


@pytest.mark.parametrize("how", ["csv", "json", "markdown", "parquet", "table"])
@pytest.mark.parametrize("rows", [1, 200_000])
def test_a_closed_pipe_is_silent(home: Path, how: str, rows: int) -> None:
    """Nobody reads: few rows fail when they are flushed at the end, many while they are written."""
    reader, writer = os.pipe()
    os.close(reader)
    sql = f"select range as n from range({rows})"
    result = piped(home, sql, "--format", how, "--limit", "0", stdout=writer)
    os.close(writer)
    assert result.stderr == b""


def test_a_pipe_that_is_closed_after_a_line_has_that_line(home: Path) -> None:
    command = [sys.executable, "-m", "dagster_project.cli", "query", "--format", "csv"]
    with subprocess.Popen(
        [*command, "select range as n from range(1000000)"],
        cwd=CHECKOUT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"n\n"
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("how", ["table", "csv", "json", "markdown", "parquet"])
def test_rows_that_find_no_room_end_in_a_sentence(home: Path, how: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", "query", EVERYTHING, "--format", how],
            cwd=CHECKOUT, env={**os.environ, "KIDO_HOME": str(home)},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert "The rows cannot be written: the disk they go to is full." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("select 'infinity'::date as a", "infinity"),
        ("select '-infinity'::timestamp as a", "-infinity"),
        ("select date '20000-01-01' as a", "20000-01-01"),
        ("select {'b': ['infinity'::date]} as a", "{'b': [infinity]}"),
    ],
)
def test_a_day_that_python_does_not_have_is_printed(query: Query, sql: str, text: str) -> None:
    assert query(sql).stdout == f"a\n{text}\n"


@pytest.mark.parametrize(
    "sql",
    [
        "call enable_logging(storage='file')",
        "call enable_logging(storage='file', storage_path='LOG')",
        "from enable_logging(storage='file', storage_path='LOG')",
        "call enable_profiling(save_location='LOG', format='json')",
        "set memory_limit = '1TB'",
        "set enable_external_access = true",
        "copy (select 1) to 'LOG'",
        "attach 'LOG' as other",
    ],
)
def test_a_query_that_would_write_a_file_is_a_sentence(
    home: Path, tmp_path: Path, sql: str
) -> None:
    """In a process of its own, since DuckDB would end it."""
    file = tmp_path / "written"
    result = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "query", sql.replace("LOG", str(file))],
        cwd=tmp_path, env={**environment(home), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.startswith("kido: The query cannot be run: ")
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


ENDLESS = (
    "select count(*) as n from range(10000000) as a, range(10000000) as b "
    "where hash(a.range + b.range) = 1"
)


@pytest.mark.parametrize("how", ["table", "csv"])
def test_a_query_ends_after_its_time(
    query: Query, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_QUERY_TIMEOUT_S", "0.5")
    assert rejected(query(ENDLESS, "--format", how)) == (
        "The query was stopped after 0.5 s. Ask for less, or set KIDO_QUERY_TIMEOUT_S to more "
        "seconds; 0 is no limit."
    )


@pytest.mark.parametrize("sql", [
    "explain analyze select count(*) from range(200000000000)",
    "create temp table x as select range from range(200000000000)",
])  # fmt: skip
def test_what_duckdb_executes_at_once_ends_after_its_time(
    query: Query, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_QUERY_TIMEOUT_S", "0.5")
    assert rejected(query(sql)).startswith("The query was stopped after 0.5 s.")


def test_a_query_writes_nothing_for_want_of_memory(
    query: Query, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_MEMORY", "100MB")
    sql = "select range, random() as r from range(20000000) order by r"
    assert rejected(query(sql, "--format", "csv")).startswith("The query needs more memory")
    assert not list(home.glob("kido.duckdb.*"))


@nightly
def test_a_text_of_gigabytes_is_one_sentence(query: Query) -> None:
    sql = "select repeat('x', 1000000) as a from range(20000)"
    assert rejected(query(sql, "--format", "csv")).startswith("The rows are too wide to be read:")


def test_a_query_may_use_the_memory_of_the_setting(
    query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_MEMORY", "100MB")
    assert rejected(query("select list(range) as a from range(100000000)")) == (
        "The query needs more memory than it may use. Ask for less, or set KIDO_MEMORY to more, "
        "e.g. 8GB."
    )

"""Queries on the published file: read-only, and without access to other files.

A table is for reading: `serving/terminal.py` rounds numbers and limits rows. The other formats are
exact: the values as DuckDB has them, and every row unless a limit is given.
"""

from __future__ import annotations

import codecs
import errno
import math
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from dagster_project.errors import DiskFullError, KidoError, counted
from dagster_project.lake.build_file import connect
from dagster_project.safe_text import for_output
from dagster_project.serving.tables import did_you_mean, did_you_mean_table, tables_of

if TYPE_CHECKING:
    from dagster_project.serving.terminal import Column

Format = Literal["table", "csv", "json", "markdown", "parquet"]

ROWS_SHOWN = 40
"""Rows of a table: a screen, or two."""

ROWS_PER_BATCH = 50_000
MOST_COUNTED = 20_000_000
INTERRUPT_POLL_S = 0.2

_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
_NUMBER = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(\d+, ?\d+\))$")
_AS_TEXT = re.compile(r"INTERVAL|BIT|BLOB|TIME WITH TIME ZONE|TIMETZ|UNION|GEOMETRY|VARIANT")
"""Types without a plain value in Python: a table shows them as DuckDB casts them to text."""

_TOO_WIDE = "Arrow Appender"
"""In the message of a batch that Arrow has no room for."""

_NO_TABLE = re.compile(r'Table with name "?([\w.]+)"? does not exist')
_NO_COLUMN = re.compile(
    r'(?:Referenced column|does not have a column named) "([^"]+)".*Candidate bindings:(.*)',
    re.DOTALL,
)
_QUOTED = re.compile(r'"([^"]+)"')


def run_query(
    published_file: Path,
    sql: str,
    output: Format = "table",
    limit: int | None = None,
    *,
    vertical: bool = False,
    for_excel: bool = False,
    memory: int | None = None,
    seconds: float = 0,
) -> None:
    """Print the rows of a query to standard output.

    `limit` is the largest number of rows, 0 for all. The default is ROWS_SHOWN for a table and all
    for another format. `for_excel` writes CSV with a byte order mark, by which Excel detects UTF-8,
    with lines that end in CR LF, and with an apostrophe before a text that Excel would compute.
    `show tables` lists the published tables. DuckDB uses at most `memory` bytes, and the query
    ends after `seconds` (0: any). Raises KidoError if DuckDB rejects the query, with the nearest
    name for one that is misspelt.
    """
    if vertical and output != "table":
        raise KidoError(f"--vertical is a way to print a table, not {output}.")
    if for_excel and output != "csv":
        raise KidoError("--for-excel is a way to write CSV.", hint="Add --format csv.")
    if output == "parquet" and sys.stdout.isatty():
        raise KidoError("Parquet is not for a terminal.", hint="Send it to a file: > rows.parquet")
    with connect(published_file, read_only=True) as connection:
        if memory is not None:
            connection.execute(f"set memory_limit = '{memory} bytes'")
        # The query may read the published file and nothing else on this machine, and write nothing,
        # not even what it has no memory for. Without the lock it could switch on a log to a file,
        # by which DuckDB ends the process.
        connection.execute("set max_temp_directory_size = '0 bytes'")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        work = partial(
            _print_rows, connection, sql, output, limit, vertical=vertical, for_excel=for_excel
        )
        try:
            _run_interruptibly(connection, work, seconds)
            sys.stdout.flush()
        except duckdb.Error as error:
            raise _rejection(error, connection, sql) from None
        except OSError as error:  # of DuckDB's own files it is a duckdb.Error
            if _TOO_WIDE in str(error):
                raise KidoError(
                    "The rows are too wide to be read: the texts of some have over 2 GB.",
                    hint="Ask for fewer columns, or for a part of a text: left(column, 1000).",
                ) from None
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFullError(
                "The rows cannot be written: the disk they go to is full.",
                hint="Make room, then run it again.",
            ) from None


def _print_rows(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    output: Format,
    limit: int | None,
    *,
    vertical: bool,
    for_excel: bool,
) -> None:
    # DuckDB executes what is no query of rows, like `explain analyze`, when it makes the relation.
    relation = _relation(connection, sql)
    if relation is None:
        return
    if output == "table":
        max_rows = ROWS_SHOWN if limit is None else limit
        _print_table(relation, max_rows, vertical=vertical)
        return
    write = partial(_write_csv, for_excel=True) if for_excel else _EXPORTS[output]
    write(relation.limit(limit) if limit else relation)


def _run_interruptibly(
    connection: duckdb.DuckDBPyConnection, work: Callable[[], None], seconds: float
) -> None:
    """Do the work in a thread, since DuckDB ignores Ctrl-C within a step of a query.

    This thread polls for the signal: one that reaches a thread of DuckDB would not wake it.
    Raises KidoError after `seconds`; 0 is no limit.
    """
    end = time.monotonic() + seconds if seconds else math.inf
    is_late = False
    with ThreadPoolExecutor(max_workers=1) as thread:
        result = thread.submit(work)
        try:
            while not wait([result], timeout=INTERRUPT_POLL_S).done:
                if time.monotonic() > end:
                    is_late = True
                    connection.interrupt()
        except KeyboardInterrupt:
            connection.interrupt()
            raise
        try:
            result.result()
        except duckdb.InterruptException:
            if not is_late:
                raise
            raise KidoError(
                f"The query was stopped after {seconds:g} s.",
                hint="Ask for less, or set KIDO_QUERY_TIMEOUT_S to more seconds; 0 is no limit.",
            ) from None


def _relation(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyRelation | None:
    if _SHOW_TABLES.fullmatch(sql):
        return _tables(connection)
    statements = len(connection.extract_statements(sql))
    if statements == 0:
        raise KidoError("There is no query to run.", hint=_how_to_ask(connection))
    if statements > 1:
        raise KidoError("One query at a time, please.")
    return connection.sql(sql)


def _how_to_ask(connection: duckdb.DuckDBPyConnection) -> str:
    tables = tables_of(connection)
    example = f' Type one, e.g. kido query "from {tables[0].name}".' if tables else ""
    return f"{example} kido tables lists what can be queried.".lstrip()


def _tables(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """The published tables. DuckDB itself would list the tables of its empty default schema."""
    import pyarrow as pa

    tables = tables_of(connection)
    columns = {
        "schema_name": pa.array([table.schema_name for table in tables], pa.string()),
        "table_name": pa.array([table.table_name for table in tables], pa.string()),
        "rows": pa.array([table.rows for table in tables], pa.int64()),
        "grain": pa.array([table.grain for table in tables], pa.string()),
    }
    return connection.from_arrow(pa.table(columns))


def _rejection(error: duckdb.Error, connection: duckdb.DuckDBPyConnection, sql: str) -> KidoError:
    """DuckDB's error message; for an unknown name, with the nearest that exists."""
    text = str(error).strip()
    if match := _NO_TABLE.search(text):
        typed = re.search(rf"(?:\w+\.)*{re.escape(match[1])}\b", sql, re.IGNORECASE)
        name = typed[0] if typed else match[1]
        tables = [table.name for table in tables_of(connection)]
        return KidoError(
            f"The query cannot be run: no published table is called {name!r}.",
            hint=did_you_mean_table(name, tables),
        )
    if match := _NO_COLUMN.search(text):
        nearest = did_you_mean(match[1], _QUOTED.findall(match[2]))
        return KidoError(
            f"The query cannot be run: no column is called {match[1]!r}.",
            hint=nearest or "kido describe TABLE lists the columns.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return KidoError(
            "The query needs more memory than it may use.",
            hint="Ask for less, or set KIDO_MEMORY to more, e.g. 8GB.",
        )
    return KidoError(f"The query cannot be run: {text}")


def _print_table(relation: duckdb.DuckDBPyRelation, limit: int, *, vertical: bool) -> None:
    from dagster_project.serving.terminal import MOST_LINES, note, print_table, print_text

    if relation.columns == ["explain_key", "explain_value"]:
        for _, plan in relation.fetchall():
            print_text(plan)
        return
    rows, count = _first_readable_rows(relation, limit)
    print_table(
        columns_of(relation.columns, [str(kind) for kind in relation.types], rows),
        vertical=vertical,
        common_label="In every row"
        if count == len(rows)
        else f"In each of the {len(rows)} rows shown",
        most_lines=None if vertical else MOST_LINES,
        hint="--vertical prints all.",
    )
    if not count:
        note("No rows.")
    elif count > len(rows):
        total = (
            f"more than {MOST_COUNTED:,} rows" if count > MOST_COUNTED else counted(count, "row")
        )
        note(f"{len(rows):,} of {total}; --limit 0 prints all, --format csv all of them exactly.")


def columns_of(
    names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[Column]:
    """Rows as the columns of a table; numbers are aligned to the right."""
    from dagster_project.serving.terminal import Column, shown

    return [
        Column(
            name,
            [shown(_plain(row[i], kind), is_year=name.endswith("year")) for row in rows],
            is_number=bool(_NUMBER.match(kind)),
        )
        for i, (name, kind) in enumerate(zip(names, types, strict=True))
    ]


def _plain(value: Any, kind: str) -> Any:
    """Arrow has a map as a list of pairs."""
    return dict(value) if value is not None and kind.startswith("MAP") else value


def _readable(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    kinds = [str(kind) for kind in relation.types]
    if not any(map(_AS_TEXT.search, kinds)):
        return relation
    return relation.project(
        ", ".join(
            f"#{i}::varchar" if _AS_TEXT.search(kind) else f"#{i}"
            for i, kind in enumerate(kinds, 1)
        )
    )


def _first_readable_rows(
    relation: duckdb.DuckDBPyRelation, limit: int
) -> tuple[list[tuple[Any, ...]], int]:
    """The first rows; as texts if a value has none in Python, like a day that is infinite."""
    try:
        return _first_rows(_readable(relation), limit)
    except (OverflowError, ValueError):
        return _first_rows(relation.project("columns(*)::varchar"), limit)


def _first_rows(relation: duckdb.DuckDBPyRelation, limit: int) -> tuple[list[tuple[Any, ...]], int]:
    """The first rows (all if the limit is 0), and how many there are.

    Counting stops at MOST_COUNTED, since a join without a condition may have billions.
    """
    rows: list[tuple[Any, ...]] = []
    count = 0
    for batch in relation.to_arrow_reader(ROWS_PER_BATCH):
        wanted = batch.slice(0, limit - len(rows)) if limit else batch
        if wanted.num_rows and not (limit and len(rows) >= limit):
            rows += zip(*(column.to_pylist() for column in wanted.columns), strict=True)
        count += batch.num_rows
        if limit and count > max(limit, MOST_COUNTED):
            break
    return rows, count


def _write_csv(relation: duckdb.DuckDBPyRelation, *, for_excel: bool = False) -> None:
    """Each value as DuckDB casts it to text; an empty text is quoted, a missing value is not.

    Written as bytes, so that the platform changes neither encoding nor line ends.
    """
    import polars as pl

    def write(text: str) -> None:
        out.write(for_output(text, is_terminal=is_terminal).encode())

    end_of_line = "\r\n" if for_excel else "\n"
    is_terminal = sys.stdout.isatty()
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(codecs.BOM_UTF8 if for_excel else b"")
    names = [_without_formula(name) if for_excel else name for name in relation.columns]
    write(",".join(map(_csv_name, names)) + end_of_line)
    texts = [i for i, kind in enumerate(relation.types) if not _NUMBER.match(str(kind))]
    for batch in relation.project("columns(*)::varchar").to_arrow_reader(ROWS_PER_BATCH):
        frame = pl.DataFrame(batch)
        if for_excel and texts:
            frame = frame.with_columns(pl.nth(texts).str.replace(_FORMULA, "'${1}"))
        write(frame.write_csv(include_header=False, line_terminator=end_of_line))


_FORMULA = r"^([\x00-\x20\s]*[=+\-@＝＋－＠]|[\t\r\n])"
"""The first characters of a text that Excel may compute as a formula, also in full width."""


def _without_formula(text: str) -> str:
    return re.sub(_FORMULA, r"'\1", text)


def _csv_name(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if re.search(r'[",\n\r]', name) or not name else name


def _write_json(relation: duckdb.DuckDBPyRelation) -> None:
    """An array of objects, a row a line; a float that is not finite, also in a list, is null."""
    finite = ", ".join(
        f'{_finite(i, str(kind))} as "{_escaped(name)}"'
        for i, (name, kind) in enumerate(zip(relation.columns, relation.types, strict=True), 1)
    )
    objects = relation.project(finite).set_alias("_kido_row").project("to_json(_kido_row)")
    before = "[\n"
    for batch in objects.to_arrow_reader(ROWS_PER_BATCH):
        for line in batch.column(0).to_pylist():
            _write(before + line)
            before = ",\n"
    _write("[]\n" if before == "[\n" else "\n]\n")


def _finite(i: int, kind: str) -> str:
    """The column at this position, with null for floats that JSON cannot write."""
    if kind in ("DOUBLE", "FLOAT"):
        return f"case when isfinite(#{i}) then #{i} end"
    if kind in ("DOUBLE[]", "FLOAT[]"):
        return f"list_transform(#{i}, lambda x: case when isfinite(x) then x end)"
    return f"#{i}"


def _escaped(name: str) -> str:
    return name.replace('"', '""')


def _write_markdown(relation: duckdb.DuckDBPyRelation) -> None:
    """A table of GitHub's Markdown; each value as DuckDB casts it to text, missing ones empty."""
    rules = ["---:" if _NUMBER.match(str(kind)) else "---" for kind in relation.types]
    _write(_markdown_row(relation.columns))
    _write(_markdown_row(rules))
    for batch in relation.project("columns(*)::varchar").to_arrow_reader(ROWS_PER_BATCH):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            _write(_markdown_row(["" if cell is None else cell for cell in row]))


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", r"\|").replace("\n", "<br>") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"


def _write_parquet(relation: duckdb.DuckDBPyRelation) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # A reader that is left open keeps the file open, with its configuration locked.
        with (
            relation.to_arrow_reader(ROWS_PER_BATCH) as reader,
            pq.ParquetWriter(sys.stdout.buffer, reader.schema) as writer,
        ):
            for batch in reader:
                writer.write_batch(batch)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise KidoError(
            f"Parquet has no type for a column of this query: {error}.", hint="Cast it to varchar."
        ) from None


def _write(text: str) -> None:
    sys.stdout.write(for_output(text, is_terminal=sys.stdout.isatty()))


_EXPORTS: Mapping[str, Callable[[duckdb.DuckDBPyRelation], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "markdown": _write_markdown,
    "parquet": _write_parquet,
}

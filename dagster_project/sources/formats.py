"""Pure helpers that recognise the kind of a payload and open it: HTML, zip, CSV, workbook, Parquet.

Nothing here depends on a publisher's columns; there is no network access, and files are only read.
Every source opens its documents here, so that the limits in `limits` apply to all of them.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from dagster_project.errors import UpstreamFormatError, listed, shortened
from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.vocabulary import label_rows
from dagster_project.sources import parquet
from dagster_project.sources.card import Document, Kind
from dagster_project.sources.limits import (
    FREE_BYTES,
    LONGEST_FIELD,
    LONGEST_LINE,
    MOST_ARCHIVE_BYTES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_EXPANSION,
    MOST_HELD_BYTES,
    MOST_MEMBERS,
    MOST_ROWS,
)

Payload = bytes | Path
"""A document as received: in memory, or a file that is too large for that."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
"""How an Excel workbook of before 2007 (`.xls`) begins."""
_AGAIN = "Fetch or land the file again."
_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_SIGNATURE = b"\x1f\x8b"
_ZIP_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for archives that are cut, damaged, encrypted or exotic."""


def _start(payload: bytes) -> bytes:
    return payload[:1024].removeprefix(_BYTE_ORDER_MARK).lstrip()


def looks_like_html(payload: bytes) -> bool:
    """Whether the bytes begin as an HTML page or an XML fault: no CSV, JSON, zip or workbook
    does.
    """
    return _start(payload).startswith(b"<")


def looks_like_xml(payload: bytes) -> bool:
    """Whether the bytes begin as an XML document, which an HTML page does not."""
    start = _start(payload)
    return start.startswith(b"<") and not start[:15].lower().startswith(
        (b"<!doctype html", b"<html")
    )


def looks_like_zip(payload: bytes) -> bool:
    """Whether the bytes begin as a zip archive (a workbook is one too)."""
    return payload.startswith(_ZIP_SIGNATURES)


def looks_like_gzip(payload: bytes) -> bool:
    """Whether the bytes begin as a gzip file."""
    return payload.startswith(_GZIP_SIGNATURE)


def looks_like_parquet(payload: bytes) -> bool:
    """Whether the bytes begin as a Parquet file."""
    return payload.startswith(parquet.MAGIC)


def looks_like(payload: bytes, kind: Kind) -> bool:
    """Whether the first bytes can be of that kind.

    A table in text (CSV, TSV) is text that is neither JSON nor a page.
    """
    start = _start(payload)
    is_json = start.startswith((b"{", b"["))
    is_packed = looks_like_zip(payload) or looks_like_gzip(payload)
    if kind in ("zip", "xlsx"):
        return looks_like_zip(payload)
    if kind == "gzip":
        return looks_like_gzip(payload)
    if kind == "xml":
        return looks_like_xml(payload)
    if kind == "html":
        return looks_like_html(payload)
    if kind == "json":
        return is_json
    is_text = bool(start) and not is_packed and b"\0" not in start
    return is_text if kind == "text" else is_text and not is_json and not looks_like_html(payload)


_LANDED_UNPACKED = (".dta", ".xlsx", ".json", ".csv")
"""Kinds of file that can be read on their own, the most complete first."""

_BYTES_OF_A_CELL = 8
"""Bytes per number; a text takes twice that, in addition to its characters."""

BLOCK_BYTES = 8 << 20
"""Bytes of a large file in memory at a time: more is no faster, and a typed copy is larger."""


_ZIP_ENTRY = b"PK\x01\x02"
"""How an entry of an archive's list of members begins."""

LIST_BYTES = 1 << 20
"""Bytes read at the end of an archive, where its list of members is: 1,000 entries are 100 KiB."""


def is_zip(file: Path) -> bool:
    """Whether a file begins as a zip archive."""
    with file.open("rb") as stream:
        return looks_like_zip(stream.read(4))


def zip_members(payload: Payload, *, source: str) -> list[str]:
    """Names of the members of a zip archive.

    Raises UpstreamFormatError when it is cut, or has or unpacks to more than the limits.
    """
    with _opened(payload, source=source) as archive:
        return archive.namelist()


def unzip_blocks(payload: Payload, member: str, *, source: str, hint: str = "") -> Iterator[bytes]:
    """The bytes of one member of a zip archive in blocks, for one too large for memory.

    Raises UpstreamFormatError when the archive has no such member (then with `hint`), exceeds the
    limits, or is cut or damaged, possibly after the last block: only the whole member can be
    checked.
    """
    with _opened(payload, source=source) as archive:
        if member not in archive.namelist():
            raise UpstreamFormatError(
                f"{source}: the zip archive contains {listed(archive.namelist()) or 'nothing'}, "
                f"not {member}.",
                hint=hint,
            )
        # Reading in blocks does not exceed the size in the list of members, whatever follows in the
        # archive; reading at once would unpack all of it first.
        with archive.open(member) as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block


def read_ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks; the next one is read while the current one is used.

    Unpacking does not block other threads of Python: a year of BACI takes the time of its parsing.
    """
    with ThreadPoolExecutor(1, "read ahead") as thread:
        coming = thread.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = thread.submit(next, blocks, None)
            yield block


def unzip_member(payload: Payload, member: str, *, source: str, hint: str = "") -> bytes:
    """The bytes of one member of a zip archive; see `unzip_blocks`."""
    whole = io.BytesIO()
    for block in unzip_blocks(payload, member, source=source, hint=hint):
        _require_holdable(whole.tell() + len(block), source=source, what=member)
        whole.write(block)
    return whole.getvalue()


@contextmanager
def _opened(
    payload: Payload, *, source: str, what: str = "zip archive", hint: str = "Fetch it again."
) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose list of members is within the limits; raises UpstreamFormatError if
    damaged.
    """
    # A list of millions takes a gigabyte to open, so its end is read first.
    if _end_of(payload).count(_ZIP_ENTRY) > MOST_MEMBERS:
        raise UpstreamFormatError(f"{source}: the {what} holds more than {MOST_MEMBERS:,} members.")
    try:
        file = io.BytesIO(payload) if isinstance(payload, bytes) else payload
        with zipfile.ZipFile(file) as archive:
            _require_small(archive.infolist(), source=source, what=what)
            yield archive
    except _ZIP_FAILURES as error:
        raise UpstreamFormatError(
            f"{source}: the {what} is cut or damaged ({shortened(str(error))}).", hint=hint
        ) from error


def _end_of(payload: Payload) -> bytes:
    if isinstance(payload, bytes):
        return payload[-LIST_BYTES:]
    with payload.open("rb") as stream:
        stream.seek(max(0, payload.stat().st_size - LIST_BYTES))
        return stream.read()


def _require_small(members: Sequence[zipfile.ZipInfo], *, source: str, what: str) -> None:
    if len(members) > MOST_MEMBERS:
        raise UpstreamFormatError(f"{source}: the {what} holds more than {MOST_MEMBERS:,} members.")
    unfolded = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unfolded > max(FREE_BYTES, MOST_EXPANSION * packed) or unfolded > MOST_ARCHIVE_BYTES:
        raise UpstreamFormatError(
            f"{source}: the {what} of {packed >> 10:,} KiB unpacks to {unfolded >> 20:,} MiB, "
            "more than any table does."
        )


def _require_holdable(size: int, *, source: str, what: str) -> None:
    if size > MOST_HELD_BYTES:
        raise UpstreamFormatError(
            f"{source}: {what} unpacks to more than {MOST_HELD_BYTES >> 20} MiB."
        )


def gunzip(payload: bytes, *, source: str) -> bytes:
    """The content of a gzip file.

    Raises UpstreamFormatError when it is cut or damaged, or unpacks to more than the limits.
    """
    most = min(MOST_HELD_BYTES, max(FREE_BYTES, MOST_EXPANSION * len(payload)))
    try:
        # A gzip file does not contain its unpacked size: it is unpacked once to measure it.
        size = 0
        with gzip.open(io.BytesIO(payload)) as stream:
            while block := stream.read(BLOCK_BYTES):
                size += len(block)
                if size > most:
                    raise UpstreamFormatError(
                        f"{source}: the gzip file of {len(payload) >> 10:,} KiB unpacks to more "
                        f"than {most >> 20:,} MiB, more than any table does."
                    )
        return gzip.decompress(payload)
    except (OSError, EOFError, zlib.error) as error:
        raise UpstreamFormatError(
            f"{source}: the gzip file is cut or damaged ({error}).", hint="Fetch it again."
        ) from error


def is_it_the_file_of(homepage: str) -> str:
    """The hint for a complete file that is not the one a source reads."""
    return f"Is it the file of {homepage}?"


def require_text(
    payload: bytes, *, source: str, reads: Sequence[str] = ("CSV",), hint: str = ""
) -> str:
    """The text of a payload in UTF-8, without its byte order mark.

    `reads` are the names of the source's formats, the last one the table in text; `hint` names the
    right origin of the file. Raises UpstreamFormatError when the payload is empty, an HTML
    page, text in UTF-16, an old workbook, or for another reason not UTF-8.
    """
    if not payload.removeprefix(_BYTE_ORDER_MARK).strip():
        raise UpstreamFormatError(f"{source}: the file is empty.")
    if looks_like_html(payload):
        *others, last = reads
        expected = f"a {', '.join(others)} or {last}" if others else last
        raise UpstreamFormatError(f"{source}: HTML page where {expected} was expected.", hint=hint)
    if payload.startswith(_OLD_WORKBOOK):
        kept_as = ".xlsx" if "workbook" in reads else "CSV in UTF-8"
        raise UpstreamFormatError(
            f"{source}: the file is an Excel workbook of the old kind (.xls).",
            hint=f"Save it as {kept_as}.",
        )
    if payload.startswith(_UTF_16_MARKS):
        raise UpstreamFormatError(
            f"{source}: the file is text in UTF-16.", hint="Save it as CSV in UTF-8."
        )
    if b"\0" in payload:
        raise UpstreamFormatError(
            f"{source}: the file has NUL bytes: it is text in UTF-16, or not text.",
            hint="Save it as CSV in UTF-8.",
        )
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UpstreamFormatError(
            f"{source}: the file is not UTF-8 text (byte {error.start}).",
            hint="Save it as CSV in UTF-8.",
        ) from error


def header_of(payload: bytes, *, source: str, separator: str = ",") -> list[str]:
    """The names in the first line of a text: in lower case, without quotes and blanks around them.

    Raises UpstreamFormatError where the line is too long, or names too many columns.
    """
    line, end, _ = payload[: LONGEST_LINE + 2].removeprefix(_BYTE_ORDER_MARK).partition(b"\n")
    if b"\r" in line.rstrip(b"\r") or (not end and line.endswith(b"\r")):
        raise UpstreamFormatError(
            f"{source}: the lines end in carriage returns only.",
            hint="Save it with the line ends of Windows or Unix.",
        )
    if len(line) > LONGEST_LINE:
        raise _too_long(1, source)
    text = line.decode("utf-8", "replace").rstrip("\r")
    require_width(text.count(separator) + 1, source=source)
    return [name.strip().strip('"').lower() for name in text.split(separator)]


def require_width(columns: int, *, source: str) -> None:
    """Raise UpstreamFormatError where a table has more columns than any known one."""
    if columns > MOST_COLUMNS:
        raise UpstreamFormatError(
            f"{source}: the table has {columns:,} columns, more than the {MOST_COLUMNS:,} that are "
            "read."
        )


def require_short_fields(table: pl.DataFrame, *, source: str) -> None:
    """Raise UpstreamFormatError where a text in a table is longer than a cell may be."""
    texts = table.select(pl.col(pl.String))
    lengths = texts.select(pl.all().str.len_chars().max().fill_null(0)).rows()
    longest = max((length for row in lengths for length in row), default=0)
    if longest > LONGEST_FIELD:
        raise UpstreamFormatError(
            f"{source}: a value has {longest:,} characters, more than the {LONGEST_FIELD:,} that a "
            "cell may contain."
        )


def _too_long(line: int, source: str) -> UpstreamFormatError:
    return UpstreamFormatError(
        f"{source}: line {line} is longer than {LONGEST_LINE >> 20} MiB, longer than any row."
    )


def read_text_table(
    payload: bytes,
    *,
    source: str,
    required: Collection[str],
    optional: Collection[str] = (),
    others: bool = False,
    separator: str = ",",
    reads: Sequence[str] = ("CSV",),
    hint: str = "",
) -> pl.DataFrame:
    """A table with a `separator`, every cell text (blank is null), column names in lower case.

    The columns of `required` must be present, in any order; missing ones of `optional` become null.
    Further columns are dropped if `others` are allowed, else rejected; a column without a name
    (after a trailing comma) is always dropped. `reads` and `hint` are those of `require_text`.
    Raises UpstreamFormatError when the payload is not text (see there), has no rows, other columns,
    a line with more or fewer values than the header, or a cut last line, and for lines, values or
    headers beyond the limits.
    """
    text = require_text(payload, source=source, reads=reads, hint=hint)
    header = header_of(payload, source=source, separator=separator)
    lines = pl.Series(text.replace("\r\n", "\n").split("\n"))
    known = [*required, *optional]
    require_columns(header, required, known=None if others else known, source=source, hint=hint)
    long = lines.str.len_bytes() > LONGEST_LINE
    if long.any():
        raise _too_long((long.arg_max() or 0) + 1, source)
    _require_whole_lines(lines, header, separator, source=source)

    body = lines.slice(1).filter(lines.slice(1) != "")
    if body.is_empty():
        raise UpstreamFormatError(f"{source}: the file has a header and no rows.")
    table = pl.read_csv(
        io.BytesIO("\n".join(body).encode()),
        has_header=False,
        separator=separator,
        schema={f"column {position}": pl.String for position, _ in enumerate(header)},
    )
    require_short_fields(table, source=source)
    return table.select(
        (
            pl.col(f"column {header.index(name)}").str.strip_chars().replace("", None)
            if name in header
            else pl.lit(None, pl.String)
        ).alias(name)
        for name in known
    )


def read_parquet_table(
    payload: bytes,
    *,
    source: str,
    texts: Collection[str],
    numbers: Collection[str],
    optional: Collection[str] = (),
    hint: str = "",
) -> pl.DataFrame:
    """A table of a Parquet file: columns of `texts` as text, of `numbers` as stored.

    Names are read in lower case; those of `optional` may be missing and become null, all others
    must be present and no further ones. Raises UpstreamFormatError when the file is cut or damaged,
    would unpack to more than the limits, has no rows, or has other columns or types.
    """
    _require_foldable(payload, source=source)
    try:
        table = pl.read_parquet(io.BytesIO(payload))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _damaged_parquet(source, error) from error
    header = [name.lower() for name in table.columns]
    known = [*texts, *numbers]
    required = [name for name in known if name not in optional]
    require_columns(header, required, known=known, source=source, hint=hint)
    for name, dtype in zip(header, table.dtypes, strict=True):
        if dtype != pl.String if name in texts else not dtype.is_numeric():
            raise UpstreamFormatError(
                f"{source}: the column {name} contains {dtype}, not "
                f"{'text' if name in texts else 'numbers'}.",
                hint=hint,
            )
    if table.is_empty():
        raise UpstreamFormatError(f"{source}: the file has columns and no rows.")
    table.columns = header
    require_short_fields(table, source=source)
    absent = {
        name: pl.lit(None, pl.String if name in texts else pl.Float64)
        for name in known
        if name not in header
    }
    return table.with_columns(**absent).select(known)


def _require_foldable(payload: bytes, *, source: str) -> None:
    """Reject a Parquet file that unpacks beyond the limits; a run of one value takes no bytes."""
    try:
        measured = parquet.measure(payload)
    except parquet.DamagedParquetError as error:
        raise _damaged_parquet(source, error) from error
    require_width(measured.columns, source=source)
    unfolded = max(measured.unfolded_bytes, measured.rows * measured.columns * _BYTES_OF_A_CELL)
    if unfolded > min(MOST_HELD_BYTES, max(FREE_BYTES, MOST_EXPANSION * len(payload))):
        raise UpstreamFormatError(
            f"{source}: the Parquet file of {len(payload) >> 10:,} KiB unpacks to "
            f"{unfolded >> 20:,} MiB, more than any table does."
        )


def _damaged_parquet(source: str, error: BaseException) -> UpstreamFormatError:
    reason = shortened(str(error).splitlines()[0] if str(error) else type(error).__name__)
    return UpstreamFormatError(
        f"{source}: the Parquet file is cut or damaged ({reason}).", hint=_AGAIN
    )


def require_columns(
    header: Sequence[str],
    required: Collection[str],
    *,
    source: str,
    known: Collection[str] | None = None,
    hint: str = "",
) -> None:
    """Raise UpstreamFormatError unless a header has every column of `required`, and no duplicates.

    Names in lower case. `known`, if given, are the only ones it may have.
    """
    problems = {
        "missing": [name for name in required if name not in header],
        "duplicated": sorted({name for name in header if name and header.count(name) > 1}),
        "not known": [name for name in header if name and known is not None and name not in known],
    }
    if any(problems.values()):
        described = (f"{what}: {listed(names)}" for what, names in problems.items() if names)
        raise UpstreamFormatError(f"{source}: columns {'; '.join(described)}.", hint=hint)


def _require_whole_lines(
    lines: pl.Series, header: list[str], separator: str, *, source: str
) -> None:
    # A line cut inside its last value has the right count of commas: only the line end shows it.
    # Where a trailing comma ends each line, that comma shows it as well.
    ends_whole = lines[-1] == "" or header[-1] == ""
    broken = (
        pl.LazyFrame({"line": lines})
        .with_row_index("number", offset=1)
        .filter(pl.col("line") != "")
        .with_columns(unquoted=pl.col("line").str.replace_all(r'"[^"]*"', ""))
        .filter(
            pl.col("unquoted").str.contains('"', literal=True)
            | (pl.col("unquoted").str.count_matches(separator, literal=True) != len(header) - 1)
        )
        .select(pl.col("number").min())
        .collect()
        .item()
    )
    if broken is not None and broken < len(lines):
        raise UpstreamFormatError(
            f"{source}: line {broken} does not contain the {len(header)} values of the header."
        )
    if broken is not None or not ends_whole:
        raise UpstreamFormatError(
            f"{source}: the last line (line {len(lines)}) is cut.",
            hint=_AGAIN,
        )


def read_sheet(payload: bytes, sheet: str | None, *, source: str, hint: str = "") -> pl.DataFrame:
    """A sheet of a workbook (the first if `sheet` is None), every cell text, blank is null.

    The name of a sheet is compared without case and surrounding blanks. Columns are `column 0`,
    `column 1` and so on, rows are in the order of the sheet. A formula becomes its stored value, a
    number its shortest text, so that it casts back to the same number. Raises UpstreamFormatError
    when the payload is not a workbook, cut or damaged, and when it has no such sheet (then with
    `hint`).
    """
    import openpyxl

    archive = _unfolded_workbook(payload, source=source)
    try:
        workbook = openpyxl.load_workbook(archive, read_only=True, data_only=True)
        names = [str(name) for name in workbook.sheetnames]
        sheet_name = names[0] if sheet is None and names else _sheet_named(sheet or "", names)
        rows: list[list[str | None]] = []
        if sheet_name is not None:
            worksheet = workbook[sheet_name]
            # Some programs write a wrong size into the sheet; the rows themselves are counted.
            worksheet.reset_dimensions()
            rows = _rows_of_sheet(worksheet.iter_rows(values_only=True), source=source)
    except UpstreamFormatError:
        raise
    except Exception as error:  # openpyxl raises any error for a damaged part
        reason = shortened(" ".join(str(error).split()))
        raise UpstreamFormatError(
            f"{source}: the workbook is cut or damaged ({reason}).", hint=_AGAIN
        ) from error
    if sheet_name is None:
        raise UpstreamFormatError(
            f"{source}: the workbook has no sheet {sheet!r} (it has: {listed(names)}).", hint=hint
        )
    width = max(map(len, rows), default=0)
    if width * len(rows) > MOST_CELLS:
        raise _too_many_cells(source)
    table = pl.DataFrame(
        {
            f"column {position}": pl.Series(
                [row[position] if position < len(row) else None for row in rows], dtype=pl.String
            )
            for position in range(width)
        }
    )
    require_short_fields(table, source=source)
    return table


def _rows_of_sheet(rows: Iterable[tuple[object, ...]], *, source: str) -> list[list[str | None]]:
    """The cells as text, row by row, without blank rows at the end."""
    texts_of_rows: list[list[str | None]] = []
    cells, characters, last = 0, 0, 0
    for number, row in enumerate(rows, start=1):
        require_width(len(row), source=source)
        texts = [_cell_text(cell) for cell in row]
        # Many cells may point to one text.
        characters += sum(len(text) for text in texts if text)
        cells += len(row)
        if cells > MOST_CELLS or characters > MOST_HELD_BYTES or number > MOST_ROWS:
            raise _too_many_cells(source)
        if any(texts):
            last = number
        texts_of_rows.append(texts)
    return texts_of_rows[:last]


def _too_many_cells(source: str) -> UpstreamFormatError:
    return UpstreamFormatError(
        f"{source}: the sheet has more than {MOST_CELLS:,} cells or {MOST_ROWS:,} rows, more than "
        "any known one."
    )


def _unfolded_workbook(payload: bytes, *, source: str) -> io.BytesIO:
    """The workbook with its parts unpacked, for openpyxl, which unpacks each at once."""
    whole = io.BytesIO()
    with (
        _opened(payload, source=source, what="workbook", hint=_AGAIN) as packed,
        zipfile.ZipFile(whole, "w") as unpacked,
    ):
        names = list(dict.fromkeys(packed.namelist()))
        _require_workbook(names, source=source)
        for name in names:
            with packed.open(name) as part, unpacked.open(name, "w") as copy:
                while block := part.read(BLOCK_BYTES):
                    _require_holdable(whole.tell() + len(block), source=source, what="the workbook")
                    copy.write(block)
    whole.seek(0)
    return whole


def _require_workbook(members: Sequence[str], *, source: str) -> None:
    """Reject a zip archive of other files."""
    if "[Content_Types].xml" in members:  # every workbook has this part
        return
    readable = [name for kind in _LANDED_UNPACKED for name in members if name.endswith(kind)]
    raise UpstreamFormatError(
        f"{source}: the zip archive is not a workbook, it contains {listed(members) or 'nothing'}.",
        hint=f"Unpack it and land {shortened(readable[0])}." if readable else "",
    )


def _sheet_named(sheet: str, names: Sequence[str]) -> str | None:
    if sheet in names:
        return sheet
    plain = sheet.strip().casefold()
    return next((name for name in names if name.strip().casefold() == plain), None)


def _cell_text(cell: object) -> str | None:
    return None if cell is None else str(cell).strip() or None


def require_every(
    row: pl.Expr,
    *,
    table: pl.DataFrame,
    value: pl.Expr,
    what: str,
    source: str,
    error: type[UpstreamFormatError] = UpstreamFormatError,
    hint: str = "",
) -> None:
    """Raise `error` unless `row` is true (null is not) on every row of a table.

    The message names the first values that break the rule: `<source>: '<value>' <what>.`
    """
    # The streaming engine of polars 2.1 panics on `pl.format` over a table of several chunks.
    broken = (
        table.lazy()
        .filter(~row.fill_null(False))
        .select(value.fill_null(""))
        .collect(engine="in-memory")
    )
    if broken.height:
        values = broken.to_series().unique().sort().head(3).to_list()
        raise error(f"{source}: {listed(map(repr, values))} {what}.", hint=hint)


def utc_naive(instant: datetime) -> datetime:
    """An instant as the lake keeps it: UTC, without a zone attached."""
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def vintage_of_days(document: Document) -> pl.Expr:
    """`vintage_at` of quotes: the day itself (`price_date`) for bundled ones, else the time of
    retrieval.
    """
    if document.is_bundled:
        return pl.col("price_date").cast(INSTANT)
    return pl.lit(utc_naive(document.retrieved_at), INSTANT)


def labels_of(source: str, vintage_at: pl.Expr) -> pl.DataFrame:
    """The list of a source's labels -> `material_labels`, one row per label."""
    named = (
        "label", "material", "mineral", "mineral_group", "stage", "content_basis", "left_out",
    )  # fmt: skip
    return pl.DataFrame(label_rows(source), schema=dict.fromkeys(named, pl.String)).select(
        pl.lit(source).alias("source"),
        *named,
        pl.lit(False).alias("is_provisional"),
        vintage_at.cast(INSTANT).alias("vintage_at"),
    )

"""Files made to hurt: each ends in a sentence, soon, in little memory, and nothing of it is kept.

The files of a source are landed one after the other in a process of their own, where a hang or a
gigabyte shows.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import product

import openpyxl
import pandas as pd
import polars as pl
import pytest

from dagster_project.settings import BUNDLED
from dagster_project.sources.card import Document
from dagster_project.sources.registry import all_sources, source_names
from tests.conftest import CHECKOUT
from tests.nightly import is_night, nightly
from tests.right_files import RIGHT_FILES

MOST_SECONDS = 5
MOST_MIB = 500
MOST_CHARACTERS = 900
"""Of a message: two quoted texts of 200 characters, the words around them and a hint."""

CHILD = """
import json, sys, time
from pathlib import Path
import openpyxl.styles, pandas, yaml
from dagster_project.errors import KidoError
from dagster_project.intake.land import land_files
from dagster_project.quality import runner
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named

def peak_mib():
    # Of this program alone: what `resource` gives is that of its parent, if that is larger.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

def kept():
    return sorted(str(path) for path in settings.home.rglob("*"))

source, *files = sys.argv[1:]
settings = Settings.load()
settings.home.mkdir()
begun = peak_mib()
for file in files:
    before, started = kept(), time.process_time()
    try:
        land_files(settings, source_named(source), [Path(file)])
        ended = "landed"
    except KidoError as error:
        ended = str(error)
    except BaseException as error:
        ended = f"{type(error).__name__} got through"
    print(json.dumps([
        Path(file).parent.name, ended, time.process_time() - started, peak_mib() - begun,
        kept() == before,
    ]), flush=True)
"""


@dataclass(frozen=True)
class Ending:
    output: str
    seconds: float
    mib: float
    is_home_untouched: bool


# Texts.


def table_of(source: str) -> bytes:
    """A table of the source that is right."""
    if source in RIGHT_FILES:
        return RIGHT_FILES[source]()
    card = all_sources()[source].CARD
    name = next(name for name in card.bundled if name.endswith(".csv"))
    return (BUNDLED / source / name).read_bytes()


def many_columns(table: bytes) -> bytes:
    header, rest = table.split(b"\n", 1)
    return header + b"".join(b",x%d" % number for number in range(1_000_000)) + b"\n" + rest


def many_columns_of_one_name(table: bytes) -> bytes:
    header, rest = table.split(b"\n", 1)
    return header + b",x" * 400_000 + b"\n" + rest


def old_line_ends(table: bytes) -> bytes:
    return table.replace(b"\n", b"\r") * max(1, (20 << 20) // len(table))


def one_endless_line(table: bytes) -> bytes:
    header, rest = table.split(b"\n", 1)
    return header + b"\n" + rest.replace(b"\n", b",") * max(1, (20 << 20) // len(rest))


def in_digits_of(zero: str) -> Callable[[bytes], bytes]:
    other = str.maketrans({str(digit): chr(ord(zero) + digit) for digit in range(10)})

    def change(table: bytes) -> bytes:
        header, rest = table.decode().split("\n", 1)
        return f"{header}\n{rest.translate(other)}".encode()

    return change


def long_field(size: int, place: int) -> Callable[[bytes], bytes]:
    def change(table: bytes) -> bytes:
        header, row, rest = table.split(b"\n", 2)
        cells = row.split(b",")
        cells[place] = b"1" * size
        return b"\n".join([header, b",".join(cells), rest])

    return change


def long_name(table: bytes) -> bytes:
    header, rest = table.split(b"\n", 1)
    return header + b"," + b"n" * (500 << 10) + b"\n" + rest


TEXTS: Mapping[str, Callable[[bytes], bytes]] = {
    "a million columns": many_columns,
    "a column 400,000 times": many_columns_of_one_name,
    "carriage returns alone": old_line_ends,
    "one endless line": one_endless_line,
    "full-width digits": in_digits_of("０"),
    "Arabic-Indic digits": in_digits_of("٠"),
    "a first value of 20 MB": long_field(20 << 20, 0),
    "a last value of 20 MB": long_field(20 << 20, -1),
    "a first value of 100 kB": long_field(100 << 10, 0),
    "a name of 500 kB": long_name,
    "nothing but commas": lambda table: b"," * (20 << 20),
    "nothing but quotes": lambda table: table.split(b"\n", 1)[0] + b"\n" + b'"' * (20 << 20),
}


# Archives.


@dataclass(frozen=True)
class Member:
    """A member of an archive, packed; `says` is the size that the archive's list gives."""

    packed: bytes
    says: int
    crc: int = 0


def plain(content: bytes) -> Member:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(content) + deflate.flush()
    return Member(packed, len(content), zlib.crc32(content))


@cache
def repeated(piece: bytes, size: int, start: bytes = b"", end: bytes = b"") -> Member:
    """`start`, then the piece over and over for `size` bytes, then `end`."""
    times = max(1, size // len(piece))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = deflate.compress(start) + deflate.flush(zlib.Z_FULL_FLUSH)
    once = deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)
    tail = deflate.compress(end) + deflate.flush()
    return Member(head + once * times + tail, len(start) + len(piece) * times + len(end))


def zip_of(members: Mapping[str, Member], *, listed: int = 1) -> bytes:
    """A zip archive; its list of members is written `listed` times over."""
    out, directory = bytearray(), b""
    for name, member in members.items():
        sizes = struct.pack("<LLL", member.crc, len(member.packed), member.says)
        common = struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes
        bare = name.encode()
        length = struct.pack("<HH", len(bare), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + length
        directory += struct.pack("<HHHLL", 0, 0, 0, 0, len(out)) + bare
        out += b"PK\x03\x04" + common + length + bare + member.packed
    directory *= listed
    count = min(len(members) * listed, 0xFFFF)
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(out), 0)
    return b"".join((out, directory, b"PK\x05\x06", end))


ROW = b"2024,156,392,850511,1.5,2\n"
GIB = 1 << 30


def archive(member: str) -> Iterator[tuple[str, bytes]]:
    """Archives with one member that the source reads."""
    table = repeated(ROW * 4096, 4 * GIB, start=b"t,i,j,k,v,q\n")
    yield "a member of 4 GiB", zip_of({member: table})
    zeros = repeated(b"\0" * (1 << 20), 2 * GIB)
    lie = Member(zeros.packed, 2048, zlib.crc32(b"\0" * 2048))
    yield "a member larger than it says", zip_of({member: lie})
    yield "two million members", zip_of({member: plain(ROW)}, listed=2_000_000)
    part = repeated(b" " * (1 << 20), 100 << 20)
    yield "500 members of 100 MB", zip_of({f"{number}/{member}": part for number in range(500)})


@cache
def workbook_parts(sheet: str) -> Mapping[str, bytes]:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = sheet
    book.active.append(["a text", 1])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as parts:
        found = {name: parts.read(name) for name in parts.namelist()}
    types = found["[Content_Types].xml"]
    return {**found, "[Content_Types].xml": types.replace(b"</Types>", TYPE_OF_STRINGS)}


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
TYPE_OF_STRINGS = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
    b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)
SHEET_STARTS = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
SHEET_ENDS = b"</sheetData></worksheet>"
STRINGS_START = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
)


def workbooks(sheet: str) -> Iterator[tuple[str, bytes]]:
    parts = {name: plain(part) for name, part in workbook_parts(sheet).items()}
    parts[STRINGS] = plain(STRINGS_START + b"</sst>")

    def changed(**other: Member) -> bytes:
        names = {"sheet": SHEET, "strings": STRINGS}
        return zip_of({**parts, **{names[name]: member for name, member in other.items()}})

    def sheet_of(rows: bytes) -> Member:
        return plain(SHEET_STARTS + rows + SHEET_ENDS)

    row = b"<row>" + b"<c><v>1</v></c>" * 50 + b"</row>"
    full = repeated(row * 1000, 4 * GIB, SHEET_STARTS, SHEET_ENDS)
    yield "a sheet of 4 GiB", changed(sheet=full)
    yield "a sheet larger than it says", changed(sheet=Member(full.packed, 2048, 1))
    wide = b"<row>" + b"<c><v>1</v></c>" * 16_384 + b"</row>"
    yield "16,384 columns", changed(sheet=sheet_of(wide * 60))
    yield "16,384 blank columns", changed(sheet=sheet_of(b'<row><c r="XFD1"/></row>' * 100_000))
    yield (
        "a row with the number 2,000,000,000",
        changed(sheet=sheet_of(b'<row r="2000000000"><c><v>1</v></c></row>')),
    )
    yield (
        "a text in 300,000 cells",
        changed(
            sheet=sheet_of((b"<row>" + b'<c t="s"><v>0</v></c>' * 50 + b"</row>") * 6_000),
            strings=plain(STRINGS_START + b"<si><t>" + b"x" * 32_000 + b"</t></si></sst>"),
        ),
    )
    yield (
        "one cell far to the right of 100,000 rows",
        changed(
            sheet=sheet_of(
                b"<row><c><v>1</v></c></row>" * 100_000 + b'<row><c r="ALK1"><v>1</v></c></row>'
            )
        ),
    )
    yield (
        "a cell of 2 MB",
        changed(
            sheet=sheet_of(
                b'<row><c t="inlineStr"><is><t>' + b"x" * (2 << 20) + b"</t></is></c></row>"
            )
        ),
    )
    yield "entities of entities", changed(
        strings=plain(
            b'<!DOCTYPE sst [<!ENTITY l0 "ha">' + LAUGHS + b"]>" + STRINGS_START
            + b"<si><t>&l9;</t></si></sst>"
        )
    )  # fmt: skip
    yield from ((f"workbook: {name}", payload) for name, payload in archive("[Content_Types].xml"))


def yearly_files() -> Iterator[tuple[str, bytes]]:
    """BACI's, whose members are read in blocks."""
    member = "BACI_HS22_Y2024_V202601.csv"
    header = b"t,i,j,k,v,q"
    rows = ROW * ((15 << 20) // len(ROW))
    for name, content in {
        "a member with old line ends": header + b"\r" + rows.replace(b"\n", b"\r"),
        "a member with old line ends in its rows": header + b"\n" + rows.replace(b"\n", b"\r"),
        "a member with a million columns": header + b",x" * 400_000 + b"\n" + rows[:1000],
        "a member with a value of 10 MB": header + b"\n2024,156,392,850511," + b"1" * (10 << 20),
        "a member with a code of 900 kB": header + b"\n2024,156,392," + b"x" * 900_000 + b",1,1\n",
        "a member with full-width digits": header + "\n２０２４,156,392,850511,1,1\n".encode(),
        "a member with Arabic-Indic digits": header + "\n2024,156,392,850511,١,١\n".encode(),
    }.items():
        yield name, zip_of({member: plain(content)})
    yield from archive(member)


# The other formats.


def parquets() -> Iterator[tuple[str, bytes]]:
    flow = {
        "exporter_iso3": "CHN", "importer_iso3": "JPN", "hs6_code": "850511",
        "hs_revision": "HS2022", "year": 2024, "value_usd": 1,
    }  # fmt: skip

    def written(rows: int, **other: pl.Expr) -> bytes:
        buffer = io.BytesIO()
        table = pl.select(pl.repeat(value, rows).alias(name) for name, value in flow.items())
        table.with_columns(**other).write_parquet(buffer, compression="zstd")
        return buffer.getvalue()

    yield "parquet: a million rows alike", written(1_000_000)
    yield "parquet: a text of 100 MB", written(1, hs6_code=pl.lit("8" * (100 << 20)))
    yield "parquet: a text of 40 kB", written(1, hs6_code=pl.lit("8" * 40_000))
    yield "parquet: 4,000 columns", written(1, **{f"x{n}": pl.lit(n) for n in range(4_000)})
    yield "parquet: lists", written(3, value_usd=pl.concat_list("value_usd"))
    good = written(3)
    footer = int.from_bytes(good[-8:-4], "little")
    end = len(good) - 8 - footer
    yield "parquet: no footer", good[:end] + b"\0" * footer + good[-8:]
    yield "parquet: lists in lists", good[:end] + b"\x19" * footer + good[-8:]
    yield "parquet: a footer of 3 GB", good[:-8] + b"\xff\xff\xff\xbf" + good[-4:]
    deep = b"\x19\x19" * 400_000
    yield "parquet: a footer of 800 kB", b"PAR1" + deep + len(deep).to_bytes(4, "little") + b"PAR1"
    structs = b"\x19\xfc\xff\xff\x3f" + b"\0" * 900_000
    yield (
        "parquet: a million groups",
        b"PAR1" + structs + len(structs).to_bytes(4, "little") + b"PAR1",
    )


def gzips() -> Iterator[tuple[str, bytes]]:
    member = repeated(ROW * 4096, 10 * GIB)
    yield "a gzip file of 10 GiB", gzip.compress(b"")[:10] + member.packed + b"\0" * 8
    small = gzip.compress(b"\0" * (16 << 20))
    yield "a gzip file of many", small * 100


def jsons() -> Iterator[tuple[str, bytes]]:
    yield "lists in lists", b"[" * 5_000_000
    yield "fields in fields", b'{"a":' * 3_000_000
    yield "an error of 20 MB", json.dumps({"error": "x" * (20 << 20)}).encode()
    yield "a word of 20 MB", b"[" + b"x" * (20 << 20) + b"]"
    wide = {f"x{number}": 1 for number in range(300_000)}
    yield "300,000 fields", json.dumps({"count": 1, "data": [wide]}).encode()
    yield "a number of 1,000,000 digits", b'{"count": ' + b"1" * 1_000_000 + b', "data": []}'


def stata_files() -> Iterator[tuple[str, bytes]]:
    out = io.BytesIO()
    pd.DataFrame({"code": ["JPN"], "year": [2024]}).to_stata(out, write_index=False, version=118)
    good = out.getvalue()
    rows = good.index(b"<N>") + 3
    columns = good.index(b"<K>") + 3
    many = struct.pack("<Q", 4_000_000_000)
    yield "4,000,000,000 observations", good[:rows] + many + good[rows + 8 :]
    yield "65,535 variables", good[:columns] + b"\xff\xff" + good[columns + 2 :]
    neither = good[:columns] + b"\0\0" + good[columns + 2 :]
    yield "observations of nothing", neither[:rows] + many + neither[rows + 8 :]
    yield (
        "old, of 2,000,000,000 observations",
        b"\x72\x02\x01\x00" + struct.pack("<HI", 2_000, 2_000_000_000) + bytes(1000),
    )
    out = io.BytesIO()
    one_text = pd.DataFrame(
        {"code": pd.Series(["x" * 30_000] * 100, dtype=object), "year": [2024] * 100}
    )
    one_text.to_stata(out, write_index=False, version=118, convert_strl=["code"])
    yield "a text in 100 rows", out.getvalue()


def pages() -> Iterator[tuple[str, bytes]]:
    """Pages that are read to their end and are of no announcement, and lists inside JSON."""
    size = 900_000
    for name, title, body in (
        ("divisions in divisions", "", "<div>" * (size // 5)),
        ("links", "", '<a href="/x">y</a>' * (size // 18)),
        ("ends", "", "</div></a></li>" * (size // 15)),
        ("open tags", "", "<" * size),
        ("open comments", "", "<!--" * (size // 4)),
        ("open declarations", "", "<![" * (size // 3)),
        ("open instructions", "", "<?" * (size // 2)),
        ("open links", "", "<a " * (size // 3)),
        ("references to characters", "", "&#" * (size // 2)),
        ("an open attribute", "", f'<a href="{"x" * size}'),
        ("a title of announcements", "公告" * 200_000, "x"),
        ("a title of blanks", f"公告{' ' * size}", "x"),
        ("a title of digits", f"商务部公告2026年第{'9' * size}号", "x"),
        ("more than a page has", "商务部公告2026年第9号", "x" * (2 << 20)),
    ):
        head = f'<html><head><meta name="ArticleTitle" content="{title}"></head><body>'
        yield f"page: {name}", f'{head}<div class="art-con">{body}'.encode()
    for name, text in (
        ("entries", "<li><a href='/x'>商务部公告2026年第9号</a>" * 20_000),
        (
            "a long title",
            f"<li><a href='/x'>商务部公告2026年第9号{'公告' * 100_000}</a>2026-11-20</li>",
        ),
        ("more than a page has", "<li></li>" * 500_000),
    ):
        yield f"list: {name}", json.dumps({"data": {"html": text}}).encode()


def long_texts(source: str) -> Iterator[tuple[str, bytes]]:
    """A text of 2 MB and more in each field of a document or an intervention that is a text in its
    row.
    """
    content = json.loads(RIGHT_FILES[source]())
    first = (content["results"] if isinstance(content, dict) else content)[0]
    names = {
        "federal_register": ("document_number", "title", "abstract", "citation", "html_url"),
        "gta": ("state_act_title", "intervention_url", "intervention_description"),
    }
    for name, (kind, part) in product(names[source], (("text", "公告 "), ("open tags", "<"))):
        changed = {**first, name: part * (2 << 20)}
        results = [changed, changed]
        payload = {"count": 2, "results": results} if isinstance(content, dict) else results
        yield f"{kind}: {name}", json.dumps(payload).encode()


def yamls() -> Iterator[tuple[str, bytes]]:
    laughs = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    yield "aliases of aliases", f"l0: &l0 [ha]\n{laughs}...\n".encode()
    entries = f"measures:\n- &l0 {{measure: ha}}\n{laughs.replace('l', '- &l', 0)}...\n"
    yield "aliases after measures", entries.encode()
    merged = "measures:\n- &a {measure: x, title: y}\n" + "- {<<: *a}\n" * 100_000 + "...\n"
    yield "one entry merged 100,000 times", merged.encode()
    yield "lists in lists", b"measures: " + b"[" * 1_000_000
    yield "entries in entries", b"measures:\n" + b"- " * 100_000 + b"x\n...\n"
    for size in (20 << 20, 1 << 20):
        text = b"x" * size
        yield (
            f"a title of {size} bytes",
            b"measures:\n- measure: m\n  title: [" + text + b"]\n...\n",
        )
        yield f"a field of {size} bytes", b"measures:\n- " + text + b": 1\n...\n"
        yield f"a key of {size} bytes", b"measures:\n- ? " + text + b"\n  : 1\n...\n"
        yield f"an entry of {size} bytes", b"measures:\n- " + text + b"\n...\n"
        yield f"a section of {size} bytes", text + b": 1\n...\n"
        yield f"a measure of {size} bytes", b"measures:\n- measure: " + text + b"\n...\n"
        yield f"a tag of {size} bytes", b"measures: !!" + text + b" 1\n...\n"
        yield f"an anchor of {size} bytes", b"measures: *" + text + b"\n...\n"
    yield "a number of 200,000 digits", b"measures:\n- measure: " + b"1" * 200_000 + b"\n...\n"


SPECIAL: Mapping[str, tuple[Callable[[], Iterator[tuple[str, bytes]]], ...]] = {
    "baci": (yearly_files, parquets),
    "baci_top_flows": (lambda: archive("table.csv"), parquets),
    "catalogue": (yamls,),
    "comtrade": (lambda: workbooks("Sheet1"), gzips, jsons),
    "federal_register": (lambda: long_texts("federal_register"),),
    "gta": (lambda: long_texts("gta"),),
    "mofcom": (pages,),
    "ecb": (lambda: archive("eurofxref-hist.csv"),),
    "pink_sheet": (lambda: workbooks("Monthly Prices"),),
    "scenarios": (yamls,),
    "wgi": (lambda: workbooks("Sheet1"), jsons, stata_files),
}


RIGHT_ALL_THE_SAME = {
    ("screening_list", name)
    for name in ("carriage returns alone", "full-width digits", "Arabic-Indic digits")
}
"""The list has names and no figures, and CSV may have any line ends."""


def files_of(source: str) -> Iterator[tuple[str, bytes]]:
    table = table_of(source)
    # By day of one source: the code that reads a table of text is the same for all.
    for name, change in TEXTS.items() if is_night() or source == "baci" else ():
        if (source, name) not in RIGHT_ALL_THE_SAME:
            yield name, change(table)
    if source not in SPECIAL:
        yield from archive("table.csv")
    if table.startswith((b"{", b"[")):
        yield from jsons()
    for make in SPECIAL.get(source, ()):
        yield from make()


@pytest.mark.parametrize("source", RIGHT_FILES)
def test_the_right_file_of_a_source_has_rows(source: str) -> None:
    label = Document("table.csv", datetime(2026, 11, 28, 12), is_bundled=False)
    frames = all_sources()[source].parse(RIGHT_FILES[source](), label)
    assert sum(frame.height for frame in frames.values()) > 0


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mapping[str, Ending]]:
    @cache
    def of(source: str) -> Mapping[str, Ending]:
        folder = tmp_path_factory.mktemp(source)
        paths = []
        for name, payload in files_of(source):
            path = folder / name.replace("/", " ") / "table.csv"
            path.parent.mkdir()
            path.write_bytes(payload)
            paths.append(str(path))
        child = subprocess.run(
            [sys.executable, "-c", CHILD, source, *paths],
            cwd=CHECKOUT, env={"KIDO_HOME": str(folder / "home"), "PATH": ""},
            capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        assert child.returncode == 0, child.stderr[-2000:]
        found = [json.loads(line) for line in child.stdout.splitlines()]
        assert len(found) == len(paths)
        return {name: Ending(*rest) for name, *rest in found}

    return of


BY_DAY = ("baci", "catalogue", "comtrade")
"""Archives and Parquet, YAML and JSON; the other sources are left to the night."""


@pytest.mark.parametrize(
    "source",
    [name if name in BY_DAY else pytest.param(name, marks=nightly) for name in source_names()],
)
def test_a_hostile_file_ends_in_a_sentence_soon_and_in_little_memory(
    endings: Callable[[str], Mapping[str, Ending]], source: str
) -> None:
    bad = {
        name: ending
        for name, ending in endings(source).items()
        if not ending.output.startswith(f"{source}: ")
        or " cannot be read (" in ending.output
        or len(ending.output) > MOST_CHARACTERS
        or ending.seconds > MOST_SECONDS
        or ending.mib > MOST_MIB
        or not ending.is_home_untouched
    }
    assert bad == {}

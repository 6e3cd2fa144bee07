"""Mutated files of every bundled document: units, shifts, swaps, signs, cuts, bits, encodings,
archives and hostile texts, made from the samples of `slips`.

Run as a program, it lands those of one document and prints what became of each, as JSON lines; what
may become of them is tested in `test_mutations`.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from dagster_project.quality.limits import ALIKE
from dagster_project.settings import BUNDLED
from tests.integration.slips import LAYOUTS, Layout, Table, figure

FACTORS = (
    2.20462, 0.907185, 1 / 2.20462, 1.10231, 31.1035, 1 / 32.1507, 1000, 0.01, 4.9, 9, 1.05, 0.75,
)  # fmt: skip
"""Units that occur, and steps that no unit explains."""

HOSTILE = {
    "escape": "\x1b[31mred\x1b[0m", "bidi": "\u202egnp.exe", "script": "<script>alert(1)</script>",
    "markdown": "![x](http://example.org/a.png) [y](javascript:alert(1))", "nul": "a\x00b",
    "long": "x" * 20_000, "lines": "a\nINFO: all checks passed", "formula": "=HYPERLINK(1,2)",
}  # fmt: skip

WITHOUT_A_LAYOUT = (
    ("usgs_myb", "rare_earths.csv"), ("catalogue", "measures.yaml"), ("catalogue", "claims.yaml"),
    ("catalogue", "milestones.yaml"),
    ("crc_handbook", "abundance.csv"), ("rudnick_gao", "abundance.csv"),
)  # fmt: skip
"""Bundled documents that are mutated as bytes only."""

DOCUMENTS = (*map(str, LAYOUTS), *("/".join(names) for names in WITHOUT_A_LAYOUT))
FIRST_LANDED = date(2026, 8, 1)


@dataclass(frozen=True)
class Mutation:
    """A file that is wrong: what was done to which part of it."""

    kind: str
    name: str
    payload: bytes


def mutations_of(document: str) -> Iterator[Mutation]:
    """The mutations of a document, in a fixed order; no two alike, none equal to the known."""
    layouts = [layout for layout in LAYOUTS if str(layout) == document]
    known = known_of(document)
    seen = {known}
    figures = (_of_figures(layout) for layout in layouts)
    for mutation in itertools.chain(*figures, _of_bytes(document, known)):
        if mutation.payload not in seen:
            seen.add(mutation.payload)
            yield mutation


def known_of(document: str) -> bytes:
    for layout in LAYOUTS:
        if str(layout) == document:
            return layout.known.text.encode()
    return (BUNDLED / document).read_bytes()


def name_of(document: str) -> str:
    names = {str(layout): layout.name for layout in LAYOUTS}
    return names.get(document, document.partition("/")[2])


# Figures


Rows = Callable[[Sequence[str]], bool]


def _of_figures(layout: Layout) -> Iterator[Mutation]:
    measures = layout.units[:2]
    for number, measure in enumerate(measures):
        for where, is_in in _parts(layout, measure):
            for factor in FACTORS[number :: len(measures)]:
                scaled = _changed(layout.known, measure, is_in, lambda one, by=factor: one * by)
                yield Mutation("unit", f"{measure} of {where} x{factor:.4g}", scaled)
            negative = _changed(layout.known, measure, is_in, lambda one: -one)
            yield Mutation("sign", f"{measure} of {where}", negative)
            for rows in (1, -1):
                shifted = _shifted(layout.known, measure, is_in, rows)
                yield Mutation("shift", f"{measure} of {where} by {rows}", shifted)
    for first, second in layout.swaps:
        yield Mutation("swap", f"headers {first} and {second}",
                       layout.known.swap(first, second).text.encode())  # fmt: skip
    for column in filter(None, (layout.thing, *layout.economies, layout.period)):
        values = sorted(set(layout.known.values(column)))
        rng = random.Random(f"{layout} {column}")
        for _ in range(3 if len(values) > 1 else 0):
            one, other = rng.sample(values, 2)
            names = {one: other, other: one}
            swapped = layout.known.change(column, lambda old, to=names: to.get(old, old))
            yield Mutation("swap", f"{column} {one} and {other}", swapped.text.encode())


def _parts(layout: Layout, measure: str) -> Iterator[tuple[str, Rows]]:
    """Parts of a file: all, the most frequent series, economy, both and period, five figures."""
    known, at = layout.known, layout.known.head.index

    def equals(column: str, value: str) -> Rows:
        return lambda row: row[at(column)] == value

    yield "all", lambda row: True
    common = {}
    for column in filter(None, (layout.thing, *layout.economies[:1], layout.period)):
        values = known.values(column)
        value = max(sorted(set(values)), key=values.count)
        common[column] = value
        yield f"{column} {value}", equals(column, value)
    if layout.thing and layout.economies:
        pair = [equals(name, common[name]) for name in (layout.thing, layout.economies[0])]
        yield "one series of one economy", lambda row: all(is_in(row) for is_in in pair)
    periods = sorted(set(known.values(layout.period)))
    later = periods[len(periods) // 2]
    yield f"since {later}", lambda row: row[at(layout.period)] >= later
    chosen = random.Random(f"{layout} {measure}").sample(known.rows, min(5, len(known.rows)))
    some = {tuple(row) for row in chosen}
    yield "five rows", lambda row: tuple(row) in some


def _changed(known: Table, measure: str, is_in: Rows, change: Callable[[float], float]) -> bytes:
    values = [
        figure(old, change) if is_in(row) else old
        for row, old in zip(known.rows, known.values(measure), strict=True)
    ]
    return known.with_values(measure, values).text.encode()


def _shifted(known: Table, measure: str, is_in: Rows, rows: int) -> bytes:
    """The figures of some rows, each in the row that many rows further."""
    values = known.values(measure)
    places = [at for at, row in enumerate(known.rows) if is_in(row)]
    moved = list(values)
    for at, place in enumerate(places):
        moved[place] = values[places[(at - rows) % len(places)]]
    return known.with_values(measure, moved).text.encode()


# Bytes


def _of_bytes(document: str, known: bytes) -> Iterator[Mutation]:
    rng = random.Random(document)
    for _ in range(8):
        at = rng.randrange(1, len(known))
        yield Mutation("cut", f"at byte {at}", known[:at])
    lines = known.splitlines(keepends=True)
    for name, payload in {
        "empty": b"", "the header alone": lines[0], "no header": b"".join(lines[1:]),
        "the first half missing": lines[0] + b"".join(lines[len(lines) // 2 :]),
        "every tenth line missing": b"".join(
            line for at, line in enumerate(lines) if at == 0 or at % 10
        ),
        "without its last line": b"".join(lines[:-1]),
    }.items():  # fmt: skip
        yield Mutation("cut", name, payload)
    for _ in range(6):
        at, bit = rng.randrange(len(known)), rng.randrange(8)
        flipped = bytes([known[at] ^ (1 << bit)])
        yield Mutation("bit", f"{bit} of byte {at}", known[:at] + flipped + known[at + 1 :])
    yield from _encodings(known)
    yield from _archives(name_of(document), known)
    yield from _texts(known, rng)


def _encodings(known: bytes) -> Iterator[Mutation]:
    text = known.decode("utf-8")
    for name, payload in {
        "UTF-16": text.encode("utf-16"), "a mark": b"\xef\xbb\xbf" + known,
        "two marks": b"\xef\xbb\xbf" * 2 + known, "UTF-32": text.encode("utf-32"),
        "no UTF-8": known[: len(known) // 2] + b"\xff\xfe" + known[len(known) // 2 :],
        "lines of Windows": known.replace(b"\n", b"\r\n"), "old lines": known.replace(b"\n", b"\r"),
        "semicolons": known.replace(b",", b";"), "tabs": known.replace(b",", b"\t"),
        "decimal commas": text.replace(".", ",").encode(), "a quote": known + b'"',
        "full-width digits": text.translate(
            {ord("0") + digit: ord("０") + digit for digit in range(10)}
        ).encode(),
        "base64 of nothing": b"data:text/csv;base64,", "HTML": b"<html>" + known + b"</html>",
        "JSON": json.dumps({"data": text}).encode(),
    }.items():  # fmt: skip
        yield Mutation("encoding", name, payload)


def _archives(name: str, known: bytes) -> Iterator[Mutation]:
    def zipped(**members: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return out.getvalue()

    plain = zipped(**{name: known})
    for kind, payload in {
        "a zip": plain, "a zip in a zip": zipped(**{"a.zip": plain}),
        "an absolute name": zipped(**{f"/etc/{name}": known}),
        "a name outside": zipped(**{f"../../{name}": known}),
        "two members": zipped(**{name: known, f"b-{name}": known}),
        "a cut zip": plain[: len(plain) // 2], "a zip without its list": plain[:-22],
        "a member of 64 MB": zipped(**{name: known + b"0" * (64 << 20)}),
        "gzip": gzip.compress(known, mtime=0), "gzip of gzip": gzip.compress(plain, mtime=0),
        "cut gzip": gzip.compress(known, mtime=0)[: len(known) // 9],
        "an empty zip": zipped(),
    }.items():  # fmt: skip
        yield Mutation("archive", kind, payload)


def _texts(known: bytes, rng: random.Random) -> Iterator[Mutation]:
    """Hostile texts in a cell, a whole column and the header; quoted, as a spreadsheet does."""
    if known.lstrip()[:1] in (b"{", b"[") or b":" in known.splitlines()[0]:
        lines = known.decode().splitlines(keepends=True)
        places = [at for at, line in enumerate(lines) if line.rstrip().endswith(tuple("abcdefgh"))]
        for (name, text), at in itertools.product(HOSTILE.items(), rng.sample(places, 2)):
            line = f"{lines[at].partition(': ')[0]}: {json.dumps(text)}\n"
            changed = "".join([*lines[:at], line, *lines[at + 1 :]])
            yield Mutation("text", f"{name} in line {at}", changed.encode())
        return
    table = Table.read(known.decode())
    for name, text in HOSTILE.items():
        for column in table.head[:3]:
            place = rng.randrange(len(table.rows))
            values = table.values(column)
            yield Mutation("text", f"{name} in a cell of {column}", table.with_values(
                column, [*values[:place], text, *values[place + 1 :]]).text.encode())  # fmt: skip
        column = table.head[0]
        whole = table.change(column, lambda old, to=text: old + to)
        yield Mutation("text", f"{name} in all of {column}", whole.text.encode())
        header = Table([text, *table.head[1:]], table.rows)
        yield Mutation("text", f"{name} as a header", header.text.encode())


# What becomes of them


def main(document: str, every: int, first: int) -> None:
    """Land some mutations of a document, each in a home in which the file as it was is known."""
    from dagster_project.errors import KidoError
    from dagster_project.intake import compare
    from dagster_project.intake.land import land_files
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    compare.bundled_files = lambda source: []  # type: ignore[assignment]
    source = source_named(document.partition("/")[0])
    root = Path(tempfile.mkdtemp())
    template, home, file = root / "known", root / "home", root / name_of(document)
    file.write_bytes(known_of(document))
    land_files(Settings.load(home=template), source, [file], FIRST_LANDED)
    known = _current(template, document)
    for number, mutation in enumerate(mutations_of(document)):
        if number % every != first:
            continue
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        before = _bytes_in(home)
        file.write_bytes(mutation.payload)
        started, size = time.process_time(), 0
        try:
            report = land_files(Settings.load(home=home), source, [file])
            size = sum(each.changed + each.removed for each in report.revisions)
            size += sum(report.quarantined.values())
            after = _current(home, document)
            exactly, changed = (
                sum(_changed_rows(rows, after[name], most) for name, rows in known.items())
                for most in (0, ALIKE)
            )
            became = "listed" if changed else "as printed again" if exactly else "as known"
            text = " ".join(report.remarks())
            if changed and not size:
                became = "changed unseen"
        except KidoError as error:
            became, text, changed = "refused", str(error), 0
            if _bytes_in(home) != before:
                became = "refused and written"
        except BaseException as error:
            became, text, changed = "crashed", f"{type(error).__name__}: {error}", 0
        seconds = time.process_time() - started
        line = [mutation.kind, mutation.name, became, changed, size, text[:2000], seconds, _peak()]
        print(json.dumps(line), flush=True)
    shutil.rmtree(root)


def _changed_rows(rows: pl.DataFrame, after: pl.DataFrame, most: float) -> int:
    """The known rows without one in `after` whose figures differ by at most this part of them."""
    figures = [name for name, dtype in rows.schema.items() if dtype == pl.Float64]
    others = [name for name in rows.columns if name not in figures]
    pairs = rows.with_row_index("at").join(after, on=others, nulls_equal=True, suffix=" after")
    is_alike = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(f"{name} after"))
        | ((pl.col(f"{name} after") - pl.col(name)).abs() <= most * pl.col(name).abs()).fill_null(
            False
        )
        for name in figures
    ) if figures else pl.lit(True)  # fmt: skip
    return rows.height - pairs.filter(is_alike)["at"].n_unique()


def _peak() -> float:
    """The most memory that this process had, in MiB."""
    status = Path("/proc/self/status").read_text("utf8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _current(home: Path, document: str) -> dict[str, pl.DataFrame]:
    """The rows that are current, without their notes and the columns on their provenance."""
    from dagster_project.intake.stores import lake_of
    from dagster_project.lake.schemas import LAKE_TABLES
    from dagster_project.lake.vintages import current_rows
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    card, lake = source_named(document.partition("/")[0]).CARD, lake_of(Settings.load(home=home))
    today, tables = datetime.now(UTC).date(), {}
    for name in card.tables:
        table = LAKE_TABLES[name]
        rows = lake.rows(table, card.name)
        if rows is not None:
            current = current_rows(table, table.conform(rows.collect()), today)
            texts = {"document", "vintage_at", "snapshot_id", "notes"}.intersection(table.columns)
            tables[name] = current.drop(texts).with_columns(pl.col(pl.Float64).round_sig_figs(9))
    return tables


def _bytes_in(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

"""CEPII's BACI: trade as reconciled from both sides' reports -> `reconciled_trade`.

Its newest archive is fetched by name only, since it has 0.8 GB.

Only CEPII's estimates; neither reporters' declarations nor Kido's own estimates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import polars as pl

from dagster_project.errors import OutOfScopeError, UpstreamFormatError, listed, shortened
from dagster_project.lake.schemas import RECONCILED_TRADE, text_of_all
from dagster_project.lake.scope import DEFAULT_SCOPE, OUT_OF_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import (
    SPECIAL_AREAS,
    economies,
    economy_of,
)
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    Instead,
    Limits,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import (
    BLOCK_BYTES,
    Payload,
    header_of,
    is_it_the_file_of,
    is_zip,
    looks_like_html,
    looks_like_parquet,
    looks_like_zip,
    read_ahead,
    read_text_table,
    require_every,
    unzip_blocks,
    unzip_member,
    utc_naive,
    zip_members,
)
from dagster_project.sources.limits import LONGEST_LINE
from dagster_project.sources.reconciled_flows import (
    KEY,
    LAST_YEAR,
    lake_rows,
    require_flows_once,
    tidy_flows,
    with_numbers,
)

CARD = SourceCard(
    name="baci",
    title="BACI, reconciled bilateral trade",
    publisher="CEPII",
    licence="Etalab Open Licence 2.0",
    licence_url="https://www.etalab.gouv.fr/wp-content/uploads/2018/11/open-licence.pdf",
    is_redistributable=True,
    cadence="annual",
    domain="trade",
    homepage="http://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele_item.asp?id=37",
    tables=("reconciled_trade",),
    lists=("economies", "commodities"),
    description=(
        "Value, free on board, and weight of what each economy sold to each other in a year, one "
        "figure from the exporter's and the importer's reports to UN Comtrade. Bundled, of version "
        "V202601: 30 codes of HS 2017 for 2024, and 52 codes of HS 1992 for 1995 to 2024 (one of "
        "them to 2016). Fetched by name: all codes in scope of HS 2017, "
        "from 2017 on. Other editions of the HS are in CEPII's other archives: land one as it is."
    ),
    bundled=(
        "flows_2024.csv",
        "flows_hs1992_1995_2004.parquet",
        "flows_hs1992_2005_2014.parquet",
        "flows_hs1992_2015_2024.parquet",
        "flows_hs1992_2022.parquet",
        "flows_hs1992_2023.parquet",
    ),
    base_url="https://www.cepii.fr",
    only_by_name=True,
    # V202601, of January 2026, reaches 2024.
    published_after=timedelta(days=396),
    limits=Limits(largest_answer_bytes=3 << 30),  # HS 1992 has more than 2 GB
    calendar=Calendar(
        "0 9 * * 1",
        "Europe/Paris",
        "Mondays in Paris: the release of January, with the year before last.",
    ),
)

RELEASED = datetime(2026, 1, 31)
"""Day from which the bundled version V202601 counts."""

BUNDLED_EDITION = 202601
"""CEPII's version of the bundled figures, as a number."""

ARCHIVE = "BACI_HS17"
"""The archive that is fetched: of HS 2017, as the bundled flows of 2024."""

PAGE = "CEPII/en/bdd_modele/bdd_modele_item.asp"
ARCHIVES = "DATA_DOWNLOAD/baci/data"
_ARCHIVE_NAME = re.compile(rf"(?<![A-Za-z0-9_]){ARCHIVE}_V([0-9]{{6}}[a-z]?)\.zip")

YEARLY_COLUMNS = ("t", "i", "j", "k", "v", "q")
"""CEPII's: year, exporter, importer, HS6 code, thousand US dollars, metric tons."""

AREAS_TOLD_AS_ONE: Mapping[str, str] = MappingProxyType({"711": "_X"})
"""CEPII's codes of several economies: the Southern African Customs Union until 1999."""

_YEARLY_MEMBER = re.compile(r"(?:^|/)BACI_HS([0-9]{2})_Y([0-9]{4})_V\w+\.csv$")
_COUNTRY_MEMBER = re.compile(r"(?:^|/)country_codes_V\w+\.csv$")
_EDITION_IN_NAME = re.compile(r"(?<![A-Za-z])HS([0-9]{4}|[0-9]{2})(?![0-9])")
_YEAR_IN_NAME = re.compile(r"(?<![A-Za-z])Y([0-9]{4})(?![0-9])")
_VERSION_IN_NAME = re.compile(r"(?<![A-Za-z])V([0-9]{6}[a-z]?)(?![0-9A-Za-z])")
"""`V202601`, or `V202401b` for a corrected version."""
_PRINTED_CODE = r"^[0-9]{5,6}$|^9999[0-9A-Z]{2}$"
"""An HS6 code, its leading zero lost or not, or UN Comtrade's `9999AA`, not specified."""

_NUMBERS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "t": pl.Int32(), "i": pl.Int32(), "j": pl.Int32(), "k": pl.String(), "v": pl.Float64(),
        "q": pl.Float64(),
    }
)  # fmt: skip
_FLOW = (*KEY, "value_usd", "net_weight_kg")

LARGEST_NUMBER_OF_AN_ECONOMY = 9_999
"""CEPII's have three digits. A larger one is read as text."""

FrameType = TypeVar("FrameType", pl.DataFrame, pl.LazyFrame)

_WHOSE = is_it_the_file_of(CARD.homepage)
_AGAIN = "Fetch or land the file again."


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The page of BACI, which names the newest archive.

    Of CEPII's archives, one per edition of the HS, it is that of HS 2017: values of two editions
    differ, and the bundled flows of 2024 are of this one. It has 0.8 GB and every year since 2017;
    that of HS 1992 has more than 2 GB, that of HS 2022 begins in 2022.
    """
    page = Request(PAGE, expects=("html",), params={"id": "37"}, context={"step": "page"})
    return [Extract(f"{ARCHIVE}.zip", (page,))]


def follow(request: Request, answer: Answer) -> Step:
    """From the page to the newest archive that it names, under CEPII's name; that is complete.

    `V202401b` corrects `V202401`. Raises UpstreamFormatError for a page that names no archive.
    """
    if request.context.get("step") != "page":
        return Done()
    versions = _ARCHIVE_NAME.findall(answer.file.read_text("utf-8", errors="replace"))
    if not versions:
        raise UpstreamFormatError(
            f"{CARD.name}: the page names no archive like {ARCHIVE}_V202601.zip.",
            hint=f"Fetch it from {CARD.homepage} by hand: kido land {CARD.name} FILE.",
        )
    name = f"{ARCHIVE}_V{max(versions)}.zip"
    return Instead((Request(f"{ARCHIVES}/{name}", expects=("zip",), document=name),))


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A BACI archive or file -> `reconciled_trade`, one row per exporter, importer, code and year.

    Reads CEPII's zip (one file of YEARLY_COLUMNS a year, the edition of the HS in their names, and
    a table of countries), one of its yearly files alone, and Kido's table of TIDY_COLUMNS as CSV or
    Parquet. A yearly file does not contain its edition of the HS: the name of the document must, as
    CEPII's names do (`BACI_HS22_Y2024_V202601.csv`). Of CEPII's files only HS6 codes in scope are
    kept, block by block, since a year has about eleven million rows. Values become US dollars
    (FOB), quantities kilograms; `NA` is missing (null). Codes that are one economy here are summed.
    `edition` is CEPII's version as a number (202601 of V202601; a newer one takes precedence): of
    an archive by the names of its members, of a yearly file by the document's name, in Kido's table
    by an optional column; null where it is not given. `vintage_at` is RELEASED for bundled figures,
    else the time of retrieval. Raises UpstreamFormatError when the payload is none of these, is
    cut, is of two versions, has a duplicated flow, an invalid number or code, a year that differs
    from that of its name, or no flow of a code in scope; UnknownCodeError that names the economy,
    the code or the edition of the HS that is in no list. Source: CEPII, BACI; Gaulier and Zignago,
    working paper 2010-23.
    """
    if not payload.strip():
        raise UpstreamFormatError(f"{CARD.name}: the file is empty.")
    if looks_like_html(payload):
        raise UpstreamFormatError(
            f"{CARD.name}: HTML page where a zip archive or CSV was expected.", hint=_WHOSE
        )
    if looks_like_zip(payload):
        years = [_as_text(year) for year in _flows_of_archive(payload, scope)]
        if not years:
            raise _out_of_scope()
        flows = pl.concat(years).collect()
        require_flows_once(flows, KEY, source=CARD.name)
    elif _is_a_yearly_file(payload):
        flows = _as_text(_flows_of_yearly_file(payload, document.name, scope)).collect()
    else:
        edition = BUNDLED_EDITION if document.is_bundled else None
        flows = tidy_flows(payload, scope, source=CARD.name, edition=edition, hint=_WHOSE)
    if flows.is_empty():
        raise _out_of_scope()
    return {"reconciled_trade": _rows(flows.lazy(), document).collect().sort(RECONCILED_TRADE.key)}


def parse_blocks(
    file: Path, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Iterator[Mapping[str, pl.LazyFrame]]:
    """The rows of `parse` in blocks: of an archive a year each, in CEPII's order.

    One block is in memory at a time: with all codes in scope, 0.4 GB a year. Raises what `parse`
    does, possibly after other blocks.
    """
    if not is_zip(file):
        frames = parse(file.read_bytes(), document, scope)
        yield {table: frame.lazy() for table, frame in frames.items()}
        return
    is_empty = True
    for flows in _flows_of_archive(file, scope):
        is_empty = False
        yield {"reconciled_trade": _rows(flows, document)}
        del flows  # else two years are in memory while the next is read
    if is_empty:
        raise _out_of_scope()


def _as_text(flows: pl.LazyFrame) -> pl.LazyFrame:
    return flows.cast({pl.Enum: pl.String})


def _is_a_yearly_file(payload: bytes) -> bool:
    if looks_like_parquet(payload):
        return False
    return bool({"i", "j", "k"} & set(header_of(payload, source=CARD.name)))


def _rows(flows: pl.LazyFrame, document: Document) -> pl.LazyFrame:
    vintage_at = RELEASED if document.is_bundled else utc_naive(document.retrieved_at)
    return lake_rows(flows, source=CARD.name, vintage_at=vintage_at)


def _out_of_scope() -> OutOfScopeError:
    return OutOfScopeError(f"{CARD.name}: no flow is of an HS6 code in scope.", hint=OUT_OF_SCOPE)


def _flows_of_archive(payload: Payload, scope: CommodityScope) -> Iterator[pl.LazyFrame]:
    """The flows of each yearly file that has some in scope: KEY, measures and `edition`."""
    members = zip_members(payload, source=CARD.name)
    yearly = {
        member: (match[1], match[2])
        for member in members
        if (match := _YEARLY_MEMBER.search(member))
    }
    if not yearly:
        raise UpstreamFormatError(
            f"{CARD.name}: the zip archive contains {listed(members) or 'nothing'}, and no yearly "
            "file named like BACI_HS22_Y2024_V202601.csv.",
            hint=_WHOSE,
        )
    tables_of_countries = [member for member in members if _COUNTRY_MEMBER.search(member)]
    edition_of_archive = _edition((*yearly, *tables_of_countries))
    countries: Mapping[str, str | None] = {}
    for member in tables_of_countries:
        table = read_text_table(
            unzip_member(payload, member, source=CARD.name),
            source=CARD.name,
            required=("country_code", "country_iso3"),
            others=True,
            hint=_WHOSE,
        )
        countries = dict(table.iter_rows())
    repeated = next(
        (
            edition_and_year
            for edition_and_year, count in Counter(yearly.values()).items()
            if count > 1
        ),
        None,
    )
    if repeated:
        raise UpstreamFormatError(
            f"{CARD.name}: the archive contains two yearly files of {repeated[1]} in "
            f"HS{repeated[0]}."
        )
    for member, (edition, year) in yearly.items():

        def blocks(member: str = member) -> Iterator[bytes]:
            return unzip_blocks(payload, member, source=CARD.name)

        flows = _flows_of_a_year(blocks, member, edition, year, countries, scope)
        if flows is not None:
            yield flows.with_columns(edition_of_archive)
        del flows


def _flows_of_a_year(
    blocks: Callable[[], Iterator[bytes]],
    name: str,
    edition: str,
    year: str | None,
    countries: Mapping[str, str | None],
    scope: CommodityScope,
) -> pl.LazyFrame | None:
    """The flows in scope of a yearly file: KEY and measures; None where there are none.

    Read as numbers where possible; else as text, to report the invalid place.
    """
    numbers = _as_numbers(blocks(), year, scope)
    if numbers is not None:
        if numbers.is_empty():
            return None
        flows = _numbers_by_economy(numbers, countries)
        return flows.with_columns(hs_revision=text_of_all(_revision(edition))).select(_FLOW)
    texts = _in_scope(blocks(), name, edition, year, scope)
    if texts.is_empty():
        return None
    # One year of an archive may be padded, and the next one not.
    flows = _by_economy(texts, countries).lazy()
    return flows.with_columns(pl.col("year").cast(pl.Int32)).select(_FLOW)


def _edition(names: Iterable[str]) -> pl.Expr:
    """CEPII's version in the names of files, as a number; null where there is none.

    A `b` behind it is not part of the number. Raises UpstreamFormatError for two versions.
    """
    matches = (_VERSION_IN_NAME.search(name) for name in names)
    versions = sorted({match[1] for match in matches if match})
    if len(versions) > 1:
        raise UpstreamFormatError(
            f"{CARD.name}: the archive contains files of two versions, "
            f"{' and '.join(f'V{version}' for version in versions[:2])}.",
            hint="Land each version in an archive of its own.",
        )
    return pl.lit(int(versions[0][:6]) if versions else None, pl.Int32).alias("edition")


def _flows_of_yearly_file(payload: bytes, name: str, scope: CommodityScope) -> pl.LazyFrame:
    _require_yearly_columns(header_of(payload, source=CARD.name), name)
    edition = _EDITION_IN_NAME.search(name)
    if edition is None:
        raise UpstreamFormatError(
            f"{CARD.name}: neither the yearly file nor its name {name!r} gives the edition of the "
            "HS of its codes.",
            hint="Land it under CEPII's name (BACI_HS22_Y2024_V202601.csv), or the whole archive.",
        )
    if not payload.endswith(b"\n"):
        # A line cut inside its last value has the right count of commas: only the line end shows
        # it.
        last = payload.count(b"\n") + 1
        raise UpstreamFormatError(f"{CARD.name}: the last line (line {last}) is cut.", hint=_AGAIN)

    def blocks() -> Iterator[bytes]:
        starts = range(0, len(payload), BLOCK_BYTES)
        return (payload[start : start + BLOCK_BYTES] for start in starts)

    year = _YEAR_IN_NAME.search(name)
    flows = _flows_of_a_year(blocks, name, edition[1], year[1] if year else None, {}, scope)
    if flows is None:
        raise _out_of_scope()
    return flows.with_columns(_edition([name]))


def _in_scope(
    blocks: Iterable[bytes], name: str, edition: str, year: str | None, scope: CommodityScope
) -> pl.DataFrame:
    """The flows of a yearly file that are of codes in scope: YEARLY_COLUMNS and `hs_revision`.

    All are text. `edition` is two digits (`22`) or four, `year` the one all rows must be of.
    """
    name = shortened(name)
    header: list[str] = []
    line = 1
    kept = []
    for block in read_ahead(_whole_lines(blocks)):
        rows = block
        if not header:
            rows = block.partition(b"\n")[2]
            header = header_of(block, source=CARD.name)
            _require_yearly_columns(header, name)
            line += 1
        if rows.strip():
            kept.append(_read_rows(rows.rstrip(b"\r\n"), header, name, line, year, scope))
        line += rows.count(b"\n")
    if not kept:
        raise UpstreamFormatError(f"{CARD.name}: {name} has no rows.", hint=_AGAIN)
    return pl.concat(kept).with_columns(pl.lit(_revision(edition)).alias("hs_revision"))


def _revision(edition: str) -> str:
    """`HS2022` of `22` or `2022`; the Harmonized System began in 1988."""
    return f"HS{edition if len(edition) == 4 else ('19' if edition >= '88' else '20') + edition}"


def _as_numbers(
    blocks: Iterable[bytes], year: str | None, scope: CommodityScope
) -> pl.DataFrame | None:
    """The flows in scope of a yearly file, in YEARLY_COLUMNS: numbers except the code, which is an
    Enum in the order of texts; None where some line of the file cannot be read so.
    """
    header: list[str] = []
    kept: list[pl.DataFrame] = []
    codes: set[str] = set()
    for block in read_ahead(_whole_lines(blocks)):
        rows = block
        if not header:
            rows = block.partition(b"\n")[2]
            header = header_of(block, source=CARD.name)
            if any(header.count(column) != 1 for column in YEARLY_COLUMNS):
                return None
        if rows.endswith((b"\n\n", b"\r\n")) or rows == b"\n":
            rows = rows.rstrip(b"\r\n")
        if rows:
            block_read = _numbers_of_block(rows, header, year, scope)
            if block_read is None:
                return None
            kept.append(block_read[0])
            codes.update(block_read[1])
    if not kept:
        return None
    whole = pl.concat(kept).with_columns(pl.col("k").cast(pl.Enum(sorted(codes))))
    kept.clear()  # else the codes are in memory as texts, too
    return None if _has_a_duplicated_flow(whole) else whole


def _has_a_duplicated_flow(flows: pl.DataFrame) -> bool:
    exporter, importer, code = (pl.col(name).to_physical().cast(pl.Int64) for name in "ijk")
    keys = flows.select((exporter * 10**4 + importer) * 10**7 + code).to_series()
    if (keys.diff().drop_nulls() > 0).all():  # the order of CEPII's
        return False
    return flows.select(pl.struct("i", "j", "k", "t").is_duplicated().any()).item() is True


def _numbers_of_block(
    rows: bytes, header: list[str], year: str | None, scope: CommodityScope
) -> tuple[pl.DataFrame, Sequence[str]] | None:
    """The flows in scope and their codes."""
    lines = _count(rows, b"\n") + (not rows.endswith(b"\n"))
    if b'"' in rows or _count(rows, b",") != lines * (len(header) - 1):
        return None
    schema = {name: _NUMBERS.get(name, pl.String()) for name in header}
    try:
        table = pl.read_csv(rows, has_header=False, schema=schema, null_values={"q": "NA"})
    except pl.exceptions.PolarsError:
        return None
    flows = table.select(YEARLY_COLUMNS)
    numbers = flows.select(
        pl.all_horizontal(
            pl.col("t", "i", "j", "k", "v").null_count() == 0,
            pl.col("v", "q").is_finite().fill_null(True).all(),
            pl.col("t").is_between(1000, LAST_YEAR).all(),
            pl.col("i", "j").is_between(0, LARGEST_NUMBER_OF_AN_ECONOMY).all(),
            pl.col("t").eq(int(year) if year else pl.col("t")).all(),
        ).alias("are_there")
    )
    codes = flows["k"].unique()
    are_codes = codes.str.contains(_PRINTED_CODE).all()
    if table.height != lines or not are_codes or not numbers["are_there"].all():
        return None
    whole = pl.DataFrame({"k": codes, "hs6_code": codes.str.zfill(6)})
    of_scope = whole.filter(pl.col("hs6_code").is_in(scope.select(whole["hs6_code"])))
    if of_scope.height < whole.height or not whole["k"].equals(whole["hs6_code"]):
        is_in_scope = pl.col("k").is_in(of_scope["k"].implode())
        flows = flows.filter(is_in_scope).with_columns(pl.col("k").str.zfill(6))
    return flows, of_scope["hs6_code"].to_list()


def _count(block: bytes, sign: bytes) -> int:
    """`block.count(sign)`; where every sixth byte is one, that takes five times as long."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord(sign)))


def _numbers_by_economy(flows: pl.DataFrame, countries: Mapping[str, str | None]) -> pl.LazyFrame:
    """CEPII's columns as numbers -> Kido's, except `hs_revision`; see `_by_economy`.

    Texts are Enum in the order of texts.
    """
    codes = pl.concat([flows["i"].unique(), flows["j"].unique()]).unique()
    named = {code: _economy(str(code), countries) for code in codes}
    once = {name for name, count in Counter(named.values()).items() if count == 1}
    # By its index a name is found in a third of the time of `replace_strict`.
    numbers = range(LARGEST_NUMBER_OF_AN_ECONOMY + 1)
    names = pl.Series(
        [named.get(number) for number in numbers], dtype=pl.Enum(sorted(set(named.values())))
    )
    table = flows.lazy().select(
        pl.lit(names).gather(pl.col("i")).alias("exporter_iso3"),
        pl.lit(names).gather(pl.col("j")).alias("importer_iso3"),
        pl.col("k").alias("hs6_code"),
        pl.col("t").alias("year"),
        (pl.col("v") * 1000).round(3).alias("value_usd"),
        (pl.col("q") * 1000).round(3).alias("net_weight_kg"),
    )
    is_one = pl.all_horizontal(pl.col("exporter_iso3", "importer_iso3").is_in(list(once)))
    if len(once) == len(named):
        return table
    summed = _summed(table.filter(~is_one), [name for name in KEY if name != "hs_revision"])
    return pl.concat([table.filter(is_one), summed.select(table.collect_schema().names())])


def _summed(flows: FrameType, key: Sequence[str]) -> FrameType:
    """Flows of the same economies, code and year summed; a missing weight makes the sum missing."""
    return flows.group_by(key).agg(
        pl.col("value_usd").sum(),
        pl.when(~pl.col("net_weight_kg").has_nulls())
        .then(pl.col("net_weight_kg").sum())
        .alias("net_weight_kg"),
    )


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, each block ended by a line end; the last line may lack one."""
    rest = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        before, rest = rest, block[end:] if end else rest + block
        if len(rest) > LONGEST_LINE:  # searching its end in every block takes a day
            raise UpstreamFormatError(
                f"{CARD.name}: a line is longer than {LONGEST_LINE >> 20} MiB, longer than any row."
            )
        if end:
            yield b"".join((before, memoryview(block)[:end]))
    if rest:
        yield rest


def _require_yearly_columns(header: list[str], name: str) -> None:
    problems = {
        "missing": [column for column in YEARLY_COLUMNS if column not in header],
        "duplicated": [column for column in YEARLY_COLUMNS if header.count(column) > 1],
    }
    if any(problems.values()):
        described = (f"{what}: {listed(names)}" for what, names in problems.items() if names)
        raise UpstreamFormatError(
            f"{CARD.name}: columns {'; '.join(described)} ({name}).", hint=_WHOSE
        )


def _read_rows(
    rows: bytes, header: list[str], name: str, line: int, year: str | None, scope: CommodityScope
) -> pl.DataFrame:
    """The rows of codes in scope among whole lines, of which the first has the number `line`.

    Every row must have a code and, where the year is known, be of it.
    """
    lines, commas = rows.count(b"\n") + 1, len(header) - 1
    table = None
    if rows.count(b",") == lines * commas:
        try:
            table = pl.read_csv(
                rows,
                has_header=False,
                schema={f"column {position}": pl.String for position, _ in enumerate(header)},
            )
        except pl.exceptions.PolarsError as error:
            raise UpstreamFormatError(
                f"{CARD.name}: lines {line} to {line + lines - 1} of {name} are not rows of a CSV "
                f"({str(error).splitlines()[0]})."
            ) from error
    if table is None or table.height != lines:
        texts = enumerate(rows.split(b"\n"), start=line)
        broken = next((number for number, text in texts if text.count(b",") != commas), line)
        raise UpstreamFormatError(
            f"{CARD.name}: line {broken} of {name} does not contain the {len(header)} values of "
            "the header."
        )
    at = {column: f"column {header.index(column)}" for column in YEARLY_COLUMNS}
    # Numbers are padded with blanks in some versions.
    flows = table.select(
        pl.col(at[column]).str.strip_chars().alias(column) for column in YEARLY_COLUMNS
    )
    # A block has far fewer codes and years than rows: the rules are checked on those.
    require_every(
        pl.col("k").str.contains(_PRINTED_CODE),
        table=flows.select(pl.col("k").unique()),
        value=pl.col("k"),
        what=f"is not an HS6 code ({name})",
        source=CARD.name,
        hint="The codes have six digits and no point; they are text, not numbers.",
    )
    if year is not None:
        require_every(
            # An invalid year is reported separately, for the flows in scope.
            (pl.col("t") == year) | ~pl.col("t").str.contains(r"^[0-9]{4}$"),
            table=flows.select(pl.col("t").fill_null("").unique()),
            value=pl.col("t"),
            what=f"is not the year of {name}",
            source=CARD.name,
            hint="Land it under the name of its own year.",
        )
    # A code read as a number lost its zero.
    flows = flows.with_columns(pl.col("k").str.zfill(6))
    return flows.filter(pl.col("k").is_in(scope.select(flows["k"].unique())))


def _by_economy(flows: pl.DataFrame, countries: Mapping[str, str | None]) -> pl.DataFrame:
    """CEPII's columns -> Kido's, with numbers; `countries` is the archive's own ISO code of
    each.
    """
    require_flows_once(flows, ("i", "j", "k", "hs_revision", "t"), source=CARD.name)
    codes = pl.concat([flows["i"], flows["j"]]).unique().fill_null("")
    named = {code: _economy(code, countries) for code in codes}
    table = flows.select(
        pl.col("i").fill_null("").replace_strict(named).alias("exporter_iso3"),
        pl.col("j").fill_null("").replace_strict(named).alias("importer_iso3"),
        pl.col("k").alias("hs6_code"),
        "hs_revision",
        pl.col("t").alias("year"),
        pl.col("v").alias("value_usd"),
        pl.col("q").replace("NA", None).alias("net_weight_kg"),
    )
    # 1.001 x 1000 is 1000.9999999999999: digits below a thousandth of a dollar are noise.
    numbers = with_numbers(table, source=CARD.name).with_columns(
        (pl.col("value_usd", "net_weight_kg") * 1000).round(3)
    )
    return _summed(numbers, KEY)


def _economy(code: str, countries: Mapping[str, str | None]) -> str:
    """The economy of CEPII's number: by the archive's ISO code, else as UN Comtrade numbers it."""
    iso3 = countries.get(code)
    if iso3 and SPECIAL_AREAS.get(iso3, iso3) in economies():
        return economy_of(iso3, publisher=CARD.name)
    if code in AREAS_TOLD_AS_ONE:
        return AREAS_TOLD_AS_ONE[code]
    return economy_of(code, by="comtrade_code", publisher=CARD.name)

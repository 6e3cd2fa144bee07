"""The lists of codes that may be in lake tables, read once from the files edited by hand.

Lists only: which code is of which economy, which mineral groups exist. Nothing here depends on the
layout of a publisher's file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from dagster_project import words
from dagster_project.errors import ConfigurationError, UnknownCodeError, listed

_CHECKOUT = Path(__file__).resolve().parents[2]

_BUNDLED = _CHECKOUT / "dagster_project" / "bundled"
ECONOMIES_FILE = _BUNDLED / "catalogue" / "economies.csv"
COMPANIES_FILE = _BUNDLED / "catalogue" / "companies.yaml"
MEASURES_FILE = _BUNDLED / "catalogue" / "measures.yaml"
COMMODITIES_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_commodities.csv"
INSTRUMENTS_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_instruments.csv"
NOMENCLATURE_FILE = _BUNDLED / "nomenclature" / "hs_2022.csv"
NOTICE_WORDS_FILE = Path(__file__).with_name("notice_words.csv")
MINERAL_GROUPS_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_mineral_groups.csv"

SCHEMES_OF_ALPHA2: tuple[words.CodeScheme, ...] = ("eurostat", "hmrc")
"""Schemes whose codes are ISO 3166 alpha-2, but for those in `<scheme>_code` of `economies.csv`."""

HS_BEGAN = date(1988, 1, 1)
"""Codes without a first day are valid from here on."""

UNION = "EU27"
"""The European Union as an economy: it trades with what is outside it, its members with all."""

CodeColumn = Literal["comtrade_code", "japan_customs_code", "m49_code", "iso2"]
"""The columns of `economies.csv` with codes of publishers."""

SPECIAL_AREAS: Mapping[str, str] = MappingProxyType(
    {
        "W00": "WLD",  # World
        "S19": "TWN",  # Other Asia, nes: the name under which Taiwan is reported
        "_X": "_X",  # Areas, nes
        "XX": "_X",  # Special Categories
        "X1": "_X",  # Bunkers
        "X2": "_X",  # Free Zones
        "A59": "_X",  # North America and Central America, nes
        "E19": "_X",  # Other Europe, nes
        "F19": "_X",  # Other Africa, nes
        "O19": "_X",  # Oceania, nes
        "R20": "_X",  # Europe EFTA, nes
    }
)
"""UN Comtrade's codes that look like ISO 3166 alpha-3 but are not, and what they are here.

Comtrade pads some with a blank (`_X `); they are listed without it. "nes" is "not elsewhere
specified": trade whose partner is not published, so all of these are `_X`. The numbers of the same
areas are in the `comtrade_code` of `_X` in `economies.csv`.
"""


ListName = Literal[
    "economies", "commodities", "mineral_groups", "instruments", "nomenclature", "notice_words",
    "companies", "measures",
]  # fmt: skip
"""The lists that several sources read; a source names those that it reads on its card."""

LIST_FILES: Mapping[ListName, Path] = MappingProxyType(
    {
        "economies": ECONOMIES_FILE,
        "commodities": COMMODITIES_FILE,
        "mineral_groups": MINERAL_GROUPS_FILE,
        "instruments": INSTRUMENTS_FILE,
        "nomenclature": NOMENCLATURE_FILE,
        "notice_words": NOTICE_WORDS_FILE,
        "companies": COMPANIES_FILE,
        "measures": MEASURES_FILE,
    }
)


# --- the lists ---


def bytes_of_list(name: ListName) -> bytes:
    """The file of a list that is no table, as `companies` is."""
    return LIST_FILES[name].read_bytes()


def codes_in(cell: str) -> tuple[str, ...]:
    """The codes in a cell of `economies.csv`, the economy's own first.

    Further ones, after a blank, are codes a publisher uses for a part of the economy (Japan
    Customs: Spain, the Canary Islands) or used for it formerly (Comtrade: Germany before 1991).
    """
    return tuple(cell.split())


def names_in(cell: str) -> tuple[str, ...]:
    """The names in a cell of `also_named`, as `economy_named` compares them."""
    return tuple(_plain(name) for name in cell.split(" | ") if name.strip())


@dataclass(frozen=True)
class EconomyCode:
    """A code of a publisher for an economy, or for a part of it; days are inclusive."""

    scheme: words.CodeScheme
    code: str
    valid_from: date
    valid_to: date | None
    economy_iso3: str


@cache
def economy_codes() -> tuple[EconomyCode, ...]:
    """The codes of all schemes, of `economies.csv`; see `economy_codes_of`."""
    return tuple(economy_codes_of(_economy_rows()))


def economy_codes_of(rows: Iterable[Mapping[str, str | None]]) -> Iterator[EconomyCode]:
    """The codes in rows of `economies.csv`: a cell has `CODE`, or `CODE@FIRST..LAST` with days, of
    which one may be blank; several of them after blanks.

    Raises ConfigurationError for a day that is none.
    """
    for row in rows:
        economy = row["economy_iso3"] or ""
        for scheme in words.CODE_SCHEMES:
            listed_codes = [
                _economy_code(scheme, cell, economy)
                for cell in codes_in(row.get(f"{scheme}_code") or "")
            ]
            if scheme in SCHEMES_OF_ALPHA2 and row["iso2"]:
                listed_codes.append(_economy_code(scheme, row["iso2"], economy))
            yield from dict.fromkeys(listed_codes)


def _economy_code(scheme: words.CodeScheme, cell: str, economy: str) -> EconomyCode:
    code, _, days = cell.partition("@")
    first, _, last = days.partition("..")
    try:
        valid_from = date.fromisoformat(first) if first else HS_BEGAN
        valid_to = date.fromisoformat(last) if last else None
    except ValueError:
        raise ConfigurationError(
            f"{_in_checkout(ECONOMIES_FILE)}: {cell!r} of {economy} has a day that is none."
        ) from None
    return EconomyCode(scheme, code, valid_from, valid_to, economy)


@cache
def economy_by_code(scheme: words.CodeScheme) -> Mapping[str, str]:
    """Economy by a publisher's code, whenever it is valid; of several the latest."""
    codes = [code for code in economy_codes() if code.scheme == scheme]
    return {code.code: code.economy_iso3 for code in sorted(codes, key=lambda c: c.valid_from)}


@cache
def eu27_members() -> frozenset[str]:
    """The 27 members of the European Union."""
    return frozenset(row["economy_iso3"] for row in _economy_rows() if row["is_eu27"] == "true")


@cache
def economies() -> frozenset[str]:
    """Every `economy_iso3` of the warehouse, including `_X`, `WLD` and `EU27`."""
    return frozenset(row["economy_iso3"] for row in _economy_rows())


@cache
def economy_by(column: CodeColumn) -> Mapping[str, str]:
    """Economy by the code in `column`; text as printed there (`004` in M49, `4` in Comtrade)."""
    return {code: row["economy_iso3"] for row in _economy_rows() for code in codes_in(row[column])}


def economy_of(
    code: str, *, by: CodeColumn | Literal["economy_iso3"] = "economy_iso3", publisher: str
) -> str:
    """The economy of a publisher's code; blanks around the code are ignored.

    For `economy_iso3`, Comtrade's `SPECIAL_AREAS` are accepted too. Raises UnknownCodeError that
    names the code and the publisher.
    """
    bare = code.strip()
    economy: str | None
    if by == "economy_iso3":
        economy = SPECIAL_AREAS.get(bare) or (bare if bare in economies() else None)
    else:
        economy = economy_by(by).get(bare)
    if economy is None:
        raise UnknownCodeError(
            f"{publisher}: no economy has the {_CODE_NAMES[by]} {code!r}.",
            hint="Add it to dagster_project/bundled/catalogue/economies.csv.",
        )
    return economy


@cache
def economies_by_name() -> Mapping[str, str]:
    """Economy by its English name and its other names, in the form `economy_named` compares."""
    named: dict[str, str] = {}
    for row in _economy_rows():
        for name in (_plain(row["name"]), *names_in(row.get("also_named") or "")):
            named[name] = row["economy_iso3"]
    return named


@cache
def economy_names() -> Mapping[str, str]:
    """The English name of each economy, as readers see it."""
    return {row["economy_iso3"]: row["name"] for row in _economy_rows()}


def economy_named(name: str, *, publisher: str) -> str:
    """The economy with this name at a publisher.

    Upper and lower case, runs of blanks (of any kind) and the form of the apostrophe are ignored.
    Raises UnknownCodeError that names the name and the publisher.
    """
    try:
        return economies_by_name()[_plain(name)]
    except KeyError:
        raise UnknownCodeError(
            f"{publisher}: no economy has the name {name!r}.",
            hint="Add it to `also_named` in dagster_project/bundled/catalogue/economies.csv.",
        ) from None


def _plain(name: str) -> str:
    return " ".join(name.replace("’", "'").split()).casefold()


@dataclass(frozen=True)
class NoticeWord:
    """A word by which a notice is recognised; `mineral` is empty for the name of a kind of act."""

    word: str
    language: str
    mineral: str


@cache
def notice_words() -> tuple[NoticeWord, ...]:
    """The words of official notices in the order of `notice_words.csv`.

    English ones are in lower case and in singular.
    """
    return tuple(
        NoticeWord(row["word"], row["language"], row["mineral"]) for row in _rows(NOTICE_WORDS_FILE)
    )


@cache
def mineral_groups() -> frozenset[str]:
    """Every mineral group, from the seed that defines them."""
    return frozenset(row["mineral_group"] for row in _rows(MINERAL_GROUPS_FILE))


@cache
def commodity_codes() -> frozenset[str]:
    """Every HS6 code in scope, of any edition, from the seed that defines them."""
    return frozenset(row["hs6_code"] for row in _rows(COMMODITIES_FILE))


@cache
def hs_2022_codes() -> frozenset[str]:
    """Every HS6 code of HS 2022."""
    return frozenset(row["code"] for row in _rows(NOMENCLATURE_FILE) if len(row["code"]) == 6)


@cache
def hs_codes() -> frozenset[str]:
    """Every HS6 code of HS 2022, those of older editions in scope, and the headings they are in."""
    six_digits = hs_2022_codes() | {row["hs6_code"] for row in _rows(COMMODITIES_FILE)}
    return frozenset(six_digits | {code[:4] for code in six_digits})


@cache
def instruments() -> frozenset[str]:
    """Every instrument that has prices, from the seed that describes them."""
    return frozenset(row["instrument"] for row in _rows(INSTRUMENTS_FILE))


@dataclass(frozen=True)
class Traded:
    """An instrument's kind, and the calendar of its exchange: None where it has no daily price."""

    kind: str
    calendar: str | None


@cache
def traded() -> Mapping[str, Traded]:
    """Kind and calendar of every instrument that has prices, from the seed that describes them."""
    return {
        row["instrument"]: Traded(row["kind"], row["calendar"] or None)
        for row in _rows(INSTRUMENTS_FILE)
    }


@dataclass(frozen=True)
class MaterialLabel:
    """The meaning of a publisher's label; `left_out` is the reason why its figures are not used.

    `stage` is given where the label implies it and the publisher's table has no column for it.
    `content_basis` is what the figures of that stage weigh, where the label or the heading of its
    table prints it; a table that prints reserves beside mine production does not print theirs.
    """

    label: str
    material: str
    mineral: str | None
    mineral_group: str | None
    stage: str | None
    content_basis: str | None
    left_out: str | None


def labels_file(source: str) -> Path:
    """The list of a source's labels, edited by hand; not every source has one."""
    return _BUNDLED / source / "labels.csv"


@cache
def material_labels(source: str) -> Mapping[str, MaterialLabel]:
    """The labels of a source by their names as printed, from `bundled/<source>/labels.csv`.

    Columns: `label,material,mineral,mineral_group,stage,content_basis,left_out`; blank is None.
    """
    return {
        row["label"]: MaterialLabel(**{name: cell or None for name, cell in row.items()})  # type: ignore[arg-type]
        for row in _labels(labels_file(source), MaterialLabel, ("label", "material"))
    }


@dataclass(frozen=True)
class PriceLabel:
    """The series of a label of prices. Labels of several editions may be one series."""

    label: str
    instrument: str
    unit: str


def price_labels_file(source: str) -> Path:
    """The list of the labels of a source's prices, edited by hand; most sources have none."""
    return _BUNDLED / source / "price_labels.csv"


@cache
def price_labels(source: str) -> Mapping[str, PriceLabel]:
    """The labels of a source's prices, from `bundled/<source>/price_labels.csv`.

    Raises ConfigurationError for an instrument in two units.
    """
    file = price_labels_file(source)
    labels = [
        PriceLabel(**row) for row in _labels(file, PriceLabel, ("label", "instrument", "unit"))
    ]
    units: dict[str, str] = {}
    for row in labels:
        if units.setdefault(row.instrument, row.unit) != row.unit:
            raise ConfigurationError(
                f"{_in_checkout(file)}: {row.instrument} is in {units[row.instrument]!r} and in "
                f"{row.unit!r}."
            )
    return {row.label: row for row in labels}


def require_known_labels(labels: Iterable[str], *, source: str) -> None:
    """Raise UnknownCodeError unless every label is in the source's list; it names the first."""
    printed = set(labels)
    unknown = sorted(printed - material_labels(source).keys())
    if unknown:
        raise UnknownCodeError(
            f"{source}: no material has the label {listed(map(repr, unknown[:3]))}.",
            hint=f"Add it to dagster_project/bundled/{source}/labels.csv, or give there why it is "
            "left out.",
        )


def label_rows(source: str) -> list[dict[str, str | None]]:
    """The whole list of a source's labels, as rows of the lake's `material_labels`."""
    return [
        {
            "label": label.label,
            "material": label.material,
            "mineral": label.mineral,
            "mineral_group": label.mineral_group,
            "stage": label.stage,
            "content_basis": label.content_basis,
            "left_out": label.left_out,
        }
        for label in material_labels(source).values()
    ]


def _labels(path: Path, entry: type, required: Iterable[str]) -> Iterator[Mapping[str, str]]:
    """The rows of a list of labels, whose columns are the fields of `entry`.

    Raises ConfigurationError, with the line, for other columns, a row of more or fewer cells, a
    required cell that is blank, a label that is listed twice, and bytes that are not UTF-8.
    """
    where = _in_checkout(path)
    columns = {field.name for field in fields(entry)}
    seen: set[str] = set()
    try:
        rows = _rows(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{where} cannot be read as CSV in UTF-8 ({error}).") from None
    for number, row in enumerate(rows, start=1):
        if row.keys() - {None} != columns:
            raise ConfigurationError(f"{where}: the columns are not {', '.join(sorted(columns))}.")
        blank = [name for name in required if not row[name]]
        if None in row or None in row.values():
            problem = "has another number of cells than the header"
        elif blank:
            problem = f"has no {blank[0]}"
        elif row["label"] in seen:
            problem = f"lists {row['label']!r} again"
        else:
            seen.add(row["label"])
            yield row
            continue
        raise ConfigurationError(f"{where}: row {number} {problem}.")


def _in_checkout(bundled: Path) -> str:
    return f"dagster_project/bundled/{bundled.parent.name}/{bundled.name}"


def corrections_file(source: str) -> Path:
    """The register of a source's misprints, edited by hand; most sources have none."""
    return _BUNDLED / source / "corrections.yaml"


_CODE_NAMES: Mapping[str, str] = {
    "economy_iso3": "ISO 3166 alpha-3 code",
    "iso2": "ISO 3166 alpha-2 code",
    "m49_code": "UN M49 code",
    "comtrade_code": "UN Comtrade code",
    "japan_customs_code": "Japan Customs code",
}


@cache
def _economy_rows() -> tuple[Mapping[str, str], ...]:
    return _rows(ECONOMIES_FILE)


def _rows(path: Path) -> tuple[Mapping[str, str], ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(csv.DictReader(file))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path.relative_to(_CHECKOUT)} is missing from the checkout.",
            hint="Restore it from version control.",
        ) from None

"""The lists of codes that lake tables may hold, read once from the files edited by hand.

Lists only: which code stands for which economy, which mineral groups there are. What a publisher's
file looks like is not known here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from dagster_project.errors import ConfigurationError, UnknownCodeError

_CHECKOUT = Path(__file__).resolve().parents[2]

_BUNDLED = _CHECKOUT / "dagster_project" / "bundled"
ECONOMIES_FILE = _BUNDLED / "catalogue" / "economies.csv"
COMMODITIES_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_commodities.csv"
INSTRUMENTS_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_instruments.csv"
MINERAL_GROUPS_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_mineral_groups.csv"

CodeColumn = Literal["comtrade_code", "japan_customs_code", "m49_code", "iso2"]
"""The columns of `economies.csv` that hold codes of publishers."""

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

Comtrade pads some with a blank (`_X `); they are listed without. "nes" is "not elsewhere
specified": a trade whose partner is not published, so all of these are `_X`. The same areas by
their numbers stand in the `comtrade_code` of `_X` in `economies.csv`.
"""


def codes_in(cell: str) -> tuple[str, ...]:
    """The codes in a cell of `economies.csv`, the economy's own first.

    Further ones, after a blank, are codes a publisher uses for a part of the economy (Japan
    Customs: Spain, the Canary Islands) or used for it once (Comtrade: Germany before 1991).
    """
    return tuple(cell.split())


def names_in(cell: str) -> tuple[str, ...]:
    """The names in a cell of `also_named`, as `economy_named` compares them."""
    return tuple(_plain(name) for name in cell.split(" | ") if name.strip())


@cache
def economies() -> frozenset[str]:
    """Every `economy_iso3` the warehouse knows, `_X`, `WLD` and `EU27` among them."""
    return frozenset(row["economy_iso3"] for row in _economy_rows())


@cache
def economy_by(column: CodeColumn) -> Mapping[str, str]:
    """Economy by the code in `column`; text as printed there (`004` in M49, `4` in Comtrade)."""
    return MappingProxyType(
        {code: row["economy_iso3"] for row in _economy_rows() for code in codes_in(row[column])}
    )


def economy_of(
    code: str, *, by: CodeColumn | Literal["economy_iso3"] = "economy_iso3", publisher: str
) -> str:
    """The economy a publisher's code stands for; blanks around the code do not count.

    By `economy_iso3`, Comtrade's `SPECIAL_AREAS` are understood too. Raises UnknownCodeError that
    names the code and the publisher.
    """
    bare = code.strip()
    found: str | None
    if by == "economy_iso3":
        found = SPECIAL_AREAS.get(bare, bare if bare in economies() else None)
    else:
        found = economy_by(by).get(bare)
    if found is None:
        raise UnknownCodeError(
            f"{publisher}: no economy is known by the {_CODE_NAMES[by]} {code!r}.",
            hint="Add it to dagster_project/bundled/catalogue/economies.csv.",
        )
    return found


@cache
def economies_by_name() -> Mapping[str, str]:
    """Economy by its English name and its other names, in the form `economy_named` compares."""
    named: dict[str, str] = {}
    for row in _economy_rows():
        for name in (_plain(row["name"]), *names_in(row.get("also_named") or "")):
            named[name] = row["economy_iso3"]
    return MappingProxyType(named)


def economy_named(name: str, *, publisher: str) -> str:
    """The economy a publisher calls by this name.

    Upper and lower case, runs of blanks (of any kind) and the form of the apostrophe do not count.
    Raises UnknownCodeError that names the name and the publisher.
    """
    try:
        return economies_by_name()[_plain(name)]
    except KeyError:
        raise UnknownCodeError(
            f"{publisher}: no economy is known by the name {name!r}.",
            hint="Add it to `also_named` in dagster_project/bundled/catalogue/economies.csv.",
        ) from None


def _plain(name: str) -> str:
    return " ".join(name.replace("’", "'").split()).casefold()


@cache
def mineral_groups() -> frozenset[str]:
    """Every mineral group, from the seed that defines them."""
    return frozenset(row["mineral_group"] for row in _rows(MINERAL_GROUPS_FILE))


@cache
def commodity_codes() -> frozenset[str]:
    """Every HS6 code in scope, of any edition, from the seed that defines them."""
    return frozenset(row["hs6_code"] for row in _rows(COMMODITIES_FILE))


@cache
def instruments() -> frozenset[str]:
    """Every instrument that has prices, from the seed that describes them."""
    return frozenset(row["instrument"] for row in _rows(INSTRUMENTS_FILE))


@dataclass(frozen=True)
class MaterialLabel:
    """What a publisher's label stands for; `left_out` says why its figures are not taken.

    `stage` is given where the label tells it and the publisher's table has no column for it.
    """

    label: str
    material: str
    mineral: str | None
    mineral_group: str | None
    stage: str | None
    left_out: str | None


def labels_file(source: str) -> Path:
    """The list of a source's labels, edited by hand; not every source has one."""
    return _BUNDLED / source / "labels.csv"


@cache
def material_labels(source: str) -> Mapping[str, MaterialLabel]:
    """The labels of a source by their names as printed, from `bundled/<source>/labels.csv`.

    Columns: `label,material,mineral,mineral_group,stage,left_out`; blank is None.
    """
    return MappingProxyType(
        {
            row["label"]: MaterialLabel(**{name: cell or None for name, cell in row.items()})  # type: ignore[arg-type]
            for row in _rows(labels_file(source))
        }
    )


def require_known_labels(labels: Iterable[str], *, source: str) -> None:
    """Raise UnknownCodeError unless every label is in the source's list; it names the first."""
    unknown = sorted(set(labels) - set(material_labels(source)))
    if unknown:
        raise UnknownCodeError(
            f"{source}: no material is known by the label {', '.join(map(repr, unknown[:3]))}.",
            hint=f"Add it to dagster_project/bundled/{source}/labels.csv, or say there why it is "
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
            "left_out": label.left_out,
        }
        for label in material_labels(source).values()
    ]


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

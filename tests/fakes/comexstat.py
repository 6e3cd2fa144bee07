"""A local server in place of Comex Stat's bulk files: one per flow and year, and the countries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen

FOLDER = "/balanca/bd"
COUNTRIES = (
    ("023", "276", "DEU", "Alemanha"),
    ("025", "278", "DEU", "Alemanha Oriental"),
    ("105", "076", "BRA", "Brasil"),
    ("160", "156", "CHN", "China"),
    ("249", "840", "USA", "Estados Unidos"),
    ("399", "392", "JPN", "Japão"),
    ("994", "000", "ZZZ", "A Designar"),
)
COLUMNS = (
    "CO_ANO", "CO_MES", "CO_NCM", "CO_UNID", "CO_PAIS", "SG_UF_NCM", "CO_VIA", "CO_URF", "QT_ESTAT",
    "KG_LIQUIDO", "VL_FOB",
)  # fmt: skip
COSTS = ("VL_FRETE", "VL_SEGURO")
"""Of imports only, maybe not of old years."""


@dataclass(frozen=True)
class Trade:
    """A line of a file: one state, way and office."""

    month: int
    code: str
    country: str
    kg: int
    fob: int
    freight: int = 0
    insurance: int = 0
    state: str = "SP"


def countries_csv() -> bytes:
    """Latin-1, as published."""
    lines = ['"CO_PAIS";"CO_PAIS_ISON3";"CO_PAIS_ISOA3";"NO_PAIS";"NO_PAIS_ING";"NO_PAIS_ESP"']
    for number, iso_n3, iso3, name in COUNTRIES:
        lines.append(";".join(f'"{cell}"' for cell in (number, iso_n3, iso3, name, name, name)))
    return "".join(f"{line}\n" for line in lines).encode("latin-1")


def year_csv(flow: str, year: int, rows: Iterable[Trade], first_with_costs: int = 0) -> bytes:
    """Codes in quotes, figures not; 13 columns of imports, 11 of exports and of imports before the
    first year with costs.
    """
    has_costs = flow == "IMP" and year >= first_with_costs
    lines = [";".join(f'"{name}"' for name in (*COLUMNS, *(COSTS if has_costs else ())))]
    for row in rows:
        cells = [
            f'"{year}"', f'"{row.month:02}"', f'"{row.code}"', '"10"', f'"{row.country}"',
            f'"{row.state}"', '"01"', '"0817800"', str(row.kg), str(row.kg), str(row.fob),
        ]  # fmt: skip
        lines.append(";".join([*cells, *([str(row.freight), str(row.insurance)] * has_costs)]))
    return "".join(f"{line}\n" for line in lines).encode()


class FakeComexstat(FakePublisher):
    """`with FakeComexstat() as comexstat:` serves `years`, by file (IMP, EXP) and year.

    Imports before `first_with_costs` have no freight and insurance.
    """

    def __init__(self, *, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.years: dict[tuple[str, int], list[Trade]] = {}
        self.first_with_costs = 0

    def answer(self, request: Seen) -> Reply:
        if request.path == f"{FOLDER}/tabelas/PAIS.csv":
            return Reply(200, countries_csv(), "text/csv")
        named = re.fullmatch(rf"{FOLDER}/comexstat-bd/ncm/(IMP|EXP)_(\d{{4}})\.csv", request.path)
        if not named or (named[1], int(named[2])) not in self.years:
            return NOT_FOUND
        rows = self.years[named[1], int(named[2])]
        payload = year_csv(named[1], int(named[2]), rows, self.first_with_costs)
        return Reply(200, payload, "text/csv")

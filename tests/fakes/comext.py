"""A local server in place of Comext: the constraint of the data set, and figures as SDMX-CSV.
Figures of tests are invented; keys, columns and faults are those of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.server import FakePublisher, Reply, Seen

BASE = "/eurostat/api/comext/dissemination/sdmx/2.1"
PATHS = ("/sdmx/2.1", BASE)
DATA_SET = "DS-045409"

CSV_DATA = "application/vnd.sdmx.data+csv;version=1.0.0"
HEADER = (
    "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE,"
    "OBS_FLAG,CONF_STATUS"
)

QUEUED = (
    '<?xml version="1.0" encoding="UTF-8" ?>\n<env:Envelope '
    'xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header/><env:Body>'
    '<ns0:syncResponse xmlns:ns0="http://estat.ec.europa.eu/disschain/soap/extraction">'
    "<processingTime>92</processingTime><queued><id>e3d39a1b-27eb-4ce4-936d-8f95b23bf74f</id>"
    "<status>SUBMITTED</status></queued></ns0:syncResponse></env:Body></env:Envelope>"
)


def fault(code: str, text: str) -> bytes:
    return (
        '<S:Fault xmlns:S="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring></S:Fault>"
    ).encode()


@dataclass(frozen=True)
class Observation:
    """One figure; `value` None is a blank, as of a confidential one."""

    reporter: str
    partner: str
    product: str
    flow: str
    indicator: str
    month: str
    value: str | None
    flag: str = ""
    status: str = ""


def trade(
    reporter: str, partner: str, product: str, flow: str, month: str, euros: str | None,
    quantity: str | None = None, flag: str = "", status: str = "",
) -> list[Observation]:  # fmt: skip
    """The two figures of a flow: euros, and the quantity in 100 kg (not there if None)."""
    named = (reporter, partner, product, flow)
    rows = [Observation(*named, "VALUE_IN_EUROS", month, euros, flag, status)]
    if quantity is not None:
        rows.append(Observation(*named, "QUANTITY_IN_100KG", month, quantity, flag, status))
    return rows


def csv_data(rows: Iterable[Observation]) -> bytes:
    """SDMX-CSV of the API, with the columns of flags."""
    lines = [HEADER]
    for row in rows:
        lines.append(
            f"ESTAT:{DATA_SET}(1.0),16/11/26 11:00:00,M,{row.reporter},{row.partner},"
            f"{row.product},{row.flow},{row.indicator},{row.month},{row.value or ''},"
            f"{row.flag},{row.status}"
        )
    return "".join(f"{line}\r\n" for line in lines).encode()


class FakeComext(FakePublisher):
    """`with FakeComext() as comext:` serves `observations`.

    An answer of more than `most_rows` figures is 413; the first `queued` answers are queued.
    """

    def __init__(
        self, observations: Iterable[Observation] = (), *, log: Path | None = None
    ) -> None:
        super().__init__(log=log)
        self.observations = list(observations)
        self.most_rows = 500_000
        self.queued = 0

    def answer(self, request: Seen) -> Reply:
        path = next(
            (request.path.removeprefix(base) for base in reversed(PATHS)
             if request.path.startswith(base)), ""
        )  # fmt: skip
        if path == f"/contentconstraint/ESTAT/{DATA_SET}":
            return Reply(200, self._constraint(), "application/xml")
        if not (key := re.fullmatch(rf"/data/{DATA_SET}/([^/]+)", path)):
            text = "ERR_NOT_FOUND_4: The requested dataset is not available"
            return Reply(404, fault("100", text), "application/xml")
        if self.queued:
            self.queued -= 1
            return Reply(200, QUEUED.encode(), "application/xml")
        return self._data(key[1], request)

    def _constraint(self) -> bytes:
        products = sorted(
            {row.product for row in self.observations} | {"28053010", "2805", "280530"}
        )
        values = "".join(f"<c:Value>{product}</c:Value>" for product in products)
        return (
            '<?xml version="1.0" encoding="UTF-8"?><m:Structure xmlns:m="m" xmlns:c="c">'
            f'<c:KeyValue id="product">{values}</c:KeyValue></m:Structure>'
        ).encode()

    def _data(self, key: str, request: Seen) -> Reply:
        _, reporters, partners, products, flows, indicators = (
            set(filter(None, part.split("+"))) for part in key.split(".")
        )
        first, last = request.query["startPeriod"], request.query["endPeriod"]
        rows = [
            row
            for row in self.observations
            if row.reporter in reporters
            and (not partners or row.partner in partners)
            and row.product in products
            and row.flow in flows
            and row.indicator in indicators
            and first <= row.month <= last
        ]
        if len(rows) > self.most_rows:
            text = "EXTRACTION_TOO_BIG: The requested extraction is too big"
            return Reply(413, fault("413", text), "application/xml")
        if not rows:
            return Reply(404, fault("100", "No results found."), "application/xml")
        return Reply(200, csv_data(rows), CSV_DATA)

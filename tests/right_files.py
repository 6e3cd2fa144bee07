"""A small right file of each source that brings no table along, in its publisher's own format.

JSON is printed on several lines, so that a test can change one of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from tests.fakes import (
    comext,
    comtrade,
    federal_register,
    gta,
    japan_customs,
    mofcom,
    price_publishers,
    screening_list,
)

_PRICES = "price_date,product_code,currency,unit,low,high,mid,vat_included,source,source_licence\n"


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode()


def _comtrade() -> bytes:
    return comtrade.as_csv(comtrade.flows_for([392], [156, 36], ["280530"], ["2024"], gaps=0))


def _comext() -> bytes:
    months = ("2026-08", "2026-09", "2026-10")
    return comext.csv_data(
        row
        for month in months
        for row in comext.trade("FR", "CN", "28053010", "1", month, "5", "2")
    )


def _federal_register() -> bytes:
    documents = [federal_register.document(f"2026-{n}", "2026-11-20") for n in range(3)]
    return _json({"count": 3, "results": documents})


def _japan_customs() -> bytes:
    lines = [japan_customs.Line(code, "105", {1: (0, 2, 5)}) for code in ("280530100", "280530900")]
    return japan_customs.csv_of("import", 2026, lines)


def _mofcom() -> bytes:
    entries = [mofcom.Entry(f"商务部公告2026年第{n}号 镓", "2026-11-20") for n in range(3)]
    return _json(mofcom.list_answer(mofcom.list_html(entries, 3, 15)))


def _yahoo() -> bytes:
    sessions = price_publishers.sessions_of({"2026-10-01": 70.5, "2026-10-02": 71.0})
    return _json(price_publishers.chart_json("REMX", price_publishers.Chart(sessions)))


RIGHT_FILES: Mapping[str, Callable[[], bytes]] = {
    "alphavantage": lambda: _json(
        price_publishers.daily_json({"2026-10-01": "70.5", "2026-10-02": "71.0"})
    ),
    "comext": _comext,
    "comtrade": _comtrade,
    "exchange_prices": lambda: (
        _PRICES
        + "2026-09-22,6762.T,JPY,share,,,1990,false,TSE,own\n"
        + "2026-09-24,6762.T,JPY,share,,,2001,false,TSE,own\n"
    ).encode(),
    "federal_register": _federal_register,
    "fred": lambda: b"observation_date,DEXJPUS\n2026-10-01,150.1\n2026-10-02,150.2\n",
    "gta": lambda: _json([gta.intervention(number) for number in range(1, 4)]),
    "imf_pcps": lambda: _json(
        price_publishers.sdmx_json({"PREODOM": {"2026-M07": "4060.1", "2026-M08": "4120.5"}})
    ),
    "japan_customs": _japan_customs,
    "mofcom": _mofcom,
    "oecd_restrictions": lambda: (
        b"country_iso3,hs6,product,measure_type,date_start\n"
        b"CHN,280530,Rare-earth metals,Export tax,2012-01-01\n"
        b"CHN,284690,Rare-earth metals,Export tax,2012-01-01\n"
    ),
    "rare_earth_prices": lambda: (
        _PRICES
        + "2026-09-22,NDPR_OX,CNY,t,545000,550000,547500,true,SMM,own\n"
        + "2026-09-24,NDPR_OX,CNY,t,545000,550000,547500,true,SMM,own\n"
    ).encode(),
    "scenarios": lambda: (
        b"scenario: half\ntitle: Half is lost\nimporter: JPN\ngroups: [rare_earths]\n"
        b"changes:\n  - {cut: CHN, share: 0.5, from: 2059-01}\n"
    ),
    "screening_list": lambda: screening_list.csv_of(
        [screening_list.listing(1, "TDK Corporation"), screening_list.listing(2, "SUBARU")]
    ),
    "yahoo": _yahoo,
}

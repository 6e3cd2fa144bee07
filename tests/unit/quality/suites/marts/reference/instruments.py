"""Rows of `reference.instruments` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"instrument": name, "kind": "fx", "currency": "JPY", "unit": "JPY per USD",
     "frequency": "D", "market_timezone": zone, "market_factor": factor}
    for name, zone, factor in (
        ("USDJPY", "Europe/Berlin", "index"), ("CNYJPY", "UTC", None), ("EURUSD", "UTC", None),
        ("EURJPY", "America/Argentina/Buenos_Aires", "peers_basket"), ("EURCNY", "UTC", None),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "kind_is_known": ({"kind": "rate"}, 1),
    "frequency_is_daily_monthly_or_annual": ({"frequency": "W"}, 1),
    "market_factor_is_known": ({"market_factor": "peers"}, 1),
    "currency_is_an_iso_4217_code": ({"currency": "yen"}, 1),
    "market_timezone_is_an_iana_name": ({"market_timezone": "JST"}, 1),
    "the_exchange_rates_are_there": ({"instrument": "JPYUSD"}, 0),
    "unit_is_not_blank": ({"unit": ""}, 1),
}

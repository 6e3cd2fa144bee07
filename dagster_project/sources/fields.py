"""Types of the fields of an entry. Each message continues the sentence "`field` ..."."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field

from dagster_project.lake.entries import Identifier, as_text


def _day(value: object) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"is {value!r} and not a day like 2026-01-06")


def _hs_code(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}([0-9]{2})?", value):
        return value
    if isinstance(value, int):
        raise ValueError(f'is {value}, a number; write it in quotes ("280530") to keep every zero')
    raise ValueError(f"is {value!r}; an HS code has six digits, a heading four")


def _mineral(value: object) -> str:
    text = as_text(value)
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", text):
        raise ValueError(f"is {text!r}; a mineral is written like `gallium` or `all_rare_earths`")
    return text


def number_of(value: object) -> float:
    """The value as a number. Raises ValueError that continues "`field` ..."."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"is {value!r} and not a number")
    return float(value)


def _amount(value: object) -> float:
    number = number_of(value)
    if not 0 < number < float("inf"):
        raise ValueError(f"is {value!r} and not an amount above 0")
    return number


def _year(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not 1000 <= value <= 9999:
        raise ValueError(f"is {value!r} and not a year like 2018")
    return str(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is {value!r} and neither true nor false")
    return value


def _share(value: object) -> float:
    number = number_of(value)
    if not 0 <= number <= 1:
        raise ValueError(f"is {value!r}; a share is between 0 and 1")
    return number


def _month(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", value):
        return date.fromisoformat(f"{value}-01")
    raise ValueError(f"is {value!r} and not a month like 2027-01")


def _share_bounds(value: object) -> object:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"is {value!r} and not a low and a high share like [0, 1]")
    low, high = (_share(bound) for bound in value)
    if low > high:
        raise ValueError(f"is {value!r}; the low share comes first")
    return (low, high)


@cache
def _zones() -> frozenset[str]:
    """The IANA's zones. Listing them walks their folder, about 10 ms each time."""
    return frozenset(available_timezones())


def _hour(value: object) -> str:
    text = as_text(value)
    zone = zone_of(text)
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9] [A-Z]\w+(/[A-Z]\w+)+", text):
        raise ValueError(f'is {text!r} and not an hour and its zone like "18:00 Asia/Shanghai"')
    if zone not in _zones():
        raise ValueError(f"names the zone {zone!r}, which is no zone of the IANA's list")
    return text


def _nace_division(value: object) -> str:
    text = as_text(value)
    if not re.fullmatch(r"[A-U][0-9]{2}", text):
        raise ValueError(f"is {text!r}; a division of NACE is a letter and two digits like C25")
    return text


def _address(value: object) -> str:
    text = as_text(value)
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", text):
        raise ValueError(f"is {text!r} and not an address that begins with https://")
    return text


Identifiers = Annotated[list[Identifier], Field(min_length=1)]
Economy = Annotated[str, BeforeValidator(as_text)]
Day = Annotated[date, BeforeValidator(_day)]
Year = Annotated[str, BeforeValidator(_year)]
Years = Annotated[list[Year], Field(min_length=2)]
Number = Annotated[float, BeforeValidator(number_of)]
Amount = Annotated[float, BeforeValidator(_amount)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Address = Annotated[str, BeforeValidator(_address)]
Mineral = Annotated[str, BeforeValidator(_mineral)]
Minerals = Annotated[list[Mineral], Field(min_length=1)]
Month = Annotated[date, BeforeValidator(_month)]
"""A month of this century, as its first day."""
Share = Annotated[float, BeforeValidator(_share)]
HsCode = Annotated[str, BeforeValidator(_hs_code)]
Hour = Annotated[str, BeforeValidator(_hour)]
"""An hour and its zone, e.g. `18:00 Asia/Shanghai`."""
NaceDivision = Annotated[str, BeforeValidator(_nace_division)]
ShareBounds = Annotated[tuple[float, float], BeforeValidator(_share_bounds)]


def time_of(hour: str | None) -> str | None:
    """`18:00` of `18:00 Asia/Shanghai`."""
    return None if hour is None else hour.partition(" ")[0]


def zone_of(hour: str | None) -> str | None:
    """`Asia/Shanghai` of `18:00 Asia/Shanghai`."""
    return None if hour is None else hour.partition(" ")[2]

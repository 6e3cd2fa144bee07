"""Figures, periods and names as parts of an English sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

WITH_ARTICLE = ("Bahamas", "Comoros", "Maldives", "Netherlands", "Philippines", "Seychelles")
MISSING = "–"


def period(code: str) -> str:
    """A period of ISO 8601: `2025`, `June 2025`, `2025-06-30 to 2026-08-05`."""
    if "/" in code:
        return code.replace("/", " to ")
    if re.fullmatch(r"....-..", code):
        return f"{date.fromisoformat(f'{code}-01'):%B %Y}"
    return code


def day(iso_date: str) -> str:
    """A day: `10 November 2026`."""
    on = date.fromisoformat(iso_date[:10])
    return f"{on.day} {on:%B %Y}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share: `71.3 %`; a dash where it is not known."""
    return MISSING if share is None else f"{100 * share:.{decimals}f} %"


def change(share: float) -> str:
    """A gain or a loss: `+81.8 %`."""
    return f"{100 * share:+.1f} %"


def tonnes(amount_t: float) -> str:
    """`22,307.5 t`."""
    return f"{amount_t:,.1f} t"


def tonnes_rounded(amount_t: float) -> str:
    """Large amounts, without decimals: `270,000 t`."""
    return f"{amount_t:,.0f} t"


def amount(figure: float, measure: str) -> str:
    """A total of trade: `22,406 t`, `USD 442.7 m`; a small one by the kilogram or dollar."""
    if measure == "net_weight_kg":
        return tonnes_rounded(figure / 1000) if figure >= 1e4 else f"{figure:,.0f} kg"
    return f"USD {figure / 1e6:,.1f} m" if figure >= 1e5 else f"USD {figure:,.0f}"


def subject(codes: str) -> str:
    """Minerals, families or materials: `natural graphite`, `other heavy rare earths`,
    `dysprosium and terbium`.
    """
    plural = re.sub(r"_rare_earth(,|$)", r"_rare_earths\1", codes)
    return re.sub(r", ([^,]+)$", r" and \1", plural.replace("_", " "))


def the(name: str) -> str:
    """The name of an economy as it follows a preposition: `the United States`."""
    has_article = (
        name.startswith(("United ", "European Union"))
        or name.endswith(" Islands")
        or "Republic" in name
        or name in WITH_ARTICLE
    )
    return f"the {name}" if has_article else name


def listed(parts: Sequence[str]) -> str:
    """A list: `cerium, lanthanum and neodymium`."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def capitalised(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]

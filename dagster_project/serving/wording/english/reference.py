"""What unit values of trade are (`reference.instruments`), and which codes changed their meaning
(`reference.commodities`).
"""

from __future__ import annotations

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import the


def unit_value(facts: Facts) -> str:
    """A unit value of trade: `Refined copper cathodes (HS 740311), imports of the United Kingdom
    from all suppliers but China, CIF, unit value of trade, no market price`.
    """
    if facts["side"] == "china_fob":
        flows = "exports of China"
    else:
        flows = f"imports of {the(facts['reporter'])} from all suppliers but China"
    return (
        f"{facts['description']} (HS {facts['commodity']}), {flows}, {facts['valuation']}, "
        "unit value of trade, no market price"
    )


def code_of_another_edition(facts: Facts) -> str:
    """A code that the newest edition does not have, by its heading where that has one."""
    heading = facts["heading"]
    code = f"HS {facts['commodity']}" if heading is None else f"{heading}: {facts['commodity']}"
    return f"{code}, not a code of HS 2022"


def changed_meaning(facts: Facts) -> str:
    """Between which editions, or years of one, other goods have the code, and why."""
    return " ".join(
        f"Between {_before(change)} and {_after(change)}: {change['reason']}."
        for change in facts["changes"]
    )


def _before(change: Facts) -> str:
    """The last edition or year of the old meaning."""
    year = change["year_before"]
    return _edition(change["hs_revision_before"]) if year is None else str(year)


def _after(change: Facts) -> str:
    """The first edition, or year of it, of the new meaning."""
    edition = _edition(change["hs_revision_after"])
    return edition if change["year_before"] is None else f"{change['year_after']} of {edition}"


def _edition(hs_revision: str) -> str:
    """An edition of the Harmonized System: `HS 2022`."""
    return hs_revision.replace("HS", "HS ")

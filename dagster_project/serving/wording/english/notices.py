"""Why a notice has its state (`exposure.notices`), and what is to be read (`catalog.answers`)."""

from __future__ import annotations

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import listed

MOST_NAMED = 5
"""Words or codes that a sentence names; more are counted."""


def because(facts: Facts) -> str:
    """Which clause names it, why it is not relevant, or what makes it worth reading."""
    clauses, act = facts["clauses"], facts["act"]
    if facts["state"] == "known":
        names = ", ".join(clauses)
        verb = "names" if len(clauses) == 1 else "name"
        return f"it is on {act}, which {names} {verb}" if act else f"{names} {verb} it"
    if facts["reason"]:
        return f"it is on {act}: {facts['reason']}" if act else str(facts["reason"])
    if facts["state"] == "not_relevant":
        return "neither title nor summary has a word of the list"
    parts = []
    if facts["corrects"]:
        parts.append(f"it corrects {facts['corrects']}")
    if facts["company"]:
        parts.append(f"it is about {facts['company']}")
    if facts["words"]:
        parts.append(f"it names {_some(facts['words'])}")
    if facts["is_number_alone"]:
        parts.append("its title is a number alone")
    if facts["codes"]:
        parts.append(f"it is on HS {_some(facts['codes'])}")
    return f"{'; '.join(parts)}; no clause names it"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def to_be_read(_facts: Facts) -> str:
    """The number of notices that nobody has read."""
    return "Official notices to be read"


def newest(facts: Facts) -> str:
    """The newest of public sources by number, day and minerals; those of private ones are counted,
    since the page is in the UI and in logs.
    """
    if not facts["is_asked"]:
        return "no publisher of notices was asked: kido fetch federal_register, kido fetch mofcom"
    if not facts["notices"]:
        return "every notice on a mineral is known or not relevant"
    named = ", ".join(map(_named, facts["named"]))
    private = (
        f"{facts['private']:,} of {listed(facts['private_sources'])}" if facts["private"] else ""
    )
    return f"{' and '.join(filter(None, (named, private)))}; kido notices lists them"


def _named(notice: Facts) -> str:
    minerals = ", ".join(mineral.replace("_", " ") for mineral in notice["minerals"])
    what = f"{notice['source']} {notice['notice_id']} of {notice['day']}"
    return f"{what} ({minerals})" if minerals else what


def not_asked(facts: Facts) -> str:
    """Publishers of acts that nobody has asked: of theirs nothing is known."""
    publishers = facts["publishers"]
    verb = "was" if len(publishers) == 1 else "were"
    return f"{' and '.join(publishers)} {verb} not asked"

"""Why a clause has a status from a day on (`exposure.measure_status`)."""

from __future__ import annotations

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import day


def because(facts: Facts) -> str | None:
    """The act or the term that the status follows from, or what is known of a clause in doubt."""
    status = facts["status"]
    if status == "suspended":
        return _act(facts["suspending_act"])
    if status == "unknown":
        return _doubt(facts)
    if status == "ended":
        if facts["is_own_term"]:
            return f"the measure's own term, to {facts['ended_date']}"
        return f"its end on {facts['ended_date']}, known on {facts['ended_known_at']}"
    if status == "in_force" and facts["previous_status"] == "suspended":
        return f"the end of the suspension by {_act(facts['suspended_before'])}"
    act: str | None = facts["act"]
    return act


def _act(act: str | None) -> str:
    return "no act is named" if act is None else act


def _doubt(facts: Facts) -> str:
    """The state before, that nothing is known since, and the remarks on the clause."""
    is_official = facts["evidence_class"] == "official"
    match facts["previous_status"]:
        case "suspended":
            before = f"suspended until {day(facts['previous_to'])}; "
        case "in_force":
            state = "in force" if is_official else "known to hold"
            before = f"{state} until {day(facts['previous_to'])}; "
        case _:
            before = ""
    document = "notice" if is_official else "report"
    return "; ".join(
        [
            f"{before}Kido knows of no {document} on what holds {_since(facts)}",
            *(facts["remarks"] or ()),
        ]
    )


def _since(facts: Facts) -> str:
    if facts["previous_status"] in (None, "announced"):
        return f"from {day(facts['valid_from'])}"
    return "after that day" if facts["valid_from"] > facts["today"] else "since"

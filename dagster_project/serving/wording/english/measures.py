"""Why a clause has a status from a day on (`exposure.measure_status`)."""

from __future__ import annotations

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import day


def because(f: Facts) -> str | None:
    """The act or the term that the status follows from, or what is known of a clause in doubt."""
    status = f["status"]
    if status == "suspended":
        return _act(f["suspending_act"])
    if status == "unknown":
        return _doubt(f)
    if status == "ended":
        if f["is_own_term"]:
            return f"the measure's own term, to {f['ended_date']}"
        return f"its end on {f['ended_date']}, known on {f['ended_known_at']}"
    if status == "in_force" and f["previous_status"] == "suspended":
        return f"the end of the suspension by {_act(f['suspended_before'])}"
    act: str | None = f["act"]
    return act


def _act(act: str | None) -> str:
    return "no act is named" if act is None else act


def _doubt(f: Facts) -> str:
    """What the clause was before, that nothing is known of it since, and what was said of it."""
    is_official = f["evidence_class"] == "official"
    match f["previous_status"]:
        case "suspended":
            before = f"suspended until {day(f['previous_to'])}; "
        case "in_force":
            state = "in force" if is_official else "known to hold"
            before = f"{state} until {day(f['previous_to'])}; "
        case _:
            before = ""
    document = "notice" if is_official else "report"
    return "; ".join(
        [f"{before}Kido knows of no {document} on what holds {_since(f)}", *(f["remarks"] or ())]
    )


def _since(f: Facts) -> str:
    if f["previous_status"] in (None, "announced"):
        return f"from {day(f['valid_from'])}"
    return "after that day" if f["valid_from"] > f["today"] else "since"

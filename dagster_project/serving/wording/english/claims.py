"""Whether the figures agree with a published statement (`catalog.claims`), and which they are."""

from __future__ import annotations

import re

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import (
    capitalised,
    change,
    listed,
    percent,
    period,
    subject,
    the,
    tonnes,
)


def explanation(claim: Facts) -> str:
    """The verdict with its figures, those of today, and what else bears on the statement.

    `said` and `today` are what the figures show at a moment, None without any: their `verdict`, by
    how much the `nearest` share misses, and the `figures`, sorted.
    """
    sentences = (_verdict(claim), _today(claim), _same_return(claim), _evidence(claim))
    return " ".join(sentence for sentence in sentences if sentence is not None)


def _verdict(claim: Facts) -> str:
    """What the figures show that judge it, or which figure is missing to do so."""
    said = claim["said"]
    if claim["missing"] is not None and not _is_testable(said):
        return f"Missing: {claim['missing']}"
    if said is None:
        return f"The warehouse has no figure of the test {claim['test']} for it."
    return capitalised(_shown(claim, said))


def _today(claim: Facts) -> str | None:
    """What today's figures show of a statement about the moment it was made."""
    said, today = claim["said"], claim["today"]
    if today is None or not (_is_testable(said) or _is_testable(today)):
        return None
    is_same = said is not None and _present(claim, said) == _present(claim, today)
    return "Today the figures are the same." if is_same else _shown(claim, today)


def _is_testable(moment: Facts | None) -> bool:
    return moment is not None and moment["verdict"] != "not_testable"


def _same_return(claim: Facts) -> str | None:
    """That the statement quotes the very figures it is compared with."""
    importer = claim["same_return_of"]
    if importer is None:
        return None
    if claim["said"]["verdict"] == "contradicted":
        consequence = "the quotation is rounded, of another basis or of another year"
    else:
        consequence = "it can confirm the quotation and not the trade"
    return (
        f"It is the same return: what UN Comtrade has is {importer}'s own figure, so that "
        f"{consequence}."
    )


def _evidence(claim: Facts) -> str | None:
    """The entries of the catalogue that bear on it."""
    entries = claim["evidence"]
    return f"The catalogue has: {', '.join(entries)}." if entries else None


def _shown(claim: Facts, moment: Facts) -> str:
    """What the figures show at a moment, and which of them are missing."""
    is_past = moment["moment"] == "then"
    opening, missing = _opening(claim, moment), _phrases(claim, moment, None)
    if moment["verdict"] == "not_testable":
        subjects = f" for {missing}" if missing else ""
        return f"{opening}no figure {'was known' if is_past else 'was found'}{subjects}."
    if moment["verdict"] == "depends_on_basis":
        agreement = _dependence(claim, moment)
    else:
        verb = "agree" if moment["verdict"] == "supported" else "disagree"
        agreement = f"the figures {verb}{'d' if is_past else ''}: {_present(claim, moment)}"
    publishers = _shared_provenance(claim, moment)
    provenance = "" if publishers is None else f" ({publishers})"
    not_found = f". No figure was found for {missing}" if missing else ""
    return f"{opening}{agreement}{provenance}{not_found}.{_distance(claim, moment)}"


def _opening(claim: Facts, moment: Facts) -> str:
    match moment["moment"]:
        case "then":
            return f"When it was {'noted' if claim['is_day_unknown'] else 'said'}, "
        case "now":
            return "Today "
        case _:
            return ""


def _dependence(claim: Facts, moment: Facts) -> str:
    """On which bases it holds, and on which it does not."""
    has_subjects = any(_subject(figure) is not None for figure in moment["figures"])
    preposition = "for" if has_subjects else "by"
    basis = "the basis and the year" if claim["is_of_years"] else "the basis"
    depends, holds, does = "depends", "holds", "does"
    if moment["moment"] == "then":
        depends, holds, does = "depended", "held", "did"
    return (
        f"it {depends} on {basis}: it {holds} {preposition} {_phrases(claim, moment, True)}, "
        f"it {does} not {preposition} {_phrases(claim, moment, False)}"
    )


def _distance(claim: Facts, moment: Facts) -> str:
    """How far off the nearest share is, where none is within both bounds."""
    if moment["nearest"] is None:
        return ""
    low, high = _share(claim, claim["claimed_low"]), _share(claim, claim["claimed_high"])
    return (
        f" The nearest is {100 * moment['nearest']:.1f} points from what it is read as, "
        f"{low} to {high}."
    )


def _present(claim: Facts, moment: Facts) -> str:
    """The figures that there are, within the bounds or not."""
    return _phrases(claim, moment, True, False)


def _phrases(claim: Facts, moment: Facts, *is_inside: bool | None) -> str:
    """The figures within the bounds (True), outside (False), or missing (None).

    Those compared with the same reference are one phrase: `cerium 1.11 and neodymium 0.69 to 0.96
    times as abundant as copper`.
    """
    is_shared = _shared_provenance(claim, moment) is not None
    findings_by_phrase: dict[tuple[bool | None, str, int | None], list[str]] = {}
    for position, figure in enumerate(moment["figures"]):
        provenance = None if is_shared else _provenance(claim, figure)
        ending = _comparison(figure) + ("" if provenance is None else f" ({provenance})")
        place = position if figure["compared_subject"] is None else None
        phrase = (figure["is_inside"], ending, place)
        findings_by_phrase.setdefault(phrase, []).append(_finding(claim, figure))
    return ", ".join(
        listed(findings) + ending
        for (inside, ending, _), findings in findings_by_phrase.items()
        if inside in is_inside
    )


def _comparison(figure: Facts) -> str:
    """What a mineral is compared with."""
    if figure["compared_subject"] is None:
        return ""
    verb = "against" if figure["is_inside"] is None else "times as abundant as"
    return f" {verb} {subject(figure['compared_subject'])}"


def _finding(claim: Facts, figure: Facts) -> str:
    """What is measured, and the figure."""
    parts = (_subject(figure), _figure(claim, figure))
    return " ".join(part for part in parts if part is not None)


def _subject(figure: Facts) -> str | None:
    """What is measured; a share of imports is named by its measure only."""
    codes: str | None = figure["subject"]
    if figure["unit"] in ("share_of_value", "share_of_weight"):
        return None
    if figure["unit"] == "return" or codes is None:
        return codes
    if figure["flow"] is None:
        return subject(codes)
    goods = f"customs code {codes}" if re.fullmatch("[0-9]+", codes) else subject(codes)
    partner = ""
    if figure["partner"] is not None:
        partner = f" {'to' if figure['flow'] == 'export' else 'from'} {the(figure['partner'])}"
    return (
        f"{figure['reporter']}'s {figure['flow']}s of {goods}{partner} in "
        f"{period(figure['period'])}"
    )


def _figure(claim: Facts, figure: Facts) -> str | None:
    """The figure by its unit; for a flow without one, how far the warehouse's figures reach."""
    value, unit, publisher = figure["value"], figure["unit"], _publisher(figure)
    if value is None:
        return None if figure["flow"] is None else f"({_reach(figure)})"
    match unit:
        case "share_of_value" | "share_of_weight":
            year = f" in {figure['period']}" if claim["is_of_years"] else ""
            return f"{_share(claim, value)} of {unit.removeprefix('share_of_')}{year}"
        case "share_of_output" | "share_of_reserves" | "share_of_capacity":
            return f"({_share(claim, value)}; {publisher} {_years(figure)})"
        case "share_of_use":
            uses = "" if figure["applications"] is None else f": {figure['applications']}"
            return f"({_share(claim, value)} of its use{uses}; {publisher} {figure['period']})"
        case "times_as_abundant":
            return _ratio(figure)
        case "return":
            return _return(figure)
        case "change_of_value" | "change_of_weight":
            measure = unit.removeprefix("change_of_")
            return f"({change(value)} of {measure} on the year before, by {publisher})"
    if figure["flow"] is not None:
        return f"({tonnes(value)} by {publisher})"
    return _as_it_is(figure)


def _reach(figure: Facts) -> str:
    """Up to which period the warehouse has flows like the one that is missing."""
    flows = f"{figure['flow']}s"
    span = "month" if figure["frequency"] == "M" else "year"
    if figure["latest_of_code"] is not None:
        latest = period(figure["latest_of_code"])
        return f"the latest {span} of such {flows} in the warehouse is {latest}"
    if figure["latest_of_any"] is not None:
        latest = period(figure["latest_of_any"])
        return (
            f"no {span} of this code is in the warehouse yet, its other {flows} are there up to "
            f"{latest}"
        )
    return f"no {span} of such {flows} is in the warehouse yet"


def _share(claim: Facts, share: float) -> str:
    """A share, as precise as the bounds of its claim: `71.3 %`, or `68.33 %`."""
    bounds = (claim["claimed_low"], claim["claimed_high"])
    has_two_decimals = any(
        bound is not None and abs(1000 * bound - round(1000 * bound)) > 1e-6 for bound in bounds
    )
    return percent(share, decimals=2 if has_two_decimals else 1)


def _years(figure: Facts) -> str:
    """The year of a figure of output, and the years that it is an average of."""
    if "/" not in figure["period"]:
        return str(figure["period"])
    return f"{figure['year']}, average of {period(figure['period'])}"


def _ratio(figure: Facts) -> str:
    """A ratio, or the least and the largest by the estimates: `0.69 to 0.96`."""
    low, high = figure["value"], figure["value_high"]
    return f"{low:.2f} to {high:.2f}" if high is not None and high > low else f"{low:.2f}"


def _return(figure: Facts) -> str:
    """A gain or a loss, and the largest fall within it."""
    fall = figure["largest_fall_share"]
    on_the_way = "" if fall is None else f", with a largest fall of {percent(fall)} on the way"
    return f"{change(figure['value'])} from {period(figure['period'])}{on_the_way}"


def _as_it_is(figure: Facts) -> str:
    """A figure in a unit without words of its own: `(21.5 days of use; EC March 2026)`."""
    publisher = "" if figure["publishers"] is None else f"; {_publisher(figure)}"
    time = "" if figure["period"] is None else f" {period(figure['period'])}"
    return f"({figure['value']} {figure['unit'].replace('_', ' ')}{publisher}{time})"


def _publisher(figure: Facts) -> str:
    return ", ".join(figure["publishers"] or ())


def _provenance(claim: Facts, figure: Facts) -> str | None:
    """Where the figure is from, unless its words name the publisher already."""
    if figure["publishers"] is None:
        return None
    if claim["is_of_years"] or figure["unit"] == "times_as_abundant":
        return _publisher(figure)
    if figure["unit"] in ("share_of_value", "share_of_weight"):
        return f"{_publisher(figure)}, {period(figure['period'])}"
    return None


def _shared_provenance(claim: Facts, moment: Facts) -> str | None:
    """Where all the figures are from, if it is the same: it is named once, after the last."""
    provenances = {
        _provenance(claim, figure)
        for figure in moment["figures"]
        if figure["is_inside"] is not None
    } - {None}
    return provenances.pop() if len(provenances) == 1 else None

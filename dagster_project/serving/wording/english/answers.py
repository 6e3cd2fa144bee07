"""The lines of the page of answers (`catalog.answers`): what each shows, and what else is known.

A detail is None where no figure is known.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import (
    amount,
    change,
    percent,
    the,
    tonnes,
    tonnes_rounded,
)

BY_MEASURE = {"net_weight_kg": "by weight", "value_usd": "by value"}
SHORT_NAMES = {"6762.T": "TDK", "USDJPY": "yen per dollar"}
BEYOND = {
    "peers_basket": "beyond what its peers explain",
    "index": "beyond what the market explains",
}


def no_figure(f: Facts) -> str:
    """The detail of a line without one."""
    return "no figure is known"


# --- imports ---


def rare_earth_imports(f: Facts) -> str:
    """A supplier's share of an importer's rare earths, by weight or by value."""
    return f"Rare-earth imports from {f['supplier']}, {BY_MEASURE[f['measure']]}"


def rare_earth_imports_detail(f: Facts) -> str | None:
    """The total that the share is of, and whether a later year is known."""
    if f["total"] is None:
        return None
    absent = "" if f["has_share"] else f"; {f['supplier']} is not among the partners published"
    measure = BY_MEASURE[f["measure"]]
    older = f"; no later year is known {measure}" if f["has_later_year"] else ""
    return f"of {amount(f['total'], f['measure'])}{absent}{older}"


def magnet_imports(f: Facts) -> str:
    """A supplier's share of an importer's magnets."""
    return f"Magnet imports from {f['supplier']}, by value"


def magnet_imports_detail(f: Facts) -> str | None:
    """The total, its concentration, and the largest suppliers."""
    if f["total"] is None:
        return None
    if not f["is_complete"]:
        concentration = " of the largest flows"
    else:
        concentration = "" if f["hhi"] is None else f", HHI {f['hhi']:.2f}"
    largest = _named_shares(f["largest"])
    suppliers = f"; largest suppliers: {largest}" if largest else ""
    return f"of {amount(f['total'], 'value_usd')}{concentration}{suppliers}"


def other_importers(f: Facts) -> str:
    """The supplier's share of what the largest other importers buy."""
    return f"The same of the largest other importers but {f['supplier']} together, by value"


def other_importers_detail(f: Facts) -> str | None:
    """The share of each, and of how many they are the largest."""
    if not f["largest"]:
        return None
    return (
        f"{_named_shares(f['largest'])}; the {len(f['largest'])} largest of {f['importers']} in "
        "BACI, which differs from what importers report"
    )


def codes(f: Facts) -> str:
    """The number of codes that one supplier leads."""
    return f"Codes of which {f['supplier']} is the largest supplier, by value"


def codes_detail(f: Facts) -> str | None:
    """Of how many codes, and those that depend most on one supplier."""
    if f["codes"] is None:
        return "none is imported for USD 1 m" if f["is_importer"] else None
    largest = [
        f"{_code(code)} {code['supplier']} {percent(code['share'])}"
        for code in f["largest"] or ()
        if code["supplier"] is not None
    ]
    if not largest:
        return None
    return (
        f"of {f['codes']} imported for at least USD 1 m; most dependent on one supplier: "
        f"{', '.join(largest)}"
    )


def _code(code: Facts) -> str:
    number: str = code["hs6_code"]
    return number if code["name"] is None else f"{code['name']} ({number})"


def _named_shares(largest: Sequence[Facts] | None) -> str:
    return ", ".join(f"{economy['name']} {percent(economy['share'])}" for economy in largest or ())


# --- supply and prices ---


def mines(f: Facts) -> str:
    """The supplier's share of what is mined."""
    return f"{f['supplier']}'s mines, share of the world's rare earths"


def mines_detail(f: Facts) -> str | None:
    """Its output, and the world's."""
    if f["amount_t"] is None or f["world_total_t"] is None:
        return None
    return f"{tonnes_rounded(f['amount_t'])} of {tonnes_rounded(f['world_total_t'])} of oxides"


def refineries(f: Facts) -> str:
    """The supplier's least share of what is refined."""
    return f"{f['supplier']}'s refineries, least share of the world's output of a rare earth"


def refineries_detail(f: Facts) -> str | None:
    """Its shares of light and of heavy rare earths."""
    if not f["families"]:
        return None
    shares = []
    for family in f["families"]:
        least, most = percent(family["least"]), percent(family["most"])
        weight = family["family"].split("_")[0]
        shares.append(f"{weight} {most if least == most else f'{least} to {most}'}")
    return f"{', '.join(shares)} of each element's output"


def dysprosium_price(f: Facts) -> str:
    """The price of a year."""
    return "Dysprosium oxide, average price of the year"


def dysprosium_price_detail(f: Facts) -> str | None:
    """Where it is the price of, and the highest one."""
    if f["highest"] is None:
        return None
    return (
        f"f.o.b. China; prices outside China differ; highest {f['highest']:,.0f} in "
        f"{f['year_of_highest']}"
    )


# --- trade by month ---


def supplier_exports(f: Facts) -> str:
    """What the supplier says it exports to the importer."""
    importer = the(f["importer"])
    return f"{f['supplier']}'s exports to {importer} of gallium, germanium and more (811292)"


def supplier_exports_detail(f: Facts) -> str | None:
    """The months with figures, the year before, and months without a weight."""
    months, unweighed, span = f["months"], f["months_without_weight"], f["span"]
    if months is None:
        return None
    nothing = "" if f["months_reported"] else "nothing reported "
    before = ""
    if f["has_source"] and f["months_before"] == span and not f["months_before_without_weight"]:
        before = f", {tonnes(f['amount_before_t'] or 0)} in the {span} before"
    without_weight = ""
    if unweighed:
        noun = "month" if unweighed == 1 else "months"
        without_weight = f", {unweighed} {noun} reported without a weight"
    noun = "month" if months == 1 else "months"
    return f"{nothing}in {months} {noun}{before}{without_weight}"


def magnet_arrivals(f: Facts) -> str:
    """What arrives at the importer, or at another one that says so by month."""
    at = f["importer"] if f["reporter"] is None else f["reporter"]
    return f"Magnets of rare earths arriving in {the(at)} from {f['supplier']}, by month"


def magnet_arrivals_detail(f: Facts) -> str | None:
    """The least since the measure, and what was usual before it."""
    if f["least_t"] is None:
        return None
    usual = "" if f["usual_t"] is None else f"; median of the months before: {tonnes(f['usual_t'])}"
    return (
        f"least since the measure of {f['measure_month']}: {tonnes(f['least_t'])} in "
        f"{f['month_of_least']}{usual}"
    )


# --- restrictions ---


def restrictions(f: Facts) -> str:
    """The clauses of the supplier in force for the importer."""
    importer = the(f["importer"])
    return f"{f['supplier']}'s restrictions on rare earths in force for {importer}"


def restrictions_detail(f: Facts) -> str | None:
    """The clauses by name, and how many on any mineral have which state."""
    if not f["is_catalogue_known"]:
        return None
    clauses = ", ".join(_clause(clause) for clause in f["listed"] or ())
    return (
        f"{clauses + '; ' if clauses else ''}on any mineral: {f['in_force']} in force, "
        f"{f['without_codes']} of them without codes; monitoring: {f['monitoring']} in force; "
        f"{f['unknown']} of unknown state, {f['lapsed']} of these suspended before; "
        f"{f['suspended']} suspended"
    )


def _clause(clause: Facts) -> str:
    evidence = clause["evidence_class"]
    basis = "" if evidence == "official" else f" ({evidence.replace('_', ' ')})"
    return f"{clause['clause_id']} since {clause['valid_from']}{basis}"


# --- markets ---


def fund(f: Facts) -> str:
    """The return of a fund of rare-earth shares."""
    return "Rare-earth shares (the fund REMX), return"


def fund_detail(f: Facts) -> str | None:
    """How far it fell on the way, and how much it varies."""
    if f["largest_fall"] is None:
        return "closes of less than a year" if f["has_close"] else None
    volatility = f["volatility"]
    varies = "" if volatility is None else f", volatility {percent(volatility, 0)} a year"
    return f"largest fall {percent(f['largest_fall'])}{varies}"


def currency(f: Facts) -> str:
    """The rate that the importer pays at."""
    return "Yen per US dollar" if f["importer"] == "JPN" else "US dollars per euro"


def currency_detail(f: Facts) -> str | None:
    """What kind of rate it is."""
    return "close of the day" if f["has_close"] else None


def event(f: Facts) -> str:
    """What markets did around an event."""
    return f"Markets around {f['event']} ({f['event_date']}), REMX"


def event_detail(f: Facts) -> str:
    """The return of each instrument beyond the usual, and which are unusual among all events."""
    answers, beyond_before = [], ""
    for answer in f["answers"]:
        beyond = _beyond(answer)
        said = beyond if beyond != beyond_before else ""
        answers.append(f"{said}{_name(answer)}{_return(answer)}")
        beyond_before = beyond
    beside = f["other_events"]
    return f"{'; '.join(answers)}{_unusual(f)}{'; * beside ' + ', '.join(beside) if beside else ''}"


def _unusual(f: Facts) -> str:
    if all(answer["return_share"] is None for answer in f["answers"]):
        return ""
    by_t, by_ranks = (
        ", ".join(_name(answer) for answer in f["answers"] if answer[test])
        for test in ("is_unusual_by_t", "is_unusual_by_ranks")
    )
    if not by_t and not by_ranks:
        return "; nothing unusual among all events"
    return (
        f"; unusual among all events: {by_t or 'nothing'} by the t test, "
        f"{by_ranks or 'nothing'} by ranks"
    )


def _name(answer: Facts) -> str:
    instrument: str = answer["instrument"]
    return SHORT_NAMES.get(instrument, instrument)


def _beyond(answer: Facts) -> str:
    if answer["return_share"] is None:
        return ""
    return f"{BEYOND.get(answer['market_factor'], 'beyond the usual return')}: "


def _return(answer: Facts) -> str:
    """In per cent, as any other return of the page; a star where another event is in the window."""
    if answer["return_share"] is None:
        return f": {(answer['reason'] or 'no prices').replace('_', ' ')}"
    star = "*" if answer["is_contaminated"] else ""
    low, high = 100 * answer["low"], 100 * answer["high"]
    return f" {change(answer['return_share'])}{star} ({low:+.1f} to {high:+.1f})"

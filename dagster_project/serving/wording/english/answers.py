"""The lines of the page of answers (`catalog.answers`): what each shows, and what else is known.

A detail is None where no figure is known.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.errors import counted
from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import (
    amount,
    change,
    listed,
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


def no_figure(facts: Facts) -> str:
    """The detail of a line without one."""
    return "no figure is known"


# --- imports ---


def rare_earth_imports(facts: Facts) -> str:
    """A supplier's share of an importer's rare earths, by weight or by value."""
    return f"Rare-earth imports from {facts['supplier']}, {BY_MEASURE[facts['measure']]}"


def rare_earth_imports_detail(facts: Facts) -> str | None:
    """The total that the share is of, and whether a later year is known."""
    if facts["total"] is None:
        return None
    absent = (
        "" if facts["has_share"] else f"; {facts['supplier']} is not among the partners published"
    )
    measure = BY_MEASURE[facts["measure"]]
    older = f"; no later year is known {measure}" if facts["has_later_year"] else ""
    return f"of {amount(facts['total'], facts['measure'])}{absent}{older}"


def imports_by_month(facts: Facts) -> str:
    """What an importer's newest month shows of its rare earths from a supplier."""
    return f"Rare-earth imports from {facts['supplier']}, by month"


def imports_by_month_detail(facts: Facts) -> str:
    """The total of the month, the twelve months before, and the months of the measures."""
    parts = []
    if facts["total_t"] is not None:
        parts.append(f"of {tonnes_rounded(facts['total_t'])} from everywhere")
    if facts["months_before"] == facts["span"]:
        parts.append(
            f"{tonnes_rounded(facts['amount_before_t'])} in the {facts['span']} months before"
        )
    elif facts["months_before"]:
        known, noun = facts["months_before"], "month" if facts["months_before"] == 1 else "months"
        parts.append(
            f"{tonnes_rounded(facts['amount_before_t'])} in {known} {noun} known of the "
            f"{facts['span']} before"
        )
    for measure in facts["measures"] or ():
        in_month = (
            "not known" if measure["amount_t"] is None else tonnes_rounded(measure["amount_t"])
        )
        parts.append(f"{in_month} in {measure['month']} ({measure['subject']})")
    if facts["is_provisional"]:
        parts.append("provisional")
    return "; ".join(parts)


def magnet_imports(facts: Facts) -> str:
    """A supplier's share of an importer's magnets."""
    return f"Magnet imports from {facts['supplier']}, by value"


def magnet_imports_detail(facts: Facts) -> str | None:
    """The total, its concentration, the largest suppliers, and what may come through hubs."""
    if facts["total"] is None:
        return None
    if not facts["is_complete"]:
        concentration = " of the largest flows"
    else:
        concentration = "" if facts["hhi"] is None else f", HHI {facts['hhi']:.2f}"
    largest = _named_shares(facts["largest"])
    suppliers = f"; largest suppliers: {largest}" if largest else ""
    hubs = ""
    if facts["hub"] is not None and facts["share_with_hubs"] is not None:
        through = "most of these" if facts["hub_share"] > facts["share_of_hubs"] / 2 else "largest"
        hubs = (
            f"; with hubs {facts['supplier']} at most {percent(facts['share_with_hubs'])}, "
            f"{through}: {the(facts['hub'])}"
        )
    return f"of {amount(facts['total'], 'value_usd')}{concentration}{suppliers}{hubs}"


def other_importers(facts: Facts) -> str:
    """The supplier's share of what the largest other importers buy."""
    return f"The same of the largest other importers but {facts['supplier']} together, by value"


def other_importers_detail(facts: Facts) -> str | None:
    """The share of each, and of how many they are the largest."""
    if not facts["largest"]:
        return None
    largest = facts["largest"]
    return (
        f"{_named_shares(largest)}; the {len(largest)} largest of {facts['importers']} in BACI, "
        "which differs from what importers report"
    )


def codes(facts: Facts) -> str:
    """The number of codes that one supplier leads."""
    return f"Codes of which {facts['supplier']} is the largest supplier, by value"


def codes_detail(facts: Facts) -> str | None:
    """Of how many codes, and those that depend most on one supplier."""
    if facts["codes"] is None:
        return "none is imported for USD 1 m" if facts["is_importer"] else None
    largest = [
        f"{_code(code)} {code['supplier']} {percent(code['share'])}{_next_exporter(code)}"
        for code in facts["largest"] or ()
        if code["supplier"] is not None
    ]
    if not largest:
        return None
    return (
        f"of {facts['codes']} imported for at least USD 1 m; most dependent on one supplier: "
        f"{', '.join(largest)}"
    )


def _code(code: Facts) -> str:
    number: str = code["hs6_code"]
    return number if code["name"] is None else f"{code['name']} ({number})"


def _next_exporter(code: Facts) -> str:
    if code["other"] is None:
        return ""
    return f" (next exporter {the(code['other'])}, {percent(code['share_of_world'])} of the world)"


def _named_shares(largest: Sequence[Facts] | None) -> str:
    return ", ".join(f"{economy['name']} {percent(economy['share'])}" for economy in largest or ())


# --- supply and prices ---


def mines(facts: Facts) -> str:
    """The supplier's share of what is mined."""
    return f"{facts['supplier']}'s mines, share of the world's rare earths"


def mines_detail(facts: Facts) -> str | None:
    """Its output, and the world's."""
    if facts["amount_t"] is None or facts["world_total_t"] is None:
        return None
    return (
        f"{tonnes_rounded(facts['amount_t'])} of {tonnes_rounded(facts['world_total_t'])} of oxides"
    )


def refineries(facts: Facts) -> str:
    """The supplier's least share of what is refined."""
    return f"{facts['supplier']}'s refineries, least share of the world's output of a rare earth"


def refineries_detail(facts: Facts) -> str | None:
    """Its shares of light and of heavy rare earths."""
    if not facts["families"]:
        return None
    shares = []
    for family in facts["families"]:
        least, most = percent(family["least"]), percent(family["most"])
        weight = family["family"].split("_")[0]
        shares.append(f"{weight} {most if least == most else f'{least} to {most}'}")
    return f"{', '.join(shares)} of each element's output"


def risks(facts: Facts) -> str:
    """The materials whose supply is riskiest, by the lower bound of one figure."""
    return "Riskiest critical material, at least, by the European Commission's method"


def risks_detail(facts: Facts) -> str | None:
    """The riskiest materials, from whom they come, who restricts them, and what may be above."""
    if not facts["materials"]:
        return None
    parts = [_risk(material) for material in facts["materials"]]
    for beside, named in (
        ("may be above", [_named_risk(other, "up to") for other in facts["may_be_riskier"] or ()]),
        ("by the world's supply alone", [_named_risk(m) for m in facts["of_world_alone"] or ()]),
    ):
        if named:
            more = f" and {len(named) - 3} more" if len(named) > 3 else ""
            parts.append(f"{beside}: {', '.join(named[:3])}{more}")
    return "; ".join(parts)


def _risk(material: Facts) -> str:
    parts = [_named_risk(material)]
    if material["year"]:
        parts.append(f"of {material['year']}")
    if material["supplier"]:
        share = percent(material["supplier_share"])
        parts.append(f"{share} of imports from {the(material['supplier'])}")
    if material["restricted_by"]:
        restricting = listed([the(name) for name in material["restricted_by"]])
        parts.append(f"restricted by {restricting}")
    return ", ".join(parts)


def _named_risk(material: Facts, only_high: str = "") -> str:
    name = material["name"][0].lower() + material["name"][1:]
    high = f"{material['high']:.2f}"
    if only_high:
        return f"{name} {only_high} {high}"
    low = f"{material['low']:.2f}"
    return f"{name} {low if low == high else f'{low} to {high}'}"


def dysprosium_price(facts: Facts) -> str:
    """The price of a year."""
    return "Dysprosium oxide, average price of the year"


def dysprosium_price_detail(facts: Facts) -> str | None:
    """Where it is the price of, and the highest one."""
    if facts["highest"] is None:
        return None
    return (
        f"f.o.b. China; prices outside China differ; highest {facts['highest']:,.0f} in "
        f"{facts['year_of_highest']}"
    )


# --- relief ---

MATERIALS = {
    "rare_earth_oxides": "rare-earth oxides",
    "ndpr_oxide": "neodymium and praseodymium oxide",
    "dy_tb_oxide": "dysprosium and terbium oxide",
    "metal": "metal",
    "magnets": "magnets",
    "feedstock": "feed of plants",
}
"""What tonnes of a project are of (`basis` of `reference.supply_projects`)."""


def relief(facts: Facts) -> str:
    """What a supply project could add to an importer's supply."""
    if facts["name"] is None:
        return f"Supply projects for {the(facts['importer'])}"
    used = "imported" if facts["consumption_basis"] == "imports_alone" else "used"
    return f"{facts['name']}, at most, of the {MATERIALS[facts['material']]} {used}"


def relief_detail(facts: Facts) -> str | None:
    """The least, what it is a part of, and the other projects and scenarios."""
    if not facts["scenarios"]:
        return None
    first, *others = facts["scenarios"]
    parts = [_first_relief(first)]
    for scenario in others:
        parts.append(f"{_named_scenario(scenario)} {_relief(scenario)} by {scenario['year']}")
    return "; ".join([*parts, "each on assumptions"])


def _first_relief(scenario: Facts) -> str:
    if scenario["share_high"] is None:
        return _relief(scenario)
    cited = ", as cited" if scenario["consumption_basis"] == "cited" else ""
    imports = " imported" if scenario["consumption_basis"] == "imports_alone" else ""
    low, high = percent(scenario["share_low"], 2), percent(scenario["share_high"], 2)
    share = high if low == high else f"{low} to {high}"
    return f"{share} of {tonnes_rounded(scenario['consumption_t'])}{imports}{cited}"


def _named_scenario(scenario: Facts) -> str:
    commercial = ", commercial" if scenario["scenario"] == "commercial" else ""
    return f"{scenario['name'].partition(',')[0]}{commercial}"


def _relief(scenario: Facts) -> str:
    if scenario["share_high"] is None:
        span = _span(scenario["tonnes_low"], scenario["tonnes_high"])
        return f"{span} of {MATERIALS[scenario['material']]}"
    return f"{percent(scenario['share_low'])} to {percent(scenario['share_high'])}"


def _span(low: float, high: float) -> str:
    if low == 0:
        return f"at most {tonnes_rounded(high)}"
    return tonnes_rounded(high) if low == high else f"{low:,.0f} to {tonnes_rounded(high)}"


def announced(facts: Facts) -> str:
    """The capacity that is announced outside of the supplier."""
    return (
        f"Dysprosium and terbium oxide outside {the(facts['supplier'])}, capacity announced by "
        f"{facts['year']}"
    )


def announced_detail(facts: Facts) -> str | None:
    """The least of it, the other bases, and the plants whose capacity is not published."""
    bases = {row["basis"]: row for row in facts["bases"] or ()}
    own = bases.pop("dy_tb_oxide", None)
    if own is None:
        return None
    parts = [f"at least {tonnes_rounded(own['tonnes_low'])}"]
    parts += [
        f"{name} {_announced_of(bases[basis])}" for basis, name in MATERIALS.items()
        if basis in bases
    ]  # fmt: skip
    return f"{'; '.join(parts)}; listed plants alone, never to be added"


def _announced_of(row: Facts) -> str:
    figures = []
    if row["tonnes_high"] is not None:
        figures.append(_span(row["tonnes_low"], row["tonnes_high"]))
    if row["without_capacity"]:
        figures.append(f"{counted(row['without_capacity'], 'plant')} without a capacity")
    if row["without_year"]:
        figures.append(f"{counted(row['without_year'], 'plan')} without a year")
    existing = (
        f" (all makers in {row['existing_year']}: {tonnes_rounded(row['existing'])})"
        if row["existing"]
        else ""
    )
    return ", ".join(figures) + existing


# --- trade by month ---


def supplier_exports(facts: Facts) -> str:
    """What the supplier says it exports to the importer."""
    importer = the(facts["importer"])
    return f"{facts['supplier']}'s exports to {importer} of gallium, germanium and more (811292)"


def supplier_exports_detail(facts: Facts) -> str | None:
    """The months with figures, the year before, and months without a weight."""
    months, unweighed, span = facts["months"], facts["months_without_weight"], facts["span"]
    if months is None:
        return None
    nothing = "" if facts["months_reported"] else "nothing reported "
    before = ""
    if (
        facts["has_source"]
        and facts["months_before"] == span
        and not facts["months_before_without_weight"]
    ):
        before = f", {tonnes(facts['amount_before_t'] or 0)} in the {span} before"
    without_weight = ""
    if unweighed:
        noun = "month" if unweighed == 1 else "months"
        without_weight = f", {unweighed} {noun} reported without a weight"
    noun = "month" if months == 1 else "months"
    return f"{nothing}in {months} {noun}{before}{without_weight}"


def magnet_arrivals(facts: Facts) -> str:
    """What arrives at the importer, or at another one that says so by month."""
    at = facts["importer"] if facts["reporter"] is None else facts["reporter"]
    return f"Magnets of rare earths arriving in {the(at)} from {facts['supplier']}, by month"


def magnet_arrivals_detail(facts: Facts) -> str | None:
    """The least since the measure, and what was usual before it."""
    if facts["least_t"] is None:
        return None
    usual = (
        ""
        if facts["usual_t"] is None
        else f"; median of the months before: {tonnes(facts['usual_t'])}"
    )
    return (
        f"least since the measure of {facts['measure_month']}: {tonnes(facts['least_t'])} in "
        f"{facts['month_of_least']}{usual}"
    )


# --- restrictions ---


def restrictions(facts: Facts) -> str:
    """The clauses of the supplier in force for the importer."""
    importer = the(facts["importer"])
    return f"{facts['supplier']}'s restrictions on rare earths in force for {importer}"


def restrictions_detail(facts: Facts) -> str | None:
    """The clauses by name, and how many on any mineral have which state."""
    if not facts["is_catalogue_known"]:
        return None
    clauses = ", ".join(_clause(clause) for clause in facts["listed"] or ())
    hit = ""
    if facts["hit_high"] is not None:
        low, high = amount(facts["hit_low"], "value_usd"), amount(facts["hit_high"], "value_usd")
        bounds = high if low == high else f"{low} to {high}"
        hit = f"; with those of others they hit {bounds} of rare-earth imports of "
        hit += facts["hit_years"]
    return (
        f"{clauses + hit + '; ' if clauses else ''}on any mineral: {facts['in_force']} in force, "
        f"{facts['without_codes']} of them without codes; "
        f"monitoring: {facts['monitoring']} in force; "
        f"{facts['unknown']} of unknown state, {facts['lapsed']} of these suspended before; "
        f"{facts['suspended']} suspended"
    )


def _clause(clause: Facts) -> str:
    evidence = clause["evidence_class"]
    basis = "" if evidence == "official" else f" ({evidence.replace('_', ' ')})"
    return f"{clause['clause_id']} since {clause['valid_from']}{basis}"


# --- markets ---


def fund(facts: Facts) -> str:
    """The return of a fund of rare-earth shares."""
    return "Rare-earth shares (the fund REMX), return"


def fund_detail(facts: Facts) -> str | None:
    """How far it fell on the way, and how much it varies."""
    if facts["largest_fall"] is None:
        return "closes of less than a year" if facts["has_close"] else None
    volatility = facts["volatility"]
    varies = "" if volatility is None else f", volatility {percent(volatility, 0)} a year"
    return f"largest fall {percent(facts['largest_fall'])}{varies}"


def currency(facts: Facts) -> str:
    """The rate that the importer pays at."""
    return "Yen per US dollar" if facts["importer"] == "JPN" else "US dollars per euro"


def currency_detail(facts: Facts) -> str | None:
    """What kind of rate it is."""
    return "close of the day" if facts["has_close"] else None


def event(facts: Facts) -> str:
    """What markets did around an event."""
    return f"Markets around {facts['event']} ({facts['event_date']}), REMX"


def event_detail(facts: Facts) -> str:
    """The return of each instrument beyond the usual, and which are unusual among all events."""
    answers, beyond_before = [], ""
    for answer in facts["answers"]:
        beyond = _beyond(answer)
        prefix = beyond if beyond != beyond_before else ""
        answers.append(f"{prefix}{_name(answer)}{_return(answer)}")
        beyond_before = beyond
    events = facts["other_events"]
    beside = f"; * beside {', '.join(events)}" if events else ""
    return f"{'; '.join(answers)}{_unusual(facts)}{beside}"


def _unusual(facts: Facts) -> str:
    if all(answer["return_share"] is None for answer in facts["answers"]):
        return ""
    by_t, by_ranks = (
        ", ".join(_name(answer) for answer in facts["answers"] if answer[test])
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

"""Why a warning fired (`exposure.early_warnings`), what a clause did to fire one, and whether one
fired before a clause took effect (`exposure.warning_backtest`).
"""

from __future__ import annotations

from dagster_project.errors import counted
from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import (
    amount,
    capitalised,
    day,
    percent,
    period,
    subject,
    the,
)

MOST_NOTICES = 5
"""Notices that a sentence names; more are counted."""

MEASURES = {"kg": "net_weight_kg", "usd": "value_usd"}


def of_figure(facts: Facts) -> str:
    """A figure far from what is usual: of an importer, of a supplier, or of both."""
    unit = facts["unit"]
    value, usual, limit = (_figure(facts[name], unit) for name in ("value", "usual", "threshold"))
    is_drop = facts["signal"] == "volume_drop"
    if facts["signal"] == "concentration_jump":
        measure = "by value" if unit == "share_of_value" else "by weight"
        finding = (
            f"{facts['first_supplier']} has {value} {measure}, where {usual} is usual of the first "
            "supplier"
        )
    else:
        distance = f"{100 * abs(facts['value'] / facts['usual'] - 1):.0f} %"
        finding = (
            f"{value}{' (no weight that can be judged)' if is_drop and unit == 'usd' else ''}, "
            f"{distance} {'below' if is_drop else 'above'} the usual {usual}"
        )
    years = facts["frequency"] == "A"
    compared = ""
    if facts["basis"] == "comparable_periods":
        before = "its two years before" if years else "the same month of its two years before"
        compared = f", each compared with {before}"
    return (
        f"{_flow(facts)} in {period(facts['period'])}: {finding}; the limit is {limit}, from "
        f"{facts['observations']} {'years' if years else 'months'} before{compared}."
    )


def _flow(facts: Facts) -> str:
    goods = subject(facts["commodity"])
    if facts["supplier"] is None:
        return f"Imports of {goods} by {the(facts['importer'])}"
    destination = "" if facts["importer"] is None else f" to {the(facts['importer'])}"
    return f"Exports of {goods} from {the(facts['supplier'])}{destination}"


def _figure(figure: float, unit: str) -> str:
    if unit in MEASURES:
        return amount(figure, MEASURES[unit])
    return f"USD {figure:,.2f} per kg" if unit == "usd_per_kg" else percent(figure)


def of_notices(facts: Facts) -> str:
    """Notices of a month on a code that the importer buys, which nobody has read."""
    count, shown = facts["notices"], facts["names"][:MOST_NOTICES]
    more = count - len(shown)
    names = ", ".join(shown) + (f" and {more} more" if more else "")
    are_unread = "is to be read" if count == 1 else "are to be read"
    return (
        f"{counted(count, 'notice')} of {period(facts['period'])} on "
        f"{subject(facts['commodity'])}, which {the(facts['importer'])} imports, {are_unread}: "
        f"{names}."
    )


def of_clause(facts: Facts) -> str:
    """A clause that became known, or lapses or has lapsed, and the trade that it concerns."""
    goods, importer, supplier = (
        subject(facts["commodity"]),
        the(facts["importer"]),
        facts["supplier"],
    )
    if facts["share"] is None:
        trade = f"{supplier} exported {goods} to {importer}"
    else:
        trade = (
            f"{percent(facts['share'])} by value of the {goods} imported by {importer} came from "
            f"{the(supplier)}"
        )
    colon = "" if facts["signal"] == "new_restriction" else ":"
    return (
        f"{facts['clause']} ({facts['title']}){colon} {facts['event']}; {trade} in "
        f"{period(facts['period'])}."
    )


def new_restriction(facts: Facts) -> str:
    """What became known of a restriction, as it follows its title."""
    known, effect = f"was known on {facts['known_at']}", facts["effective_date"]
    if effect is None or facts["status"] == "unknown":
        return known
    if facts["status"] != "in_force":
        return f"{known} and was to take effect on {effect}"
    took = "is to take effect" if effect > facts["today"] else "took effect"
    return f"{known} and {took} on {effect}"


def lapse_ahead(facts: Facts) -> str:
    """How long a suspension or a term lasts, as it follows the title of its clause."""
    match facts["days"]:
        case 0:
            left = "the last day"
        case 1:
            left = "1 day left"
        case days:
            left = f"{days} days left"
    if facts["next_because"] is not None:
        return f"{left}, {facts['next_because']}"
    return f"{left}, {facts['status'].replace('_', ' ')} until {day(facts['last_day'])}"


def of_backtest(facts: Facts) -> str:
    """Whether a warning fired before the clause took effect, or why nobody can say."""
    if facts["signal"] == "concentration_jump" and facts["supplier"] is not None:
        return "The exports of one supplier have no concentration of suppliers."
    if not facts["has_figures"]:
        return "No figures of the signal are published for this importer, commodity and frequency."
    if facts["verdict"] == "not_testable":
        fired = "" if facts["first_fired"] is None else f"; it first {_first_fired(facts)}"
        return f"{_not_judged(facts)}{fired}."
    if facts["first_fired"] is not None:
        return f"{capitalised(f'first {_first_fired(facts)}')}."
    judged = facts["judged_before_effect"]
    span = "year" if facts["frequency"] == "A" else "month"
    were_judged = (
        f"{span} before the effect was judged"
        if judged == 1
        else f"{span}s before the effect were judged"
    )
    return f"Not fired within the time that is watched; {judged} {were_judged}."


def _first_fired(facts: Facts) -> str:
    """The first period in which it fired, and how far from the effect it was over."""
    days = facts["days_before_effective"]
    side = "before" if facts["verdict"] == "fired" else "after"
    return (
        f"fired in {period(facts['first_fired'])}, which was over "
        f"{days if side == 'before' else -days} days {side} the clause took effect"
    )


def _not_judged(facts: Facts) -> str:
    """Why no period before the effect could be judged."""
    if facts["figures_before_effect"] == 0:
        return "No figure is published for the time that is watched before the effect"
    observations = facts["observations"]
    are_there = "earlier figure is there" if observations == 1 else "earlier figures are there"
    return (
        f"No period before the effect could be judged: at most {observations} {are_there}, and "
        f"{facts['least_observations']} are needed"
    )

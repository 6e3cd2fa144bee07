"""Why a warning fired (`exposure.early_warnings`), what a clause did to fire one, and whether one
fired before a clause took effect (`exposure.warning_backtest`).
"""

from __future__ import annotations

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

MEASURES = {"kg": "net_weight_kg", "usd": "value_usd"}


def of_figure(f: Facts) -> str:
    """A figure far from what is usual: of an importer, of a supplier, or of both."""
    unit = f["unit"]
    value, usual, limit = (_figure(f[name], unit) for name in ("value", "usual", "threshold"))
    is_drop = f["signal"] == "volume_drop"
    if f["signal"] == "concentration_jump":
        measure = "by value" if unit == "share_of_value" else "by weight"
        finding = (
            f"{f['first_supplier']} has {value} {measure}, where {usual} is usual of the first "
            "supplier"
        )
    else:
        distance = f"{100 * abs(f['value'] / f['usual'] - 1):.0f} %"
        finding = (
            f"{value}{' (no weight that can be judged)' if is_drop and unit == 'usd' else ''}, "
            f"{distance} {'below' if is_drop else 'above'} the usual {usual}"
        )
    years = f["frequency"] == "A"
    compared = ""
    if f["basis"] == "comparable_periods":
        before = "its two years before" if years else "the same month of its two years before"
        compared = f", each compared with {before}"
    return (
        f"{_flow(f)} in {period(f['period'])}: {finding}; the limit is {limit}, from "
        f"{f['observations']} {'years' if years else 'months'} before{compared}."
    )


def _flow(f: Facts) -> str:
    goods = subject(f["commodity"])
    if f["supplier"] is None:
        return f"Imports of {goods} by {the(f['importer'])}"
    destination = "" if f["importer"] is None else f" to {the(f['importer'])}"
    return f"Exports of {goods} from {the(f['supplier'])}{destination}"


def _figure(figure: float, unit: str) -> str:
    if unit in MEASURES:
        return amount(figure, MEASURES[unit])
    return f"USD {figure:,.2f} per kg" if unit == "usd_per_kg" else percent(figure)


def of_clause(f: Facts) -> str:
    """A clause that became known, or lapses or has lapsed, and the trade that it concerns."""
    goods, importer, supplier = subject(f["commodity"]), the(f["importer"]), f["supplier"]
    if f["share"] is None:
        trade = f"{supplier} exported {goods} to {importer}"
    else:
        trade = (
            f"{percent(f['share'])} by value of the {goods} imported by {importer} came from "
            f"{the(supplier)}"
        )
    colon = "" if f["signal"] == "new_restriction" else ":"
    return f"{f['clause']} ({f['title']}){colon} {f['event']}; {trade} in {period(f['period'])}."


def new_restriction(f: Facts) -> str:
    """What became known of a restriction, as it follows its title."""
    known, effect = f"was known on {f['known_at']}", f["effective_date"]
    if effect is None or f["status"] == "unknown":
        return known
    if f["status"] != "in_force":
        return f"{known} and was to take effect on {effect}"
    took = "is to take effect" if effect > f["today"] else "took effect"
    return f"{known} and {took} on {effect}"


def lapse_ahead(f: Facts) -> str:
    """How long a suspension or a term lasts, as it follows the title of its clause."""
    match f["days"]:
        case 0:
            left = "the last day"
        case 1:
            left = "1 day left"
        case days:
            left = f"{days} days left"
    if f["next_because"] is not None:
        return f"{left}, {f['next_because']}"
    return f"{left}, {f['status'].replace('_', ' ')} until {day(f['last_day'])}"


def of_backtest(f: Facts) -> str:
    """Whether a warning fired before the clause took effect, or why nobody can say."""
    if f["signal"] == "concentration_jump" and f["supplier"] is not None:
        return "The exports of one supplier have no concentration of suppliers."
    if not f["has_figures"]:
        return "No figures of the signal are published for this importer, commodity and frequency."
    if f["verdict"] == "not_testable":
        fired = "" if f["first_fired"] is None else f"; it first {_first_fired(f)}"
        return f"{_not_judged(f)}{fired}."
    if f["first_fired"] is not None:
        return f"{capitalised(f'first {_first_fired(f)}')}."
    judged = f["judged_before_effect"]
    span = "year" if f["frequency"] == "A" else "month"
    were_judged = (
        f"{span} before the effect was judged"
        if judged == 1
        else f"{span}s before the effect were judged"
    )
    return f"Not fired within the time that is watched; {judged} {were_judged}."


def _first_fired(f: Facts) -> str:
    """The first period in which it fired, and how far from the effect it was over."""
    days = f["days_before_effective"]
    side = "before" if f["verdict"] == "fired" else "after"
    return (
        f"fired in {period(f['first_fired'])}, which was over "
        f"{days if side == 'before' else -days} days {side} the clause took effect"
    )


def _not_judged(f: Facts) -> str:
    """Why no period before the effect could be judged."""
    if f["figures_before_effect"] == 0:
        return "No figure is published for the time that is watched before the effect"
    observations = f["observations"]
    are_there = "earlier figure is there" if observations == 1 else "earlier figures are there"
    return (
        f"No period before the effect could be judged: at most {observations} {are_there}, and "
        f"{f['least_observations']} are needed"
    )

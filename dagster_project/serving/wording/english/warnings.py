"""Why a warning fired (`exposure.early_warnings`), and what a clause did to fire one."""

from __future__ import annotations

from dagster_project.serving.wording import Facts
from dagster_project.serving.wording.english.parts import amount, day, percent, period, subject, the

MEASURES = {"kg": "net_weight_kg", "usd": "value_usd"}


def of_figure(f: Facts) -> str:
    """A figure far from what is usual: of an importer, of a supplier, or of both."""
    unit = f["unit"]
    value, usual, limit = (_figure(f[name], unit) for name in ("value", "usual", "threshold"))
    is_drop = f["signal"] == "volume_drop"
    if f["signal"] == "concentration_jump":
        measure = "by value" if unit == "share_of_value" else "by weight"
        found = (
            f"{f['first_supplier']} has {value} {measure}, where {usual} is usual of the first "
            "supplier"
        )
    else:
        distance = f"{100 * abs(f['value'] / f['usual'] - 1):.0f} %"
        found = (
            f"{value}{' (no weight that can be judged)' if is_drop and unit == 'usd' else ''}, "
            f"{distance} {'below' if is_drop else 'above'} the usual {usual}"
        )
    years = f["frequency"] == "A"
    compared = ""
    if f["basis"] == "comparable_periods":
        before = "its two years before" if years else "the same month of its two years before"
        compared = f", each compared with {before}"
    return (
        f"{_flow(f)} in {period(f['period'])}: {found}; the limit is {limit}, from "
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

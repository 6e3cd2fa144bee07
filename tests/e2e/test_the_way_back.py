"""Published figures, drawn at random, worked out again from the bytes they lead to.

`snapshot_ids` of the row choose the rows of the lake, and these files are read as they lie there.
The arithmetic is written once more here, in Python, and shares no code with the project.
"""

from __future__ import annotations

import csv
import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import KidoError
from dagster_project.lake.landing import Landing
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake
from dagster_project.lake.vocabulary import UNION, eu27_members
from dagster_project.serving.trace import Lineage, print_lineage, trace
from dagster_project.settings import DBT_PROJECT
from tests import contract, nightly
from tests.e2e.conftest import AS_OF, run_kido

Row = Mapping[str, Any]

# The published file is opened once in this process, and not anew for each row.
pytestmark = pytest.mark.usefixtures("published")

OF_EACH = 20
"""Figures that are worked out of each table, of thirteen: more than 200."""


class LakeOfHome:
    """The rows of a home's lake, of chosen snapshots."""

    def __init__(self, home: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self._lake = home / "lake"
        self._connection = connection

    def rows(self, table: str, of: Row, **where: object) -> list[dict[str, Any]]:
        """Rows of the snapshots `of` names in which each of `where` holds (a list: one of them)."""
        terms, values = ["list_contains(?, snapshot_id)"], [of["snapshot_ids"]]
        for column, value in where.items():
            if isinstance(value, list):
                terms.append(f"list_contains(?, {column})")
            else:
                terms.append(f"{column} = ?")
            values.append(value)
        files = str(self._lake / table / "*" / "*.parquet")
        found = self._connection.execute(
            f"select * from read_parquet('{files}', union_by_name = true) "
            f"where {' and '.join(terms)}",
            values,
        )
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def seed(name: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"seed_{name}.csv").open(encoding="utf8") as file:
        return list(csv.DictReader(file))


def codes_of(group: str) -> list[str]:
    return sorted(
        {row["hs6_code"] for row in seed("mineral_group_codes") if row["mineral_group"] == group}
    )


def only(rows: Sequence[Row]) -> Row:
    assert len(rows) == 1, rows
    return rows[0]


# ---- Trade


def reported_flow(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    keys = ("source", "reporter_iso3", "partner_iso3", "flow", "commodity_code", "frequency",
            "period_start")  # fmt: skip
    found = [
        one
        for one in lake.rows("trade_flows", row, **{key: row[key] for key in keys})
        if one["procedure_code"] is one["transport_code"] is one["second_partner_iso3"] is None
    ]
    flow = only(found)
    yield row["value_usd"], flow["value_usd"]
    yield row["net_weight_kg"], flow["net_weight_kg"]
    yield row["snapshot_ids"], [flow["snapshot_id"]]


def baci_flow(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    keys = ("exporter_iso3", "importer_iso3", "hs6_code", "hs_revision")
    flow = only(
        lake.rows(
            "reconciled_trade", row, source="baci", period_start=date(row["year"], 1, 1),
            **{key: row[key] for key in keys},
        )
    )  # fmt: skip
    yield row["value_usd"], flow["value_usd"]
    yield row["net_weight_kg"], flow["net_weight_kg"]


def supplies(lake: LakeOfHome, row: Row) -> tuple[float, dict[str, float]]:
    """The total of an importer's group, and what each published supplier has of it."""
    codes = codes_of(row["mineral_group"])
    reported = lake.rows(
        "trade_flows", row, source=row["source"], reporter_iso3=row["importer_iso3"],
        frequency=row["frequency"], period_start=row["period_start"],
        flow=["import", "re_import"], commodity_code=[*codes, row["mineral_group"]],
    )  # fmt: skip
    flows = [
        (one["commodity_code"], one["partner_iso3"], one["flow"], one[row["measure"]])
        for one in reported
        if one["procedure_code"] is one["transport_code"] is one["second_partner_iso3"] is None
    ]
    if row["frequency"] == "A":
        is_union = row["importer_iso3"] == UNION
        importers = sorted(eu27_members()) if is_union else row["importer_iso3"]
        reconciled = [
            one
            for one in lake.rows(
                "reconciled_trade", row, source=row["source"], importer_iso3=importers,
                period_start=row["period_start"], hs6_code=codes,
            )
            if not (is_union and one["exporter_iso3"] in eu27_members())
        ]  # fmt: skip
        newest = {code: max(one["hs_revision"] for one in reconciled if one["hs6_code"] == code)
                  for code in {one["hs6_code"] for one in reconciled}}  # fmt: skip
        flows += [
            (one["hs6_code"], one["exporter_iso3"], "import", one[row["measure"]])
            for one in reconciled
            if one["hs_revision"] == newest[one["hs6_code"]]
        ]
    importer = row["importer_iso3"]
    total, of_supplier = 0.0, defaultdict[str, float](float)
    for code in {code for code, *_ in flows}:
        of_code = [(partner, flow, amount) for one, partner, flow, amount in flows if one == code]
        printed = [a for partner, flow, a in of_code if partner == "WLD" and flow == "import"]
        own = [amount for partner, _, amount in of_code if partner == importer]
        others = [
            (partner, amount)
            for partner, flow, amount in of_code
            if partner not in ("WLD", importer) and flow == "import" and amount is not None
        ]
        if printed and printed[0] is not None:
            total += printed[0] - max([amount for amount in own if amount is not None], default=0)
        else:
            total += math.fsum(amount for _, amount in others)
        for partner, amount in others:
            if partner != "_X":
                of_supplier[partner] += amount
    return total, dict(of_supplier)


def supplier_share(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    total, of_supplier = supplies(lake, row)
    if row["supplier_iso3"] == "_X":
        amount = total - math.fsum(of_supplier.values())
    else:
        amount = of_supplier[row["supplier_iso3"]]
    yield row["amount"], amount
    yield row["share"], amount / total
    unpublished = total - math.fsum(of_supplier.values())
    if row["supplier_iso3"] == "_X" or unpublished > max(of_supplier.values()):
        yield row["supplier_rank"], None
    else:
        larger = [
            (-other, supplier)
            for supplier, other in of_supplier.items()
            if (-other, supplier) <= (-amount, row["supplier_iso3"])
        ]
        yield row["supplier_rank"], len(larger)


def concentration(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    total, of_supplier = supplies(lake, row)
    shares = sorted((amount / total for amount in of_supplier.values()), reverse=True)
    rest = 1 - math.fsum(shares)
    yield row["total_amount"], total
    if row["source"] == "baci_top_flows":
        yield (row["hhi"], row["hhi_low"], row["hhi_high"]), (None, None, None)
        return
    low = math.fsum(share * share for share in shares)
    yield row["hhi_low"], low
    yield row["hhi_high"], low + (rest * rest if rest > 1e-9 else 0)
    if abs(rest - 0.5) > 1e-9:
        yield row["hhi"], low if rest < 0.5 else None
    if abs(rest - shares[0]) > 1e-9:
        yield row["cr1_share"], shares[0] if rest < shares[0] else None


# ---- Production


def production_table(
    lake: LakeOfHome, row: Row, labels: Mapping[tuple[str, str], str]
) -> tuple[float | None, dict[str, Row]]:
    """The printed total of the world, and the printed figure of each economy."""
    found = lake.rows(
        "production", row, source=row["source"], stage=row["stage"], year=row["year"],
        scope_iso3="WLD",
    )  # fmt: skip
    of_material = [
        one for one in found if labels.get((one["source"], one["label"])) == row["material"]
    ]
    label = {one["economy_iso3"]: one for one in of_material}
    assert len(label) == len(of_material), "an economy stands twice"
    world = label.pop("WLD", None)
    is_figure = world is not None and world["bound"] in ("exact", "range")
    return (world["amount_t"] if world and is_figure and world["amount_t"] else None), label


def production_share(lake: LakeOfHome, row: Row, labels: Any) -> Iterator[tuple[object, object]]:
    world, figures = production_table(lake, row, labels)
    printed = {name: one["share"] for name, one in figures.items() if one["share"] is not None}
    amounts = {
        name: one["amount_t"] for name, one in figures.items() if one["amount_t"] is not None
    }
    named = math.fsum(amount for name, amount in amounts.items() if name != "_X")
    if row["economy_iso3"] == "_X":
        if printed:
            yield row["share"], 1 - math.fsum(s for name, s in printed.items() if name != "_X")
        elif "_X" in amounts:  # Printed as it is, also where the total is rounded.
            yield row["amount_t"], amounts["_X"]
        elif row["share"] is not None:
            yield row["amount_t"], row["world_total_t"] - named
        return
    yield row["amount_t"], amounts.get(row["economy_iso3"])
    if printed:
        yield row["share"], printed.get(row["economy_iso3"])
    elif row["share"] is not None:
        total = world if world is not None else named + amounts.get("_X", 0)
        yield row["world_total_t"], total
        yield row["share"], amounts[row["economy_iso3"]] / total
    yield row["governance_score"], governance_of(lake, row, row["economy_iso3"])


def governance_of(lake: LakeOfHome, row: Row, economy: str) -> float | None:
    """From the six indicators of the nearest year that has them: 0 the best, 10 the worst."""
    estimates = defaultdict[int, list[float]](list)
    for one in lake.rows("governance_scores", row, economy_iso3=economy):
        estimates[one["year"]].append(one["estimate"])
    years = [year for year, of in estimates.items() if year <= row["year"] and len(of) == 6]
    if not years:
        return None
    return min(max((2.5 - math.fsum(estimates[max(years)]) / 6) * 2, 0), 10)


def without_usa(lake: LakeOfHome, row: Row, labels: Mapping[tuple[str, str], str]) -> bool:
    return any(
        "excludes u.s. production" in (one["notes"] or "").lower()
        for one in lake.rows(
            "production", row, source=row["source"], stage=row["stage"], year=row["year"],
            scope_iso3="WLD", economy_iso3="WLD",
        )
        if labels.get((one["source"], one["label"])) == row["material"]
    )  # fmt: skip


def production_concentration(
    lake: LakeOfHome, row: Row, labels: Any
) -> Iterator[tuple[object, object]]:
    world, figures = production_table(lake, row, labels)
    # A group of which its materials alone are printed is worked out in `test_risk_ranking`.
    if row["material"] in ("rare_earths", "platinum_group_metals") and not figures:
        return
    printed = {
        n: one["share"] for n, one in figures.items() if one["share"] is not None and n != "_X"
    }
    if printed:
        shares = printed
    else:
        amounts = {n: one["amount_t"] for n, one in figures.items() if one["amount_t"] is not None}
        total = world if world is not None else math.fsum(amounts.values())
        # The remark on the world's total is on its production, not on reserves.
        excluded = {"USA"} if row["stage"] != "reserves" and without_usa(lake, row, labels) else ()
        shares = {n: a / total for n, a in amounts.items() if n != "_X" and n not in excluded}
    yield row["hhi"], math.fsum(share * share for share in shares.values())
    scored = {economy: governance_of(lake, row, economy) for economy in shares}
    weighted = [(shares[economy], score) for economy, score in scored.items() if score is not None]
    yield (
        row["hhi_governance_weighted"],
        math.fsum(share * share * weight for share, weight in weighted) if weighted else None,
    )
    yield (
        row["governance_coverage_share"],
        math.fsum(share for share, _ in weighted) / math.fsum(shares.values()),
    )


# ---- Markets and uses


def closes(lake: LakeOfHome, row: Row, instrument: str, source: str = "") -> dict[date, float]:
    found = lake.rows("price_quotes", row, instrument=instrument)
    by_unit = defaultdict[str, dict[date, float]](dict)
    for one in sorted(found, key=lambda one: (one["edition"] or 0, one["vintage_at"])):
        if one["close"] is not None and source in ("", one["source"]):
            by_unit[one["unit"]][one["price_date"]] = one["close"]
    return max(by_unit.values(), key=len, default={})


def crossed(lake: LakeOfHome, row: Row, instrument: str) -> dict[date, float]:
    yen, other = closes(lake, row, "EURJPY"), closes(lake, row, f"EUR{instrument[:3]}")
    return {day: yen[day] / other[day] for day in yen.keys() & other.keys()}


def basket(lake: LakeOfHome, row: Row, instrument: str) -> dict[date, float]:
    of_members = [
        closes(lake, row, one["member"])
        for one in seed("baskets_of_instruments")
        if one["instrument"] == instrument
    ]
    days = sorted(set.intersection(*(set(by_day) for by_day in of_members)))
    index = {days[0]: 100.0}
    for before, day in pairwise(days):
        returns = [by_day[day] / by_day[before] - 1 for by_day in of_members]
        index[day] = index[before] * (1 + math.fsum(returns) / len(returns))
    return index


def unit_value(lake: LakeOfHome, row: Row) -> float:
    """Of `UNIT_VALUE_250410_CHINA_FOB`, `UNIT_VALUE_740311_GBR_EX_CHINA_CIF`."""
    _, _, code, economy, *_ = row["instrument"].split("_")
    chinas = economy == "CHINA"
    found = lake.rows(
        "trade_flows", row, source=row["source"], period_start=row["price_date"], frequency="M",
        reporter_iso3="CHN" if chinas else economy, flow="export" if chinas else "import",
        commodity_code=code,
    )  # fmt: skip
    weighed = [
        one
        for one in found
        if one["value_usd"] and one["net_weight_kg"] and (chinas or one["partner_iso3"] != "CHN")
    ]
    return math.fsum(one["value_usd"] for one in weighed) / math.fsum(
        one["net_weight_kg"] for one in weighed
    )


def derived(lake: LakeOfHome, row: Row, instrument: str) -> dict[date, float]:
    if instrument.startswith("UNIT_VALUE_"):
        return {row["price_date"]: unit_value(lake, row)}
    if instrument.endswith("JPY"):
        return crossed(lake, row, instrument)
    return basket(lake, row, instrument)


def price(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    by_day = (
        derived(lake, row, row["instrument"])
        if row["is_derived"]
        else closes(lake, row, row["instrument"], row["source"])
    )
    yield row["close"], by_day[row["price_date"]]


def performance(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    by_day = closes(lake, row, row["instrument"]) or derived(lake, row, row["instrument"])
    within = [
        by_day[day]
        for day in sorted(by_day)
        if row["window_start"] <= day <= row["window_end"] and by_day[day] > 0
    ]
    yield row["return_share"], within[-1] / within[0] - 1
    yield row["sessions"], len(within) - 1
    peak, fall = within[0], 0.0
    for close in within:
        peak = max(peak, close)
        fall = min(fall, close / peak - 1)
    yield row["max_drawdown_share"], fall


def log_returns(by_day: Mapping[date, float]) -> dict[date, float]:
    return {day: math.log(by_day[day] / by_day[before]) for before, day in pairwise(sorted(by_day))}


def study(
    lake: LakeOfHome, row: Row, first: int, last: int
) -> tuple[float, float | None, Sequence[float], float]:
    """Alpha, beta, the abnormal returns of a window and the standard error of their sum."""
    own = closes(lake, row, row["instrument"]) or derived(lake, row, row["instrument"])
    factor_name = row["market_instrument"]
    if factor_name is None:
        returns = log_returns(own)
        by_factor = dict.fromkeys(returns, 0.0)
    else:
        factor = closes(lake, row, factor_name) or derived(lake, row, factor_name)
        both = own.keys() & factor.keys()
        returns = log_returns({day: own[day] for day in both})
        by_factor = log_returns({day: factor[day] for day in both})
    days = sorted(returns)
    place = days.index(row["session_date"]) - row.get("session_offset", 0)
    window = days[place + first : place + last + 1]
    before = days[max(place - 279, 0) : place - 29]
    count = len(before)
    x, y = [by_factor[day] for day in before], [returns[day] for day in before]
    mean_x, mean_y = math.fsum(x) / count, math.fsum(y) / count
    squares = math.fsum((one - mean_x) ** 2 for one in x)
    beta = None
    if factor_name is not None:
        beta = math.fsum((a - mean_x) * b for a, b in zip(x, y, strict=True)) / squares
    alpha = mean_y - (beta or 0) * mean_x
    residuals = [b - alpha - (beta or 0) * a for a, b in zip(x, y, strict=True)]
    variance = math.fsum(one**2 for one in residuals) / (count - (1 if beta is None else 2))
    units = len(window) + len(window) ** 2 / count
    if beta is not None:
        units += math.fsum(by_factor[day] - mean_x for day in window) ** 2 / squares
    abnormal = [returns[day] - alpha - (beta or 0) * by_factor[day] for day in window]
    return alpha, beta, abnormal, math.sqrt(variance * units)


def event_study(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    if row["reason"] is not None:
        return
    alpha, beta, abnormal, error = study(lake, row, row["window_from"], row["window_to"])
    yield row["alpha"], alpha
    yield row["beta"], beta
    yield row["car"], math.fsum(abnormal)
    yield row["standard_error"], error
    yield row["abnormal_return_event_day"], abnormal[-row["window_from"]]


def abnormal_return(lake: LakeOfHome, row: Row) -> Iterator[tuple[object, object]]:
    _, _, abnormal, error = study(lake, row, -5, row["session_offset"])
    yield row["abnormal_return"], abnormal[-1]
    yield row["cumulative_abnormal_return"], math.fsum(abnormal)
    yield row["standard_error"], error


def end_use(lake: LakeOfHome, row: Row, minerals: Any) -> Iterator[tuple[object, object]]:
    found = [
        one
        for one in lake.rows("end_uses", row, source=row["source"])
        if (row["mineral"], one["label"]) in minerals[row["source"]]
        and one["nace2_code"] == row["nace2_code"]
    ]
    by_label = defaultdict[str, set[tuple[str, float]]](set)
    for one in found:
        if one["year"] == max(other["year"] for other in found):
            by_label[one["label"]].add((one["application"], one["use_share"]))
    sums = {label: math.fsum(share for _, share in uses) for label, uses in by_label.items()}
    assert any(row["use_share"] == pytest.approx(value, abs=1e-12) for value in sums.values()), sums
    yield len(sums) > 0, True


# ---- Claims and answers


def finding(lake: LakeOfHome, row: Row, labels: Any) -> Iterator[tuple[object, object]]:
    claim = only(lake.rows("claims", row, claim_id=row["claim_id"]))
    value = row["value"]
    if value is None:
        return
    year = int(row["period"][:4]) if row["period"] else None
    if claim["test"] == "supplier_share":
        total, of_supplier = supplies(
            lake,
            {
                **row, "importer_iso3": claim["importer_iso3"], "frequency": "A",
                "mineral_group": claim["mineral_group"], "period_start": date(year or 0, 1, 1),
                "measure": {"share_of_value": "value_usd"}.get(row["unit"], "net_weight_kg"),
            },
        )  # fmt: skip
        yield value, of_supplier[claim["supplier_iso3"]] / total
    elif claim["test"] == "production_share":
        # An average has the years it is of as its period, and the year of its study in the basis.
        study = int(row["basis"].removesuffix(", now")[-4:])
        of_material = defaultdict[tuple[str, int], dict[str, Row]](dict)
        for one in lake.rows("production", row, stage=claim["stage"], year=study, scope_iso3="WLD"):
            material = labels.get((one["source"], one["label"]))
            if material:
                of_material[material, one["edition"]][one["economy_iso3"]] = one
        shares = [
            of["share"] if of["share"] is not None else of["amount_t"] / world["amount_t"]
            for figures in of_material.values()
            for of, world in [(figures.get(claim["supplier_iso3"]), figures.get("WLD"))]
            if of and (of["share"] is not None or (world and world["amount_t"]))
        ]
        assert any(is_the_same(value, share) for share in shares), shares
        of = {
            one["reference_period"] for figures in of_material.values() for one in figures.values()
        }
        assert row["period"] in of, of
    elif claim["test"] == "price_return":
        by_day = closes(lake, row, claim["instrument"])
        first, last = (date.fromisoformat(day) for day in row["period"].split("/"))
        yield value, by_day[last] / by_day[first] - 1
    elif claim["test"] == "abundance":
        symbols = {one["mineral"]: one["symbol"] for one in seed("minerals")}
        ours, theirs = (symbols[mineral] for mineral in row["basis"].split(" / "))
        ppm = {
            (one["source"], one["reservoir"], one["element"]): one["abundance_ppm"]
            for one in lake.rows("element_abundance", row, element=[ours, theirs])
        }
        yield (
            value,
            min(
                ppm[source, part, ours] / ppm[source, part, theirs]
                for source, part, element in ppm
                if element == ours and (source, part, theirs) in ppm
            ),
        )
    elif claim["test"] == "end_use_share":
        uses = {
            (one["application"], one["use_share"])
            for one in lake.rows("end_uses", row, nace2_code=claim["nace2_code"])
            if labels.get((one["source"], one["label"])) == row["basis"].split(", ")[0]
        }
        yield value, math.fsum(share for _, share in uses)
    elif claim["test"] == "reported_flow":
        reporter, partner = claim["importer_iso3"], claim["supplier_iso3"]
        if claim["flow"] == "export":
            reporter, partner = partner, reporter
        flow = only(
            lake.rows(
                "trade_flows", row, reporter_iso3=reporter, partner_iso3=partner,
                flow=claim["flow"], commodity_code=claim["commodity_code"],
                frequency=claim["frequency"], period_start=claim["period_start"],
            )
        )  # fmt: skip
        yield value, flow["net_weight_kg"] / 1000
    else:
        raise AssertionError(claim["test"])
    low, high = claim["claimed_low"], claim["claimed_high"]
    yield (
        row["is_inside"],
        (low is None or value > low or (value == low and not claim["is_low_excluded"]))
        and (high is None or value <= high),
    )


def answer(lake: LakeOfHome, row: Row, labels: Any) -> Iterator[tuple[object, object]]:
    position, figure = row["position"], row["figure"]
    if figure is None or position in (3, 8, 12, 13, 14, 15):
        # Sums over other importers, counts of clauses and of notices by their state on the day, a
        # supply risk, which is worked out by hand in test_five_materials_by_hand, and relief, which
        # is in test_relief.
        return
    if position in (1, 2, 4):
        total, of_supplier = supplies(
            lake,
            {
                **row, "frequency": "A", "period_start": date(int(row["period"]), 1, 1),
                "mineral_group": "permanent_magnets" if position == 4 else "rare_earths",
                "measure": "net_weight_kg" if position == 1 else "value_usd",
            },
        )  # fmt: skip
        yield figure, of_supplier.get("CHN", 0) / total
        yield (row["trend"] or [None])[-1], figure
    elif position == 5:
        if row["source"] != "baci":
            return
        led = 0
        for code in {one["hs6_code"] for one in seed("mineral_group_codes")}:
            total, of_supplier = supplies(
                lake,
                {
                    **row, "frequency": "A", "period_start": date(int(row["period"]), 1, 1),
                    "mineral_group": f"hs_{code}", "measure": "value_usd",
                },
            )  # fmt: skip
            first = min(of_supplier, key=lambda name: (-of_supplier[name], name), default="")
            led += total >= 1e6 and first == "CHN"
        yield figure, led
    elif position == 6:
        world, figures = production_table(
            lake,
            {**row, "stage": "extraction", "year": int(row["period"]), "material": "rare_earths"},
            labels,
        )
        yield figure, figures["CHN"]["amount_t"] / (world or 0)
    elif position == 7:
        families = {one["mineral"]: one["family"] for one in seed("minerals")}
        found = lake.rows(
            "production", row, stage="processing", reference_period=row["period"],
            economy_iso3="CHN", scope_iso3="WLD",
        )  # fmt: skip
        yield (
            figure,
            min(
                one["share"]
                for one in found
                if families.get(labels.get((one["source"], one["label"]), ""), "other") != "other"
            ),
        )
    elif position == 9:
        yield figure, closes(lake, row, "DYSPROSIUM_OXIDE")[date(int(row["period"]), 1, 1)]
    elif position in (10, 11):
        months = row["period"].split("/")
        importer = {"partner_iso3": row["importer_iso3"], "reporter_iso3": "CHN"}
        chosen = importer if position == 10 else {"partner_iso3": "CHN"}
        flows = lake.rows(
            "trade_flows", row, frequency="M", flow="export" if position == 10 else "import",
            commodity_code="811292" if position == 10 else "rare_earth_magnets", **chosen,
        )  # fmt: skip
        within = [
            one["net_weight_kg"]
            for one in flows
            if months[0] <= f"{one['period_start']:%Y-%m}" <= months[-1]
        ]
        yield figure, math.fsum(amount for amount in within if amount is not None) / 1000
    elif position == 16:
        by_day = closes(lake, row, "REMX")
        first, last = (date.fromisoformat(day) for day in row["period"].split("/"))
        yield figure, by_day[last] / by_day[first] - 1
    elif position == 17:
        day = date.fromisoformat(row["period"])
        rates = crossed(lake, row, "USDJPY") if row["unit"] == "JPY per USD" else closes(
            lake, row, "EURUSD"
        )  # fmt: skip
        yield figure, rates[day]
    elif position > 17:
        # Of the three sessions of the period the event's is the one in the middle.
        by_day = closes(lake, row, "REMX")
        first, last = (date.fromisoformat(day) for day in row["period"].split("/"))
        within = [day for day in sorted(by_day) if first <= day <= last]
        assert len(within) == 3
        study_of_fund = {
            **row, "instrument": "REMX", "market_instrument": None, "session_date": within[1],
        }  # fmt: skip
        _, _, abnormal, _ = study(lake, study_of_fund, -1, 1)
        yield figure, math.expm1(math.fsum(abnormal))
    else:
        raise AssertionError(position)


TABLES: Mapping[str, Callable[..., Iterator[tuple[object, object]]]] = {
    "catalog.answers": answer,
    "catalog.claim_findings": finding,
    "trade.reported_flows": reported_flow,
    "trade.baci_flows": baci_flow,
    "dependency.supplier_shares": supplier_share,
    "dependency.import_concentration": concentration,
    "dependency.production_shares": production_share,
    "dependency.production_concentration": production_concentration,
    "market.prices": price,
    "market.performance": performance,
    "market.event_studies": event_study,
    "market.abnormal_returns": abnormal_return,
    "reference.end_uses": end_use,
}


@pytest.mark.parametrize("table", TABLES)
def test_a_figure_is_worked_out_again_from_the_snapshots_it_names(built: Path, table: str) -> None:
    chosen = random.Random(None if nightly.is_night() else f"2026-11-27 {table}")
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        frame = connection.sql(f"from {table} order by all").pl()
        places = chosen.sample(range(frame.height), min(20 * OF_EACH, frame.height))
        rows = [frame.row(place, named=True) for place in sorted(places)]
        labels, minerals = {}, defaultdict[str, set[tuple[str, str]]](set)
        for source, label, material, mineral in connection.execute(
            "select source, label, material, mineral from reference.materials "
            "where left_out is null"
        ).fetchall():
            labels[source, label] = material
            minerals[source].add((mineral, label))
    chosen.shuffle(rows)
    more = {"production": [labels], "catalog": [labels], "end_use": [minerals]}
    extra = next((found for key, found in more.items() if key in table), [])
    worked_out = 0
    with duckdb.connect() as connection:
        lake = LakeOfHome(built, connection)
        for row in rows:
            pairs = list(TABLES[table](lake, row, *extra))
            for published, expected in pairs:
                assert is_the_same(published, expected), (row, expected)
            # A row without a figure, or of a kind that is not worked out here, does not count.
            worked_out += bool(pairs)
            if worked_out == OF_EACH:
                return
    raise AssertionError(f"only {worked_out} figures were worked out")


def is_the_same(published: object, expected: object) -> bool:
    if isinstance(published, float) and isinstance(expected, float | int):
        return math.isclose(published, expected, rel_tol=1e-9, abs_tol=1e-9)
    return published == expected


# ---- kido trace


def lineage_of(home: Path, mart: str, *given: str) -> Lineage:
    lake, landing = Lake(Store(str(home / "lake"))), Landing(Store(str(home / "landing")))
    return trace(home / "kido.duckdb", lake, landing, mart, given, date.fromisoformat(AS_OF))


@pytest.mark.parametrize("kind", ["___JPY", "PEERS%", "UNIT_VALUE%CHINA_FOB", "UNIT_VALUE%CIF"])
def test_each_kind_of_derived_price_is_worked_out_again(built: Path, kind: str) -> None:
    """Few of all prices are derived from trade or shares: a draw from all may miss them."""
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select * from market.prices where is_derived and instrument like ? order by all",
            [kind],
        )
        names = [column[0] for column in found.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    chosen = random.Random(None if nightly.is_night() else f"derived {kind}").sample(rows, 5)
    with duckdb.connect() as connection:
        lake = LakeOfHome(built, connection)
        for row in chosen:
            for published, expected in price(lake, row):
                assert is_the_same(published, expected), (row, expected)
    way = lineage_of(
        built, "prices", f"instrument={row['instrument']}", f"price_date={row['price_date']}"
    )
    shown = {one for rows in way.rows.values() for one in rows["snapshot_id"]}
    assert shown == set(row["snapshot_ids"])


MARTS = [mart for mart, columns in contract.published().items() if "snapshot_ids" in columns]


@pytest.mark.parametrize("mart", MARTS)
def test_a_trace_finds_rows_of_every_snapshot_that_the_row_names(built: Path, mart: str) -> None:
    keys = contract.grain_of(mart)
    chosen = random.Random(None if nightly.is_night() else f"trace {mart}")
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        columns = ", ".join(f'"{key}"::varchar' for key in keys)
        rows = connection.sql(f"select {columns}, snapshot_ids from {mart} order by all").pl()
    # A mart may wait for customs, notices and reporters that nobody has fetched.
    assert rows.height >= 3 or mart in (
        "exposure.notices", "trade.national_lines", "trade.revisions", "trade.source_differences",
        "trade.reconciled_flows", "dependency.bilateral_views",
    )  # fmt: skip
    for place in chosen.sample(range(rows.height), min(3, rows.height)):
        *values, snapshot_ids = rows.row(place)
        given = [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
        way = lineage_of(built, mart, *given)
        shown = {one for rows in way.rows.values() for one in rows["snapshot_id"]}
        assert shown == set(snapshot_ids), (mart, given)
        assert [origin.row["snapshot_id"] for origin in way.origins] == snapshot_ids
        for origin in way.origins:
            assert origin.publisher
            assert origin.licence
            digest = hashlib.sha256(Path(origin.places[0]).read_bytes()).hexdigest()
            assert digest == origin.row["sha256"]


PRINTED = {
    # China's part of Japan's rare earths in 2024: 15,981,526 of 22,405,704 kg.
    "dependency.supplier_shares": (
        ["importer_iso3=JPN", "mineral_group=rare_earths", "frequency=A", "period_start=2024",
         "measure=net_weight_kg", "supplier_iso3=CHN"],
        ["Made by dbt/models/marts/dependency/supplier_shares.sql", "From lake.trade_flows, 4 rows",
         "CHN            194696451.24     15981526.0", "WLD           442677785.402   22405704.018",
         "publisher  United Nations Statistics Division, UN Comtrade",
         "document   rare_earths.csv"],
    ),
    # What China reported in December 2024.
    "trade.reported_flows": (
        ["reporter_iso3=CHN", "partner_iso3=JPN", "flow=export", "commodity_code=811292",
         "frequency=M", "period_start=2024-12"],
        ["From lake.trade_flows, 1 row", "net_weight_kg   1753.0", "china_exports_monthly.csv"],
    ),
    # 175.68 yen and 1.1172 dollars per euro.
    "market.prices": (
        ["instrument=USDJPY", "price_date=2026-10-30"],
        ["close         157.25026852846403", "EURJPY      175.68  JPY", "EURUSD      1.1172  USD",
         "publisher  European Central Bank"],
    ),
    # The mean of 95.4725 over 102.59, 87.2985 over 91.4274 and 92.8906 over 98.9434.
    "market.prices ": (
        ["instrument=PEERS_6762.T", "price_date=2016-02-09"],
        ["close         91.9339343", "From lake.price_quotes, 9 rows",
         "4063.T      2016-02-09  95.4725", "7203.T      2016-02-05    100.0",
         "document   equity_indices.csv"],
    ),
    # 225,109 dollars for 48,400 kg: China's 626,924 are no part of it.
    "market.prices  ": (
        ["instrument=UNIT_VALUE_810411_BRA_EX_CHINA_FOB", "price_date=2025-06"],
        ["close         4.6510", "From lake.trade_flows, 1 row", "partner_iso3    ISR",
         "net_weight_kg   48400.0", "document   monthly_flows.csv"],
    ),
    "catalog.claims": (
        ["claim_id=JP-2024-CHINA-OVER-60"],
        ["From lake.claims, 1 row", "rare hearts [sic]", "22405704.018", "document   claims.yaml"],
    ),
    "reference.end_uses": (
        ["mineral=neodymium", "nace2_code=C25"],
        ["use_share      0.8", "application", "Magnets", "Study on the critical raw materials",
         "CC BY 4.0"],
    ),
    # Belgium is counted twice in the extract.
    "trade.reported_flows ": (
        ["reporter_iso3=CHN", "partner_iso3=BEL", "flow=export", "commodity_code=811292",
         "frequency=M", "period_start=2024-09"],
        ["value_usd       1558663.0",
         "Corrected by COMTRADE-CHN-EXPORTS-BEL-TWICE: 3117326 in the document is 1558663"],
    ),
    # A correction says itself which snapshot had the wrong figure.
    "catalog.corrections": (
        ["correction_id=USGS-MCS-2023-ND-2021"],
        ["document   prices_2023.csv", "wrong_value    49"],
    ),
    "exposure.milestones": (
        ["milestone_id=JP-2026-01-CHIKYU"],
        ["Made by dbt/models/marts/exposure/milestones.sql", "It names no snapshots"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mart", PRINTED)
def test_kido_trace_prints_what_a_reader_follows_by_hand(
    built: Path, mart: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given, expected = PRINTED[mart]
    print_lineage(lineage_of(built, mart.strip(), *given))
    printed = capsys.readouterr().out
    for line in expected:
        assert line in printed, printed


@pytest.mark.parametrize(
    ("mart", "given", "sentence"),
    [
        ("suplier_shares", (), "No published table is called 'suplier_shares'."),
        ("supplier_shares", ("importer=JPN",), "has no column 'importer'. Did you mean importer"),
        ("supplier_shares", ("JPN",), "'JPN' is not column=value."),
        ("supplier_shares", ("importer_iso3=JPX",), "No row of dependency.supplier_shares has"),
        ("supplier_shares", ("period_start=soon",), "'soon' is no date, as"),
        ("prices", ("instrument=USDJPY",), "Say which price_date: 1999-01-04, 1999-01-05,"),
    ],
)  # fmt: skip
def test_a_question_that_leads_to_no_single_row_ends_in_a_sentence(
    built: Path, mart: str, given: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(KidoError) as error:
        lineage_of(built, mart, *given)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_correction_is_shown_where_it_changed_a_row_and_nowhere_else(built: Path) -> None:
    flow = ["reporter_iso3=CHN", "flow=export", "commodity_code=811292", "frequency=M",
            "period_start=2024-09"]  # fmt: skip
    to_belgium = lineage_of(built, "reported_flows", *flow, "partner_iso3=BEL")
    to_japan = lineage_of(built, "reported_flows", *flow, "partner_iso3=JPN")
    assert to_belgium.row["snapshot_ids"] == to_japan.row["snapshot_ids"]
    assert [line["right_value"] for line in to_belgium.corrections] == ["1558663"]
    assert to_japan.corrections == []


def test_totals_and_the_period_of_the_row_come_first_and_so_many_rows_as_asked(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    way = lineage_of(built, "answers", "importer_iso3=JPN", "position=1")
    first = way.rows["trade_flows"].row(0, named=True)
    assert first["partner_iso3"] == "WLD"
    assert way.rows["trade_flows"].height > 80
    print_lineage(way, 2)
    few = capsys.readouterr().out
    assert "the first 2 of" in few
    print_lineage(way, 0)
    assert "the first" not in (every := capsys.readouterr().out)
    assert len(every.splitlines()) == len(few.splitlines()) + way.rows["trade_flows"].height - 2


def test_kido_trace_is_a_command(built: Path) -> None:
    result = run_kido(built, "trace", "prices", "instrument=EURUSD", "price_date=2026-10-30")
    assert result.returncode == 0, result.stderr
    assert "1.1172" in result.stdout

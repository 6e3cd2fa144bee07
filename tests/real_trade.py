"""Real figures of UN Comtrade as flows that its stand-in answers with."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from dagster_project.settings import BUNDLED
from tests.conftest import SHARED
from tests.fakes.comtrade import WORLD, Flow, Part

YEAR_2024 = SHARED / "data" / "comtrade_raw" / "comtrade_2024.csv.gz"
MONTHS = SHARED / "data" / "monthly_mirror" / "monthly_flows.csv.gz"
KEY = ["reporter", "partner", "cmd", "flow"]
FEW_CODES = ("283691", "811292", "850511")
"""A tenth of the codes of the year, magnets and their disorder among them."""


def rows_of_2024(codes: tuple[str, ...] = (), file: Path = YEAR_2024) -> pl.DataFrame:
    """All reporters and partners: `reporter`, `partner` (UN numbers), `cmd`, `flow`, `value` (USD),
    `netwgt` (kg). Rows repeat: the columns of breakdowns were lost.
    """
    rows = pl.read_csv(file, schema_overrides={"cmd": pl.String})
    return rows.filter(pl.col("cmd").is_in(codes)) if codes else rows


HEAVIEST = "850511"
"""Of magnets each total and part may get the largest weight of any of its rows, which brings the
disorder of other years: parts that weigh more than their total."""


def flows_of_2024(
    codes: tuple[str, ...] = (), *, with_heaviest: bool = False, file: Path = YEAR_2024
) -> list[Flow]:
    """The same as flows: repeats get a mode of transport other than the total's."""
    ranked = (
        rows_of_2024(codes, file)
        .sort("value", "netwgt", descending=True, nulls_last=True)
        .group_by(KEY, maintain_order=True)
        .agg("value", "netwgt")
    )
    return [
        Flow(
            row["reporter"], row["partner"], row["flow"], row["cmd"], "2024",
            row["value"][0],
            max((one for one in row["netwgt"] if one is not None), default=None)
            if with_heaviest and row["cmd"] == HEAVIEST
            else row["netwgt"][0],
            "H6",
            tuple(
                Part(0, "C00", 1000 + number, value, weight)
                for number, (value, weight) in enumerate(
                    zip(row["value"][1:], row["netwgt"][1:], strict=True)
                )
            ),
        )
        for row in ranked.iter_rows(named=True)
    ]  # fmt: skip


def numbers_of_economies() -> dict[str, int]:
    """UN Comtrade's number of each economy; the first of several."""
    with (BUNDLED / "catalogue" / "economies.csv").open(encoding="utf8", newline="") as file:
        numbers = {row["economy_iso3"]: row["comtrade_code"] for row in csv.DictReader(file)}
    return {name: int(codes.split(" ")[0]) for name, codes in numbers.items() if codes}


def flows_of_the_month() -> list[Flow]:
    """What 30 reporters declared to UN Comtrade for 2024-12, from a mirror of monthly trade.

    It has no totals: they are the sums of the partners, as printed with three digits.
    """
    numbers = numbers_of_economies() | {"S19": 490}
    rows = pl.read_csv(
        MONTHS, schema_overrides=dict.fromkeys(("hs6", "period", "native_code"), pl.String)
    ).filter(pl.col("source") == "comtrade")
    flows = [
        Flow(
            numbers[row["reporter"]], numbers[row["partner"]],
            {"import": "M", "export": "X"}[row["flow"]], row["hs6"], row["period"],
            row["value_usd"], row["qty_kg"],
        )
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    slices: dict[tuple[int, str, str, str], list[Flow]] = {}
    for flow in flows:
        slices.setdefault(flow.slice, []).append(flow)
    totals = [
        Flow(
            reporter, WORLD, direction, code, period,
            round(sum(one.value for one in of_slice), 3),
            round(sum(one.weight or 0 for one in of_slice), 3) or None,
        )
        for (reporter, direction, code, period), of_slice in slices.items()
    ]  # fmt: skip
    return [*flows, *totals]

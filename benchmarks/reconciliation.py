"""Scores the reconciliation of a raw year of UN Comtrade against BACI, and measures its cost.

    python -m benchmarks.reconciliation YEAR.csv.gz BACI.csv [--picture docs/images/...svg]

YEAR has the columns reporter and partner (UN numbers), cmd, flow (M, X), value (USD) and netwgt
(kg); the largest row of a key is the total. BACI has i, j (ISO3), cmd and value (USD). The totals
are landed as `kido land comtrade` does, and reconciled by the compiled models of `dbt/`. Prints the
scores beside those that critical-materials-atlas publishes, what happens where a reporter
multiplies its values by 1.5, and the cost in passes over the same rows: a sum of all flows by
reporter, partner, flow and code, read from Parquet as from the lake. Costs are processor seconds,
since other work may run beside.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from benchmarks.reconciliation_picture import picture
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.sources.registry import source_named
from tests.dbt_project import Project
from tests.fakes.comtrade import as_json
from tests.integration.marts import marts_of, tomorrow
from tests.integration.reconciling import FLOWS, INPUTS, RECONCILIATION, Reconciliation
from tests.real_trade import flows_of_2024

LEVEL, LOG = "median level ratio", "flow log correlation"
PUBLISHED = {
    LEVEL: "1.79", LOG: "0.975", "exporter top-1 of 30": "25", "importer top-1 of 30": "22",
    "exporter share MAE, pp": "3.47", "importer share MAE, pp": "4.21",
    "exporter HHI correlation": "0.920", "importer HHI correlation": "0.973",
}  # fmt: skip
"""What critical-materials-atlas states of its reconciliation of the same year and codes."""

TIE = 0.005
"""A lead of at most half a percentage point is a tie."""

LARGEST = 6
SIDES = ("exporter_iso3", "importer_iso3")
REPORTERS = 17
SEED, DRAWS, FURTHEST = 1, 10_000, 12
ROUNDS = 3
STEPS = (
    *RECONCILIATION[:2], "intermediate.int_trade__list_report_snapshots", *RECONCILIATION[2:],
    "intermediate.int_trade__list_covered_codes", "intermediate.int_trade__close_gaps",
    "intermediate.int_trade__explain_gaps",
    "trade.reconciled_flows", "dependency.bilateral_views",
)  # fmt: skip
REASONS = ("list_covered_codes", "close_gaps", "explain_gaps")
VIEWS = "bilateral_views"
"""It reads all flows of BACI, too."""

PASS = f"""
    select reporter_iso3, partner_iso3, flow, commodity_code, sum(value_usd), sum(net_weight_kg)
    from {FLOWS} group by all
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("year", type=Path)
    parser.add_argument("baci", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        inputs = inputs_of(given.year, folder)
        on_all = Reconciliation(Project(folder / "project"), inputs, DBT_PROJECT / "seeds")
        before = on_all.of()
        ours, baci = before["reconcile_flows"], read_baci(given.baci)
        print_scores(ours, baci)
        print_errors(ours, baci)
        if given.picture:
            given.picture.write_text(picture(both(ours, baci), shares_of_both(ours, baci)), "utf8")
        print_moves(on_all, before)
        print_cost(on_all, folder / "flows.parquet")


def inputs_of(year: Path, folder: Path) -> Mapping[str, pl.DataFrame]:
    """The year's totals landed in a home of its own, with BACI's bundled years for the codes."""
    home = Settings.load(home=folder / "home")
    totals = [replace(flow, parts=()) for flow in flows_of_2024(file=year)]
    file = folder / "comtrade.json"
    file.write_bytes(as_json(totals, pinned=False))
    comtrade, baci = source_named("comtrade"), source_named("baci")
    land_files(home, comtrade, [file], retrieved=date(2025, 11, 24))
    land_bundled(home, baci)
    conform(home, baci)
    return marts_of(home, comtrade, INPUTS, day=tomorrow(), keep_snapshots=True)


def read_baci(file: Path) -> pl.DataFrame:
    rows = pl.read_csv(file, schema_overrides={"cmd": pl.String})
    return rows.select(
        exporter_iso3=pl.col("i").replace("S19", "TWN"),
        importer_iso3=pl.col("j").replace("S19", "TWN"),
        hs6_code=pl.col("cmd").str.zfill(6), value_usd=pl.col("value").cast(pl.Float64),
    )  # fmt: skip


# ---- Scores


def both(ours: pl.DataFrame, baci: pl.DataFrame) -> pl.DataFrame:
    """Flows that both have: `value_usd` is ours, `value_usd_right` BACI's."""
    pairs = ours.join(baci, on=[*SIDES, "hs6_code"])
    return pairs.filter(pl.col("value_usd") > 0, pl.col("value_usd_right") > 0)


def shares(flows: pl.DataFrame, side: str) -> pl.DataFrame:
    """`share` and `place` of each economy of a side in the trade of each code."""
    sums = flows.group_by("hs6_code", side).agg(pl.col("value_usd").sum())
    return sums.select(
        "hs6_code", economy=side,
        share=pl.col("value_usd") / pl.col("value_usd").sum().over("hs6_code"),
        place=pl.col("value_usd").rank("ordinal", descending=True).over("hs6_code"),
    )  # fmt: skip


def shares_of_both(ours: pl.DataFrame, baci: pl.DataFrame) -> pl.DataFrame:
    """Shares of economies that are among the largest of a code in either, by side."""
    frames = []
    for side in SIDES:
        on = ["hs6_code", "economy"]
        joined = shares(ours, side).join(shares(baci, side), on=on, how="full", coalesce=True)
        largest = pl.min_horizontal("place", "place_right") <= LARGEST
        of_baci = pl.col("hs6_code").is_in(baci["hs6_code"].unique().implode())
        kept = joined.filter(largest, of_baci).with_columns(side=pl.lit(side))
        frames.append(kept.with_columns(pl.col("share", "share_right").fill_null(0)))
    return pl.concat(frames)


def correlation(left: pl.Series, right: pl.Series) -> str:
    return f"{np.corrcoef(left.to_numpy(), right.to_numpy())[0, 1]:.4f}"


def scores(ours: pl.DataFrame, baci: pl.DataFrame) -> Mapping[str, str]:
    pairs = both(ours, baci)
    median = (pairs["value_usd"] / pairs["value_usd_right"]).median()
    logarithms = correlation(pairs["value_usd"].log(), pairs["value_usd_right"].log())
    printed = {LEVEL: f"{median:.4f}", LOG: logarithms}
    compared = shares_of_both(ours, baci)
    for side in SIDES:
        name, of_side = side.partition("_")[0], compared.filter(pl.col("side") == side)
        printed[f"{name} share MAE, pp"] = f"{errors_of_codes(of_side).mean():.2f}"
        printed[f"{name} top-1 of 30"] = str(firsts(of_side))
        indices = [
            shares(flows, side).group_by("hs6_code").agg(pl.col("share").pow(2).sum())
            for flows in (ours, baci)
        ]
        joined = indices[0].join(indices[1], on="hs6_code")
        printed[f"{name} HHI correlation"] = correlation(joined["share"], joined["share_right"])
    return printed


def errors_of_codes(of_side: pl.DataFrame) -> np.ndarray:
    """The mean error of the shares of each code, in percentage points."""
    error = 100 * (pl.col("share") - pl.col("share_right")).abs().mean()
    codes = of_side.sort("hs6_code").group_by("hs6_code", maintain_order=True).agg(error=error)
    return codes["error"].to_numpy()


def firsts(compared: pl.DataFrame) -> int:
    """Codes whose largest economy is the same in both, a tie in either counted as the same."""
    agreed = 0
    for _, code in compared.group_by("hs6_code"):
        own = code.sort("share", descending=True).row(0, named=True)
        other = code.sort("share_right", descending=True).row(0, named=True)
        is_tie = other["share_right"] - own["share_right"] <= TIE
        agreed += is_tie or own["share"] - other["share"] <= TIE
    return agreed


def print_scores(ours: pl.DataFrame, baci: pl.DataFrame) -> None:
    printed = scores(ours, baci)
    counts = ours["basis"].value_counts(sort=True).rows()
    print(f"\n{ours.height:,} flows, {both(ours, baci).height:,} of them in BACI too:")
    print(", ".join(f"{count:,} {basis}" for basis, count in counts))
    print(f"{ours['is_conflict'].sum():,} of them differ by more than a factor of two")
    print("| measure | critical-materials-atlas | Kido |\n|---|---|---|")
    for measure, theirs in PUBLISHED.items():
        print(f"| {measure} | {theirs} | {printed[measure]} |")


def print_errors(ours: pl.DataFrame, baci: pl.DataFrame) -> None:
    """How far the mean errors hang on the choice of codes, and where shares are furthest off."""
    compared, drawn = shares_of_both(ours, baci), np.random.default_rng(SEED)
    for side in SIDES:
        errors = errors_of_codes(compared.filter(side=side))
        means = drawn.choice(errors, (DRAWS, errors.size)).mean(axis=1)
        low, high = np.quantile(means, (0.05, 0.95))
        print(f"{side}, of {DRAWS:,} draws of the codes nine tenths: {low:.2f} to {high:.2f} pp")
    print("\n| code | side | economy | Kido, % | BACI, % |\n|---|---|---|---|---|")
    gap = (pl.col("share") - pl.col("share_right")).abs()
    for row in compared.sort(gap, descending=True).head(FURTHEST).iter_rows(named=True):
        figures = f"{100 * row['share']:.1f} | {100 * row['share_right']:.1f}"
        print(f"| {row['hs6_code']} | {row['side']} | {row['economy']} | {figures} |")


# ---- A reporter that multiplies its values


def print_moves(on_all: Reconciliation, before: Mapping[str, pl.DataFrame]) -> None:
    """Of the largest reporters of two-sided flows, the move of the sum of all such flows."""
    key = [*SIDES, "hs6_code", "year"]
    two_sided = before["reconcile_flows"].filter(pl.col("basis") == "two_sided")
    declared = {"exporter_iso3": "exporter_usd", "importer_iso3": "importer_usd"}
    sums = pl.concat([
        two_sided.select(reporter=side, usd=usd) for side, usd in declared.items()
    ]).group_by("reporter").agg(pl.col("usd").sum())  # fmt: skip
    print("\nvalues times 1.5\n| reporter | move of the sum | error variance |\n|---|---|---|")
    for reporter, usd in sums.sort("usd", descending=True).head(REPORTERS).iter_rows():
        after = on_all.of(
            "select * replace (value_usd * case reporter_iso3 "
            f"when '{reporter}' then 1.5 else 1 end as value_usd) from flows"
        )
        flows = after["reconcile_flows"].join(two_sided.select(key), on=key)
        moved = float(flows["value_usd"].sum()) - float(two_sided["value_usd"].sum())
        errors = [
            reconciled["rate_reporters"].filter(reporter_iso3=reporter)["error_variance"][0]
            for reconciled in (before, after)
        ]
        print(f"| {reporter} | {moved / (0.5 * usd):+.3f} | x {errors[1] / errors[0]:.2f} |")


# ---- Cost


def processor_seconds(on_all: Reconciliation, statements: Sequence[str]) -> float:
    """The least of some rounds; a name of a model stands for making it."""
    rounds = []
    for _ in range(ROUNDS):
        begun = resource.getrusage(resource.RUSAGE_SELF)
        for statement in statements:
            on_all.make(statement) if statement in STEPS else on_all.execute(statement)
        ended = resource.getrusage(resource.RUSAGE_SELF)
        rounds.append(ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime)
    return min(rounds)


def print_cost(on_all: Reconciliation, file: Path) -> None:
    """At ten times as many rows the codes are made up: in headings of their own, as codes of a few
    minerals are, or in the headings of the real ones, the dearest that could be.
    """
    own = "(900000 + 100 * (dense_rank() over (order by commodity_code) + 31 * copy))::varchar"
    copies = {
        "thirty codes": ("1", "commodity_code"),
        "ten times, own headings": ("10", f"case copy when 0 then commodity_code else {own} end"),
        "ten times, shared headings": (
            "10", "lpad((commodity_code::integer + 7 * copy)::varchar, 6, '0')",
        ),
    }  # fmt: skip
    on_all.execute(f"set threads = 2; drop table {FLOWS}")
    names = [name.rpartition(".")[2].rpartition("__")[2] for name in STEPS]
    columns = ["rows", "a pass", *names, "in passes", "with reasons", "all"]
    print(f"\nprocessor seconds\n| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for name, (number, code) in copies.items():
        on_all.execute(
            f"copy (select * exclude (copy) replace ({code} as commodity_code) "
            f"from flows cross join range({number}) as copies (copy)) to '{file}'"
        )
        on_all.execute(f"create or replace view {FLOWS} as from '{file}'")
        one_pass = processor_seconds(on_all, [f"create or replace temp table pass as {PASS}"])
        costs = [processor_seconds(on_all, [step]) for step in STEPS]
        of_step = dict(zip(names, costs, strict=True))
        sums = (
            sum(cost for step, cost in of_step.items() if step not in (*REASONS, VIEWS)),
            sum(cost for step, cost in of_step.items() if step != VIEWS),
            sum(costs),
        )
        cells = " | ".join(f"{cost:.2f}" for cost in costs)
        passes = " | ".join(f"{cost / one_pass:.1f}" for cost in sums)
        print(f"| {name} | {one_pass:.3f} | {cells} | {passes} |")


if __name__ == "__main__":
    main()

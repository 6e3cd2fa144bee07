"""Slips and honest revisions of tables of figures, made with fixed seeds from bundled ones.

Files and expectations are made here (those of lists and of answers to questions: `slips_of_lists`);
what becomes of them is tested in `test_slips`.
"""

from __future__ import annotations

import csv
import io
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, cached_property
from typing import NamedTuple

import polars as pl

from dagster_project.lake.corrections import corrections
from dagster_project.lake.vocabulary import price_labels
from dagster_project.quality import limits
from dagster_project.settings import BUNDLED

UNITS = {
    10: "ten times", 100: "a hundred times", 1000: "a thousand times",
    0.1: "a tenth of", 0.01: "a hundredth of", 0.001: "a thousandth of",
}  # fmt: skip
FEW_UNITS = {factor: UNITS[factor] for factor in (1000, 0.001)}
_SMALL = ("FJI", "TON", "WSM", "VUT", "NRU", "TUV", "242", "776", "882", "548", "520", "798")
"""Islands, by ISO 3166 and as CEPII numbers them: of one of them nothing is known."""


INDICES = ("equity_indices", "rare_earth_indices")
"""Sources of indices that begin at 100, whatever is landed."""


@dataclass(frozen=True)
class Slip:
    """A file as somebody might land it by mistake.

    `words` are patterns, one of which has to be found in the sentence that stops it. A slip that
    lands may bring what the honest file brings, and nothing else: `honest` is that file and its
    name, None where it is the one that is known. `why_not_seen` says why nobody could see from the
    file alone that what else it brings is wrong; empty where it has to be stopped.
    """

    kind: str
    name: str
    payload: bytes
    words: tuple[str, ...]
    file: str
    honest: tuple[str, bytes] | None = None
    why_not_seen: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


class Counts(NamedTuple):
    """Rows of a table that a file adds, repeats, changes and removes."""

    added: int = 0
    unchanged: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(frozen=True)
class Honest:
    """A file that a publisher may send, or somebody may land, and what it does by table."""

    kind: str
    payload: bytes
    counts: Mapping[str, Counts]
    file: str

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Case:
    """A file that is landed before, and what is landed after it."""

    source: str
    file: str
    known: bytes
    slips: tuple[Slip, ...]
    honest: tuple[Honest, ...]


class Table:
    """A CSV file: its header, and its rows as text."""

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.head = list(head)
        self.rows = [list(row) for row in rows]

    @classmethod
    def read(cls, text: str) -> Table:
        head, *rows = csv.reader(io.StringIO(text))
        return cls(head, rows)

    def copy(self) -> Table:
        return Table(self.head, self.rows)

    def values(self, column: str) -> list[str]:
        at = self.head.index(column)
        return [row[at] for row in self.rows]

    def change(self, column: str, value: Callable[[str], str]) -> Table:
        """The same table with other values in a column."""
        return self.with_values(column, [value(old) for old in self.values(column)])

    def with_values(self, column: str, values: Sequence[str]) -> Table:
        at = self.head.index(column)
        changed = self.copy()
        for row, value in zip(changed.rows, values, strict=True):
            row[at] = value
        return changed

    def keep(self, column: str, is_kept: Callable[[str], bool]) -> Table:
        at = self.head.index(column)
        return Table(self.head, [row for row in self.rows if is_kept(row[at])])

    def swap(self, one: str, other: str) -> Table:
        """The same columns under each other's header."""
        names = {one: other, other: one}
        return Table([names.get(name, name) for name in self.head], self.rows)

    @property
    def text(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.head)
        writer.writerows(self.rows)
        return out.getvalue()


@dataclass(frozen=True, eq=False)
class Layout:
    """A file of a source: its figures, and what they are of.

    `series` are the figures of a row, each with its measures: one of a table that is long, more of
    one that is wide. `key` is what a row is, `part` what a newer file replaces together.
    `lake` names a measure as the lake does, where a column has another name; `scale` is what its
    figures are multiplied by on their way there.
    """

    source: str
    file: str
    table: str
    period: str
    step: str
    series: Mapping[str, tuple[str, ...]]
    key: tuple[str, ...]
    part: tuple[str, ...]
    sample: Callable[[Table], Table]
    lake: Mapping[str, str] = field(default_factory=dict)
    thing: str = ""
    economies: tuple[str, ...] = ()
    swaps: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()
    landed_as: str = ""
    scale: int = 1
    elsewhere: tuple[str, ...] = ()
    """Labels whose rows are of another table."""

    def __str__(self) -> str:
        return f"{self.source}/{self.file}"

    @property
    def measures(self) -> list[str]:
        return [name for names in self.series.values() for name in names]

    @property
    def name(self) -> str:
        return self.landed_as or self.file

    @property
    def is_of_one_year(self) -> bool:
        """Whether its name bears a year, as those of CEPII's files do."""
        return "_Y2" in self.name

    @property
    def has_more(self) -> bool:
        """Whether periods follow: an assessment is no series, an index is made here."""
        return self.source not in (*INDICES, "ec_crm")

    @cached_property
    def known(self) -> Table:
        """The figures that are known before: a sample of the bundled ones."""
        path = BUNDLED / self.source / self.file
        if path.suffix == ".parquet":
            some = pl.scan_parquet(path).filter(pl.col("hs6_code").is_in(FEW_FLOWS)).collect()
            return self.sample(Table.read(some.write_csv()))
        return self.sample(Table.read(path.read_text("utf8")))


def _some(column: str, count: int) -> Callable[[Table], Table]:
    """All rows of so many values of a column."""

    def sample(table: Table) -> Table:
        values = sorted(set(table.values(column)))
        chosen = random.Random(column).sample(values, min(count, len(values)))
        return table.keep(column, set(chosen).__contains__)

    return sample


def _since(
    column: str, first: str, things: Callable[[Table], Table] = Table.copy
) -> Callable[[Table], Table]:
    """Of some series, what is not older."""

    def sample(table: Table) -> Table:
        return things(table.keep(column, lambda value: value >= first))

    return sample


def _between(
    column: str, first: str, last: str, things: Callable[[Table], Table] = Table.copy
) -> Callable[[Table], Table]:
    """Of some series, what is of these periods: a year later is not in the future then."""
    return _since(column, first, lambda table: things(table.keep(column, lambda one: one <= last)))


def _of(column: str, *values: str) -> Callable[[Table], Table]:
    """The rows of these values of a column."""
    return lambda table: table.keep(column, set(values).__contains__)


def _first_days(column: str, things: int, days: int) -> Callable[[Table], Table]:
    """An index begins at 100 on its first day: the sample has to hold it."""

    def sample(table: Table) -> Table:
        some = _some(column, things)(table)
        at = some.head.index(column)
        seen: Counter[str] = Counter()
        rows = []
        for row in some.rows:
            seen[row[at]] += 1
            if seen[row[at]] <= days:
                rows.append(row)
        return Table(some.head, rows)

    return sample


def _in_layout_of_baci(table: Table) -> Table:
    """Six codes as CEPII prints them: its numbers of countries, thousand dollars, tons."""
    economies = Table.read((BUNDLED / "catalogue" / "economies.csv").read_text("utf8"))
    codes = {
        economy: numbers.split(" ")[0]  # of several, any
        for economy, numbers in zip(
            economies.values("economy_iso3"), economies.values("comtrade_code"), strict=True
        )
    }
    rows = []
    for row in _some("hs6_code", 6)(table).rows:
        exporter, importer, code, _, year, value, weight = row
        if not weight:  # else a swap of the measures is stopped for a value that is not there
            continue
        rows.append([
            year, codes[exporter], codes[importer], code, f"{float(value) / 1000:.3f}",
            f"{float(weight) / 1000:.3f}",
        ])  # fmt: skip
    return Table(["t", "i", "j", "k", "v", "q"], rows)


FEW_FLOWS = ("261210", "811211", "280480")
"""Codes of BACI of which a year has some three hundred flows together."""

LAYOUTS = (
    Layout(
        "baci", "flows_2024.csv", "reconciled_trade", "t", "year", {"": ("v", "q")},
        key=("i", "j", "k", "t"), part=("k", "t"), sample=_in_layout_of_baci,
        lake={"v": "value_usd", "q": "net_weight_kg"}, thing="k", economies=("i", "j"),
        swaps=(("i", "j"), ("v", "q")), units=("v", "q"),
        landed_as="BACI_HS17_Y2024_V202602.csv", scale=1000,
    ),
    Layout(
        "baci", "flows_hs1992_2015_2024.parquet", "reconciled_trade", "year", "year",
        {"": ("value_usd", "net_weight_kg")},
        key=("exporter_iso3", "importer_iso3", "hs6_code", "hs_revision", "year"),
        part=("hs6_code", "hs_revision", "year"),
        sample=_between("year", "2019", "2021"),
        thing="hs6_code", economies=("exporter_iso3", "importer_iso3"),
        swaps=(("exporter_iso3", "importer_iso3"), ("value_usd", "net_weight_kg")),
        units=("value_usd", "net_weight_kg"), landed_as="flows_hs1992.csv",
    ),
    Layout(
        "baci_top_flows", "top_flows_2002_2024.csv", "reconciled_trade", "year", "year",
        {"": ("value_usd",)},
        key=("exporter_iso3", "importer_iso3", "hs6_code", "hs_revision", "year"),
        part=("hs6_code", "hs_revision", "year"),
        sample=_between("year", "2019", "2021", _some("importer_iso3", 30)),
        thing="hs6_code", economies=("exporter_iso3", "importer_iso3"),
        swaps=(("exporter_iso3", "importer_iso3"),), units=("value_usd",),
    ),
    Layout(
        "china_customs_reported", "exports.csv", "trade_flows", "period", "month",
        {"": ("value_usd", "net_weight_kg")},
        key=("partner_iso3", "commodity_code", "frequency", "period"),
        part=("commodity_code", "frequency", "period"),
        # Of the month after, so many figures are reported; of later ones, two or three.
        sample=_between("period", "2022", "2025-07"), thing="commodity_code",
        economies=("partner_iso3",), swaps=(("value_usd", "net_weight_kg"),),
        units=("net_weight_kg",),
    ),
    Layout(
        "comexstat", "monthly_flows.csv", "trade_flows", "period", "month",
        {"": ("value_usd", "net_weight_kg")},
        key=("reporter_iso3", "partner_iso3", "flow", "commodity_code", "period"),
        part=("reporter_iso3", "flow", "commodity_code", "period"),
        sample=_between("period", "2025-01", "2025-08", _of(
            "commodity_code", "850511", "720293", "280469", "252910")),
        thing="commodity_code", economies=("partner_iso3",),
        swaps=(("value_usd", "net_weight_kg"), ("reporter_iso3", "partner_iso3")),
        units=("value_usd", "net_weight_kg"),
    ),
    Layout(
        "comtrade_baskets", "rare_earths.csv", "trade_flows", "period", "year",
        {"": ("value_usd", "net_weight_kg")},
        key=("reporter_iso3", "partner_iso3", "flow", "commodity_code", "period"),
        part=("reporter_iso3", "flow", "commodity_code", "period"),
        sample=_since("period", "2020"), economies=("partner_iso3", "reporter_iso3"),
        swaps=(("value_usd", "net_weight_kg"), ("reporter_iso3", "partner_iso3")),
        units=("value_usd", "net_weight_kg"),
    ),
    Layout(
        "comtrade_baskets", "china_exports_monthly.csv", "trade_flows", "period", "month",
        {"": ("value_usd", "net_weight_kg")},
        key=("reporter_iso3", "partner_iso3", "flow", "commodity_code", "hs_revision", "period"),
        part=("reporter_iso3", "flow", "commodity_code", "period"),
        # Without Belgium, whose figures are halved by the register of corrections.
        sample=_since("period", "2023", lambda table: table.keep("partner_iso3", "BEL".__ne__)),
        thing="commodity_code", economies=("partner_iso3",),
        swaps=(("value_usd", "net_weight_kg"),), units=("value_usd", "net_weight_kg"),
    ),
    Layout(
        "ec_crm", "supply_shares.csv", "production", "year", "year",
        {"": ("share", "trade_parameter")},
        key=("year", "scope_iso3", "label", "stage", "economy_iso3"),
        part=("year", "scope_iso3", "label", "stage"), sample=_some("label", 30), thing="label",
        economies=("economy_iso3",), swaps=(("share", "trade_parameter"),), units=("share",),
    ),
    Layout(
        "ec_crm", "end_uses.csv", "end_uses", "year", "year",
        {"": ("use_share", "sector_value_added_eur_m")},
        key=("label", "application", "sector", "year"), part=("label", "year"),
        sample=_some("label", 40), thing="label",
        swaps=(("use_share", "sector_value_added_eur_m"), ("application", "sector")),
        units=("use_share", "sector_value_added_eur_m"),
    ),
    Layout(
        "ec_crm", "assessments.csv", "assessments", "year", "year",
        {"": ("supply_risk", "economic_importance", "import_reliance", "eol_recycling_rate",
              "substitution_index_economic", "substitution_index_supply", "hhi_global_supply",
              "hhi_consumer_sourcing")},
        key=("year", "label", "stage"), part=("year", "label", "stage"),
        sample=_some("label", 60), thing="label",
        swaps=(("supply_risk", "economic_importance"),), units=("supply_risk",),
    ),
    Layout(
        "ecb", "reference_rates.csv", "price_quotes", "date", "day",
        {name: (name,) for name in ("usd", "jpy", "cny", "gbp")}, key=("date",), part=("date",),
        sample=_since("date", "2025-01"), lake=dict.fromkeys(("usd", "jpy", "cny", "gbp"), "close"),
        swaps=(("usd", "jpy"), ("usd", "cny")), units=("jpy",),
    ),
    Layout(
        "equity_indices", "equity_indices.csv", "price_quotes", "date", "day",
        {"": ("index",)}, key=("instrument", "date"), part=("instrument", "date"),
        sample=_first_days("instrument", 4, 250), lake={"index": "close"}, thing="instrument",
        units=("index",),
    ),
    Layout(
        "rare_earth_indices", "monthly_indices.csv", "price_quotes", "month", "month",
        {"": ("index",)}, key=("instrument", "month"), part=("instrument", "month"),
        sample=Table.copy, lake={"index": "close"}, thing="instrument", units=("index",),
    ),
    Layout(
        "hmrc", "monthly_flows.csv", "trade_flows", "period", "month",
        {"": ("value_usd", "net_weight_kg")},
        key=("reporter_iso3", "partner_iso3", "flow", "commodity_code", "hs_revision", "period"),
        part=("reporter_iso3", "flow", "commodity_code", "period"),
        # Months that are provisional no more when they become known.
        sample=_between("period", "2024-05", "2024-09", _of(
            "commodity_code", "rare_earth_magnets", "711011", "283691")),
        thing="commodity_code", economies=("partner_iso3",),
        swaps=(("value_usd", "net_weight_kg"), ("reporter_iso3", "partner_iso3")),
        units=("value_usd", "net_weight_kg"),
    ),
    Layout(
        "pink_sheet", "monthly_prices.csv", "price_quotes", "month", "month",
        {name: (name,) for name in (
            "aluminum", "iron_ore", "copper", "lead", "tin", "nickel", "zinc", "gold", "platinum",
            "silver", "wb_total_index", "wb_metals_and_minerals", "wb_base_metals",
            "wb_precious_metals")},
        key=("month",), part=("month",), sample=_since("month", "2016"),
        lake=dict.fromkeys(("gold", "copper", "aluminum"), "close"),
        swaps=(("gold", "aluminum"), ("copper", "nickel")), units=("copper",),
    ),
    Layout(
        "usgs_ds140", "rare_earths.csv", "production", "year", "year", {"": ("figure",)},
        key=("label", "economy_iso3", "year"), part=("label", "year"), sample=Table.copy,
        lake={"figure": "amount_t"}, units=("figure",),
        elsewhere=("Rare earths: Unit value ($/t)",),
    ),
    Layout(
        "usgs_mcs", "prices_2026.csv", "price_quotes", "year", "year", {"": ("price",)},
        key=("label", "year"), part=("label", "year"),
        # The year after is still one that the edition can know.
        sample=_between("year", "2021", "2024"), lake={"price": "close"}, thing="label",
        units=("price",),
    ),
    Layout(
        "usgs_mcs", "mcs_2026.csv", "production", "year", "year", {"": ("amount_t",)},
        key=("label", "stage", "economy_iso3", "year"), part=("label", "stage", "year"),
        sample=_some("label", 40), thing="label", economies=("economy_iso3",),
        units=("amount_t",),
    ),
    Layout(
        "usgs_mcs", "mcs_2025.csv", "production", "year", "year", {"": ("amount_t",)},
        key=("label", "stage", "economy_iso3", "year"), part=("label", "stage", "year"),
        sample=_some("label", 40), thing="label", economies=("economy_iso3",),
        units=("amount_t",),
    ),
    Layout(
        "wgi", "estimates.csv", "governance_scores", "year", "year",
        {name: (name, f"{name}_error") for name in (
            "voice_and_accountability", "political_stability", "government_effectiveness",
            "regulatory_quality", "rule_of_law", "control_of_corruption")},
        key=("economy_iso3", "year"), part=("economy_iso3", "year"),
        sample=_some("economy_iso3", 40),
        lake=dict.fromkeys(("political_stability", "rule_of_law"), "estimate"),
        economies=("economy_iso3",),
        swaps=(("political_stability", "political_stability_error"),
               ("rule_of_law", "control_of_corruption")),
        units=("political_stability",),
    ),
)  # fmt: skip


EDITION_BEFORE = {"mcs_2026.csv": "mcs_2025.csv"}


def figure(value: str, change: Callable[[float], float]) -> str:
    """A figure as it is written, changed; a mark for missing stays."""
    if value in ("", "N/A", "NA"):
        return value
    changed = change(float(value))
    if changed == int(changed) and abs(changed) < 1e15:
        return str(int(changed))
    return f"{changed:.9f}".rstrip("0").rstrip(".")


def _moved(step: str, value: str, years: int) -> str:
    """A period as it is written, some years later."""
    if step == "day" and value.endswith("-02-29"):
        value = value.replace("-29", "-28")
    return re.sub(r"^\d{4}", lambda found: str(int(found[0]) + years), value)


def slips_of(layout: Layout) -> Iterator[Slip]:
    """Every kind of slip that the layout allows."""
    known, rng = layout.known, random.Random(str(layout))

    def slip(kind: str, name: str, table: Table | str, *words: str, file: str = "") -> Slip:
        text = table if isinstance(table, str) else table.text
        return Slip(kind, name, text.encode(), words, file or layout.name)

    for measure in layout.units:
        lake = layout.lake.get(measure, measure)
        is_first = measure == layout.units[0]
        for factor, times in (UNITS if is_first else FEW_UNITS).items():
            yield slip(
                "units", f"{measure} x{factor}",
                known.change(measure, lambda old, by=factor: figure(old, lambda one: one * by)),
                f"{lake} is {times} what is known for",
                f"more than 5%: ({lake}|exchange_rate)_is_(between|on_the_normal|not_implausibly)",
                "does not begin at 100",
            )  # fmt: skip
        values = known.values(measure)
        yield slip(
            "column shifted", measure, known.with_values(measure, [values[-1], *values[:-1]]),
            "known ones of other rows",
            "has the figures that are known of", "partners_do_not_exceed_the_total",
            "not the amount of its flag", "does not begin at 100", "does not fit its flag",
            "partners that weigh more than the total",
        )  # fmt: skip
        yield slip(
            "column zeroed", measure, known.change(measure, lambda value: value and "0"),
            f"{lake} is 0 for", f"(value|{lake})_is_positive", "is not an index above 0",
            "does not fit its flag",
        )  # fmt: skip
        yield slip(
            "column blank", measure, known.change(measure, lambda _: ""),
            f"{lake} is missing for", rf"is not a number \({lake}\)", f"rows without {measure}",
            "not the amount of its flag", f"no month has a figure of '{measure.upper()}'",
            "does not begin at 100", "flow_has_a_value_or_a_weight", "does not fit its flag",
            "has no price", f"has no {measure}",
        )  # fmt: skip
        yield slip(
            "sign turned", measure,
            known.change(measure, lambda old: figure(old, lambda one: -one)),
            f"{lake} has the other sign for", f"{lake}_is_not_negative",
            f"(value|{lake})_is_positive", rf"is not a number \({lake}\)",
            "not the amount of its flag", "is not an index above 0", "does not fit its flag",
            "is not a price",
        )  # fmt: skip
    yield from slips_of_one_series(layout)
    for one, other in layout.swaps:
        yield slip(
            "columns swapped", f"{one} and {other}", known.swap(one, other),
            "is what is known as", "has the figures that are known of", "are the other way round",
            "known ones of other rows", "standard_error_is_not_negative",
            "exchange_rate_is_not_implausibly", f"rows without {one}",
            rf"is not a number \({one}\)", f"{other} is missing for",
        )  # fmt: skip
    for years in (1, -1):
        yield slip(
            "years moved", f"{years:+}",
            known.change(layout.period, lambda old, by=years: _moved(layout.step, old, by)),
            r"known of \d+ (year|month)s? (earlier|later)", "has the figures that are known of",
            "price_date_is_not_in_the_future", "It would replace", "is not a year since 1900",
            "is outside the years of the edition",
            # CEPII's files bear their year in the name.
            file=re.sub(r"Y\d+", f"Y{2024 + years}", layout.name),
        )  # fmt: skip
    lines = known.text.splitlines(keepends=True)
    yield slip(
        "file doubled", "", "".join([*lines, *lines[1:]]), "is duplicated", "one_row_per_",
        "missing or duplicated",
    )  # fmt: skip
    for line in sorted(rng.sample(range(len(lines) // 10, len(lines) - 3), 2)):
        yield slip(
            "file cut", f"at line {line}", "".join(lines[:line]), "seems cut within",
            "It would replace", "in none of its own", "the file is cut",
        )  # fmt: skip
    for column in layout.economies:
        lake = {"i": "exporter_iso3", "j": "importer_iso3"}.get(column, column)
        there = Counter(known.values(column))
        common = [name for name, _ in there.most_common(20) if name not in ("WLD", "_X")]
        gone, renamed = rng.sample(common, 2)
        other = next(name for name in _SMALL if name not in there
                     and name.isdigit() == gone.isdigit())  # fmt: skip
        yield slip(
            "partner dropped", f"{column} {gone}",
            known.keep(column, lambda one, of=gone: one != of),
            rf"{lake}: \w+ is in", "It would replace",
        )  # fmt: skip
        yield slip(
            "country renamed", f"{column} {renamed} as {other}",
            known.change(column, lambda old, new={renamed: other}: new.get(old, old)),
            rf"{lake}: \w+ is in", rf"{lake} \w+ has the figures that are known of",
        )  # fmt: skip
    periods = sorted(set(known.values(layout.period)))
    last = periods[-1]
    if len(periods) > 1:
        gone = rng.choice(periods[1:-1] or periods)
        yield slip(
            "year dropped", gone, known.keep(layout.period, lambda one: one != gone),
            "is missing between", "has missing or duplicated years",
        )  # fmt: skip
        zeros = known
        at = known.head.index(layout.period)
        for measure in layout.measures:
            values = [
                value and ("0" if row[at] == last else value)
                for row, value in zip(known.rows, known.values(measure), strict=True)
            ]
            zeros = zeros.with_values(measure, values)
        yield slip(
            "period of zeros", last, zeros, "is 0 for", "is not an index above 0",
            "not the amount of its flag", "(value|close)_is_positive", "does not fit its flag",
        )  # fmt: skip
    if len(periods) > 1:
        following = _moved(layout.step, last, 1)
        of_last = known.keep(layout.period, lambda one: one == last)
        repeated = slip(
            "last year's file", f"{last} as {following}",
            of_last.change(layout.period, lambda _: following),
            "known of 1 year earlier", "price_date_is_not_in_the_future",
            "has the figures that are known of", "does not begin at 100",
            "is outside the years of the edition",
        )  # fmt: skip
        yield (
            repeated
            if len(of_last.rows) > limits.FEWEST_MISPLACED
            else replace(repeated, why_not_seen="so few figures may be those of the period before")
        )
    if before := EDITION_BEFORE.get(layout.file):
        older = (BUNDLED / layout.source / before).read_text("utf8")
        edition = slip("last year's file", "the edition before, under this one's name", older)
        yield replace(edition, honest=(before, older.encode()))
    if layout.is_of_one_year:
        yield slip(
            "last year's file", "under this year's name", known.change("t", lambda _: "2023"),
            "'2023' is not the year of",
        )  # fmt: skip
    if layout.has_more:
        yield from slips_of_a_new_period(layout)


POUNDS = 2.2046
"""In a kilogram: a factor near which nothing but a unit is."""


def slips_of_one_series(layout: Layout) -> Iterator[Slip]:
    """Pounds for kilograms, or the other way round, in one printed column, code or label only."""
    known, measure = layout.known, layout.units[0]
    lake = layout.lake.get(measure, measure)

    def slip(of: str, factor: float, is_changed: Callable[[Sequence[str]], bool]) -> Slip:
        values = [
            figure(old, lambda one: one * factor) if is_changed(row) else old
            for row, old in zip(known.rows, known.values(measure), strict=True)
        ]
        return Slip(
            "one series in another unit", f"{measure}{of} x{factor:.4f}",
            known.with_values(measure, values).text.encode(),
            (
                f"{lake} is {factor:.3g} times what is known for",
                "partners_do_not_exceed_the_total",
                f"more than 5%: ({lake}|exchange_rate)_is_(between|on_the_normal|not_implausibly)",
                "does not begin at 100", "It would replace",
            ),
            layout.name,
        )  # fmt: skip

    for factor in (POUNDS, 1 / POUNDS):
        yield slip("", factor, lambda row: True)
    if not layout.thing:
        return
    at, of = known.head.index(layout.thing), known.head.index(measure)
    figures = Counter(row[at] for row in known.rows if row[of] not in ("", "0", "N/A", "NA"))
    for thing, count in figures.most_common(2):
        if count >= 10:
            yield slip(f" of {thing}", POUNDS, lambda row, one=thing: row[at] == one)


def slips_of_a_new_period(layout: Layout) -> Iterator[Slip]:
    """Slips in figures of which nothing is known but those of the period before."""
    more, rng = one_more(layout), random.Random(f"new {layout}")
    file = _next_file(layout)

    def slip(kind: str, name: str, table: Table, *words: str, with_known: bool = False) -> Slip:
        rows = [*layout.known.rows, *table.rows] if with_known else table.rows
        payload = Table(table.head, rows).text.encode()
        name = f"{name} in a new {layout.step}".strip()
        return Slip(kind, name, payload, words, file, honest=(file, more.text.encode()))

    for measure in layout.units:
        lake = layout.lake.get(measure, measure)
        for factor in (1000, 0.001):
            yield slip(
                "units", f"{measure} x{factor}",
                more.change(measure, lambda old, by=factor: figure(old, lambda one: one * by)),
                "times that of the period before, in the middle of",
                f"more than 5%: ({lake}|exchange_rate)_is_(between|on_the_normal|not_implausibly)",
            )  # fmt: skip
        values = more.values(measure)
        if len(values) > 1:
            yield slip(
                "column shifted", measure, more.with_values(measure, [values[-1], *values[:-1]]),
                "more than half of the spread", "a factor of 5 or more",
                "partners_do_not_exceed_the_total", "times that of the period before",
                "not the amount of its flag", "partners that weigh more than the total",
            )  # fmt: skip
            yield slip(
                "column zeroed", measure, more.change(measure, lambda value: value and "0"),
                f"{lake} is (0|missing) for", f"(value|{lake})_is_positive",
                "does not fit its flag",
            )  # fmt: skip
        yield slip(
            "column blank", measure, more.change(measure, lambda _: ""),
            f"{lake} is missing for", rf"is not a number \({lake}\)", f"rows without {measure}",
            f"no month has a figure of '{measure.upper()}'", "not the amount of its flag",
            "flow_has_a_value_or_a_weight", "does not fit its flag", "has no price",
            f"has no {measure}",
        )  # fmt: skip
        yield slip(
            "sign turned", measure,
            more.change(measure, lambda old: figure(old, lambda one: -one)),
            "more than half of the spread", f"(value|{lake})_is_(positive|not_negative)",
            rf"is not a number \({lake}\)", "not the amount of its flag", "does not fit its flag",
            "is not a price",
        )  # fmt: skip
    for one, other in layout.swaps:
        swapped = slip(
            "columns swapped", f"{one} and {other}", more.swap(one, other),
            "are the other way round", "a factor of 5 or more",
            "times that of the period before", "exchange_rate_is_not_implausibly",
            "standard_error_is_not_negative", "partners_do_not_exceed_the_total",
            rf"is not a number \({one}\)", f"{other} is missing for",
        )  # fmt: skip
        is_of_headers = len(layout.series) > 1
        yield replace(swapped, why_not_seen=(
            "each of two prices or scores may become what the other was" if is_of_headers else ""
        ))  # fmt: skip
    if len(more.rows) > 1:
        doubled = Table(more.head, [*more.rows, *more.rows])
        yield slip(
            "file doubled", "", doubled, "is duplicated", "one_row_per_", "missing or duplicated"
        )
        cut = Table(more.head, more.rows[: len(more.rows) // 3])
        yield slip(
            "file cut",
            "",
            cut,
            "is new and has",
            "the file is cut",
            with_known=not layout.is_of_one_year,
        )
    for column in layout.economies:
        lake = {"i": "exporter_iso3", "j": "importer_iso3"}.get(column, column)
        there, known = Counter(more.values(column)), set(layout.known.values(column))
        common = [name for name, _ in there.most_common(12) if name not in ("WLD", "_X")]
        most, few = common[0], rng.choice(common[6:] or common[1:])
        other = next(name for name in _SMALL if name not in known
                     and name.isdigit() == few.isdigit())  # fmt: skip
        words = rf"{lake}: \w+ is in .* of the period before"
        for gone in (most, few):
            yield slip(
                "partner dropped", f"{column} {gone}",
                more.keep(column, lambda one, of=gone: one != of), words,
            )  # fmt: skip
            renamed = slip(
                "country renamed", f"{column} {gone} as {other}",
                more.change(column, lambda old, new={gone: other}: new.get(old, old)), words,
                rf"{lake} \w+ is new, with figures near those of \w+, which has none any more",
            )  # fmt: skip
            yield replace(renamed, why_not_seen=(
                "an economy of few rows may have none in a period, and another one its first ones; "
                "a reporter may be late, and another one report for the first time"
            ))  # fmt: skip


def one_more(layout: Layout) -> Table:
    """The period after the last one, its figures as far off as the source's are."""
    rng = random.Random(f"one more {layout}")
    last = max(layout.known.values(layout.period))
    more = layout.known.keep(layout.period, lambda one: one == last).change(
        layout.period, lambda old: _following(layout.step, old)
    )
    is_steady = layout.step == "day" or layout.source in ("pink_sheet", "wgi")
    for measure in layout.measures:
        values = [
            figure(old, lambda one: one * math.exp(-abs(rng.gauss(0, 0.02 if is_steady else 0.3))))
            for old in more.values(measure)
        ]
        more = more.with_values(measure, _with_their_totals(layout, more, measure, values))
    return more


def _with_their_totals(
    layout: Layout, table: Table, measure: str, values: Sequence[str]
) -> Sequence[str]:
    """New values, those of a total as much less than the old ones as its partners' sum is."""
    if "partner_iso3" not in table.head:
        return values
    at = table.head.index("partner_iso3")
    others = [table.head.index(name) for name in layout.key if name != "partner_iso3"]
    sums: dict[tuple[str, ...], list[float]] = {}
    for row, old, new in zip(table.rows, table.values(measure), values, strict=True):
        if row[at] != "WLD":
            both = sums.setdefault(tuple(row[one] for one in others), [0.0, 0.0])
            both[0] += float(old or 0)
            both[1] += float(new or 0)
    totals = []
    for row, old, new in zip(table.rows, table.values(measure), values, strict=True):
        of_parts, of_new = sums.get(tuple(row[one] for one in others), (0.0, 0.0))
        is_total = row[at] == "WLD" and of_parts > 0
        totals.append(
            figure(old, lambda one, by=of_new, of=of_parts: one * by / of) if is_total else new
        )
    return totals


def _next_file(layout: Layout) -> str:
    """CEPII's files bear their year in the name."""
    return re.sub(r"Y(\d+)", lambda found: f"Y{int(found[1]) + 1}", layout.name)


def honest_of(layout: Layout) -> Iterator[Honest]:
    """What publishers really send: more, less, other figures of the same things."""
    known, rng = layout.known, random.Random(f"honest {layout}")

    def honest(kind: str, table: Table) -> Honest:
        counts = {layout.table: counted(layout, known, table)}
        return Honest(kind, table.text.encode(), counts, layout.name)

    def revise(kind: str, change: Callable[[float], float], part: float = 1.0) -> Honest:
        """Partners and shares become less only: of a total and of 1, they may not be more."""
        table = known
        for measure in layout.units:
            values = [
                old if _is_fixed(layout, row) or rng.random() > part else figure(old, change)
                for row, old in zip(known.rows, table.values(measure), strict=True)
            ]
            table = table.with_values(measure, values)
        return honest(kind, table)

    yield revise("a fifth revised by up to 10 %", lambda old: old * rng.uniform(0.9, 1.0), 0.2)
    yield revise("all estimated anew", lambda old: old * math.exp(-abs(rng.gauss(0, 0.02))))
    low = 0.75 if layout.source == "ecb" else 0.2  # a rate has a plausible range
    part = 0.03 if len(known.rows) > 100 else 0.3
    yield revise("a few revised a lot", lambda old: old * rng.uniform(low, 0.8), part)
    # These print no more.
    if layout.source not in ("ec_crm", "usgs_mcs", "usgs_ds140", "china_customs_reported"):
        yield revise("printed with four digits", lambda old: float(f"{old:.4g}"))
    shuffled = known.copy()
    rng.shuffle(shuffled.rows)
    if layout.source != "equity_indices":  # begins at its first day, wherever that stands
        yield honest("rows in another order", shuffled)
    last = max(known.values(layout.period))
    of_last = known.keep(layout.period, lambda one: one == last)
    if layout.has_more:
        more = one_more(layout)
        if layout.is_of_one_year:
            counts = {layout.table: counted(layout, known, more)}
            yield Honest("one more year", more.text.encode(), counts, _next_file(layout))
        else:
            yield honest(f"one more {layout.step}", Table(known.head, [*known.rows, *more.rows]))
            yield honest("only the last period", of_last)
    if layout.thing:
        one = rng.choice(sorted(set(known.values(layout.thing))))
        yield honest(f"only one {layout.thing}", known.keep(layout.thing, lambda of: of == one))
    if layout.table in ("reconciled_trade", "trade_flows") and layout.thing:
        yield honest("some small partners gone", _without_small_partners(layout, rng))
    if layout.file == "mcs_2025.csv":
        (newer,) = (other for other in LAYOUTS if other.file == "mcs_2026.csv")
        yield honest("the next edition", newer.known)


def _is_fixed(layout: Layout, row: Sequence[str]) -> bool:
    """A total, and the first day of an index, which is 100."""
    return "WLD" in row or (layout.source in INDICES and "100" in row)


def _following(step: str, value: str) -> str:
    """The next period, as it is written."""
    if step == "year":
        return str(int(value) + 1)
    if step == "month":
        year, month = map(int, value.split("-"))
        return f"{year + month // 12}-{month % 12 + 1:02}"
    return str(date.fromisoformat(value) + timedelta(days=3))


def _without_small_partners(layout: Layout, rng: random.Random) -> Table:
    """A revision moves a few small flows into the remainder; none is of a partner's only ones."""
    known = layout.known
    measure, partner = layout.units[0], layout.economies[0]
    smallest = sorted(float(value) for value in known.values(measure) if value)
    bound = smallest[len(smallest) // 4]
    left = {column: Counter(known.values(column)) for column in layout.economies}
    gone, others = [], []
    for number, row in enumerate(known.rows):
        of = {column: row[known.head.index(column)] for column in layout.economies}
        is_small = float(row[known.head.index(measure)] or "inf") < bound and of[partner] != "WLD"
        if is_small:
            is_drawn = rng.random() < 0.1
            if all(left[name][of[name]] > 3 for name in of):
                (gone if is_drawn else others).append(number)
                for name in of:
                    left[name][of[name]] -= is_drawn
    # Of a short file maybe none is drawn.
    gone = gone or others[:1]
    rows = [row for number, row in enumerate(known.rows) if number not in set(gone)]
    return Table(known.head, rows)


def counted(layout: Layout, before: Table, after: Table) -> Counts:
    """What `after` does to the figures of `before`, worked out row by row."""
    known, fresh = _figures(layout, before), _figures(layout, after)
    parts = {_part(layout, key) for key in fresh}
    again = [key for key in fresh if key in known]
    unchanged = sum(all(map(_is_one, fresh[key], known[key])) for key in again)
    return Counts(
        added=len(fresh) - len(again),
        unchanged=unchanged,
        changed=len(again) - unchanged,
        removed=sum(key not in fresh and _part(layout, key) in parts for key in known),
    )


def _figures(layout: Layout, table: Table) -> dict[tuple[str, ...], list[float | None]]:
    """Every row that the lake has of a table, under its key and series."""
    found = {}
    for row in table.rows:
        values = dict(zip(table.head, row, strict=True))
        if layout.elsewhere and values["label"] in layout.elsewhere:
            continue
        for series, measures in layout.series.items():
            figures = [
                round(float(values[name]) * layout.scale, 3 if layout.scale > 1 else 9)
                if values[name] not in ("", "N/A")
                else None
                for name in measures
            ]
            if len(layout.series) == 1 or figures[0] is not None:
                found[(*(values[name] for name in layout.key), series)] = figures
    return found


def _part(layout: Layout, key: tuple[str, ...]) -> tuple[str, ...]:
    return (*(key[layout.key.index(name)] for name in layout.part), key[-1])


def _is_one(new: float | None, old: float | None) -> bool:
    if new is None or old is None:
        return new is old
    return abs(new - old) <= limits.ALIKE * max(abs(new), abs(old))


@cache
def case_of(layout: Layout) -> Case:
    slips = tuple(slips_of(layout)) if layout.file != "mcs_2025.csv" else ()  # those of 2026 are
    return Case(
        layout.source, layout.name, layout.known.text.encode(), slips, tuple(honest_of(layout))
    )


EDITIONS = (
    ("mcs_2022.csv", "mcs_2023.csv"), ("mcs_2023.csv", "mcs_2024.csv"),
    ("mcs_2024.csv", "mcs_2025.csv"), ("prices_2022.csv", "prices_2023.csv"),
    ("prices_2023.csv", "prices_2024.csv"), ("prices_2024.csv", "prices_2026.csv"),
)  # fmt: skip
"""Of the summaries, what came out after what; of those of 2025 and 2026 there are samples above."""


@cache
def edition(before: str, after: str) -> Case:
    """A whole edition, and the next one; without the labels whose misprints are put right."""
    folder = BUNDLED / "usgs_mcs"
    # A price is printed under a label of its own in each edition.
    names = {label: of.instrument for label, of in price_labels("usgs_mcs").items()}
    misprints = {cell for one in corrections("usgs_mcs").values() for cell in one.row.values()}

    def printed(file: str) -> Table:
        table = Table.read((folder / file).read_text("utf8"))
        return table.keep("label", lambda label: names.get(label, label) not in misprints)

    file = "prices_2026.csv" if before.startswith("prices") else "mcs_2026.csv"
    (layout,) = (one for one in LAYOUTS if one.file == file)
    older, newer = printed(before), printed(after)
    counts = counted(layout, *(
        table.change("label", lambda label: names.get(label, label)) for table in (older, newer)
    ))  # fmt: skip
    honest = Honest("the next edition", newer.text.encode(), {layout.table: counts}, after)
    return Case(layout.source, before, older.text.encode(), (), (honest,))


CASES_OF_EDITIONS: Mapping[str, Callable[[], Case]] = {
    f"usgs_mcs/{before}": (lambda before=before, after=after: edition(before, after))
    for before, after in EDITIONS
}

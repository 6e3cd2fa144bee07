"""The table of defects: what is measured of pairs of figures, in which groups, and from which limit
on it is an error.

How rows are paired is in `comparison`, figures under another key are in `misplaced`. Limits
were measured on two Pink Sheets (May 2025, June 2026), the Mineral Commodity Summaries of 2022 to
2026, BACI from 1995 to 2024 (52 codes), months of the customs of China, the United Kingdom and
Brazil, and two releases of the governance indicators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

import polars as pl

from dagster_project.errors import counted
from dagster_project.quality.comparison import Comparison, is_alike
from dagster_project.quality.limits import (
    ALIKE,
    CHANGED_A_LOT,
    CHANGED_A_LOT_OF_THE_SPREAD,
    LARGEST_STEP,
)

NEW, OLD, THEIRS = pl.col("new"), pl.col("old"), pl.col("theirs")
BOTH = NEW.is_not_null() & OLD.is_not_null()
RATIO, MIDDLE = pl.col("ratio"), pl.col("middle")
"""New over old, of two figures of one sign, and its median in a group."""
SIGNED, FIGURES = pl.col("is_signed"), pl.col("figures")

KNOWN, BEFORE = "known", "period before"
DOCUMENT, SERIES, ECONOMY, PERIOD = range(4)
"""Groups of the figures of a column: all, those of one series (or header, or code), economy or
period."""
_EACH = (DOCUMENT, SERIES, ECONOMY, PERIOD)

FEWEST_OF_AN_ECONOMY = 20
"""One economy of two hundred revises a handful of its figures alike."""

SMALLEST_MATERIAL, MOST_MATERIAL = 0.01, 10
"""Of a series less than this part of a file (up to so many figures) is exempt: a publisher
withdraws three weights of one code and month now and then."""

LARGEST_STEP_OF_A_MONTH = 20.0
"""For the flows of one commodity and month, in a file with others or alone: in December 2023, when
its controls came into force, China's exports of natural graphite (250410) fell to a tenth, in the
median of 20 flows. All commodities of a month do not."""


@dataclass(frozen=True)
class Defect:
    """A row of the table.

    `hit` is the error, among the `figures` that may have it. It is reported for a group where at
    least `fewest` figures (by table) and this `share` of them have it, and the condition `also` is
    met. `fewest_of_an_answer` is for an answer or the next edition. Two figures may be equal by
    chance, half of a column is no coincidence.
    """

    against: str
    sentence: str
    figures: pl.Expr
    hit: pl.Expr
    fewest: int | Mapping[str, int] = 3
    share: float = 0.5
    by: Sequence[int] = _EACH
    also: pl.Expr = field(default_factory=lambda: pl.lit(True))
    fewest_of_an_answer: int = 0
    is_vague: bool = False
    """Reported only where nothing else is."""

    def fewest_in(self, comparison: Comparison) -> int:
        """The smallest number of hits of a document."""
        if isinstance(self.fewest, Mapping):
            return self.fewest.get(comparison.table.name, self.fewest[""])
        return max(self.fewest, self.fewest_of_an_answer if comparison.is_publishers else 0)


_POWER = RATIO.log10().median().round(0)
_FOR = "for {hits:,} of {figures:,} figures{of}"
_KNOWN = "for {hits:,} of {figures:,} known figures{of}"

OF_FIGURES = (
    # A publisher withdraws all the weights of a small reporter's month, which may be four; and the
    # Mineral Commodity Summaries of 2023 the four figures of germanium of those of 2022.
    Defect(KNOWN, f"{{measure}} is missing {_KNOWN}.", OLD != 0, NEW.is_null(),
           fewest_of_an_answer=10),
    Defect(KNOWN, f"{{measure}} is 0 {_KNOWN}.", OLD != 0, NEW == 0),
    Defect(KNOWN, f"{{measure}} has the other sign {_KNOWN}.", BOTH & (OLD != 0),
           is_alike(NEW, -OLD)),
    Defect(KNOWN, f"{{measure}} is what is known as {{other}} {_FOR}.",
           BOTH & THEIRS.is_not_null() & (NEW != 0), ~is_alike(NEW, OLD) & is_alike(NEW, THEIRS)),
    Defect(KNOWN, f"{{measure}} is {{times}} what is known {_FOR}{{unit}}",
           RATIO.is_not_null(), (RATIO.log10() - _POWER).abs() < 0.03,
           also=MIDDLE.log10().round(0) != 0),
    # The two Pink Sheets differ by more than ALIKE in none of 10,976 prices. A publisher that
    # changes the base of an index is refused once.
    Defect(KNOWN, f"{{measure}} is {{times}} what is known {_FOR}{{unit}}",
           RATIO.is_not_null(), is_alike(RATIO, RATIO.median()), fewest=10, share=0.9,
           by=(DOCUMENT, SERIES), also=(MIDDLE - 1).abs() > 4 * ALIKE),
    # Between editions of the Mineral Commodity Summaries 23 to 31 % of the figures move by more
    # than a fifth, the most of all publishers.
    Defect(KNOWN, "{measure} differs by more than 20% for {hits:,} of {figures:,} known figures.",
           BOTH & ~SIGNED, (NEW - OLD).abs() > CHANGED_A_LOT * pl.col("size"), by=(DOCUMENT,),
           also=FIGURES >= 10, is_vague=True),
    Defect(KNOWN, "{measure} differs by more than half of the spread of all scores for {hits:,} of "
           "{figures:,} known figures.", BOTH & SIGNED,
           (NEW - OLD).abs() > CHANGED_A_LOT_OF_THE_SPREAD * pl.col("size"), by=(DOCUMENT,),
           also=FIGURES >= 10, is_vague=True),
    Defect(BEFORE, f"{{measure}} is missing {_FOR}, and was not in the period before.",
           OLD.is_not_null(), NEW.is_null(), fewest=10, share=1.0, by=(DOCUMENT, SERIES, PERIOD)),
    Defect(BEFORE, f"{{measure}} is 0 {_FOR}, and was not in the period before.",
           NEW.is_not_null() & (OLD != 0), NEW == 0, share=1.0,
           by=(DOCUMENT, SERIES, PERIOD)),
    # The largest step of a month in the Pink Sheet since 1960 is 1.8 (nickel, March 1988), of a day
    # 1.2 (TDK, 5 August 2024); of a year, the largest median of the flows of a code in BACI is 3.6
    # (rhodium, 2009). Prices and output keep their level one by one, scores except those near 0; a
    # flow may change by any factor, the median of ten does not.
    Defect(BEFORE, "{measure}{of} is {middle:.3g} times that of the period before, in the middle "
           "of {new_figures}.", RATIO.is_not_null(), RATIO.is_not_null(),
           fewest={"price_quotes": 1, "production": 3, "governance_scores": 5, "": 10},
           by=(DOCUMENT, SERIES, PERIOD),
           also=MIDDLE.log().abs() >= pl.col("largest_step").log()),
    # In BACI, the median of the flows of a code changes by 4.5 times or less (1,371 pairs of years
    # have ten flows or more, and with just ten it may be 7 times); of China's exports from month to
    # month by 3.5. Scores near 0 change by a part of their spread.
    Defect(BEFORE, "{measure} is off the period before by a factor of 5 or more, up or down, for "
           "{hits:,} of {new_figures}.", RATIO.is_not_null() & ~SIGNED,
           RATIO.log().abs() > log(LARGEST_STEP), by=(DOCUMENT,), also=FIGURES >= 50),
    Defect(BEFORE, "{measure} is off the period before by more than half of the spread of all "
           "scores for {hits:,} of {new_figures}{of}.", BOTH & SIGNED,
           (NEW - OLD).abs() > 0.5 * pl.col("size"), by=(DOCUMENT, SERIES), also=FIGURES >= 30),
)  # fmt: skip

_CHANGED = NEW.ne_missing(OLD)
_FACTS = "for {hits:,} of {figures:,}"

OF_FACTS = (
    Defect(KNOWN, f"{{measure}} is what is known as {{other}} {_FACTS} facts that changed.",
           _CHANGED, NEW == THEIRS, share=0.8, by=(DOCUMENT,)),
    Defect(KNOWN, f"{{measure}} is missing {_FACTS} known facts.", OLD.is_not_null(),
           NEW.is_null(), by=(DOCUMENT,)),
    Defect(KNOWN, f"{{measure}} is another than known {_FACTS} facts.", BOTH, _CHANGED, fewest=10,
           by=(DOCUMENT,)),
)  # fmt: skip


def errors_of(comparison: Comparison, against: str, column: str) -> Iterator[tuple[Defect, str]]:
    """The metrics of a measure (or column of facts) over their limits, in the order of the table,
    each with its sentence.
    """
    is_fact = column in comparison.facts
    figures = _paired_figures(comparison, against, column)
    if figures.filter(NEW.ne_missing(OLD)).is_empty():
        return
    columns = comparison.table.columns
    others = [
        name
        for name in (comparison.facts if is_fact else comparison.measures)
        if name != column and columns[name].dtype == columns[column].dtype
    ]
    for metric in OF_FACTS if is_fact else OF_FIGURES:
        if metric.against != against:
            continue
        for other in others if "{other}" in metric.sentence else [""]:
            paired = figures.with_columns(theirs=f"{other} known") if other else figures
            if row := _worst_group(comparison, paired, metric):
                yield metric, _sentence(metric, column, other, row)


def _paired_figures(comparison: Comparison, against: str, column: str) -> pl.DataFrame:
    """The figures (or facts) of a column that are in the file, as `new`, those they are
    compared with, `old`, and the columns that the metrics use.
    """
    rows = comparison.repeated if against == KNOWN else comparison.with_before
    others = comparison.facts if column in comparison.facts else comparison.measures
    rows = rows.filter("is_in_file", "is_known").select(
        *comparison.figure_key, *(pl.col(f"{name} known") for name in others), new=column,
        old=f"{column} known", ratio=pl.lit(None, pl.Float64),
    )  # fmt: skip
    if column in comparison.facts:
        return rows
    lowest, spread = comparison.known[column].min(), comparison.known[column].std()
    is_signed = isinstance(lowest, float) and lowest < 0
    return rows.with_columns(
        ratio=pl.when(NEW * OLD > 0).then(NEW / OLD),
        size=pl.lit(spread) if is_signed else pl.max_horizontal(NEW.abs(), OLD.abs()),
        is_signed=pl.lit(is_signed),
    )


def _worst_group(
    comparison: Comparison, figures: pl.DataFrame, metric: Defect
) -> Mapping[str, Any] | None:
    """The group over the limits with most hits: all figures, else one value of a column."""
    figures, fewest = figures.filter(metric.figures), metric.fewest_in(comparison)
    if figures.filter(NEW.ne_missing(OLD)).height < min(fewest, 3):  # all is printed again
        return None
    material = min(MOST_MATERIAL, int(SMALLEST_MATERIAL * figures.height))
    is_exact = isinstance(metric.fewest, Mapping)
    least = {DOCUMENT: 0, ECONOMY: FEWEST_OF_AN_ECONOMY}
    worst: dict[str, Any] | None = None
    for kind, names in _groupings(comparison):
        if kind not in metric.by or (worst and not worst["of"]):
            continue
        at_least = max(fewest, 0 if is_exact else least.get(kind, material))
        over = _over_limit(comparison, figures, metric, names).filter(pl.col("hits") >= at_least)
        for row in over.head(1).iter_rows(named=True):
            if worst is None or row["hits"] > worst["hits"]:
                values = [f"{name} {comparison.in_words(name, row[name])}" for name in names]
                worst = {**row, "of": f" of {' in '.join(values)}" if values else ""}
    return worst


def _over_limit(
    comparison: Comparison, figures: pl.DataFrame, metric: Defect, names: Sequence[str]
) -> pl.DataFrame:
    """The groups over the limits of a metric, whatever their number of hits, most hits first."""
    shared = comparison.series_columns
    # In a file of one commodity, all groups show the change of that commodity.
    commodity = pl.struct(pl.lit(""), *(pl.col(name) for name in shared if name != "flow"))
    is_of_one = bool(set(names) & set(shared)) | (commodity.n_unique() == 1)
    is_one_of_a_month = pl.lit(comparison.is_monthly) & is_of_one
    groups = figures.group_by(names or pl.lit("").alias("document")).agg(
        hits=metric.hit.sum(),
        figures=pl.len(),
        middle=RATIO.median(),
        largest_step=pl.when(is_one_of_a_month)
        .then(LARGEST_STEP_OF_A_MONTH)
        .otherwise(LARGEST_STEP),
    )
    over = groups.filter(pl.col("hits") >= metric.share * FIGURES, metric.also)
    return over.sort("hits", *names, descending=[True, *(False for _ in names)])


def _groupings(comparison: Comparison) -> Iterator[tuple[int, list[str]]]:
    """The columns of each grouping, the document first."""
    shared = comparison.series_columns
    yield DOCUMENT, []
    yield from ((SERIES, [name]) for name in shared)
    if len(shared) > 1:
        yield SERIES, shared
    yield from ((ECONOMY, [name]) for name in comparison.economies)
    yield from ((PERIOD, [name]) for name in comparison.figure_key if name == comparison.period)


# Words

_POWERS = {
    1: "ten times", 2: "a hundred times", 3: "a thousand times", 6: "a million times",
    -1: "a tenth of", -2: "a hundredth of", -3: "a thousandth of", -6: "a millionth of",
}  # fmt: skip
_UNITS = {
    -6: {"_usd": "million dollars"}, 2: {"share": "per cent"}, -2: {"share": "shares of 0 to 1"},
    -3: {"_kg": "tonnes", "_t": "thousand tonnes", "_usd": "thousand dollars"},
    3: {"_t": "kilograms"},
}  # fmt: skip


def _sentence(metric: Defect, column: str, other: str, row: Mapping[str, Any]) -> str:
    words = {"measure": column, "other": other, "times": "", "unit": "."}
    if "{times}" in metric.sentence:
        digits = log(row["middle"], 10)
        power = round(digits)
        words["times"] = f"{row['middle']:.3g} times"
        if power and abs(digits - power) < 0.03:
            words["times"] = _POWERS.get(power, f"10 to the {power} times")
            for end, unit in _UNITS.get(power, {}).items():
                words["unit"] = f": {unit}?" if column.endswith(end) else words["unit"]
    words["new_figures"] = counted(row["figures"], "new figure")
    return metric.sentence.format(**{**row, **words})

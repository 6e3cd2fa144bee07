"""The table of defects: what is measured of pairs of figures, in which groups, and from which limit
on it is an error.

How rows are paired is in `comparison`, figures under another key are in `misplaced`. Limits
were measured on two Pink Sheets (May 2025, June 2026), the Mineral Commodity Summaries of 2022 to
2026, BACI from 1995 to 2024 (52 codes), months of the customs of China, the United Kingdom and
Brazil, and two releases of the governance indicators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    POWERS_OF_TEN,
    UNITS_OF_WEIGHT,
)

NEW, OLD, THEIRS = pl.col("new"), pl.col("old"), pl.col("theirs")
BOTH = NEW.is_not_null() & OLD.is_not_null()
RATIO, MIDDLE = pl.col("ratio"), pl.col("middle")
"""New over old, of two figures of one sign, and its median in a group."""
SIGNED, FIGURES = pl.col("is_signed"), pl.col("figures")

KNOWN, BEFORE, OTHER_EDITION = "known", "period before", "other edition of the HS"
DOCUMENT, SERIES, ECONOMY, PERIOD, SERIES_OF_ECONOMY = range(5)
"""Groups of the figures of a column: all, those of one series (or header, or code), economy or
period, and those of one series of one economy."""
_EACH = (DOCUMENT, SERIES, ECONOMY, PERIOD)

FEWEST_OF_AN_ECONOMY = 20
"""One economy of two hundred revises a handful of its figures alike."""

ROUNDING_OF_A_CHANGE = 0.1
"""Digits tell a constant ratio from scattered ones if their rounding is at most this part of it."""

EXACTLY = ALIKE / 10
"""Figures that were multiplied, and not estimated anew, have a ratio up to so much."""

MOST_DIGITS = 6
"""Figures of more significant digits have no rounding that matters here."""

UNITS_OF_A_FILE = {**UNITS_OF_WEIGHT, "short tons": 1.10231}
"""Known figures tell a short ton from a tonne; those of a new period grow by as much."""

SMALLEST_WARNED_STEP = 2.0
"""From one year to the next in BACI (1995 to 2024) the median flow of a code steps by as much in 20
of 1,460 cases by value and in 3 of 1,417 by weight; a price of the Pink Sheet never does."""

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
    counted: pl.Expr = field(default_factory=pl.len)
    """How many figures count; of the others it cannot be said."""
    fewest_different: int = 0
    """At least so many known figures have to differ from each other."""
    is_of_one_ratio: bool = False
    """A series with as many hits as the document is reported instead of it. What publishers restate
    by one ratio is exempt."""
    is_vague: bool = False
    """Reported only where nothing else is."""

    def fewest_in(self, comparison: Comparison) -> int:
        """The smallest number of hits of a document."""
        if isinstance(self.fewest, Mapping):
            return self.fewest.get(comparison.table.name, self.fewest[""])
        return max(self.fewest, self.fewest_of_an_answer if comparison.is_publishers else 0)


_POWER = RATIO.median().log10().round(0)
_LOG, _ROUNDING = RATIO.log(), pl.col("rounding")
_OFF = (_LOG - _LOG.median()).abs()
_IS_TELLING = ROUNDING_OF_A_CHANGE * _LOG.abs() >= _ROUNDING
"""Whether a figure changed by far more than its printed digits may hide."""
_MAY_HAVE_THE_RATIO = (
    pl.max_horizontal(
        _ROUNDING, pl.min_horizontal(ALIKE, ROUNDING_OF_A_CHANGE * _LOG.median().abs())
    )
    >= _OFF
)
"""Whether the ratio of a figure may be the median one. Of a figure of few digits it nearly always
may: 16 instead of 17, and 11 instead of 12. Such a figure is evidence against a ratio only."""


def _is_of_a_unit() -> pl.Expr:
    """Whether the median ratio is that of two units, either way round."""
    log_of_ratio = MIDDLE.log().abs()
    return pl.any_horizontal(
        (log_of_ratio - log(factor)).abs() <= ALIKE
        for factor in (*UNITS_OF_A_FILE.values(), *POWERS_OF_TEN)
    )


_FOR = "for {hits:,} of {figures:,} figures{of}"
_KNOWN = "for {hits:,} of {figures:,} known figures{of}"


def _of_one_ratio(hit: pl.Expr, counted: pl.Expr) -> tuple[Defect, Defect]:
    """Changed figures have one ratio: ten with any, or five with that of two units. The ratios of a
    revision scatter (0062). A publisher that changes the base of an index, or the unit of a series,
    is refused once.
    """
    any_ratio = Defect(
        KNOWN, "{measure} is {times} what is known for {hits:,} of {figures:,} changed figures"
        "{of}{unit}", _LOG.abs() > log(1 + ALIKE), hit, fewest=10, share=0.9,
        by=(*_EACH, SERIES_OF_ECONOMY), counted=counted.sum(), fewest_different=10,
        is_of_one_ratio=True,
    )  # fmt: skip
    of_a_unit = replace(
        any_ratio, fewest=5, fewest_different=5, share=1.0, also=_is_of_a_unit(),
        by=(DOCUMENT, SERIES, SERIES_OF_ECONOMY),
    )  # fmt: skip
    return any_ratio, of_a_unit


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
    *_of_one_ratio(_OFF <= EXACTLY, OLD.is_not_null()),
    *_of_one_ratio(_IS_TELLING & _MAY_HAVE_THE_RATIO, _IS_TELLING | ~_MAY_HAVE_THE_RATIO),
    # Of 13 codes that BACI has in HS 1992 and in HS 2017, 56 to 80 % of the figures of 2024 are
    # equal in both, by code, and the median ratio is 1.
    Defect(OTHER_EDITION, "{measure} is {times} what is known in another edition of the HS for "
           "{hits:,} of {figures:,} figures{of}{unit}", RATIO.is_not_null(),
           is_alike(RATIO, RATIO.median()), fewest=10, by=(DOCUMENT, SERIES),
           also=(MIDDLE - 1).abs() > 4 * ALIKE),
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

NEWS = Defect(
    BEFORE, "{measure}{of} is {middle:.3g} times that of the period before, in the middle of "
    "{new_figures}{unit}", RATIO.is_not_null(), RATIO.is_not_null(),
    fewest={"price_quotes": 1, "production": 3, "governance_scores": 5, "": 10}, by=(SERIES,),
    also=MIDDLE.log().abs() >= log(SMALLEST_WARNED_STEP),
)  # fmt: skip
"""A step of one series: a warning, since it may be true."""

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
        if metric.against != against or (metric.is_of_one_ratio and columns[column].is_restated):
            continue
        for other in others if "{other}" in metric.sentence else [""]:
            paired = figures.with_columns(theirs=f"{other} known") if other else figures
            if row := _worst_group(comparison, paired, metric):
                yield metric, _sentence(metric, column, other, row)


def news_of(comparison: Comparison, measure: str) -> Iterator[str]:
    """A sentence on each series of a new period that steps far from the period before."""
    names = comparison.series_columns
    figures = _paired_figures(comparison, BEFORE, measure).filter(NEWS.figures, ~SIGNED)
    if not names or figures.is_empty():
        return
    over = _over_limit(comparison, figures, NEWS, names)
    for row in over.filter(pl.col("hits") >= NEWS.fewest_in(comparison)).iter_rows(named=True):
        values = [comparison.in_words(name, row[name]) for name in names]
        yield _sentence(NEWS, measure, "", {**row, "of": f" of {' '.join(values)}"})


def _paired_figures(comparison: Comparison, against: str, column: str) -> pl.DataFrame:
    """The figures (or facts) of a column that are in the file, as `new`, those they are
    compared with, `old`, and the columns that the metrics use.
    """
    rows = {
        KNOWN: lambda: comparison.repeated,
        BEFORE: lambda: comparison.with_before,
        OTHER_EDITION: lambda: comparison.with_other_edition,
    }[against]()
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
        rounding=_rounding(NEW) + _rounding(OLD),
        size=pl.lit(spread) if is_signed else pl.max_horizontal(NEW.abs(), OLD.abs()),
        is_signed=pl.lit(is_signed),
    )


def _rounding(figure: pl.Expr) -> pl.Expr:
    """Half of the last digit of a figure, as a part of it: 0.018 of 28, and also of 28,000."""
    size = figure.abs()
    first = pl.lit(10.0).pow(size.log10().floor())
    rounding = pl.lit(0.0)
    for digits in range(MOST_DIGITS, 0, -1):
        is_printed_so = (size.round_sig_figs(digits) - size).abs() <= 1e-9 * size
        half = 0.5 * first / 10 ** (digits - 1) / size
        rounding = pl.when(is_printed_so).then(half).otherwise(rounding)
    return rounding


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
    by = metric.by
    if metric.is_of_one_ratio:
        least, material = {}, 0
        # Scores of one economy lie close together: moved by one difference, they have one ratio.
        if figures["is_signed"].any():
            by = [kind for kind in by if kind not in (ECONOMY, SERIES_OF_ECONOMY)]
    worst: dict[str, Any] | None = None
    for kind, names in _groupings(comparison):
        if kind not in by or (worst and not worst["of"] and not metric.is_of_one_ratio):
            continue
        at_least = max(fewest, 0 if is_exact else least.get(kind, material))
        over = _over_limit(comparison, figures, metric, names).filter(pl.col("hits") >= at_least)
        for row in over.head(1).iter_rows(named=True):
            is_series = metric.is_of_one_ratio and kind == SERIES
            if worst is None or (row["hits"], is_series) > (worst["hits"], bool(worst["of"])):
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
        figures=metric.counted,
        different=OLD.n_unique() if metric.fewest_different else pl.lit(0),
        middle=RATIO.median(),
        largest_step=pl.when(is_one_of_a_month)
        .then(LARGEST_STEP_OF_A_MONTH)
        .otherwise(LARGEST_STEP),
    )
    over = groups.filter(
        pl.col("hits") >= metric.share * FIGURES,
        pl.col("different") >= metric.fewest_different,
        metric.also,
    )
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
    if shared:
        yield from ((SERIES_OF_ECONOMY, [*shared, name]) for name in comparison.economies)


# Words

_POWERS = {
    1: "ten times", 2: "a hundred times", 3: "a thousand times", 6: "a million times",
    -1: "a tenth of", -2: "a hundredth of", -3: "a thousandth of", -6: "a millionth of",
}  # fmt: skip
_IN_NO_UNIT = ("value_usd", "share", "estimate", "standard_error", "use_share")
_UNITS = {
    -6: {"_usd": "million dollars"}, 2: {"share": "per cent"}, -2: {"share": "shares of 0 to 1"},
    -3: {"_kg": "tonnes", "_t": "thousand tonnes", "_usd": "thousand dollars"},
    3: {"_t": "kilograms"},
}  # fmt: skip


def _sentence(metric: Defect, column: str, other: str, row: Mapping[str, Any]) -> str:
    words = {"measure": column, "other": other, "times": "", "unit": "."}
    if "{unit}" in metric.sentence:
        digits = log(row["middle"], 10)
        power = round(digits)
        words["times"] = f"{row['middle']:.3g} times"
        if power and abs(digits - power) < 0.03:
            words["times"] = _POWERS.get(power, f"10 to the {power} times")
            for end, unit in _UNITS.get(power, {}).items():
                words["unit"] = f": {unit}?" if column.endswith(end) else words["unit"]
        elif column not in _IN_NO_UNIT:
            for unit, factor in UNITS_OF_A_FILE.items():
                if abs(abs(log(row["middle"])) - log(factor)) <= ALIKE:
                    words["unit"] = f": {unit}?"
    words["new_figures"] = counted(row["figures"], "new figure")
    return metric.sentence.format(**{**row, **words})

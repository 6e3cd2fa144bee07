"""Rules and patterns shared by lake tables and marts.

Rules of one table only are in its suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import polars as pl

from dagster_project import words
from dagster_project.quality.markets import Markets
from dagster_project.quality.rules import Known, Rule, report, stop

HS6 = r"^(0[1-9]|[1-8][0-9]|9[0-7])[0-9]{4}$"
"""Six digits in chapters 01 to 97: 98 and 99 are national, and a code that went through a number
has lost the leading zero of chapters 01 to 09."""

HS6_OR_HEADING = r"^(0[1-9]|[1-8][0-9]|9[0-7])[0-9]{2}([0-9]{2})?$"
ISO_4217 = r"^[A-Z]{3}$"
SLUG = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
NACE_DIVISION = r"^[A-U][0-9]{2}$"
ELEMENT = (
    r"^("
    "H|He|Li|Be|B|C|N|O|F|Ne|Na|Mg|Al|Si|P|S|Cl|Ar|K|Ca|Sc|Ti|V|Cr|Mn|Fe|Co|Ni|Cu|Zn|Ga|"
    "Ge|As|Se|Br|Kr|Rb|Sr|Y|Zr|Nb|Mo|Tc|Ru|Rh|Pd|Ag|Cd|In|Sn|Sb|Te|I|Xe|Cs|Ba|La|Ce|Pr|Nd|"
    "Pm|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Hf|Ta|W|Re|Os|Ir|Pt|Au|Hg|Tl|Pb|Bi|Po|At|Rn|Fr|Ra|"
    "Ac|Th|Pa|U|Np|Pu|Am|Cm|Bk|Cf|Es|Fm|Md|No|Lr|Rf|Db|Sg|Bh|Hs|Mt|Ds|Rg|Cn|Nh|Fl|Mc|Lv|"
    "Ts|Og"
    ")$"
)
"""A symbol of the periodic table."""
NOT_BLANK = r"\S"
WEB_ADDRESS = r"^https?://[^\s<>]+$"
"""Without what would end a link in Markdown or HTML: an address writes it as %3E."""

ROUNDING = 1e-9
"""A ratio of sums of doubles may be this far above 1."""

RATE_BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "EURUSD": (0.5, 2.5),
        "EURJPY": (60.0, 400.0),
        "EURCNY": (4.0, 20.0),
        "EURGBP": (0.4, 1.2),
        "USDJPY": (50.0, 400.0),
        "CNYJPY": (7.0, 60.0),
    }
)
"""The least and the largest plausible rate.

The ECB's rates from 1999 to 2026 are well inside: EURUSD 0.83 to 1.60, EURJPY 89 to 188, EURCNY 6.6
to 11.2, EURGBP 0.57 to 0.98, USDJPY 76 to 164, CNYJPY 12 to 24. An inverted rate or one with a
shifted point is not.
"""

LARGEST_STEP_OF_A_SHARE = 1.25
"""From one close to the next, or its inverse 0.8: -22 % and +22 % as logarithms.

The largest of 11,684 daily log returns since 2016 are 17.5 % (TDK, 2024-08-05), 17.4 % (REMX,
2020-03-16), 17.2 % (5713), 14.7 % (7203) and 13.5 % (4063). The smallest usual split, of 3 shares
for 2, is -40.5 %: on a day that rises by 17.5 % as well, still -23 %.
"""

LARGEST_SPLIT = 100
"""New shares for one old share; a hundred for one is the largest usual split."""

WELL_KNOWN = ("JPN", "CHN", "USA", "VNM", "_X", "WLD")
"""Economies that every list must have: the importers and suppliers of the first question, and the
two codes that are not economies."""

UNIT_VALUE_USD_PER_KG = (0.001, 1_000_000.0)
"""Coal is sold at 0.1, scandium at some thousands; outside, the unit of weight is another."""

SLACK_DAYS = 1
"""A publisher may be in a time zone where it is already tomorrow."""


def has_rows() -> Rule:
    return stop(
        "there_is_at_least_one_row",
        "A table without rows is a file cut short or a filter that took everything.",
        "ExpectTableRowCountToBeBetween",
        min_value=1,
    )


def one_row_per(what: str, *columns: str) -> Rule:
    return stop(
        f"one_row_per_{what}",
        f"{', '.join(columns)} name one row; a second is a breakdown read as a total, or a repeat.",
        "ExpectCompoundColumnsToBeUnique",
        column_list=columns,
    )


def is_one_of(name: str, column: str, allowed: tuple[str, ...] | Known, explanation: str) -> Rule:
    return stop(name, explanation, "ExpectColumnValuesToBeInSet", column=column, value_set=allowed)


def is_known_economy(column: str, *more: str) -> Rule:
    return is_one_of(
        f"{column.removesuffix('_iso3')}_is_a_known_economy",
        column,
        Known("economies", more),
        "A code that is in no list blocks the batch and is named, so that nothing is lost.",
    )


def matches(name: str, column: str, regex: str, explanation: str) -> Rule:
    return stop(name, explanation, "ExpectColumnValuesToMatchRegex", column=column, regex=regex)


def is_not_blank(column: str) -> Rule:
    return matches(
        f"{column}_is_not_blank", column, NOT_BLANK, f"A reader needs a {column} in words."
    )


def is_a_share(column: str) -> Rule:
    return stop(
        f"{column}_is_between_0_and_1",
        "A share above 1 is a percentage, or parts that exceed their total.",
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=0,
        max_value=1 + ROUNDING,
    )


def is_not_above(name: str, low: str, high: str, explanation: str) -> Rule:
    return stop(
        name,
        explanation,
        "ExpectColumnPairValuesAToBeGreaterThanB",
        column_A=high,
        column_B=low,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    )


def starts_its_period(column: str = "period_start", frequency: str = "frequency") -> Rule:
    return stop(
        "period_starts_on_its_first_day",
        "A year is dated 1 January and a month its first day; else the same period has two names.",
        "ExpectColumnValuesToMatchRegex",
        {
            "frequency_and_start": pl.format(
                "{} {}", pl.col(frequency), pl.col(column).cast(pl.String)
            )
        },
        column="frequency_and_start",
        regex=r"^(A \d{4}-01-01|M \d{4}-\d{2}-01)$",
    )


def has_a_plausible_unit_value(value: str, weight: str) -> Rule:
    low, high = UNIT_VALUE_USD_PER_KG
    return report(
        "unit_value_is_plausible",
        f"Below {low:g} or above {high:g} US dollars a kilogram, tonnes, grams or pieces were read "
        "as kilograms.",
        "ExpectColumnValuesToBeBetween",
        {"usd_per_kg": pl.when(pl.col(weight) > 0).then(pl.col(value) / pl.col(weight))},
        column="usd_per_kg",
        min_value=low,
        max_value=high,
    ).in_unit("USD per kg")


def _bound(side: int) -> pl.Expr:
    return pl.col("instrument").replace_strict(
        {name: bounds[side] for name, bounds in RATE_BOUNDS.items()},
        default=None,
        return_dtype=pl.Float64,
    )


def rates_are_plausible(make: Callable[..., Rule]) -> tuple[Rule, Rule]:
    """Two rules: no exchange rate below its least or above its largest plausible value.

    `make` is `quarantine` for a publisher's rates, `report` for those that are derived from them.
    """
    return (
        make(
            "exchange_rate_is_not_implausibly_low",
            "Too low is a shifted decimal point or the inverse of the rate.",
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {"least_plausible": _bound(0)},
            column_A="close",
            column_B="least_plausible",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
        ),
        make(
            "exchange_rate_is_not_implausibly_high",
            "Too high is a shifted decimal point or the inverse of the rate.",
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {"largest_plausible": _bound(1)},
            column_A="largest_plausible",
            column_B="close",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
        ),
    )


def _is_one_of(names: Sequence[str]) -> pl.Expr:
    # Nothing is computed here: suites are built when they are imported, and a process that has used
    # polars' threads cannot be forked.
    listed = pl.lit(pl.Series(names, dtype=pl.String)).implode()
    return pl.col("instrument").cast(pl.String).is_in(listed).fill_null(False)


def does_not_jump(series: tuple[str, ...], where: pl.Expr) -> Rule:
    """Each quote compared with the one of the day before it, in the order of the days.

    Shares are left out: of these a smaller step is unusual (`has_no_step_of_a_split`).
    """
    close = pl.col("close")
    ratio = close / close.shift(1).over(series, order_by="price_date")
    return report(
        "close_is_between_half_and_double_the_one_before",
        "A price that halves or doubles from one quote to the next is a change of unit or a "
        "misprint; it may be true.",
        "ExpectColumnValuesToBeBetween",
        {
            "ratio_to_quote_before": lambda markets: pl.when(
                where & ~_is_one_of(markets.shares)
            ).then(ratio)
        },
        column="ratio_to_quote_before",
        min_value=0.5,
        max_value=2,
    ).in_unit("times the quote before")


def has_no_step_of_a_split(ratio: pl.Expr, where: pl.Expr) -> Rule:
    """`ratio` is that of a share's close to the one before, adjusted for the splits that are known.

    Reported and not blocking: shares of rare-earth makers do rise by half on the news that is
    studied here, and such a day must not be lost.
    """
    text = pl.format(
        "{} {}: {} times the close before", "instrument", "price_date", ratio.round_sig_figs(3)
    )
    is_large = ~ratio.is_between(1 / LARGEST_STEP_OF_A_SHARE, LARGEST_STEP_OF_A_SHARE)
    return report(
        "no_close_has_the_step_of_a_split",
        "A share that loses a fifth or gains a quarter from one close to the next was split or "
        "merged, and its closes are not adjusted: give split_ratio on that day, or adjusted "
        "closes. It may be true.",
        "ExpectColumnValuesToBeNull",
        {
            "step_of_a_split": lambda markets: pl.when(
                where & is_large & _is_one_of(markets.shares)
            ).then(text)
        },
        column="step_of_a_split",
    )


def _by_exchange(markets: Markets, text_of: Callable[[str, pl.Series], pl.Expr]) -> pl.Expr:
    """A text for the rows of instruments whose exchange has a calendar, else null."""
    texts = [
        pl.when(_is_one_of(names)).then(text_of(calendar, markets.sessions(calendar)))
        for calendar, names in markets.by_calendar.items()
    ]
    return pl.coalesce(texts or [pl.when(_is_one_of([])).then("instrument")])


def is_a_session(where: pl.Expr) -> Rule:
    day = pl.col("price_date")

    def no_session(calendar: str, sessions: pl.Series) -> pl.Expr:
        days = pl.lit(sessions)
        is_known = day.is_between(days.min(), days.max())
        return pl.when(where & is_known & ~day.is_in(days.implode())).then(
            pl.format("{} {} ({})", "instrument", "price_date", pl.lit(calendar))
        )

    return report(
        "price_date_is_a_session_of_the_exchange",
        "A price of a weekend or a holiday is one of another day, or repeats the one before: its "
        "return is 0 or belongs to another session.",
        "ExpectColumnValuesToBeNull",
        {"not_a_session": lambda markets: _by_exchange(markets, no_session)},
        column="not_a_session",
    )


def no_session_is_missing(series: tuple[str, ...], where: pl.Expr) -> Rule:
    """Sessions between a quote and the one before it; none is expected outside a series."""
    day = pl.col("price_date")
    before = day.shift(1).over(series, order_by="price_date")

    def missing(calendar: str, sessions: pl.Series) -> pl.Expr:
        days = pl.lit(sessions)
        first = days.search_sorted(before, side="right")
        count = days.search_sorted(day, side="left").cast(pl.Int64) - first
        noun = pl.when(count == 1).then(pl.lit("session")).otherwise(pl.lit("sessions"))
        return pl.when(where & before.is_not_null() & (count > 0)).then(
            pl.format(
                "{}, {} {} from {}", "instrument", count, noun,
                days.gather(first.clip(0, len(sessions) - 1)),
            )
        )  # fmt: skip

    return report(
        "no_session_is_missing",
        "The return after a gap is one of several days: it would be read as that of one session.",
        "ExpectColumnValuesToBeNull",
        {"sessions_missing": lambda markets: _by_exchange(markets, missing)},
        column="sessions_missing",
    )


def targets_agree() -> Rule:
    return stop(
        "target_class_all_means_every_economy",
        "`ALL` is the target of the class `all` only: any other target is one economy.",
        "ExpectColumnValuesToMatchRegex",
        {"class_and_target": pl.format("{} {}", "target_class", "target_iso3")},
        column="class_and_target",
        regex=r"^(all ALL|(economy|end_user|entity) (?!ALL$)\S+)$",
    )


def inferred_names_columns() -> Rule:
    unknown = pl.element().filter(~pl.element().is_in(words.INFERRED_COLUMNS))
    return stop(
        "inferred_names_columns_of_the_measures",
        "Each name must be a column of the table, or its mark has no effect.",
        "ExpectColumnValuesToBeNull",
        {"not_a_column": pl.col("inferred").list.eval(unknown).list.first()},
        column="not_a_column",
    )


def takes_effect_after_announcement() -> Rule:
    return report(
        "measure_is_not_effective_before_it_is_announced",
        "The dates of an act that applies retroactively should be reviewed. A de-facto stop is "
        "always reported after it began, and a duty to report may reach back: both are left out.",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "stated_announcement": pl.when(
                (pl.col("evidence_class") != "de_facto") & (pl.col("direction") != "monitor")
            ).then("announced_date")
        },
        column_A="effective_date",
        column_B="stated_announcement",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    )


def names_a_slice() -> tuple[Rule, ...]:
    """Flow, frequency and period of a slice that was fetched; the flow is empty where a table has
    none, and each day is a period where it is daily.
    """
    return (
        is_one_of(
            "flow_is_import_export_or_their_returns", "flow", (*words.FLOWS, ""),
            "A flow by another name would match no rows.",
        ),
        is_one_of(
            "frequency_is_annual_monthly_or_daily", "frequency", words.SLICE_FREQUENCIES,
            "A quarter is the sum of months and would be counted twice.",
        ),
        starts_its_period().with_derived(
            frequency_and_start=pl.when(pl.col("frequency") != "D").then(
                pl.format("{} {}", "frequency", pl.col("period_start").cast(pl.String))
            )
        ),
    )  # fmt: skip

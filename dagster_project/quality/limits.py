"""How far the totals of a release may change before a person has to review them: every limit, with
its reason; and the limits that a release and a file have in common.

The limits of a file are in the tables of `metrics` and `losses`. All are applied elsewhere.
"""

from __future__ import annotations

ALIKE = 0.005
"""Two figures that differ by no more are the same figure, printed again: the Pink Sheets of 2025
and 2026 differ by more in none of 10,976 prices."""

FEWEST_MISPLACED = 5
"""Figures found under another row, series or period: fewer are chance."""

CHANGED_A_LOT = 0.2
"""A figure that moved by more than a fifth of itself changed a lot."""

CHANGED_A_LOT_OF_THE_SPREAD = 0.5
"""The same of scores, which may be below zero: by more than this part of their spread. Another
method, as that of the governance indicators in 2025, restates all years and may move most scores by
0.1 to 0.3 of the spread; two economies drawn at random are further apart than half of it in 72 % of
cases."""

LARGEST_STEP = 5.0
"""From one period to the next, figures do not change by this factor; ten is a wrong unit."""

LARGEST_QUARANTINED_SHARE_OF_A_SOURCE = 0.001
"""Of the rows of a source in a table, all snapshots together, and of its newest snapshot, at most
one in a thousand is quarantined: more is no misprint, but a code or a column that Kido does not
know yet. Of the bundled figures none is. A single batch is rejected from LARGEST_QUARANTINED_SHARE
of `runner` on."""

FEWEST_QUARANTINED = 10
"""Of the newest snapshot alone, fewer quarantined rows are misprints: in a month of 300 rows one
row is more than one in a thousand."""

# A release against the one before it.

LARGEST_RELEASE_LOSS_OF_ROWS = 0.05
"""A mart may lose this part of the rows of a source: publishers withdraw less than a percent, and a
source that loses more has lost a file."""

LARGEST_RELEASE_LOSS_OF_ECONOMIES = 0.02
FEWEST_LOST_ECONOMIES = 2
"""Of some 220 importers four may disappear (islands do). One may, of any number."""

LARGEST_RELEASE_LOSS_OF_A_TOTAL = 0.3
FEWEST_ROWS_OF_A_TOTAL = 10
FEWEST_PRODUCERS_OF_A_TOTAL = 3
"""The total of a commodity and year over this many rows is not reduced by three tenths in a
revision; for a mineral's output three producers are enough."""

LARGEST_RELEASE_STEP = LARGEST_STEP
"""Nor does it change by this factor from one release to the next. From one year to the next a total
of BACI does (1995 to 2024, 52 codes, of 1,467 pairs of years with ten flows or more): 3 by value,
29 by weight, up to 63 times (tin ore, 2014). That is news, and no loss."""

FEWEST_OF_ONE_RATIO = 10
MOST_OF_ONE_RATIO = 0.9
SMALLEST_RATIO = 0.01
"""Of this many known figures of a total or series, this part does not change by one and the same
ratio (within ALIKE), whatever it is: the ratios of a revision scatter. Below a hundredth, rounding
hides the ratio."""

LARGEST_GROWTH_OF_ECONOMIES = 2
"""With more economies than that many times those of the period before, or fewer, what is made of
several publishers' figures is another total: of imports by month, those of Brazil and the United
Kingdom, and in the one month of UN Comtrade those of 32."""

POWERS_OF_TEN = tuple(10.0**power for power in range(1, 10))
UNITS_OF_WEIGHT = {
    "pounds": 2.20462, "ounces": 35.274, "troy ounces": 32.1507, "grams in an ounce": 28.3495,
    "grams in a troy ounce": 31.1035, "grams in a pound": 453.592,
    "kilograms in a short ton": 907.185, "pounds in a tonne": 2204.62,
}  # fmt: skip
"""Factors between units, either way round. A short ton for a tonne is a step of 1.1: less than a
year's growth."""

MOST_OF_A_DOCUMENT = 0.5
FEWEST_TOTALS_OF_A_DOCUMENT = 10
LARGEST_OFF_A_UNIT = 2.0
"""A document is in another unit where at least this part of its totals of a new period fit the same
unit. Of this many totals, each fits within a factor of two: in no year of BACI do less than 0.76 of
the codes change by a smaller one, and in none do more than two of 52 by a factor of 5."""

FEWEST_TOTALS_OF_A_SMALL_UNIT = 20
"""Pounds for kilograms are a step smaller than LARGEST_RELEASE_STEP: of a year's weights in BACI up
to 0.23 step so by themselves. Of 58,000 draws from a year, at least half of 10 codes do in 165, of
15 in 3, and of 20 in none."""

LARGEST_OFF_A_UNIT_ALONE = 1.15
LARGEST_OFF_A_LARGE_UNIT_ALONE = 3.0
"""Of fewer totals, the typical row (the geometric mean) has to fit, within this factor; from a
hundred on within a larger one. A total that steps by itself does so by one or two of its rows: of
those 32 in BACI, the typical row changes by 0.33 to 3.8 times."""

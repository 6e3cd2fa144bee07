"""How far figures may change before a person has to review them: every limit, with its reason.

The revisions of publishers were measured on two Pink Sheets (May 2025, June 2026), the Mineral
Commodity Summaries of 2022 to 2026 and two releases of the governance indicators. The limits are
applied elsewhere.
"""

from __future__ import annotations

# A file against the figures it repeats.

ALIKE = 0.005
"""Two figures that differ by no more are the same figure, printed again: the Pink Sheets of 2025
and 2026 differ by more in none of 10,976 prices."""

FEWEST_FIGURES = 3
"""A pattern needs this many figures: two may be alike by chance."""

FEWEST_MISSING_OF_AN_ANSWER = 10
"""A publisher withdraws all the weights of a small reporter's month, which may be four; and the
Mineral Commodity Summaries of 2023 the four figures of germanium of those of 2022."""

FEWEST_OF_AN_ECONOMY = 20
"""For one economy it needs more: of two hundred, one revises a handful of its figures alike; and
from one year to the next in BACI, no economy that still exists loses all of more than 15 flows
(Eritrea, 2004)."""

FEWEST_OF_AN_ECONOMY_IN_ONE_SERIES = 40
"""For a single code it may be more: in BACI 30 (Saudi Arabia's exports of 261400, 2014), then 27
(Peru's of 711029, 2002), of 88,000 exporters of a code and year."""

SMALLEST_MATERIAL = 0.01
"""A part of less than a hundredth of a file (of its value; of its figures, up to ten) is exempt
from the limits of a whole file: a publisher withdraws three weights of one code and month now and
then."""

MOST_OF_A_PATTERN = 0.5
"""A pattern needs at least this part of the figures: half of a column is not a coincidence, and an
error that stops in the middle of a file is still one."""

FEWEST_OF_A_RATIO = 10
MOST_OF_A_RATIO = 0.8
"""A ratio that is not a power of ten needs more of them to be a pattern."""

FEWEST_MOVED = 5
EXPLAINED = 0.8
"""Figures found under another row, series or period: at least this many, and this part of those
that changed. Fewer are chance: of indium in the Mineral Commodity Summaries of 2026, 4 of 6 changed
figures of 2024 are those that were known of 2023."""

MOST_EQUAL = 20
"""A value shared by this many economies, series or periods does not identify its owner; and
comparing each with each other would be billions of pairs: of 300,000 flows of two values, 3 GB and
28 s without this limit."""

FEWEST_UNCHANGED_IN_A_NEW_PERIOD = 0.9
"""A new period that repeats this part of another one is a copy of it: of estimates that the Mineral
Commodity Summaries print for two years, 27 to 79 % are equal, by stage."""

CHANGED_A_LOT = 0.2
"""A figure that moved by more than a fifth (of itself; of the spread, where figures may be below
zero) changed a lot."""

MOST_CHANGED_A_LOT = 0.5
FEWEST_CHANGED_A_LOT = 10
"""A file in which a larger part of the figures changed a lot is another publication. Between
editions of the Mineral Commodity Summaries 23 to 31 % of them do, the most of all publishers; of
the governance indicators 0.6 %, of the Pink Sheet none."""

# A file against the rows it takes the place of.

LARGEST_LOSS_OF_ROWS = 0.3
LARGEST_LOSS_OF_ECONOMIES = 0.3
LARGEST_LOSS_OF_VALUE = 0.3
"""What a commodity and period may lose to a file that replaces it. Publishers merge small partners
into a remainder and withdraw a figure; they do not lose three tenths of them."""

LARGEST_LOSS_TO_FEWER_ROWS = {"production": 0.05}
"""What a commodity and period may lose to the next edition of a publication that names the main
producers, where that names fewer (CEPII's versions name all flows). Of manganese in 2023, the
Mineral Commodity Summaries of 2025 name 12 where those of 2024 name 18, and lose 2 % of the output.
"""

FEWEST_ROWS_TO_SHRINK = 10
"""Of fewer rows, one or two are a large part: there only the value is compared, and only where a
row is lost, or, for a list without values, three rows. Of this many rows the value is compared also
where none is lost: no pattern shows that the largest 19 of 4,415 flows became a thousandth. The
largest loss of this many figures between the summaries of 2025 and 2026 is 4 %."""

FEWEST_WHOLE_BESIDE_A_CUT = 5
"""A file with this many complete slices, a part of another, and none of the known ones after it,
was cut."""

LARGEST_ECONOMY_GONE = 0.0001
LARGEST_GONE_OF_AN_ANSWER = 0.01
FEWEST_ROWS_OF_AN_ECONOMY_GONE = 5
"""An economy that had this part of a file's total, or this many rows of it, is not withdrawn
everywhere at once. In an answer of a publisher a single flow is: its origin was another economy;
and in the next edition of a publication a small producer is (Georgia's manganese, 2025)."""

# A file against the period before the one it adds.

LARGEST_STEP = 5.0
"""From one period to the next, figures do not change by this factor; ten is a wrong unit.
The largest step of a month in the Pink Sheet since 1960 is 1.8 (nickel, March 1988), of a day 1.2
(TDK, 5 August 2024); of a year, the largest median of the flows of a code in BACI is 3.6 (rhodium,
2009), of 52 minerals from 1995 to 2022 and 1,371 pairs of years with ten flows or more."""

LONGEST_STEP_DAYS = 400
"""The period before is at most this far back: a year and a month, since a month may be missing."""

LARGEST_STEP_OF_A_MONTH = 20.0
"""For the flows of one commodity and month, in a file with others or alone: in December 2023, when
its controls came into force, China's exports of natural graphite (250410) fell to a tenth of the
month before, in the median of 20 flows. An error of a factor of ten in one commodity and month
cannot be distinguished from that. Of China's exports of 2017 to 2024, 0 of 95 whole months and 0 of
285 months of a single code are objected to."""

FEWEST_FIGURES_OF_A_STEP = {"price_quotes": 1, "production": 3, "governance_scores": 5}
FEWEST_FLOWS_OF_A_STEP = 10
"""A step needs this many figures: prices and output keep their level one by one, scores except
those near 0; a flow between two economies may change by any factor, the median of ten does not."""

BETTER_FIT = 0.5
"""New figures that differ from the period before twice as much as from that of another row or
series, or of the other sign, belong to those. In BACI the flows of a code and year nowhere differ
from the row above or below by less than 0.86 times what they differ from their own: 52 minerals
from 1995 to 2024, 2,753 pairs of years with ten flows or more."""

FEWEST_MONTHLY_FLOWS_OF_A_FIT = 15
"""From month to month it needs this many: for 10 flows of gallium and similar metals (811292) in
March 2018 the row below differs by 0.43 times, for 12 to 14 none by less than 0.6, for 15 or more
none by less than 0.85 (China's exports, 285 months of a code)."""

LARGEST_OFF = 1.0
"""Natural logarithm of the factor by which the median flow differs from the year before: in BACI
0.66 to 0.89, by year. Unrelated flows differ by more."""

FEWEST_SCATTERED = 50
"""Of this many new figures, half do not change by a factor of LARGEST_STEP, up or down, from the
period before: in BACI, the median of the flows of a code changes by 4.5 times or less (1,371 pairs
of years have ten flows or more, and with just ten it may be 7 times); of China's exports from month
to month by 3.5."""

FEWEST_OF_ANOTHER_NAME = {"trade_flows": 3, "reconciled_trade": 3}
"""Rows of a new economy, with figures near those of one that has disappeared (for other tables
FEWEST_MOVED). With two rows or more, the only ones in BACI from 1995 to 2024 are
South Africa (2000) and Montenegro (2006), which did change their names; in twelve draws of 3 of its
52 codes two more pairs of two rows, and none of three. With one row there are 20 a year among the
reporters of rare earths."""

SMALLEST_NEW_PERIOD = 0.5
FEWEST_ROWS_OF_A_PERIOD = 20
"""A new period with a smaller part of the rows of the one before, as a whole or for one commodity
or reporter, was cut: in BACI (1,385 pairs of years of a code) only 811230 in 2007 and
2009 does, whose nomenclature changed; of China's exports, natural graphite keeps 0.65 of its
rows in the month of its controls."""

FEWEST_ORDERS = 1000
"""The slices that a new period lacks are the last ones of a document by chance once in this many
orders: late reporters are scattered."""

FEWEST_OF_AN_ECONOMY_GONE = {"production": 5, "governance_scores": 5}
FEWEST_SERIES_OF_AN_ECONOMY = 3
"""An economy with this many rows in the period before (for others FEWEST_OF_AN_ECONOMY), or in this
many series with SMALLEST_MATERIAL of the value, does not disappear from all of them at once. In
BACI only South Africa and Serbia did when they changed their names; of China's exports of three
codes, none in 95 months; of the governance indicators, two islands and the Netherlands Antilles, in
2014."""

MATERIAL_OF_A_MONTH = 0.05
"""From month to month, with just that many series, this much of the value: of the United Kingdom's
months, Brazil in 2024-10 had three series with 1.1 % in the month before, and Saudi Arabia in
2026-02 three with 3.3 %. Of its 25 months and Brazil's 18, no economy of four series disappears."""

STEADY_SERIES = 0.99
FEWEST_DAYS_OF_A_STEADY_SERIES = 100
"""A column that has figures in this part of the periods since its first is not blank in the next.
Days on which one market is closed are more frequent, but may not occur among fewer days than this.
Each yearly average is a line of its own, and may end: in two of three editions of the Mineral
Commodity Summaries one did (cobalt at the London Metal Exchange, 2023; gallium of high purity,
2024)."""

WHOLE_TOTAL = 0.999
"""Partners that add up to this part of a reporter's total did so in the year before and after: in
174 of 175 pairs of years of the reported imports of rare earths."""

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

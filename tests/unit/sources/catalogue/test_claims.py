"""Published claims: their bounds and what decides them, and one sentence per mistake."""

from datetime import date

import polars as pl
import pytest

from dagster_project.sources import catalogue
from tests.unit.sources.catalogue.examples import (
    ABUNDANT,
    CLAIM,
    DOCUMENT,
    FLOW,
    IN_FORCE,
    PRODUCED,
    RISEN,
    UNDECIDED,
    USED,
    rejection_of,
    row,
)


def test_the_claims_on_2024_disagree_and_all_are_kept(frames):
    claims = frames["claims"].filter(pl.col("claim_id").str.starts_with("JP-2024-CHINA"))
    found = {
        claim["claim_id"].removeprefix("JP-2024-CHINA-"): (
            claim["period_start"].year, claim["claimed_low"], claim["claimed_high"]
        )
        for claim in claims.iter_rows(named=True)
    }  # fmt: skip
    # A round ten is rounded to the nearest ten; what was claimed during 2024 cannot be about it.
    assert found == {
        "OVER-60": (2024, 0.6, None),
        "60": (2023, 0.55, 0.65),
        "60-70": (2024, 0.55, 0.75),
        "70": (2024, 0.65, 0.75),
        "72": (2024, 0.715, 0.725),
    }
    assert set(claims["basis"]) == {None}
    over_60 = row(claims, "claim_id", "JP-2024-CHINA-OVER-60")
    assert over_60["statement"] == (
        "more than 60 % of Japan's imported rare earths in 2024 were from China"
    )
    assert (over_60["importer_iso3"], over_60["mineral_group"]) == ("JPN", "rare_earths")


def test_the_shares_that_japans_customs_published_are_a_tenth_of_a_point_wide(frames):
    published = {2009: 0.8549, 2010: 0.8161, 2011: 0.6837, 2014: 0.5964}
    claims = frames["claims"].filter(
        pl.col("claimed_by").str.starts_with("Ministry of Finance")
        & (pl.col("test") == "supplier_share")
        & pl.col("claimed_high").is_not_null()
    )
    assert set(claims["basis"]) == {"net_weight_kg"}
    found = {
        claim["period_start"].year: (claim["claimed_low"], claim["claimed_high"])
        for claim in claims.iter_rows(named=True)
    }
    assert found == {
        year: pytest.approx((share - 0.0005, share + 0.0005)) for year, share in published.items()
    }


def test_whole_per_cents_of_japans_customs_are_as_wide_as_their_rounding_and_a_tenth_of_a_point(
    frames,
):
    published = {
        "JP-2009-CHINA-85": 85, "JP-2020-CHINA-58": 58, "JP-2018-CHINA-58": 58,
        "JP-2018-VIETNAM-14": 14, "JP-2018-FRANCE-11": 11, "JP-2018-MALAYSIA-10": 10,
    }  # fmt: skip
    claims = frames["claims"].filter(pl.col("claimed_by").str.starts_with("METI"))
    assert {
        claim["claim_id"]: (100 * claim["claimed_low"], 100 * claim["claimed_high"])
        for claim in claims.iter_rows(named=True)
    } == {name: pytest.approx((share - 0.55, share + 0.55)) for name, share in published.items()}
    # Stated in the Diet as a share of imports and no more; of 2018 the source has "by volume".
    assert {
        claim["claim_id"]: claim["basis"]
        for claim in claims.filter(~pl.col("statement").str.contains("by volume")).iter_rows(
            named=True
        )
    } == {"JP-2009-CHINA-85": None, "JP-2020-CHINA-58": None}


def test_a_statement_whose_bounds_are_a_reading_gives_them_in_its_own_words(frames):
    read = frames["claims"].filter(
        pl.col("test").is_in(["supplier_share", "production_share"])
        & pl.col("claimed_high").is_not_null()
    )
    assert read.height == 16
    for claim in read.iter_rows(named=True):
        low, high = (f"{100 * claim[f'claimed_{side}']:.2f}" for side in ("low", "high"))
        low, high = (bound.rstrip("0").rstrip(".") for bound in (low, high))
        assert f"{low} to {high} %" in claim["statement"], claim["claim_id"]


def test_more_than_excludes_the_bound_and_nothing_else_does(frames):
    claims = frames["claims"]
    says_more_than = claims.filter(pl.col("statement").str.contains("more than"))
    assert set(claims.filter("is_low_excluded")["claim_id"]) == set(says_more_than["claim_id"])
    assert dict(says_more_than.select("claim_id", "claimed_low").iter_rows()) == {
        "JP-2024-CHINA-OVER-60": 0.6, "JP-2008-CHINA-OVER-90": 0.9, "CN-REFINED-OVER-90": 0.9,
        "CN-CAPACITY-OVER-90": 0.9,
    }  # fmt: skip
    assert says_more_than["claimed_high"].null_count() == 4


def test_a_bound_is_read_from_low_or_from_more_than():
    def bounds(text: str) -> tuple[object, ...]:
        found = catalogue.parse(text.encode(), DOCUMENT)["claims"]
        return found.select("claimed_low", "is_low_excluded", "claimed_high").row(0)

    assert bounds(CLAIM) == (0.5, False, 0.6)
    assert bounds(CLAIM.replace("low: 0.5", "more_than: 0.5")) == (0.5, True, 0.6)
    assert bounds(CLAIM.replace("    low: 0.5\n", "")) == (None, False, 0.6)
    assert bounds(UNDECIDED) == (None, False, None)


def test_every_statement_of_the_press_is_a_claim_that_is_decided_or_reports_what_is_missing(frames):
    claims = frames["claims"]
    press = claims.filter(pl.col("claimed_by") == "press reports on the dispute of early 2026")
    assert dict(press["test"].value_counts().iter_rows()) == {
        "supplier_share": 1, "production_share": 1, "end_use_share": 1, "measure_in_force": 1,
        "price_return": 1, "abundance": 1, "none": 14,
    }  # fmt: skip
    undecided = claims.filter(pl.col("test") == "none")
    assert undecided.filter(~pl.col("missing").str.contains(r"\w+ \w+ .*\.$")).is_empty()
    assert undecided.filter(pl.col("claimed_low").is_not_null()).is_empty()
    decided = claims.filter(pl.col("test") != "none")
    assert decided.filter(pl.coalesce("claimed_low", "claimed_high").is_null()).is_empty()
    assert claims.height == 57


def test_a_claim_reports_what_its_test_is_about_in_the_columns_of_the_lake(frames):
    claims = frames["claims"]
    refined = row(claims, "claim_id", "CN-REFINED-OVER-90")
    assert (refined["supplier_iso3"], refined["stage"], refined["claimed_low"]) == (
        "CHN", "processing", 0.9,
    )  # fmt: skip
    assert refined["minerals"] == ["heavy_rare_earth", "light_rare_earth"]
    mined = row(claims, "claim_id", "CN-MINED-69")
    assert mined["minerals"] == ["rare_earths", "heavy_rare_earth", "light_rare_earth"]
    assert mined["period_start"] is None
    uses = row(claims, "claim_id", "RE-USES-MAGNETS")
    assert (uses["nace2_code"], uses["minerals"]) == (
        "C25", ["dysprosium", "neodymium", "terbium", "gadolinium"],
    )  # fmt: skip
    abundant = row(claims, "claim_id", "RE-NOT-RARE")
    assert (abundant["claimed_low"], abundant["claimed_high"]) == (0.1, None)
    assert list(zip(abundant["minerals"], abundant["compared_minerals"], strict=True)) == [
        *((mineral, "copper") for mineral in ("cerium", "neodymium", "lanthanum")),
        *(
            (mineral, metal)
            for metal in ("tin", "tungsten", "germanium")
            for mineral in ("dysprosium", "terbium")
        ),
    ]
    restricted = row(claims, "claim_id", "CN-JP-RESTRICTED-2025-2026")
    assert (restricted["supplier_iso3"], restricted["importer_iso3"]) == ("CHN", "JPN")
    assert (restricted["period_start"], restricted["period_end"]) == (
        date(2025, 10, 1), date(2026, 3, 31),
    )  # fmt: skip
    risen = row(claims, "claim_id", "REMX-RISEN-2025")
    assert (risen["instrument"], risen["performance_window"]) == ("REMX", "since_2025_06_30")


def test_an_export_is_reported_by_the_supplier_and_an_import_by_the_importer(frames):
    claims = frames["claims"]
    columns = ("supplier_iso3", "importer_iso3", "flow", "commodity_code", "frequency")
    exported = row(claims, "claim_id", "CN-2025-10-MAGNETS-JPN")
    assert [exported[name] for name in columns] == ["CHN", "JPN", "export", "850511", "M"]
    imported = row(claims, "claim_id", "JP-2014-TOTAL")
    assert [imported[name] for name in columns] == ["WLD", "JPN", "import", "rare_earths", "A"]
    assert (imported["claimed_low"], imported["claimed_high"]) == (22306, 22308)


def test_the_magnets_published_by_month_are_kept_each_to_half_a_unit(frames):
    claims = frames["claims"].filter(pl.col("commodity_code") == "850511")
    found = {
        (claim["period_start"], claim["frequency"], claim["importer_iso3"]): claim["claimed_low"]
        for claim in claims.iter_rows(named=True)
    }
    world = {6: 3187.5, 7: 5576.5, 8: 6145.5, 9: 5773.5, 10: 5472.5, 11: 6145, 12: 5951.5}
    japan = {7: 231.5, 9: 227.5, 10: 225.5, 11: 303.5, 12: 279.5}
    assert found == {
        **{(date(2025, month, 1), "M", "WLD"): low for month, low in world.items()},
        **{(date(2025, month, 1), "M", "JPN"): low for month, low in japan.items()},
        (date(2025, 6, 1), "M", "DEU"): 763.5,
        (date(2025, 6, 1), "M", "USA"): 352.5,
        (date(2025, 1, 1), "A", "WLD"): 57391.5,
        (date(2025, 1, 1), "A", "USA"): 5932.5,
    }
    assert claims["claimed_high"].null_count() == claims.height == 16


@pytest.mark.parametrize(
    ("text", "old", "new", "names"),
    [
        (CLAIM, "    low: 0.5\n    high: 0.6\n", "", ("C-1", "`low`", "`high`")),
        (CLAIM, "high: 0.6", "high: 0.4", ("C-1", "`low` (0.5)", "`high` (0.4)")),
        (CLAIM, "low: 0.5", "more_than: 0.7", ("C-1", "`more_than` (0.7)", "`high` (0.6)")),
        (CLAIM, "low: 0.5", "more_than: 0.6", ("C-1", "nothing is `more_than`", "(0.6)")),
        (
            CLAIM,
            "low: 0.5",
            "low: 0.5\n    more_than: 0.5",
            ("C-1", "`low`", "`more_than`", "both"),
        ),
        (CLAIM, "low: 0.5\n    high: 0.6", "more_than: 60", ("C-1", "between 0 and 1")),
        (CLAIM, "high: 0.6", "high: 60", ("C-1", "between 0 and 1")),
        (CLAIM, "low: 0.5", 'low: "0.5"', ("C-1", "`low`", "not a number")),
        (CLAIM, "low: 0.5", "low: yes", ("C-1", "`low`", "True")),
        (CLAIM, "supplier_share", "gut_feeling", ("C-1", "`test`", "gut_feeling", "'none'")),
        (CLAIM, "    test: supplier_share\n", "", ("C-1", "`test` is missing")),
        (CLAIM, "supplier_share", "[supplier_share]", ("C-1", "`test`", "supplier_share")),
        (CLAIM, "    importer: JPN\n", "", ("C-1", "`importer` is missing")),
        (CLAIM, "test: supplier_share", "test: production_share", ("C-1", "`producer` is missing")),
        (PRODUCED, "    stage: processing\n", "", ("C-1", "`stage` is missing")),
        (PRODUCED, "processing", "refining", ("C-1", "`stage`", "refining", "'processing'")),
        (PRODUCED, "[heavy_rare_earth, gallium]", "[]", ("C-1", "`minerals`", "not empty")),
        (PRODUCED, "gallium", "Ga", ("C-1", "`minerals` 2", "Ga")),
        (PRODUCED, "high: 0.6", "high: 60", ("C-1", "between 0 and 1")),
        (USED, "    sector: C25\n", "", ("C-1", "`sector` is missing")),
        (USED, "C25", "25", ("C-1", "`sector`", "25")),
        (USED, "C25", "C25.1", ("C-1", "`sector`", "C25.1", "division")),
        (USED, "sector", "sectors", ("C-1", "`sector`")),
        (ABUNDANT, "low: 0.5", "low: 0.5\n    high: 2", ("C-1", "`high` (2.0)", "least ratio")),
        (ABUNDANT, "copper:", "Cu:", ("C-1", "`against`", "Cu", "written like")),
        (ABUNDANT, "[terbium]", "[]", ("C-1", "`against`", "`tin`", "a list that is not empty")),
        (IN_FORCE, "    period_end: 2026-03-31\n", "", ("C-1", "`period_end` is missing")),
        (IN_FORCE, "2026-03-31", "2025-09-30", ("C-1", "2025-09-30", "before it begins")),
        (RISEN, "ytd", "5y", ("C-1", "`window`", "5y", "'1y'")),
        (RISEN, "    instrument: REMX\n", "", ("C-1", "`instrument` is missing")),
        (RISEN, "low: 0.5", "low: -20", ("C-1", "not below -1")),
        (FLOW, "low: 0.5", "low: -1", ("C-1", "not below 0")),
        (FLOW, '"850511"', "850511", ("C-1", "`commodity`", "850511", "quotes")),
        (FLOW, "flow: export", "flow: re_export", ("C-1", "`flow`", "re_export")),
        (FLOW, "2025-06-01", "2025-06-30", ("C-1", "2025-06-30", "first day of a month")),
        (FLOW, "frequency: M", "frequency: A", ("C-1", "2025-06-01", "first day of a year")),
        (
            UNDECIDED,
            "    missing: What each buys, in tonnes.\n",
            "",
            ("C-1", "`missing` is missing"),
        ),
        (
            UNDECIDED,
            "    missing",
            "    low: 0.5\n    missing",
            ("C-1", "`low`", "not a known field"),
        ),
        (CLAIM, "claim: C-1", "claim: 1", ("claim 1", "`claim`", "quotes")),
    ],
)
def test_a_mistake_in_a_claim_names_it(text, old, new, names):
    assert old in text
    message = rejection_of(text.replace(old, new, 1))
    for name in names:
        assert name in message, message

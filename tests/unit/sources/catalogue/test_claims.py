"""Published claims: their bounds and what decides them, and one sentence per mistake."""

import re
from datetime import date

import polars as pl
import pytest

from dagster_project.settings import BUNDLED
from dagster_project.sources import catalogue
from tests.conftest import SHARED, needs_shared
from tests.unit.sources.catalogue.examples import (
    ABUNDANT,
    CLAIM,
    DOCUMENT,
    FLOW,
    PRODUCED,
    RISEN,
    UNDECIDED,
    USED,
    rejection_of,
    row,
)

TEKEDIA = 20
"""Sentences of the article that are claims; some hold two."""


def test_the_claims_on_japans_dependence_disagree_and_all_are_kept(frames):
    claims = frames["claims"].filter(
        pl.col("claim_id").str.contains("JP-2024-CHINA|JP-CHINA-DEPENDENT")
    )
    found = {
        claim["claim_id"].removeprefix("JP-2024-CHINA-"): (
            claim["years"] or (claim["period_start"] and claim["period_start"].year),
            claim["claimed_low"], claim["is_low_excluded"], claim["claimed_high"],
        )
        for claim in claims.iter_rows(named=True)
    }  # fmt: skip
    # What was claimed during 2024 cannot be about it; two sectors are not all that is imported.
    assert found == {
        "OVER-60": (2024, 0.6, True, None),
        "60": (["2018", "2020", "2023"], 0.55, False, 0.65),
        "60-70": (2024, 0.6, False, 0.7),
        "70": (2024, 0.65, False, 0.75),
        "JP-CHINA-DEPENDENT-72": (None, None, False, None),
    }
    assert set(claims["basis"]) == {None}
    of_sectors = row(claims, "claim_id", "JP-CHINA-DEPENDENT-72")
    assert of_sectors["test"] == "none"
    assert "automotive and electronics" in of_sectors["missing"]
    assert "automotive and electronics" in of_sectors["statement"]
    of_no_year = row(claims, "claim_id", "JP-2024-CHINA-60")
    assert "named no year" in of_no_year["reading"]
    assert "compared with 2018 and 2020" in of_no_year["reading"]
    assert "spoke to Bloomberg in 2024" in of_no_year["citation"].replace("\n", " ")
    over_60 = row(claims, "claim_id", "JP-2024-CHINA-OVER-60")
    assert over_60["statement"] == (
        "“In 2024, more than 60% of Japan’s imported rare hearts [sic] were from China.”"
    )
    assert (over_60["importer_iso3"], over_60["mineral_group"]) == ("JPN", "rare_earths")


def test_around_a_round_ten_is_five_points_either_way_and_else_one(frames):
    bounds = {
        claim["claim_id"]: (claim["claimed_low"], claim["claimed_high"])
        for claim in frames["claims"].iter_rows(named=True)
    }
    said = dict(frames["claims"].select("claim_id", "statement").iter_rows())
    for claim, word, share, width in (
        ("JP-2024-CHINA-70", "some 70%", 0.7, 0.05),
        ("CN-SUPPLY-69", "about 69%", 0.69, 0.01),
        # Reported speech without a year is no more exact than such a word.
        ("JP-2024-CHINA-60", "to 60%", 0.6, 0.05),
        # Without such a word a per cent is rounded to its last digit.
        ("CN-PROCESSING-CAPACITY-85", "85% of", 0.85, 0.005),
    ):
        assert word in said[claim]
        assert bounds[claim] == pytest.approx((share - width, share + width)), claim


ABOUT = r"(some|around|about|~) ?(\d+) ?(%|per cent)"


def test_every_statement_with_such_a_word_is_read_as_widely(frames):
    said = frames["claims"].filter(pl.col("statement").str.contains(ABOUT))
    found = {}
    for claim in said.filter(pl.col("test") != "none").iter_rows(named=True):
        (_, figure, _) = re.findall(ABOUT, claim["statement"])[0]
        width = 5 if figure.endswith("0") else 1
        bounds = (100 * claim["claimed_low"], 100 * claim["claimed_high"])
        if claim["claim_id"] != "CN-PROCESSING-CAPACITY-85":  # The other figure of its sentence.
            found[claim["claim_id"]] = bounds
            assert bounds == pytest.approx((int(figure) - width, int(figure) + width))
    assert found.keys() == {"JP-2024-CHINA-70", "CN-SUPPLY-69"}


def test_a_range_is_as_printed_and_at_least_takes_its_bound_in(frames):
    bounds = {
        claim["claim_id"]: (claim["claimed_low"], claim["claimed_high"])
        for claim in frames["claims"].iter_rows(named=True)
    }
    said = dict(frames["claims"].select("claim_id", "statement").iter_rows())
    assert "60-70 %" in said["JP-2024-CHINA-60-70"]
    assert bounds["JP-2024-CHINA-60-70"] == (0.6, 0.7)
    # 90 % or more takes 90 % in.
    assert "90%以上" in said["JP-2008-CHINA-90-OR-MORE"]
    at_least = row(frames["claims"], "claim_id", "JP-2008-CHINA-90-OR-MORE")
    assert (at_least["claimed_low"], at_least["is_low_excluded"]) == (0.9, False)


@needs_shared
def test_what_stands_in_quotation_marks_was_said_letter_by_letter(frames):
    notes = (SHARED / "reference" / "event-notes.md").read_text("utf8")
    sources = notes.partition("## Claims: wording, speaker, date")[2].replace("**", "")
    quoted = [
        quotation
        for statement in frames["claims"]["statement"]
        for quotation in re.findall("^“(.*)”$", statement)
    ]
    assert len(quoted) == TEKEDIA + 5
    # What is marked is ours, and nothing else is.
    assert sum("[sic]" in quotation for quotation in quoted) == 1
    printed = [quotation.replace(" [sic]", "") for quotation in quoted]
    assert [quotation for quotation in printed if quotation not in sources] == []


def test_the_speaker_and_the_day_are_those_of_the_statement(frames):
    claims = frames["claims"]
    said = {
        (claim["claimed_by"].split(",")[0], claim["claimed_at"])
        for claim in claims.filter(~pl.col("claim_id").str.starts_with("CN-2025")).iter_rows(
            named=True
        )
    }
    customs = "Japan's customs"
    assert said == {
        ("Tekedia", date(2026, 2, 6)), ("GKToday", date(2026, 2, 6)),
        ("a former minister to Bloomberg in 2024", date(2026, 1, 7)),
        ("JOGMEC", date(2025, 7, 27)), ("SteelRadar", date(2025, 11, 1)),
        ("METI", date(2020, 8, 1)), (customs, date(2015, 4, 10)),
        ("Hideyuki Urata", None), ("JOGMEC", None), ("press reports", None),
        ("Mizuho Research & Technologies", None),
    }  # fmt: skip
    tekedia = claims.filter(pl.col("claimed_by") == "Tekedia")
    assert tekedia.height == TEKEDIA
    assert tekedia.filter(~pl.col("statement").str.contains("^“.*”$")).is_empty()
    # A day that is not known is explained.
    guessed = claims.filter(
        pl.col("claimed_by").is_in(["Tekedia", "GKToday", "SteelRadar"])
        | pl.col("claimed_at").is_null()
    )
    assert guessed.filter(~pl.col("citation").str.contains("not known")).is_empty()
    published = {
        claim["claim_id"].removeprefix("CN-2025-"): claim["claimed_at"]
        for claim in claims.filter(pl.col("claim_id").str.starts_with("CN-2025")).iter_rows(
            named=True
        )
        if claim["claimed_at"]
    }
    december, january = date(2025, 12, 20), date(2026, 1, 20)
    assert published == {
        "06-GALLIUM": date(2025, 8, 24),
        "06-MAGNETS": date(2025, 7, 20), "06-MAGNETS-USA": date(2025, 7, 20),
        "07-MAGNETS": date(2025, 8, 20), "07-MAGNETS-JPN": date(2025, 8, 21),
        "10-MAGNETS-JPN": december, "11-MAGNETS": december, "11-MAGNETS-JPN": december,
        "12-MAGNETS": january, "12-MAGNETS-JPN": january, "MAGNETS": january,
        "MAGNETS-USA": january,
    }  # fmt: skip


def test_a_claim_without_a_day_is_known_from_the_day_it_was_noted(frames):
    undated = frames["claims"].filter(pl.col("claimed_at").is_null())
    assert set(undated["claim_id"]) == {
        "JP-2024-CHINA-60-70", "JP-2009-CHINA-85", "JP-2020-CHINA-58", "CN-CAPACITY-OVER-90",
        "CN-2025-06-MAGNETS-DEU", "CN-2025-08-MAGNETS", "CN-2025-09-MAGNETS",
        "CN-2025-09-MAGNETS-JPN", "CN-2025-10-MAGNETS", "CN-2025-05-RARE-EARTHS-JPN-54",
        "CN-2025-05-RARE-EARTHS-USA-80", "JP-2026-01-CHINA-DOWN-5-7",
    }  # fmt: skip
    assert set(undated["known_at"]) == {date(2026, 11, 25)}
    assert undated.filter(
        ~pl.col("citation").str.contains("noted for this catalogue on 2026-11-25")
    ).is_empty()
    assert frames["claims"]["known_at"].null_count() == 0


def test_the_day_of_a_claim_is_read_from_claimed_on_and_known():
    def days(text: str) -> tuple[object, ...]:
        found = catalogue.parse(text.encode(), DOCUMENT)["claims"]
        return found.select("claimed_at", "known_at").row(0)

    said, noted = date(2025, 1, 10), date(2026, 11, 25)
    assert days(CLAIM) == (said, said)
    both = CLAIM.replace("    low:", "    known: 2026-11-25\n    low:")
    assert days(both) == (said, noted)
    assert days(CLAIM.replace("claimed_on: 2025-01-10", "known: 2026-11-25")) == (None, noted)


def test_what_no_page_was_found_for_is_kept_and_unconfirmed(frames):
    unconfirmed = frames["claims"].filter(pl.col("citation").str.starts_with("Unconfirmed"))
    assert set(unconfirmed["claim_id"]) == {"JP-2024-CHINA-60-70", "CN-CAPACITY-OVER-90"}


def test_the_shares_that_japans_customs_published_are_a_tenth_of_a_point_wide(frames):
    published = {2009: 0.8549, 2010: 0.8161, 2011: 0.6837, 2014: 0.5964}
    claims = frames["claims"].filter(
        pl.col("claimed_by").str.starts_with("Japan's customs")
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
    claims = frames["claims"].filter(pl.col("claimed_by").str.contains("METI"))
    assert {
        claim["claim_id"]: (100 * claim["claimed_low"], 100 * claim["claimed_high"])
        for claim in claims.iter_rows(named=True)
    } == {name: pytest.approx((share - 0.55, share + 0.55)) for name, share in published.items()}
    # Neither the Diet nor the text read of METI's statistics names a basis.
    assert set(claims["basis"]) == {None}


def test_japans_own_figures_are_the_same_return_and_no_others_are(frames):
    same = frames["claims"].filter("is_same_return")
    assert set(same["claim_id"]) == {
        "JP-2024-CHINA-70", "JP-2009-CHINA-85", "JP-2020-CHINA-58", "JP-2018-CHINA-58",
        "JP-2018-VIETNAM-14", "JP-2018-FRANCE-11", "JP-2018-MALAYSIA-10",
        "JP-2008-CHINA-90-OR-MORE", "JP-2008-TOTAL", "JP-2009-CHINA-85-49",
        "JP-2010-CHINA-81-61", "JP-2011-CHINA-68-37", "JP-2014-CHINA-59-64", "JP-2014-TOTAL",
    }  # fmt: skip
    assert set(same["importer_iso3"]) == {"JPN"}


def test_what_is_said_of_a_moment_names_no_period(frames):
    about_a_moment = frames["claims"].filter(
        pl.col("test").is_in(["supplier_share", "production_share"])
        & pl.col("period_start").is_null()
        & pl.col("years").is_null()
    )
    assert set(about_a_moment["claim_id"]) == {
        "CN-REFINED-OVER-90", "CN-CAPACITY-OVER-90", "CN-SUPPLY-69", "CN-PROCESSING-CAPACITY-85",
    }  # fmt: skip


def test_a_claim_that_is_judged_gives_its_reading_with_its_bounds(frames):
    judged = frames["claims"].filter(pl.col("test") != "none")
    assert judged.filter(pl.col("reading").is_null()).is_empty()
    shares = judged.filter(
        pl.col("test").is_in(["supplier_share", "production_share"])
        & pl.col("claimed_high").is_not_null()
    )
    assert shares.height == 15
    for claim in shares.iter_rows(named=True):
        low, high = (f"{100 * claim[f'claimed_{side}']:.2f}" for side in ("low", "high"))
        low, high = (bound.rstrip("0").rstrip(".") for bound in (low, high))
        assert f"{low} to {high} %" in claim["reading"], claim["claim_id"]


def test_what_only_the_catalogue_could_decide_points_to_its_entries_and_decides_nothing(frames):
    pointed = frames["claims"].filter(pl.col("evidence_ids").list.len() > 0)
    # A change of trade is decided by months; the clause that it followed stands beside it.
    assert set(pointed["test"]) == {"none", "trade_change"}
    found = dict(pointed.select("claim_id", "evidence_ids").iter_rows())
    assert found["CN-JP-RESTRICTED-2025-2026"] == [
        "CN-2025-18", "CN-2026-01-DEFACTO", "CN-2026-1", "CN-2026-11", "CN-2026-12",
    ]  # fmt: skip
    assert found["CN-JP-DISPUTE"] == ["CN-2026-1", "JP-2025-11-07-REMARK"]
    assert found["CN-JP-FEW-PERMITS"] == ["CN-2026-02-PERMITS"]
    # A test of a system is one entry, what it brought up another.
    lifted = ["JP-2026-01-CHIKYU", "JP-2026-02-FIRST-LIFT"]
    assert found["JP-SEABED-6000M"] == found["JP-FIRST-CONTINUOUS-LIFT"] == lifted
    assert found["ALLIES-COULD-PARTNER"] == ["JP-2025-10-SOJITZ-LYNAS", "JP-2026-02-SOJITZ-SM"]
    assert found["JP-FULL-TRIAL-2027"] == ["JP-2027-02-FULL"]
    entries = {*frames["restriction_clauses"]["clause_id"], *frames["milestones"]["milestone_id"]}
    assert {entry for listed in found.values() for entry in listed} <= entries


def test_the_depths_that_a_claim_says_the_press_gives_are_those_of_its_milestone(frames):
    missing = row(frames["claims"], "claim_id", "JP-SEABED-6000M")["missing"]
    lift = row(frames["milestones"], "milestone_id", "JP-2026-02-FIRST-LIFT")["statement"]
    given = [int(depth.replace(",", "")) for depth in re.findall(r"(\d,\d{3}) m", lift)]
    assert f"from {min(given):,} to {max(given):,} m" in missing
    assert "content of the samples" in missing


def test_what_industries_require_is_not_read_as_a_use_that_the_article_does_not_name(frames):
    required = row(frames["claims"], "claim_id", "RE-USED-BY-INDUSTRIES")
    assert (required["test"], required["nace2_code"], required["minerals"]) == ("none", None, None)
    assert "magnet" not in required["statement"] + required["reading"]
    assert "by industry" in required["missing"]
    # It says of the uses at hand that those of dysprosium are not among them.
    assert "dysprosium are not among them" in required["missing"].replace("\n", " ")
    uses = BUNDLED / "ec_crm" / "end_uses.csv"
    assert {"Gadolinium", "Neodymium", "Terbium"} == {
        name
        for name in ("Dysprosium", "Gadolinium", "Neodymium", "Terbium")
        if f",{name}," in uses.read_text("utf8")
    }


def test_evidence_is_sorted_and_named_once_and_a_claim_without_any_has_an_empty_list():
    def evidence(text: str) -> list[str]:
        return catalogue.parse(text.encode(), DOCUMENT)["claims"]["evidence_ids"].item().to_list()

    assert evidence(UNDECIDED) == []
    text = UNDECIDED.replace("...", "    evidence: [M-2, M-1, M-2]\n...")
    assert evidence(text) == ["M-1", "M-2"]


def test_the_reading_stands_apart_from_the_statement():
    def stated(text: str) -> tuple[object, ...]:
        found = catalogue.parse(text.encode(), DOCUMENT)["claims"]
        return found.select("statement", "reading", "is_same_return").row(0)

    assert stated(CLAIM) == ("half of it", None, False)
    read = CLAIM.replace("half of it", "“half of it”\n    reading: 50 to 60 %")
    assert stated(read) == ("“half of it”", "50 to 60 %", False)
    own = CLAIM.replace("    test:", "    same_return: true\n    test:")
    assert stated(own) == ("half of it", None, True)


def test_more_than_excludes_the_bound_and_nothing_else_does(frames):
    claims = frames["claims"].filter("is_low_excluded")
    assert dict(claims.select("claim_id", "claimed_low").iter_rows()) == {
        "JP-2024-CHINA-OVER-60": 0.6, "CN-REFINED-OVER-90": 0.9, "CN-CAPACITY-OVER-90": 0.9,
    }  # fmt: skip
    assert claims.filter(~pl.col("statement").str.contains("more than")).is_empty()
    assert claims["claimed_high"].null_count() == 3


def test_a_bound_is_read_from_low_or_from_more_than():
    def bounds(text: str) -> tuple[object, ...]:
        found = catalogue.parse(text.encode(), DOCUMENT)["claims"]
        return found.select("claimed_low", "is_low_excluded", "claimed_high").row(0)

    assert bounds(CLAIM) == (0.5, False, 0.6)
    assert bounds(CLAIM.replace("low: 0.5", "more_than: 0.5")) == (0.5, True, 0.6)
    assert bounds(CLAIM.replace("    low: 0.5\n", "")) == (None, False, 0.6)
    assert bounds(UNDECIDED) == (None, False, None)


def test_every_sentence_of_the_article_is_a_claim_that_is_decided_or_reports_what_is_missing(
    frames,
):
    claims = frames["claims"]
    article = claims.filter(pl.col("claimed_by") == "Tekedia")
    assert dict(article["test"].value_counts().iter_rows()) == {
        "supplier_share": 1, "production_share": 1, "price_return": 1, "abundance": 1, "none": 16,
    }  # fmt: skip
    undecided = claims.filter(pl.col("test") == "none")
    assert undecided.filter(~pl.col("missing").str.contains(r"\w+ \w+ .*\.$")).is_empty()
    assert undecided.filter(pl.col("claimed_low").is_not_null()).is_empty()
    decided = claims.filter(pl.col("test") != "none")
    assert decided.filter(pl.coalesce("claimed_low", "claimed_high").is_null()).is_empty()
    text = (BUNDLED / "catalogue" / "claims.yaml").read_text("utf8")
    assert claims.height == len(re.findall(r"^ +- claim: ", text, re.MULTILINE)) > 0


def test_a_claim_reports_what_its_test_is_about_in_the_columns_of_the_lake(frames):
    claims = frames["claims"]
    refined = row(claims, "claim_id", "CN-REFINED-OVER-90")
    assert (refined["supplier_iso3"], refined["stage"], refined["claimed_low"]) == (
        "CHN", "processing", 0.9,
    )  # fmt: skip
    assert refined["minerals"] == ["heavy_rare_earth", "light_rare_earth"]
    supplied = row(claims, "claim_id", "CN-SUPPLY-69")
    assert (supplied["stage"], supplied["minerals"]) == ("extraction", ["rare_earths"])
    processed = row(claims, "claim_id", "CN-PROCESSING-CAPACITY-85")
    assert processed["stage"] == "capacity"
    uses = catalogue.parse(USED.encode(), DOCUMENT)["claims"].row(0, named=True)
    assert (uses["nace2_code"], uses["minerals"]) == ("C25", ["neodymium"])
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
    risen = row(claims, "claim_id", "REMX-RISEN-2025")
    assert (risen["instrument"], risen["performance_window"]) == ("REMX", "since_2025_06_30")


def test_an_export_is_reported_by_the_supplier_and_an_import_by_the_importer(frames):
    claims = frames["claims"]
    columns = ("supplier_iso3", "importer_iso3", "flow", "commodity_code", "frequency")
    exported = row(claims, "claim_id", "CN-2025-10-MAGNETS-JPN")
    assert [exported[name] for name in columns] == [
        "CHN",
        "JPN",
        "export",
        "rare_earth_magnets",
        "M",
    ]
    imported = row(claims, "claim_id", "JP-2014-TOTAL")
    assert [imported[name] for name in columns] == ["WLD", "JPN", "import", "rare_earths", "A"]
    assert (imported["claimed_low"], imported["claimed_high"]) == (22306, 22308)


def test_magnets_wait_for_the_eight_digit_line_each_to_half_a_unit(frames):
    claims = frames["claims"].filter(pl.col("claim_id").str.contains("MAGNETS(-...)?$"))
    claims = claims.filter(pl.col("test") == "reported_flow")
    assert set(claims["commodity_code"]) == {"rare_earth_magnets"}
    found = {
        (claim["period_start"], claim["frequency"], claim["importer_iso3"]): (
            claim["claimed_low"], claim["claimed_high"]
        )
        for claim in claims.iter_rows(named=True)
    }  # fmt: skip
    world = {6: 3188, 7: 5577, 8: 6146, 9: 5774, 10: 5473, 12: 5952}
    japan = {7: 232, 9: 228, 10: 226, 12: 280}
    assert found == {
        **{(date(2025, month, 1), "M", "WLD"): (t - 0.5, t + 0.5) for month, t in world.items()},
        **{(date(2025, month, 1), "M", "JPN"): (t - 0.5, t + 0.5) for month, t in japan.items()},
        # Printed to ten tonnes; and one report has 304 t where another has 305.
        (date(2025, 11, 1), "M", "WLD"): (6145, 6155),
        (date(2025, 11, 1), "M", "JPN"): (303.5, 305.5),
        (date(2025, 6, 1), "M", "DEU"): (763.5, 764.5),
        (date(2025, 6, 1), "M", "USA"): (352.5, 353.5),
        (date(2025, 1, 1), "A", "WLD"): (57391.5, 57392.5),
        (date(2025, 1, 1), "A", "USA"): (5932.5, 5933.5),
    }
    # The missing figure is that line, of that month.
    for claim in claims.iter_rows(named=True):
        month = claim["period_start"].strftime("%B %Y" if claim["frequency"] == "M" else "%Y")
        assert f"eight-digit line 85051110 in {month}" in claim["missing"], claim["claim_id"]


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
        # A year to date begins on another day when it is looked at later.
        (RISEN, "window: all", "window: ytd", ("C-1", "`window`", "ytd", "'since_2025_06_30'")),
        (CLAIM, "low: 0.5", 'reading: ""\n    low: 0.5', ("C-1", "`reading`", "is empty")),
        (CLAIM, "low: 0.5", "reading: 60\n    low: 0.5", ("C-1", "`reading`", "not text")),
        (CLAIM, "low: 0.5", "evidence: []\n    low: 0.5", ("C-1", "`evidence`", "not empty")),
        (CLAIM, "low: 0.5", "evidence: M-1\n    low: 0.5", ("C-1", "`evidence`", "a list like")),
        (
            CLAIM,
            "low: 0.5",
            "evidence: [M-1, a remark]\n    low: 0.5",
            ("C-1", "`evidence` 2", "no blanks"),
        ),
        (
            CLAIM,
            "low: 0.5",
            "same_return: Japan\n    low: 0.5",
            ("C-1", "`same_return`", "Japan", "neither true nor false"),
        ),
        (CLAIM, "low: 0.5", "years: [2018, 2020]\n    low: 0.5", ("C-1", "`period_start`", "both")),
        (CLAIM, "period_start: 2024-01-01", "years: [2018]", ("C-1", "`years`")),
        (CLAIM, "period_start: 2024-01-01", "years: [2018, 20]", ("C-1", "`years` 2", "a year")),
        (CLAIM, "period_start: 2024-01-01", "years: 2018", ("C-1", "`years`", "a list like")),
        (
            UNDECIDED,
            "    missing",
            "    same_return: true\n    missing",
            ("C-1", "`same_return`", "not a known field"),
        ),
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
        (CLAIM, "    claimed_on: 2025-01-10\n", "", ("C-1", "neither `claimed_on` nor `known`")),
        (CLAIM, "claimed_on: 2025-01-10", "claimed_on: 2025", ("C-1", "`claimed_on`", "a day")),
    ],
)
def test_a_mistake_in_a_claim_names_it(text, old, new, names):
    assert old in text
    message = rejection_of(text.replace(old, new, 1))
    for name in names:
        assert name in message, message

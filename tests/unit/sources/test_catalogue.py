"""The catalogue: what it says of dated facts, and one sentence for each mistake in a file of it."""

import csv
import time
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.settings import BUNDLED
from dagster_project.sources import catalogue
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_edition_of_catalogue

RETRIEVED = datetime(2026, 11, 25)
DOCUMENT = Document(name="anything.txt", retrieved_at=RETRIEVED, is_bundled=True)
FILES = {name: (BUNDLED / "catalogue" / name).read_bytes() for name in catalogue.CARD.bundled}


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """All tables of the bundled files."""
    found: dict[str, pl.DataFrame] = {}
    for payload in FILES.values():
        found |= catalogue.parse(payload, DOCUMENT)
    return found


def row(frame: pl.DataFrame, column: str, value: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col(column) == value, named=True)


def refused(payload: bytes | str) -> str:
    """The one sentence a payload is refused with."""
    with pytest.raises(UpstreamFormatError) as caught:
        catalogue.parse(payload.encode() if isinstance(payload, str) else payload, DOCUMENT)
    message = caught.value.message
    assert message.startswith("catalogue: ")
    assert message.endswith(".")
    assert "\n" not in message
    return message


# The bundled files


def test_the_bundled_files_fill_the_tables_of_the_card(frames):
    assert set(frames) == set(catalogue.CARD.tables)
    for table, frame in frames.items():
        conformed = LAKE_TABLES[table].conform(
            frame.with_columns(snapshot_id=pl.lit("s"), document=pl.lit("d"))
        )
        assert conformed.height == frame.height
        keys = list(LAKE_TABLES[table].key)
        assert conformed.select(keys).is_duplicated().sum() == 0
        assert conformed.select(keys).null_count().sum_horizontal().item() == 0
        for name, column in LAKE_TABLES[table].columns.items():
            assert column.nullable or conformed[name].null_count() == 0, (table, name)
        assert set(conformed["vintage_at"]) == {RETRIEVED}
        assert set(conformed["is_provisional"]) == {False}
        assert set(conformed["source"]) == {"catalogue"}


def test_an_instant_with_a_zone_becomes_utc():
    tokyo = datetime(2026, 1, 6, 9, tzinfo=timezone(timedelta(hours=9)))
    document = Document(name="mine.yaml", retrieved_at=tokyo, is_bundled=False)
    claims = catalogue.parse(FILES["claims.yaml"], document)["claims"]
    assert set(claims["vintage_at"]) == {tokyo.astimezone(UTC).replace(tzinfo=None)}
    assert set(claims["vintage_at"]) == {datetime(2026, 1, 6, 0)}


CLOCKS = (
    "announced_date", "effective_date", "suspended_from", "suspended_to", "suspended_by",
    "ended_date", "unknown_from",
)  # fmt: skip


@pytest.mark.parametrize(
    ("clause", "clocks"),
    [
        # Published: issued 2025-10-09, to take effect 2025-11-08, suspended by 70/2025 on
        # 2025-11-07 until 2026-11-10.
        ("CN-2025-57", (date(2025, 10, 9), date(2025, 11, 8), date(2025, 11, 7),
                        date(2026, 11, 10), "CN-2025-70", None, date(2026, 11, 11))),
        ("CN-2024-46-1", (date(2024, 12, 3), date(2024, 12, 3), None, None, None, None, None)),
        ("CN-2024-46-2", (date(2024, 12, 3), date(2024, 12, 3), date(2025, 11, 9),
                          date(2026, 11, 27), "CN-2025-72", None, date(2026, 11, 28))),
        ("CN-2025-18", (date(2025, 4, 4), date(2025, 4, 4), None, None, None, None, None)),
        ("CN-2025-61-C", (date(2025, 10, 9), date(2025, 10, 9), date(2025, 11, 7),
                          date(2026, 11, 10), "CN-2025-70", None, date(2026, 11, 11))),
        ("CN-2025-68", (date(2025, 10, 26), date(2026, 1, 1), None, None, None,
                        date(2027, 12, 31), None)),
        ("CN-2023-23", (date(2023, 7, 3), date(2023, 8, 1), None, None, None, None, None)),
        ("CN-2026-1", (date(2026, 1, 6), date(2026, 1, 6), None, None, None, None, None)),
        # A de-facto stop is reported after it begins.
        ("CN-2026-01-DEFACTO", (date(2026, 1, 8), date(2026, 1, 6), None, None, None, None,
                                date(2026, 2, 6))),
        ("MY-2023-09", (date(2023, 9, 11), None, None, None, None, None, None)),
    ],
)  # fmt: skip
def test_the_clocks_of_a_clause_are_the_published_days(frames, clause, clocks):
    found = row(frames["restriction_clauses"], "clause_id", clause)
    assert tuple(found[column] for column in CLOCKS) == clocks


def test_what_was_suspended_or_ended_was_not_known_before_it_was_said(frames):
    clauses = frames["restriction_clauses"]
    for state in ("suspended_from", "ended_date", "unknown_from"):
        known = {
            "suspended_from": "suspension_known_at",
            "ended_date": "ended_known_at",
            "unknown_from": "unknown_known_at",
        }[state]
        assert clauses.filter(pl.col(state).is_null() != pl.col(known).is_null()).is_empty()
        assert clauses.filter(pl.col(known) < pl.col("announced_date")).is_empty()
    assert set(clauses["suspended_by"].drop_nulls()) <= set(clauses["clause_id"])


def test_only_entities_a_source_names_are_named_and_the_rest_is_one_unnamed(frames):
    clauses = frames["restriction_clauses"]
    names = {
        clause: row(clauses, "clause_id", clause)["target_names"]
        for clause in ("CN-2026-11", "CN-2026-12", "CN-2026-06-LIST", "CN-2026-1", "CN-2025-18")
    }
    assert names["CN-2026-06-LIST"] == ["unnamed"]
    assert names["CN-2026-1"] == ["military"]
    assert names["CN-2025-18"] == []
    assert {"TDK", "Subaru", "ENEOS", "unnamed"} < set(names["CN-2026-12"])
    assert names["CN-2026-11"][-1] == "unnamed"
    for clause in ("CN-2026-11", "CN-2026-12"):
        remark = row(clauses, "clause_id", clause)["remark"]
        assert "20 on the control list" in remark
        assert "30 and 20" in remark


def test_no_remark_stores_a_state_that_the_days_decide(frames):
    states = r"(?i)^(in force|suspended|announced|ended|unknown|official|as \d+)\b[^,.]*$"
    assert frames["restriction_clauses"].filter(pl.col("remark").str.contains(states)).is_empty()


def test_the_code_the_gallium_notice_misprints_is_kept_beside_the_right_one(frames):
    found = frames["restriction_scope"].row(
        by_predicate=(pl.col("clause_id") == "CN-2023-23")
        & (pl.col("hs_code") == "811292")
        & (pl.col("mineral") == "gallium"),
        named=True,
    )
    assert "8110929010" in found["source_codes"]
    assert "8110.92 does not exist" in found["correction_reason"]


def test_heavy_rare_earths_are_bounds_in_a_code_that_holds_others_too(frames):
    scope = frames["restriction_scope"].filter(
        (pl.col("clause_id") == "CN-2025-18") & (pl.col("hs_code") == "280530")
    )
    assert set(scope["mineral"]) == {
        "samarium", "gadolinium", "terbium", "dysprosium", "lutetium", "scandium", "yttrium",
    }  # fmt: skip
    assert set(scope["control_share_low"]) == {0.0}
    assert set(scope["control_share_high"]) == {1.0}


def test_milestones_say_what_happened_and_what_is_only_planned(frames):
    milestones = frames["milestones"]
    trial = row(milestones, "milestone_id", "JP-2027-02-FULL")
    assert (trial["planned_date"], trial["event_date"]) == (date(2027, 2, 1), None)
    assert trial["project"] == "MINAMITORISHIMA"
    lift = row(milestones, "milestone_id", "JP-2026-02-FIRST-LIFT")
    assert lift["event_date"] == date(2026, 2, 1)
    for depth in ("5,600 m", "5,700 m", "6,000 m"):
        assert depth in lift["statement"]
    assert row(milestones, "milestone_id", "JP-2026-02-TDK")["kind"] == "disclosure"
    assert set(milestones["kind"]) == {
        "dispute", "remark", "supply_project", "disclosure", "partnership",
    }  # fmt: skip


def test_the_claims_on_2024_disagree_and_all_are_kept(frames):
    claims = frames["claims"].filter(pl.col("claim_id").str.starts_with("JP-2024-CHINA"))
    found = {
        claim["claim_id"].removeprefix("JP-2024-CHINA-"): (
            claim["period_start"].year, claim["claimed_low"], claim["claimed_high"]
        )
        for claim in claims.iter_rows(named=True)
    }  # fmt: skip
    # A round ten is rounded to the nearest ten; what was said during 2024 cannot be about it.
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
    # Said in the Diet as a share of imports and no more; of 2018 the source says by volume.
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


def test_every_statement_of_the_press_is_a_claim_that_is_decided_or_says_what_is_missing(frames):
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


def test_a_claim_says_what_its_test_is_about_in_the_columns_of_the_lake(frames):
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


def test_economies_have_japanese_names_and_codes_with_their_zeros(frames):
    economies = frames["economies"]
    names = dict(economies.select("economy_iso3", "name_ja").iter_rows())
    assert {code: names[code] for code in ("JPN", "CHN", "VNM", "WLD")} == {
        "JPN": "日本", "CHN": "中国", "VNM": "ベトナム", "WLD": "世界",
    }  # fmt: skip
    customs = dict(economies.select("japan_customs_code", "economy_iso3").iter_rows())
    assert (customs["105"], customs["235"]) == ("CHN", "EST")
    assert row(economies, "economy_iso3", "AFG")["m49_code"] == "004"
    taiwan = row(economies, "economy_iso3", "TWN")
    assert taiwan["comtrade_code"] == "490"
    assert row(economies, "economy_iso3", "USA")["comtrade_code"] == "842"
    # Of several codes, the economy's own is shown: not the Canary Islands' 523.
    assert row(economies, "economy_iso3", "ESP")["japan_customs_code"] == "218"


def test_the_union_has_its_27_members_and_not_the_kingdom_that_left(frames):
    members = set(frames["economies"].filter(pl.col("is_eu27"))["economy_iso3"])
    assert len(members) == 27
    assert "GBR" not in members
    assert {"HRV", "DEU", "MLT"} < members


def test_all_files_are_read_well_within_half_a_second():
    begun = time.perf_counter()
    for payload in FILES.values():
        catalogue.parse(payload, DOCUMENT)
    assert time.perf_counter() - begun < 0.5


# Against the list of clauses it was written from

CLAUSE_COLUMNS = {
    "measure_id": "measure_id",
    "clause_id": "clause_id",
    "title": "title",
    "official_reference": "official_reference",
    "implementer_iso3": "implementer_iso3",
    "direction": "direction",
    "gta_code": "gta_type_id",
    "announced_date": "announced",
    "announced_time": "announced_time",
    "announced_zone": "announced_zone",
    "date_precision": "date_precision",
    "effective_date": "effective",
    "suspended_from": "suspended_from",
    "suspended_to": "suspended_to",
    "suspended_by": "suspended_by",
    "suspension_known_at": "suspension_known_at",
    "ended_date": "ended",
    "ended_known_at": "ended_known_at",
    "unknown_from": "unknown_from",
    "unknown_known_at": "unknown_known_at",
    "known_at": "known_at",
    "target_iso3": "target_iso3",
    "target_class": "target_class",
    "evidence_class": "evidence_class",
    "confidence": "confidence",
    "citation": "source",
    "source_url": "source_url",
}
"""Lake column: column of the list. Its remarks are not here: many store a state; what they say
beyond one is checked below."""

FACTS_OF_REMARKS = {
    "CN-2010-07-QUOTA": "terminated on 1 January 2015",
    "CN-2010-09-JPBAN": "evidence on how long it lasted is mixed",
    "ZW-2022-LI": "ZW-2026-02",
    "MY-2023-09": "unclear",
    "CN-2023-11-REEREP": "its own term",
    "CN-2024-46-1": "Not touched by the suspension",
    "CD-2025-02-CO": "quota",
    "CN-2025-18": "Not among the notices that CN-2025-70 suspends",
    "IN-2025-06-IREL": "unclear",
    "CN-2025-55": "No source found",
    "CN-2025-57": "never in force up to 2026-11-10",
    "CN-2025-61-AB": "never in force up to 2026-11-10",
    "CN-2025-61-C": "2025-10-09 through 2025-11-06",
    "CN-2025-70": "no source found",
    "CN-2025-72": "2026-11-27",
    "CN-2026-1": "No source of a removal was found",
    "CN-2026-01-DEFACTO": "Eased in part",
    "CN-2026-02-PERMITS": "case by case",
    "ZW-2026-02": "Until further notice",
    "CN-2026-06-THROTTLE": "at the day of the report",
    "CN-2026-06-LIST": "not verified",
}


def reference(name: str) -> list[dict[str, str]]:
    with (SHARED / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_text(value: object) -> str:
    return "" if value is None else str(value)


@needs_edition_of_catalogue
def test_every_clause_is_cell_for_cell_that_of_the_list(frames):
    listed = [row for row in reference("restriction_clauses.csv") if row["record"] == "clause"]
    expected = sorted(tuple(row[own] for own in CLAUSE_COLUMNS.values()) for row in listed)
    found = sorted(
        tuple(map(as_text, row))
        for row in frames["restriction_clauses"].select(list(CLAUSE_COLUMNS)).iter_rows()
    )
    assert len(found) == 39
    assert found == expected


@needs_edition_of_catalogue
def test_the_classes_of_end_users_are_those_of_the_list(frames):
    listed = {
        row["clause_id"]: [row["target_name"]]
        for row in reference("restriction_clauses.csv")
        if row["target_name"]
    }
    found = frames["restriction_clauses"].filter(pl.col("target_class") == "end_user")
    assert dict(found.select("clause_id", "target_names").iter_rows()) == listed


def test_what_was_remarked_beyond_a_state_is_still_said(frames):
    remarks = dict(frames["restriction_clauses"].select("clause_id", "remark").iter_rows())
    for clause, fact in FACTS_OF_REMARKS.items():
        assert fact in remarks[clause], clause


@needs_edition_of_catalogue
def test_every_row_of_scope_is_cell_for_cell_that_of_the_list(frames):
    listed = reference("restriction_scope.csv")
    expected = sorted(
        (
            row["clause_id"], row["hs_code"], row["mineral"],
            float(row["control_share_low"]), float(row["control_share_high"]),
            row["basis"], row["source_codes"], row["correction_reason"],
        )
        for row in listed
    )  # fmt: skip
    columns = (
        "clause_id", "hs_code", "mineral", "control_share_low", "control_share_high", "basis",
        "source_codes", "correction_reason",
    )  # fmt: skip
    found = sorted(
        tuple("" if cell is None else cell for cell in row)
        for row in frames["restriction_scope"].select(columns).iter_rows()
    )
    assert len(found) == 163
    assert found == expected


@needs_edition_of_catalogue
def test_the_milestones_of_the_list_have_its_days(frames):
    listed = [row for row in reference("restriction_clauses.csv") if row["record"] == "milestone"]
    assert len(listed) == 4
    for own in listed:
        found = row(frames["milestones"], "milestone_id", own["clause_id"])
        assert as_text(found["announced_date"]) == own["announced"]
        assert as_text(found["ended_date"]) == own["ended"]
        assert as_text(found["known_at"]) == own["known_at"]
        assert found["evidence_class"] == own["evidence_class"]
        assert found["citation"] == own["source"]
        if found["planned_date"] is None:
            assert as_text(found["event_date"]) == own["event_date"]
        else:  # The list's event is the announcement; what is planned has not happened.
            assert as_text(found["planned_date"]) == own["effective"]
            assert as_text(found["announced_date"]) == own["event_date"]


# Files that people write

MEASURE = """\
measures:
  - measure: XX-1
    title: Export licensing
    implementer: CHN
    direction: restrict
    clauses:
      - clause: XX-1-A
        announced: 2025-01-10
        effective: 2025-01-01
        target: {economy: JPN, class: economy}
        evidence: official
        scope:
          - codes: ["010121", "280530"]
            minerals: [gallium, germanium]
            share: [0, 0.5]
            basis: element_split
      - clause: XX-1-B
        title: Another part
        announced: "2025-01-11"
        evidence: reported
...
"""

MILESTONE = """\
milestones:
  - milestone: M-1
    kind: remark
    title: A remark
    economy: JPN
    happened: 2025-01-10
    evidence: reported
    known: 2025-01-11
...
"""

CLAIM = """\
claims:
  - claim: C-1
    statement: half of it
    claimed_by: someone
    claimed_on: 2025-01-10
    low: 0.5
    high: 0.6
    test: supplier_share
    importer: JPN
    supplier: CHN
    mineral_group: rare_earths
    period_start: 2024-01-01
...
"""

PRODUCED = (
    CLAIM.partition("    test:")[0]
    + """\
    test: production_share
    producer: CHN
    stage: processing
    minerals: [heavy_rare_earth, gallium]
...
"""
)

USED = (
    CLAIM.partition("    test:")[0]
    + """\
    test: end_use_share
    minerals: [neodymium]
    sector: C25
...
"""
)

ABUNDANT = (
    CLAIM.partition("    high:")[0]
    + """\
    test: abundance
    against:
      copper: [cerium, neodymium]
      tin: [terbium]
...
"""
)

IN_FORCE = (
    CLAIM.partition("    test:")[0]
    + """\
    test: measure_in_force
    implementer: CHN
    target: JPN
    mineral_group: rare_earths
    period_start: 2025-10-01
    period_end: 2026-03-31
...
"""
)

RISEN = (
    CLAIM.partition("    test:")[0]
    + """\
    test: price_return
    instrument: REMX
    window: ytd
...
"""
)

FLOW = (
    CLAIM.partition("    test:")[0]
    + """\
    test: reported_flow
    reporter: CHN
    partner: WLD
    flow: export
    commodity: "850511"
    frequency: M
    period_start: 2025-06-01
...
"""
)

UNDECIDED = (
    CLAIM.partition("    low:")[0]
    + """\
    test: none
    missing: What each buys, in tonnes.
...
"""
)

ECONOMIES = """\
economy_iso3,iso2,name,name_ja,m49_code,comtrade_code,japan_customs_code,region,is_eu27
EST,EE,Estonia,,233,233,235,Europe,true
ESP,ES,Spain,,724,724,218 502 523,Europe,true
EU27,,European Union,欧州連合,,,,,false
WLD,,World,世界,001,0,,,false
_X,,Not published,公表なし,,899 837,702,,false
"""


def test_a_measure_written_by_hand_is_read_whatever_its_file_is_called():
    found = catalogue.parse(MEASURE.encode(), DOCUMENT)
    assert set(found) == {"restriction_clauses", "restriction_scope"}
    first, second = found["restriction_clauses"].iter_rows(named=True)
    assert (first["title"], second["title"]) == ("Export licensing", "Another part")
    assert (first["effective_date"], first["announced_date"]) == (
        date(2025, 1, 1), date(2025, 1, 10),
    )  # fmt: skip
    assert second["announced_date"] == date(2025, 1, 11)
    assert (second["target_iso3"], second["target_class"]) == ("ALL", "all")
    assert first["known_at"] == date(2025, 1, 10)
    scope = found["restriction_scope"]
    assert sorted(scope.select("hs_code", "mineral").iter_rows()) == [
        ("010121", "gallium"), ("010121", "germanium"),
        ("280530", "gallium"), ("280530", "germanium"),
    ]  # fmt: skip
    assert set(scope["control_share_high"]) == {0.5}


def test_other_sections_written_by_hand_are_told_by_their_content():
    assert set(catalogue.parse(MILESTONE.encode(), DOCUMENT)) == {"milestones"}
    for claim in (CLAIM, PRODUCED, USED, ABUNDANT, IN_FORCE, RISEN, FLOW, UNDECIDED):
        assert set(catalogue.parse(claim.encode(), DOCUMENT)) == {"claims"}
    spreadsheet = b"\xef\xbb\xbf" + ECONOMIES.replace("\n", "\r\n").encode()
    economies = catalogue.parse(spreadsheet, DOCUMENT)["economies"]
    assert dict(economies.select("economy_iso3", "name_ja").iter_rows())["EST"] == "エストニア"


def test_the_order_of_the_entries_changes_nothing():
    head, *entries = MEASURE.removesuffix("...\n").split("  - measure: XX-1\n")
    one = entries[0]
    two = one.replace("XX-1-A", "XX-2-A").replace("XX-1-B", "XX-2-B")
    first, second = f"  - measure: XX-1\n{one}", f"  - measure: XX-2\n{two}"
    forward = catalogue.parse(f"{head}{first}{second}...\n".encode(), DOCUMENT)
    backward = catalogue.parse(f"{head}{second}{first}...\n".encode(), DOCUMENT)
    for table, keys in (
        ("restriction_clauses", ["clause_id"]),
        ("restriction_scope", ["clause_id", "hs_code", "mineral"]),
    ):
        assert forward[table].sort(keys).equals(backward[table].sort(keys))


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        # what a code may be
        ('"280530"]', "280530]", ("XX-1-A", "`scope` 1, `codes` 2", "280530", "quotes")),
        ('"010121"', "010121", ("XX-1-A", "`codes` 1", "quotes")),
        ('"280530"', '"28053019"', ("XX-1-A", "`codes` 2", "28053019")),
        ('"280530"', '"2805"', ("XX-1-A", "`scope` 1", "heading")),
        ('["010121", "280530"]', "[]", ("XX-1-A", "`codes`", "a list that is not empty")),
        # days
        ("announced: 2025-01-10", "announced: 2025-02-30", ("XX-1-A", "announced", "2025-02-30")),
        ("announced: 2025-01-10", "announced: soon", ("XX-1-A", "`announced`", "soon")),
        ("announced: 2025-01-10", "announced: 2025", ("XX-1-A", "`announced`", "2025")),
        ("announced: 2025-01-10", "announced: 2025-01-10 18:00:00", ("XX-1-A", "`announced`")),
        ("effective: 2025-01-01",
         "suspended: {first_day: 2025-05-02, last_day: 2025-05-01, known: 2025-05-01}",
         ("XX-1-A", "`suspended`", "2025-05-01", "2025-05-02")),
        ("effective: 2025-01-01", "ended: {last_day: 2025-01-09, known: 2025-01-09}",
         ("XX-1-A", "2025-01-09", "before it was announced")),
        ("effective: 2025-01-01", "suspended: 2025-05-02", ("XX-1-A", "`suspended`", "2025-05-02")),
        ("effective: 2025-01-01", "known: 2025-01-09", ("XX-1-A", "2025-01-09")),
        ("effective: 2025-01-01", "unknown: {first_day: 2025-05-02}",
         ("XX-1-A", "`unknown`, `known` is missing")),
        ("effective: 2025-01-01", "announced_hour: 18:00", ("XX-1-A", "`announced_hour`")),
        ("effective: 2025-01-01", 'announced_hour: "18:00"', ("XX-1-A", "`announced_hour`")),
        # fields
        ("effective:", "efective:", ("XX-1-A", "`efective`", "`effective`")),
        ("    direction: restrict\n", "", ("XX-1-A", "`direction` is missing")),
        ("restrict", "forbid", ("XX-1-A", "`direction`", "forbid", "'restrict'")),
        ("title: Export licensing", "title: 18", ("XX-1-A", "`title`", "18")),
        ("title: Export licensing", 'title: ""', ("XX-1-A", "`title`", "empty")),
        ("share: [0, 0.5]", "share: [0.5, 0]", ("XX-1-A", "`scope` 1, `share`", "low")),
        ("share: [0, 0.5]", "share: [0, 50]", ("XX-1-A", "`share`", "50")),
        ("share: [0, 0.5]", "share: 0.5", ("XX-1-A", "`share`", "0.5")),
        ("basis: element_split", "basis: guess", ("XX-1-A", "`basis`", "guess")),
        ("[gallium, germanium]", "[Ga]", ("XX-1-A", "`minerals` 1", "Ga")),
        ("[gallium, germanium]", "gallium", ("XX-1-A", "`minerals`", "gallium")),
        ("[gallium, germanium]", "[gallium, gallium]", ("XX-1-A", "010121 gallium", "duplicated")),
        ("evidence: official", "evidence: official\n        url: mofcom", ("XX-1-A", "`url`")),
        ("evidence: official", "evidence: official\n        gta_code: 35",
         ("XX-1-A", "`gta_code`", "35", "quotes")),
        ("evidence: official", "evidence: official\n        evidence: reported",
         ("line 12", "`evidence`", "duplicated")),
        # targets
        ("class: economy", "class: entity", ("XX-1-A", "`target`", "entity")),
        ("{economy: JPN, class: economy}", "{economy: JPN}", ("XX-1-A", "`target`", "JPN")),
        ("class: economy", "class: economy, names: [TDK]", ("XX-1-A", "`target`")),
        # identifiers
        ("clause: XX-1-B", "clause: XX-1-A", ("clause XX-1-A", "duplicated")),
        ("clause: XX-1-B", "clause: XX 1", ("`clause`", "XX 1")),
        ("      - clause: XX-1-B", "      - claus: XX-1-B", ("clause number 2", "`clause`")),
        ("clause: XX-1-B", "clause: XX-1-B\n        measure: XX-2", ("XX-1-B", "`measure`")),
        ("  - measure: XX-1", "  - measur: XX-1", ("measure number 1", "`measure`")),
        ("    clauses:", "    clause:", ("XX-1", "`clauses`")),
    ],
)  # fmt: skip
def test_a_mistake_in_a_measure_is_one_sentence_that_names_it(old, new, names):
    assert old in MEASURE
    message = refused(MEASURE.replace(old, new, 1))
    for name in names:
        assert name in message, message


@pytest.mark.parametrize(
    ("text", "old", "new", "names"),
    [
        (MEASURE, "implementer: CHN", "implementer: CHI", ("XX-1-A", "`implementer`", "CHI")),
        (MEASURE, "economy: JPN", "economy: JAP", ("XX-1-A", "`target`", "JAP")),
        (MILESTONE, "economy: JPN", "economy: JAP", ("M-1", "`economy`", "JAP")),
        (CLAIM, "importer: JPN", "importer: JAP", ("C-1", "`importer`", "JAP")),
        (CLAIM, "supplier: CHN", "supplier: CHI", ("C-1", "`supplier`", "CHI")),
        (CLAIM, "rare_earths", "rare_birds", ("C-1", "`mineral_group`", "rare_birds")),
        (PRODUCED, "producer: CHN", "producer: CHI", ("C-1", "`producer`", "CHI")),
        (IN_FORCE, "implementer: CHN", "implementer: CHI", ("C-1", "`implementer`", "CHI")),
        (IN_FORCE, "target: JPN", "target: JAP", ("C-1", "`target`", "JAP")),
        (IN_FORCE, "rare_earths", "rare_birds", ("C-1", "`mineral_group`", "rare_birds")),
        (FLOW, "reporter: CHN", "reporter: CHI", ("C-1", "`reporter`", "CHI")),
        (FLOW, "partner: WLD", "partner: ALL", ("C-1", "`partner`", "ALL")),
        (FLOW, "850511", "85051110", ("C-1", "`commodity`", "85051110")),
    ],
)
def test_a_code_no_list_knows_names_itself(text, old, new, names):
    with pytest.raises(UnknownCodeError) as caught:
        catalogue.parse(text.replace(old, new, 1).encode(), DOCUMENT)
    for name in names:
        assert name in caught.value.message


@pytest.mark.parametrize(
    ("text", "old", "new", "names"),
    [
        (MILESTONE, "kind: remark", "kind: rumour", ("M-1", "`kind`", "rumour")),
        (MILESTONE, "    known: 2025-01-11\n", "", ("M-1", "`known` is missing")),
        (MILESTONE, "    evidence", "    ended: 2025-01-09\n    evidence", ("M-1", "2025-01-09")),
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
def test_a_mistake_in_a_milestone_or_a_claim_names_it(text, old, new, names):
    assert old in text
    message = refused(text.replace(old, new, 1))
    for name in names:
        assert name in message, message


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("Estonia,,233", "Estonia,,33", ("EST", "`m49_code`", "three digits")),
        (",233,235", ",0233,235", ("EST", "`comtrade_code`")),
        ("235,Europe", "35,Europe", ("EST", "`japan_customs_code`")),
        (",233,235", ",724,235", ("`comtrade_code` 724", "EST", "ESP")),
        ("218 502", "218 235", ("`japan_customs_code` 235", "EST", "ESP")),
        ("EST,EE", "EST,ee", ("EST", "`iso2`")),
        ("EST,EE", "EST,QQ", ("EST", "`name_ja`")),
        ("EST,EE", "Est,EE", ("'Est'", "`economy_iso3`")),
        ("ESP,ES", "EST,ES", ("'EST'", "duplicated")),
        ("Europe,true", "Atlantis,true", ("EST", "`region`")),
        ("Europe,true", "Europe,yes", ("EST", "`is_eu27`")),
        ("m49_code", "m49", ("m49_code",)),
        ("WLD,,World,世界,001,0,,,false\n", "", ("WLD",)),
    ],
)
def test_a_mistake_in_the_table_of_economies_names_the_economy(old, new, names):
    assert old in ECONOMIES
    message = refused(ECONOMIES.replace(old, new, 1))
    for name in names:
        assert name in message, message


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        ("", ("empty",)),
        (" \n", ("empty",)),
        ("<!DOCTYPE html><html><body>Not found</body></html>", ("HTML",)),
        ("hello", ("`measures:`", "`milestones:`", "`claims:`")),
        ("measure:\n  - a\n...\n", ("`measures:`",)),
        ("measures:\nclaims:\n...\n", ("`measures:`",)),
        ("measures:\n...\n", ("`measures:`", "not a list")),
        ("measures:\n  - CN-1\n...\n", ("entry 1", "CN-1")),
        ("measures:\n  - {measure: A\n...\n", ("line",)),
        ("measures:\n  - {measure: !!int x}\n...\n", ("!!",)),
        ("measures:\n  - {[a]: b, [a]: c}\n...\n", ("line 2",)),
        ("measures: [\x07]\n...\n", ("not YAML",)),
        ("- a\n---\n- b\n...\n", ()),
        ("measures:\n  - !!python/object/apply:os.system [ls]\n...\n", ("line 2",)),
        ("対策:".encode("cp932"), ("UTF-8",)),
        (b"PK\x03\x04\x00\x00", ()),
        (ECONOMIES.encode("utf-16"), ()),
        ("iso3,name\nJPN,Japan\n", ("economy_iso3", "missing")),
    ],
)
def test_what_is_no_file_of_the_catalogue_is_refused_in_a_sentence(payload, names):
    message = refused(payload)
    for name in names:
        assert name in message, message


@pytest.mark.parametrize("text", [MEASURE, MILESTONE, CLAIM, PRODUCED, UNDECIDED, ECONOMIES])
def test_a_file_cut_anywhere_is_refused(text):
    payload = text.encode()
    for length in range(len(payload.rstrip())):
        refused(payload[:length])


@given(st.sampled_from(sorted(FILES)), st.floats(0, 1, exclude_max=True))
@settings(max_examples=40)
def test_a_bundled_file_cut_anywhere_is_refused(name, part):
    payload = FILES[name].rstrip()
    refused(payload[: int(len(payload) * part)])


@given(st.text(max_size=60))
@settings(max_examples=150)
def test_whatever_stands_in_a_field_is_read_or_refused_in_one_sentence(text):
    payload = MILESTONE.replace("title: A remark", f"title: {text}")
    try:
        found = catalogue.parse(payload.encode(), DOCUMENT)
    except UpstreamFormatError:
        refused(payload)
    else:
        assert found["milestones"].height == 1

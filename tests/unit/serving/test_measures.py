"""The page of measures on small published files made by hand: what a clause hits, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import PublicationError
from dagster_project.serving.measures import measures_on, print_measures
from tests.unit.serving.test_answers import ECONOMIES, published

Row = Mapping[str, Any]


def clause(clause_id: str = "CN-1", **more: Any) -> dict[str, Any]:
    """A row of `exposure.measure_timeline`."""
    return {
        "clause_id": clause_id, "title": "a title", "official_reference": "1/2026",
        "implementer_iso3": "CHN", "target_iso3": "ALL", "target_class": "all",
        "reach": "direct", "direction": "restrict", "evidence_class": "official",
        "valid_from": date(2026, 1, 6), "status": "in_force", "because": "1/2026",
        "hs6_codes": ["280530", "284690"], "minerals": ["dysprosium"],
        "known_at": date(2026, 1, 6), **more,
    }  # fmt: skip


def exposure(code: str, year: int = 2024, **more: Any) -> dict[str, Any]:
    """A row of `exposure.importer_exposure` of Japan."""
    return {
        "clause_id": "CN-1", "importer_iso3": "JPN", "commodity_code": code,
        "baseline_from": date(year, 1, 1), "baseline_to": date(year, 12, 31),
        "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 1e6, "exposed_share_high": 0.5,
        "current_reason": "no_figures", **more,
    }  # fmt: skip


NEWER: Row = {
    "current_from": date(2025, 1, 1), "current_to": date(2025, 12, 31), "current_reason": None,
    "current_exposed_value_low_usd": 0.0, "current_exposed_value_high_usd": 3e6,
    "current_exposed_share_low": 0.0, "current_exposed_share_high": 0.25,
}  # fmt: skip


UNKNOWN: Row = {
    "baseline_from": None, "baseline_to": None, "exposed_value_low_usd": None,
    "exposed_value_high_usd": None, "exposed_share_high": None, "reason": "no_figures",
    "current_reason": "no_figures",
}  # fmt: skip

OTHERS = [
    {"economy_iso3": code, "name": name}
    for code, name in (
        ("AUS", "Australia"), ("FRA", "France"), ("USA", "United States"), ("VNM", "Viet Nam"),
    )
]  # fmt: skip

JOINT: Row = {
    "importer_iso3": "JPN", "commodity_code": "284690", "valid_from": date(2026, 1, 6),
    "clause_ids": ["CN-1", "CN-2"], "clauses_without_figures": [], "exposed_share_low": 0.0,
    "exposed_share_high": 0.9, "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 9e6,
    "baseline_from": date(2024, 1, 1), "baseline_to": date(2024, 12, 31),
    "current_reason": "no_figures",
}  # fmt: skip


def alternative(rank: int, supplier: str, share_of_world: float, **more: Any) -> dict[str, Any]:
    """A row of `dependency.alternatives` of Japan and 284690."""
    return {
        "importer_iso3": "JPN", "hs6_code": "284690", "year": 2024, "supplier_iso3": supplier,
        "supplier_rank": rank, "share_of_world": share_of_world, "clauses_in_force": [],
        "clauses_unknown": [], **more,
    }  # fmt: skip


def page(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    timeline: list[dict[str, Any]],
    exposures: list[dict[str, Any]],
    together: list[Row] | None = None,
    others: list[dict[str, Any]] | None = None,
) -> str:
    file = published(
        folder,
        exposure__measure_timeline=timeline,
        exposure__importer_exposure=exposures,
        exposure__joint_exposure=together or [],
        dependency__alternatives=others or [],
        reference__economies=[*ECONOMIES, *OTHERS],
    )
    print_measures(measures_on(file, "JPN"))
    return " ".join(capsys.readouterr().out.split())


def test_shares_of_one_year_are_of_the_year_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = page(tmp_path, capsys, [clause()], [exposure("280530"), exposure("284690")])
    assert ("hits USD 0 to USD 2.0 m of 2024: 280530 up to 50.0 %, 284690 up to 50.0 %") in printed


def test_a_line_that_mixes_years_names_that_of_each_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = page(
        tmp_path, capsys, [clause()],
        [exposure("280530", 2022), exposure("284690", exposed_value_low_usd=1e6)],
    )  # fmt: skip
    assert (
        "hits USD 1.0 m to USD 2.0 m of 2022, 2024: 280530 up to 50.0 % in 2022, "
        "284690 up to 50.0 % in 2024"
    ) in printed


def test_beside_what_was_meant_to_be_hit_stands_the_newest_trade(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where nothing was known before the clause; not where it is the same trade."""
    same = {**NEWER, "current_from": date(2024, 1, 1), "current_to": date(2024, 12, 31)}
    printed = page(
        tmp_path, capsys, [clause(hs6_codes=["280530", "284610", "284690"])],
        [exposure("280530", **NEWER), exposure("284690", **same),
         exposure("284610", **{**UNKNOWN, **NEWER})],
        [{**JOINT, **NEWER}],
    )  # fmt: skip
    assert "hits USD 0 to USD 2.0 m of 2024: 280530 up to 50.0 %, 284690 up to 50.0 %" in printed
    assert (
        "by the newest trade hits USD 0 to USD 6.0 m of 2025: 280530 up to 25.0 %, "
        "284610 up to 25.0 %"
    ) in printed
    assert "284690: 0.0 % to 90.0 % of 2024; 0.0 % to 25.0 % of 2025 (CN-1, CN-2)" in printed
    assert "no figures at hand" not in printed


def test_nothing_and_next_to_nothing_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of Chile's antimony of 2024 (none) and Germany's graphite of Namibia (USD 16,038)."""
    nothing = {**NEWER, "current_exposed_share_high": 0.0, "current_exposed_value_high_usd": 0.0}
    little = {**NEWER, "current_exposed_share_high": 0.0003}
    joint = {**JOINT, **UNKNOWN, "clauses_without_figures": ["CN-1", "CN-2"], **nothing}
    printed = page(
        tmp_path, capsys, [clause(hs6_codes=["280530", "284610"])],
        [exposure("280530", **{**UNKNOWN, **nothing}), exposure("284610", **{**UNKNOWN, **little})],
        [joint],
    )  # fmt: skip
    assert "284610 under 0.05 %, 280530 none" in printed
    assert "284690: 0.0 % of 2025 (CN-1, CN-2)" in printed
    assert "no figures at hand" not in printed


def test_bounds_that_are_equal_are_one_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = exposure("280530", exposed_value_low_usd=1e6)
    assert "hits USD 1.0 m of 2024:" in page(tmp_path, capsys, [clause()], [whole])


@pytest.mark.parametrize(
    ("status", "verb"),
    [("in_force", "hits"), ("suspended", "would hit"), ("unknown", "would hit")],
)
def test_only_what_is_in_force_hits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, verb: str
) -> None:
    printed = page(tmp_path, capsys, [clause(status=status)], [exposure("280530")])
    assert f"dysprosium {verb} USD 0 to USD 1.0 m of 2024" in printed


def test_what_a_text_leaves_out_has_no_share_alone_or_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = page(
        tmp_path, capsys, [clause(excludes="processed rare earths")],
        [exposure("284690"), exposure("280530", **UNKNOWN)], [JOINT],
    )  # fmt: skip
    assert (
        "leaves out processed rare earths: how much of 284690 it hits is not known "
        "no figures at hand of 280530"
    ) in printed
    assert "up to" not in printed
    assert "(CN-1, CN-2); CN-1 leaves out processed rare earths" in printed


def test_what_nobody_knows_is_said_once_with_what_was_said_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lapsed = clause(status="unknown", because="suspended until 10 November 2026; nobody knows")
    printed = page(tmp_path, capsys, [lapsed], [exposure("280530")])
    assert "State unknown: no notice or report on what holds (1 clause)" in printed
    assert "China: a title suspended until 10 November 2026; nobody knows 2 codes" in printed


def test_the_days_of_a_state_count_to_its_last_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timeline = [
        clause("CN-1", status="suspended", valid_to=date(2026, 11, 26)),
        clause("CN-2", status="suspended", valid_to=date(2026, 11, 27)),
        clause("CN-3", status="suspended", valid_to=date(2026, 12, 26)),
        clause("CN-4", status="suspended", valid_to=date(2026, 12, 27)),
    ]
    printed = page(tmp_path, capsys, timeline, [])
    assert printed.count("the last day of this state is") == 3
    for words in ("this state is today", "this state is in 1 day ", "in 30 days"):
        assert words in printed


def test_a_file_of_an_earlier_version_is_named_in_a_sentence(tmp_path: Path) -> None:
    file = published(tmp_path)
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table exposure.calendar")
    with pytest.raises(PublicationError) as error:
        measures_on(file, "JPN")
    assert str(error.value) == (
        "kido.duckdb is of an earlier version, without the calendar of clauses. Run kido build."
    )


@pytest.mark.parametrize(
    ("ahead", "days", "is_listed"),
    [
        (None, "90 days", False),
        (400, "400 days", True),
        (399, "399 days", False),
        (1, "1 day", False),
    ],
)
def test_as_many_days_ahead_are_listed_as_are_asked_for(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ahead: int | None,
    days: str,
    is_listed: bool,
) -> None:
    measure = {
        "clause_id": "CN-1", "implementer_iso3": "CHN", "target_iso3": "ALL",
        "direction": "restrict",
    }  # fmt: skip
    ends = {
        "kind": "ends", "subject_id": "CN-1", "event_date": date(2027, 12, 30),
        "clause_ids": ["CN-1"], "title": "a title", "status_after": "ended",
        "because": "its own term", "date_precision": "day",
    }  # fmt: skip
    file = published(tmp_path, exposure__measures=[measure], exposure__calendar=[ends])
    print_measures(measures_on(file, "JPN", ahead=ahead))
    printed = capsys.readouterr().out
    assert f"What changes in the next {days}\n" in printed
    assert ("CN-1 (a title): ends on 29 December 2027" in printed) is is_listed


ALTERNATIVES = [
    alternative(1, "CHN", 0.5, clauses_in_force=["CN-1"]),
    alternative(2, "VNM", 0.3, clauses_unknown=["VN-1"]),
    alternative(4, "DEU", 0.031),
    alternative(3, "AUS", 0.12),
    alternative(5, "USA", 0.02),
    alternative(6, "FRA", 0.01),
    alternative(1, "CHN", 0.9, hs6_code="280530"),
]


def test_the_three_largest_that_restrict_nothing_are_named_beneath(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = page(tmp_path, capsys, [clause()], [exposure("284690")], [JOINT], ALTERNATIVES)
    assert (
        "(CN-1, CN-2) others: Australia 12.0 % of world exports of 2024, Germany 3.1 %, "
        "United States 2.0 %"
    ) in printed
    assert printed.count("others:") == 1
    assert "France" not in printed


def test_another_day_or_a_file_without_the_table_names_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = published(
        tmp_path,
        exposure__measure_timeline=[clause()],
        exposure__joint_exposure=[JOINT],
        dependency__alternatives=ALTERNATIVES,
        reference__economies=[*ECONOMIES, *OTHERS],
    )
    print_measures(measures_on(file, "JPN", date(2026, 2, 1)))
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table dependency.alternatives")
    print_measures(measures_on(file, "JPN"))
    printed = capsys.readouterr().out
    assert printed.count("(CN-1, CN-2)") == 2
    assert "others" not in printed

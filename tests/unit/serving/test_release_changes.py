"""What is new between two files made by hand: a row for each change, and none for what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.serving.answers import figure_in_unit
from dagster_project.serving.release_changes import (
    COLUMNS,
    Change,
    changes_between,
    changes_frame,
    recorded_changes,
)
from tests import contract
from tests.unit.serving.test_answers import BY_VALUE, BY_WEIGHT, answer, published

Row = Mapping[str, Any]
DAY_BEFORE, DAY = date(2026, 11, 24), date(2026, 11, 25)
COLUMNS_OF_NOTICES = (
    "source varchar, notice_id varchar, published_at date, known_at date, issuer varchar, "
    "kind varchar, title varchar, url varchar, state varchar, read_at date"
)


def file_with(folder: Path, notices: Sequence[Row] | None = None, **tables: Sequence[Row]) -> Path:
    """A published file with these rows; without `notices` it has no table of them."""
    folder.mkdir(parents=True)
    file = published(folder, **tables)
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table if exists exposure.notices")
        if notices is not None:
            connection.execute(f"create table exposure.notices ({COLUMNS_OF_NOTICES})")
        for notice in notices or ():
            row = {"known_at": notice["published_at"], **notice}
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"insert into exposure.notices ({', '.join(row)}) values ({marks})",
                list(row.values()),
            )
    return file


def new(before: Path, after: Path, **options: Any) -> list[Change]:
    days = {"day_before": DAY_BEFORE, "day": DAY}
    return changes_between(before, after, importer="JPN", **{**days, **options})


def new_in(folder: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What is new between files with these rows by table."""
    return new(file_with(folder / "before", **before), file_with(folder / "after", **after))


def sentences(changes: Sequence[Change]) -> list[str]:
    return [change.sentence for change in changes]


# Figures.


def of_answers(folder: Path, before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    return new_in(folder, {"catalog__answers": before}, {"catalog__answers": after})


def test_a_figure_that_moved_is_said_with_its_difference(tmp_path: Path) -> None:
    moved = {**BY_WEIGHT, "figure": 0.6981, "period": "2025"}
    (change,) = of_answers(tmp_path, [BY_WEIGHT, BY_VALUE], [moved, BY_VALUE])
    assert change == Change(
        kind="figure",
        subject="JPN: Rare-earth imports from China, by weight",
        before="71.3 % (2024)",
        after="69.8 % (2025)",
        sentence="Japan: Rare-earth imports from China, by weight: 69.8 % (2025), 1.5 points less "
        "than 71.3 % (2024)",
        source="comtrade_baskets",
    )


@pytest.mark.parametrize(
    ("unit", "before", "after", "words"),
    [
        ("return", -0.126, 0.058, "+5.8 % (2024), 18.4 points more than -12.6 % (2024)"),
        ("codes", 17.0, 18.0, "18 codes (2024), 1 code more than 17 codes (2024)"),
        ("notices", 1.0, 2.0, "2 notices (2024), 1 notice more than 1 notice (2024)"),
        ("clauses", 3.0, 1.0, "1 clause (2024), 2 clauses fewer than 3 clauses (2024)"),
        ("t", 36.04, 1204.96, "1,205.0 t (2024), 1,169.0 t more than 36.0 t (2024)"),
        ("USD per kg", 239.0, 98.5, "98.50 USD per kg (2024), 140.50 USD per kg less than 239 "
         "USD per kg (2024)"),
    ],
)  # fmt: skip
def test_a_difference_is_in_the_unit_that_the_page_prints(
    tmp_path: Path, unit: str, before: float, after: float, words: str
) -> None:
    found = of_answers(tmp_path, [answer(1, "X", before, unit)], [answer(1, "X", after, unit)])
    assert sentences(found) == [f"Japan: X: {words}"]


@pytest.mark.parametrize(
    ("unit", "before", "after"),
    [
        ("share", 0.71334, 0.71326), ("return", 0.0001, -0.0001), ("t", 36.04, 36.0),
        ("JPY per USD", 157.31, 157.29), ("USD per kg", 999.96, 1000.0),
    ],
)  # fmt: skip
def test_what_the_page_prints_alike_has_not_moved(
    tmp_path: Path, unit: str, before: float, after: float
) -> None:
    assert not of_answers(tmp_path, [answer(1, "X", before, unit)], [answer(1, "X", after, unit)])


def test_another_unit_is_said_and_not_subtracted(tmp_path: Path) -> None:
    before, after = answer(8, "X", 239.0, "USD per kg"), answer(8, "X", 120.0, "points")
    assert sentences(of_answers(tmp_path, [before], [after])) == [
        "Japan: X: 120 points (2024); it was 239 USD per kg (2024)"
    ]


def test_a_figure_of_which_only_the_period_moved_says_so(tmp_path: Path) -> None:
    (change,) = of_answers(tmp_path, [BY_VALUE], [{**BY_VALUE, "period": "2025"}])
    assert (change.before, change.after) == ("44.0 % (2024)", "44.0 % (2025)")
    assert change.sentence.endswith(": still 44.0 % (2025), only the period moved, from 2024")


def test_a_figure_of_the_day_of_the_build_has_no_period_that_moves(tmp_path: Path) -> None:
    before, after = (
        answer(11, "Restrictions", 2.0, "clauses", period=str(day)) for day in (DAY_BEFORE, DAY)
    )
    assert of_answers(tmp_path, [before], [after]) == []


def test_a_line_that_is_new_or_gone_is_said_and_never_zero(tmp_path: Path) -> None:
    found = of_answers(tmp_path, [BY_WEIGHT], [{**BY_VALUE, "position": 1}])
    assert sentences(found) == [
        "Japan: Rare-earth imports from China, by value: a new line, 44.0 % (2024)",
        "Japan: Rare-earth imports from China, by weight: no longer on the page; it was 71.3 % "
        "(2024)",
    ]
    assert [(change.before, change.after) for change in found] == [
        (None, "44.0 % (2024)"), ("71.3 % (2024)", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0.5, None, ["no figure; it was 50.0 % (2024)"]),
        (None, 0.5, ["50.0 % (2024); it was no figure"]),
        (None, 0.0, ["0.0 % (2024); it was no figure"]),
        (None, None, []),
    ],
)
def test_a_missing_figure_is_said(
    tmp_path: Path, before: float | None, after: float | None, words: list[str]
) -> None:
    found = of_answers(
        tmp_path, [answer(1, "X", before, "share")], [answer(1, "X", after, "share")]
    )
    assert sentences(found) == [f"Japan: X: {sentence}" for sentence in words]


def test_another_importers_page_is_not_compared(tmp_path: Path) -> None:
    german = {**BY_WEIGHT, "importer_iso3": "DEU"}
    assert of_answers(tmp_path, [german], [{**german, "figure": 0.1}]) == []


def test_a_figure_made_from_a_private_source_is_in_no_sentence(tmp_path: Path) -> None:
    """Also where only a snapshot of the line is of that source."""
    tables = {"catalog__snapshots": [{"snapshot_id": "m1", "source": "mine"}]}
    line = answer(8, "Dysprosium", 918.25, "USD per kg", source="usgs_mcs", snapshot_ids=["m1"])
    before = file_with(tmp_path / "before", catalog__answers=[line], **tables)
    after = file_with(
        tmp_path / "after", catalog__answers=[{**line, "figure": 918.5, "period": "2025"}], **tables
    )
    (change,) = new(before, after, private={"mine"})
    assert change.sentence == (
        "Japan: Dysprosium: changed; it is made from figures of a private source"
    )
    assert change.source == "mine, usgs_mcs"
    assert (change.before, change.after) == (None, None)
    assert "918.5" in sentences(new(before, after))[0]


@given(
    st.sampled_from(["share", "return", "t", "codes", "USD per kg"]),
    st.floats(0, 1e5), st.floats(0, 1e5),
)  # fmt: skip
def test_a_difference_is_that_of_the_printed_figures(
    unit: str, first: float, second: float
) -> None:
    from dagster_project.serving.release_changes import _difference

    difference = _difference({"figure": first, "unit": unit}, {"figure": second, "unit": unit})
    printed = [
        float(figure_in_unit(figure, unit).split(" ")[0].replace(",", ""))
        for figure in (first, second)
    ]
    if difference is None:
        # Four digits are printed: of two neighbours at a power of ten one has a decimal more.
        assert abs(printed[1] - printed[0]) <= 0.5
    else:
        amount = float(difference.split(" ")[0].replace(",", ""))
        assert amount == pytest.approx(abs(printed[1] - printed[0]), abs=0.51)
        assert ("more" in difference) == (second > first)


# Statuses.

CLAUSES = [
    {"clause_id": clause, "title": f"title of {clause}", "source": "catalogue",
     "target_iso3": target, "direction": direction}
    for clause, target, direction in (
        ("CN-1", "JPN", "restrict"), ("CN-1", "USA", "restrict"), ("CN-2", "ALL", "relax"),
        ("CN-3", "ALL", "restrict"),
    )
]  # fmt: skip


def state(clause: str, status: str, since: str, until: str | None = None) -> Row:
    return {"clause_id": clause, "status": status, "valid_from": since, "valid_to": until}


STATES = [
    state("CN-1", "suspended", "2025-11-10", "2026-11-25"),
    state("CN-1", "unknown", "2026-11-25"),
    state("CN-2", "in_force", "2025-11-10", "2026-11-25"),
    state("CN-2", "ended", "2026-11-25"),
    state("CN-3", "announced", "2026-11-24", "2026-11-26"),
    state("CN-3", "in_force", "2026-11-26"),
]


def test_a_status_that_changed_by_date_alone_is_a_row(tmp_path: Path) -> None:
    """The same file on two days; the interval that ends on a day does not hold on it."""
    tables = {"exposure__measures": CLAUSES, "exposure__measure_status": STATES}
    found = new_in(tmp_path, tables, tables)
    assert [(change.kind, change.subject, change.before, change.after) for change in found] == [
        ("status", "CN-1", "suspended", "unknown"), ("status", "CN-2", "in_force", "ended"),
    ]  # fmt: skip
    assert sentences(found) == [
        "CN-1 (title of CN-1): of unknown state since 25 November 2026, suspended before",
        "CN-2 (title of CN-2): ended since 25 November 2026, in force before",
    ]
    assert {change.source for change in found} == {"catalogue"}
    file = tmp_path / "after" / "kido.duckdb"
    assert new(file, file, day_before=DAY) == []
    assert sentences(new(file, file, day_before=date(2026, 11, 23), day=DAY_BEFORE)) == [
        "CN-3 (title of CN-3): announced since 24 November 2026, not announced before"
    ]


def test_a_new_clause_and_one_that_is_gone_are_rows(tmp_path: Path) -> None:
    first, third = (
        {
            "exposure__measures": [row for row in CLAUSES if row["clause_id"] == clause],
            "exposure__measure_status": [row for row in STATES if row["clause_id"] == clause],
        }
        for clause in ("CN-1", "CN-3")
    )
    assert [(each.subject, each.before, each.after, each.sentence)
            for each in new_in(tmp_path, first, third)] == [
        ("CN-3", None, "announced",
         "CN-3 (title of CN-3): announced since 24 November 2026, a new clause"),
        ("CN-1", "suspended", None,
         "CN-1 (title of CN-1): no longer in the catalogue, suspended before"),
    ]  # fmt: skip


# Periods.


def months(source: str, *periods: str, reporter: str = "GBR", **more: Any) -> list[Row]:
    return [
        {"source": source, "table_name": "trade_flows", "reporter_iso3": reporter,
         "flow": "import", "frequency": "M", "period_start": f"{period}-01", "rows": 9,
         "snapshot_id": "s1", **more}
        for period in periods
    ]  # fmt: skip


def of_coverage(folder: Path, before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    return new_in(folder, {"catalog__coverage": before}, {"catalog__coverage": after})


def test_a_month_that_arrived_is_a_row_of_its_source_alone(tmp_path: Path) -> None:
    known = [*months("hmrc", "2026-05", "2026-06"), *months("comexstat", "2026-07")]
    arrived = [*months("hmrc", "2026-07"), *months("hmrc", "2026-07", flow="export")]
    assert of_coverage(tmp_path, known, [*known, *arrived]) == [
        Change(
            "period", "hmrc trade_flows M", "2026-06", "2026-07",
            "hmrc: months of trade flows through 2026-07, 2026-06 before", "hmrc",
        )
    ]  # fmt: skip


def test_a_month_that_was_asked_and_is_not_published_has_not_arrived(tmp_path: Path) -> None:
    known = months("hmrc", "2026-06")
    assert of_coverage(tmp_path, known, [*known, *months("hmrc", "2026-07", rows=0)]) == []


@pytest.mark.parametrize(
    ("before", "after", "ends", "words"),
    [
        ([], months("hmrc", "2026-05", "2026-06"), (None, "2026-06"),
         "through 2026-06, nothing before"),
        (months("hmrc", "2026-05", "2026-06"), [], ("2026-06", None),
         "none any more, through 2026-06 before"),
        (months("hmrc", "2026-05", "2026-06"), months("hmrc", "2026-05"), ("2026-06", "2026-05"),
         "through 2026-05, 2026-06 before"),
        (months("hmrc", "2026-06"), months("hmrc", "2026-03", "2026-05", "2026-06"),
         ("2026-06", "2026-06"), "through 2026-06 as before: 2 months more, 2026-03 to 2026-05, "
         "of GBR"),
        (months("hmrc", "2026-03", "2026-06"), months("hmrc", "2026-06"), ("2026-06", "2026-06"),
         "through 2026-06 as before: 1 month fewer, 2026-03, of GBR"),
        (months("hmrc", "2026-06"),
         [row for code in ("GBR", "DEU", "FRA", "ITA", "JPN")
          for row in months("hmrc", "2026-06", reporter=code)],
         ("2026-06", "2026-06"),
         "through 2026-06 as before: 1 month more, 2026-06, of 4 reporters"),
        (months("hmrc", "2026-05", "2026-06"),
         months("hmrc", "2026-05", "2026-06", snapshot_id="s2"), ("2026-06", "2026-06"),
         "through 2026-06 as before: another vintage of 2 months, 2026-05 to 2026-06, of GBR"),
        (months("hmrc", "2026-05", "2026-06"),
         months("hmrc", "2026-05", "2026-06", "2026-07", snapshot_id="s2"), ("2026-06", "2026-07"),
         "through 2026-07, 2026-06 before"),
    ],
)  # fmt: skip
def test_a_source_says_what_arrived_disappeared_or_was_filled(
    tmp_path: Path, before: list[Row], after: list[Row], ends: tuple[str, str], words: str
) -> None:
    (change,) = of_coverage(tmp_path, before, after)
    assert (change.before, change.after) == ends
    joint = ": " if words.startswith("none") else " "
    assert change.sentence == f"hmrc: months of trade flows{joint}{words}"


def test_years_and_days_are_named_as_such(tmp_path: Path) -> None:
    tables = {"reporter": "", "flow": ""}
    found = of_coverage(
        tmp_path,
        [],
        [
            *months("baci", "2024-01", frequency="A", **tables),
            *months("ecb", "2026-11", frequency="D", table_name="price_quotes", **tables),
        ],
    )
    assert [(change.subject, change.after) for change in found] == [
        ("baci trade_flows A", "2024"), ("ecb price_quotes D", "2026-11-01"),
    ]  # fmt: skip


# Corrections.


def correction(status: str, **more: Any) -> Row:
    return {
        "correction_id": "USGS-1", "source": "usgs_mcs", "table_name": "production",
        "status": status, "wrong_value": "450", "right_value": "450000", "reason": "In thousands.",
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, "applied", "is applied: 450 is read as 450000. In thousands."),
        ("applied", "no_longer_matches",
         "no longer matches: its publisher has another value there"),
        ("applied", None,
         "is no longer made: the register or the document no longer has its row"),
    ],
)  # fmt: skip
def test_a_correction_is_applied_outdated_or_gone(
    tmp_path: Path, before: str | None, after: str | None, words: str
) -> None:
    tables = [
        {"catalog__corrections": [correction(status)] if status else []}
        for status in (before, after)
    ]
    (change,) = new_in(tmp_path, *tables)
    assert (change.subject, change.before, change.after) == ("USGS-1", before, after)
    assert change.sentence == f"Correction USGS-1 (usgs_mcs, production) {words}"


def test_a_correction_of_a_private_source_quotes_no_value(tmp_path: Path) -> None:
    before = file_with(tmp_path / "before")
    after = file_with(tmp_path / "after", catalog__corrections=[correction("applied")])
    (change,) = new(before, after, private={"usgs_mcs"})
    assert change.sentence == "Correction USGS-1 (usgs_mcs, production) is applied"


# Notices.

NOTICE = {
    "source": "federal_register", "notice_id": "2026-19846", "published_at": "2026-11-23",
    "issuer": "Bureau of Industry and Security", "kind": "rule", "title": "Controls on gallium",
    "url": "https://www.federalregister.gov/d/2026-19846", "state": "to_be_read",
}  # fmt: skip


def of_notices(
    folder: Path, before: Sequence[Row], after: Sequence[Row], **options: Any
) -> list[Change]:
    files = (file_with(folder / name, rows) for name, rows in (("b", before), ("a", after)))
    return new(*files, **options)


def test_a_notice_to_be_read_is_a_row_with_its_number_title_and_day(tmp_path: Path) -> None:
    assert of_notices(tmp_path, [], [NOTICE]) == [
        Change(
            "notice", "federal_register 2026-19846", None, "to_be_read",
            "federal_register 2026-19846 is to be read: Controls on gallium (23 November 2026)",
            "federal_register",
        )
    ]  # fmt: skip


def test_a_long_title_is_shortened_and_its_number_is_not(tmp_path: Path) -> None:
    (change,) = of_notices(tmp_path, [], [{**NOTICE, "title": "gallium " * 40}])
    assert change.sentence.startswith("federal_register 2026-19846 is to be read: gallium gallium")
    assert change.sentence.endswith("… (23 November 2026)")
    assert len(change.sentence) < 170
    clauses = [{**CLAUSES[0], "title": "title " * 40}]
    tables = {"exposure__measures": clauses, "exposure__measure_status": STATES}
    (changed,) = new_in(tmp_path / "clauses", tables, tables)
    assert changed.sentence.endswith(
        "…): of unknown state since 25 November 2026, suspended before"
    )
    assert len(changed.sentence) < 150


def test_only_notices_that_were_not_to_be_read_before_are_new(tmp_path: Path) -> None:
    known, read = ({**NOTICE, "notice_id": state, "state": state} for state in ("known", "x"))
    again = {**known, "state": "to_be_read"}
    (change,) = of_notices(tmp_path, [NOTICE, known], [NOTICE, again, read])
    assert (change.subject, change.before) == ("federal_register known", "known")


def test_the_notice_known_last_is_first_also_without_a_day(tmp_path: Path) -> None:
    """One that prints no day, as most listings, is known from the day it was retrieved."""
    days = ("2026-11-20", None, "2026-11-24")
    notices = [
        {**NOTICE, "notice_id": str(number), "published_at": day, "known_at": day or "2026-11-22"}
        for number, day in enumerate(days)
    ]
    assert sentences(of_notices(tmp_path, [], notices)) == [
        "federal_register 2 is to be read: Controls on gallium (24 November 2026)",
        "federal_register 1 is to be read: Controls on gallium",
        "federal_register 0 is to be read: Controls on gallium (20 November 2026)",
    ]


def test_notices_of_a_private_source_are_one_row_with_their_number(tmp_path: Path) -> None:
    """Their numbers and days are the publisher's too; the newest notice of all is one of them."""
    private = [
        {**NOTICE, "source": "gta", "notice_id": f"98765432{number}", "title": "CANARY",
         "published_at": "2026-11-25"}
        for number in range(3)
    ]  # fmt: skip
    public, counted = of_notices(tmp_path, private[:1], [*private, NOTICE], private={"gta"})
    assert public.subject == "federal_register 2026-19846"
    assert counted == Change(
        "notice", "gta", None, "to_be_read", "2 notices of gta are to be read", "gta"
    )
    (alone,) = of_notices(tmp_path / "alone", [], private[:1], private={"gta"})
    assert alone.sentence == "1 notice of gta is to be read"


LINE_OF_NOTICES = answer(12, "Official notices to be read", 1.0, "notices", source="mofcom")


def test_the_line_that_counts_notices_is_not_said_beside_them(tmp_path: Path) -> None:
    def file(name: str, figure: float | None, *notices: Row) -> Path:
        line = {**LINE_OF_NOTICES, "figure": figure}
        return file_with(tmp_path / name, notices, catalog__answers=[line])

    nobody, one, two = file("0", None), file("1", 1.0, NOTICE), file(
        "2", 2.0, NOTICE, {**NOTICE, "notice_id": "2026-2"}
    )  # fmt: skip
    assert [change.kind for change in new(nobody, one)] == ["notice"]
    assert [change.kind for change in new(one, two)] == ["notice"]
    # What somebody has read is a figure that moved, and no notice is new.
    assert sentences(new(two, one)) == [
        "Japan: Official notices to be read: 1 notice (2024), 1 notice fewer than 2 notices (2024)"
    ]
    # A first release with notices lists none of them: there the line says how many they are.
    without = file_with(tmp_path / "without")
    assert sentences(new(without, two)) == [
        "Japan: Official notices to be read: a new line, 2 notices (2024)"
    ]


def test_a_hostile_title_is_one_printable_line(tmp_path: Path) -> None:
    (change,) = of_notices(tmp_path, [], [{**NOTICE, "title": "\x1b[31mred\nand\u202emore"}])
    assert ":  [31mred and more (" in change.sentence
    assert change.sentence.isprintable()


# All kinds together.


def test_the_most_important_kinds_are_first_and_the_same_files_have_no_news(
    tmp_path: Path,
) -> None:
    before = file_with(tmp_path / "before", [])
    after = file_with(
        tmp_path / "after",
        [NOTICE],
        catalog__answers=[BY_WEIGHT],
        catalog__coverage=months("hmrc", "2026-06"),
        catalog__corrections=[correction("applied")],
        exposure__measures=CLAUSES,
        exposure__measure_status=[state("CN-1", "suspended", "2025-11-10")],
    )
    kinds = ["notice", "status", "figure", "period", "correction"]
    assert [change.kind for change in new(before, after)] == kinds
    assert new(after, after) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("drop table exposure.notices", "notice"),
        ("drop table exposure.measure_status", "status"),
        ("alter table catalog.answers drop column snapshot_ids", "figure"),
        ("drop table catalog.coverage", "period"),
        ("alter table catalog.corrections drop column status", "correction"),
    ],
)
def test_a_kind_that_an_older_file_lacks_is_left_out(
    tmp_path: Path, change: str, kind: str
) -> None:
    after = file_with(
        tmp_path / "after",
        [NOTICE],
        catalog__answers=[BY_WEIGHT],
        catalog__coverage=months("hmrc", "2026-06"),
        catalog__corrections=[correction("applied")],
        exposure__measures=CLAUSES,
        exposure__measure_status=[state("CN-1", "suspended", "2025-11-10")],
    )
    before = file_with(tmp_path / "before", [])
    with duckdb.connect(str(before)) as connection:
        connection.execute(change)
    kinds = ["notice", "status", "figure", "period", "correction"]
    found = [each.kind for each in new(before, after)]
    assert found == [each for each in kinds if each != kind]


def test_rows_of_earlier_releases_are_carried_as_they_were(tmp_path: Path) -> None:
    rows = [
        {"release_id": release, "kind": "period", "subject": "s", "before": None, "after": "2025",
         "sentence": "as it was", "source": "hmrc", "position": 1}
        for release in ("r1", "r2", "gone")
    ]  # fmt: skip
    file = file_with(tmp_path / "before", catalog__changes=rows)
    change = Change("status", "CN-1", "in_force", "ended", "CN-1: ended", "catalogue")
    frame = changes_frame("r3", [change], recorded_changes(file, ["r1", "r2"]))
    assert frame.to_dicts() == [
        *rows[:2],
        {"release_id": "r3", "kind": "status", "subject": "CN-1", "before": "in_force",
         "after": "ended", "sentence": "CN-1: ended", "source": "catalogue", "position": 1},
    ]  # fmt: skip
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table catalog.changes")
    assert recorded_changes(file, ["r1"]) == []


def test_the_frame_has_the_columns_of_the_contract() -> None:
    assert sorted(COLUMNS) == sorted(contract.published()["catalog.changes"])

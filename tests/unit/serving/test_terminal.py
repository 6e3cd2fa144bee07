"""How values, texts and tables are printed, in terminals of several widths and through a pipe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from dagster_project.serving.terminal import (
    PROGRESS_INTERVAL_S,
    Column,
    counter,
    fit_columns,
    number,
    print_table,
    print_text,
    print_values,
    say,
    shown,
    wrap,
)

WIDTHS = (80, 120, 200)

Print = Callable[..., tuple[str, str]]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Print:
    """Call something in a terminal of a width, or in a pipe; its two outputs."""

    def call(width: int | None, what: Callable[..., None], *args: Any, **more: Any) -> Any:
        monkeypatch.setenv("COLUMNS", str(width or 0))  # 0: as where it is not set
        what(*args, **more)
        return capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.7132793500780414, "0.7133"),
        (15981526.0, "15,981,526"),
        (194696451.24, "194,696,451"),
        (1.23e-5, "1.23e-5"),
        (-1.23456e-7, "-1.235e-7"),
        (0.0001, "0.0001"),
        (239.456, "239.5"),
        (1234.5678, "1,235"),
        (100.0, "100"),
        (0.5, "0.5"),
        (-0.25, "-0.25"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.5e300, "1.5e300"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_a_number_that_is_not_whole_has_four_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_printed_number_is_within_half_a_unit_of_its_fourth_digit(value: float) -> None:
    printed = float(number(value).replace(",", ""))
    assert printed == pytest.approx(value, rel=5.1e-4, abs=0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2024, "2024"),
        (15981526, "15981526"),
        ("250410", "250410"),
        (True, "true"),
        (None, ""),
        (date(2024, 1, 31), "2024-01-31"),
        (datetime(2026, 1, 31), "2026-01-31 00:00:00"),
        (datetime(2026, 1, 31, 12, 5, 9, 250000), "2026-01-31 12:05:09.250000"),
        (["260500", "282200"], "260500, 282200"),
        ([0.7132793500780414, None], "0.7133, null"),
        ([], "[]"),
        ({"a": 1.5, "b": None}, "{a: 1.5, b: }"),
        (Decimal("1.50"), "1.5"),
        (Decimal(2**100), str(2**100)),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("日本", "日本"),
    ],
)
def test_whole_numbers_codes_and_dates_are_printed_as_they_are(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_year_that_is_a_float_has_no_separator() -> None:
    assert (shown(2024.0, is_year=True), shown(2024.0)) == ("2024", "2,024")


CLAUSE = "China: Export prohibition on all dual-use items for military users and military uses"
WIDE = [
    Column("importer_iso3", ["JPN", "DEU"]),
    Column("importer_in_kana", ["日本", "ドイツ"]),
    Column("amount", ["15,981,526", "1"], is_number=True),
    Column("title", [CLAUSE, "none"]),
    Column("exposed_value_high_usd", ["0.7133", "12"], is_number=True),
    Column("snapshot_ids", ["comtrade_baskets-20261127T115953259821-81b6a818", ""]),
    Column("source_url", [f"https://example.org/{'x' * 150}", ""]),
]
WORDS = {
    word
    for column in WIDE
    for text in (column.name, *column.cells)
    for word in text.split()
}  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_in_a_terminal_no_line_is_longer_than_it_is_wide_and_no_word_is_torn(
    at: Print, width: int
) -> None:
    out, err = at(width, print_table, WIDE)
    assert all(cell_len(line) <= width for line in (out + err).splitlines())
    assert set(out.split()) <= WORDS
    kept = out.splitlines()[0].split()
    left_out = [column.name for column in WIDE if column.name not in kept]
    assert left_out
    named = " ".join(err.split())
    assert named.startswith(f"Left out, as they do not fit: {', '.join(left_out)}.")
    if "title" in kept:
        assert set(CLAUSE.split()) <= set(out.split())


def test_which_columns_fit_80_120_and_200_columns() -> None:
    """The numbers first, 10 and 22 columns with 2 between and 2 behind: 36. Then 13, 16 and 16 (of
    84) with as many between make 85, 47 more 134; the address never fits.
    """
    assert fit_columns(WIDE, 80).left_out == ["title", "snapshot_ids", "source_url"]
    assert fit_columns(WIDE, 84).left_out == ["title", "snapshot_ids", "source_url"]
    assert fit_columns(WIDE, 85).left_out == ["snapshot_ids", "source_url"]
    assert fit_columns(WIDE, 133).left_out == ["snapshot_ids", "source_url"]
    assert fit_columns(WIDE, 134).left_out == ["source_url"]
    assert fit_columns(WIDE, 200).left_out == ["source_url"]


def test_numbers_are_kept_first_in_half_of_the_width() -> None:
    texts = [Column(f"text_{number}", ["ten letters"]) for number in range(3)]
    figures = [Column(f"figure_{number}", ["1"], is_number=True) for number in range(5)]
    fitted = fit_columns([*texts, *figures], 46)  # 10 a figure, 2 of them in 24; then 13 a text
    assert [column.name for column in fitted.columns] == [
        "text_0", "text_1", "figure_0", "figure_1",
    ]  # fmt: skip


def test_codes_with_a_name_beside_them_and_ways_to_a_source_give_way() -> None:
    columns = [
        Column("snapshot_ids", ["one"]), Column("supplier_iso3", ["VNM"]),
        Column("supplier_name", ["Viet Nam"]), Column("measure", ["value_usd"]),
    ]  # fmt: skip
    assert [column.name for column in fit_columns(columns, 24).columns] == [
        "supplier_name",
        "measure",
    ]
    assert fit_columns(columns, 39).left_out == ["snapshot_ids"]
    alone = [columns[1], columns[3]]
    assert [column.name for column in fit_columns(alone, 14).columns] == ["supplier_iso3"]


def test_a_narrower_column_takes_the_room_of_one_that_does_not_fit() -> None:
    fitted = fit_columns([Column("a", ["x" * 70]), Column("b", ["y" * 20]), Column("c", ["z"])], 80)
    assert ([column.name for column in fitted.columns], fitted.left_out) == (["a", "c"], ["b"])


def test_names_in_japanese_give_way_to_what_stands_after_them() -> None:
    columns = [
        Column("supplier_name", ["Viet Nam"]), Column("supplier_name_ja", ["ベトナム"]),
        Column("share", ["0.2791"], is_number=True),
    ]  # fmt: skip
    fitted = fit_columns(columns, 22)  # 13 + 2 + 6, and 2 + 16 more
    assert [column.name for column in fitted.columns] == ["supplier_name", "share"]
    assert fitted.left_out == ["supplier_name_ja"]
    assert [column.name for column in fit_columns(columns, 39).columns] == [
        one.name for one in columns
    ]


def test_what_is_the_same_in_every_row_is_printed_once_where_columns_do_not_fit(at: Print) -> None:
    columns = [
        Column("importer", ["Japan", "Japan"]), Column("valuation", ["", ""]),
        Column("supplier", ["Viet Nam", "China"]), Column("address", ["a" * 41, "a" * 41]),
        Column("share", ["0.2791", "0.2758"], is_number=True),
    ]  # fmt: skip
    out, err = at(64, print_table, columns, common_label="In every row")
    assert out.splitlines() == [
        "In every row: importer Japan, no valuation",
        f"supplier  {'address':41}   share",
        f"Viet Nam  {'a' * 41}  0.2791",
        f"China     {'a' * 41}  0.2758",
    ]
    assert err == ""
    wide, _ = at(200, print_table, columns, common_label="In every row")
    assert wide.splitlines()[0].split() == [column.name for column in columns]
    one_row = [Column(column.name, column.cells[:1], column.is_number) for column in columns]
    assert at(64, print_table, one_row, common_label="In every row")[1].startswith(
        "Left out, as they do not fit: "
    )


def test_a_table_of_equal_rows_is_still_a_table(at: Print) -> None:
    out, err = at(
        12, print_table, [Column("one", ["12345678"] * 2), Column("two", ["12345678"] * 2)]
    )
    assert out.splitlines() == ["one", "12345678", "12345678"]
    assert err.startswith("Left out")


def test_the_room_that_is_left_goes_to_the_texts() -> None:
    """80 - 3 - 2 = 75 columns for a text of 84."""
    fitted = fit_columns([Column("a", ["JPN"]), Column("title", [CLAUSE])], 80)
    assert fitted.widths == [3, 75]


def test_in_a_pipe_a_table_has_all_columns_and_whole_texts_in_a_line(at: Print) -> None:
    out, err = at(None, print_table, WIDE, most_lines=1)
    header, first, second = out.splitlines()
    assert header.split() == [column.name for column in WIDE]
    assert all(column.cells[0] in first for column in WIDE)
    assert second.startswith("DEU            ドイツ")
    assert (err, "\x1b" in out) == ("", False)


def test_japanese_characters_take_two_columns_and_what_follows_is_aligned(at: Print) -> None:
    table = [Column("name", ["日本", "Fiji"]), Column("code", ["JPN", "FJI"])]
    out, _ = at(80, print_table, table)
    assert out.splitlines() == ["name  code", "日本  JPN", "Fiji  FJI"]


def test_numbers_stand_to_the_right(at: Print) -> None:
    out, _ = at(80, print_table, [Column("n", ["1", "1,000"], is_number=True)])
    assert out.splitlines() == ["    n", "    1", "1,000"]


def test_a_text_of_more_lines_than_asked_for_ends_in_an_ellipsis_which_is_explained(
    at: Print,
) -> None:
    out, err = at(20, print_table, [Column("title", [CLAUSE])], most_lines=2, hint="See it all.")
    assert out.splitlines() == ["title", "China: Export", "prohibition on all …"]
    assert " ".join(err.split()) == "A text that ends in … is longer. See it all."


def test_where_no_column_fits_each_has_a_line(at: Print) -> None:
    out, err = at(40, print_table, [Column("sha256", ["f" * 64, "e" * 64])])
    assert out.splitlines() == [
        "─ row 1 ─", "  sha256", "    " + "f" * 64, "─ row 2 ─", "  sha256", "    " + "e" * 64,
    ]  # fmt: skip
    assert "No column fits" in err


def test_vertical_prints_every_column_and_wraps_its_texts_below_each_other(at: Print) -> None:
    out, _ = at(60, print_table, WIDE[:4], vertical=True)
    assert out.splitlines()[:6] == [
        "─ row 1 ─",
        "  importer_iso3     JPN",
        "  importer_in_kana  日本",
        "  amount            15,981,526",
        "  title             China: Export prohibition on all",
        "                    dual-use items for military users and",
    ]


def test_a_table_without_rows_has_its_headings(at: Print) -> None:
    out, err = at(80, print_table, [Column("a", []), Column("b", [], is_number=True)])
    assert (out, err) == ("a  b\n", "")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_text_wraps_between_words_with_its_indent(at: Print, width: int) -> None:
    out, _ = at(width, print_text, Text(f"{CLAUSE} " * 4), indent=4)
    lines = out.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("    ") and len(line) <= width for line in lines)
    assert " ".join(out.split()) == f"{CLAUSE} " * 3 + CLAUSE


def test_a_path_that_is_longer_than_the_line_is_left_whole(at: Print) -> None:
    path = "/a/folder/" + "x" * 90
    out, _ = at(80, print_values, ["bytes"], [path])
    assert path in out.splitlines()[1]


@example(" aa a", 4)
@given(st.text(alphabet="ab日 ", max_size=200), st.integers(1, 60))
def test_wrapping_loses_nothing_and_breaks_only_at_blanks(text: str, width: int) -> None:
    found = wrap(text, width)
    assert " ".join(found).split() == text.split()
    for line in found:
        assert cell_len(line) <= width or " " not in line.strip()


def test_a_line_wraps_below_its_mark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    say("  ! lake/flows: two of nine rows are unusual, which does not block")
    assert capsys.readouterr().err.splitlines() == [
        "  ! lake/flows: two of nine rows are",
        "    unusual, which does not block",
    ]


def test_a_long_step_says_now_and_then_how_far_it_is() -> None:
    seconds = 0.0
    lines: list[str] = []
    count = counter("models", lines.append, lambda: seconds)
    for done in range(1000, 1010):
        seconds += PROGRESS_INTERVAL_S / 4
        count(done, 1200)
    assert lines == ["    1,003 of 1,200 models", "    1,007 of 1,200 models"]

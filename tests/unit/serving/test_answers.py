"""The page of answers on small published files made by hand, with what a day may lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import PublicationError
from dagster_project.serving.answers import (
    answers,
    answers_markdown,
    bars,
    figure_in_words,
    headline,
    print_answers,
)
from tests import contract

Row = Mapping[str, Any]
Rows = Sequence[Row]

RELEASE = {"release_id": "20261125T000000-abc", "as_of": date(2026, 11, 25)}
SOURCES = [
    {"source": name, "title": name.upper(), "last_vintage_at": datetime(2026, 1, 31)}
    for name in ("comtrade_baskets", "baci", "equity_indices")
]
ECONOMIES = [
    {"economy_iso3": code, "name": name}
    for code, name in (("JPN", "Japan"), ("DEU", "Germany"), ("CHN", "China"))
]
CLAIM = {
    "claim_id": "JP-2024-CHINA-OVER-60", "statement": "“In 2024, more than 60%.”",
    "verdict": "depends_on_basis", "explanation": "It depends on the basis.",
}  # fmt: skip


def published(folder: Path, **tables: Rows) -> Path:
    """A file with every contracted table, empty but for these rows (`schema__table=...`)."""
    file = folder / "kido.duckdb"
    filled: dict[str, Rows] = {
        "catalog.releases": [RELEASE],
        "catalog.sources": SOURCES,
        "reference.economies": ECONOMIES,
        **{name.replace("__", "."): rows for name, rows in tables.items()},
    }
    with duckdb.connect(str(file)) as connection:
        for table, columns in contract.published().items():
            every = ", ".join(f'"{name}" {dtype}' for name, dtype in columns.items())
            connection.execute(f"create schema if not exists {table.split('.')[0]}")
            connection.execute(f"create table {table} ({every})")
            for row in filled.get(table, ()):
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"insert into {table} ({names}) values ({marks})", list(row.values())
                )
    return file


def answer(position: int, subject: str, figure: float | None, unit: str, **more: Any) -> Row:
    """A row of `catalog.answers` of Japan, of 2024 unless another period is given."""
    return {
        "importer_iso3": "JPN", "position": position, "subject": subject, "figure": figure,
        "unit": unit, "period": "2024", "detail": "of 22,406 t", "source": "comtrade_baskets",
        "vintage": date(2025, 7, 1), **more,
    }  # fmt: skip


BY_WEIGHT = answer(
    1, "Rare-earth imports from China, by weight", 0.7133, "share",
    trend=[0.8, None, 0.7133], trend_from="2022",
)  # fmt: skip
BY_VALUE = answer(
    2, "Rare-earth imports from China, by value", 0.4398, "share", detail="of USD 442.7 m"
)


def page(file: Path, importer: str, capsys: pytest.CaptureFixture[str]) -> str:
    print_answers(file, importer)
    return " ".join(capsys.readouterr().out.split())


def test_a_warehouse_without_figures_of_an_importer_says_so_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = published(tmp_path, catalog__answers=[BY_WEIGHT])
    found = answers(file, "DEU")
    assert not found.lines
    assert answers_markdown(found).startswith("## Germany: ")
    assert headline(found) == "no figure is known"
    assert page(file, "DEU", capsys).startswith(
        "Germany: dependence on critical minerals as of 2026-11-25 "
        "What changed in the last 30 days Nothing that Kido knows of. "
        "What changes in the next 90 days Nothing that Kido knows of. "
        "No imports of Germany are published, as of 2026-11-25. "
        "No published statement was known on that day."
    )


@pytest.mark.parametrize("table", ["catalog.answers", "exposure.calendar"])
def test_a_file_of_a_version_without_the_page_is_named_in_a_sentence(
    tmp_path: Path, table: str
) -> None:
    file = published(tmp_path)
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"drop table {table}")
    with pytest.raises(PublicationError) as error:
        answers(file, "JPN")
    assert str(error.value) == (
        "kido.duckdb has no page of answers: an earlier version built it. Run kido build."
    )


def test_an_importer_has_its_own_lines_in_their_order(tmp_path: Path) -> None:
    german = {**BY_WEIGHT, "importer_iso3": "DEU", "figure": 0.656}
    found = answers(published(tmp_path, catalog__answers=[BY_VALUE, german, BY_WEIGHT]), "JPN")
    assert [line.position for line in found.lines] == [1, 2]
    assert [line.figure for line in found.lines] == [0.7133, 0.4398]


def test_the_heading_promises_no_year_and_the_headline_names_that_of_each_share(
    tmp_path: Path,
) -> None:
    older = {**BY_WEIGHT, "period": "2022"}
    found = answers(published(tmp_path, catalog__answers=[older, BY_VALUE]), "JPN")
    assert found.title == "Japan: dependence on critical minerals"
    assert headline(found) == (
        "Rare-earth imports from China: by weight 71.3 % in 2022 (of 22,406 t), "
        "by value 44.0 % in 2024 (of USD 442.7 m)"
    )


def test_an_average_of_years_is_printed_with_its_first_and_last_year(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refineries = answer(
        7, "China's refineries", 0.849, "share", period="2016/2020", detail="light 84.9 %"
    )
    file = published(tmp_path, catalog__answers=[BY_WEIGHT, refineries])
    assert "China's refineries 84.9 % 2016 to 2020 light 84.9 %" in page(file, "JPN", capsys)
    markdown = answers_markdown(answers(file, "JPN"))
    assert "| **84.9 %** | 2016 to 2020 | light 84.9 % |" in markdown


def test_a_line_shows_its_figure_period_detail_trend_source_and_vintage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = published(tmp_path, catalog__answers=[BY_WEIGHT])
    assert (
        "Rare-earth imports from China, by weight 71.3 % 2024 of 22,406 t "
        "2022 █ ▇ 2024 comtrade_baskets, vintage 2025-07-01"
    ) in page(file, "JPN", capsys)
    assert (
        "| Rare-earth imports from China, by weight | **71.3 %** | 2024 | of 22,406 t "
        "| 2022\u00a0█\u00a0▇\u00a02024 | COMTRADE_BASKETS, vintage 2025-07-01 |"
    ) in answers_markdown(answers(file, "JPN"))


def test_a_figure_of_several_sources_names_the_title_of_each(tmp_path: Path) -> None:
    both = answer(3, "The same of others", 0.292, "share", source="baci, comtrade_baskets")
    found = answers(published(tmp_path, catalog__answers=[both]), "JPN")
    assert found.lines[0].titles == "BACI and COMTRADE_BASKETS"


def test_a_figure_that_is_not_known_is_a_dash_beside_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = answer(
        9, "China's exports to Japan", None, "t",
        period=None, detail="no figure is known", source=None, vintage=None,
    )  # fmt: skip
    file = published(tmp_path, catalog__answers=[unknown])
    assert "China's exports to Japan – no figure is known No" in page(file, "JPN", capsys)


def test_a_trend_of_months_ends_at_the_last_month_of_an_interval_of_days(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fund = answer(
        12, "REMX, return", -0.05, "return", period="2025-06-30/2026-08-05",
        trend=[1.0, 8.0], trend_from="2026-07",
    )  # fmt: skip
    file = published(tmp_path, catalog__answers=[fund])
    printed = page(file, "JPN", capsys)
    assert "-5.0 % 2025-06-30 to 2026-08-05 of" in printed
    assert "2026-07 ▂█ 2026-08 comtrade" in printed


@pytest.mark.parametrize(
    ("figure", "unit", "words"),
    [
        (0.0, "share", "0.0 %"),
        (0.8182, "return", "+81.8 %"),
        (36.046, "t", "36.0 t"),
        (17.0, "codes", "17 codes"),
        (1.0, "clauses", "1 clause"),
        (239.0, "USD per kg", "239 USD per kg"),
        (157.2503, "JPY per USD", "157.3 JPY per USD"),
        (1.1172, "USD per EUR", "1.117 USD per EUR"),
        (12345.67, "USD per t", "12,346 USD per t"),
        (None, "share", "–"),
    ],
)
def test_a_figure_is_read_by_its_unit(
    tmp_path: Path, figure: float | None, unit: str, words: str
) -> None:
    file = published(tmp_path, catalog__answers=[answer(1, "A figure", figure, unit)])
    assert figure_in_words(answers(file, "JPN").lines[0]) == words


def test_the_claim_about_japan_stands_on_its_page_alone(tmp_path: Path) -> None:
    german = {**BY_WEIGHT, "importer_iso3": "DEU"}
    file = published(tmp_path, catalog__answers=[BY_WEIGHT, german], catalog__claims=[CLAIM])
    claimed = "Claimed: “In 2024, more than 60%.” **It depends on the basis.**"
    assert claimed in answers_markdown(answers(file, "JPN"))
    assert "Claimed" not in answers_markdown(answers(file, "DEU"))
    assert "1 published statement, each" in answers_markdown(answers(file, "DEU"))


def test_bars_run_from_the_least_to_the_largest_with_gaps() -> None:
    assert bars([0.0, None, 7.0, 3.0]) == "▁ █▄"
    assert bars([7.0, 6.0]) == "█▇"
    assert bars([-3.5, 0.0, 3.5]) == "▁▅█"
    assert bars([None, None]) == ""
    assert bars([3.0, 3.0]) == "██"
    assert bars([0.0, 0.0]) == "▁▁"

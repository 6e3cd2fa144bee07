"""Results as they are kept and shown: JSON there and back, rows of the catalog, one page."""

import json
import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.report import render_report
from dagster_project.quality.results import CheckResult, as_frame, from_json, merge, to_json
from dagster_project.quality.rules import Suite, report, stop

SAMPLE = pl.DataFrame(
    {
        "row_number": [3, 9],
        "price_date": [date(2026, 10, 29), None],
        "vintage_at": [datetime(2026, 10, 30, 12), None],
        "close": [float("nan"), -1.5],
        "target_names": [["a", "b"], []],
        "note": ["<script>alert(1)</script>", None],
    }
)
FAILED = CheckResult(
    "lake", "price_quotes", "close_is_positive", "great_expectations", "warn", "failed",
    "2 of 9 rows, first -1.5", 2, SAMPLE, "0 or less is a mark for missing.",
)  # fmt: skip
PASSED = CheckResult(
    "mart", "market.prices", "unique_prices", "dbt", "error", "passed", "no offending rows", 0,
    None, "",
)  # fmt: skip
BROKEN = CheckResult(
    "mart", "market.prices", "unit_is_not_blank", "great_expectations", "error", "could_not_run",
    "column unit is missing", 0, None, "A price of nothing.",
)  # fmt: skip


def test_results_are_rows_of_the_catalog_in_the_order_given() -> None:
    frame = as_frame([replace(FAILED, checked_in="before"), PASSED], "now")
    assert frame.schema == {
        "layer": pl.String, "table_name": pl.String, "check_name": pl.String, "engine": pl.String,
        "severity": pl.String, "status": pl.String, "observed": pl.String,
        "failing_rows": pl.Int64, "checked_in": pl.String,
    }  # fmt: skip
    assert frame.rows() == [
        ("lake", "price_quotes", "close_is_positive", "great_expectations", "warn", "failed",
         "2 of 9 rows, first -1.5", 2, "before"),
        ("mart", "market.prices", "unique_prices", "dbt", "error", "passed", "no offending rows",
         0, "now"),
    ]  # fmt: skip


def test_no_results_are_a_typed_frame_without_rows() -> None:
    assert as_frame([], "now").schema["failing_rows"] == pl.Int64
    assert as_frame([], "now").height == 0


def test_results_come_back_from_json_with_their_samples() -> None:
    results = from_json(json.loads(json.dumps(to_json([FAILED, PASSED, BROKEN]), allow_nan=False)))
    assert as_frame(results, "now").equals(as_frame([FAILED, PASSED, BROKEN], "now"))
    assert [result.explanation for result in results] == [
        "0 or less is a mark for missing.", "", "A price of nothing.",
    ]  # fmt: skip
    assert [result.sample is None for result in results] == [False, True, True]
    assert results[0].sample is not None
    first = results[0].sample.row(0, named=True)
    assert first["price_date"] == "2026-10-29"
    assert first["vintage_at"] == "2026-10-30T12:00:00"
    assert first["target_names"] == ["a", "b"]
    assert results[0].sample["row_number"].to_list() == [3, 9]


def test_the_page_lists_what_did_not_pass_first_and_shows_its_rows() -> None:
    page = render_report([PASSED, FAILED, BROKEN], title="Build of 2026-11-25")
    assert "3 checks: 1 passed, 1 failed, 1 could not run; 1 blocking failure." in page
    broken, failed, passed = (
        page.index(words)
        for words in ("column unit is missing", "2 of 9 rows, first -1.5", "no offending rows")
    )
    assert broken < failed < passed
    assert "<td>2026-10-29</td>" in page
    assert "0 or less is a mark for missing." in page


def test_the_page_stands_alone_and_runs_nothing_from_the_data() -> None:
    page = render_report([FAILED])
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)


def test_a_page_of_a_build_without_trouble_has_no_such_heading() -> None:
    page = render_report([PASSED])
    assert "What did not pass" not in page
    assert "1 check: 1 passed; 0 blocking failures." in page


def test_data_docs_hold_every_suite_with_the_rules_and_what_was_found(tmp_path: Path) -> None:
    frame = pl.DataFrame({"close": [1.0, -4321.0], "day": [date(2026, 1, 1)] * 2})
    prices = Suite(
        "mart",
        "market.prices",
        (
            stop(
                "close_is_positive", "Nothing is sold for less than nothing.",
                "ExpectColumnValuesToBeBetween", column="close", min_value=0,
            ),
            report(
                "half_is_low", "", "ExpectColumnValuesToBeBetween", {"half": pl.col("close") / 2},
                column="half", max_value=9,
            ),
        ),
    )  # fmt: skip
    other = Suite(
        "lake",
        "quotes",
        (stop("there_are_rows", "", "ExpectTableRowCountToBeBetween", min_value=1),),
    )
    site = tmp_path / "site"
    (site / "of_yesterday").mkdir(parents=True)
    index = build_data_docs([(prices, frame), (other, frame)], site, today=date(2026, 11, 25))
    assert index == site / "index.html"
    listed = index.read_text("utf8")
    assert "market.prices" in listed
    assert "quotes" in listed
    assert "as_of_2026-11-25" in listed
    linked = re.findall(r"(?:validations|expectations)/[\w./-]+\.html", listed)
    pages = [site / page for page in linked]
    assert {page.name for page in pages} >= {"frames-market.prices.html", "frames-quotes.html"}
    assert all(page.is_file() for page in pages)
    (validation,) = site.rglob("frames-market.prices.html")
    assert "-4321" in validation.read_text("utf8")
    (suite,) = (site / "expectations").rglob("prices.html")
    assert "Nothing is sold for less than nothing." in suite.read_text("utf8")
    assert not (site / "of_yesterday").exists()


@pytest.mark.parametrize("status", ["passed", "failed", "could_not_run"])
def test_every_status_has_words_on_the_page(status: str) -> None:
    records = to_json([PASSED])
    records[0]["status"] = status
    assert status.replace("_", " ") in render_report(from_json(records))


def test_batches_of_one_table_become_one_row_per_check_and_the_worst_counts() -> None:
    def result(status: str, rows: int, observed: str) -> CheckResult:
        return CheckResult(
            layer="lake",
            table_name="price_quotes",
            check_name="close_is_positive",
            engine="great_expectations",
            severity="error",
            status=status,  # type: ignore[arg-type]
            observed=observed,
            failing_rows=rows,
            sample=pl.DataFrame({"close": [-1.0] * rows}) if rows else None,
            explanation="",
        )

    (merged,) = merge(
        [result("passed", 0, "all rows"), result("failed", 2, "two"), result("failed", 1, "one")]
    )
    assert (merged.status, merged.failing_rows, merged.observed) == ("failed", 3, "two; one")
    assert merged.sample is not None
    assert merged.sample.height == 3
    (unrun,) = merge([result("failed", 1, "one"), result("could_not_run", 0, "no column")])
    assert unrun.status == "could_not_run"


class Loaded(HTMLParser):
    """What a browser loads for a page without a click, and where its links lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        text = page.read_text("utf8")
        self.styles = re.findall(r"@import|url\(", text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in ("script", "link", "img", "iframe", "object", "embed", "base"):
            self.loaded.append(tag)
        self.loaded += [f"{tag} {name}" for name in ("src", "srcset", "onclick") if name in given]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data Docs of a suite with a rule of each outcome, and of one that passes."""
    frame = pl.DataFrame({"close": [1.0, -4321.0], "code": ["a", "<script>alert(1)</script>"]})
    between = "ExpectColumnValuesToBeBetween"
    prices = Suite(
        "mart",
        "market.prices",
        (
            stop("close_is_positive", "Nothing is sold for *less*.", between, column="close",
                 min_value=0),
            stop("close_is_low", "", between, column="close", max_value=9),
            stop("code_is_known", "", "ExpectColumnValuesToBeInSet", column="code",
                 value_set=["a"]),
            report("no_such_column", "", between, column="open", min_value=0),
        ),
    )  # fmt: skip
    rows = stop("there_are_rows", "", "ExpectTableRowCountToBeBetween", min_value=1)
    others = [Suite("mart", f"trade.{name}", (rows,)) for name in ("flows", "a_b")]
    folder = tmp_path_factory.mktemp("docs") / "site"
    build_data_docs(((suite, frame) for suite in (*others, prices)), folder)
    return folder


def test_data_docs_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) == 7
    for page in pages:
        found = Loaded(page)
        assert (found.loaded, found.styles) == ([], []), page
    assert {path.suffix for path in site.rglob("*") if path.is_file()} == {".html"}


def test_every_link_of_data_docs_leads_to_a_page_and_every_page_has_one(site: Path) -> None:
    reached = {site / "index.html"}
    for page in site.rglob("*.html"):
        for link in Loaded(page).links:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.is_file(), (page, link)
            assert not anchor or f'id="{anchor}"' in target.read_text("utf8"), (page, link)
            reached.add(target)
    assert reached == set(site.rglob("*.html"))


def test_the_index_of_data_docs_lists_what_failed_first(site: Path) -> None:
    index = (site / "index.html").read_text("utf8")
    rows = re.findall(r"<tr><td>.*?</tr>", index, re.DOTALL)
    words = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
    shown = [(text.split()[0], text.split()[-1]) for text in words[:3]]
    assert shown == [
        ("failed", "market.prices"),
        ("passed", "trade.a_b"),
        ("passed", "trade.flows"),
    ]
    assert words[3:] == ["market.prices", "trade.a_b", "trade.flows"]


def test_data_docs_show_what_was_found_and_run_nothing_from_the_data(site: Path) -> None:
    (page,) = site.rglob("frames-market.prices.html")
    text = page.read_text("utf8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "1 unexpected values found. 50% of 2 total rows." in text
    assert 'The column "open" in BatchData does not exist.' in text
    marks = re.findall(r'<i class="fas (\S+) (?:text-\w+)[^>]*>', text)
    assert sorted(marks) == [
        "fa-check-circle", "fa-exclamation-triangle", "fa-times", "fa-times", "fa-times",
    ]  # fmt: skip
    (suite,) = (site / "expectations").rglob("prices.html")
    assert "Nothing is sold for <em>less</em>." in suite.read_text("utf8")

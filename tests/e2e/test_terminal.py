"""The pages of the default warehouse in a terminal of 80 columns, as an analyst reads them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from dagster_project.serving.answers import print_answers
from dagster_project.serving.measures import measures_on, print_measures
from dagster_project.serving.query import run_query
from dagster_project.serving.tables import describe, print_description, published_tables
from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment, run_kido

WIDTH = 80


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def too_long(printed: str) -> list[str]:
    """Lines beyond the terminal; a path, address or hash is left whole, in a line of its own."""
    return [
        line
        for line in printed.splitlines()
        if cell_len(line) > WIDTH and len(line.split()) > 1
    ]  # fmt: skip


def test_every_table_is_described_with_its_grain_and_the_meaning_of_its_columns(
    built: Path, published: object, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = published_tables(built / "kido.duckdb")
    assert len(tables) > 60
    for table in tables:
        found = describe(built / "kido.duckdb", table.name)
        print_description(found)
        out, err = capsys.readouterr()
        assert too_long(out + err) == [], table.name
        assert "meaning" not in err, table.name
        assert f"{table.name}: " in out
        assert all(column.description for column in found.columns), table.name


def test_figures_come_from_the_sources_that_their_rows_name(built: Path) -> None:
    shares = describe(built / "kido.duckdb", "dependency.supplier_shares")
    assert [source.source for source in shares.sources] == [
        "baci", "baci_top_flows", "comexstat", "comtrade_baskets", "hmrc",
    ]  # fmt: skip
    prices = describe(built / "kido.duckdb", "market.prices")
    assert {"ecb", "pink_sheet"} <= {source.source for source in prices.sources}


@pytest.mark.parametrize("importer", ["JPN", "DEU"])
def test_the_pages_of_an_importer_fit(
    built: Path, importer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_answers(built / "kido.duckdb", importer)
    print_measures(measures_on(built / "kido.duckdb", importer))
    printed = capsys.readouterr().out
    assert "in force" in printed.lower()
    assert too_long(printed) == []


def test_every_table_fits_when_all_of_it_is_asked_for(
    built: Path, published: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By another name: a query has no access to other files, nor has whoever else in this process
    holds the file open.
    """
    file = tmp_path / "kido.duckdb"
    os.link(built / "kido.duckdb", file)
    for table in published_tables(file):
        run_query(file, f"from {table.name} limit 20")
        out, err = capsys.readouterr()
        assert too_long(out) == [], table.name
        remarks = " ".join(err.split())
        _, is_cut, names = remarks.partition("Left out, as they do not fit: ")
        left_out = names.partition(". ")[0].split(", ") if is_cut else []
        described = describe(built / "kido.duckdb", table.name)
        every = [column.column_name for column in described.columns]
        assert set(left_out) <= set(every), table.name
        printed = {word.rstrip(",") for word in out.split()}
        assert set(every) - set(left_out) <= printed, table.name


def test_ctrl_c_ends_a_query_that_has_no_end(built: Path) -> None:
    kido = subprocess.Popen(
        [
            sys.executable, "-m", "dagster_project.cli", "query",
            "select count(*) from range(10000000) as a, range(10000000) as b "
            "where a.range + b.range = 7",
        ],
        cwd=CHECKOUT, env={**clean_environment(), "KIDO_HOME": str(built)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell that runs the tests in the background has its children ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    with kido:
        with contextlib.suppress(subprocess.TimeoutExpired):
            kido.wait(timeout=3)
        assert kido.poll() is None
        kido.send_signal(signal.SIGINT)
        out, err = kido.communicate(timeout=60)
    assert (kido.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_a_way_back_fits(built: Path) -> None:
    shown = run_kido(
        built, "trace", "dependency.supplier_shares", "importer_iso3=JPN",
        "mineral_group=rare_earths", "frequency=A", "period_start=2024", "measure=net_weight_kg",
        "supplier_iso3=CHN",
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "15981526.0" in shown.stdout
    assert too_long(shown.stdout) == []

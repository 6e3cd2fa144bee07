"""What a data engineer does in the UI, in a browser: backfill, cancel, build, look at what failed.

Chromium opens the UI that `make dev` has started on a new home. Two publishers have stand-ins: UN
Comtrade, and the European Central Bank, whose rates end on 2026-10-30. With --update-pictures the
pictures are those of the docs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.ecb import FakeEcb
from tests.nightly import nightly

CHROMIUM = shutil.which("chromium")
LONG_MS = 900_000
"""Until a test gives up on a build."""

pytestmark = [
    nightly,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(
        not (CHECKOUT / ".venv" / ".ready").exists(), reason="make dev would install first"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The UI of a new home, as `make dev` starts it."""
    folder = tmp_path_factory.mktemp("browser")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    flows = flows_for([392, 842], [156, 704], ["280530", "284690"], ["2022", "2023"])
    with FakeComtrade(flows, key="secret") as comtrade, FakeEcb() as ecb:
        settings = {
            "KIDO_HOME": str(folder / "home"),
            "KIDO_COMTRADE_URL": comtrade.root,
            "KIDO_COMTRADE_KEY": "secret",
            "KIDO_ECB_URL": ecb.root,
            "KIDO_ECB_ENABLED": "true",
        }
        with (folder / "ui.log").open("wb") as printed:
            process = subprocess.Popen(
                ["make", "dev", f"PORT={port}"], cwd=CHECKOUT, stdout=printed,
                stderr=subprocess.STDOUT, env={**clean_environment(), **settings},
                start_new_session=True,
            )  # fmt: skip
        try:
            wait_until_ready(folder / "ui.log", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def wait_until_ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if "Ready: " in log.read_text("utf8"):
            return
        assert process.poll() is None, log.read_text("utf8")
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text("utf8"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 1500, "height": 950})
    opened.set_default_timeout(120_000)
    yield opened
    opened.close()


def launch_build(page: Page, address: str) -> None:
    """*Jobs*, `build`, **Materialize all**; opens the page of the run."""
    page.goto(f"{address}/locations/kido/jobs/build")
    page.get_by_role("button", name="Materialize all").click()
    launched = page.get_by_text("Launched run").first
    # What can be backfilled and was not yet is asked about.
    confirm = page.get_by_role("button", name="Confirm")
    confirm.or_(launched).first.wait_for()
    if confirm.count():
        confirm.click()
    launched.wait_for()
    page.get_by_text("View", exact=True).first.click()


def test_two_years_are_backfilled_in_one_run(page: Page, address: str, pictures: Path) -> None:
    page.goto(f"{address}/assets/landing/comtrade_annual?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    years = page.get_by_placeholder("ex: 2000")
    years.fill("[2022...2023]")
    years.press("Enter")
    page.screenshot(path=pictures / "backfill.png")
    page.get_by_role("button", name="Launch backfill").click()
    page.goto(f"{address}/assets/landing/comtrade_annual?view=partitions")
    page.get_by_text("Materialized (2)").wait_for()
    assert page.get_by_text("Failed (0)").count() == 1


def test_a_run_is_cancelled(page: Page, address: str, pictures: Path) -> None:
    launch_build(page, address)
    page.get_by_text(re.compile(r"Succeeded \([1-9]")).wait_for()
    page.get_by_role("button", name="Terminate").first.click()
    page.get_by_role("button", name=re.compile("erminat.* 1 run")).click()
    page.get_by_text("Canceled", exact=True).first.wait_for()
    # The list of runs, not their logs: these name folders of the machine.
    page.goto(f"{address}/runs")
    page.get_by_text("Canceled", exact=True).first.wait_for()
    page.screenshot(path=pictures / "cancelled-run.png")


def test_the_whole_graph_is_materialised(page: Page, address: str, pictures: Path) -> None:
    launch_build(page, address)
    outcome = re.compile("^(Success|Failure|Canceled)$")
    page.get_by_text(outcome).first.wait_for(timeout=LONG_MS)
    assert page.get_by_text(outcome).first.inner_text() == "Success"
    page.goto(f"{address}/assets/published/warehouse")
    # The bundled figures: what Japan declared of 2024.
    page.get_by_text("Rare-earth imports from China: by weight 71.3 % in 2024").first.wait_for()
    page.screenshot(path=pictures / "published.png")


def test_a_failed_check_shows_its_rows(page: Page, address: str, pictures: Path) -> None:
    """A trade of goods that cost less than a cent a kilogram: reported, not refused."""
    page.goto(f"{address}/assets/lake/baci_reconciled_trade?view=checks")
    page.get_by_text("every_rule_of_the_suite_holds").first.click()
    page.get_by_text("unit value is plausible").first.wait_for()
    assert page.get_by_text("unit_value_is_plausible: 102 of").count() == 1
    page.get_by_text("[Show Markdown]").first.click()
    page.get_by_role("columnheader", name="exporter_iso3").first.wait_for()
    page.screenshot(path=pictures / "failed-check.png")


def test_a_late_source_was_asked_and_is_late_all_the_same(
    page: Page, address: str, pictures: Path
) -> None:
    """Its landing is fresh: it was asked. Its publisher should have published more since."""
    page.goto(f"{address}/assets/landing/ecb")
    page.get_by_text("Passing").first.wait_for(timeout=LONG_MS)  # the daemon evaluates it
    page.screenshot(path=pictures / "late-source.png")
    assert page.get_by_text("Fresh if materialized no earlier than 24 hours").count() == 1
    page.goto(f"{address}/assets/landing/ecb?view=checks")
    page.get_by_text("published_period_is_held").first.click()
    page.get_by_text(re.compile(r"held through 2026-10-30, late by \d+ days")).first.wait_for()
    page.screenshot(path=pictures / "late-check.png")


def test_the_closed_graph_fits_a_screen(page: Page, address: str, pictures: Path) -> None:
    page.goto(f"{address}/asset-groups")
    groups = ("published", "market", "exposure", "trade", "dependency", "reference")
    for name in groups:
        page.get_by_text(name, exact=True).last.wait_for()
    page.wait_for_timeout(3_000)
    page.screenshot(path=pictures / "graph.png")


def test_one_switch_builds_what_landed(page: Page, address: str, pictures: Path) -> None:
    page.goto(f"{address}/locations/kido/sensors/build_what_landed")
    switch = page.locator("label[class*=formatSwitch]")
    expect(switch.locator("input")).not_to_be_checked()
    switch.click()
    expect(switch.locator("input")).to_be_checked()
    page.reload()
    expect(switch.locator("input")).to_be_checked()
    page.goto(f"{address}/automation")
    page.get_by_text("Automation condition sensor").first.wait_for()
    page.screenshot(path=pictures / "automation.png")

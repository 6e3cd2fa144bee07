"""What a person at a terminal sees of a run."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.orchestration.execute import direct_stderr
from dagster_project.orchestration.keys import PUBLISHED
from dagster_project.orchestration.progress import StageHandler
from dagster_project.serving.terminal import say

REASON = "dbt: 1 failed: answers: Binder Error: no such column."


def lines_of_a_failed_step(*observed: str) -> list[str]:
    """The lines of a run whose one step fails for `REASON`, after failed checks that show these."""
    lines: list[str] = []
    names = [f"check_{number}" for number in range(len(observed))]

    @dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="dbt_build") for name in names])
    def dbt_build() -> Iterator[dg.AssetCheckResult]:
        for name, text in zip(names, observed, strict=True):
            yield dg.AssetCheckResult(check_name=name, passed=False, metadata={"observed": text})
        raise dg.Failure(REASON)

    assert not run(dbt_build, lines)
    return [line.strip() for line in lines]


def run(asset: dg.AssetsDefinition, lines: list[str]) -> bool:
    """Run it, its lines added to these; whether it succeeded."""

    @dg.logger
    def console(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("stages", logging.DEBUG)
        logger.addHandler(StageHandler(lines.append))
        return logger

    definitions = dg.Definitions(
        assets=[asset], jobs=[dg.define_asset_job("build")], loggers={"console": console}
    )
    result = definitions.resolve_job_def("build").execute_in_process(
        run_config={"loggers": {"console": {}}}, raise_on_error=False
    )
    return result.success


def line_of_a_warning(key: dg.AssetKey, observed: str) -> str:
    """The lines of a check of an asset that warns of this."""

    @dg.multi_asset(
        name="lake__flows",
        specs=[dg.AssetSpec(key)],
        check_specs=[dg.AssetCheckSpec("odd", asset=key)],
    )
    def flows() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        yield dg.MaterializeResult(asset_key=key)
        yield dg.AssetCheckResult(
            asset_key=key, check_name="odd", passed=False, metadata={"observed": observed},
            severity=dg.AssetCheckSeverity.WARN,
        )  # fmt: skip

    lines: list[str] = []
    assert run(flows, lines)
    return lines[0]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, dg.DagsterExecutionInterruptedError])
def test_a_run_that_was_interrupted_says_so(raised: type[BaseException]) -> None:
    @dg.asset
    def dbt_build() -> None:
        raise raised

    lines: list[str] = []
    assert not run(dbt_build, lines)
    assert [line.strip() for line in lines] == ["✗ marts built: interrupted", "✗ interrupted"]


def test_a_check_that_failed_is_the_reason_and_the_step_only_stops() -> None:
    assert lines_of_a_failed_step("3 rows, first CHN") == [
        "✗ dbt_build: check_0: 3 rows, first CHN",
        "✗ marts built: stopped",
    ]


def test_checks_that_were_skipped_hide_no_reason() -> None:
    """Where a model fails, dbt skips its checks and those of all that read it."""
    assert lines_of_a_failed_step("skipped", "skipped") == [f"✗ marts built: {REASON}"]


def test_a_warning_names_table_and_finding_and_says_that_it_does_not_block(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    assert line_of_a_warning(dg.AssetKey(["lake", "flows"]), "2 of 9 rows, first x") == (
        "  ! lake/flows: odd: 2 of 9 rows, first x. It does not block; "
        f"rows in {tmp_path / 'reports' / 'checks.html'}"
    )


@pytest.mark.parametrize("news", [["Ten times as much."], ["Ten times as much.", "A fifth."]])
def test_news_of_a_published_file_are_read_on_in_its_catalog(news: list[str]) -> None:
    """They come after the report of the audit, which cannot have them."""
    assert line_of_a_warning(PUBLISHED, "\n".join(news)).splitlines() == [
        "  ! published/warehouse: odd:",
        *(f"      {sentence}" for sentence in news),
        "    It does not block; kido query \"from catalog.checks where status <> 'passed'\"",
    ]


def test_a_source_bears_the_name_one_types() -> None:
    @dg.asset(name="landing__baci_top_flows")
    def landing() -> None: ...

    lines: list[str] = []
    assert run(landing, lines)
    (line,) = lines
    assert line.startswith("  landed baci_top_flows (")


def test_the_last_line_is_printed_though_nothing_copies_what_dagster_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Dagster keeps what a run prints, and has `tail` copy it: here a `tail` that is too slow."""
    slow = tmp_path / "bin" / "tail"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")

    @dg.asset
    def flows() -> None:
        say("flows are read")

    instance = dg.DagsterInstance.local_temp(
        str(tmp_path), overrides={"telemetry": {"enabled": False}}
    )
    with direct_stderr(), instance:
        assert dg.materialize([flows], instance=instance).success
    assert "flows are read\n" in capfd.readouterr().err

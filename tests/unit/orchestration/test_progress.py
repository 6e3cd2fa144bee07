"""What a person at a terminal sees of a run."""

import logging
from collections.abc import Iterator

import dagster as dg

from dagster_project.orchestration.progress import StageHandler

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

    @dg.logger
    def console(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("stages", logging.DEBUG)
        logger.addHandler(StageHandler(lines.append))
        return logger

    definitions = dg.Definitions(
        assets=[dbt_build], jobs=[dg.define_asset_job("build")], loggers={"console": console}
    )
    result = definitions.resolve_job_def("build").execute_in_process(
        run_config={"loggers": {"console": {}}}, raise_on_error=False
    )
    assert not result.success
    return [line.strip() for line in lines]


def test_a_check_that_failed_is_the_reason_and_the_step_only_stops() -> None:
    assert lines_of_a_failed_step("3 rows, first CHN") == [
        "✗ dbt_build: check_0: 3 rows, first CHN",
        "✗ marts built: stopped",
    ]


def test_checks_that_were_skipped_hide_no_reason() -> None:
    """Where a model fails, dbt skips its checks and those of all that read it."""
    assert lines_of_a_failed_step("skipped", "skipped") == [f"✗ marts built: {REASON}"]

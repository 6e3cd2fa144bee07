"""Progress of a run at a terminal: a line per stage, a line per failed check."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import dagster as dg

from dagster_project.errors import counted
from dagster_project.lake.space import disk_full
from dagster_project.orchestration.keys import PUBLISHED
from dagster_project.orchestration.lateness_checks import HELD, LATENESS_STEP
from dagster_project.orchestration.metadata import SKIPPED, SUITE_CHECK
from dagster_project.orchestration.notice_checks import NOTICE_STEP, READ, TO_BE_READ
from dagster_project.serving.publication import SHOW_FAILED_CHECKS
from dagster_project.serving.terminal import say
from dagster_project.settings import Settings

STAGES = {
    "landing__": "landed", "lake__": "typed", "dbt_build": "marts built",
    "published__": "published",
}  # fmt: skip

INTERRUPTIONS = (KeyboardInterrupt.__name__, dg.DagsterExecutionInterruptedError.__name__)
"""What a signal (Ctrl-C, the UI's Terminate) raises in a step: dbt's, and Dagster's."""


class StageHandler(logging.Handler):
    """Turns Dagster's events into lines; all other output of Dagster is in the UI only."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._write = write
        self._explained: set[str] = set()
        """Steps whose failure a failed check has explained already."""
        self._materialized: set[str] = set()
        """Steps that have materialized an asset."""
        self._late: list[str] = []
        """Sources with a missing period, each with the days since it was due."""
        self._unread = 0
        """Official notices that nobody has read."""

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        line = self._line_of(event) if event is not None else None
        if line:
            self._write(f"  {line}")

    def _line_of(self, event: Any) -> str | None:
        """The line for an event; None for most events."""
        kind = event.event_type
        if kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._materialized.add(event.step_key)
        if kind == dg.DagsterEventType.STEP_SUCCESS:
            if event.step_key == "dbt_build" and event.step_key not in self._materialized:
                return None  # nothing is new
            if event.step_key == LATENESS_STEP:
                return self._late_sources()
            if event.step_key == NOTICE_STEP:
                return self._unread_notices()
            seconds = event.step_success_data.duration_ms / 1000
            return f"{_stage(event.step_key)} ({seconds:.1f} s)"
        if kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            return self._failed_check(event)
        if kind == dg.DagsterEventType.STEP_FAILURE:
            # The failure of the step names the next command for a blocked build.
            is_explained = event.step_key in self._explained
            is_brief = is_explained and not event.step_key.startswith("published")
            return f"✗ {_stage(event.step_key)}: {'stopped' if is_brief else failure_of(event)}"
        if kind == dg.DagsterEventType.ENGINE_EVENT and "blocked by" in (event.message or ""):
            return f"… {_stage(event.step_key or '')} waits for another run"
        if kind == dg.DagsterEventType.RUN_FAILURE:
            data = event.job_failure_data
            if data.error and not data.first_step_failure_event:
                return f"✗ {_cause_of(data.error)}"
        return None

    def _late_sources(self) -> str | None:
        if not self._late:
            return None
        return (
            f"! A published period is missing: {', '.join(sorted(self._late))}. kido fetch asks "
            "for it on the publisher's days. This blocks nothing"
        )

    def _unread_notices(self) -> str | None:
        if not self._unread:
            return None
        are_unread = "is" if self._unread == 1 else "are"
        return (
            f"! {counted(self._unread, 'official notice')} {are_unread} to be read: kido notices. "
            "This blocks nothing"
        )

    def _failed_check(self, event: Any) -> str | None:
        evaluation = event.asset_check_evaluation_data
        if evaluation.check_name == READ:
            if TO_BE_READ in evaluation.metadata:
                self._unread = evaluation.metadata[TO_BE_READ].value
            return None
        if evaluation.passed:
            return None
        if evaluation.check_name == HELD:
            days = evaluation.metadata["days_late"].value
            source = evaluation.asset_key.path[-1]
            self._late.append(f"{source} ({counted(days, 'day')})")
            return None
        observed = evaluation.metadata.get("observed") or evaluation.metadata.get("answer")
        finding = getattr(observed, "value", None) or "see the run in the UI"
        if finding == SKIPPED:
            return None
        is_error = evaluation.severity == dg.AssetCheckSeverity.ERROR
        if is_error:
            self._explained.add(event.step_key)
        named = "" if evaluation.check_name == SUITE_CHECK else f" {evaluation.check_name}:"
        lines = str(finding).splitlines()
        # Losses of readers are always printed as a list, even a single one.
        is_short = len(lines) == 1 and evaluation.asset_key != PUBLISHED
        finding = f" {lines[0]}" if is_short else "".join(f"\n      {line}" for line in lines)
        sentence = f"{evaluation.asset_key.to_user_string()}:{named}{finding}"
        if is_error:
            return f"✗ {sentence}"
        more = SHOW_FAILED_CHECKS if evaluation.asset_key == PUBLISHED else f"rows in {_report()}"
        end = f"{'' if finding.endswith(('.', '…')) else '.'} " if is_short else "\n    "
        return f"! {sentence}{end}It does not block; {more}"


def _report() -> str:
    return str(Settings.load().reports_dir / "checks.html")


def failure_of(event: Any) -> str:
    """The reason of a step's failure, in one sentence."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        reason = str(data.user_failure_data.description)
    else:
        error = data.error.cause or data.error if data.error else None
        if error and error.cls_name in INTERRUPTIONS:
            return "interrupted"
        reason = error.message.strip().splitlines()[-1] if error else "no reason was given"
    return str(disk_full(reason, Settings.load().folders) or reason)


def _cause_of(error: Any) -> str:
    """The cause of a run's error in one line: Kido's own sentence if there is one."""
    sentence = f"{dg.Failure.__module__}.{dg.Failure.__qualname__}: "
    while error.cause and not error.message.startswith(sentence):
        error = error.cause
    if error.cls_name in INTERRUPTIONS:
        return "interrupted"
    return str(error.message.strip().splitlines()[0]).removeprefix(sentence)


def _stage(step: str) -> str:
    name = next((name for name in STAGES if step.startswith(name)), "")
    subject = step.removeprefix(name) if name.endswith("__") else ""
    return f"{STAGES.get(name, step)} {subject}".rstrip() if name else step


def _stage_logger(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("kido.stages", logging.DEBUG)
    logger.addHandler(StageHandler(say))
    return logger


stage_logger = dg.LoggerDefinition(
    _stage_logger, description="One line per stage and per failed check."
)

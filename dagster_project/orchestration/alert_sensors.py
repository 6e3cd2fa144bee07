"""Sensors that say what needs a person, one per kind of problem; off until switched on in the UI.

Each tick finds the problems that stand, and compares them with what was said: its cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import dagster as dg
from pydantic import ValidationError

from dagster_project.alerts.clauses import restriction_clauses
from dagster_project.alerts.messages import Record, next_record
from dagster_project.alerts.notices import unread_notices
from dagster_project.alerts.problems import KINDS, Kind, Problem, Unexamined, counted_together
from dagster_project.alerts.send import VARIABLE, addresses, send_waiting
from dagster_project.errors import counted
from dagster_project.orchestration.failed_checks import failed_checks
from dagster_project.orchestration.failed_runs import failed_runs
from dagster_project.orchestration.keys import PUBLISHED
from dagster_project.orchestration.notice_checks import READ
from dagster_project.orchestration.standing import Installation, blocked_releases, late_sources
from dagster_project.settings import Settings

Finder = Callable[[Installation], Iterable[Problem | Unexamined]]

_MINUTE, _HOUR = 60, 3600


def _changing_clauses(installation: Installation) -> Iterator[Problem]:
    return restriction_clauses(installation.settings, installation.links.asset(*PUBLISHED.path))


def _notices(installation: Installation) -> Iterator[Problem]:
    return unread_notices(installation.settings, installation.links.check(READ, *PUBLISHED.path))


_FINDERS: Mapping[Kind, tuple[Finder, int, str]] = MappingProxyType(
    {
        "failed_runs": (
            failed_runs, _MINUTE,
            "Says when the runs of a job fail or are cancelled, and when one succeeds again.",
        ),
        "failed_checks": (
            failed_checks, _MINUTE,
            "Says when a check fails, gets worse or did not run, and when it passes again.",
        ),
        "blocked_releases": (
            blocked_releases, _MINUTE,
            "Says when a release is blocked since readers would lose data, and when no more.",
        ),
        "late_sources": (
            late_sources, _HOUR,
            "Says when a source is late, by 7 and by 30 days, and when it has caught up.",
        ),
        "restriction_clauses": (
            _changing_clauses, _HOUR,
            "Says 30 days ahead, and on the day, that a clause changes its state.",
        ),
        "notices": (
            _notices, _HOUR,
            "Says that an official notice is to be read; of many at once, how many they are.",
        ),
    }
)  # fmt: skip
"""By kind: what finds its problems, how often (seconds), and the description of its sensor."""
assert set(_FINDERS) == set(KINDS)


def alert_sensors() -> list[dg.SensorDefinition]:
    """A sensor per kind of problem."""
    return [_sensor(kind, *of_kind) for kind, of_kind in _FINDERS.items()]


def standing_problems(installation: Installation) -> Iterator[Problem]:
    """The problems of all kinds that stand now; of many of a batch, their number."""
    for finder, *_ in _FINDERS.values():
        yield from counted_together(
            [each for each in finder(installation) if isinstance(each, Problem)]
        )


def _sensor(kind: Kind, finder: Finder, interval: int, description: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=kind,
        minimum_interval_seconds=interval,
        description=f"{description} To the addresses of {VARIABLE}.",
        default_status=dg.DefaultSensorStatus.STOPPED,
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settings = Settings.load()
        to = addresses(settings)
        if not to:
            return dg.SkipReason(f"{VARIABLE} is not set, so no message is sent.")
        assert context.repository_def is not None
        before = _record(context.cursor)
        standing, error = _examine(
            finder, Installation(settings, context.instance, context.repository_def)
        )
        if error:
            standing = [Unexamined(kind, subject) for subject in before.reported]
        record = next_record(before, kind, standing, [address.name for address in to])
        record, accepted, failed = send_waiting(record, to)
        if error and not accepted:
            raise error
        context.update_cursor(record.model_dump_json(exclude_defaults=True))
        for name, reason in failed.items():
            context.log.warning(f"{name} did not accept a message: {reason}")
        if error:
            # The tick does not fail, since a failed one would forget what was accepted.
            context.log.error("The problems could not be examined.", exc_info=error)
            return dg.SkipReason(
                f"{counted(accepted, 'message')} accepted that had waited; the problems could not "
                f"be examined: {type(error).__name__}."
            )
        problems = [each for each in standing if isinstance(each, Problem)]
        return dg.SkipReason(_in_words(problems, accepted, record))

    return sensor


def _examine(
    finder: Finder, installation: Installation
) -> tuple[list[Problem | Unexamined], Exception | None]:
    """What a finder finds, or the error that it ends with."""
    try:
        return list(finder(installation)), None
    except Exception as error:
        return [], error


def _record(cursor: str | None) -> Record:
    """The record of a cursor; of one that somebody changed in the UI, an empty record."""
    try:
        return Record.model_validate_json(cursor) if cursor else Record()
    except ValidationError:
        return Record()


def _in_words(problems: Iterable[Problem], accepted: int, record: Record) -> str:
    standing = counted(len(list(problems)), "problem")
    sentence = f"{standing} now; {counted(accepted, 'message')} sent."
    if record.waiting:
        waiting = counted(len(record.waiting), "message")
        sentence += f" {waiting} could not be sent to every address: the next tick tries again."
    return sentence

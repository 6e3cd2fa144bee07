"""`kido doctor`: whether this installation can do its work, a line per finding.

A check looks at one thing and changes nothing. What is wrong is put right elsewhere; the line names
the command.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout

from dagster_project.errors import (
    ConfigurationError,
    KidoError,
    amount_of_bytes,
    counted,
    exception_text,
)
from dagster_project.intake.due import is_fetched
from dagster_project.intake.future import future_asks, future_snapshots
from dagster_project.intake.probe import Probe, probe_all
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.backup_folder import BackupFolder
from dagster_project.lake.space import LEAST_ROOM_TO_LAND, free_bytes
from dagster_project.orchestration import builds
from dagster_project.settings import CHECKOUT, Settings
from dagster_project.sources.registry import all_sources, source_names

if TYPE_CHECKING:
    import dagster as dg

Status = Literal["ok", "warning", "failure"]

MOST_CLOCK_ERROR = timedelta(minutes=5)
"""With a larger one periods are fetched before they are published, and builds get a wrong day."""

LITTLE_ROOM = 3
"""Free space for fewer builds than this is a warning."""

LONGEST_HEARTBEAT = timedelta(minutes=5)
"""The daemon of the UI reports every 30 s that it runs."""

LONGEST_WITHOUT_BACKUP = timedelta(days=2)
"""A backup is made each night: two are missing."""

_LOCKED = re.compile(r"[a-z0-9-]+(\[[a-z,]+\])?==")
"""How an entry of the lock begins."""

_SHOWN_VERSIONS = ("dagster", "dbt-core", "duckdb", "polars", "great-expectations")


@dataclass(frozen=True)
class Finding:
    """What a check found; the fields are the keys of `kido doctor --json`."""

    check: str
    status: Status
    finding: str


Check = Callable[[Settings], Iterator[Finding]]


def examine(*, offline: bool = False) -> Iterator[Finding]:
    """The findings of all checks; without those that need a network if `offline`.

    A check that fails itself is a failure, and does not stop the others.
    """
    try:
        settings = Settings.load()
    except ConfigurationError as error:
        yield Finding("settings", "failure", str(error))
        return
    for name, check in CHECKS:
        if offline and name == "publishers":
            continue
        try:
            yield from check(settings)
        except KidoError as error:
            yield Finding(name, "failure", str(error))
        except Exception as error:
            yield Finding(name, "failure", f"It could not be checked ({exception_text(error)}).")


def _settings(settings: Settings) -> Iterator[Finding]:
    """Wrong values, and names that no setting reads."""
    wrong = [str(error) for error in settings.unknown_names(source_names())]
    fetched = []
    for name, source in all_sources().items():
        try:
            if is_fetched(settings, source):
                fetched.append(name)
        except ConfigurationError as error:
            wrong.append(str(error))
    for sentence in wrong:
        yield Finding("settings", "failure", sentence)
    if not wrong:
        what = ", ".join(fetched) or "no publisher"
        yield Finding("settings", "ok", f"Home is {settings.home}; builds fetch from {what}.")


def _disk(settings: Settings) -> Iterator[Finding]:
    """The free space of every folder, compared with what a build and a landing need."""
    for folder in dict.fromkeys(settings.folders):
        is_home = folder == settings.home
        needed = builds.room_to_build(settings) if is_home else LEAST_ROOM_TO_LAND
        free = free_bytes(folder)
        what = "a build" if is_home else "a landing"
        sizes = f"{amount_of_bytes(free)} free, {what} needs {amount_of_bytes(needed)}"
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        if not os.access(existing, os.W_OK):
            yield Finding("disk", "failure", f"{existing} cannot be written to by this user.")
        elif free < needed:
            yield Finding("disk", "failure", f"{folder}: {sizes}. Make room: kido clean.")
        else:
            is_little = free < LITTLE_ROOM * needed
            yield Finding("disk", "warning" if is_little else "ok", f"{folder}: {sizes}.")


def _versions(_settings: Settings) -> Iterator[Finding]:
    """The installed packages, compared with what Kido needs and what its lock names."""
    from packaging.requirements import Requirement

    locked = _locked_versions()
    wrong, other = [], []
    for text in importlib.metadata.requires("kido") or ():
        required = Requirement(text)
        if required.marker and not required.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = importlib.metadata.version(required.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{required.name} is missing")
            continue
        if not required.specifier.contains(installed, prereleases=True):
            wrong.append(f"{required.name} {installed} is not {required.specifier}")
        elif installed != locked.get(required.name, installed):
            other.append(f"{required.name} {installed} (locked: {locked[required.name]})")
    if wrong:
        yield Finding("versions", "failure", f"{'; '.join(wrong)}. Run make setup.")
    if other:
        yield Finding("versions", "warning", f"Not as tested: {'; '.join(other)}. Run make setup.")
    if not (wrong or other):
        shown = [f"{name} {importlib.metadata.version(name)}" for name in _SHOWN_VERSIONS]
        yield Finding(
            "versions", "ok", f"Python {platform.python_version()}, {', '.join(shown)}, as locked."
        )


def _locked_versions() -> dict[str, str]:
    """The versions in the lock that are for this Python."""
    from packaging.requirements import Requirement

    lock = CHECKOUT / "requirements.lock"
    lines = lock.read_text("utf8").splitlines() if lock.exists() else []
    entries = (Requirement(line.rstrip("\\ ")) for line in lines if _LOCKED.match(line))
    return {
        entry.name: str(entry.specifier).removeprefix("==")
        for entry in entries
        if entry.marker is None or entry.marker.evaluate()
    }


def _dbt_project(_settings: Settings) -> Iterator[Finding]:
    from dagster_project.orchestration.dbt_runner import is_prepared

    if is_prepared():
        yield Finding("dbt project", "ok", "It is parsed and up to date.")
    else:
        yield Finding("dbt project", "warning", "It is not parsed yet. Run kido prepare.")


def _publishers(settings: Settings) -> Iterator[Finding]:
    """Whether each publisher answers, and whether our clock is that of the publishers."""
    probes = probe_all(settings, all_sources().values())
    for each in probes:
        yield Finding("publishers", _status_of(each), f"{each.source}: {_in_words(each)}.")
    needed = [each for each in probes if each.is_needed]
    if needed and not any(each.status for each in probes):
        yield Finding(
            "publishers", "failure", "No publisher can be reached: look at network and proxy."
        )
    yield _clock(probes)


def _status_of(probe: Probe) -> Status:
    is_well = probe.not_asked or (probe.status and probe.status < 500 and probe.status != 429)
    return "ok" if is_well else "warning"


def _in_words(probe: Probe) -> str:
    if probe.not_asked:
        return f"not asked ({probe.not_asked.rstrip('.')})"
    if probe.error:
        return probe.error.removeprefix(f"{probe.source}: ").rstrip(".")
    return f"answers ({probe.status})"


def _clock(probes: Iterable[Probe]) -> Finding:
    ahead = [each.clock_ahead.total_seconds() for each in probes if each.clock_ahead is not None]
    if not ahead:
        return Finding("clock", "ok", "Not compared: no publisher sent its time.")
    error = timedelta(seconds=statistics.median(ahead))
    size = f"{abs(error.total_seconds()):,.0f} s"
    servers = counted(len(ahead), "publisher")
    if abs(error) > MOST_CLOCK_ERROR:
        direction = "slow" if error > timedelta() else "fast"
        finding = f"This machine is {size} {direction} by the clocks of {servers}. Set its clock."
        return Finding("clock", "failure", finding)
    return Finding("clock", "ok", f"Within {size} of the clocks of {servers}.")


def _locks(settings: Settings) -> Iterator[Finding]:
    """Who has locked something now, and what killed runs left."""
    files = {
        f"{file.stem} is being fetched or landed": file
        for file in sorted(settings.intake_dir.glob("*.lock"))
    } | {"a release is being published": settings.releases_dir / ".lock"}
    in_use = [what for what, file in files.items() if file.exists() and _is_locked(file)]
    # A process that ends releases its locks, however it ends: none of them is ever stale.
    yield Finding("locks", "ok", f"{'; '.join(in_use) or 'No lock is in use'}.")
    # The folder of a run that built nothing has only the name of its process.
    left = [
        folder
        for folder in builds.leftovers(settings.build_dir)
        if any(file.exists() for file in builds.Build(folder).files)
    ]
    if left:
        size = sum(file.stat().st_size for folder in left for file in folder.rglob("*"))
        yield Finding(
            "locks",
            "warning",
            f"{counted(len(left), 'folder')} of ended builds ({amount_of_bytes(size)}). "
            "The next build removes them; so does kido clean.",
        )


def _is_locked(file: Path) -> bool:
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _published_file(settings: Settings) -> Iterator[Finding]:
    """Whether readers can open the published file and read every table of it."""
    file = settings.published_file
    if not file.exists():
        yield Finding("published file", "warning", f"{file} does not exist yet. Run kido build.")
        return
    from dagster_project.lake.build_file import read_all
    from dagster_project.serving.publication import current_release, from_the_future

    release = current_release(settings)
    assert release is not None
    tables = read_all(file, settings.memory)
    now = datetime.now(UTC).replace(tzinfo=None)
    future = from_the_future(settings, now)
    if future:
        sentence = (
            f"Release {future.release_id} is from the future: a clock was ahead when it was built. "
            "New releases follow it all the same."
        )
        yield Finding("published file", "warning", sentence)
    age = max(now - release.published_at, timedelta(0))
    yield Finding(
        "published file",
        "ok",
        f"Release {release.release_id}, published {_age(age)} ago: all of its "
        f"{tables} tables can be read.",
    )


def _backups(settings: Settings) -> Iterator[Finding]:
    """How old the last backup is, and which records are damaged; nothing without the setting."""
    if settings.backup_dir is None:
        return
    folder = BackupFolder(settings.backup_dir.expanduser())
    readable = folder.readable()
    for name in folder.names():
        if name not in readable:
            sentence = f"{folder.path_of_record(name)} is damaged or of another version. Remove it."
            yield Finding("backups", "warning", sentence)
    if not readable:
        sentence = f"{folder.folder} has no complete backup. Run kido backup {folder.folder}."
        yield Finding("backups", "warning", sentence)
        return
    last = list(readable)[-1]
    age = datetime.now(UTC).replace(tzinfo=None) - readable[last].made_at
    sentence = f"The last of {counted(len(readable), 'backup')} was made {_age(age)} ago"
    if age > LONGEST_WITHOUT_BACKUP:
        sentence += f": look at kido-backup.timer, or run kido backup {folder.folder}"
        yield Finding("backups", "warning", f"{sentence}.")
    else:
        yield Finding("backups", "ok", f"{sentence}.")


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return counted(hours, "hour") if hours < 48 else counted(hours // 24, "day")


def _dagster(settings: Settings) -> Iterator[Finding]:
    """Dagster's storage, its schedules and its daemon."""
    configuration = settings.dagster_home / "dagster.yaml"
    if not configuration.exists():
        yield Finding("dagster", "ok", "There are no runs yet.")
        return
    import dagster as dg

    yield from _configuration(configuration)
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        number = instance.get_runs_count()
        yield Finding("dagster", "ok", f"Its storage opens, with {counted(number, 'run')}.")
        yield from _killed(settings, instance)
        yield from _schedules(instance)


def _configuration(file: Path) -> Iterator[Finding]:
    """What the home's `dagster.yaml` lacks of the one that comes with this version."""
    import yaml

    own, shipped = (
        yaml.safe_load(path.read_text("utf8")) or {}
        for path in (file, CHECKOUT / "deploy" / "dagster.yaml")
    )
    absent = sorted(shipped.keys() - own.keys())
    if absent:
        yield Finding(
            "dagster",
            "warning",
            f"{file} has no {', '.join(absent)}: copy it from deploy/dagster.yaml.",
        )


def _killed(settings: Settings, instance: dg.DagsterInstance) -> Iterator[Finding]:
    from dagster_project.orchestration.killed_runs import killed_runs

    killed = killed_runs(settings, instance)
    if killed:
        yield Finding(
            "dagster",
            "warning",
            f"{counted(len(killed), 'run')} recorded as running, but killed. The next kido build "
            "or kido clean ends it.",
        )


def _schedules(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """Whether a schedule is switched on, and the daemons that it needs are there.

    A sensor that is on by default starts nothing; nobody has switched it on.
    """
    states = [each for each in instance.all_instigator_state() if each.status.value == "RUNNING"]
    if not states:
        yield Finding("dagster", "ok", "No schedule or sensor is switched on.")
        return
    now = datetime.now(UTC).timestamp()
    alive = {
        daemon
        for daemon, beat in instance.get_daemon_heartbeats().items()
        if now - beat.timestamp < LONGEST_HEARTBEAT.total_seconds()
    }
    waiting = {
        state.instigator_name: daemon
        for state in states
        if (daemon := _daemon_of(state)) not in alive
    }
    names = sorted(state.instigator_name for state in states)
    on = f"Switched on: {', '.join(names)}"
    if not waiting:
        yield Finding("dagster", "ok", f"{on}; the daemon runs.")
        return
    yield Finding(
        "dagster",
        "warning",
        f"{on}; but no daemon runs that evaluates {', '.join(sorted(waiting))}. "
        "Start the daemon (kido dev, kido-daemon.service).",
    )


def _daemon_of(state: Any) -> str:
    """Dagster's name of the thread of the daemon that evaluates a schedule or a sensor."""
    from dagster_project.orchestration.automation import BUILD_WHAT_LANDED

    if state.instigator_name == BUILD_WHAT_LANDED:
        return "ASSET"
    return "SCHEDULER" if state.instigator_type.value == "SCHEDULE" else "SENSOR"


def _messages(settings: Settings) -> Iterator[Finding]:
    """Whether the addresses for messages can be read; nothing is sent."""
    from dagster_project.alerts.send import VARIABLE, addresses

    names = [address.name for address in addresses(settings)]
    if names:
        yield Finding("messages", "ok", f"They go to {', '.join(names)}.")
    else:
        yield Finding("messages", "ok", f"{VARIABLE} is not set, so no message is sent.")


def _late_sources(settings: Settings) -> Iterator[Finding]:
    from dagster_project.orchestration.lateness import lateness_by_frequency, longest_overdue

    lake, landing = lake_of(settings), landing_of(settings, is_read_only=True)
    late = []
    for name, source in all_sources().items():
        worst = longest_overdue(lateness_by_frequency(settings, source, lake, landing))
        if worst and worst.days_late:
            late.append(f"{name} by {counted(worst.days_late, 'day')}")
    if late:
        yield Finding("late sources", "warning", f"{', '.join(late)}. Run kido fetch.")
    else:
        yield Finding("late sources", "ok", "No source is late.")


def _future(settings: Settings) -> Iterator[Finding]:
    """What was recorded while a clock was ahead."""
    now = datetime.now(UTC).replace(tzinfo=None)
    snapshots = future_snapshots(settings, source_names(), now)
    for sentence in (*snapshots, *future_asks(settings, source_names())):
        yield Finding("clock", "warning", sentence)


CHECKS: Sequence[tuple[str, Check]] = (
    ("settings", _settings),
    ("disk", _disk),
    ("versions", _versions),
    ("dbt project", _dbt_project),
    ("publishers", _publishers),
    ("locks", _locks),
    ("published file", _published_file),
    ("backups", _backups),
    ("dagster", _dagster),
    ("messages", _messages),
    ("late sources", _late_sources),
    ("clock", _future),
)
"""The checks in the order of their lines; `publishers` needs the network."""


def print_findings(findings: Iterable[Finding]) -> bool:
    """Print a line per finding as it is made; returns whether one is a failure."""
    from dagster_project.serving.terminal import print_line

    has_failed = False
    for each in findings:
        has_failed |= each.status == "failure"
        sign = {"ok": "✓", "warning": "!", "failure": "✗"}[each.status]
        print_line(f"{sign} {each.check}: {each.finding}")
    return has_failed

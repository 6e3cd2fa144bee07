"""The version of the code, and the hash of all inputs of a release: code, documents, day.

It is computed before anything heavy is imported, so that a build without news takes half a second.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.intake.conform import is_conformed
from dagster_project.intake.due import due_now, is_fetched, releases_of, scope_of
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.vocabulary import NOMENCLATURE_FILE
from dagster_project.orchestration.dbt_files import written_by_hand
from dagster_project.settings import BUNDLED, CHECKOUT, Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import all_sources


def code_version() -> str:
    """The version of the code: the package's, with the commit of the checkout where available."""
    version = importlib.metadata.version("kido")
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=CHECKOUT, capture_output=True, text=True, timeout=5, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return version
    return f"{version}+{commit}"


def inputs_version(settings: Settings, *, is_asked: bool = False) -> str | None:
    """The hash that a build would have now; None if only a build can tell.

    Only a build can tell if

    - a publisher is due (unless the run `is_asked`: it has fetched already),
    - a bundled document is not landed with its current bytes (unless it was withdrawn),
    - a document is no longer bundled and that is not recorded yet,
    - the lake differs from the landing: a document that was landed or withdrawn during a build may
      be in it or not,
    - a file of the lake is missing or was changed: the build makes it again.

    The hash includes the last answer about each window and the outcome of the last fetch. A fetch
    with the same answer does not change it.
    """
    chosen = (settings.today.isoformat(), settings.scope.name, settings.reconciled_shares)
    digest = hashlib.sha256(repr(chosen).encode())
    now = datetime.now(UTC).replace(tzinfo=None)
    for source in all_sources().values():
        state = _state(settings, source, now, is_asked=is_asked)
        if state is None:
            return None
        digest.update(state.encode())
    for path in _code():
        digest.update(str(path.relative_to(CHECKOUT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources_to_renew(settings: Settings) -> list[str]:
    """The sources that a build has to land, ask or type; the lake has all there is of the others.

    Those that are fetched are always among them: that a publisher is silent is news too.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    return [
        name
        for name, source in all_sources().items()
        if _state(settings, source, now, is_asked=False) is None
        or is_fetched(settings, source)
        or lake_of(settings).damage(name).faults
        or not is_conformed(settings, source)
    ]


def _state(settings: Settings, source: Source, now: datetime, *, is_asked: bool) -> str | None:
    """The snapshots and answers of a source; None if only a build can tell, see inputs_version."""
    name, landing, lake = source.CARD.name, landing_of(settings), lake_of(settings)
    ledger = Ledger(landing, name)
    try:
        is_due = False
        if not is_asked and is_fetched(settings, source):
            scope = scope_of(settings, source, ledger)
            due = due_now(source, ledger, now, scope, releases_of(lake, source))
            is_due = due.is_due or due.needs_calendar
        answers = _answers(ledger)
    except Exception:  # the build reports any error of a source
        return None
    if is_due:
        return None
    snapshots = landing.snapshots(name)
    left = landing.unbundled(name)
    newest = {copy.document: copy for copy in snapshots if copy.is_bundled}
    newest = {key: copy for key, copy in newest.items() if copy.snapshot_id not in left}
    if newest.keys() - source.CARD.bundled:
        return None
    for file in source.CARD.bundled:
        path = BUNDLED / name / file
        landed = newest.get(file)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        is_landed = landed is not None and landed.sha256 == sha256
        if not (is_landed or landing.withdrawn_bytes(sha256, source=name)):
            return None
    if lake.snapshot_ids(name) != {snapshot.snapshot_id for snapshot in snapshots}:
        return None
    if lake.damage(name).snapshots:
        return None
    return "".join(
        [
            *(snapshot.snapshot_id for snapshot in snapshots),
            *(f"left {snapshot_id}" for snapshot_id in left),
            answers,
        ]
    )


def _answers(ledger: Ledger) -> str:
    """The outcome of the last fetch, and the snapshot with the last answer about each window."""
    if not ledger.names():
        return ""
    last = ledger.last_run()
    windows = sorted(
        f"{window.frequency} {window.start} {answered.window_ask.snapshot_id}"
        for window, answered in ledger.windows().items()
    )
    return "\n".join([last.answer if last else "not_asked", *windows])


def _code() -> list[Path]:
    """Every code file that affects a build; documents are included by their snapshots."""
    files = [*(CHECKOUT / "dagster_project").rglob("*.py"), CHECKOUT / "requirements.lock"]
    bundled = CHECKOUT / "dagster_project" / "bundled"
    files += [*bundled.rglob("*labels.csv"), *bundled.rglob("corrections.yaml"), NOMENCLATURE_FILE]
    return sorted([*files, *written_by_hand()])

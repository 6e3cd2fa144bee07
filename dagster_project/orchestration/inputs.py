"""What a release is made from, as one hash: the code, the documents, the day.

Cheap on purpose: it is asked before anything heavy is imported.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.intake.due import due_now, is_fetched, scope_of
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.scope import NOMENCLATURE_FILE
from dagster_project.settings import BUNDLED, CHECKOUT, DBT_PROJECT, Settings
from dagster_project.sources.registry import all_sources


def inputs_version(settings: Settings, *, is_asked: bool = False) -> str | None:
    """The hash a build made now would carry; None when only a build can tell.

    That is so when something is due of a publisher (unless it `is_asked` already), a bundled
    document is not landed as it is (unless it was withdrawn), one that is bundled no more is not on
    record as such, or the lake does not hold what is landed: a document that came or went while a
    build was under way may be in it or not.

    Of what was asked, the last answer about each window counts, and how the last run went; asking
    again with the same answer changes nothing.
    """
    digest = hashlib.sha256(f"{settings.today.isoformat()} {settings.scope.name}".encode())
    landing, lake = landing_of(settings), lake_of(settings)
    now = datetime.now(UTC).replace(tzinfo=None)
    for name, source in all_sources().items():
        ledger = Ledger(landing, name)
        try:
            is_due = (
                not is_asked
                and is_fetched(settings, source)
                and due_now(source, ledger, now, scope_of(settings, source, ledger)).is_due
            )
            answers = _answers(ledger)
        except Exception:  # whatever a source stumbles on, the build reports it
            return None
        if is_due:
            return None
        snapshots = landing.snapshots(name)
        left = landing.left_bundle(name)
        newest = {one.document: one for one in snapshots if one.is_bundled}
        newest = {key: one for key, one in newest.items() if one.snapshot_id not in left}
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
        for snapshot in snapshots:
            digest.update(snapshot.snapshot_id.encode())
        for snapshot_id in left:
            digest.update(f"left {snapshot_id}".encode())
        digest.update(answers.encode())
    for path in _code():
        digest.update(str(path.relative_to(CHECKOUT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _answers(ledger: Ledger) -> str:
    """How the last run went, and which snapshot holds the last answer about each window."""
    if not ledger.names():
        return ""
    last = ledger.last_run()
    windows = sorted(
        f"{window.frequency} {window.start} {answered.said.snapshot_id}"
        for window, answered in ledger.windows().items()
    )
    return "\n".join([last.answer if last else "not_asked", *windows])


def _code() -> list[Path]:
    """Every file that can change what a build makes; documents count by their snapshots."""
    files = [*(CHECKOUT / "dagster_project").rglob("*.py"), CHECKOUT / "requirements.lock"]
    bundled = CHECKOUT / "dagster_project" / "bundled"
    files += [*bundled.rglob("labels.csv"), NOMENCLATURE_FILE]
    files += [
        path
        for path in DBT_PROJECT.rglob("*")
        if path.suffix in {".sql", ".yml", ".csv", ".md"}
        and path.relative_to(DBT_PROJECT).parts[0] not in {"target", "logs"}
    ]
    return sorted(files)

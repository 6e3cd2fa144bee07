"""Lands the file of a scenario, after a check of what it names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.errors import ConfigurationError
from dagster_project.intake.land import land_files
from dagster_project.intake.landing_report import LandingReport
from dagster_project.settings import Settings
from dagster_project.sources import scenarios
from dagster_project.sources.card import Document
from dagster_project.sources.registry import source_named


def land_scenario(
    settings: Settings,
    path: Path,
    check: Callable[[scenarios.Scenario], None],
    write: Callable[[str], None] = print,
) -> tuple[str, LandingReport]:
    """Land the file of a scenario; returns the scenario's name, and the report on the landing.

    It is landed under the name of its scenario: of two files of one scenario the one that is landed
    last is current, also where its bytes were landed before. It is not compared with an earlier
    one, since a scenario may change in any way.

    `check` gets the scenario before anything is written, and raises KidoError for one that is
    impossible. `write` is as in `land_files`. Raises KidoError; then nothing was written.
    """
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    now = datetime.now(UTC).replace(tzinfo=None)
    document = Document(path.name, now, is_bundled=False)
    scenario = scenarios.read_scenario(payload, document, settings.scope)
    check(scenario)
    source = source_named(scenarios.NAME)
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / f"{scenario.name}.yaml"
        named.write_bytes(payload)
        report = land_files(settings, source, [named], replace_all=True, write=write)
    return scenario.name, report

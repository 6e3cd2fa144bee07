"""Lands files as `kido land --replace` does, without holding their rows against the suites.

    python benchmarks/unchecked.py baci BACI_HS22_V202601.zip

Only for measuring: what the checks cost is the difference. The lake of its home is of no other use.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))


def accept_all(frame: Any, suite: object, **_: object) -> Any:
    """The verdict on a batch that keeps to every rule."""
    from dagster_project.quality.runner import BatchVerdict

    return BatchVerdict([], frame, pl.DataFrame(), is_rejected=False, reason="")


def land(source: str, files: list[Path]) -> None:
    from dagster_project.intake import batch
    from dagster_project.intake.land import land_files
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    batch.evaluate_batch = accept_all
    land_files(Settings.load(), source_named(source), files, replace_all=True)


if __name__ == "__main__":
    land(sys.argv[1], [Path(name) for name in sys.argv[2:]])

"""Evaluates the suites of the marts on a build file.

Rules and assets are defined elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from dagster_project.lake.build_file import connect
from dagster_project.lake.scope import CommodityScope
from dagster_project.quality.results import CheckResult
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import MART_SUITES


def results_of_marts(
    file: Path, marts: Iterable[str], *, today: date, scope: CommodityScope, memory: int
) -> Iterator[tuple[str, list[CheckResult]]]:
    """The results of the suite of each of these marts, by the mart's name, in their order.

    DuckDB reads the marts with at most `memory` bytes.
    """
    with connect(file, read_only=True, memory=memory) as connection:
        for name in marts:
            rows = connection.sql(f"from {name}").pl(lazy=True)
            yield name, evaluate(rows, MART_SUITES[name], today=today, scope=scope)

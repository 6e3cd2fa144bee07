"""What the tests of the catalogue share."""

import polars as pl
import pytest

from dagster_project.sources import catalogue
from tests.unit.sources.catalogue.examples import (
    DOCUMENT,
    FILES,
)


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """All tables of the bundled files."""
    found: dict[str, list[pl.DataFrame]] = {}
    for payload in FILES.values():
        for table, frame in catalogue.parse(payload, DOCUMENT).items():
            found.setdefault(table, []).append(frame)
    return {
        table: pl.concat(parts, how="diagonal") if len(parts) > 1 else parts[0]
        for table, parts in found.items()
    }

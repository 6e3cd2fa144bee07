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
    found: dict[str, pl.DataFrame] = {}
    for payload in FILES.values():
        found |= catalogue.parse(payload, DOCUMENT)
    return found

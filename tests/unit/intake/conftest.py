"""What all of these tests begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration import asked_once


@pytest.fixture(scope="package", autouse=True)
def ask_once() -> Iterator[None]:
    """Many of these tests land the same files."""
    with asked_once.everywhere():
        yield

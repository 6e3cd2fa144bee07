"""How much is tried of what is random or long: a part with every change, all of it each night.

`make test` tries the part, `make nightly` (pytest --nightly) all of it.
"""

from __future__ import annotations

import pytest

_is_night: list[bool] = []

nightly = pytest.mark.nightly
"""A test or a case of one that is left to the night."""


def configure(config: pytest.Config) -> None:
    _is_night[:] = [bool(config.getoption("--nightly"))]


def is_night() -> bool:
    return _is_night == [True]


def times(at_night: int, by_day: int) -> int:
    """How often something random is tried."""
    return at_night if is_night() else by_day


def leave_to_the_night(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is marked `nightly`, unless it is night or asked for by its name."""
    if is_night() or any("::" in argument for argument in config.args):
        return
    left = [item for item in items if item.get_closest_marker("nightly")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]

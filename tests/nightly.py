"""How much is tried of what is random or long: a part with every change, all of it each night.

`make test` tries the part, `make nightly` (pytest --rest) what it has left, pytest --nightly all.
"""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import is_hypothesis_test

_is_night: list[bool] = []

nightly = pytest.mark.nightly
"""A test or a case of one that is left to the night."""


def configure(config: pytest.Config) -> None:
    _is_night[:] = [bool(config.getoption("--nightly") or config.getoption("--rest"))]


def is_night() -> bool:
    return _is_night == [True]


def times(at_night: int, by_day: int) -> int:
    """How often something random is tried."""
    return at_night if is_night() else by_day


def choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is not for this time of the day, unless it is asked for by its name."""
    if any("::" in argument for argument in config.args):
        return
    if config.getoption("--rest"):
        modules: dict[str, bool] = {}
        left = [item for item in items if not is_for_the_night(item, modules)]
    elif is_night():
        return
    else:
        left = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]


def is_for_the_night(item: pytest.Item, modules: dict[str, bool]) -> bool:
    """Whether the night tries more of a test: it is marked, hypothesis draws its examples (more at
    night), or its file asks how much to try. `modules` keeps the answer for each file.
    """
    if item.get_closest_marker("nightly") or not isinstance(item, pytest.Function):
        return True
    if is_hypothesis_test(item.function):
        return True
    module = item.module
    if module.__name__ not in modules:
        modules[module.__name__] = asks_how_much(module, set())
    return modules[module.__name__]


def asks_how_much(module: ModuleType, seen: set[str]) -> bool:
    """Whether a module of tests, or one of tests that it imports from, uses `times` or `is_night`.

    Of `tests.conftest`, which all import from, only what tests take by name could: nothing does.
    """
    seen |= {module.__name__, "tests.conftest"}
    for value in vars(module).values():
        if value is times or value is is_night or value is sys.modules[__name__]:
            return True
        name = getattr(value, "__name__" if isinstance(value, ModuleType) else "__module__", None)
        if (
            isinstance(name, str)
            and name.startswith("tests.")
            and name not in {*seen, __name__}
            and asks_how_much(sys.modules[name], seen)
        ):
            return True
    return False

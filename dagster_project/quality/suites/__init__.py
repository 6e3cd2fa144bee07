"""The suites of the lake tables: a file per table, found by its path.

`lake/<table>.py` has `RULES`, the rules of that table in the order in which they are shown. Common
rules are in `shared_rules` and `shared_lake_rules`. The suites of the marts are read from the YAML
of their models (`mart_suites.py`).

An unknown code, a duplicated key or a wrong shape blocks a batch; a single invalid row is
quarantined; an unusual value that may be correct is reported. No rule is for one publisher.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType

from dagster_project.quality.rules import Suite
from dagster_project.quality.suites import lake


def _suites(package: ModuleType) -> Mapping[str, Suite]:
    """The suites by table, in the order of the files' names.

    Raises AttributeError, with the module's name, for a file without `RULES`.
    """
    prefix = f"{package.__name__}."
    tables = {
        module.name.removeprefix(prefix): import_module(module.name)
        for module in pkgutil.walk_packages(package.__path__, prefix)
    }
    return MappingProxyType(
        {table: Suite("lake", table, module.RULES) for table, module in tables.items()}
    )


LAKE_SUITES = _suites(lake)
"""The suite of every lake table, by its name."""

"""The suites: a file per table, found by where it lies.

`lake/<table>.py` and `marts/<schema>/<table>.py` hold `RULES`, the rules of that table in the order
in which they are shown. What several suites use stands in `parts`, `lake_parts` or `mart_parts`.

A batch of the lake stops at an unknown code, a repeated key or a wrong shape; a row that is wrong
by itself is quarantined; what is odd but does happen is reported. No rule knows a publisher.

Of marts: ranges, allowed words, coverage, dates. Keys, relationships and identities are dbt's
tests; none of them is here. A rule that stops keeps the build from being published. Tables that may
be empty have no rule on their number of rows.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType

from dagster_project.quality.rules import Layer, Suite
from dagster_project.quality.suites import lake, marts


def _suites(layer: Layer, package: ModuleType) -> Mapping[str, Suite]:
    """The suites of a layer by table, in the order of the files' names.

    Raises AttributeError, with the module's name, for a file without `RULES`.
    """
    prefix = f"{package.__name__}."
    tables = {
        module.name.removeprefix(prefix): import_module(module.name)
        for module in pkgutil.walk_packages(package.__path__, prefix)
        if not module.ispkg
    }
    return MappingProxyType(
        {table: Suite(layer, table, module.RULES) for table, module in tables.items()}
    )


LAKE_SUITES = _suites("lake", lake)
"""The suite of every lake table, by its name."""

MART_SUITES = _suites("mart", marts)
"""The suite of every published table, by its name with the schema."""

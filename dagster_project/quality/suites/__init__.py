"""The suites: a file per table, found by its path.

`lake/<table>.py` and `marts/<schema>/<table>.py` hold `RULES`, the rules of that table in the order
in which they are shown. Shared rules are in `parts`, `lake_parts` and `mart_parts`.

An unknown code, a duplicated key or a wrong shape blocks a batch of the lake; a single invalid row
is quarantined; an unusual value that may be correct is reported. No rule is for one publisher.

Of marts: ranges, allowed words, coverage, dates. Keys, relationships and identities are dbt's
tests; none of them is here, except the keys of the tables that dbt does not build. An error blocks
the publication of the build. Tables that may be empty have no rule on their number of rows.
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

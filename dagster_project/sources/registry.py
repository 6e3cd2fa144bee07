"""Finds the sources: every module of this package with a `CARD`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import cast

from dagster_project import sources
from dagster_project.errors import ConfigurationError
from dagster_project.sources.card import Source


def source_names() -> tuple[str, ...]:
    """Names of the modules here, without importing them; a helper module is harmless among them."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(sources.__path__)))


@cache
def all_sources() -> Mapping[str, Source]:
    """Sources by name, in alphabetical order."""
    found: dict[str, Source] = {}
    for name in source_names():
        module = importlib.import_module(f"{sources.__name__}.{name}")
        if hasattr(module, "CARD"):
            found[module.CARD.name] = cast(Source, module)
    return found


def source_named(name: str) -> Source:
    """The source of that name. Raises ConfigurationError that lists the names there are."""
    try:
        return all_sources()[name]
    except KeyError:
        raise ConfigurationError(
            f"There is no source named {name!r}.", hint=f"Known: {', '.join(all_sources())}."
        ) from None

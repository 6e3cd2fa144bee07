"""Finds the sources: every module of this package with a `CARD`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from dagster_project import sources
from dagster_project.errors import ConfigurationError
from dagster_project.sources.card import Source

_CARD = re.compile(r"^CARD(: SourceCard)? = ", re.MULTILINE)


def source_names() -> tuple[str, ...]:
    """Names of the modules here that define `CARD`, found by reading them, without an import."""
    (folder,) = sources.__path__
    return tuple(
        sorted(
            info.name
            for info in pkgutil.iter_modules([folder])
            if not info.ispkg and _CARD.search((Path(folder) / f"{info.name}.py").read_text("utf8"))
        )
    )


@cache
def all_sources() -> Mapping[str, Source]:
    """Sources by name, in alphabetical order."""
    found: dict[str, Source] = {}
    for name in source_names():
        module = importlib.import_module(f"{sources.__name__}.{name}")
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

"""Finds the sources: every module or package in this folder with a `CARD`."""

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
    """Names of the modules and packages here that define `CARD`, found without an import.

    A package defines it in its `__init__.py`.
    """
    (folder,) = sources.__path__
    return tuple(
        sorted(
            info.name
            for info in pkgutil.iter_modules([folder])
            if _CARD.search(_file_of(Path(folder), info).read_text("utf8"))
        )
    )


def _file_of(folder: Path, module: pkgutil.ModuleInfo) -> Path:
    return folder / (f"{module.name}/__init__.py" if module.ispkg else f"{module.name}.py")


@cache
def all_sources() -> Mapping[str, Source]:
    """Sources by name, in alphabetical order."""
    by_name: dict[str, Source] = {}
    for name in source_names():
        module = importlib.import_module(f"{sources.__name__}.{name}")
        by_name[module.CARD.name] = cast(Source, module)
    return by_name


def source_named(name: str) -> Source:
    """The source of that name. Raises ConfigurationError that lists the names there are."""
    try:
        return all_sources()[name]
    except KeyError:
        raise ConfigurationError(
            f"There is no source named {name!r}.", hint=f"Known: {', '.join(all_sources())}."
        ) from None

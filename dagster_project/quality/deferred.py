"""Imports a library's module when it is first used, and not where another library imports it.

Nothing here depends on the libraries.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def defer(name: str) -> None:
    """Import a module when an attribute of it is first read; nothing happens if it is imported.

    It affects all that import it from now on in this process, and changes nothing for them.
    """
    if name not in sys.modules and (spec := find_spec(name)):
        sys.modules[name] = _Deferred(spec)


class _Deferred(ModuleType):
    """Stands for a module that is not imported yet; names that were bound to it keep working."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__ = spec

    def __getattr__(self, attribute: str) -> Any:
        # The import system and introspection ask for these: that is no use of the module.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)

"""The sentences of the published tables, by language; models have codes and figures only.

A model calls `{{ sentence('<page>.<name>', {...}) }}` (dbt/macros/sentences.sql) with the facts of
the sentence. It becomes a call of the function `<name>` in the module `<page>` of a language.
Another language is another package with the same modules and functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

Facts = Mapping[str, Any]
"""The facts of a sentence by name: codes, figures, ISO dates, lists of these; None if missing."""

Wording = Callable[[Facts], str | None]
"""A sentence of facts; None where there is nothing to say."""

LANGUAGE = "english"


def sentence(name: str, facts: str, language: str = LANGUAGE) -> str | None:
    """The sentence of that name, `<page>.<function>`, of facts as a JSON object.

    Raises LookupError for a name that the language does not have, KeyError for a missing fact.
    """
    return wording(name, language)(json.loads(facts))


@cache
def wording(name: str, language: str = LANGUAGE) -> Wording:
    """The function that words a sentence; raises LookupError where there is none."""
    page, _, function = name.partition(".")
    try:
        wording_function: Wording = getattr(
            import_module(f"{__name__}.{language}.{page}"), function
        )
    except (ImportError, AttributeError):
        raise LookupError(f"no sentence is named {name} in {language}") from None
    return wording_function

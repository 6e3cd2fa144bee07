"""The companies of the catalogue in the checkout, by name, for sources that look for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from dagster_project.lake import vocabulary
from dagster_project.sources.catalogue.companies import UNNAMED
from dagster_project.sources.catalogue.yaml_text import read_section


@cache
def company_names() -> tuple[str, ...]:
    """The companies with a fact in `companies.yaml` and those that a clause names, sorted.

    They are those of the lake's `company_facts`, unless another catalogue was landed.
    """
    _, facts = read_section(vocabulary.bytes_of_list("companies"), allowed=("companies",))
    _, measures = read_section(vocabulary.bytes_of_list("measures"), allowed=("measures",))
    listed = {name for measure in measures for name in _names_in(measure)}
    return tuple(sorted({str(fact["company"]) for fact in facts} | listed))


def _names_in(measure: Mapping[str, Any]) -> Iterator[str]:
    """The entities that clauses of a measure, as written, name."""
    for clause in measure["clauses"]:
        target = clause.get("target", measure.get("target")) or {}
        if target.get("class") == "entity":
            yield from (name for name in target["names"] if name != UNNAMED)

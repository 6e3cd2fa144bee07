"""The companies of the catalogue in the checkout, by name, for sources that look for them."""

from __future__ import annotations

from functools import cache

import polars as pl

from dagster_project.lake import vocabulary
from dagster_project.sources.catalogue.clauses import read_measures
from dagster_project.sources.catalogue.companies import read_companies
from dagster_project.sources.catalogue.yaml_text import read_section


@cache
def company_names() -> tuple[str, ...]:
    """The companies with a fact in `companies.yaml` and those that a clause names, sorted.

    They are those of the lake's `company_facts`, unless another catalogue was landed.
    """
    _, facts = read_section(vocabulary.bytes_of_list("companies"), allowed=("companies",))
    _, measures = read_section(vocabulary.bytes_of_list("measures"), allowed=("measures",))
    tables = (read_companies(facts), read_measures(measures))
    return tuple(pl.concat(each["company_facts"]["company"] for each in tables).unique().sort())

"""The published schema as it was agreed: the one list that tests hold the product against."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dagster_project.settings import DBT_PROJECT

_GOLDEN = Path(__file__).parent / "golden" / "published_schema.json"


def published() -> Mapping[str, Mapping[str, str]]:
    """The columns of each published table, with their types."""
    tables: Mapping[str, Mapping[str, str]] = json.loads(_GOLDEN.read_text("utf8"))
    return tables


def write(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Agree to another schema: `pytest --update-golden`."""
    _GOLDEN.write_text(json.dumps(tables, indent=1, sort_keys=True) + "\n", "utf8")


def described(mart: str) -> Mapping[str, Any]:
    """The model of a mart in its YAML."""
    schema, table = mart.split(".")
    file = DBT_PROJECT / "models" / "marts" / schema / f"{table}.yml"
    (model,) = yaml.load(file.read_text("utf8"), yaml.CSafeLoader)["models"]
    return dict(model)


def grain_of(mart: str) -> Sequence[str]:
    """The columns of which a mart has one row per value."""
    return next(
        [column.strip('"') for column in test["one_row_per"]["arguments"]["columns"]]
        for test in described(mart)["data_tests"]
        if "one_row_per" in test
    )

"""The published schema as it was agreed: the one list that tests hold the product against."""

import json
from collections.abc import Mapping
from pathlib import Path

_GOLDEN = Path(__file__).parent / "golden" / "published_schema.json"


def published() -> Mapping[str, Mapping[str, str]]:
    """The columns of each published table, with their types."""
    tables: Mapping[str, Mapping[str, str]] = json.loads(_GOLDEN.read_text("utf8"))
    return tables


def write(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Agree to another schema: `pytest --update-golden`."""
    _GOLDEN.write_text(json.dumps(tables, indent=1, sort_keys=True) + "\n", "utf8")

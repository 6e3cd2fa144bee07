"""The published schema as it was agreed: the one list that tests hold the product against.

A change is a diff of `golden/published_schema.json`, which breaks readers and is written by
`pytest tests/unit/orchestration --update-golden`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_GOLDEN = Path(__file__).parent / "golden" / "published_schema.json"

PUBLISHED: Mapping[str, Mapping[str, str]] = MappingProxyType(json.loads(_GOLDEN.read_text("utf8")))
"""The columns of each published table, with their types."""

"""Answers in JSON, whoever sends them. What they mean is the business of each source."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dagster_project.errors import UpstreamFormatError, exception_text
from dagster_project.sources.formats import require_text

_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
"""How half of a character beyond 16 bits is written. Alone it is none, and no table can have it."""


def json_value(payload: bytes, *, source: str, hint: str = "") -> Any:
    """The value of an answer, with a question mark for half a character.

    Raises UpstreamFormatError for a page, an empty or a cut answer.
    """
    text = require_text(payload, source=source, reads=("JSON",), hint=hint)
    try:
        value = json.loads(text)
        if _HALF_A_CHARACTER.search(text):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf8", "replace"))
        return value
    except (ValueError, RecursionError) as error:
        raise UpstreamFormatError(
            f"{source}: the answer is cut or no JSON ({exception_text(error)}).", hint=hint
        ) from error


def json_object(payload: bytes, *, source: str, hint: str = "") -> Mapping[str, Any]:
    """The object of an answer. Raises UpstreamFormatError also for any other value."""
    content = json_value(payload, source=source, hint=hint)
    if not isinstance(content, dict):
        raise UpstreamFormatError(f"{source}: the answer is no object in JSON.", hint=hint)
    return content

"""Answers in JSON, whoever sends them. What they mean is the business of each source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dagster_project.errors import UpstreamFormatError, exception_text
from dagster_project.sources.formats import require_text


def json_value(payload: bytes, *, source: str, hint: str = "") -> Any:
    """The value of an answer. Raises UpstreamFormatError for a page, an empty or a cut answer."""
    text = require_text(payload, source=source, reads=("JSON",), hint=hint)
    try:
        return json.loads(text)
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

"""A document in YAML: its section, and its entries as written."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import yaml

from dagster_project.errors import UpstreamFormatError, shortened
from dagster_project.lake.entries import PlainLoader
from dagster_project.sources.catalogue.entries import NAME, listed_entries
from dagster_project.sources.limits import MOST_YAML_BYTES, MOST_YAML_DEPTH

END_MARK = "..."
"""YAML's own end of a document. Required as the last line: else a cut file would pass."""


def read_section(payload: bytes, allowed: Collection[str]) -> tuple[str, list[dict[str, Any]]]:
    """The one section of a document, of the allowed ones, with its entries as written.

    Raises UpstreamFormatError in one sentence: not UTF-8, not YAML, too long or too deep, another
    section, a cut file, or a section that is not a list of entries.
    """
    text = _text_of(payload)
    try:
        _require_plain(text)
        loaded = yaml.load(text, PlainLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UpstreamFormatError(f"{NAME}: {line}{shortened(str(error.problem))}.") from error
    except yaml.YAMLError as error:
        reason = shortened(str(error).splitlines()[0])
        raise UpstreamFormatError(f"{NAME}: the file is not YAML ({reason}).") from error
    except (ValueError, AttributeError) as error:  # a tag such as `!!int` on a text
        raise UpstreamFormatError(f"{NAME}: a `!!` tag does not fit its value.") from error
    sections = list(loaded) if isinstance(loaded, dict) else []
    if len(sections) != 1 or sections[0] not in allowed:
        known = ", ".join(f"`{section}:`" for section in allowed)
        raise UpstreamFormatError(
            f"{NAME}: the file begins with none of {known}, and it is not a table of economies."
        )
    if text.rstrip().rpartition("\n")[2] != END_MARK:
        raise UpstreamFormatError(
            f"{NAME}: the file is cut: its last line is not `{END_MARK}`.",
            hint=f"If nothing is missing, add the line `{END_MARK}` at its end.",
        )
    section = str(sections[0])
    return section, listed_entries(loaded[section], f"`{section}:`")


def _text_of(payload: bytes) -> str:
    if len(payload) > MOST_YAML_BYTES:
        raise UpstreamFormatError(
            f"{NAME}: the file is larger than {MOST_YAML_BYTES >> 20} MiB, the limit for a "
            "file of the catalogue."
        )
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UpstreamFormatError(
            f"{NAME}: the file is not UTF-8 text (byte {error.start})."
        ) from error


def _require_plain(text: str) -> None:
    """Raise UpstreamFormatError for aliases, and for structures nested too deep to be built.

    Ten aliases of ten aliases, nine times over, are a billion values.
    """
    depth = 0
    for event in yaml.parse(text, PlainLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(event, f"`*{event.anchor}` repeats another entry; write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_YAML_DEPTH:
            raise _refusal(event, "lists or fields are nested too deep")


def _refusal(event: yaml.Event, problem: str) -> UpstreamFormatError:
    line = f"line {event.start_mark.line + 1}: " if event.start_mark else ""
    return UpstreamFormatError(f"{NAME}: {line}{problem}.")

"""A document in YAML that is edited by hand: its text, its limits, its value as written.

What a source does with the value does not belong here.
"""

from __future__ import annotations

import yaml

from dagster_project.errors import UpstreamFormatError, shortened
from dagster_project.lake.entries import PlainLoader
from dagster_project.sources.limits import MOST_YAML_BYTES, MOST_YAML_DEPTH


def load_yaml(payload: bytes, source: str) -> tuple[object, str]:
    """The value of a document as written, and its text.

    Raises UpstreamFormatError in one sentence, with the line where there is one: not UTF-8, not
    YAML, too long or too deep.
    """
    text = _text_of(payload, source)
    try:
        _require_plain(text, source)
        return yaml.load(text, PlainLoader), text
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UpstreamFormatError(f"{source}: {line}{shortened(str(error.problem))}.") from error
    except yaml.YAMLError as error:
        reason = shortened(str(error).splitlines()[0])
        raise UpstreamFormatError(f"{source}: the file is not YAML ({reason}).") from error
    except (ValueError, AttributeError) as error:  # a tag such as `!!int` on a text
        raise UpstreamFormatError(f"{source}: a `!!` tag does not fit its value.") from error


def _text_of(payload: bytes, source: str) -> str:
    if len(payload) > MOST_YAML_BYTES:
        raise UpstreamFormatError(
            f"{source}: the file is larger than {MOST_YAML_BYTES >> 20} MiB, the limit for a "
            "file that is edited by hand."
        )
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UpstreamFormatError(
            f"{source}: the file is not UTF-8 text (byte {error.start})."
        ) from error


def _require_plain(text: str, source: str) -> None:
    """Raise UpstreamFormatError for aliases, and for structures nested too deep to be built.

    Ten aliases of ten aliases, nine times over, are a billion values.
    """
    depth = 0
    for event in yaml.parse(text, PlainLoader):
        if isinstance(event, yaml.AliasEvent):
            problem = f"`*{event.anchor}` repeats another entry; write it out"
            raise _refusal(event, problem, source)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_YAML_DEPTH:
            raise _refusal(event, "lists or fields are nested too deep", source)


def _refusal(event: yaml.Event, problem: str, source: str) -> UpstreamFormatError:
    line = f"line {event.start_mark.line + 1}: " if event.start_mark else ""
    return UpstreamFormatError(f"{source}: {line}{problem}.")

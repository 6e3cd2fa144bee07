"""A document of the catalogue in YAML: its section, and its entries as written."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dagster_project.errors import UpstreamFormatError
from dagster_project.sources.catalogue.entries import NAME
from dagster_project.sources.entries import listed_entries
from dagster_project.sources.yaml_text import load_yaml

END_MARK = "..."
"""YAML's own end of a document. Required as the last line: else a cut file would pass."""


def read_section(payload: bytes, allowed: Collection[str]) -> tuple[str, list[dict[str, Any]]]:
    """The one section of a document, of the allowed ones, with its entries as written.

    Raises UpstreamFormatError in one sentence: what `load_yaml` refuses, another section, a cut
    file, or a section that is not a list of entries.
    """
    loaded, text = load_yaml(payload, NAME)
    if not isinstance(loaded, dict) or len(loaded) != 1 or next(iter(loaded)) not in allowed:
        known = ", ".join(f"`{section}:`" for section in allowed)
        raise UpstreamFormatError(
            f"{NAME}: the file begins with none of {known}, and it is not a table of economies."
        )
    if text.rstrip().rpartition("\n")[2] != END_MARK:
        raise UpstreamFormatError(
            f"{NAME}: the file is cut: its last line is not `{END_MARK}`.",
            hint=f"If nothing is missing, add the line `{END_MARK}` at its end.",
        )
    section = str(next(iter(loaded)))
    return section, listed_entries(loaded[section], f"{NAME}: `{section}:`")

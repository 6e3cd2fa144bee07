"""The identity card every publisher carries, and the few words sources and the other rooms share.

A source module holds `CARD`, `parse(payload, document)` and, where it can be fetched, `plan(card)`.
Pure: no network, no files, no Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import polars as pl

Cadence = Literal["daily", "monthly", "annual", "edited by hand"]


@dataclass(frozen=True)
class SourceCard:
    """Who publishes it, under which terms, how often, and what it fills.

    `name` is the word for the source everywhere: module, settings prefix, asset keys, `source`
    columns, `kido land`. `base_url` is set for a source that can be fetched. `bundled` names the
    files under `bundled/<name>/` that come with the project.
    """

    name: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    is_redistributable: bool
    cadence: Cadence
    homepage: str
    tables: tuple[str, ...]
    description: str
    bundled: tuple[str, ...] = ()
    base_url: str | None = None
    needs_key: bool = False
    owner: str = "team:kido"


@dataclass(frozen=True)
class Document:
    """A payload's label: what it is called, when it was retrieved, and whether it is bundled."""

    name: str
    retrieved_at: datetime
    is_bundled: bool


@dataclass(frozen=True)
class Request:
    """One GET that yields one document. `url` is relative to the source's base address.

    A credential is written as the placeholder `{key}` in a header (in a parameter only where the
    publisher takes it nowhere else); it is filled in when the request is sent.

    `expects` lists what the first bytes may be: `csv`, `json`, `zip`, `xlsx`.
    """

    document: str
    url: str
    expects: tuple[Literal["csv", "json", "zip", "xlsx"], ...]
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """What a module in `sources/` offers. `plan` is absent where nothing can be fetched."""

    CARD: SourceCard

    def parse(self, payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
        """Bytes as published -> frames by lake table, without `snapshot_id` and `document`.

        Raises UpstreamFormatError when the bytes are not what the publisher is known to send.
        """
        ...

    def plan(self) -> Sequence[Request]:
        """The requests that fetch everything the source publishes today."""
        ...

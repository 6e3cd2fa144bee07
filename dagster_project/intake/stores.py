"""Opens the landing and the lake of a home, and gives the origins of documents."""

from __future__ import annotations

import mimetypes
from datetime import date

import yaml
from pydantic import BaseModel, ConfigDict

from dagster_project.lake.landing import Landing, Origin
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Source


class BundledFile(Origin):
    """An entry of `bundled/<source>/origin.yaml`: a file and the origin of its figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    retrieved: date


class BundledFiles(BaseModel):
    """`origin.yaml` of a source's bundled files."""

    model_config = ConfigDict(extra="forbid")

    files: list[BundledFile]


def landing_of(settings: Settings, *, is_read_only: bool = False) -> Landing:
    return Landing(Store(settings.landing_url, is_read_only=is_read_only))


def lake_of(settings: Settings) -> Lake:
    return Lake(Store(settings.lake_url), settings.lake_cache_dir)


def bundled_files(source: Source) -> list[BundledFile]:
    """The bundled files of a source with their origins, in the card's order."""
    if not source.CARD.bundled:
        return []
    folder = BUNDLED / source.CARD.name
    listed = BundledFiles.model_validate(yaml.safe_load((folder / "origin.yaml").read_text("utf8")))
    by_name = {entry.file: entry for entry in listed.files}
    return [by_name[file] for file in source.CARD.bundled]


def origin_of_card(source: Source) -> Origin:
    """The origin of an answer of a source, or of a file landed by hand."""
    card = source.CARD
    return Origin(
        producer=card.publisher,
        citation=f"{card.publisher}, {card.title}",
        licence=card.licence,
        licence_url=card.licence_url,
        url=card.homepage,
    )


def media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"

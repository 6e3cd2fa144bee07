"""The bundled figures with few flows: a build makes the same tables from a ninth of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from dagster_project.intake import compare, land, stores
from dagster_project.orchestration import inputs
from dagster_project.settings import BUNDLED

CODES = ("280530", "284610", "284690", "811211", "811230")
"""Rare earths, beryllium and germanium, whose flows of 1995 to 2024 are kept. Of 2024 in 30 codes
(`flows_2024.csv`) all is. Whole codes, since a build is held against the totals of each."""


def few_flows(folder: Path) -> Path:
    """Make a folder like `bundled/`, with the flows of a few codes in the large files."""
    folder.mkdir(exist_ok=True)
    for source in BUNDLED.iterdir():
        if source.name != "baci":
            (folder / source.name).symlink_to(source)
    (folder / "baci").mkdir()
    for file in (BUNDLED / "baci").iterdir():
        kept = folder / "baci" / file.name
        if file.suffix == ".parquet":
            rows = pl.read_parquet(file).filter(pl.col("hs6_code").is_in(CODES))
            if rows.is_empty():  # A document without a row is refused.
                kept.symlink_to(file)
            else:
                rows.write_parquet(kept)
        else:
            kept.symlink_to(file)
    return folder


def with_files(folder: Path, files: Mapping[str, bytes], beside: Path = BUNDLED) -> Path:
    """Make a folder like `beside`, with these files (`<source>/<file>`) instead of its own."""
    folder.mkdir(exist_ok=True)
    for source in beside.iterdir():
        if not any(name.startswith(f"{source.name}/") for name in files):
            (folder / source.name).symlink_to(source)
            continue
        (folder / source.name).mkdir()
        for file in source.iterdir():
            name = f"{source.name}/{file.name}"
            if name in files:
                (folder / name).write_bytes(files[name])
            else:
                (folder / name).symlink_to(file)
    return folder


def use(folder: Path, replace: Callable[[object, str, object], None] = setattr) -> None:
    """Let this process take the bundled files from a folder."""
    for module in (land, stores, compare, inputs):
        replace(module, "BUNDLED", folder)

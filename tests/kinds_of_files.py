"""Kinds of files of a home, and how many there are of each: homes are compared by them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path


def files_by_kind(home: Path) -> Counter[str]:
    """The number of files by kind."""
    return Counter(
        kind_of(str(file.relative_to(home))) for file in home.rglob("*") if file.is_file()
    )


def kind_of(file: str) -> str:
    """The path of a file in a home, without the names that differ."""
    for pattern, name in (
        (r"[a-z0-9_]+-\d{8}T\d{6,}-[0-9a-f]{8}", "<snapshot>"),
        (r"\d{8}T\d{6}-[0-9a-f]{6}", "<release>"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<run>"),
        (r"\.[0-9a-f]{8}\.parquet", ".<written>.parquet"),
        (r"\.[0-9a-f]{8}$", ".<temporary>"),
        (r"^landing/[a-z0-9_]+/", "landing/<source>/"),
        (r"^lake/_snapshots/[a-z0-9_]+/", "lake/_snapshots/<source>/"),
        (r"^lake/[a-z][a-z0-9_]*/[a-z0-9_]+/", "lake/<table>/<source>/"),
        (r"^landing/<source>/<snapshot>/(?!origin\.json)[^/]+$",
         "landing/<source>/<snapshot>/<payload>"),
        (r"^intake/[a-z0-9_]+\.lock", "intake/<source>.lock"),
        (r"^reports/.*", "reports/<page>"),
        (r"^build/<run>/dbt/.*", "build/<run>/dbt/<file>"),
        (r"^dagster/storage/<run>/.*", "dagster/storage/<run>/<log>"),
    ):  # fmt: skip
        file = re.sub(pattern, name, file)
    return file

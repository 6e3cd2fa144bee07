"""The files that make an asset, to which the UI links it: module, table, checks, model."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from dagster_project import words
from dagster_project.lake import schemas
from dagster_project.lake.schemas import LakeTable
from dagster_project.quality.suites import lake as lake_suites
from dagster_project.serving import gate, publication
from dagster_project.settings import CHECKOUT, DBT_PROJECT
from dagster_project.sources.card import Source

_FILES_OF_A_HOST: Mapping[str, str] = MappingProxyType(
    {"github.com": "blob", "gitlab.com": "-/blob"}
)
"""By host of a repository: what is between its address and the commit of a file."""

Metadata = Mapping[str, dg.CodeReferencesMetadataValue]


def code_of_source(source: Source, table: LakeTable | None = None) -> Metadata:
    """The module of a source; of one of its lake tables also the columns and the checks."""
    files = {"source": Path(str(getattr(source, "__file__", CHECKOUT)))}
    if table is not None:
        files["columns of the table"] = Path(schemas.__file__)
        files["checks of the table"] = Path(lake_suites.__path__[0]) / f"{table.name}.py"
    return _references({**files, "documentation": CHECKOUT / "README.md"})


def code_of_model(node: Mapping[str, Any]) -> Metadata:
    """The SQL of a dbt model, and the file with its columns and checks."""
    file = DBT_PROJECT / node["original_file_path"]
    described = node.get("patch_path")
    files = {node["resource_type"]: file}
    if described:
        files["columns and checks"] = DBT_PROJECT / described.partition("://")[2]
    if node["schema"] in words.SCHEMAS:
        files["documentation"] = CHECKOUT / "docs" / "contract.md"
    return _references(files)


def code_of_audit() -> Metadata:
    """What evaluates the suites of a build, and decides which of them are due."""
    folder = Path(__file__).parent
    return _references({"audit": folder / "audit.py", "fingerprints": folder / "fingerprints.py"})


def code_of_publication() -> Metadata:
    """What compares and publishes a build."""
    return _references({"publication": Path(publication.__file__), "gate": Path(gate.__file__)})


def _references(files: Mapping[str, Path]) -> Metadata:
    with warnings.catch_warnings():
        # The public classes are in beta; a warning for each of 160 assets would hide others.
        warnings.simplefilter("ignore", dg.BetaWarning)
        references = [_reference(label, file) for label, file in files.items()]
        value = dg.CodeReferencesMetadataValue(code_references=[*references])
    return {"dagster/code_references": value}


def _reference(label: str, file: Path) -> dg.LocalFileCodeReference | dg.UrlCodeReference:
    """A link to the file where the checkout was cloned from; without one, to the file itself."""
    base = base_url()
    if base and file.is_relative_to(CHECKOUT):
        return dg.UrlCodeReference(url=f"{base}/{file.relative_to(CHECKOUT)}", label=label)
    return dg.LocalFileCodeReference(file_path=str(file), line_number=1, label=label)


@cache
def base_url(checkout: Path = CHECKOUT) -> str | None:
    """The address of the files of this commit; None without an http(s) origin on a known host.

    Credentials in the address of the origin are left out.
    """
    origin = urlsplit(_git(checkout, "remote", "get-url", "origin"))
    commit = _git(checkout, "rev-parse", "HEAD")
    folder = _FILES_OF_A_HOST.get(origin.hostname or "")
    if origin.scheme not in ("http", "https") or folder is None or not commit:
        return None
    path = origin.path.rstrip("/").removesuffix(".git")
    return f"https://{origin.hostname}{path}/{folder}/{commit}"


def _git(checkout: Path, *arguments: str) -> str:
    """What git prints; nothing without git or a repository."""
    try:
        result = subprocess.run(
            ["git", "-C", str(checkout), *arguments],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""

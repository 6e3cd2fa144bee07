"""Runs dbt's unit tests of one model, or of the models that use a file of macros.

    python -m tests.defects_in_dbt dbt/models/intermediate/int_trade__pair_reports.sql

In a copy of the checkout that `tests/defects.py` made. Only what has changed is parsed again, so
that it takes seconds. Ends with 3 if the project does not parse.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster_project.settings import DBT_PROJECT
from tests.dbt_project import QUIET, Project

Manifest = Mapping[str, Any]


def main(file: str) -> int:
    folder = Path(os.environ["KIDO_DEFECTS"])
    build_file = folder / "empty" / "kido.duckdb"
    if not build_file.exists():
        sys.exit(f"{build_file} is missing: run with --empty before there is a defect")
    target = folder / "partly"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(DBT_PROJECT / "target", target)
    parsed = dbt(None, "parse", "--target-path", str(target))
    if not parsed.success:
        return 3
    manifest = json.loads((target / "manifest.json").read_text("utf8"))
    chosen = unit_tests_of(manifest, file)
    print(f"{len(chosen)} unit tests")
    if not chosen:
        return 0
    os.environ["DBT_BUILD_FILE"] = str(build_file)
    tested = dbt(
        parsed.result, "test", "--target-path", str(target), "--no-write-json", "--select", *chosen,
    )  # fmt: skip
    if tested.result is None:
        print(f"FAILED dbt: {tested.exception}")
        return 1
    bad = [entry.node.name for entry in tested.result.results if str(entry.status) != "pass"]
    print(*(f"FAILED dbt unit test {name}" for name in bad), sep="\n")
    return int(bool(bad))


def dbt(manifest: Any, command: str, *options: str) -> Any:
    from dbt.cli.main import dbtRunner

    paths = ("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT))
    return dbtRunner(manifest=manifest).invoke([command, *paths, *QUIET, *options])


def unit_tests_of(manifest: Manifest, file: str) -> Sequence[str]:
    """Names of the unit tests of the models that a file makes, or that use its macros."""
    path = file.removeprefix("dbt/")
    used = {key for key, of in manifest["macros"].items() if of["original_file_path"] == path}
    more = used
    while more:
        more = {
            key
            for key, macro in manifest["macros"].items()
            if key not in used and used & set(macro["depends_on"]["macros"])
        }
        used |= more
    models = {
        key
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and (node["original_file_path"] == path or used & set(node["depends_on"]["macros"]))
    }
    return [
        test["name"]
        for test in manifest["unit_tests"].values()
        if models & set(test["depends_on"]["nodes"])
    ]


def make_empty(build_file: Path) -> None:
    """All relations without rows: from them dbt takes the types of what a unit test gives."""
    build_file.parent.mkdir(parents=True)
    project = Project(build_file.parent / "target")
    project.create_inputs(build_file)
    project.invoke("seed", build_file)
    project.invoke("run", build_file)


if __name__ == "__main__":
    if sys.argv[1] == "--empty":
        make_empty(Path(os.environ["KIDO_DEFECTS"]) / "empty" / "kido.duckdb")
    else:
        sys.exit(main(sys.argv[1]))

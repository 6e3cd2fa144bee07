"""Runs dbt once per build, by dagster-dbt, on a project that is parsed ahead of time.

No SQL and no rules here.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from dagster_project.errors import KidoError
from dagster_project.lake.build_file import (
    connect,
    dbt_environment,
    work_file,
)
from dagster_project.lake.relations import quoted
from dagster_project.lake.store import write_atomically
from dagster_project.lake.vintages import DBT_AS_OF
from dagster_project.orchestration.dbt_files import generate, generated, written_by_hand
from dagster_project.serving.terminal import counter, say
from dagster_project.settings import DBT_PROJECT

if TYPE_CHECKING:
    from dagster_dbt import DbtCliResource

TARGET = DBT_PROJECT / "target"
"""The folder `prepare` writes to: the parsed project as JSON for Dagster, as msgpack for dbt."""

STAMP = TARGET / "prepared.json"
"""The version of the parsed project; written last."""

NOT_OF_BUILDS = ("resource_type:unit_test", "tag:step")
"""What `dbt build` leaves out, as dbt selects: the project's own tests run these."""

SAMPLE_ROWS = 20


def is_left_out(node: Mapping[str, Any]) -> bool:
    """Whether a node is one of those that builds leave out (`NOT_OF_BUILDS`)."""
    return node["resource_type"] == "unit_test" or "step" in node["config"]["tags"]


@dataclass(frozen=True)
class NodeResult:
    """The outcome of one dbt node. `status` is dbt's, e.g. success, error, pass, fail, skipped."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    message: str
    failures: int
    seconds: float
    compiled_code: str
    severity: str


def prepare(force: bool = False) -> Path:
    """Generate the staging models and parse the dbt project, unless both are up to date.

    Returns the manifest's path. One process parses, others wait for it. Raises KidoError if the
    project does not parse or compile.
    """
    manifest = TARGET / "manifest.json"
    if not is_prepared() or force:  # generated files are updated either way
        TARGET.mkdir(parents=True, exist_ok=True)
        with FileLock(TARGET / "prepare.lock"):
            if force or not is_prepared():
                _parse(manifest)
    return manifest


def is_prepared() -> bool:
    """Whether the parsed project is up to date; generated files are updated first."""
    generate()
    if not (STAMP.exists() and (TARGET / "manifest.json").exists()):
        return False
    prepared: Mapping[str, Any] = json.loads(STAMP.read_text("utf8"))
    return prepared.get("version") == project_version()


def _parse(manifest: Path) -> None:
    from dbt.cli.main import dbtRunner

    from dagster_project.orchestration.lineage import column_lineage

    say("Parsing the dbt project")
    version = project_version()
    # A full parse: with partial parsing dbt keeps removed unit tests.
    result = dbtRunner().invoke(["parse", "--no-partial-parse", *_paths(TARGET), *_QUIET])
    if not result.success:
        raise KidoError(f"The dbt project does not parse: {result.exception}.")
    compiled = _compile(result.result)
    say("  tracing columns")
    count = counter("models")
    lineage = column_lineage(json.loads(manifest.read_text("utf8")), compiled, count)
    write_atomically(TARGET / "column_lineage.json", json.dumps(lineage).encode())
    write_atomically(STAMP, json.dumps({"version": version}).encode())


def project_version() -> str:
    """A hash of every file of the dbt project that affects what it builds.

    Generated files are hashed by the content they would have now, written or not.
    """
    digest = hashlib.sha256()
    for path in written_by_hand():
        digest.update(str(path.relative_to(DBT_PROJECT)).encode())
        digest.update(path.read_bytes())
    for name, content in generated().items():
        digest.update(name.encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def load_manifest() -> Mapping[str, Any]:
    """The parsed project as Dagster reads it; parsed first if needed."""
    manifest: Mapping[str, Any] = json.loads(prepare().read_text("utf8"))
    return manifest


def load_column_lineage() -> Mapping[str, Mapping[str, Sequence[Sequence[str]]]]:
    """By model and column: the (node, column) pairs that are its inputs."""
    path = TARGET / "column_lineage.json"
    lineage: Mapping[str, Any] = json.loads(path.read_text("utf8")) if path.exists() else {}
    return lineage


RECONCILED_SHARES = "DBT_RECONCILED_SHARES"


def variables_of_models(as_of: date, reconciled_shares: bool) -> dict[str, str]:
    """Dbt's environment that decides what models compute on a day; `reconciled_shares`: whether
    flows that Kido reconciles feed shares.

    Not `--vars`: for others dbt parses all anew, for another environment what names it.
    """
    return {DBT_AS_OF: as_of.isoformat(), RECONCILED_SHARES: str(reconciled_shares).lower()}


def dbt_resource() -> DbtCliResource:
    """The dbt command of this environment, on the project."""
    from dagster_dbt import DbtCliResource

    return DbtCliResource(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(Path(sys.executable).with_name("dbt")),
        global_config_flags=["--no-use-colors", "--log-level-file", "none"],
    )


@dataclass(frozen=True)
class Ended:
    """A node that dbt has ended; `content` is the hash of what it made, empty if nothing."""

    unique_id: str
    content: str
    seconds: float


class DbtBuild:
    """`dbt build` into a prepared build file, by a process of its own.

    DuckDB uses at most `memory` bytes and spills the rest beside the file. `variables` as of
    `variables_of_models`. `select` names nodes; empty for all, but for those of `exclude`.
    """

    def __init__(
        self,
        dbt: DbtCliResource,
        build_file: Path,
        variables: Mapping[str, str],
        *,
        target: Path,
        memory: int,
        select: Sequence[str] = (),
        exclude: Sequence[str] = NOT_OF_BUILDS,
    ) -> None:
        self._manifest = load_manifest()
        self._errors: list[str] = []
        with _environment({**variables, **dbt_environment(build_file, memory)}):
            self._invocation = dbt.cli(
                [
                    "build", "--full-refresh", "--exclude", " ".join(exclude),
                    *(("--select", " ".join(select)) if select else ()),
                ],
                target_path=target, raise_on_error=False,
            )  # fmt: skip

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self._invocation.process

    def stream(self, on_start: Callable[[int, int], None] | None = None) -> Iterator[Ended]:
        """The models and seeds as they end; `on_start` is called with the number of the node that
        starts, and the number of all.

        No dbt is left if this is interrupted.
        """
        try:
            for event in self._invocation.stream_raw_events():
                info, data = event.raw_event["info"], event.raw_event["data"]
                if info["level"] == "error":
                    self._errors.append(info["msg"])
                if info["name"] == "LogStartLine" and on_start:
                    on_start(data["index"], data["total"])
                elif info["name"] in {"LogModelResult", "LogSeedResult"}:
                    yield self._ended(data)
        finally:
            _end(self.process)

    def _ended(self, data: Mapping[str, Any]) -> Ended:
        node = self._manifest["nodes"][data["node_info"]["unique_id"]]
        content = data["status"].removeprefix(MADE) if data["status"].startswith(MADE) else ""
        if node["resource_type"] == "seed" and data["node_info"]["node_status"] == "success":
            content = node["checksum"]["checksum"]
        return Ended(node["unique_id"], content, float(data["execution_time"]))

    def results(self) -> list[NodeResult]:
        """The outcome of every node. Raises KidoError if dbt could not run."""
        try:
            results = self._invocation.get_artifact("run_results.json")["results"]
        except FileNotFoundError:
            said = " ".join(self._errors) or f"it ended with {self.process.returncode}"
            raise KidoError(f"dbt could not run: {said}") from None
        return [
            _node_result(self._manifest["nodes"][entry["unique_id"]], entry) for entry in results
        ]


MADE = "MADE "
"""Before the hash of what dbt made, in its message (`dbt/macros/kept.sql`)."""


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment, which a process inherits that is started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end(process: subprocess.Popen[bytes]) -> None:
    """End dbt if it still runs; nobody will read its files."""
    if process.poll() is None:
        process.kill()
        process.wait()


def sample_failing_rows(
    build_file: Path, result: NodeResult, memory: int | None = None
) -> list[dict[str, Any]]:
    """The first SAMPLE_ROWS rows that a failed test returns; dbt itself only counts them."""
    if not result.compiled_code:
        return []
    with connect(build_file, read_only=True, memory=memory) as connection:
        connection.execute(f"attach {quoted([work_file(build_file)])} as work (read_only)")
        rows: list[dict[str, Any]] = (
            connection.sql(
                f"select * from ({result.compiled_code.rstrip().rstrip(';')}) "
                f"order by all limit {SAMPLE_ROWS}"
            )
            .pl()
            .to_dicts()
        )
    return rows


_QUIET = ("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors")


def _paths(target: Path) -> tuple[str, ...]:
    return (
        "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT),
        "--target-path", str(target),
    )  # fmt: skip


def _compile(manifest: Any) -> Mapping[str, str]:
    """Compiled SQL by model. Compiling runs no query."""
    from dbt.cli.main import dbtRunner

    result = dbtRunner(manifest=manifest).invoke(
        [
            "compile", *_paths(TARGET / "compile"), *_QUIET, "--no-write-json",
            "--no-introspect", "--select", "resource_type:model", "--indirect-selection", "empty",
        ]
    )  # fmt: skip
    if not result.success:
        raise KidoError(f"The dbt project does not compile: {result.exception}.")
    return {entry.node.unique_id: entry.node.compiled_code or "" for entry in result.result.results}


def _node_result(node: Mapping[str, Any], entry: Mapping[str, Any]) -> NodeResult:
    return NodeResult(
        unique_id=node["unique_id"],
        name=node["name"],
        resource_type=node["resource_type"],
        status=entry["status"],
        message=entry["message"] or "",
        failures=entry["failures"] or 0,
        seconds=entry["execution_time"],
        compiled_code=entry["compiled_code"] or "",
        severity=(node["config"].get("severity") or "error").lower(),
    )

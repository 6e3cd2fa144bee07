"""Runs dbt in this process, once per build, on a project that is parsed ahead of time.

A separate dbt process costs three seconds, a parse two more. No SQL and no rules here.
"""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock

from dagster_project.errors import KidoError
from dagster_project.lake.build_file import connect, spill_settings, work_file
from dagster_project.lake.relations import quoted
from dagster_project.lake.store import write_atomically
from dagster_project.orchestration.dbt_files import generate, generated, written_by_hand
from dagster_project.serving.terminal import counter, say
from dagster_project.settings import DBT_PROJECT

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


@dataclass(frozen=True)
class DbtOutcome:
    """The outcome of one dbt invocation, node by node; `error` says why dbt could not run."""

    results: Sequence[NodeResult]
    error: str = ""


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


def parsed_project() -> Any:
    """The parsed project as dbt reads it, a new object each time; parsed first if needed.

    dbt's cache for partial parsing is the parsed project itself; loading it avoids a parse.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    prepare()
    packed = (TARGET / "partial_parse.msgpack").read_bytes()
    return Manifest.from_msgpack(packed, decoder=extended_mashumuro_decoder)


def load_column_lineage() -> Mapping[str, Mapping[str, Sequence[Sequence[str]]]]:
    """By model and column: the (node, column) pairs that are its inputs."""
    path = TARGET / "column_lineage.json"
    lineage: Mapping[str, Any] = json.loads(path.read_text("utf8")) if path.exists() else {}
    return lineage


def variables_of_models(as_of: date, reconciled_shares: bool) -> dict[str, Any]:
    """Dbt's variables that decide what models compute."""
    return {"as_of": as_of.isoformat(), "reconciled_shares": reconciled_shares}


def run(
    build_file: Path,
    as_of: date,
    *,
    target: Path,
    memory: int,
    reconciled_shares: bool = True,
    has_fingerprints: bool = False,
    select: Sequence[str] = (),
    exclude: Sequence[str] = NOT_OF_BUILDS,
    on_start: Callable[[int, int], None] | None = None,
) -> DbtOutcome:
    """`dbt build` into a prepared build file.

    DuckDB uses at most `memory` bytes and spills the rest beside the file. `reconciled_shares`:
    whether flows that Kido reconciles feed shares. `select` names models; empty for all, but for
    those of `exclude`. `on_start` is called with the number of the model or test that dbt starts,
    and the number of all.
    """
    from dbt.cli.main import dbtRunner

    variables = {
        "build_file": str(build_file), "work_file": str(work_file(build_file)),
        **variables_of_models(as_of, reconciled_shares), "has_fingerprints": has_fingerprints,
        **spill_settings(build_file, memory),
    }  # fmt: skip
    runner = dbtRunner(manifest=parsed_project(), callbacks=_callbacks(on_start))
    with _interrupts_for_dbt():
        result = runner.invoke(
            [
                "build",
                "--full-refresh",
                *_paths(target),
                *_QUIET,
                "--no-write-json",
                "--exclude",
                *exclude,
                "--vars",
                json.dumps(variables),
                *(("--select", *select) if select else ()),
            ]
        )
        _release_connections()
    if result.result is None:
        return DbtOutcome(results=(), error=f"dbt could not run: {result.exception}")
    return DbtOutcome(results=[_node_result(entry) for entry in result.result.results])


@contextmanager
def _interrupts_for_dbt() -> Iterator[None]:
    """Raise KeyboardInterrupt at a signal: at this one dbt stops its queries and threads.

    Dagster raises another exception, at which dbt only closes connections, also those in use. The
    interruption is raised again at the end: dbt loses it if a connection closes meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        signal.default_int_handler(number, frame)

    handlers = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if arrived:
        raise KeyboardInterrupt


def _callbacks(on_start: Callable[[int, int], None] | None) -> list[Callable[[Any], None]]:
    """Callbacks for dbt, which calls them with every event, whatever its log level."""
    if on_start is None:
        return []

    def listen(event: Any) -> None:
        if event.info.name == "LogStartLine":
            on_start(event.data.index, event.data.total)

    return [listen]


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

    variables = {"build_file": ":memory:"}
    result = dbtRunner(manifest=manifest).invoke(
        [
            "compile", *_paths(TARGET / "compile"), *_QUIET, "--no-write-json",
            "--no-introspect", "--vars", json.dumps(variables), "--select", "resource_type:model",
            "--indirect-selection", "empty",
        ]
    )  # fmt: skip
    _release_connections()
    if not result.success:
        raise KidoError(f"The dbt project does not compile: {result.exception}.")
    return {entry.node.unique_id: entry.node.compiled_code or "" for entry in result.result.results}


def _release_connections() -> None:
    """Close dbt's connections in this process, so that the build file can be opened again."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _node_result(entry: Any) -> NodeResult:
    node = entry.node
    config = getattr(node, "config", None)
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        resource_type=str(getattr(node.resource_type, "value", node.resource_type)),
        status=str(getattr(entry.status, "value", entry.status)),
        message=entry.message or "",
        failures=int(entry.failures or 0),
        seconds=float(entry.execution_time or 0),
        compiled_code=getattr(node, "compiled_code", None) or "",
        severity=str(getattr(config, "severity", "error") or "error").lower(),
    )

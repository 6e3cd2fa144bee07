"""The command line, `kido ...`: options and help; the work is done by the packages it calls.

Heavy libraries are imported inside the command that needs them, so that `kido --help` is fast.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from dagster_project.errors import KidoError
    from dagster_project.intake.command import Periods
    from dagster_project.intake.landing_report import LandingReport
    from dagster_project.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DAY = ["%Y-%m-%d"]


def _complete_source(incomplete: str) -> list[str]:
    from dagster_project.sources.registry import source_names

    return [name for name in source_names() if name.startswith(incomplete)]


def _complete_table(incomplete: str) -> list[str]:
    from dagster_project.serving.tables import published_tables

    published = _settings().file_of_the_day
    tables = published_tables(published) if published.exists() else []
    return [
        name
        for table in tables
        for name in (table.name, table.table_name)
        if name.startswith(incomplete)
    ]


BuildDay = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=DAY, help="Day to build for; later data is not used."),
]
ReplayDay = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=DAY, help="Query the replay of that day."),
]
Importer = Annotated[
    str, typer.Argument(help="Code or name of an economy; KIDO_IMPORTER if not given.")
]
Source = Annotated[
    str, typer.Argument(help="Source (see `kido sources`).", autocompletion=_complete_source)
]
SourceOrAll = Annotated[
    str,
    typer.Argument(help="Source; all of them if not given.", autocompletion=_complete_source),
]
SourceOrDue = Annotated[
    str,
    typer.Argument(
        help="Source; every source that is due if not given.", autocompletion=_complete_source
    ),
]
Table = Annotated[
    str,
    typer.Argument(
        help="Published table (see `kido tables`), with its schema or without.",
        autocompletion=_complete_table,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print an array of objects, for programs.")]


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from dagster_project.orchestration.inputs import code_version
        from dagster_project.serving.publication import CONTRACT_VERSION

        typer.echo(f"kido {code_version()}, contract {CONTRACT_VERSION}")
        raise typer.Exit


@app.callback()
def kido(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version of the code and of the contract of the published tables.",
        ),
    ] = False,
) -> None:
    """A warehouse of critical-mineral dependence: who an economy depends on, what a trade
    restriction hits, how trade and markets responded.
    """


@app.command()
def build(
    as_of: BuildDay = None,
    select: Annotated[
        str,
        typer.Option(help='Only these assets, in Dagster\'s selection syntax: key:"lake/ecb*"+'),
    ] = "",
    full: Annotated[
        bool, typer.Option(help="Build all anew, and not from what the last build made.")
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish another day than today over kido.duckdb."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say why each model was made.")
    ] = False,
) -> None:
    """Land, check, build, audit, publish, print the answers. Exit code 0 only if published.

    Another day than today (UTC) is published beside kido.duckdb, in as_of/kido-YYYY-MM-DD.duckdb.
    """
    settings, began_at = _settings(as_of), datetime.now(UTC)
    if publish:
        settings.publish_as_today()
    from dagster_project.orchestration.execute import build_warehouse

    published = build_warehouse(settings, select, full, verbose)
    if published is None:
        _print_error("Nothing was published; the published file is as it was.")
        raise typer.Exit(1)
    _print_published(settings, published, began_at)


@app.command()
def land(
    source: Source,
    files: Annotated[list[Path], typer.Argument(help="Files as the publisher offers them.")],
    retrieved: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="Day they were downloaded; today if not given."),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Land files even if known figures are lost or shifted."),
    ] = False,
) -> None:
    """Land downloaded files; they are checked like fetched ones. Then: kido build.

    The files of one command are one landing: all of them are landed or none, and no two may
    contradict each other.
    """
    settings = _settings()
    from dagster_project.intake.land import land_files
    from dagster_project.sources.registry import source_named

    report = land_files(
        settings,
        source_named(source),
        files,
        retrieved.date() if retrieved else None,
        replace_all=replace,
        write=_print_error,
    )
    _print_landed(report)
    if report.others.rejected:
        raise typer.Exit(1)


@app.command()
def scenario(
    file: Annotated[
        Path, typer.Argument(help="Scenario in YAML; docs/scenarios.md describes the format.")
    ],
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Build and print the results, or only land.")
    ] = True,
) -> None:
    """Land a scenario, build, and print what it changes: who supplies, and how concentrated.

    A scenario with the same name is replaced. Exit code 0 if landed, and published if built.
    """
    settings = _settings()
    from dagster_project.intake.land import land_document
    from dagster_project.serving.scenarios import print_results, results_of
    from dagster_project.sources.registry import source_named

    name, payload = _possible_scenario(settings, file)
    # The name of the scenario is that of its document: of two files of one scenario the last that
    # is landed is current, and the first can be landed again.
    report = land_document(
        settings, source_named("scenarios"), f"{name}.yaml", payload,
        replace_all=True, write=_print_error,
    )  # fmt: skip
    _print_landed(report)
    if not build:
        _print("Then: kido build.")
        return
    from dagster_project.orchestration.execute import build_warehouse

    published = build_warehouse(settings)
    if published is None:
        _print_error("Nothing was published; the published file is as it was.")
        raise typer.Exit(1)
    print_results(name, results_of(published, name))


def _possible_scenario(settings: Settings, file: Path) -> tuple[str, bytes]:
    """The name of the scenario in a file, and its bytes, after every check. Raises KidoError."""
    from dagster_project.errors import ConfigurationError
    from dagster_project.serving.scenarios import require_possible
    from dagster_project.sources.card import Document
    from dagster_project.sources.scenarios import read_scenario

    try:
        payload = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    document = Document(file.name, datetime.now(UTC), is_bundled=False)
    read = read_scenario(payload, document, settings.scope)
    if settings.file_of_the_day.exists():
        with _published(settings) as published:
            require_possible(published, read)
    else:
        _print("Nothing is published yet: clauses, projects and suppliers are not checked.")
    return read.name, payload


@app.command()
def fetch(
    source: SourceOrDue = "",
    first: Annotated[
        str,
        typer.Option(
            "--from",
            help="First year or month (2015, 2015-03), of notices also a day; else what is due.",
        ),
    ] = "",
    last: Annotated[
        str, typer.Option("--to", help="Last year or month, included; the newest if not given.")
    ] = "",
    frequency: Annotated[
        str, typer.Option(help="A for years or M for months; all that the source has if not given.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Fetch answered windows again.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print what would be requested; nothing is sent."),
    ] = False,
) -> None:
    """Fetch from a publisher and land what is new; resumes after an interruption. Then: kido build.

    Without a name: what is due from every source that needs no key or has one, one after another,
    except those with KIDO_<SOURCE>_ENABLED=false. The options on periods need a name.

    Exit code 0: every window was answered, empty ones too, or nothing is due; 3: a quota is used
    up, run it again at the time it prints; 1: a window failed, the answered ones stay.
    """
    settings = _settings()
    from dagster_project.intake.command import Periods

    periods = Periods(first, last, frequency, again)
    if not source:
        periods.require_none()
    try:
        if source:
            code = _fetch_named(settings, source, periods, dry_run)
        else:
            code = _fetch_every_source(settings, dry_run)
    except KeyboardInterrupt:
        _print_error("Interrupted: what was landed stays, and the same command goes on from there.")
        raise typer.Exit(130) from None
    if code:
        raise typer.Exit(code)


def _fetch_named(settings: Settings, source: str, periods: Periods, dry_run: bool) -> int:
    from dagster_project.intake.command import fetch_and_report, report_requests
    from dagster_project.sources.registry import source_named

    options = asdict(periods)
    if dry_run:
        report_requests(settings, source_named(source), **options, write=_print)
        return 0
    return fetch_and_report(settings, source_named(source), **options, write=_print_error)


def _fetch_every_source(settings: Settings, dry_run: bool) -> int:
    from dagster_project.intake.fetch_all import fetch_all, report_all_requests
    from dagster_project.sources.registry import all_sources

    sources = all_sources().values()
    if dry_run:
        return report_all_requests(settings, sources, _print)
    from dagster_project.serving.fetch_progress import fetch_display

    # The display shows each pause: the warning of a retry would be a second line about it.
    logging.getLogger("dagster_project.http").addHandler(logging.NullHandler())
    with fetch_display() as display:
        return fetch_all(settings, sources, display)


@app.command()
def sources(as_json: AsJson = False) -> None:
    """List the sources: the newest period that is published and that is held, what is late.

    `3 days` late is what can be fetched; `old since` needs you: nobody fetches it, or its key or
    your consent is missing.

    --json: source, title, publisher, figures (array of bundled, fetched, landed), needs_key,
    has_key, needs_consent, not_asked, last_vintage, latest_period, can_be_fetched, is_due,
    due_periods, held_through, published_through, days_late, old_since, next_period,
    next_released_at, last_answer, last_asked_at, licence.
    """
    settings = _settings()
    from dagster_project.orchestration.overview import print_sources, source_states

    states = source_states(settings)
    if as_json:
        _print_json(states)
    else:
        print_sources(states)


@app.command(name="answers")
def show_answers(
    importer: Importer = "",
    as_of: ReplayDay = None,
) -> None:
    """Print the page of answers of an importer from the published warehouse."""
    settings = _settings(as_of, importer)
    with _published(settings) as published:
        from dagster_project.serving.answers import print_answers

        print_answers(published, settings.importer)


@app.command()
def picture(
    file: Annotated[Path, typer.Argument(help="File to write, e.g. markets.svg.")],
    importer: Importer = "",
    event: Annotated[
        list[str] | None,
        typer.Option(help="Clause or milestone to draw instead, may be repeated."),
    ] = None,
    risks: Annotated[
        bool, typer.Option("--risks", help="Draw supply risk against economic importance instead.")
    ] = False,
    as_of: ReplayDay = None,
) -> None:
    """Draw the markets around the events of an importer's page of answers, as SVG.

    --risks draws the materials it needs, by supply risk and economic importance.
    """
    settings = _settings(as_of, importer)
    if risks and event:
        from dagster_project.errors import ConfigurationError

        raise ConfigurationError("--risks and --event are two pictures.", hint="Give one of them.")
    with _published(settings) as published:
        from dagster_project.serving import pictures

        def draw() -> str:
            if risks:
                return pictures.picture_of_risks(published, settings.importer)
            return pictures.picture(published, settings.importer, event or [])

        _print_error(pictures.write_picture(file, draw))


@app.command()
def measures(
    importer: Importer = "",
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=DAY, help="Day to show, past or future; the day of the build if not given."
        ),
    ] = None,
    ahead: Annotated[
        int | None,
        typer.Option(
            min=1, max=36_500, help="Days after that day whose changes are listed, if not given 90."
        ),
    ] = None,
    as_of: ReplayDay = None,
) -> None:
    """Print what hits an importer on a day: clauses by state, and how much of its trade they hit.

    First it lists what changed and what changes. --on shows a day with what is known today, --as-of
    with what was known on that day, if its replay was built.
    """
    settings = _settings(as_of, importer)
    with _published(settings) as published:
        from dagster_project.serving.measures import measures_on, print_measures

        print_measures(measures_on(published, settings.importer, on.date() if on else None, ahead))


@app.command()
def notices(
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are known or not relevant.")
    ] = False,
    as_of: ReplayDay = None,
) -> None:
    """Print the official notices that are to be read, the newest first, with their links.

    They are evidence and never a clause: a person reads them and edits the catalogue.
    """
    settings = _settings(as_of)
    with _published(settings) as published:
        from dagster_project.serving.notices import notices_in, print_notices, publishers_asked

        print_notices(
            notices_in(published, settings.today, every=every), publishers_asked(published)
        )


@app.command()
def query(
    sql: Annotated[
        str,
        typer.Argument(help="A query; kido tables and kido describe list the tables and columns."),
    ] = "",
    format: Annotated[
        Literal["table", "csv", "json", "markdown", "parquet"],
        typer.Option(help="A table to read, or one of the exact formats."),
    ] = "table",
    limit: Annotated[
        int | None,
        typer.Option(
            min=0, help="Maximum number of rows, 0 for all; if not given, 40 in a table, else all."
        ),
    ] = None,
    vertical: Annotated[
        bool, typer.Option("--vertical", help="A line per column instead of a table.")
    ] = False,
    for_excel: Annotated[
        bool,
        typer.Option(
            "--for-excel", help="With --format csv: Excel opens it with Japanese names intact."
        ),
    ] = False,
    as_of: ReplayDay = None,
) -> None:
    """Query the published file, or the replay of a day, read-only; `show tables` lists the tables.

    A table fits the terminal: columns that do not fit are named and left out, long texts are cut,
    numbers have four significant digits. In a pipe it has all columns and whole texts. The other
    formats are exact.
    """
    settings = _settings(as_of)
    with _published(settings) as published:
        from dagster_project.serving.query import run_query

        run_query(
            published, sql, format, limit, vertical=vertical, for_excel=for_excel,
            memory=settings.memory, seconds=settings.query_timeout_s,
        )  # fmt: skip


@app.command()
def export(
    parquet: Annotated[
        Path, typer.Option("--parquet", metavar="DIR", help="Folder; an export in it is replaced.")
    ],
    public: Annotated[
        bool, typer.Option("--public", help="Leave out rows of sources that may not be passed on.")
    ] = False,
    as_of: ReplayDay = None,
) -> None:
    """Export every published table as a Parquet file, with a manifest of files, hashes, licences.

    --public leaves out every row that is made from a source that may not be passed on, also in
    part, and texts that may quote its figures; manifest.json says what was left out, and why.
    """
    settings = _settings(as_of)
    settings.require_separate(parquet.expanduser().resolve())
    from dagster_project.orchestration import dbt_runner
    from dagster_project.serving.dictionary import described_tables, meta_of_marts
    from dagster_project.serving.export import MANIFEST, export_parquet

    manifest = dbt_runner.load_manifest()
    tables, metas = described_tables(manifest), meta_of_marts(manifest)
    with _published(settings) as published:
        exported = export_parquet(
            published, parquet, tables, metas, is_public=public, memory=settings.memory
        )
    for sentence in filter(None, (table.sentence() for table in exported)):
        _print(sentence)
    files = [table for table in exported if table.file]
    rows = sum(table.rows for table in files)
    _print(f"{parquet}: {len(files)} tables, {rows:,} rows, described in {MANIFEST}.")


@app.command()
def tables(
    views: Annotated[bool, typer.Option("--views", help="List the views with names too.")] = False,
    as_json: AsJson = False,
    as_of: ReplayDay = None,
) -> None:
    """List the published tables: number of rows, latest period, and what one row is.

    --json: schema_name, table_name, is_view, grain, description, rows, latest_period.
    """
    with _published(_settings(as_of)) as published:
        from dagster_project.serving.tables import print_tables, published_tables

        entries = published_tables(published)
        if as_json:
            _print_json(entries)
        else:
            print_tables(entries, with_views=views)


@app.command()
def describe(
    table: Table,
    as_of: ReplayDay = None,
) -> None:
    """Describe a published table: its grain, columns with units, sources, and an example."""
    with _published(_settings(as_of)) as published:
        from dagster_project.serving.tables import describe as describe_table
        from dagster_project.serving.tables import print_description

        print_description(describe_table(published, table))


@app.command()
def trace(
    table: Table,
    where: Annotated[
        list[str],
        typer.Argument(
            help="column=value, enough of them to select one row, e.g. importer_iso3=JPN."
        ),
    ],
    rows: Annotated[
        int, typer.Option(min=0, help="Maximum rows of each table of the lake; 0 for all.")
    ] = 25,
    as_of: ReplayDay = None,
) -> None:
    """Trace a published row to its origin: model, rows of the lake, snapshots, licence."""
    settings = _settings(as_of)
    with _published(settings) as published:
        from dagster_project.intake.stores import lake_of, landing_of
        from dagster_project.serving.trace import print_lineage
        from dagster_project.serving.trace import trace as lineage_of

        lake, landing = lake_of(settings), landing_of(settings)
        print_lineage(lineage_of(published, lake, landing, table, where, settings.today), rows)


@app.command()
def releases(as_json: AsJson = False) -> None:
    """List the published releases, those that can be restored, and the blocked builds.

    --json: release_id, published_at, as_of, code_version, contract_version, duckdb_version,
    is_current, is_kept, is_held, held_for, accepted_at, accepted_losses.
    """
    settings = _settings()
    from dagster_project.orchestration.overview import print_releases, release_states

    states = release_states(settings)
    if as_json:
        _print_json(states)
    else:
        print_releases(states)


@app.command()
def changes(
    release: Annotated[
        str, typer.Argument(help="Release (see `kido releases`); the current if not given.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Print what is new in a release since the release before it: notices to be read, clauses with
    another status, figures of the page of answers, periods of the sources, corrections.

    --json: release_id, kind, subject, before, after, sentence, source, position.
    """
    settings = _settings()
    with _published(settings) as published:
        from dagster_project.serving.show_changes import changes_of_release, print_changes_of

        new = changes_of_release(settings, published, release)
        if as_json:
            _print_objects([dict(row) for row in new.rows])
        else:
            print_changes_of(new)


@app.command()
def rollback(
    release: Annotated[
        str, typer.Argument(help="Release to restore; the one before the current if not given.")
    ] = "",
) -> None:
    """Make an earlier release the published one."""
    settings = _settings()
    from dagster_project.serving.publication import rollback as go_back

    restored = go_back(settings, release or None)
    _print(f"{settings.published_file} is release {restored.release_id}, as of {restored.as_of}.")


@app.command()
def accept(
    release: Annotated[str, typer.Argument(help="Release that `kido build` reported as blocked.")],
) -> None:
    """Publish a blocked build although readers lose data; the acceptance is recorded."""
    settings, began_at = _settings(), datetime.now(UTC)
    from dagster_project.orchestration.execute import accept_release

    _print_published(settings, accept_release(settings, release), began_at)


@app.command()
def alert(
    test: Annotated[
        bool, typer.Option("--test", help="Send a test message to every address of KIDO_ALERTS.")
    ] = False,
    unit: Annotated[
        str, typer.Option(metavar="NAME", help="Send a message that this unit of systemd failed.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List what needs a person: failed runs and checks, blocked releases, late sources, clauses,
    notices.

    Exit code 0 if nothing does, else 1. With --test or --unit, 0 if every address accepted the
    message.

    --json: kind, subject, title, since, lines (array), link, level, has_end.
    """
    if unit:
        from dagster_project.alerts.failed_unit import send_failed_unit
        from dagster_project.settings import Settings

        if not send_failed_unit(Settings.load_alerts(), unit, _print):
            raise typer.Exit(1)
        return
    settings = _settings()
    if test:
        from dagster_project.alerts.send import send_test

        if not send_test(settings, _print):
            raise typer.Exit(1)
        return
    from dagster_project.definitions import defs
    from dagster_project.orchestration.alert_sensors import standing_problems
    from dagster_project.orchestration.execute import open_instance
    from dagster_project.orchestration.standing import Installation

    with open_instance(settings) as instance:
        problems = list(
            standing_problems(Installation(settings, instance, defs().get_repository_def()))
        )
    if as_json:
        fields = [asdict(problem) for problem in problems]
        _print_objects([{name: row[name] for name in row if name != "batch"} for row in fields])
    for problem in problems if not as_json else ():
        _print(f"{problem.title} (since {problem.since}): {problem.link}")
    if problems:
        raise typer.Exit(1)
    if not as_json:
        _print("Nothing needs a person.")


@app.command()
def docs() -> None:
    """Render Great Expectations' Data Docs of the published file into reports/data_docs/."""
    settings = _settings()
    from dagster_project.orchestration.overview import render_data_docs

    typer.echo(render_data_docs(settings))


@app.command()
def prepare() -> None:
    """Parse the dbt project ahead of time, so that builds and the UI start fast."""
    from dagster_project.orchestration import dbt_runner

    dbt_runner.prepare()


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backups.")],
    keep: Annotated[int, typer.Option(min=1, help="Number of backups to keep in it.")] = 7,
) -> None:
    """Back up what cannot be rebuilt: landing, releases, quarantine, and what Dagster recorded.

    Works while the UI, a fetch or a build runs. Only what is new since the last backup is copied.
    The settings (KIDO_...) are not in it.
    """
    settings = _settings()
    from dagster_project.orchestration.backup import back_up

    back_up(settings, folder, keep, _print)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backups.")],
    backup: Annotated[
        str, typer.Option(help="Backup, or the beginning of its name; the last if not given.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Only compare every file with its hash.")
    ] = False,
) -> None:
    """Restore a backup into an empty KIDO_HOME and rebuild the lake. Then: kido build."""
    settings = _settings()
    from dagster_project.orchestration.backup import restore as restore_home

    restore_home(settings, folder, backup, _print, is_check=check)


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address the UI listens on.")] = "127.0.0.1",
) -> None:
    """Open the Dagster UI with the graph ready to materialise."""
    settings = _settings()
    from dagster_project.orchestration.ui import start_ui

    raise typer.Exit(start_ui(settings, host, port))


@app.command()
def web(
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address the UI listens on.")] = "127.0.0.1",
    workspace: Annotated[
        Path | None, typer.Option(help="Workspace of Dagster; the checkout's if not given.")
    ] = None,
) -> None:
    """Serve the Dagster UI alone, for a service; schedules and runs need dagster-daemon."""
    settings = _settings()
    from dagster_project.orchestration.ui import start_ui
    from dagster_project.settings import CHECKOUT

    raise typer.Exit(start_ui(settings, host, port, workspace or CHECKOUT / "workspace.yaml"))


@app.command()
def landed(
    source: SourceOrAll = "",
    as_json: AsJson = False,
) -> None:
    """List the snapshots: when (UTC) and how each was received, its rows, and what was withdrawn.

    --json: snapshot_id, source, document, landed_at, retrieved_at, way (bundled, landed or
    fetched), sha256, tables (array of table_name, rows, counting, first_period, last_period),
    is_withdrawn, withdrawn_at, withdrawn_by, withdrawn_because.
    """
    settings = _settings()
    from dagster_project.intake.withdraw import landed_lines, landed_states
    from dagster_project.sources.registry import all_sources, source_named

    chosen = {source: source_named(source)} if source else all_sources()
    states = list(landed_states(settings, chosen.values()))
    if as_json:
        _print_json(states)
        return
    for line in landed_lines(states, chosen):
        _print(line)
    if not states:
        _print("Nothing is landed yet. Run kido build, or land a file with kido land.")


@app.command()
def withdraw(
    snapshot: Annotated[str, typer.Argument(help="Snapshot to withdraw (see `kido landed`).")],
    because: Annotated[str, typer.Option(help="The reason; it is stored with the bytes.")] = "",
) -> None:
    """Withdraw a snapshot: it is no longer used, its bytes are kept. Then: kido build.

    The same bytes stay withdrawn when they are received again, until kido reinstate.
    """
    settings = _settings()
    from dagster_project.intake import withdraw as withdrawals
    from dagster_project.sources.registry import all_sources

    withdrawals.withdraw(settings, all_sources(), snapshot, because, _print)


@app.command()
def reinstate(
    snapshot: Annotated[str, typer.Argument(help="Withdrawn snapshot (see `kido landed`).")],
) -> None:
    """Reinstate a withdrawn snapshot: it is used again. Then: kido build."""
    settings = _settings()
    from dagster_project.intake import withdraw as withdrawals
    from dagster_project.sources.registry import all_sources

    if not withdrawals.reinstate(settings, all_sources(), snapshot, _print):
        raise typer.Exit(1)


@app.command()
def quarantine(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[replay] [SOURCE]",
            help="A source, to list its rows; with replay before it, to read them again.",
        ),
    ] = None,
    rule: Annotated[str, typer.Option(help="Only rows that break this rule.")] = "",
    limit: Annotated[
        int, typer.Option(min=0, help="Maximum number of rows to print, 0 for all.")
    ] = 40,
    as_json: AsJson = False,
) -> None:
    """List what is quarantined, by source, table and rule; of one source its rows, with reasons.

    `kido quarantine replay SOURCE` reads it again, after a name, code or correction was added. Rows
    that are accepted then count from when they were received; the others stay. Then: kido build.

    --json: source, table_name, rule, rows, name (snapshot or folder), document, since, reason,
    can_be_replayed. Of a source: snapshot_id, source, table_name, row_number, rule, value,
    explanation, row.
    """
    settings = _settings()
    from dagster_project.errors import ConfigurationError
    from dagster_project.intake import replay
    from dagster_project.serving.tables import print_rows
    from dagster_project.sources.registry import all_sources, source_named

    is_replay, named = (words or [])[:1] == ["replay"], [*(words or [])]
    named = named[1:] if is_replay else named
    if len(named) > 1 or (is_replay and not named) or (rule and not named):
        raise ConfigurationError("Name one source.", hint="kido quarantine lists those with rows.")
    if is_replay:
        if replay.replay(settings, source_named(named[0]), rule, _print):
            _print("Then: kido build.")
        return
    if not named:
        entries = list(replay.quarantined(settings, all_sources().values()))
        if as_json:
            _print_json(entries)
        elif entries:
            print_rows([entry.in_a_row() for entry in entries])
        else:
            _print("Nothing is quarantined.")
        return
    rows = replay.rows_of(settings, source_named(named[0]), rule)
    if as_json:
        _print_objects(rows.to_dicts())
        return
    shown = rows.head(limit) if limit else rows
    if shown.height:
        print_rows(shown.drop("source").to_dicts())
    else:
        _print(f"No row of {named[0]} is quarantined.")
    for entry in () if rule else replay.quarantined(settings, [source_named(named[0])]):
        if not entry.table_name:
            _print(f"{entry.document} ({entry.name}), rejected {entry.since}: {entry.reason}")
    if shown.height < rows.height:
        _print(f"{rows.height - shown.height:,} more rows; --limit 0 prints all.")


@app.command(hidden=True, deprecated=True)
def unland(
    snapshot: str,
    because: Annotated[str, typer.Option()] = "",
    again: Annotated[bool, typer.Option("--again")] = False,
) -> None:
    """The former name of kido withdraw, and with --again of kido reinstate."""
    if again:
        reinstate(snapshot)
    else:
        withdraw(snapshot, because)


@app.command()
def compact(
    source: SourceOrAll = "",
) -> None:
    """Merge the small files of the lake, by table, source and period; no figure changes.

    A build does it by itself when there are many.
    """
    settings = _settings()
    from dagster_project.intake.compact import compact_sources
    from dagster_project.sources.registry import all_sources, source_named

    chosen = [source_named(source)] if source else list(all_sources().values())
    compact_sources(settings, chosen, _print)


@app.command()
def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no publisher; nothing needs a network then.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Examine this installation: settings, disk, versions, publishers, clock, locks, published
    file, backups, Dagster, late sources. A line each: ✓ ok, ! a warning, ✗ a failure. Exit code 1
    on a failure.

    --json: check, status (ok, warning or failure), finding.
    """
    from dagster_project.orchestration.doctor import examine, print_findings

    findings = examine(offline=offline)
    if as_json:
        listed = list(findings)
        _print_json(listed)
        has_failed = any(each.status == "failure" for each in listed)
    else:
        has_failed = print_findings(findings)
    if has_failed:
        raise typer.Exit(1)


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Read everything of the home and compare it with its hashes and records: landing, lake,
    releases, builds, quarantine, Dagster. A line each, and one for each fault. Exit code 1 on a
    fault.

    --json: check, status (ok or failure), finding.
    """
    settings = _settings()
    from dagster_project.orchestration.doctor import print_findings
    from dagster_project.orchestration.verify import verify as verify_home

    findings = verify_home(settings)
    if as_json:
        listed = list(findings)
        _print_json(listed)
        has_failed = any(each.status == "failure" for each in listed)
    else:
        has_failed = print_findings(findings)
    if has_failed:
        raise typer.Exit(1)


@app.command()
def clean(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print what would be removed; nothing is removed."),
    ] = False,
) -> None:
    """Remove old runs, quarantine and unfinished parts, as KIDO_KEEP_..._DAYS say; prints what.

    Landed bytes are never removed, nor what the UI, a release or a person still needs.
    """
    settings = _settings()
    from dagster_project.orchestration.execute import clean_home

    for line in clean_home(settings, dry_run=dry_run).lines():
        _print(line)


def _settings(as_of: datetime | None = None, importer: str = "") -> Settings:
    from dagster_project.settings import Settings, economy_from
    from dagster_project.sources.registry import source_names

    code = economy_from(importer, "IMPORTER") if importer else ""
    given = {"as_of": as_of.date() if as_of else None, "importer": code}
    settings = Settings.load(**{name: value for name, value in given.items() if value})
    settings.require_known_names(source_names())
    return settings


@contextlib.contextmanager
def _published(settings: Settings) -> Iterator[Path]:
    """The published file of the chosen day, to read inside.

    Raises PublicationError with the command that makes it if it does not exist or is damaged.
    """
    settings.require_past_or_today()
    published = settings.file_of_the_day
    if not published.exists():
        from dagster_project.errors import PublicationError

        day = f" --as-of {settings.today}" if settings.is_replay else ""
        raise PublicationError(f"{published} does not exist yet.", hint=f"Run kido build{day}.")
    from dagster_project.serving.damage import naming_damage, require_readable
    from dagster_project.serving.publication import HOW_TO_REPLACE

    day = f"kido build --as-of {settings.today} makes it again."
    hint = day if settings.is_replay else HOW_TO_REPLACE
    require_readable(published, hint, reads_all=False)
    with naming_damage(published, hint):
        yield published


def _print_landed(report: LandingReport) -> None:
    """Print what was landed: rows by table, remarks, and earlier documents that are rejected."""
    from dagster_project.serving.tables import print_rows

    _print(report.heading)
    print_rows(report.table_rows())
    for remark in report.remarks():
        _print(remark)
    for reason in report.others.rejected.values():
        _print_error(f"An earlier document can no longer be used and is quarantined: {reason}")


def _print_published(settings: Settings, published: Path, began_at: datetime) -> None:
    """Print the page of answers, what is new if it was published since `began_at`, and the path."""
    from dagster_project.serving.answers import print_page, print_path
    from dagster_project.serving.show_changes import changes_of, print_new

    print_page(published, settings.importer)
    new = changes_of(published, is_replay=settings.is_replay)
    if new.published_at >= began_at.replace(tzinfo=None):
        print_new(new)
    print_path(published)


def _print(line: str) -> None:
    """Print a line, wrapped between words to the width of the terminal."""
    from dagster_project.serving.terminal import print_line

    print_line(line)


def _print_error(line: str) -> None:
    """Print a line to standard error."""
    from dagster_project.safe_text import printable
    from dagster_project.serving.terminal import note

    note(printable(line))


def _print_json(rows: Iterable[Any]) -> None:
    """Print dataclasses as an array of objects: their fields in order, null for missing values."""
    _print_objects([asdict(row) for row in rows])


def _print_objects(rows: list[dict[str, Any]]) -> None:
    from dagster_project.safe_text import for_output

    text = json.dumps(rows, ensure_ascii=False, indent=2)
    typer.echo(for_output(text, is_terminal=sys.stdout.isatty()))


def main() -> None:
    """Run a command; an error ends in one sentence and exit code 1, a closed pipe silently."""
    from dagster_project.errors import KidoError

    # A build imports and parses a million objects. Python would search all of them for cycles at
    # exit: 2 of the 24 s of a first build.
    atexit.register(gc.freeze)
    try:
        with _quiet_on_closed_pipe():
            app()
    except KidoError as error:
        _print_error(f"kido: {error}")
        sys.exit(1)
    except Exception as error:
        _print_error(f"kido: {_sentence_on(error)}")
        sys.exit(1)


def _sentence_on(error: Exception) -> KidoError:
    """What happened and what to do, for an error that is not Kido's own."""
    from dagster_project.errors import KidoError
    from dagster_project.lake.space import disk_full, no_access

    with contextlib.suppress(KidoError):  # of settings that cannot be read
        sentence = disk_full(error, _settings().folders)
        if sentence:
            return sentence
    return no_access(error) or _unexpected(error)


def _unexpected(error: Exception) -> KidoError:
    """The sentence for an error that nobody foresaw.

    Its traceback is in a file of the system's temporary folder, else on standard error.
    """
    import tempfile
    import traceback

    from dagster_project.errors import KidoError, exception_text, redacted

    hint = "Please report it with its traceback"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf8", errors="backslashreplace", prefix="kido-error-", suffix=".txt",
            delete=False,
        ) as file:  # fmt: skip
            file.write(redacted("".join(traceback.format_exception(error))))
        hint = f"{hint}, {file.name}"
    except OSError:
        traceback.print_exception(error)
    text = redacted(exception_text(error)).encode("utf8", "backslashreplace").decode()
    return KidoError(f"This is an error in Kido ({text}).", hint=f"{hint}.")


@contextlib.contextmanager
def _quiet_on_closed_pipe() -> Iterator[None]:
    """End without a message if the reader has closed the pipe (`kido query ... | head`).

    Standard output is redirected, so that Python does not report the pipe at exit either.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()

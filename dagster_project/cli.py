"""The command line: `kido ...`. Thin; every command calls one of the packages.

Heavy libraries are imported inside the command that needs them: `kido --help` is fast.
"""

from __future__ import annotations

import atexit
import gc
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from dagster_project.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A warehouse of critical-mineral dependence: who an economy depends on, what a trade "
    "restriction hits, how trade and markets answered.",
)

Day = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day to build for; later data is not used."),
]


@app.command()
def build(
    as_of: Day = None,
    select: Annotated[
        str,
        typer.Option(help='Only these assets, in Dagster\'s selection syntax: key:"lake/ecb*"+'),
    ] = "",
    force: Annotated[bool, typer.Option(help="Build even if nothing has changed.")] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish another day than today over kido.duckdb."),
    ] = False,
) -> None:
    """Land, check, build, audit, publish, print the answers. Exit code 0 only if published.

    Another day than today (UTC) is published beside kido.duckdb, in as_of/kido-YYYY-MM-DD.duckdb.
    """
    settings = _settings(as_of)
    if publish:
        settings.publish_as_today()
    from dagster_project.orchestration.execute import build_warehouse

    published = build_warehouse(settings, select, force)
    if published is None:
        _print_error("Nothing was published; the published file is as it was.")
        raise typer.Exit(1)
    from dagster_project.serving.answers import print_answers

    print_answers(published, settings.importer)


@app.command()
def land(
    source: Annotated[str, typer.Argument(help="Source the files are of (see `kido sources`).")],
    files: Annotated[list[Path], typer.Argument(help="Files as the publisher offers them.")],
    retrieved: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day they were downloaded; today if not given."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Accept files that lose or shift known figures.")
    ] = False,
) -> None:
    """Land downloaded files; they are checked like fetched ones. Then: kido build.

    Files of one command that hold parts of the same figures are landed together.
    """
    settings = _settings()
    from dagster_project.errors import counted, indented
    from dagster_project.intake.land import land_files
    from dagster_project.sources.registry import source_named

    brought = land_files(
        settings,
        source_named(source),
        files,
        retrieved.date() if retrieved else None,
        replace_all=replace,
        write=_print_error,
    )
    for taken in brought.taken:
        rows = ", ".join(
            f"{counted(count, 'row')} of {table}" for table, count in taken.rows.items()
        )
        quarantined = sum(taken.quarantined.values())
        news = "taken" if taken.is_new else "nothing new"
        together = " together" if len(taken.documents) > 1 else ""
        instead = (
            f" It stands in for the bundled {taken.stands_in_for}." if taken.stands_in_for else ""
        )
        typer.echo(f"{' + '.join(taken.documents)}: {news}{together}, {rows}.{instead}")
        for revision in taken.revisions:
            for line in revision.lines():
                typer.echo("\n".join(indented(line, by=2)))
        for sentence in taken.mended:
            typer.echo("\n".join(indented(f"{sentence}.", by=2)))
        if quarantined:
            typer.echo(
                f"  {quarantined} {'row is' if quarantined == 1 else 'rows are'} quarantined in "
                f"{taken.quarantine}: {'; '.join(taken.reasons)}."
            )
    for reason in brought.others.rejected.values():
        _print_error(f"An earlier document can no longer be used and is quarantined: {reason}")
    if brought.others.rejected:
        raise typer.Exit(1)


@app.command()
def fetch(
    source: Annotated[str, typer.Argument(help="Source to fetch (see `kido sources`).")],
    first: Annotated[
        str,
        typer.Option("--from", help="First year or month (2015, 2015-03); else what is due."),
    ] = "",
    last: Annotated[
        str, typer.Option("--to", help="Last year or month, included; the newest if not given.")
    ] = "",
    frequency: Annotated[
        str, typer.Option(help="A for years or M for months; all that the source has if not given.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Fetch answered windows again.")] = False,
) -> None:
    """Fetch from a publisher and land what is new; resumes after an interruption. Then: kido build.

    Exit code 0: every window was answered, empty ones too; 3: its quota is used up, run it again at
    the time it prints; 1: a window failed, the answered ones stay.
    """
    settings = _settings()
    from dagster_project.intake.command import fetch_and_report
    from dagster_project.sources.registry import source_named

    code = fetch_and_report(
        settings,
        source_named(source),
        first=first,
        last=last,
        frequency=frequency,
        again=again,
        write=lambda line: typer.echo(line, err=True),
    )
    if code:
        raise typer.Exit(code)


@app.command()
def sources() -> None:
    """List the sources: where their figures come from, how far they reach, what is due, licence."""
    settings = _settings()
    from rich.table import Table

    from dagster_project.orchestration.overview import source_overview

    table = Table(box=None, pad_edge=False)
    for name in (
        "source", "figures", "credentials", "last vintage", "latest period", "due", "last answer",
        "licence",
    ):  # fmt: skip
        table.add_column(name, no_wrap=name != "licence")
    for row in source_overview(settings):
        table.add_row(*row)
    _print_wide(table)


@app.command(name="answers")
def show_answers(
    importer: Annotated[
        str, typer.Argument(help="Code or name of an economy; KIDO_IMPORTER if not given.")
    ] = "",
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Query the replay of that day."),
    ] = None,
) -> None:
    """Print the page of answers of an importer from the published warehouse."""
    settings = _settings(as_of, importer)
    published = _published(settings)
    from dagster_project.serving.answers import print_answers

    print_answers(published, settings.importer)


@app.command()
def measures(
    importer: Annotated[
        str, typer.Argument(help="Code or name of an economy; KIDO_IMPORTER if not given.")
    ] = "",
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day to look at, past or future; that of the build if none."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Query the replay of that day."),
    ] = None,
) -> None:
    """Print what hits an importer on a day: clauses by state, and how much of its trade they hit.

    --on shows a day as the published file knows it; --as-of what was known on a day, if its replay
    was built.
    """
    settings = _settings(as_of, importer)
    published = _published(settings)
    from dagster_project.serving.measures import measures_on, print_measures

    print_measures(measures_on(published, settings.importer, on.date() if on else None))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A query; see catalog.columns for the columns.")],
    format: Annotated[
        Literal["table", "csv", "json", "parquet"], typer.Option(help="How to print the rows.")
    ] = "table",
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Query the replay of that day."),
    ] = None,
) -> None:
    """Query the published file, or the replay of a day, read-only."""
    published = _published(_settings(as_of))
    from dagster_project.serving.query import run_query

    run_query(published, sql, format)


@app.command()
def trace(
    table: Annotated[str, typer.Argument(help="Published table, e.g. dependency.supplier_shares.")],
    where: Annotated[
        list[str],
        typer.Argument(help="column=value, as many as single out one row, e.g. importer_iso3=JPN."),
    ],
    rows: Annotated[
        int, typer.Option(min=0, help="Most rows of each table of the lake; 0 for all.")
    ] = 25,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Query the replay of that day."),
    ] = None,
) -> None:
    """Print the way back from a published row: rows of the lake, snapshots, licence, model."""
    settings = _settings(as_of)
    published = _published(settings)
    from dagster_project.intake.stores import lake_of, landing_of
    from dagster_project.serving.trace import print_way
    from dagster_project.serving.trace import trace as way_back

    way = way_back(published, lake_of(settings), landing_of(settings), table, where, settings.today)
    print_way(way, rows)


@app.command()
def releases() -> None:
    """List the published releases, those that can be restored, and the builds that are held."""
    settings = _settings()
    from rich.table import Table

    from dagster_project.orchestration.builds import held_builds
    from dagster_project.serving.publication import (
        current_release,
        is_kept,
        published_releases,
    )

    current = current_release(settings)
    table = Table(box=None, pad_edge=False)
    for name in ("release", "published (UTC)", "as of", "code", "kept", ""):
        table.add_column(name, no_wrap=True)
    losses: list[str] = []
    for release in published_releases(settings):
        table.add_row(
            release.release_id,
            f"{release.published_at:%Y-%m-%d %H:%M}",
            str(release.as_of),
            release.code_version,
            "yes" if is_kept(settings, release.release_id) else "",
            "◀ current" if current and release.release_id == current.release_id else "",
        )
        if release.accepted_at:
            losses.append(
                f"{release.release_id} was accepted on {release.accepted_at:%Y-%m-%d}: "
                f"{release.accepted_losses}"
            )
    for build in held_builds(settings.build_dir):
        held = build.release
        table.add_row(held.release_id, "", str(held.as_of), held.code_version, "", "held")
        losses.append(f"{held.release_id} is held: {build.held_for}")
    _print_wide(table)
    for loss in losses:
        typer.echo(f"\n{loss}")


@app.command()
def rollback(
    release: Annotated[
        str, typer.Argument(help="Release to restore; the one before the current if not given.")
    ] = "",
) -> None:
    """Make an earlier release the published one."""
    settings = _settings()
    from dagster_project.serving.publication import rollback as go_back

    found = go_back(settings, release or None)
    typer.echo(f"{settings.published_file} is release {found.release_id}, as of {found.as_of}.")


@app.command()
def accept(
    release: Annotated[str, typer.Argument(help="Release that `kido build` reported as held.")],
) -> None:
    """Publish a build that was held because readers would lose data; the acceptance is recorded."""
    settings = _settings()
    from dagster_project.orchestration.execute import accept_release

    published = accept_release(settings, release)
    from dagster_project.serving.answers import print_answers

    print_answers(published, settings.importer)


@app.command()
def docs() -> None:
    """Render Great Expectations' Data Docs of the last build into reports/data_docs/."""
    settings = _settings()
    from dagster_project.orchestration.overview import render_data_docs

    typer.echo(render_data_docs(settings))


@app.command()
def prepare() -> None:
    """Parse the dbt project ahead of time, so that builds and the UI start fast."""
    from dagster_project.orchestration import transform

    transform.prepare()


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
def landed(
    source: Annotated[str, typer.Argument(help="Source to list; all of them if not given.")] = "",
) -> None:
    """List the snapshots: when (UTC) and how each came, its rows, and what was withdrawn."""
    settings = _settings()
    from dagster_project.intake.withdraw import landed_lines
    from dagster_project.sources.registry import all_sources, source_named

    chosen = [source_named(source)] if source else all_sources().values()
    lines = list(landed_lines(settings, chosen))
    for line in lines:
        typer.echo(line)
    if not lines:
        typer.echo("Nothing is landed yet. Run kido build, or bring a file with kido land.")


@app.command()
def unland(
    snapshot: Annotated[str, typer.Argument(help="Snapshot to withdraw (see `kido landed`).")],
    because: Annotated[str, typer.Option(help="Why; it is kept with the bytes.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Bring a withdrawn snapshot back instead.")
    ] = False,
) -> None:
    """Withdraw a snapshot: it is no longer used, its bytes are kept. Then: kido build.

    The same bytes stay withdrawn when they are received again, until --again.
    """
    settings = _settings()
    from dagster_project.intake.withdraw import unland as withdraw
    from dagster_project.intake.withdraw import unland_again
    from dagster_project.sources.registry import all_sources

    if not again:
        withdraw(settings, all_sources(), snapshot, because, typer.echo)
    elif not unland_again(settings, all_sources(), snapshot, typer.echo):
        raise typer.Exit(1)


@app.command()
def compact(
    source: Annotated[str, typer.Argument(help="Source to compact; all if not given.")] = "",
) -> None:
    """Merge the small files of the lake, by table, source and period; no figure changes.

    A build does it by itself when there are many.
    """
    settings = _settings()
    from dagster_project.intake.compact import compact_sources
    from dagster_project.sources.registry import all_sources, source_named

    chosen = [source_named(source)] if source else list(all_sources().values())
    compact_sources(settings, chosen, typer.echo)


def _settings(as_of: datetime | None = None, importer: str = "") -> Settings:
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_names

    given = {"as_of": as_of.date() if as_of else None, "importer": importer}
    settings = Settings.load(**{name: value for name, value in given.items() if value})
    settings.require_known_names(source_names())
    return settings


def _published(settings: Settings) -> Path:
    """The published file of the day that is asked for.

    Raises PublicationError with the command that makes it where there is none.
    """
    settings.require_past_or_today()
    published = settings.file_of_the_day
    if not published.exists():
        from dagster_project.errors import PublicationError

        day = f" --as-of {settings.today}" if settings.is_replay else ""
        raise PublicationError(f"{published} does not exist yet.", hint=f"Run kido build{day}.")
    return published


def _print_wide(table: Table) -> None:
    """Print a table without truncating names, on a narrow terminal too."""
    from rich.console import Console

    Console(width=max(Console().width, 120)).print(table)


def _print_error(line: str) -> None:
    typer.echo(line, err=True)


def main() -> None:
    """Run a command; an error ends in one sentence and exit code 1."""
    from dagster_project.errors import KidoError

    # A build imports and parses a million objects. Python would search all of them for cycles at
    # exit: 2 of the 24 s of a first build.
    atexit.register(gc.freeze)
    try:
        app()
    except KidoError as error:
        _print_error(f"kido: {error}")
        sys.exit(1)
    except Exception as error:
        from dagster_project.lake.space import disk_full

        full = disk_full(error, _settings().folders)
        if full is None:
            raise
        _print_error(f"kido: {full}")
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Great Expectations' own Data Docs, on demand.

Not part of a build; the page that a build writes is that of `report.py`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from dagster_project.quality.profiles import evaluate_columns
from dagster_project.quality.rules import Suite
from dagster_project.quality.runner import (
    expectations_of,
    great_expectations,
    kwargs_of,
    with_markets,
)


def build_data_docs(
    frames_by_suite: Iterable[tuple[Suite, pl.DataFrame]],
    directory: Path,
    *,
    today: date | None = None,
) -> Path:
    """Check each frame with its suite and render the site into `directory`, which it replaces.

    Returns the site's `index.html`.
    """
    gx, progress_bars = great_expectations()
    with tempfile.TemporaryDirectory() as work:
        context = gx.get_context(mode="file", project_root_dir=work)
        context.variables.progress_bars = progress_bars
        frames = context.data_sources.add_pandas("frames")
        for written, frame in frames_by_suite:
            suite = with_markets(written, frame)
            asset = frames.add_dataframe_asset(suite.table)
            definition = context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=suite.table,
                    data=asset.add_batch_definition_whole_dataframe("whole"),
                    suite=context.suites.add(
                        gx.ExpectationSuite(
                            name=suite.table,
                            expectations=expectations_of(suite.rules, kwargs_of(suite, today)),
                        )
                    ),
                )
            )
            shown, _ = evaluate_columns(frame, suite.rules)
            definition.run(
                batch_parameters={"dataframe": shown.to_pandas()},
                run_id=gx.RunIdentifier(run_name=f"as_of_{today or datetime.now(UTC).date()}"),
            )
        site = Path(work) / "site"
        context.update_data_docs_site("local_site", _site(site))
        context.build_data_docs()
        shutil.rmtree(directory, ignore_errors=True)
        # The pages are self-contained: pictures and fonts of Great Expectations are left out.
        shutil.copytree(site, directory, ignore=shutil.ignore_patterns("static"))
    return directory / "index.html"


def _site(folder: Path) -> dict[str, object]:
    """A site of pages that load nothing from elsewhere."""
    view = {"module_name": "dagster_project.quality.docs_view", "class_name": "DocsPage"}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": view},
        "site_section_builders": {
            "expectations": {"view": view},
            "validations": {"view": view},
        },
    }

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

from dagster_project.quality.rules import Suite
from dagster_project.quality.runner import (
    expectations_of,
    great_expectations,
    kwargs_of,
    looked_at,
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
        for suite, frame in frames_by_suite:
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
            shown, _ = looked_at(frame, suite.rules)
            definition.run(
                batch_parameters={"dataframe": shown.to_pandas()},
                run_id=gx.RunIdentifier(run_name=f"as_of_{today or datetime.now(UTC).date()}"),
            )
        context.build_data_docs()
        site = Path(work) / "gx" / "uncommitted" / "data_docs" / "local_site"
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(site, directory)
    return directory / "index.html"

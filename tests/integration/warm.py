"""What a process that is going to be killed would do first, done once for all of them.

Imported by the server that they are forked from, and by nobody else. Nothing here may start a
thread: polars would hang in a fork.
"""

# ruff: noqa: F401
from __future__ import annotations

import great_expectations

import dagster_project.cli
import dagster_project.intake.land
import dagster_project.intake.withdraw
import dagster_project.orchestration.publication_assets
import dagster_project.quality.runner
from dagster_project.intake.versions import parser_version
from dagster_project.sources.registry import source_named

parser_version(source_named("comtrade"))

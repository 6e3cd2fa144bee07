"""What a process of a test would do first, done once for all of them.

Imported by the server that they are forked from, and by nobody else. Nothing here may start a
thread: polars would hang in a fork.
"""

# ruff: noqa: F401
from __future__ import annotations

import gc
import logging

import dbt.adapters.duckdb.connections
import dbt.cli.main
import scipy.special

import dagster_project.cli
import dagster_project.definitions
import dagster_project.intake.command
import dagster_project.intake.land
import dagster_project.intake.withdraw
import dagster_project.market.studies
import dagster_project.orchestration.execute
import dagster_project.orchestration.publication_assets
import tests.integration.asking
import tests.integration.killing
from dagster_project.intake.versions import parser_version
from dagster_project.market.calendars import CALENDARS, calendar
from dagster_project.quality.runner import great_expectations
from dagster_project.sources.registry import all_sources

great_expectations()
# What dbt imports lets every warning be printed, where nothing else does so yet.
logging.getLogger().handlers.clear()
for source in all_sources().values():
    parser_version(source)
for name in CALENDARS:
    calendar(name)
# What is here stays: no process that is forked looks through it for garbage, and copies it by that.
gc.set_threshold(100_000, 50, 100)
gc.collect()
gc.freeze()

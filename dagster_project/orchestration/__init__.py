"""The Dagster graph: assets, checks, jobs, schedules; built from the registry and the dbt project.

No parsing, SQL or HTTP here.
"""

"""The front door with a source more than the project has: `python -m tests.fakes.kido build`."""

from __future__ import annotations

import sys
from typing import cast

from dagster_project import cli
from dagster_project.sources.card import Source
from dagster_project.sources.registry import all_sources
from tests.fakes import paged

if __name__ == "__main__":
    cast("dict[str, Source]", all_sources())[paged.CARD.name] = cast(Source, paged)
    sys.argv[0] = "kido"
    cli.main()

"""Shared by the assets: keys, groups, pools, tags, data versions, and the failure of a step.

No asset is defined here.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import dagster as dg

from dagster_project import words
from dagster_project.errors import KidoError
from dagster_project.lake.space import disk_full
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.serving.release_catalog import RELEASE_TABLES
from dagster_project.settings import Settings
from dagster_project.sources.card import Frequency, SourceCard

T = TypeVar("T")

WRITER_POOL = "warehouse_writer"
"""Pool of every step that writes shared data. Its limit is one step, so that two builds never write
at once. Fetching has a pool per publisher, since it waits for others."""

NEWS_ONLY_TAG = "kido/news_only"
"""Tag of a run that builds only if something is new since the published release."""

BACKFILL_TAG = "kido/backfill"
"""Tag of assets that are fetched by window on demand; no job of the graph includes them."""

ALERTED_BY = "kido/alerted_by"
"""Metadata of a check, and of the failure of a step: the kind of problem (`alerts.problems`) that
reports it, so that it is said once."""

ERROR_TYPE = "kido/error_type"
"""Metadata of the failure of a step whose reason is not Kido's own sentence: the type of the error.
Such a text may contain anything, so that messages have the type alone."""

OVERTAKEN = "kido/overtaken"
"""Metadata of the published file: the release that a run did not publish, since one whose build
began later was published meanwhile."""

OWNER = "team:kido"
"""The owner of assets that belong to no domain."""

MAX_TAG_LENGTH = 63
"""Characters of a tag's value in Dagster."""

PUBLISHED = dg.AssetKey(["published", "warehouse"])

AUDITED = dg.AssetKey(["published", "audited_build"])
"""Made in every build. What follows waits for it and for no table: one that stands as it was is not
made, and Dagster skips a step of which an input is not made."""


def made_with(key: dg.AssetKey) -> dg.AssetKey:
    """What is materialised by each build that makes an asset, or finds that it stands."""
    is_of_dbt = key.path[0] in {*words.SCHEMAS, "staging", "intermediate", "seeds"}
    return AUDITED if is_of_dbt else key


def landing_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source])


def backfill_key(source: str, frequency: Frequency) -> dg.AssetKey:
    """`landing/<source>_annual` or `_monthly`: the same documents, by window."""
    return dg.AssetKey(["landing", f"{source}_{'annual' if frequency == 'A' else 'monthly'}"])


def publisher_pool(source: str) -> str:
    """The pool for fetching from a publisher: one run at a time; other steps do not wait for it."""
    return f"publisher_{source}"


def lake_key(source: str, table: str) -> dg.AssetKey:
    return dg.AssetKey(["lake", f"{source}_{table}"])


def source_group(card: SourceCard) -> str:
    """The group of a source's assets, from the bytes to the typed rows: those of its domain."""
    return f"sources_{card.domain}"


def source_tags(card: SourceCard) -> dict[str, str]:
    """Tags of a source's assets, to search for in the UI: source, domain, publisher."""
    publisher = re.sub(r"[^A-Za-z0-9_.-]+", "_", card.publisher)[:MAX_TAG_LENGTH].strip("_.-")
    return {"source": card.name, "domain": card.domain, "publisher": publisher}


def publisher_page(card: SourceCard) -> dg.MetadataValue[Any]:
    """A link to the publisher's page; the catalogue's is a folder of the project."""
    return (
        dg.MetadataValue.url(card.homepage)
        if "://" in card.homepage
        else dg.MetadataValue.text(card.homepage)
    )


def mart_keys() -> list[dg.AssetKey]:
    """The published tables that dbt builds; each has a suite, so the suites name them."""
    return [dg.AssetKey(name.split(".")) for name in mart_suites() if name not in RELEASE_TABLES]


def key_of(check: dg.AssetCheckResult) -> dg.AssetCheckKey:
    """The key of a check's result; Kido's results always name their asset and check."""
    assert check.asset_key is not None
    assert check.check_name is not None
    return dg.AssetCheckKey(check.asset_key, check.check_name)


def non_empty(**texts: str) -> dict[str, str]:
    """The entries that are not empty."""
    return {name: text for name, text in texts.items() if text}


def data_version(parts: Sequence[str]) -> dg.DataVersion:
    """The version of an asset's inputs, as one hash."""
    return dg.DataVersion(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16])


def fail_run_on(step: Callable[[], T]) -> T:
    """Run a step and return its result; an error becomes the run's failure in one sentence.

    The first line of a failed step is its reason: the sentence of a KidoError or of a full disk,
    else the type and message of the error. Its stack trace is the cause of the failure.
    """
    try:
        return step()
    except (dg.Failure, dg.RetryRequested):
        raise
    except KidoError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except Exception as error:
        full = disk_full(error, Settings.load().folders)
        if full:
            raise dg.Failure(description=str(full), allow_retries=False) from error
        name = type(error).__name__
        raise dg.Failure(
            description=f"{name}: {error}", metadata={ERROR_TYPE: name}, allow_retries=False
        ) from error

"""Rules that `catalog.snapshots` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import is_not_blank, matches
from dagster_project.quality.rules import stop

RULES = (
    matches(
        "sha256_is_64_hex_digits", "sha256", r"^[0-9a-f]{64}$",
        "With it anyone can verify that the bytes are those received.",
    ),
    is_at_least("bytes", 0, "An empty document is not kept.", strict=True),
    is_not_blank("request"),
    stop(
        "request_shows_no_credential",
        "A key in an address must never reach a reader.",
        "ExpectColumnValuesToNotMatchRegex",
        column="request",
        regex=r"(?i)[?&](subscription-key|api_?key|app_?id|token|key)=(?!redact)[a-z0-9]{6}",
    ),
)  # fmt: skip

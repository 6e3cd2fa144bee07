"""The scope of a clause: codes and minerals with the share of each that it controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from dagster_project import words
from dagster_project.lake.entries import Entry, Text
from dagster_project.sources.fields import HsCode, Minerals, ShareBounds


class Scope(Entry):
    """Codes and minerals with the same bounds: every mineral in every code."""

    codes: Annotated[list[HsCode], Field(min_length=1)]
    minerals: Minerals
    share: ShareBounds
    basis: words.ScopeBasis
    printed: Text | None = None
    correction: Text | None = None

    @model_validator(mode="after")
    def _headings(self) -> Self:
        if self.basis != "heading" and any(len(code) == 4 for code in self.codes):
            raise ValueError("has a code of four digits, which only `heading` has")
        return self


def scope_rows(clause: str, scopes: Sequence[Scope]) -> Iterator[dict[str, object]]:
    """Rows of `restriction_scope`, one per code and mineral."""
    for scope in scopes:
        for code in scope.codes:
            for mineral in scope.minerals:
                yield {
                    "clause_id": clause,
                    "hs_code": code,
                    "mineral": mineral,
                    "control_share_low": scope.share[0],
                    "control_share_high": scope.share[1],
                    "basis": scope.basis,
                    "source_codes": scope.printed,
                    "correction_reason": scope.correction,
                }

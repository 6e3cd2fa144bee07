"""Answers in JSON, before a source reads what they mean."""

from __future__ import annotations

import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.sources.json_text import json_object, json_value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'["\ud83d\ude00 gallium"]', ["😀 gallium"]),
        (r'["\ud800 gallium", "\uDC00"]', ["? gallium", "?"]),
        (r'[{"\udfff": 1e400}]', [{"?": float("inf")}]),
        (r'["\\ud800"]', [r"\ud800"]),
        ('["镓"]', ["镓"]),
    ],
)
def test_half_a_character_loses_no_other(written: str, read: object) -> None:
    assert json_value(written.encode(), source="gta") == read


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"[1]", "gta: the answer is no object in JSON."),
        (b"<html></html>", "gta: HTML page where JSON was expected."),
        (b"", "gta: the file is empty."),
        (b'{"a": ', "gta: the answer is cut or no JSON ("),
        (b"[" * 100_000, "gta: the answer is cut or no JSON ("),
        (b"9" * 5_000, "gta: the answer is cut or no JSON ("),
    ],
)
def test_what_is_no_object_is_named(payload: bytes, message: str) -> None:
    with pytest.raises(UpstreamFormatError) as raised:
        json_object(payload, source="gta")
    assert raised.value.message.startswith(message)

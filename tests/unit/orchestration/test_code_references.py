"""Where a checkout was cloned from a known host, the UI links to the files there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.orchestration.code_references import base_url, code_of_publication


def git(checkout: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=checkout, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "Begin")
    return tmp_path


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://github.com/a/kido.git", "https://github.com/a/kido/blob/"),
        ("https://me:s3cret@gitlab.com/a/b/kido", "https://gitlab.com/a/b/kido/-/blob/"),
        ("git@github.com:a/kido.git", None),
        ("https://git.example.org/a/kido.git", None),
        (None, None),
    ],
)
def test_files_are_linked_at_the_commit_of_the_checkout(
    origin: str | None, address: str | None, checkout: Path
) -> None:
    if origin:
        git(checkout, "remote", "add", "origin", origin)
    expected = address and address + git(checkout, "rev-parse", "HEAD")
    assert base_url(checkout) == expected


def test_without_a_repository_files_are_those_of_this_machine(tmp_path: Path) -> None:
    assert base_url(tmp_path / "absent") is None


def test_an_asset_links_to_its_files_at_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    base = "https://github.com/a/kido/blob/abc"
    monkeypatch.setattr("dagster_project.orchestration.code_references.base_url", lambda: base)
    references = code_of_publication()["dagster/code_references"].code_references
    assert [each.url for each in references if isinstance(each, dg.UrlCodeReference)] == [
        f"{base}/dagster_project/serving/publication.py",
        f"{base}/dagster_project/serving/gate.py",
    ]

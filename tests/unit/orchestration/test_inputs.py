"""What makes a build another than the one before it, beside the documents and the day."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.orchestration import inputs
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import all_sources


def test_every_list_beside_the_figures_is_an_input() -> None:
    """Documents are inputs by their snapshots; the origins are recorded with these."""
    documents = {
        BUNDLED / name / file
        for name, source in all_sources().items()
        for file in source.CARD.bundled
    }
    lists = {
        path
        for path in BUNDLED.rglob("*")
        if path.is_file() and path.name != "origin.yaml" and path not in documents
    }
    assert BUNDLED / "usgs_mcs" / "price_labels.csv" in lists
    assert lists <= set(inputs._code())


@pytest.mark.parametrize("name", ["labels.csv", "price_labels.csv", "corrections.yaml"])
def test_a_changed_list_beside_the_figures_makes_another_build(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(home=tmp_path / "home")
    listed = tmp_path / "dagster_project" / "bundled" / "a_source" / name
    listed.parent.mkdir(parents=True)
    for path in (listed, tmp_path / "requirements.lock", tmp_path / "hs_2022.csv"):
        path.write_text("before")
    monkeypatch.setattr(inputs, "CHECKOUT", tmp_path)
    monkeypatch.setattr(inputs, "NOMENCLATURE_FILE", tmp_path / "hs_2022.csv")
    monkeypatch.setattr(inputs, "written_by_hand", list)
    monkeypatch.setattr(inputs, "all_sources", dict)
    before = inputs.inputs_version(settings)
    assert inputs.inputs_version(settings) == before
    listed.write_text("after")
    assert inputs.inputs_version(settings) != before


def test_the_setting_of_reconciled_shares_makes_another_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "all_sources", dict)
    home = tmp_path / "home"
    versions = {
        inputs.inputs_version(Settings.load(home=home, reconciled_shares=on))
        for on in (True, False)
    }
    assert len(versions) == 2

"""The packages: imports point one way, and reading a source imports nothing heavy."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.sources.registry import source_names
from tests.conftest import CHECKOUT


def test_imports_between_the_rooms_point_one_way() -> None:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout


def test_only_settings_reads_the_environment_and_only_http_connects() -> None:
    for path in (CHECKOUT / "dagster_project").rglob("*.py"):
        text = path.read_text("utf8")
        name = path.relative_to(CHECKOUT / "dagster_project").as_posix()
        # The UI and dbt are processes of their own and get the environment of this one.
        if name not in {
            "settings.py", "orchestration/execute.py", "orchestration/dbt_runner.py",
            "lake/dbt_plugin.py",
        }:  # fmt: skip
            assert not re.search(r"getenv|environ(\[|\.get|\.items| if| for)", text), name
        if name != "http.py":
            assert not re.search(r"^\s*(import|from) (httpx|requests|urllib3)\b", text, re.M), name
            assert "urllib.request" not in text, name


def test_sources_import_neither_dagster_nor_duckdb_nor_great_expectations() -> None:
    script = (
        "import sys\n"
        "from dagster_project.sources.registry import all_sources\n"
        "assert all_sources()\n"
        "print(sorted({'dagster', 'duckdb', 'great_expectations', 'httpx'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


ROOMS_OF_INTAKE = {
    "errors", "http", "intake", "lake", "partial_body", "quality", "safe_text", "settings",
    "sources", "words",
}  # fmt: skip


def test_intake_knows_these_rooms_and_of_sources_only_the_card() -> None:
    for path in (CHECKOUT / "dagster_project" / "intake").glob("*.py"):
        for name in _imported(path):
            room, _, module = name.removeprefix("dagster_project.").partition(".")
            if name.startswith("dagster_project."):
                assert room in ROOMS_OF_INTAKE, (path.name, name)
                assert room != "sources" or module.split(".")[0] == "card", (path.name, name)
            assert name.split(".")[0] not in ("dagster", "duckdb", "httpx"), (path.name, name)


ROOMS_OF_ALERTS = {"alerts", "errors", "lake", "serving", "settings", "words"}


def test_alerts_know_these_rooms_and_no_orchestrator() -> None:
    files = list((CHECKOUT / "dagster_project" / "alerts").glob("*.py"))
    assert len(files) > 3
    for path in files:
        for name in _imported(path):
            room = name.removeprefix("dagster_project.").partition(".")[0]
            if name.startswith("dagster_project."):
                assert room in ROOMS_OF_ALERTS, (path.name, name)
            assert name.split(".")[0] not in ("dagster", "httpx", "requests"), (path.name, name)


def test_the_code_location_imports_no_sender_of_messages() -> None:
    """Apprise takes half a second to import: the tick that sends does it."""
    script = (
        "import sys\n"
        "from dagster_project.orchestration.alert_sensors import alert_sensors\n"
        "assert alert_sensors()\n"
        "print('apprise' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def _imported(path: Path) -> Iterator[str]:
    """Every name a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_intake_and_the_network_name_no_publisher() -> None:
    """Code for one publisher is in its own module only."""
    names = re.compile(rf"\b({'|'.join(source_names())})\b", re.IGNORECASE)
    files = [*(CHECKOUT / "dagster_project" / "intake").glob("*.py")]
    assert files
    for path in [*files, CHECKOUT / "dagster_project" / "http.py"]:
        found = names.search(path.read_text("utf8"))
        assert found is None, (path.name, found)


def test_intake_imports_neither_dagster_nor_duckdb_nor_great_expectations() -> None:
    """`kido land` and `kido fetch` answer at once when there is nothing to do."""
    script = (
        "import sys, pkgutil, importlib\n"
        "from dagster_project import intake\n"
        "found = [importlib.import_module(f'dagster_project.intake.{one.name}')"
        " for one in pkgutil.iter_modules(intake.__path__)]\n"
        "assert len(found) > 8\n"
        "print(sorted({'dagster', 'duckdb', 'great_expectations', 'pandas', 'dbt'}"
        " & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_repository_names_no_machine_and_no_package_index() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "://" not in (CHECKOUT / "requirements.lock").read_text()
    assert all((CHECKOUT / name).stat().st_size < 2_000_000 for name in listed)


def readme_sources() -> dict[str, dict[str, str]]:
    """The README's table of sources: the cells of each by column."""
    readme = (CHECKOUT / "README.md").read_text("utf8")
    header, _, *lines = readme[readme.index("| source | content |") :].split("\n\n")[0].splitlines()
    names = [cell.strip() for cell in header.strip("|").split("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): dict(zip(names, row, strict=True)) for row in rows}


def test_the_readme_names_only_commands_and_tables_that_exist() -> None:
    from dagster_project.orchestration.dbt_runner import load_manifest
    from dagster_project.serving.dictionary import described_tables

    readme = (CHECKOUT / "README.md").read_text("utf8")
    assert "@@" not in readme
    helped = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "--help"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for command in re.findall(r"^(?:KIDO\S+ )?kido (\w+)", readme, re.MULTILINE):
        assert command in helped
    marts: dict[str, set[str]] = {}
    for table in described_tables(load_manifest()):
        if not table.statement:
            marts.setdefault(table.schema, set()).add(table.name)
    rows = re.findall(r"^\| `(\w+)` \| (`[^|]+) \|", readme, re.MULTILINE)
    assert {schema: set(re.findall(r"`(\w+)`", tables)) for schema, tables in rows} == marts


def test_the_readme_says_of_each_source_how_it_comes_and_how_often() -> None:
    from dagster_project.sources.card import can_be_asked
    from dagster_project.sources.registry import all_sources

    def how(name: str) -> str:
        source = all_sources()[name]
        card = source.CARD
        needs = {
            "by name": card.only_by_name,
            "with a key": card.needs_key,
            "with your consent": card.needs_consent,
            "without a key": True,
        }
        fetched = next(words for words, is_so in needs.items() if is_so)
        ways = ["bundled"] * bool(card.bundled) + [f"fetched {fetched}"] * can_be_asked(source)
        return ", ".join(ways or ["landed"])

    rows = readme_sources()
    assert {name: (row["how it comes"], row["how often"]) for name, row in rows.items()} == {
        name: (how(name), source.CARD.cadence) for name, source in all_sources().items()
    }


@pytest.mark.parametrize(
    "page",
    [CHECKOUT / "README.md", CHECKOUT / "SECURITY.md", *(CHECKOUT / "docs").rglob("*.md")],
    ids=lambda page: page.stem,
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)?(?:#([^)]+))?\)", page.read_text("utf8")):
        target, anchor = link
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
            assert anchor in anchors, f"{page.name} links to #{anchor}"

"""What changes the version of a source's parser, and what does not: shown on copies of the code."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dagster_project
from dagster_project.intake import versions
from dagster_project.intake.versions import Code, parser_version
from dagster_project.lake import vocabulary
from dagster_project.lake.corrections import corrected
from dagster_project.lake.vocabulary import met_words, still_hold
from dagster_project.settings import BUNDLED
from dagster_project.sources import comtrade_baskets
from dagster_project.sources.card import Document
from dagster_project.sources.registry import all_sources
from tests.nightly import times

PACKAGE = Path(dagster_project.__file__).parent
SHARED_CODE = ("lake/schemas.py", "lake/vocabulary.py", "sources/formats.py", "words.py")
SOURCES = tuple(all_sources())
WITH_ECONOMY_NAMES = {"catalogue", "ec_crm", "usgs_mcs", "wgi"}


class Copy:
    """The package's sources and lake in a folder of their own, to be edited."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "dagster_project"
        for room in ("lake", "sources"):
            shutil.copytree(
                PACKAGE / room, self.package / room, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ("__init__.py", "errors.py", "words.py"):
            shutil.copy(PACKAGE / name, self.package / name)
        self.before = self.versions()

    def versions(self) -> dict[str, str]:
        tables = runpy.run_path(str(self.package / "lake" / "schemas.py"))["LAKE_TABLES"]
        code = Code(self.package, tables)
        return {
            name: code.version(
                self.package / Path(str(source.__file__)).relative_to(PACKAGE),  # type: ignore[attr-defined]
                source.CARD.tables,
            )
            for name, source in all_sources().items()
        }

    def changed_by(self, name: str, edit: Callable[[str], str]) -> set[str]:
        """The sources with another version after an edit of a file, which is then taken back."""
        path = self.package / name
        text = path.read_text("utf8")
        edited = edit(text)
        assert edited != text
        path.write_text(edited, "utf8")
        try:
            after = self.versions()
        finally:
            path.write_text(text, "utf8")
        return {source for source in after if after[source] != self.before[source]}


@pytest.fixture(scope="module", autouse=True)
def parsed_once() -> Iterator[None]:
    """A module of the same text is parsed once for all copies, and each statement looked at once:
    an edit changes one of many. What is concluded from them is concluded anew.
    """
    read, shape = versions._Module.read, versions._shape
    modules: dict[tuple[Path, bytes], versions._Module] = {}
    shapes: dict[ast.stmt, object] = {}

    def read_once(path: Path) -> versions._Module:
        text = path.read_bytes()
        if (path, text) not in modules:
            modules[path, text] = read(path)
        return modules[path, text]

    def shape_once(node: object) -> object:
        if not isinstance(node, ast.stmt):
            return shape(node)
        if node not in shapes:
            shapes[node] = shape(node)
        return shapes[node]

    def once(find: Callable[[ast.AST], Iterator[Any]]) -> Callable[[ast.AST], tuple[Any, ...]]:
        return cache(lambda node: tuple(find(node)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions._Module, "read", read_once)
        patch.setattr(versions, "_shape", shape_once)
        patch.setattr(versions, "_imports", cache(versions._imports))
        for name in ("_chains", "_local_names"):
            patch.setattr(versions, name, once(getattr(versions, name)))
        yield


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("code"))


def replaced(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert text.count(old) == 1, old
        return text.replace(old, new)

    return edit


def filling(*tables: str) -> set[str]:
    return {name for name, source in all_sources().items() if {*source.CARD.tables} & {*tables}}


# ---- The version itself


def test_a_version_is_twelve_hex_digits_and_each_source_has_its_own() -> None:
    versions = [parser_version(source) for source in all_sources().values()]
    assert all(re.fullmatch(r"[0-9a-f]{12}", version) for version in versions)
    assert len(set(versions)) == len(versions)


def test_the_version_is_that_of_any_checkout_and_any_process(copy: Copy) -> None:
    program = (
        "from dagster_project.intake.versions import parser_version\n"
        "from dagster_project.sources.registry import all_sources\n"
        "print({name: parser_version(source) for name, source in all_sources().items()})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert ast.literal_eval(shown.stdout) == copy.before


# ---- What changes nothing


def statements(text: str) -> list[tuple[int, int]]:
    """Line (from 0) and indentation of every statement."""
    first = {
        node: min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt)
    }
    return sorted({(line - 1, node.col_offset) for node, line in first.items()})


def starts_of_functions(text: str) -> list[tuple[int, int, str]]:
    """Line (from 0) and indentation of the first statement of each function, and its name."""
    return [
        (node.body[0].lineno - 1, node.body[0].col_offset, node.name)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.body[0].lineno > node.lineno
    ]


def inserted(line: int, text: str) -> Callable[[str], str]:
    def edit(module: str) -> str:
        lines = module.splitlines(keepends=True)
        return "".join([*lines[:line], f"{text}\n", *lines[line:]])

    return edit


@settings(max_examples=times(at_night=20, by_day=5), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_comment_blank_line_or_docstring_elsewhere_changes_no_version(
    copy: Copy, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*SHARED_CODE, "errors.py", "sources/card.py"]))
    text = (copy.package / name).read_text("utf8")
    if data.draw(st.booleans()):
        line, indent = data.draw(st.sampled_from(statements(text)))
        words = data.draw(st.sampled_from(["# another word", "", "   "]))
    else:
        places = starts_of_functions(text) or [(0, 0, "")]
        line, indent, _ = data.draw(st.sampled_from(places))
        words = '"""Another word."""'
    assert copy.changed_by(name, inserted(line, " " * indent + words)) == set()


def test_a_layout_without_another_meaning_changes_no_version(copy: Copy) -> None:
    for name in SHARED_CODE:
        assert copy.changed_by(name, lambda text: ast.unparse(ast.parse(text))) == set()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("lake/schemas.py", '"HS6 code."', '"Code of the Harmonized System, six digits."'),
        ("lake/schemas.py", '"A flow as a reconciler of', '"A flow, as a reconciler of'),
        ("lake/vocabulary.py", '"UN M49 code",', '"UN M49 code",  # three digits'),
        ("errors.py", "class FetchError(KidoError):", "class FetchError(KidoError, OSError):"),
        ("sources/card.py", 'owner: str = "team:kido"', 'owner: str = "team:other"'),
        ("lake/store.py", "class Store", "LIMIT = 1\n\n\nclass Store"),
    ],
)
def test_what_decides_no_row_changes_no_version(copy: Copy, name: str, old: str, new: str) -> None:
    assert copy.changed_by(name, replaced(old, new)) == set()


def test_a_new_reader_beside_the_others_changes_no_version(copy: Copy) -> None:
    def more(text: str) -> str:
        return f"{text}\n\nimport gzip\n\nMORE = 1\n\n\ndef more() -> int:\n    return MORE\n"

    for name in SHARED_CODE:
        assert copy.changed_by(name, more) == set()


def test_a_table_more_or_another_rule_of_choice_changes_no_version(copy: Copy) -> None:
    def another(text: str) -> str:
        return text.replace("ECONOMIES = _table(", "OTHERS = _table(\n", 1).replace(
            "LAKE_TABLES:", "ECONOMIES = OTHERS\n\nLAKE_TABLES:", 1
        )

    assert copy.changed_by("lake/schemas.py", another) == set()


# ---- What changes the versions of those that use it


def test_a_word_more_changes_the_versions_of_the_sources_that_read_by_its_list(copy: Copy) -> None:
    more = replaced('"bulk_crust", "crust"]', '"bulk_crust", "crust", "mantle"]')
    assert copy.changed_by("words.py", more) == filling("element_abundance")


def used_names(code: types.CodeType) -> set[str]:
    nested = (used_names(item) for item in code.co_consts if isinstance(item, types.CodeType))
    return set(code.co_names).union(*nested)


def files_of(sources: Path, name: str) -> list[Path]:
    """The modules of a source, one or those of its package."""
    return sorted((sources / name).glob("*.py")) or [sources / f"{name}.py"]


def users_of_formats(package: Path) -> Mapping[str, set[str]]:
    """By function of `formats`, the sources that reach it: read from byte code, not from syntax."""
    functions = {
        item.co_name: used_names(item)
        for item in compile((package / "sources/formats.py").read_text(), "f", "exec").co_consts
        if isinstance(item, types.CodeType)
    }
    users: dict[str, set[str]] = {name: set() for name in functions}
    for source in SOURCES:
        own = [path.read_text("utf8") for path in files_of(package / "sources", source)]
        # A layout that several sources have is read by a module of its own.
        tables = re.findall(
            r"from dagster_project\.sources\.(\w+_tables|reconciled_flows) import", "".join(own)
        )
        texts = [*own, *((package / "sources" / f"{name}.py").read_text("utf8") for name in tables)]
        used = (used_names(compile(each, source, "exec")) for each in texts)
        reached = set().union(*used) & set(functions)
        waiting = list(reached)
        while waiting:
            more = functions[waiting.pop()] & set(functions) - reached
            reached |= more
            waiting += more
        for name in reached:
            users[name].add(source)
    return users


def test_a_change_of_a_reader_changes_the_versions_of_those_that_use_it_and_no_other(
    copy: Copy,
) -> None:
    users = users_of_formats(copy.package)
    assert users["read_sheet"] < users["require_every"]
    text = (copy.package / "sources/formats.py").read_text("utf8")
    for line, indent, name in starts_of_functions(text)[:: times(at_night=1, by_day=4)]:
        edit = inserted(line, f"{' ' * indent}changed = True")
        assert copy.changed_by("sources/formats.py", edit) == users[name], name


def test_a_change_of_a_constant_changes_those_that_use_it(copy: Copy) -> None:
    edit = replaced("BLOCK_BYTES = 8 << 20", "BLOCK_BYTES = 9 << 20")
    changed = copy.changed_by("sources/formats.py", edit)
    assert "baci" in changed
    assert not {"equity_indices", "catalogue", "usgs_mcs"} & changed


@pytest.mark.parametrize(
    ("old", "new", "some", "none"),
    [
        ('.replace("’", "\'")', '.replace("’", "`")', WITH_ECONOMY_NAMES, {"baci", "ecb"}),
        ('"S19": "TWN"', '"S19": "_X"', {"baci", "wgi"}, {"ec_crm", "usgs_mcs", "catalogue"}),
        ('cell.split(" | ")', 'cell.split("|")', WITH_ECONOMY_NAMES, {"baci", "comtrade_baskets"}),
        (
            '"seed_mineral_groups.csv"', '"groups.csv"',
            {"catalogue", "comtrade_baskets"}, {"baci", "wgi", "pink_sheet"},
        ),
        ('encoding="utf-8-sig"', 'encoding="utf-8"', {"baci", "wgi"}, {"ecb", "equity_indices"}),
    ],
)  # fmt: skip
def test_a_change_in_how_words_are_found_changes_those_that_look_for_them(
    copy: Copy, old: str, new: str, some: set[str], none: set[str]
) -> None:
    changed = copy.changed_by("lake/vocabulary.py", replaced(old, new))
    assert some <= changed
    assert not none & changed


@pytest.mark.parametrize("words", ["# another word", "MORE = 1"])
def test_any_change_of_its_own_module_changes_a_version(copy: Copy, words: str) -> None:
    for name in ("equity_indices", "ecb"):
        edit = inserted(10, words)
        assert copy.changed_by(f"sources/{name}.py", edit) == {name}


def test_any_change_of_a_module_of_its_package_changes_a_version(copy: Copy) -> None:
    modules = files_of(copy.package / "sources", "catalogue")
    assert {path.stem for path in modules} >= {
        "__init__", "claims", "clauses", "economies", "milestones", "scope",
    }  # fmt: skip
    for path in modules:
        name = path.relative_to(copy.package).as_posix()
        assert copy.changed_by(name, lambda text: f"{text}MORE = 1\n") == {"catalogue"}, name


@pytest.mark.parametrize(
    ("old", "new", "tables"),
    [
        (
            '"exporter_iso3": Column(pl.String,', '"exporter_iso3": Column(pl.Categorical,',
            ["reconciled_trade"],
        ),
        (
            '"standard_error": Column(pl.Float64, "Standard error of the estimate.", True)',
            '"standard_error": Column(pl.Float64, "Standard error of the estimate.")',
            ["governance_scores"],
        ),
        ('key=("source", "claim_id"),', 'key=("claim_id",),', ["claims"]),
        (
            'vintage_slice=("source", "label", "year"),', 'vintage_slice=("source", "year"),',
            ["end_uses"],
        ),
        (
            '"use_share": Column(', '"more": Column(pl.String, "", True),\n"use_share": Column(',
            ["end_uses"],
        ),
    ],
    ids=["type", "nullable", "key", "slice", "column"],
)  # fmt: skip
def test_the_schema_of_a_table_changes_the_versions_of_those_that_fill_it(
    copy: Copy, old: str, new: str, tables: list[str]
) -> None:
    changed = copy.changed_by("lake/schemas.py", replaced(old, new))
    assert changed == filling(*tables)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('INSTANT = pl.Datetime("us")', 'INSTANT = pl.Datetime("ms")'),
        (".cast(column.dtype)", ".cast(column.dtype, strict=False)"),
    ],
)
def test_what_every_row_goes_through_changes_every_version(copy: Copy, old: str, new: str) -> None:
    assert copy.changed_by("lake/schemas.py", replaced(old, new)) == set(SOURCES)


def test_the_way_corrections_are_applied_changes_every_version(copy: Copy) -> None:
    edit = replaced("float(ratio.denominator)", "ratio.denominator")
    assert copy.changed_by("lake/corrections.py", edit) == set(SOURCES)


# ---- Ways in which a name leads to another

OWN = "from dagster_project.sources.readers import read\n\nread()\n"
ALIKE = "from dagster_project.sources.readers import *\n\nread()\n"
LOOP = "for name in (1, 2):\n    VALUES.append(name)\n"


@pytest.mark.parametrize(
    ("own", "readers", "old", "new", "is_changed"),
    [
        (OWN, "def read(): return other()\ndef other(): return 1", "1", "2", True),
        (OWN, "def read(): return 0\ndef other(): return 1", "1", "2", False),
        (OWN, "VALUE = 1\ndef read(value=VALUE): return value", "1", "2", True),
        (OWN, "VALUE = 1\ndef read(*, value=VALUE): return value", "1", "2", True),
        (OWN, "VALUE = 1\nOTHER = VALUE\ndef read(): return OTHER", "1", "2", True),
        (OWN, "VALUE: int = 1\ndef read(): return VALUE", "1", "2", True),
        (OWN, "VALUE = 0\nVALUE += 1\ndef read(): return VALUE", "1", "2", True),
        (OWN, "A, B = 1, 0\ndef read(): return B", "1", "2", True),
        (OWN, "VALUES = {}\nVALUES['a'] = 1\ndef read(): return VALUES", "1", "2", True),
        (OWN, f"VALUES = []\n{LOOP}def read(): return VALUES", "1", "3", True),
        (OWN, "VALUES = []\nVALUES.append(1)\ndef read(): return VALUES", "1", "2", True),
        (OWN, "if True:\n    VALUE = 1\nelse:\n    VALUE = 0\ndef read(): return VALUE",
         "1", "2", True),
        (OWN, "try:\n    from math import sin as f\nexcept ImportError:\n    f = 1\n"
         "def read(): return f", "sin", "cos", True),
        (OWN, "def read():\n    def inner(): return other()\n    return inner()\n"
         "def other(): return 1", "1", "2", True),
        (OWN, "def read(): return [other(n) for n in (0, 0)]\ndef other(n): return 1",
         "1", "2", True),
        (OWN, "class Base:\n    size = 1\nclass Sub(Base): pass\ndef read(): return Sub()",
         "1", "2", True),
        (OWN, "def wrap(f): return [f, 1]\n@wrap\ndef read(): return 0", "1", "2", True),
        (OWN, "ALL = []\ndef listed(f): ALL.append(f)\n@listed\ndef one(): return 1\n"
         "def read(): return ALL", "return 1", "return 2", True),
        (OWN, "ALL = []\ndef listed(f): ALL.append(f)\ndef one(): return 1\nlisted(one)\n"
         "def read(): return ALL", "return 1", "return 2", True),
        (OWN, "from functools import cache\n@cache\ndef read(): return 0\n@cache\n"
         "def other(): return 1", "1", "2", False),
        (OWN, "def read(): return globals()['other']()\ndef other(): return 1", "1", "2", True),
        (OWN, "VALUE = 1\ndef read():\n    global VALUE\n    VALUE = 0", "1", "2", True),
        (OWN, "from math import sin as f\ndef read(): return f(0)", "sin", "cos", True),
        (OWN, "from math import sin, cos\ndef read(): return sin(0)", "sin, cos", "tan, sin",
         False),
        (OWN, "from .deep import get as g\ndef read(): return g()", "get", "other", True),
        (OWN, "def read():\n    from .deep import get as g\n    return g()", "get", "other", True),
        (OWN, "def read(): return missing()\ndef other(): return 1", "1", "2", True),
        (ALIKE, "def read(): return 0\ndef other(): return 1", "1", "2", True),
        (OWN.replace("read()", "pass"), "def read(): return 1", "1", "2", False),
        ("import dagster_project.sources.readers as r\nr.read()",
         "def read(): return 0\ndef other(): return 1", "1", "2", False),
        ("import dagster_project.sources.readers as r\nr.read()",
         "def read(): return other()\ndef other(): return 1", "1", "2", True),
        ("import dagster_project.sources.readers\ndagster_project.sources.readers.read()",
         "def read(): return other()\ndef other(): return 1", "1", "2", True),
        ("from dagster_project.sources import readers\ngetattr(readers, 'other')()",
         "def read(): return 0\ndef other(): return 1", "1", "2", True),
        ("from . import readers\ndef parse(): return readers.read()",
         "def read(): return 0\ndef other(): return 1", "1", "2", False),
        ("def parse():\n    from dagster_project.sources.readers import read\n    return read()",
         "def read(): return other()\ndef other(): return 1", "1", "2", True),
        ("from dagster_project.sources.readers import gone", "def read(): return 1", "1", "2",
         False),
        ("from dagster_project.sources.readers import gone\ngone()", "def read(): return 1",
         "1", "2", True),
    ],
)  # fmt: skip
def test_a_use_is_found_however_it_is_written(
    tmp_path: Path, own: str, readers: str, old: str, new: str, is_changed: bool
) -> None:
    module = tmp_path / "dagster_project" / "sources" / "own.py"
    files = {
        module: own,
        module.with_name("readers.py"): readers,
        module.with_name("deep.py"): "def get(): return 5\ndef other(): return 6\n",
        module.parent / "__init__.py": "",
        tmp_path / "dagster_project" / "__init__.py": "",
        tmp_path / "dagster_project" / "lake" / "schemas.py": SCHEMAS,
        tmp_path / "dagster_project" / "lake" / "corrections.py": CORRECTED,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    before = Code(tmp_path / "dagster_project", {}).version(module, ())
    assert old in readers
    module.with_name("readers.py").write_text(readers.replace(old, new, 1))
    after = Code(tmp_path / "dagster_project", {}).version(module, ())
    assert (after != before) is is_changed


SCHEMAS = "class LakeTable:\n    def conform(self, frame): return frame\n"
CORRECTED = "def corrected(source, frames): return frames, None\n"


def test_a_source_of_several_files_changes_with_each_of_them(tmp_path: Path) -> None:
    package = tmp_path / "dagster_project"
    module = package / "sources" / "own" / "__init__.py"
    files = {
        module: "from .part import read\nread()",
        module.with_name("part.py"): "from ..readers import get\ndef read(): return get()",
        module.with_name("codes.csv"): "code\n1\n",
        package / "sources" / "readers.py": "def get(): return 1\ndef other(): return 0",
        package / "lake" / "schemas.py": SCHEMAS,
        package / "lake" / "corrections.py": CORRECTED,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def version() -> str:
        return Code(package, {}).version(module, ())

    seen = {version()}
    for path, text in list(files.items())[:3]:
        path.write_text(f"{text}\n")
        seen.add(version())
    assert len(seen) == 4
    readers = package / "sources" / "readers.py"
    readers.write_text("def get(): return 1\ndef other(): return 5")
    assert version() in seen
    readers.write_text("def get(): return 2\ndef other(): return 5")
    assert version() not in seen


# ---- The words of a snapshot are on record beside the version


def test_of_the_lists_only_a_sources_own_labels_and_corrections_are_met_as_a_whole() -> None:
    # They are of the source alone; BACI's archives also meet all HS6 codes in scope.
    for name, source in all_sources().items():
        for file in source.CARD.bundled:
            payload = (BUNDLED / name / file).read_bytes()
            with met_words() as met:
                source.parse(payload, Document(file, datetime(2026, 1, 1), is_bundled=True))
                corrected(name, {})
            whole = {words for words, part in met.record().items() if part["keys"] is None}
            has_labels = "material_labels" in source.CARD.tables
            own = {f"material_labels.{name}"} if has_labels else set()
            # Also where there is none yet: one that is added has the documents read again.
            assert whole == own | {f"corrections.{name}"}, file
            assert still_hold(met.record())


def test_the_list_of_economies_is_a_document_of_its_own_and_needs_no_list() -> None:
    payload = vocabulary.ECONOMIES_FILE.read_bytes()
    document = Document("economies.csv", datetime(2026, 1, 1), is_bundled=True)
    with met_words() as met:
        all_sources()["catalogue"].parse(payload, document)
    assert met.record() == {}


@pytest.fixture
def economies_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The list of economies in a file of its own."""
    file = tmp_path / "economies.csv"
    shutil.copy(vocabulary.ECONOMIES_FILE, file)
    monkeypatch.setattr(vocabulary, "ECONOMIES_FILE", file)
    yield file
    reread()


def reread() -> None:
    """Forget what was read of the lists, as a new process has."""
    for read in (
        vocabulary._economy_rows, vocabulary.economies, vocabulary.economy_by,
        vocabulary.economies_by_name,
    ):  # fmt: skip
        read.cache_clear()


def met_by_a_basket() -> dict[str, Any]:
    table = (
        "reporter_iso3,partner_iso3,flow,commodity_code,frequency,period,value_usd,net_weight_kg,"
        "figure_source\nJPN,CHN,import,rare_earths,A,2024,1,1,by hand\n"
    )
    document = Document("baskets.csv", datetime(2026, 1, 1), is_bundled=False)
    with met_words() as met:
        comtrade_baskets.parse(table.encode(), document)
    return met.record()


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ("\nJPN,", "\n\n\nJPN,", True),
        ("\nKOR,", "\nKOX,", True),
        ("\nJPN,", "\nJPX,", False),
        ("\nCHN,", "\nCHX,", False),
    ],
)
def test_a_snapshot_is_current_until_a_word_it_met_changes(
    economies_file: Path, old: str, new: str, holds: bool
) -> None:
    reread()
    record = met_by_a_basket()
    assert record["economies"]["keys"] == ["CHN", "JPN"]
    assert record["mineral_groups"]["keys"] == ["rare_earths"]
    text = economies_file.read_text("utf8")
    assert text.count(old) == 1
    economies_file.write_text(text.replace(old, new), "utf8")
    reread()
    assert still_hold(record) is holds


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ("LITHIUM_CARBONATE,USD per t,", "LITHIUM_CARBONATE_OLD,USD per t,", False),
        ("COBALT_US_SPOT,", "COBALT_SPOT,", True),
    ],
)
def test_a_snapshot_of_prices_is_current_until_its_series_changes(
    old: str, new: str, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "edition,label,year,price,flag,printed\n2024,Lithium: Price_dt,2022,100,reported,100\n"
    document = Document("prices.csv", datetime(2026, 1, 1), is_bundled=False)
    with met_words() as met:
        frames = all_sources()["usgs_mcs"].parse(table.encode(), document)
    assert frames["price_quotes"]["instrument"].to_list() == ["LITHIUM_CARBONATE"]
    text = vocabulary.price_labels_file("usgs_mcs").read_text("utf8")
    assert old in text
    changed = tmp_path / "price_labels.csv"
    changed.write_text(text.replace(old, new), "utf8")
    monkeypatch.setattr(vocabulary, "price_labels_file", lambda source: changed)
    try:
        vocabulary.price_labels.cache_clear()
        assert still_hold(met.record()) is holds
    finally:
        vocabulary.price_labels.cache_clear()

"""The version of a source's parser: it changes with the code and schemas its rows depend on.

The list entries that a snapshot used are not part of it: they are recorded with the snapshot
(`vocabulary.met_words`). Nor are the suites, which have a version of their own, nor libraries.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

import dagster_project
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.sources.card import Source

_PACKAGE = Path(dagster_project.__file__).parent

_SCHEMAS = Path("lake", "schemas.py")
_CORRECTIONS = Path("lake", "corrections.py")
_NO_READERS = (Path("errors.py"), Path("sources", "card.py"))
"""Modules without effect on rows: names of errors, and the sources' cards."""

_EVERY_ROW = (
    (_SCHEMAS, "LakeTable.conform"),
    (_SCHEMAS, "LakeTable.conform_lazily"),
    (_CORRECTIONS, "corrected"),
)
"""The code that every row passes through."""

_WHOLE = "*"
_DYNAMIC = frozenset({"globals", "locals", "vars", "eval", "exec", "__import__"})
"""Code that uses these may refer to any name in its module."""
_ALWAYS_THERE = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__package__"}

_Chain = tuple[str, ...]
"""A dotted name: `formats.read_sheet` is ("formats", "read_sheet")."""
_Need = tuple[Path, str]
"""A name at the top of a module of the package; _WHOLE is all of it."""


def parser_version(source: Source) -> str:
    """Twelve hex digits that change when the code that makes a source's rows changes.

    That is the source's own module (or package), byte for byte; of the other modules those
    functions, classes and constants it uses, directly or through one another, without comments,
    docstrings and layout; and the columns and keys of its lake tables, without their descriptions.
    Computed once per process: 0.11 s for ten sources.
    """
    return _version(inspect.getfile(cast(ModuleType, source)), source.CARD.tables)


@cache
def _version(file: str, tables: tuple[str, ...]) -> str:
    return _code_of_the_package().version(Path(file), tables)


@cache
def _code_of_the_package() -> Code:
    return Code(_PACKAGE, LAKE_TABLES)


class Code:
    """The modules of the package as text, and which parts of them need which others.

    Names are matched by spelling: a local variable named like a function of its module is taken
    as a use of that function, which at worst causes one needless re-parse. Where a name cannot be
    found, or code looks names up at run time, the whole module is included.
    """

    def __init__(self, package: Path, tables: Mapping[str, LakeTable]) -> None:
        self._package = package.resolve()
        self._schemas = self._package / _SCHEMAS
        self._not_followed = {self._package / name for name in _NO_READERS}
        self._tables = tables
        self._modules: dict[Path, _Module] = {}
        self._parts: dict[_Need, _Part] = {}

    def version(self, module: Path, tables: Sequence[str]) -> str:
        """The version of the parser in `module` (a package's `__init__.py`) that fills `tables`."""
        module = module.resolve()
        own = _files_of(module)
        digest = hashlib.sha256()
        for path in own:
            digest.update(f"{path.relative_to(module.parent).as_posix()}\n".encode())
            digest.update(path.read_bytes())
        digest.update(repr([_structure(self._tables[name]) for name in tables]).encode())
        needs = self._needed_by([path for path in own if path.suffix == ".py"])
        needs |= self._closure((self._package / path, name) for path, name in _EVERY_ROW)
        for path, name in sorted(needs):
            digest.update(f"\n{self._label(path)} {name} {self._part((path, name)).text}".encode())
        return digest.hexdigest()[:12]

    def _needed_by(self, own: Sequence[Path]) -> set[_Need]:
        first = {need for path in own for need in self._part((path, _WHOLE)).needs}
        found = self._closure(need for need in first if need[0] not in own)
        return {need for need in found if need[0] not in own}

    def _closure(self, needs: Iterable[_Need]) -> set[_Need]:
        found: set[_Need] = set()
        waiting = list(needs)
        while waiting:
            need = waiting.pop()
            if need in found or need[0] in self._not_followed:
                continue
            found.add(need)
            waiting += self._part(need).needs
        return found

    def _part(self, need: _Need) -> _Part:
        if need not in self._parts:
            self._parts[need] = self._read_part(*need)
        return self._parts[need]

    def _read_part(self, path: Path, name: str) -> _Part:
        table = self._table_named(path, name)
        if table is not None:
            return _Part(repr(table), frozenset())
        module = self._module(path)
        if name == _WHOLE:
            return self._part_of(module, module.statements, {})
        if module.reaches_for_names or self._runs_code_of_ours(module):
            return _Part("", frozenset({(path, _WHOLE)}))
        statements = module.made_of(name)
        imports = {name: module.imports[name]} if name in module.imports else {}
        if not statements and not imports:
            return _Part("", frozenset({(path, _WHOLE)}))
        return self._part_of(module, statements, imports)

    def _part_of(
        self,
        module: _Module,
        statements: Sequence[ast.stmt],
        imports: Mapping[str, Sequence[_Import]],
    ) -> _Part:
        """Statements as text, and what they need; `imports` are those that define the name
        itself.
        """
        is_whole = statements is module.statements
        stands_for: set[str] = set()
        needs: set[_Need] = set()
        chains: set[_Chain] = {(name,) for name in imports}
        inner: dict[str, list[_Import]] = {}
        local: set[str] = set()
        for statement in statements:
            chains |= set(_chains(statement))
            local |= set(_local_names(statement))
            for name, targets in _imports(statement).items():
                inner.setdefault(name, []).extend(targets)
        for root, *rest in chains:
            leads_to = {*module.imports.get(root, ()), *inner.get(root, ())}
            for target in leads_to:
                stands_for.add(f"{root} = {target.label}")
                needs |= self._target(module.path, target, rest)
            if root in module.bound and not is_whole:
                needs.add((module.path, root))
            elif not leads_to and root not in local and root not in _ALWAYS_THERE:
                needs.add((module.path, _WHOLE))
            if root in _DYNAMIC:
                needs.add((module.path, _WHOLE))
        if is_whole:
            for target in inner.get(_WHOLE, ()):
                needs |= self._target(module.path, target, ())
        texts = [repr(_shape(statement)) for statement in statements]
        return _Part("\n".join((*texts, *sorted(stands_for))), frozenset(needs))

    def _target(self, path: Path, target: _Import, rest: Sequence[str]) -> set[_Need]:
        """The target of an import followed by further names; nothing outside the package."""
        names = [*target.module, *((target.name,) if target.name else ()), *rest]
        if target.level:
            folder = path.parents[target.level - 1]
        elif names[0] == self._package.name:
            folder, names = self._package, names[1:]
        else:
            return set()
        while names:
            name = names.pop(0)
            if (folder / name).is_dir():
                folder = folder / name
            elif (folder / f"{name}.py").is_file():
                return {(folder / f"{name}.py", names[0] if names else _WHOLE)}
            else:
                names.insert(0, name)
                break
        init = folder / "__init__.py"
        return {(init, names[0] if names else _WHOLE)} if init.is_file() else set()

    def _runs_code_of_ours(self, module: _Module) -> bool:
        """Whether code of the package runs on import: it may fill a list without a visible name."""
        return any(
            root in module.bound
            or any(self._target(module.path, to, rest) for to in module.imports.get(root, ()))
            for root, *rest in module.run_on_import
        )

    def _table_named(self, path: Path, name: str) -> object | None:
        """The declaration of that name in `lake/schemas.py`; of all tables only those of the
        card.
        """
        if path != self._schemas:
            return None
        if name == "LAKE_TABLES":
            return []
        table = self._tables.get(name.lower()) if name.isupper() else None
        return _structure(table) if table else None

    def _module(self, path: Path) -> _Module:
        if path not in self._modules:
            self._modules[path] = _Module.read(path)
        return self._modules[path]

    def _label(self, path: Path) -> str:
        inside = path.is_relative_to(self._package)
        return path.relative_to(self._package).as_posix() if inside else path.name


def _files_of(module: Path) -> list[Path]:
    if module.name != "__init__.py":
        return [module]
    return sorted(
        path
        for path in module.parent.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def _structure(table: LakeTable) -> object:
    """The parts of a declared table that affect its rows: not the descriptions."""
    columns = [
        (name, repr(column.dtype), column.nullable) for name, column in table.columns.items()
    ]
    return [table.name, columns, table.key, table.vintage_slice]


# --- one module ---


@dataclass(frozen=True)
class _Part:
    text: str
    needs: frozenset[_Need]


@dataclass(frozen=True)
class _Import:
    """`from ..module import name`, or `import module` without a name."""

    level: int
    module: tuple[str, ...]
    name: str | None

    @property
    def label(self) -> str:
        return f"{'.' * self.level}{'.'.join(self.module)}:{self.name or ''}"


@dataclass(frozen=True)
class _Module:
    """A module's statements, those that define each top-level name, and its imports by name.

    `run_on_import` are the decorators and bare calls at its top level; `reaches_for_names` is
    whether code there may refer to any name.
    """

    path: Path
    statements: list[ast.stmt]
    bound: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, list[_Import]] = field(default_factory=dict)
    run_on_import: list[_Chain] = field(default_factory=list)
    reaches_for_names: bool = False

    @classmethod
    def read(cls, path: Path) -> _Module:
        statements = [node for node in ast.parse(path.read_bytes()).body if not _is_text(node)]
        module = cls(
            path,
            statements,
            reaches_for_names=any(
                chain[0] in _DYNAMIC
                for node in statements
                if not isinstance(node, _DEFINITIONS)
                for chain in _chains(node)
            ),
        )
        for statement in statements:
            if isinstance(statement, _DEFINITIONS):
                for decorator in statement.decorator_list:
                    called = decorator.func if isinstance(decorator, ast.Call) else decorator
                    module.run_on_import.extend(_chains(called))
            else:
                for name, targets in _imports(statement).items():
                    module.imports.setdefault(name, []).extend(targets)
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                    module.run_on_import.extend(_chains(statement.value.func))
            for name in _names_at_the_top(statement):
                module.bound.setdefault(name, []).append(statement)
        return module

    def made_of(self, name: str) -> list[ast.stmt]:
        """The statements that define a name; for `Class.method`, only the method."""
        head, _, method = name.partition(".")
        found = self.bound.get(head, [])
        if not method:
            return found
        return [
            node
            for statement in found
            if isinstance(statement, ast.ClassDef)
            for node in statement.body
            if isinstance(node, ast.FunctionDef) and node.name == method
        ]


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign)


def _names_at_the_top(statement: ast.stmt) -> set[str]:
    """The names a statement defines or may change: for a loop or bare call, all it mentions."""
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return set()
    if isinstance(statement, _PLAIN):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        walked = (node for target in targets for node in ast.walk(target))
        return {node.id for node in walked if isinstance(node, ast.Name)}
    return {chain[0] for chain in _chains(statement)} | set(_local_names(statement))


def _chains(node: ast.AST) -> Iterator[_Chain]:
    """The names that are read below a node, each with the attributes that follow it."""
    waiting: list[ast.AST] = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute):
            attributes: list[str] = []
            base: ast.expr = node
            while isinstance(base, ast.Attribute):
                attributes.append(base.attr)
                base = base.value
            if isinstance(base, ast.Name):
                yield (base.id, *reversed(attributes))
            else:
                waiting.append(base)
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Store):
                yield (node.id,)
        elif isinstance(node, ast.Global):
            yield from ((name,) for name in node.names)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _local_names(node: ast.AST) -> Iterator[str]:
    """The names that are assigned anywhere below a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            if isinstance(inner.ctx, ast.Store):
                yield inner.id
        elif isinstance(inner, ast.arg):
            yield inner.arg
        elif isinstance(inner, ast.alias):
            yield (inner.asname or inner.name).split(".")[0]
        elif isinstance(inner, ast.MatchMapping):
            yield from filter(None, [inner.rest])
        else:  # definitions, handlers of exceptions, patterns, parameters of types
            name = getattr(inner, "name", None)
            if isinstance(name, str):
                yield name


def _imports(node: ast.AST) -> dict[str, list[_Import]]:
    """What is imported anywhere below a node, by the name it gets there."""
    found: dict[str, list[_Import]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            for alias in inner.names:
                whole = tuple(alias.name.split("."))
                module = whole if alias.asname else whole[:1]
                found.setdefault(alias.asname or module[0], []).append(_Import(0, module, None))
        elif isinstance(inner, ast.ImportFrom):
            module = tuple(inner.module.split(".")) if inner.module else ()
            for alias in inner.names:
                name = None if alias.name == _WHOLE else alias.name
                target = _Import(inner.level, module, name)
                found.setdefault(alias.asname or alias.name, []).append(target)
    return found


def _is_text(node: object) -> bool:
    """A docstring, or a string below a constant that documents it."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _shape(node: object) -> object:
    """A syntax tree without positions and docstrings, equal in all supported versions of Python.

    (`ast.dump` writes empty fields, and each version has others.)
    """
    if isinstance(node, ast.AST):
        fields = ast.iter_fields(node)
        return (
            type(node).__name__,
            *((name, _shape(value)) for name, value in fields if value is not None and value != []),
        )
    if isinstance(node, list):
        return [_shape(item) for item in node if not _is_text(item)]
    return repr(node)

"""Small defects that a seed chooses in the code: which line, what stands there, what instead.

Each is a text edit that leaves a file that parses. No tests are run here (`tests/defects.py`).
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SQL_KINDS = (
    "comparison", "join key", "unit", "filter", "comparison", "extreme",
    "join key", "unit", "filter", "comparison", "unit", "union",
)  # fmt: skip
PYTHON_KINDS = (
    "comparison", "exception", "unit", "condition", "comparison", "exception", "unit", "off by one",
)  # fmt: skip
ROUNDS = 2
"""How often the kinds are gone through: 24 defects of SQL, 16 of Python."""


@dataclass(frozen=True)
class Defect:
    """From `start` to `end` of a file `before` is replaced by `after`."""

    file: str
    line: int
    kind: str
    start: int
    end: int
    before: str
    after: str

    @property
    def key(self) -> str:
        return "|".join(str(value) for value in asdict(self).values())

    def apply(self, root: Path) -> None:
        path = root / self.file
        text = path.read_text("utf8")
        assert text[self.start : self.end] == self.before, self
        path.write_text(text[: self.start] + self.after + text[self.end :], "utf8")


Edit = tuple[int, int, str]
"""Start, end, and the text instead."""


def draw(root: Path, seed: int, without: frozenset[str] = frozenset()) -> list[Defect]:
    """The defects of a seed, those of SQL first. Keys in `without` are passed over.

    A line is drawn by chance among all lines of code, so a file is in proportion to its lines.
    """
    sql = [*sorted((root / "dbt" / "macros").rglob("*.sql"))]
    sql += [path for path in sorted((root / "dbt" / "models").rglob("*.sql")) if not made(path)]
    python = sorted((root / "dagster_project").rglob("*.py"))
    return [
        *_drawn(root, sql, SQL_KINDS * ROUNDS, edits_of_sql, f"{seed} SQL", without),
        *_drawn(root, python, PYTHON_KINDS * ROUNDS, edits_of_python, f"{seed} Python", without),
    ]


def made(path: Path) -> bool:
    return "generated" in path.parts


def _drawn(
    root: Path,
    files: Sequence[Path],
    kinds: Sequence[str],
    edits_of: Callable[[str], Mapping[str, Sequence[Edit]]],
    seed: str,
    without: frozenset[str],
) -> Iterator[Defect]:
    chance = random.Random(seed)
    texts = {path: path.read_text("utf8") for path in files}
    lines = [
        (path, number) for path, text in texts.items() for number in range(1, text.count("\n") + 2)
    ]
    chance.shuffle(lines)
    known: dict[Path, dict[tuple[str, int], list[Edit]]] = {}
    of_kind = {kind: iter(lines) for kind in kinds}
    used: set[tuple[Path, int]] = set()
    for kind in kinds:
        for path, number in of_kind[kind]:
            text = texts[path]
            if path not in known:
                known[path] = by_line(text, edits_of(text))
            choices = [
                Defect(
                    path.relative_to(root).as_posix(), number, kind, start, end,
                    text[start:end], after,
                )
                for start, end, after in known[path].get((kind, number), ())
            ]  # fmt: skip
            choices = [each for each in choices if each.key not in without]
            if choices and (path, number) not in used:
                used.add((path, number))
                yield chance.choice(choices)
                break


def by_line(text: str, edits: Mapping[str, Sequence[Edit]]) -> dict[tuple[str, int], list[Edit]]:
    found: dict[tuple[str, int], list[Edit]] = {}
    for kind, of_kind in edits.items():
        for edit in of_kind:
            found.setdefault((kind, text.count("\n", 0, edit[0]) + 1), []).append(edit)
    return found


# ---- SQL in Jinja

NO_SQL = re.compile(r"--[^\n]*|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|'(?:[^']|'')*'", re.DOTALL)
FLIPPED = {"=": "<>", "<>": "=", "!=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
SWAPPED = {
    "min": "max", "max": "min", "least": "greatest", "greatest": "least", "min_by": "max_by",
    "max_by": "min_by", "arg_min": "arg_max", "arg_max": "arg_min", "desc": "asc",
}  # fmt: skip
CLAUSE = re.compile(r"\b(?:on|where|when|having|select|qualify|from|then|else)\b")
GOES_ON = re.compile(r"(?:\b(?:and|or|not|in|is|between|like|case|when|then)|[-+*/=<>(,|])$")


def sql_alone(text: str) -> str:
    """The text without comments and Jinja's statements; texts and expressions are the letter s."""

    def blank(match: re.Match[str]) -> str:
        filler = "s" if match[0].startswith(("'", "{{")) else " "
        return re.sub(r"[^\n]", filler, match[0])

    return NO_SQL.sub(blank, text)


def edits_of_sql(text: str) -> Mapping[str, Sequence[Edit]]:
    code = sql_alone(text)
    return {
        "comparison": [
            (*match.span(1), FLIPPED[match[1]])
            for match in re.finditer(r"\s(<=|>=|<>|!=|=|<|>)\s", code)
        ],
        "join key": [
            (*match.span(), "")
            for match in re.finditer(r"\s+and \w+\.\w+ = \w+\.\w+(?=\s*\n|\s+and\b)", code)
            if clause_of(code, match.start()) == "on"
        ],
        "unit": [
            (*match.span(), other_number(match[0]))
            for match in re.finditer(r"(?<![\w.$])\d+(?:\.\d+)?(?:e\d+)?(?![\w.])", code)
            if match[0] not in ("0", "1")
            and not re.search(r"\b(?:group|order) by [^()]*$|\b(?:decimal|numeric)\([^()]*$",
                             code[: match.start()].rpartition("\n")[2])
        ],
        "filter": list(filters(code)),
        "extreme": [
            (*match.span(), SWAPPED[match[0]])
            for match in re.finditer(
                r"\b(?:min|max|least|greatest|min_by|max_by|arg_min|arg_max)(?=\()|\bdesc\b", code
            )
        ],
        "union": [(*match.span(), "union") for match in re.finditer(r"\bunion all\b", code)],
    }  # fmt: skip


def clause_of(code: str, place: int) -> str:
    """The keyword that the condition at a place belongs to."""
    return next(reversed(CLAUSE.findall(code[:place])), "")


def filters(code: str) -> Iterator[Edit]:
    """Conditions that fill a line, after `where` or after `and` of one."""
    lines = code.split("\n")
    start = 0
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        match = re.match(r"\s*(where|and) (.+?)\s*$", line)
        if (
            match
            and (match[1] == "where" or clause_of(code, start) == "where")
            and match[2].count("(") == match[2].count(")")
            and not GOES_ON.search(match[2])
            and not re.search(r"\bor\b|\bcase\b", match[2])
            and not re.match(r"\s*(?:or|[-+*/=<>|]|in|is|not|between)(?:\s|$)", following)
        ):
            yield start + match.start(2), start + match.end(2), "true"
        start += len(line) + 1


def other_number(text: str) -> str:
    """A thousand times as much, or a thousandth of what is a thousand or more."""
    number = float(text)
    other = number / 1000 if number >= 1000 else number * 1000
    return str(int(other)) if other.is_integer() else repr(other)


# ---- Python

OPERATORS: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", ">"), ast.Gt: (">", "<"), ast.LtE: ("<=", ">="), ast.GtE: (">=", "<="),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
}  # fmt: skip


def edits_of_python(text: str) -> Mapping[str, Sequence[Edit]]:
    edits: dict[str, list[Edit]] = {kind: [] for kind in PYTHON_KINDS}
    span = spans(text)
    for node in code_of(ast.parse(text)):
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                symbol, other = OPERATORS[type(operator)]
                begin = text.index(symbol, span(left)[1], span(right)[0])
                edits["comparison"].append((begin, begin + len(symbol), other))
            case ast.Raise():
                edits["exception"].append((*span(node), "pass"))
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                if value >= 2:
                    edits["unit"].append((*span(node), other_number(str(value))))
                if isinstance(value, int):
                    edits["off by one"].append((*span(node), str(value + 1)))
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            begin, end = span(node.test)
            edits["condition"].append((begin, end, f"not ({text[begin:end]})"))
    return edits


def spans(text: str) -> Callable[[ast.AST], tuple[int, int]]:
    """The place of a node in a text: ast counts bytes in each line."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def span(node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)
        )  # fmt: skip

    return span


def code_of(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those within formatted texts, which older Pythons do not place."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.JoinedStr):
            yield from code_of(child)

"""The checks of a build on one page: static, self-contained, readable without Great Expectations.

Takes results of any engine; nothing is evaluated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from dagster_project.errors import counted
from dagster_project.quality.results import CheckResult, json_value
from dagster_project.safe_text import xml_text

_RANK = {"could_not_run": 0, "failed": 1, "passed": 2}
_WORDS = {"could_not_run": "could not run", "failed": "failed", "passed": "passed"}

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c0392b; --odd: #b7791f; --good: #2f855a; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
         vertical-align: top; }
.sample { overflow-x: auto; margin: .3rem 0 1rem; }
.sample table { font: 12px/1.4 ui-monospace, monospace; width: auto; }
.sample td, .sample th { white-space: nowrap; }
.error { color: var(--bad); font-weight: 600; } .warn { color: var(--odd); font-weight: 600; }
.passed { color: var(--good); }
small { opacity: .75; }
"""


def render_report(results: Iterable[CheckResult], *, title: str = "Checks") -> str:
    """One HTML page: totals, the checks that did not pass with their rows, then all by table."""
    checks = sorted(
        results,
        key=lambda check: (
            _RANK[check.status],
            check.severity != "error",
            check.table_name,
            check.check_name,
        ),
    )
    not_passed = [check for check in checks if check.status != "passed"]
    tables = sorted({(check.layer, check.table_name) for check in checks})
    parts = [
        f"<h1>{xml_text(title)}</h1>",
        f"<p>{_totals(checks)}</p>",
        *(
            f"<h2>What did not pass</h2>{''.join(map(_failure, not_passed))}"
            for _ in not_passed[:1]
        ),
        *(
            _table(
                layer,
                name,
                [check for check in checks if (check.layer, check.table_name) == (layer, name)],
            )
            for layer, name in tables
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{xml_text(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _totals(checks: Sequence[CheckResult]) -> str:
    counts = {status: sum(check.status == status for check in checks) for status in _WORDS}
    blocking = sum(check.blocks for check in checks)
    words = [f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status]]
    return (
        f"{counted(len(checks), 'check')}: {', '.join(reversed(words)) or 'none'}; "
        f"{counted(blocking, 'blocking failure')}."
    )


def _failure(check: CheckResult) -> str:
    return (
        f"<h3>{xml_text(check.table_name)}: {xml_text(_sentence(check))}</h3>"
        f'<p><span class="{check.severity}">{_WORDS[check.status]}</span>: '
        f"{xml_text(check.observed)}<br><small>{xml_text(check.explanation)}</small></p>"
        f"{_sample(check.sample)}"
    )


def _table(layer: str, name: str, checks: Sequence[CheckResult]) -> str:
    rows = "".join(
        f'<tr><td class="{"passed" if check.status == "passed" else check.severity}">'
        f"{_WORDS[check.status]}</td><td>{xml_text(_sentence(check))}<br>"
        f"<small>{xml_text(check.explanation)}</small></td>"
        f"<td>{xml_text(check.observed)}</td>"
        f"<td>{xml_text(check.engine.replace('_', ' '))}</td></tr>"
        for check in checks
    )
    return (
        f"<h2>{xml_text(name)} <small>{xml_text(layer)}</small></h2>"
        "<table><thead><tr><th>status</th><th>check</th><th>observed</th><th>engine</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _sentence(check: CheckResult) -> str:
    return check.check_name.replace("_", " ")


def _sample(sample: pl.DataFrame | None) -> str:
    if sample is None or sample.is_empty():
        return ""
    head = "".join(f"<th>{xml_text(name)}</th>" for name in sample.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>"
        for row in sample.iter_rows()
    )
    return (
        f'<div class="sample"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: object) -> str:
    return "" if value is None else xml_text(str(json_value(value)))

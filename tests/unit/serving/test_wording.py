"""Sentences are worded in one room: models give facts, each language has a function for each."""

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import duckdb
import pytest

from dagster_project.serving import wording
from dagster_project.serving.wording import english, sentence
from dagster_project.serving.wording.english import parts
from dagster_project.serving.wording.plugin import add_sentences
from dagster_project.settings import DBT_PROJECT

MODELS = sorted((DBT_PROJECT / "models").rglob("*.sql"))
MACROS = sorted((DBT_PROJECT / "macros").rglob("*.sql"))
USED = {
    name
    for file in [*MODELS, *MACROS]
    for name in re.findall(r"sentence\('([a-z_.]+)'", file.read_text())
}


def functions_of(page: str) -> set[str]:
    module = import_module(f"{english.__name__}.{page}")
    return {
        f"{page}.{name}"
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_sentence_of_a_model_has_a_function_and_no_other() -> None:
    pages = {module.name for module in iter_modules(english.__path__)} - {"parts"}
    assert {name for page in pages for name in functions_of(page)} == USED


@pytest.mark.parametrize("file", [*MODELS, *MACROS], ids=lambda file: file.stem)
def test_sql_holds_no_sentence(file: Path) -> None:
    assert sentences_in(file.read_text()) == []


def sentences_in(sql: str) -> list[str]:
    """Texts of four words or more, and those that end like a sentence; calls of Jinja are none."""
    code = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|--[^\n]*", "", sql, flags=re.DOTALL)
    texts = re.findall(r"'((?:[^'\n]|'')*)'", code)
    words = (re.findall(r"[A-Za-z]{2,}", text) for text in texts)
    return [
        text
        for text, words_of_text in zip(texts, words, strict=True)
        if not re.search(r"[\\|^]", text)  # a pattern
        and ((len(words_of_text) > 3 and " " in text) or re.search(r"[a-z]\.$", text))
    ]


def test_a_sentence_in_sql_is_seen_with_signs_in_it_too() -> None:
    said = "select case when a then 'No figure (of 2024) is published.' else ' of these = ' end"
    assert sentences_in(said) == ["No figure (of 2024) is published."]
    assert sentences_in("select 'It depends.' -- 'a remark in four words'") == ["It depends."]
    worded = (
        "select {{ sentence('a.b', {'x': 'case when a is not null then b end'}) }}, 'USD per kg'"
    )
    assert sentences_in(worded) == []


def test_a_name_that_no_language_has_is_refused() -> None:
    with pytest.raises(LookupError, match=r"answers\.weather in english"):
        sentence("answers.weather", "{}")
    with pytest.raises(LookupError, match="named weather in english"):
        wording.wording("weather")


def test_the_database_words_facts_and_passes_what_is_missing() -> None:
    with duckdb.connect() as connection:
        add_sentences(connection)
        worded = connection.execute(
            "select sentence('answers.mines_detail', cast(to_json(struct_pack("
            "amount_t := amount, world_total_t := 390000.0)) as varchar)) "
            "from (values (270000.0), (null)) as years (amount) order by amount"
        ).fetchall()
    assert worded == [("270,000 t of 390,000 t of oxides",), (None,)]


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        ({"total": None}, None),
        (
            {"total": 22_406_000.0, "measure": "net_weight_kg", "has_share": True,
             "has_later_year": False},
            "of 22,406 t",
        ),
        (
            {"total": 42_000.0, "measure": "value_usd", "has_share": False,
             "has_later_year": True, "supplier": "China"},
            "of USD 42,000; China is not among the partners published; no later year is known by "
            "value",
        ),
    ],
)  # fmt: skip
def test_a_total_is_said_with_what_is_missing(facts: dict[str, object], detail: str | None) -> None:
    assert sentence("answers.rare_earth_imports_detail", json.dumps(facts)) == detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (parts.period("2025"), "2025"),
        (parts.period("2025-06"), "June 2025"),
        (parts.period("2025-06-30/2026-08-05"), "2025-06-30 to 2026-08-05"),
        (parts.day("2026-11-10"), "10 November 2026"),
        (parts.percent(0.713), "71.3 %"),
        (parts.percent(None), "–"),
        (parts.change(0.818), "+81.8 %"),
        (parts.amount(9_999.0, "net_weight_kg"), "9,999 kg"),
        (parts.amount(442_700_000.0, "value_usd"), "USD 442.7 m"),
        (parts.subject("dysprosium, terbium"), "dysprosium and terbium"),
        (parts.subject("other_heavy_rare_earth"), "other heavy rare earths"),
        (parts.the("United States"), "the United States"),
        (parts.the("Netherlands"), "the Netherlands"),
        (parts.the("Japan"), "Japan"),
        (parts.listed(["cerium", "lanthanum", "neodymium"]), "cerium, lanthanum and neodymium"),
        (parts.listed(["cerium"]), "cerium"),
    ],
)
def test_figures_periods_and_names_stand_in_english(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"days": 17}, "17 days left, suspended until 10 November 2026"),
        ({"days": 1}, "1 day left, suspended until 10 November 2026"),
        (
            {"days": 0, "next_because": "in force again on the next day"},
            "the last day, in force again on the next day",
        ),
    ],
)
def test_a_lapse_is_counted_in_days(facts: dict[str, object], expected: str) -> None:
    known = {"status": "suspended", "last_day": "2026-11-10", "next_because": None}
    assert sentence("warnings.lapse_ahead", json.dumps({**known, **facts})) == expected


def test_a_notice_to_be_read_says_what_makes_it_so() -> None:
    facts = {
        "state": "to_read", "clauses": [], "act": None, "reason": None, "corrects": "2026/12",
        "company": "a listed firm", "words": ["gallium"], "is_number_alone": False, "codes": [],
    }  # fmt: skip
    assert sentence("notices.because", json.dumps(facts)) == (
        "it corrects 2026/12; it is about a listed firm; it names gallium; no clause names it"
    )

"""A problem is said once, again when it is worse than ever said, and its end is said once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from dagster_project.alerts.messages import Message, Record, Reported, news, next_record
from dagster_project.alerts.problems import Links, Problem, Unexamined, first_lines


def problem(subject: str = "ecb", level: int = 1, **given: object) -> Problem:
    return Problem(
        "late_sources", subject, f"{subject} is late", "2026-10-19", level=level,
        **given,  # type: ignore[arg-type]
    )  # fmt: skip


def said_over(*ticks: Sequence[Problem]) -> list[list[tuple[str, str]]]:
    """By tick: what was said of which subject."""
    said: Mapping[str, Reported] = {}
    listed = []
    for standing in ticks:
        messages, said = news("late_sources", standing, said)
        listed.append([(message.news, message.subject) for message in messages])
    return listed


def test_what_stands_is_said_once_and_its_end_once() -> None:
    late = problem()
    assert said_over([], [late], [late], [late], [], []) == [
        [], [("new", "ecb")], [], [], [("over", "ecb")], [],
    ]  # fmt: skip


def test_what_gets_worse_is_said_again_and_what_gets_better_is_not() -> None:
    levels = (1, 2, 1, 2, 3)
    ticks = [[problem(level=level)] for level in levels]
    said = [[news for news, _ in tick] for tick in said_over(*ticks)]
    assert said == [["new"], ["worse"], [], [], ["worse"]]


def test_what_comes_back_is_said_again() -> None:
    assert said_over([problem(level=3)], [], [problem()]) == [
        [("new", "ecb")], [("over", "ecb")], [("new", "ecb")],
    ]  # fmt: skip


def test_what_cannot_be_examined_stays_as_it_was_reported() -> None:
    _, reported = news("late_sources", [problem()], {})
    for subjects in (["ecb"], ["ecb", "wgi"]):
        unexamined = [Unexamined("late_sources", subject) for subject in subjects]
        assert news("late_sources", unexamined, reported) == ([], reported)
    ([end], _) = news("late_sources", [], reported)
    assert end.news == "over"


def test_the_end_of_a_date_is_not_said() -> None:
    assert said_over([problem(has_end=False)], [problem(level=2, has_end=False)], []) == [
        [("new", "ecb")], [("worse", "ecb")], [],
    ]  # fmt: skip


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["ecb", "hmrc", "wgi"]), st.integers(1, 3), max_size=3),
        max_size=12,
    )
)
def test_no_end_without_a_beginning_and_worse_only_upwards(
    ticks: list[dict[str, int]],
) -> None:
    open_levels: dict[str, int] = {}
    said: dict[str, list[str]] = defaultdict(list)
    told: Mapping[str, Reported] = {}
    for levels in ticks:
        messages, told = news("late_sources", [problem(*each) for each in levels.items()], told)
        for message in messages:
            said[message.subject].append(message.news)
            if message.news == "over":
                assert message.subject not in levels
                del open_levels[message.subject]
            elif message.news == "new":
                assert message.subject not in open_levels
            else:
                assert levels[message.subject] > open_levels[message.subject]
            if message.news != "over":
                open_levels[message.subject] = levels[message.subject]
        # Everything that stands was said, at its level or a higher one.
        assert open_levels.keys() == levels.keys()
        assert all(open_levels[subject] >= level for subject, level in levels.items())
    for order in said.values():
        without_worse = [each for each in order if each != "worse"]
        assert without_worse[::2] == ["new"] * len(without_worse[::2])
        assert without_worse[1::2] == ["over"] * len(without_worse[1::2])


def test_a_message_says_what_since_when_and_where_to_look() -> None:
    late = problem(
        lines=("published through 2026-08", "late by 1 day"), link="http://ui/assets/landing/ecb"
    )
    ([first], said) = news("late_sources", [late], {})
    assert first.title == "Kido: ecb is late"
    assert first.body == (
        "published through 2026-08\nlate by 1 day\n\nSince 2026-10-19\nhttp://ui/assets/landing/ecb"
    )
    ([worse], said) = news("late_sources", [problem(level=2)], said)
    assert worse.title == "Kido, worse: ecb is late"
    ([end], _) = news("late_sources", [], said)
    assert end.title == "Kido, over: ecb is late"
    assert end.body == "It is over. It began 2026-10-19.\n\nhttp://ui/assets/landing/ecb"


def test_a_message_waits_for_the_addresses_that_are_set() -> None:
    record = next_record(Record(), "late_sources", [problem()], ["mail", "hook"])
    assert [each.addresses for each in record.waiting] == [("mail", "hook")]
    # The hook is no longer set, another one is: it hears what is new from now on.
    record = next_record(record, "late_sources", [problem(), problem("wgi")], ["mail", "other"])
    assert [(each.message.subject, each.addresses) for each in record.waiting] == [
        ("ecb", ("mail",)), ("wgi", ("mail", "other")),
    ]  # fmt: skip


def test_the_record_is_the_same_after_it_was_stored() -> None:
    record = next_record(Record(), "late_sources", [problem(lines=("日本",))], ["mail"])
    assert Record.model_validate_json(record.model_dump_json()) == record
    assert isinstance(record.waiting[0].message, Message)


def test_a_long_list_is_cut_and_says_how_much_is_left() -> None:
    lines = first_lines(["first", "", *(f"row {number}" for number in range(1, 20))])
    assert lines[:2] == ("first", "row 1")
    assert lines[-1] == "… and 8 more lines"
    assert max(map(len, first_lines(["x" * 10_000]))) <= 500


def test_links_lead_to_the_pages_of_the_ui() -> None:
    links = Links("https://kido.example.org/")
    assert links.run("abc") == "https://kido.example.org/runs/abc"
    assert links.asset("landing", "ecb") == "https://kido.example.org/assets/landing/ecb"
    assert links.check("a_fact", "lake", "ecb quotes") == (
        "https://kido.example.org/assets/lake/ecb%20quotes?view=checks&checkDetail=a_fact"
    )

"""What is to be said now, from the problems that stand and what was said before. Pure functions.

A problem is said once, again when it is worse than ever said, and its end is said once. Many of a
batch that are new at once are one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dagster_project.alerts.problems import Kind, Problem, Unexamined, counted_together

News = Literal["new", "worse", "over"]


class Message(BaseModel):
    """A message as it is sent, without its addresses."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    subject: str
    news: News
    title: str
    body: str


class Reported(BaseModel):
    """What was said of a problem that still stands: all but the level is of the first time.

    Of a problem without an end only the level: there may be thousands of them, and the record is
    written with every tick.
    """

    model_config = ConfigDict(frozen=True)

    level: int
    """The highest one that was said."""
    title: str = ""
    since: str = ""
    link: str = ""
    has_end: bool = True


class Waiting(BaseModel):
    """A message, and the names of the addresses that have not accepted it yet."""

    model_config = ConfigDict(frozen=True)

    message: Message
    addresses: tuple[str, ...]


class Record(BaseModel):
    """What was said of the problems of one kind, by subject, and what waits to be sent."""

    model_config = ConfigDict(frozen=True)

    reported: Mapping[str, Reported] = {}
    waiting: tuple[Waiting, ...] = ()


def next_record(
    record: Record,
    kind: Kind,
    problems: Iterable[Problem | Unexamined],
    addresses: Sequence[str],
) -> Record:
    """The record with what is to be said now of the problems that stand, to each address.

    What waits for an address that is no longer set is dropped.
    """
    messages, reported = news(kind, problems, record.reported)
    waiting = [
        Waiting(message=each.message, addresses=left)
        for each in record.waiting
        if (left := tuple(name for name in each.addresses if name in addresses))
    ]
    waiting += [Waiting(message=message, addresses=tuple(addresses)) for message in messages]
    return Record(reported=reported, waiting=tuple(waiting))


def news(
    kind: Kind, problems: Iterable[Problem | Unexamined], reported: Mapping[str, Reported]
) -> tuple[Sequence[Message], Mapping[str, Reported]]:
    """The messages to send now (ends, then what is new, then what is worse), and what is said after
    them, by subject.

    What was reported of a subject that cannot be examined now is kept as it is.
    """
    given = list(problems)
    standing = {each.subject: each for each in given if isinstance(each, Problem)}
    unexamined = {each.subject for each in given if isinstance(each, Unexamined)}
    kept = {subject: before for subject, before in reported.items() if subject in unexamined}
    messages = [
        _end(kind, subject, before)
        for subject, before in reported.items()
        if subject not in standing and subject not in kept and before.has_end
    ]
    new = [each for subject, each in standing.items() if subject not in reported]
    messages += [_message(problem, "new") for problem in counted_together(new)]
    messages += [
        _message(problem, "worse")
        for subject, problem in standing.items()
        if subject in reported and problem.level > reported[subject].level
    ]
    after = {
        subject: _reported(problem, reported.get(subject)) for subject, problem in standing.items()
    }
    return messages, {**kept, **after}


def _reported(problem: Problem, before: Reported | None) -> Reported:
    if before is not None:
        return before.model_copy(update={"level": max(problem.level, before.level)})
    if not problem.has_end:
        return Reported(level=problem.level, has_end=False)
    return Reported(
        level=problem.level,
        title=problem.title,
        since=problem.since,
        link=problem.link,
    )


def _message(problem: Problem, news: News) -> Message:
    is_worse = news == "worse" and problem.has_end
    title = f"Kido, worse: {problem.title}" if is_worse else f"Kido: {problem.title}"
    since = [f"Since {problem.since}"] if problem.has_end else []
    body = [*problem.lines, "", *since, problem.link]
    return Message(
        kind=problem.kind, subject=problem.subject, news=news, title=title, body=_joined(body)
    )


def _end(kind: Kind, subject: str, before: Reported) -> Message:
    body = [f"It is over. It began {before.since}.", "", before.link]
    return Message(
        kind=kind, subject=subject, news="over", title=f"Kido, over: {before.title}",
        body=_joined(body),
    )  # fmt: skip


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip()

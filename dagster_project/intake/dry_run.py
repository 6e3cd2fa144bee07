"""`kido fetch --dry-run`: a plan in words. Nothing is sent, and no file is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagster_project.errors import counted
from dagster_project.http import shown_address
from dagster_project.intake.calls import sent_today
from dagster_project.intake.due import limits_of
from dagster_project.intake.fetch import FetchPlan
from dagster_project.settings import Settings
from dagster_project.sources.card import Frequency, Source, Window

_PERIODS: dict[Frequency, str] = {"A": "year", "M": "month"}


def requests_in_words(settings: Settings, source: Source, plan: FetchPlan) -> Sequence[str]:
    """What is requested, in how many calls; where, and within which limits: a line each."""
    name = source.CARD.name
    more = (
        ", and more where an answer has pages or leads to files"
        if hasattr(source, "follow")
        else ""
    )
    requested = _windows_in_words(plan.windows) or ", ".join(
        extract.document for extract in plan.extracts
    )
    return (
        f"{name}: {requested}: {counted(plan.requests, 'call')}{more}.",
        f"  {_publisher_in_words(settings, source)}.",
    )


def _windows_in_words(windows: Iterable[Window]) -> str:
    """`3 years from 2023 to 2025, 24 months from 2024-01 to 2025-12`; empty without windows."""
    all_windows = list(windows)
    parts = []
    for frequency, period in _PERIODS.items():
        keys = [window.key for window in all_windows if window.frequency == frequency]
        if len(keys) > 1:
            parts.append(f"{counted(len(keys), period)} from {min(keys)} to {max(keys)}")
        elif keys:
            parts.append(f"the {period} {keys[0]}")
    return ", ".join(parts)


def _publisher_in_words(settings: Settings, source: Source) -> str:
    """The publisher's address, or the one that replaces it, and the limits that are known."""
    name, card = source.CARD.name, source.CARD
    address = shown_address(card.base_url or "")
    replaced_by = settings.source(name).url
    words = (
        f"From {shown_address(replaced_by)} instead of {address}"
        if replaced_by
        else (f"From {address}")
    )
    limits = limits_of(settings, source)
    allowed = []
    if limits.calls_a_minute:
        allowed.append(f"{counted(limits.calls_a_minute, 'call')} a minute")
    if limits.calls_a_day:
        sent = sent_today(settings.intake_dir, name)
        was_sent = f" ({sent:,} sent today)" if sent else ""
        allowed.append(f"{counted(limits.calls_a_day, 'call')} a day{was_sent}")
    return f"{words}, at most {' and '.join(allowed)}" if allowed else words

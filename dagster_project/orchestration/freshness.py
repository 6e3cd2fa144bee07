"""Dagster's freshness policy of a landing: whether its publisher was asked when it should be.

Whether the figures reach as far as they should is another question: `published_period_is_held`.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from dagster_project.sources.card import Calendar

GRACE_HOURS = 3
"""How long after the time of its calendar a publisher may still be asked.

The daily schedule `renew` begins at about the time of Japan's customs, and asks one publisher after
another.
"""

LOWER_BOUND = timedelta(days=1)
"""A landing of the day before the deadline is fresh: the daily schedule `renew` is enough."""


def freshness_by(calendar: Calendar) -> dg.FreshnessPolicy:
    """The policy that a landing is made within the day before each deadline.

    A deadline is GRACE_HOURS after each time of the publisher's calendar, in its time zone.
    """
    minute, hour, *days = calendar.cron.split()
    return dg.FreshnessPolicy.cron(
        deadline_cron=" ".join((minute, str(int(hour) + GRACE_HOURS), *days)),
        lower_bound_delta=LOWER_BOUND,
        timezone=calendar.timezone,
    )

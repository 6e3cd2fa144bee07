"""How markets took the news: sessions of exchanges, returns, and the statistics of event studies.

Pure maths on arrays and days; the dbt models that use it say which series and which events.
"""

LEAST_SESSIONS = 120
"""Of an estimation window: from fewer no normal return is estimated."""

PATH_FROM, PATH_TO = -5, 10
"""The first and the last session of the path of an event, which is 0."""

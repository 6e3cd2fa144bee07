"""Event studies of markets: sessions of exchanges, returns, and statistics of abnormal returns.

Pure maths on arrays and days. The dbt models that use it choose the instruments and the events.
"""

LEAST_SESSIONS = 120
"""Fewest sessions of an estimation window; with fewer no normal return is estimated."""

PATH_FROM, PATH_TO = -5, 10
"""First and last session of the path around an event; the session of the event is 0."""

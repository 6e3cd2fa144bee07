"""How markets took the news: sessions of exchanges, returns, and the statistics of event studies.

Pure maths on arrays and days; the dbt models that use it say which series and which events.
"""

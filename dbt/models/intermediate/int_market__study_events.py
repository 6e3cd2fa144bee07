"""The statistics of every event on every studied instrument: regressions, distributions, ranks.

In Python, since the t distribution and ranks are scipy's and numpy's (docs/decisions/0036); in SQL
is what reads well there: which events, what contaminates their windows, how tests are adjusted.
"""

STUDIED = ("REMX", "USDJPY", "6762.T")
"""The fund of rare-earth shares, the yen, and TDK, which the restrictions hit."""


def model(dbt, session):
    dbt.config(materialized="table")
    from dagster_project.market.studies import study_events

    instruments = dbt.ref("instruments").pl()
    prices = dbt.ref("prices").pl()
    studies = study_events(
        events=dbt.ref("int_market__list_events").pl(),
        # An average of a month or a year is no price of a session.
        prices=prices.filter(prices["frequency"] == "D"),
        instruments=instruments.filter(instruments["instrument"].is_in(STUDIED)),
    )
    return studies.to_arrow()

"""Kido: a warehouse of critical-mineral dependence, in one direction through six packages.

`sources` describes publishers, `intake` fetches and lands their documents, `lake` stores them,
`quality` checks them, `orchestration` schedules the steps, `serving` publishes. `definitions` puts
the packages together.
"""

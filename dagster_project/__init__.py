"""Kido: a warehouse of critical-mineral dependence, in one direction through six rooms.

`sources` knows publishers, `intake` asks and lands, `lake` keeps, `quality` guards, `orchestration` says
when each step runs, `serving` publishes. `definitions` puts the rooms together.
"""

"""Kido: a warehouse of critical-mineral dependence, in one direction through six rooms.

`sources` reads publishers, `lake` keeps what they said, `quality` guards it, `orchestration` says
when each step runs, `serving` publishes. `definitions` puts the rooms together.
"""

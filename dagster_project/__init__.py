"""Kido: a warehouse of critical-mineral dependence, in one direction through six rooms.

`sources` knows publishers, `intake` asks them and lands what comes, `lake` keeps it, `quality`
guards it, `orchestration` says when each step runs, `serving` publishes. `definitions` puts the
rooms together.
"""

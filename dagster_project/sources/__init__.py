"""One module per publisher: its card, its plan of requests, and `parse(bytes)`. Pure functions.

A new publisher is one new module here; the registry finds it by its `CARD`.
"""

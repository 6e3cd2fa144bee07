"""One module per publisher: its card, what to ask (`plan`), how its pages go on (`follow`), and how
to read what came (`parse`). Pure functions.

A new publisher is one new module here; the registry finds it by its `CARD`.
"""

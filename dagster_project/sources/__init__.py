"""One module per publisher: its card, the requests to send (`plan`), how to continue after an
answer (`follow`), and how to read a document (`parse`). Pure functions.

A new publisher is one new module here; the registry finds it by its `CARD`.
"""

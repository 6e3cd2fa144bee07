"""The way of a document, for every publisher alike: ask, land, check, conform, quarantine.

`fetch` asks windows of a publisher (`ask` one extract of it), `land` takes files, `conform` types
what is landed. What a publisher's pages look like and how they go on is its own module's `follow`.
"""

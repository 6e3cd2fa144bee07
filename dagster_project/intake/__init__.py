"""The steps of a document, the same for every publisher: fetch, land, check, conform, quarantine.

`fetch` requests windows from a publisher (`ask` one extract), `land` takes files, `conform` types
landed snapshots. How to continue after an answer is decided in `follow` of the publisher's module.
"""

"""What needs a person: its description, what was said of it, and how it is sent.

Which problems stand now is found elsewhere: what Dagster knows of in `orchestration`.
"""

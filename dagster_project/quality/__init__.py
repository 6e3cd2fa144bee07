"""Rules on content: what a batch of the lake and a mart must satisfy, and how that is checked.

Frames in, verdicts out. Nothing here depends on a publisher, orchestrator or transformation.
"""

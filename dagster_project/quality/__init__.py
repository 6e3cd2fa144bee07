"""Rules on content: what a batch of the lake and a mart must hold, and how that is found out.

Frames in, verdicts out. No publisher, no orchestrator and no transformation is known here.
"""

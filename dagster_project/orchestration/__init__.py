"""The graph of steps, their order and schedules, and their results; built from the registry."""

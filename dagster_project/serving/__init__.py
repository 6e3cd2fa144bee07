"""Audit and publish, go back, describe what is published, answer from it; no business rules."""

"""Judging Chinese text: one file per step, the ordered list in pipeline.py. Never sees the name of a source."""

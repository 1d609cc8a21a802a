"""Series, baseline, detectors, levels, lifecycle, notifications. Never sees SQL or the text of a post."""

"""Writes every generated page: `make docs`. Tests fail when a page is stale."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from alerts.channels.base import describe_channels
from benchmarks.report import describe_benchmarks
from benchmarks.scale import describe_scale
from collectors.registry import describe_sources
from nlp.evaluate import read_report
from nlp.evaluation_page import render_evaluation
from nlp.pipeline import describe_pipeline
from nlp.sentiment import FOLDER
from tingfeng.settings_docs import describe_settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "settings.md": describe_settings,
    "sources.md": describe_sources,
    "channels.md": describe_channels,
    "pipeline.md": describe_pipeline,
    "evaluation.md": lambda: render_evaluation(read_report(FOLDER)),
    "benchmarks.md": describe_benchmarks,
    "scale.md": describe_scale,
}


def write_pages() -> None:
    """All of them."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    write_pages()
    sys.stdout.write(f"{len(PAGES)} 页 → {DOCS.name}/\n")

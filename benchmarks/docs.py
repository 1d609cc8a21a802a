"""Writes every generated page, or those that are named: `make docs`. Tests fail when a page is stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from alerts.channels.base import describe_channels
from benchmarks.report import describe_benchmarks
from benchmarks.scale import describe_scale
from benchmarks.sentiment_peers import render_peers
from benchmarks.unseen_domains import render_unseen
from collectors.registry import describe_sources
from nlp.encoder_page import render_heads
from nlp.evaluate import REPORT_FILE, read_report
from nlp.evaluate_heads import read_heads
from nlp.evaluation_page import render_evaluation
from nlp.gold_page import render_gold
from nlp.gold_results import read_results
from nlp.pipeline import describe_pipeline
from nlp.sentiment import ENCODER_FOLDER, FOLDER
from tingfeng.settings_docs import describe_settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "settings.md": describe_settings,
    "sources.md": describe_sources,
    "channels.md": describe_channels,
    "pipeline.md": describe_pipeline,
    "evaluation.md": lambda: describe_evaluation(),
    "gold.md": lambda: "# 标注集\n\n各处的成绩见 [评测](evaluation.md)。" + render_gold(read_results()).replace("## 标注集\n\n", "", 1),
    "benchmarks.md": describe_benchmarks,
    "scale.md": describe_scale,
}


def describe_evaluation() -> str:
    """docs/evaluation.md: stored reports of both models, of the heads, of what was left out, and the other tools."""
    trained = (ENCODER_FOLDER / REPORT_FILE).is_file()
    folder = ENCODER_FOLDER if trained else FOLDER
    sections = ("\n标注集上的成绩见 [标注集](gold.md)。\n", render_heads(read_heads(folder)), render_unseen(), render_peers())
    return render_evaluation(read_report(folder), read_report(FOLDER), sections)


def write_pages(names: Sequence[str]) -> None:
    """These pages."""
    for name in names:
        (DOCS / name).write_text(PAGES[name](), "utf-8")


if __name__ == "__main__":
    asked = sys.argv[1:] or list(PAGES)
    write_pages(asked)
    sys.stdout.write(f"{len(asked)} 页 → {DOCS.name}/\n")

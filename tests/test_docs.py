"""Generated pages are fresh, links lead somewhere, pages stay short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.docs import PAGES

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_generated_page_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name]()


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere_and_the_page_is_short(page: Path) -> None:
    text = page.read_text("utf-8")
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []
    assert text.count("\n") <= (150 if page.name == "README.md" else 300)

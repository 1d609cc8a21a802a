"""What a notification says, as plain text; escaping is each channel's own affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tingfeng.clock import SHANGHAI
from tingfeng.labels import Level
from tingfeng.records import Alert, AlertChange

EDGES = {
    "open": "新预警",
    "upgrade": "级别上升",
    "reopen": "再次出现",
    "resolve": "已解除",
    "repeat": "仍在持续",
    "downgrade": "级别下降",
}
MARKS = {Level.BLUE: "🔵", Level.YELLOW: "🟡", Level.ORANGE: "🟠", Level.RED: "🔴"}
QUOTE_CHARACTERS = 80


@dataclass(frozen=True)
class Quote:
    """A post that shows what is meant; `link` leads to it."""

    text: str
    source: str
    link: str


def compose(change: AlertChange, alert: Alert, quotes: Sequence[Quote]) -> tuple[str, str]:
    """(title, body): the figures of the finding and up to three quotes."""
    when = change.at.astimezone(SHANGHAI)
    title = f"{MARKS[change.level]} [{change.level.title_zh}] {change.summary}({EDGES[change.edge]})"
    lines = [f"时间:{when:%Y-%m-%d %H:%M}"]
    if alert.last_finding is not None and change.edge != "resolve":
        lines += alert.last_finding.reasons
    for quote in quotes[:3]:
        text = " ".join(quote.text.split())
        cut = text[:QUOTE_CHARACTERS] + ("…" if len(text) > QUOTE_CHARACTERS else "")
        lines.append(f"“{cut}”——{quote.source}")
    return title, "\n".join(lines)

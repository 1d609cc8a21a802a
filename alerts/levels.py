"""Levels 蓝黄橙红 by score, share, size and harm; and the sentences that say why."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.baseline import Profile
from tingfeng.labels import Level

LEVELS = tuple(Level)


def choose_level(score: float, share_up: bool, evidence: Mapping[str, float], *, volume: bool = False) -> Level | None:
    """None below BLUE. Harm words in the window raise by one level, never alone; a cold start stays low (ADR 0003)."""
    days = evidence["days"]
    scale = 1.5 if days < 4 else 1.0
    excess, factor = evidence["y_3h"] - evidence["mu_3h"], (evidence["y_3h"] + 1) / (evidence["mu_3h"] + 1)
    up = share_up or volume
    level: Level | None = None
    if score >= 0.71 * scale:
        level = Level.BLUE
    if (score >= 1.0 * scale and up and excess >= (2.5 if volume else 8)) or score >= 2.2 * scale:
        level = Level.YELLOW
    if score >= 1.6 * scale and up and factor >= 3 and excess >= (6 if volume else 20):
        level = Level.ORANGE
    if score >= 2.5 * scale and up and factor >= 6 and excess >= (15 if volume else 60):
        level = Level.RED
    if level is None:
        return None
    if days < 1:
        return Level.BLUE
    if evidence.get("harm", 0) > 0 and not volume:
        level = LEVELS[min(level.rank + 1, Level.RED.rank)]
    return level


def show_window(profile: Profile) -> str:
    """`3 小时` or `3 天`."""
    seconds = profile.seconds * profile.windows[1]
    return f"{seconds // 3600} 小时" if seconds < 86400 else f"{seconds // 86400} 天"


def explain(profile: Profile, evidence: Mapping[str, float], share_up: bool, volume: bool) -> tuple[str, ...]:
    """Sentences with the numbers that were compared."""
    what = "提及" if volume else "负面"
    count, expected = evidence["y_3h"], evidence["mu_3h"]
    times = f"({count / expected:.1f} 倍)" if expected >= 0.5 else ""
    reasons = [f"近 {show_window(profile)}{what} {count:.0f} 条,预期 {expected:.1f} 条{times}"]
    if not volume:
        verdict = "明显上升" if share_up else "没有上升"
        reasons.append(f"负面占比 {evidence['share']:.0%},平时 {evidence['share_base']:.0%},{verdict}")
        if evidence.get("harm", 0) > 0:
            reasons.append(f"其中 {evidence['harm']:.0f} 条涉及人身安全,级别上调一级")
    if evidence["days"] < 4:
        reasons.append(f"只学习了 {evidence['days']:.1f} 天,判断从严")
    return tuple(reasons)

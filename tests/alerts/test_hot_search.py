"""The daily rule on two years of a public hot-search archive: widely known crises on their day, and few alarms else."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from alerts.baseline import DAILY
from alerts.detector import new_state, replay
from tingfeng.clock import SHANGHAI
from tingfeng.labels import Level
from tingfeng.records import Bin, Finding

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "hotsearch"
FIRST, LAST = date(2020, 11, 24), date(2022, 12, 31)
CRISES = {  # days with at least three new entries; days with one or two are beyond a rule of counts
    "酸菜": "2022-03-15", "康师傅": "2022-03-15", "HM": "2021-03-24", "耐克": "2021-03-25", "阿迪": "2021-03-25",
    "拼多多": "2021-01-04", "星巴克": "2021-12-13", "滴滴": "2021-07-04", "欧莱雅": "2021-11-17", "饿了么": "2021-01-08",
    "农夫山泉": "2021-06-27", "特斯拉": "2021-04-21", "蔚来": "2022-06-23", "招商银行": "2022-04-18",
}  # fmt: skip
OTHERS = [
    "小米", "海底捞", "麦当劳", "肯德基", "蜜雪冰城", "喜茶", "瑞幸", "美团", "京东", "淘宝",
    "支付宝", "百度", "比亚迪", "优衣库", "李宁", "安踏", "茅台", "蒙牛", "三只松鼠", "良品铺子",
    "西贝", "奈雪", "宝马", "奔驰", "中国移动", "顺丰", "圆通", "携程", "格力", "海尔",
    "联想", "网易", "快手", "知乎", "大众", "丰田", "本田", "国美", "苏宁", "唯品会",
]  # fmt: skip

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the hot-search archive is not beside the checkout"),
]


def count_entries() -> Mapping[str, Counter[str]]:
    """New entries per brand and day; an entry counts on its first day."""
    first: dict[str, str] = {}
    for file in sorted(DATA.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            for row in map(json.loads, stream):
                first.setdefault(row["title"], row["date"])
    names = [*CRISES, *OTHERS]
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for title, day in first.items():
        for name in names:
            if name in title:
                counts[name][day] += 1
    return counts


def judge(counts: Counter[str]) -> list[Finding]:
    days = [FIRST + timedelta(days=i) for i in range((LAST - FIRST).days + 1)]
    bins = [Bin(datetime(d.year, d.month, d.day, tzinfo=SHANGHAI), 0, counts[d.isoformat()]) for d in days]
    return replay(new_state(DAILY), bins, volume=True, rule="volume")[1]


@pytest.fixture(scope="module")
def told() -> Mapping[str, list[str]]:
    """Days at 黄 or above per brand."""
    return {
        name: [
            finding.at.astimezone(SHANGHAI).date().isoformat()
            for finding in judge(counts)
            if finding.level and finding.level.rank >= Level.YELLOW.rank
        ]
        for name, counts in count_entries().items()
    }


def test_known_crises_are_told_of_their_own_day(told: Mapping[str, list[str]]) -> None:
    assert [name for name, day in CRISES.items() if day not in told[name]] == []


def test_a_brand_is_told_of_less_than_once_a_quarter(told: Mapping[str, list[str]]) -> None:
    quarters = (LAST - FIRST).days / 91.3
    episodes = {
        name: sum(
            1 for i, day in enumerate(days) if not i or (date.fromisoformat(day) - date.fromisoformat(days[i - 1])).days > 3
        )
        for name, days in told.items()
    }
    assert max(episodes.values()) <= 1.5 * quarters
    assert sum(episodes.values()) / len(episodes) <= 0.5 * quarters

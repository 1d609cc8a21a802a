"""Documents for the measurements of stores: real hot-search titles (read at run time, when they are there) and invented sentences.

Deterministic, made batch by batch, so that five million of them need no memory. They arrive in the order of time, each published
some minutes or hours before, as live posts do.
"""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.demo_texts import (
    BRAND,
    CITIES,
    COLOURS,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    PRODUCTS,
    REGIONS,
    RIVAL,
    SMALL_RIVAL,
)
from tingfeng.labels import Act, Content, PostKind, Sentiment, Severity, Stage, TimePrecision, Topic
from tingfeng.records import Author, Engagement, JudgedPost, Mention, Opinion, Post

TITLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "hotsearch"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SPAN = timedelta(days=30)
SUBJECTS = (BRAND, RIVAL, SMALL_RIVAL)
SOURCES = ("weibo", "heimao", "xiaohongshu", "tieba", "bilibili", "appstore", "news", "douyin", "zhihu", "jd")
RARE = "紫铜阀芯"  # planted in one of two thousand
GROUPS = (
    *((Sentiment.NEGATIVE, topic, parts) for topic, parts in NEGATIVE.items()),
    (Sentiment.POSITIVE, "quality", POSITIVE),
    (Sentiment.NEUTRAL, "other", NEUTRAL),
)
TOPICS = {"quality": Topic.QUALITY, "service": Topic.SERVICE, "refund": Topic.REFUND, "logistics": Topic.LOGISTICS, "app": Topic.APP}
SEVERITIES = (Severity.ANNOYANCE, Severity.MONEY, Severity.NONE, Severity.SAFETY)


def read_titles() -> list[str]:
    """Hot-search titles; empty where the archive is absent."""
    titles: list[str] = []
    for file in sorted(TITLES.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            titles += [json.loads(line)["title"] for line in lines]
    return titles


class Corpus:
    """`count` documents; batch(start, size) makes some of them with what was judged about them, always the same."""

    def __init__(self, count: int, seed: int = 5) -> None:
        self.count, self.seed = count, seed
        self.titles = read_titles()

    def batch(self, start: int, size: int) -> tuple[list[Post], list[JudgedPost]]:
        """Documents start … start + size − 1."""
        rng = random.Random(f"{self.seed}:{start}")
        pairs = [self._make(rng, number) for number in range(start, min(self.count, start + size))]
        return [post for post, _ in pairs], [judged for _, judged in pairs]

    def _make(self, rng: random.Random, number: int) -> tuple[Post, JudgedPost]:
        sentiment, topic, parts = rng.choice(GROUPS)
        brand = rng.choices(SUBJECTS, (5, 3, 2))[0]
        text = self._write(rng, parts, brand, number)
        title = rng.choice(self.titles) if self.titles and rng.random() < 0.6 else ""
        arrived = NOW - SPAN + SPAN * (number / self.count)
        published = arrived - timedelta(seconds=int(rng.expovariate(1 / 1800)))
        post = Post(
            rng.choice(SOURCES), str(number), rng.choice((PostKind.ORIGINAL, PostKind.COMMENT, PostKind.TICKET)), text, arrived,
            title=title if rng.random() < 0.5 else "", url=f"https://site.example/p/{number}",
            author=Author(f"{rng.randrange(1 << 32):016x}", "", "", rng.choice(REGIONS)), published_at=published,
            published_precision=TimePrecision.SECOND,
            engagement=Engagement(int(rng.paretovariate(0.8)), rng.randrange(20), seen_at=arrived),
        )  # fmt: skip
        if not post.title and title:
            post = Post(**{**post.__dict__, "text": f"{title}。{text}"})
        return post, self._judge(rng, post, sentiment, TOPICS.get(topic, Topic.OTHER), brand)

    def _write(self, rng: random.Random, parts: tuple[tuple[str, ...], ...], brand: str, number: int) -> str:
        words = {
            "brand": brand, "product": rng.choice(PRODUCTS[brand]), "days": rng.randrange(2, 90), "price": rng.randrange(20, 900),
            "calls": rng.randrange(2, 9), "city": rng.choice(CITIES), "colour": rng.choice(COLOURS), "rival": RIVAL,
        }  # fmt: skip
        text = ",".join(rng.choice(part).format(**words) for part in parts)
        rare = f",换了{RARE}也没用" if rng.random() < 1 / 2000 else ""
        return f"{text}{rare}({number})"

    def _judge(self, rng: random.Random, post: Post, sentiment: Sentiment, topic: Topic, brand: str) -> JudgedPost:
        severity = rng.choices(SEVERITIES, (50, 25, 24.5, 0.5))[0]
        act = Act.COMPLAINT if sentiment is Sentiment.NEGATIVE else rng.choice((Act.PRAISE, Act.OTHER, Act.QUESTION))
        subjects = rng.choices(((brand,), (brand, rng.choice([s for s in SUBJECTS if s != brand])), ()), (85, 10, 5))[0]
        mentions = tuple(
            Mention(
                post.id, subject, (act,), sentiment, {"negative": 0.7, "neutral": 0.2, "positive": 0.1},
                ("漏电",) if severity is Severity.SAFETY else (), "bench", opinions=(Opinion(topic, sentiment),),
                severity=severity, stage=rng.choice(list(Stage)), demands=("退款",) if topic is Topic.REFUND else (),
            )
            for subject in subjects
        )  # fmt: skip
        keys = tuple(band << 16 | rng.randrange(1 << 16) for band in range(4))
        words = tuple(rng.sample(("水壶", "客服", "退款", "质量", "发货", "售后", "漏水", "推荐", "颜色", "价格"), 5))
        return JudgedPost(post.id, Content.OK, mentions, post.id, False, rng.getrandbits(64), keys, words)

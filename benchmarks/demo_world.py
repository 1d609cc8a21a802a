"""Five invented weeks of an invented brand: who said what, where and when. Seeded; the same seed gives the same world.

Daily rhythm, a shopping festival without a rise in share, one safety crisis that ramps over hours, a rising suggestion,
a repeated question, word-for-word copies, reposts, ads, personal numbers, merchants nobody watches.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchmarks import demo_texts as T  # noqa: N812
from tingfeng.clock import SHANGHAI

START = datetime(2026, 10, 12, tzinfo=SHANGHAI).astimezone(UTC)
END = datetime(2026, 11, 15, 12, tzinfo=SHANGHAI).astimezone(UTC)
FESTIVAL = (datetime(2026, 11, 10, 20, tzinfo=SHANGHAI), datetime(2026, 11, 12, 0, tzinfo=SHANGHAI))
CRISIS_AT = datetime(2026, 11, 14, 13, 0, tzinfo=SHANGHAI).astimezone(UTC)
OUTAGE = (
    datetime(2026, 10, 28, 6, tzinfo=SHANGHAI).astimezone(UTC),
    datetime(2026, 10, 29, 19, tzinfo=SHANGHAI).astimezone(UTC),
)

# posts a day by site
SITES = {"heimao": 5.0, "appstore": 5.0, "forum": 18.0, "news": 1.2, "xhs": 18.0, "weibo": 22.0}
BRANDS = {T.BRAND: 1.0, T.RIVAL: 0.75, T.SMALL_RIVAL: 0.35}
NOISE_PER_DAY = 26.0
HOURS = (2, 1, 1, 0.7, 0.6, 0.8, 1.6, 3, 4.4, 5.2, 5.6, 6, 6.8, 6, 5.2, 5, 5, 5.2, 5.8, 7, 8, 8, 6.4, 3.8)
MIX = {"negative": 0.17, "positive": 0.3, "neutral": 0.26, "question": 0.12, "suggestion": 0.08, "ad": 0.07}


@dataclass(frozen=True)
class WorldPost:
    """What one site shows of one post. `number` is unique over the world; `issue` keys demo_texts.ISSUES for board entries."""

    number: int
    site: str
    at: datetime
    brand: str
    what: str
    title: str
    text: str
    author: int
    issue: str = ""
    rating: int = 0
    likes: int = 0
    extras: dict[str, str] = field(default_factory=dict)


class World:
    """Makes the posts; `posts` are in order of publication."""

    def __init__(self, seed: int = 20261114) -> None:
        self._random = random.Random(seed)
        self.posts: list[WorldPost] = []
        self._tell_ordinary_days()
        self._tell_crisis()
        self._tell_copies()
        self.posts.sort(key=lambda post: (post.at, post.number))

    def _add(
        self, site: str, at: datetime, brand: str, what: str, title: str, text: str, issue: str = "", rating: int = 0
    ) -> None:
        rng = self._random
        likes = int(rng.paretovariate(1.2)) if site in ("xhs", "weibo") else 0
        # a post in sixteen carries a number that must be masked before it is stored
        if what in ("negative", "crisis") and rng.random() < 0.06:
            text += "。" + self._fill(rng.choice(T.PERSONAL), brand)
        number = len(self.posts) + 1
        self.posts.append(
            WorldPost(number, site, at, brand, what, title, text, rng.randrange(4000), issue, rating, likes)
        )

    def _fill(self, template: str, brand: str, product: str = "") -> str:
        rng = self._random
        rival = T.RIVAL if brand != T.RIVAL else T.BRAND
        return template.format(
            brand=brand,
            rival=rival,
            product=product or rng.choice(T.PRODUCTS.get(brand, ("会员",))),
            colour=rng.choice(T.COLOURS),
            city=rng.choice(T.CITIES),
            days=rng.randint(2, 60),
            calls=rng.randint(2, 9),
            price=rng.choice((59, 89, 129, 199, 269, 399)),
            digits="".join(rng.choice("0123456789") for _ in range(9)),
            target=rng.choice(T.NOISE_TARGETS),
            text="",
        )

    def _compose(self, parts: tuple[tuple[str, ...], ...], brand: str, product: str = "") -> str:
        rng = self._random
        product = product or rng.choice(T.PRODUCTS.get(brand, ("会员",)))
        chosen = [rng.choice(parts[0]), rng.choice(parts[1]), rng.choice(parts[2])]
        if rng.random() < 0.45:
            chosen.insert(2, rng.choice(parts[1]))
        return rng.choice((",", "。", ",")).join(self._fill(part, brand, product) for part in dict.fromkeys(chosen))

    def _moments(self, start: datetime, until: datetime, per_day: float) -> list[datetime]:
        """Poisson arrivals by hour of day, four times as many during the festival."""
        rng, found = self._random, []
        hour = start
        while hour < until:
            local = hour.astimezone(SHANGHAI)
            rate = per_day * HOURS[local.hour] / sum(HOURS) * (1.12 if local.weekday() >= 5 else 1.0)
            if FESTIVAL[0] <= local < FESTIVAL[1]:
                rate *= 4.0
            count = sum(1 for _ in range(400) if rng.random() < rate / 400)
            found += [hour + timedelta(seconds=rng.randrange(3600)) for _ in range(count)]
            hour += timedelta(hours=1)
        return found

    def _tell_ordinary_days(self) -> None:
        for brand, weight in BRANDS.items():
            for site, per_day in SITES.items():
                if site == "appstore" and brand != T.BRAND:
                    continue
                for at in self._moments(START, END, per_day * weight):
                    self._tell_ordinary(site, at, brand)
        for at in self._moments(START, END, NOISE_PER_DAY):
            text = self._compose(T.NOISE, "")
            self._add("heimao", at, "", "noise", text[:24], text, "refund")

    def _tell_ordinary(self, site: str, at: datetime, brand: str) -> None:
        rng = self._random
        if site == "news":
            title, text = rng.choice(T.NEWS)
            product = rng.choice(T.PRODUCTS[brand])
            self._add(site, at, brand, "news", self._fill(title, brand, product), self._fill(text, brand, product))
            return
        what = rng.choices(list(MIX), list(MIX.values()))[0]
        if site == "heimao":
            what = "negative"
        elif site == "appstore":
            what = rng.choices(("negative", "positive", "suggestion"), (0.35, 0.5, 0.15))[0]
        weeks = (at - START).days / 7
        text, issue = self._say(what, brand, site, weeks)
        rating = {"negative": rng.choice((1, 1, 2)), "positive": rng.choice((4, 5, 5))}.get(what, 3)
        self._add(site, at, brand, what, self._headline(text, site), text, issue, rating)

    def _say(self, what: str, brand: str, site: str, weeks: float) -> tuple[str, str]:
        rng = self._random
        if what == "negative":
            issue = (
                "app" if site == "appstore" else rng.choice(("quality", "service", "refund", "logistics", "quality"))
            )
            return self._compose(T.NEGATIVE[issue], brand), issue
        if what == "suggestion" and brand == T.BRAND and weeks > 3 and rng.random() < 0.75:
            return self._compose(T.RISING_SUGGESTION, brand, "恒温水壶"), ""
        if what == "question" and brand == T.BRAND and rng.random() < 0.12 * weeks:
            return self._fill(rng.choice(T.REPEATED_QUESTION), brand) + rng.choice(("", "?", ",谢谢", ",急")), ""
        if what == "ad":
            return self._fill(rng.choice(T.AD), brand), ""
        parts = {"positive": T.POSITIVE, "neutral": T.NEUTRAL, "question": T.QUESTION, "suggestion": T.SUGGESTION}[what]
        return self._compose(parts, brand), ""

    def _headline(self, text: str, site: str) -> str:
        if site == "weibo":
            return ""
        cut = min((text.find(mark) for mark in ",。" if mark in text), default=20)
        return text[: max(6, min(cut, 24))]

    def _tell_crisis(self) -> None:
        """Ramps to its height in five hours, halves every fourteen after that; some neutral talk and news come with it."""
        rng = self._random
        minute = CRISIS_AT
        while minute < END:
            hours = (minute - CRISIS_AT).total_seconds() / 3600
            rate = 75.0 * (hours / 5 if hours < 5 else math.pow(0.5, (hours - 5) / 14))
            rate *= 0.35 + 0.65 * HOURS[minute.astimezone(SHANGHAI).hour] / 8
            for _ in range(10):
                if rng.random() < rate / 60 / 2:
                    self._tell_alarm(minute + timedelta(seconds=rng.randrange(300)))
            minute += timedelta(minutes=5)
        for hours, (title, text) in zip((2.5, 4.0, 6.5, 20.0), T.CRISIS_NEWS, strict=True):
            at = CRISIS_AT + timedelta(hours=hours)
            self._add("news", at, T.BRAND, "crisis", self._fill(title, T.BRAND), self._fill(text, T.BRAND))

    def _tell_alarm(self, at: datetime) -> None:
        rng = self._random
        site = rng.choices(("weibo", "xhs", "forum", "heimao", "appstore"), (0.34, 0.18, 0.34, 0.12, 0.02))[0]
        if rng.random() < 0.15 and site != "heimao":
            text = self._fill("刚看到{brand}恒温水壶起火的消息,有人知道是哪个批次吗", T.BRAND)
            self._add(
                site, at, T.BRAND, "question", self._headline(text, site), text + rng.choice(("", "?", ",坐等回应"))
            )
            return
        text = self._compose(T.CRISIS, T.BRAND, "恒温水壶")
        if site == "weibo" and rng.random() < 0.15:
            text = T.REPOST.format(text=text)
        self._add(site, at, T.BRAND, "crisis", self._headline(text, site), text, "crisis", 1)

    def _tell_copies(self) -> None:
        """Two bursts of word-for-word copies within half an hour."""
        for day, brand in ((9, T.BRAND), (23, T.RIVAL)):
            text = self._fill(T.COPIED, brand)
            start = START + timedelta(days=day, hours=12)
            for number in range(24):
                self._add("weibo", start + timedelta(seconds=70 * number), brand, "ad", "", text)

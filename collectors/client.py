"""The only HTTP of collecting: polite (robots.txt, pace with jitter, conditional requests), bounded (size, time, redirects, retries)."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import httpx

from collectors import robots
from collectors.base import Page, Request
from collectors.robots import Memory
from tingfeng import __version__
from tingfeng.clock import Clock
from tingfeng.labels import Outcome

HOME = "https://github.com/tingfeng-dev/tingfeng"
TRIES = 3
MOST_REDIRECTS = 5
ROBOTS_BYTES = 500_000
WALLS = ("passport", "login", "signin", "account")
CAPTCHA = (
    b"geetest",
    "验证码".encode(),
    "验证码".encode("gb18030"),
    b"sec-captcha",
    b"captcha-verify",
    b"slider-verify",
)
SMALL_PAGE = 60_000  # a captcha page is short; a long page that talks about 验证码 is not one


@dataclass(frozen=True)
class Refusal:
    """Why there is no page."""

    outcome: Outcome
    detail: str


def user_agent(contact: str = "") -> str:
    """Names the project and how to reach the operator."""
    return f"Mozilla/5.0 (compatible; tingfeng/{__version__}; +{contact or HOME})"


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes, share of the pace."""

    timeout_seconds: float = 20.0
    max_bytes: int = 5_000_000
    jitter: float = 0.3


class PoliteClient:
    """Fetches one request at a time; the clock's sleep keeps the pace of each host."""

    def __init__(
        self, http: httpx.Client, clock: Clock, memory: Memory, limits: Limits | None = None, contact: str = ""
    ) -> None:
        self._http, self._clock, self._memory = http, clock, memory
        self._limits = limits or Limits()
        self._agent = user_agent(contact)
        self._last: dict[str, datetime] = {}
        self._random = random.Random()

    def fetch(self, request: Request, pace_seconds: float) -> Page | Refusal:
        """The page, or why not. Refusals of the site (403, captcha, login) are final; nothing is tried around them."""
        url = request.url
        headers = {
            "User-Agent": self._agent,
            "Accept-Language": "zh-CN,zh;q=0.9",
            **request.headers,
            **self._validators(request),
        }
        for _ in range(MOST_REDIRECTS + 1):
            verdict = self._ask_robots(url)
            if not verdict.allowed:
                return Refusal(Outcome.UNREACHABLE if verdict.silent else Outcome.BLOCKED, verdict.reason)
            self._wait(url, max(pace_seconds, verdict.delay))
            answer = self._send(request, url, headers)
            if isinstance(answer, Refusal):
                return answer
            status, found, body = answer
            if status not in (301, 302, 303, 307, 308):
                return self._read(request, status, found, body)
            target = urljoin(url, found.get("location", ""))
            if any(word in target.lower() for word in WALLS):
                return Refusal(Outcome.LOGIN_REQUIRED, f"被转到登录页 {urlsplit(target).netloc}")
            if not same_site(url, target):
                return Refusal(Outcome.BLOCKED, f"被转到别的网站 {urlsplit(target).netloc},没有跟过去")
            url = target
        return Refusal(Outcome.BLOCKED, f"转来转去超过 {MOST_REDIRECTS} 次")

    def remember(self, page: Page) -> None:
        """Keeps the validators of a page whose posts are stored; before that a 304 would lose them."""
        values = {name: page.headers[name] for name in ("etag", "last-modified") if page.headers.get(name)}
        if page.request.conditional and page.status == 200 and values:
            self._memory.set_value("validator", page.request.url, json.dumps(values), self._clock.now())

    def _validators(self, request: Request) -> dict[str, str]:
        kept = self._memory.get_value("validator", request.url) if request.conditional else None
        if not kept:
            return {}
        values = json.loads(kept)
        names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        return {names[name]: value for name, value in values.items()}

    def _ask_robots(self, url: str) -> robots.Verdict:
        now = self._clock.now()
        known = robots.recall(self._memory, url, now)
        if known is None:
            answer = self._send(
                Request(robots.origin_of(url) + "/robots.txt"),
                robots.origin_of(url) + "/robots.txt",
                {"User-Agent": self._agent},
            )
            known = (
                (0, "")
                if isinstance(answer, Refusal)
                else (answer[0], answer[2][:ROBOTS_BYTES].decode("utf-8", "replace"))
            )
            robots.keep(self._memory, url, known[0], known[1], now)
        return robots.judge(known[0], known[1], url)

    def _wait(self, url: str, pace: float) -> None:
        host = urlsplit(url).netloc
        last = self._last.get(host)
        if last is not None:
            due = pace * (1 + self._random.uniform(-self._limits.jitter, self._limits.jitter))
            rest = due - (self._clock.now() - last).total_seconds()
            if rest > 0:
                self._clock.sleep(rest)
        self._last[host] = self._clock.now()

    def _send(self, request: Request, url: str, headers: dict[str, str]) -> tuple[int, httpx.Headers, bytes] | Refusal:
        """Sends, retrying what may pass: time-outs, broken connections, 5xx."""
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                self._clock.sleep(2.0**attempt * self._random.uniform(0.8, 1.2))
            try:
                answer = self._stream(request, url, headers)
            except (httpx.TimeoutException, httpx.TransportError) as error:
                reason = f"连不上({type(error).__name__})"
                continue
            except (httpx.InvalidURL, httpx.DecodingError, ValueError) as error:
                return Refusal(Outcome.SCHEMA_CHANGED, f"响应读不了({type(error).__name__})")
            if isinstance(answer, Refusal) or answer[0] < 500:
                return answer
            reason = f"网站出错({answer[0]})"
        return Refusal(Outcome.UNREACHABLE, f"{reason},试了 {TRIES} 次")

    def _stream(
        self, request: Request, url: str, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, bytes] | Refusal:
        content = request.body or None
        with self._http.stream(
            request.method,
            url,
            headers=headers,
            content=content,
            timeout=self._limits.timeout_seconds,
            follow_redirects=False,
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes(65536):
                body += chunk
                if len(body) > self._limits.max_bytes:
                    return Refusal(Outcome.SCHEMA_CHANGED, f"响应超过 {self._limits.max_bytes} 字节,已中止")
            return response.status_code, response.headers, bytes(body)

    def _read(self, request: Request, status: int, headers: httpx.Headers, body: bytes) -> Page | Refusal:
        if status == 401:
            return Refusal(Outcome.LOGIN_REQUIRED, "网站要求登录(401)")
        if status == 429:
            return Refusal(
                Outcome.RATE_LIMITED,
                f"请求太快(429){f',{wait} 秒后再来' if (wait := headers.get('retry-after')) else ''}",
            )
        if status in (404, 410):
            return Refusal(Outcome.GONE, f"页面不存在({status})")
        if status >= 400:
            return Refusal(Outcome.BLOCKED, f"网站拒绝({status})")
        if len(body) < SMALL_PAGE and b"<html" in body[:2000].lower() and any(mark in body for mark in CAPTCHA):
            return Refusal(Outcome.BLOCKED, "出现验证码,已停止")
        return Page(request, status, body, {name.lower(): value for name, value in headers.items()}, self._clock.now())


def same_site(url: str, target: str) -> bool:
    """The same host, or hosts that share their last two labels (three under .com.cn and the like)."""
    here, there = urlsplit(url).hostname or "", urlsplit(target).hostname or ""
    if urlsplit(target).scheme not in ("http", "https"):
        return False
    return here == there or (not here.replace(".", "").isdigit() and site_of(here) == site_of(there))


def site_of(host: str) -> str:
    """`tousu.sina.com.cn` → `sina.com.cn`."""
    labels = host.split(".")
    size = 3 if len(labels) > 2 and labels[-2] in ("com", "net", "org", "gov", "edu") and len(labels[-1]) == 2 else 2
    return ".".join(labels[-size:])

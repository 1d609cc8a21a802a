"""The channel contract, what all senders share, and the list of kinds."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import ModuleType
from typing import Protocol

import httpx

from tingfeng.errors import SettingsError
from tingfeng.labels import Level

RETRY_DELAYS_SECONDS = (0, 10, 60, 300, 1800, 7200)
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Message:
    """What to say. All text is untrusted: `lines` quote posts. `episode` names the alert, `key` this very message."""

    title: str
    lines: tuple[str, ...]
    link: str
    level: Level
    episode: str
    edge: str
    key: str


@dataclass(frozen=True)
class Delivery:
    """`outcome`: delivered, retry, failed. `code` is the provider's own; `detail` never holds an address or a secret."""

    outcome: str
    code: str = ""
    detail: str = ""
    retry_after_seconds: float | None = None


@dataclass(frozen=True)
class ChannelOptions:
    """From settings and environment. `url` is a secret for chat robots."""

    name: str
    kind: str
    url: str = ""
    secret: str = ""
    password: str = ""
    recipients: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """Sends one message once."""

    def send(self, message: Message, now: datetime) -> Delivery:
        """Never raises for what the other side does."""
        ...


@lru_cache(maxsize=1)
def list_kinds() -> dict[str, ModuleType]:
    """Module by kind."""
    import alerts.channels

    modules = [
        importlib.import_module(f"alerts.channels.{entry.name}")
        for entry in pkgutil.iter_modules(alerts.channels.__path__)
    ]
    return {module.KIND: module for module in modules if hasattr(module, "KIND")}


def build_channel(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError when the channel lacks what it needs."""
    channel: Channel = list_kinds()[options.kind].build(options, http)
    return channel


def need(value: str, options: ChannelOptions, part: str) -> str:
    """Raises SettingsError naming the variable that is missing."""
    if value:
        return value
    variable = f"TINGFENG_CHANNEL_{options.name.upper().replace('-', '_')}_{part}"
    raise SettingsError(
        f"渠道 {options.name} 缺 {part.lower()}", where="channels", hint=f"请设环境变量 {variable}(或 {variable}_FILE)"
    )


def post_json(
    http: httpx.Client, url: str, body: object, headers: Mapping[str, str] | None = None
) -> httpx.Response | Delivery:
    """One POST without redirects; what went wrong on the way is a Delivery that names no address."""
    try:
        return http.post(url, json=body, headers=dict(headers or {}), timeout=TIMEOUT_SECONDS, follow_redirects=False)
    except httpx.InvalidURL:
        return Delivery("failed", "url", "地址写错了")
    except httpx.HTTPError as error:
        return Delivery("retry", type(error).__name__, "连不上")


def judge_status(response: httpx.Response) -> Delivery | None:
    """What the HTTP status alone decides; None when the body must be read."""
    status = response.status_code
    if status == 429:
        return Delivery("retry", "429", "发得太快", read_retry_after(response))
    if status >= 500:
        return Delivery("retry", str(status), "对方服务出错")
    if 300 <= status < 400:
        return Delivery("failed", str(status), "地址被转走,没有跟过去")
    return None


def read_retry_after(response: httpx.Response) -> float | None:
    """Seconds, at most an hour."""
    value = response.headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isdigit() else None


def read_code(response: httpx.Response, *names: str) -> tuple[int | None, str]:
    """(code, message) out of a JSON answer; (None, '') when it is none."""
    try:
        values = response.json()
    except ValueError:
        return None, ""
    if not isinstance(values, dict):
        return None, ""
    code = next((values[name] for name in names if isinstance(values.get(name), int)), None)
    return code, str(values.get("errmsg") or values.get("msg") or "")[:100]


def judge_code(code: int | None, words: Mapping[int, tuple[str, str]], message: str) -> Delivery:
    """0 is delivered; a known code has its outcome and its words; an unknown one is a permanent failure with what was said."""
    if code == 0:
        return Delivery("delivered", "0")
    if code is None:
        return Delivery("retry", "", "回答读不懂")
    outcome, detail = words.get(code, ("failed", f"对方返回 {code} {message}"))
    return Delivery(outcome, str(code), detail)


def next_delay(attempts: int, delivery: Delivery) -> float | None:
    """Seconds until the next try after so many; None when it is time to give up."""
    if attempts >= len(RETRY_DELAYS_SECONDS):
        return None
    if delivery.retry_after_seconds is not None:
        return delivery.retry_after_seconds
    return RETRY_DELAYS_SECONDS[attempts] * random.uniform(0.8, 1.2)


def describe_channels() -> str:
    """docs/channels.md."""
    rows = "".join(
        f"| `{kind}` | {module.TITLE_ZH} | {module.NEEDS_ZH} | {module.LIMIT_ZH} |\n"
        for kind, module in sorted(list_kinds().items())
    )
    delays = "、".join(f"{s} 秒" for s in RETRY_DELAYS_SECONDS)
    return (
        "# 通知渠道\n\n由 `make docs` 从 `alerts/channels/` 生成。"
        "密钥放环境变量 `TINGFENG_CHANNEL_<名>_URL|SECRET|PASSWORD`,或同名加 `_FILE` 的文件。\n\n"
        f"| kind | 名称 | 需要 | 限制与判断 |\n|---|---|---|---|\n{rows}\n"
        f"每个机器人每分钟最多 18 条(几个进程合计)。失败后重试:{delays}(各有 ±20% 抖动),之后记为失败。\n"
    )


def send_robot(http: httpx.Client, url: str, payload: dict[str, object], codes: Mapping[int, tuple[str, str]], *fields: str) -> Delivery:
    """Posts to a chat robot and reads its word: a code it documents, else the HTTP status, else whatever code it gave in `fields`."""
    answer = post_json(http, url, payload)
    if isinstance(answer, Delivery):
        return answer
    code, words = read_code(answer, *fields)
    if code in codes and answer.status_code != 429:
        return judge_code(code, codes, words)
    return judge_status(answer) or judge_code(code, codes, words)

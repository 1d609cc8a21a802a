"""Slack incoming webhook. https://api.slack.com/messaging/webhooks"""

from __future__ import annotations

from datetime import datetime

import httpx

from alerts.channels.base import Channel, ChannelOptions, Delivery, Message, judge_status, need, post_json
from alerts.channels.wording import cut_bytes, escape_slack

KIND, TITLE_ZH = "slack", "Slack"
NEEDS_ZH = "URL(Incoming Webhook)"
LIMIT_ZH = "正文 3,000 字节;HTTP 200 且回答 ok 才算送到;429 按 Retry-After"
MOST_BYTES = 2900


class Slack:
    """Built by build()."""

    def __init__(self, options: ChannelOptions, http: httpx.Client) -> None:
        self._options, self._http = options, http

    def send(self, message: Message, now: datetime) -> Delivery:
        body = cut_bytes("\n".join(escape_slack(line) for line in message.lines) or "-", MOST_BYTES)
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": message.title[:150]}},
            {"type": "section", "text": {"type": "mrkdwn", "text": body}},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"<{message.link}|查看详情>"}},
        ]
        answer = post_json(self._http, self._options.url, {"text": escape_slack(message.title), "blocks": blocks})
        if isinstance(answer, Delivery):
            return answer
        decided = judge_status(answer)
        if decided:
            return decided
        said = answer.text.strip()[:80]
        if answer.status_code == 200 and said == "ok":
            return Delivery("delivered", "ok")
        return Delivery("failed", str(answer.status_code), f"Slack 回答 {said}")


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError without an address."""
    need(options.url, options, "URL")
    return Slack(options, http)

"""Whether there is Chinese text to judge at all."""

from __future__ import annotations

import re

from tingfeng.labels import Content
from tingfeng.text import HAN, join_title, normalise

TAG = re.compile(r"<[^<>]{1,200}>")
PLACEHOLDER = re.compile(r"\[[^\[\]\s]{1,8}\]")
HAN_ONE = re.compile(f"[{HAN}]")
KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
LETTER = re.compile(r"[^\W\d_]")
SPAM = re.compile(
    r"刷单|兼职日结|日赚\d|棋牌|博彩|彩票计划|六合彩|裸聊|代开发票|办证|贷款秒批|无抵押|信用卡套现|成人视频|约炮|私彩|跑分"
)
CONTACT = re.compile(r"加(?:v|vx|微|微信|qq|扣)|电报|telegram|t\.me|\[账号\]")


def judge_content(title: str, text: str) -> Content:
    """no_text: nothing but emoji, tags or punctuation; other_language: letters but hardly any Han; spam: what sells nothing we watch."""
    plain = PLACEHOLDER.sub(" ", normalise(TAG.sub(" ", join_title(title, text))))
    letters = len(LETTER.findall(plain))
    if not letters:
        return Content.NO_TEXT
    han = len(HAN_ONE.findall(plain))
    if len(KANA_HANGUL.findall(plain)) > han or han * 10 < letters:
        return Content.OTHER_LANGUAGE
    if SPAM.search(plain) and CONTACT.search(normalise(text)):
        return Content.SPAM
    return Content.OK

"""jieba words for statistics only: search and matching use characters (tingfeng/text.py)."""

from __future__ import annotations

import logging
import warnings
from functools import lru_cache
from types import ModuleType

from tingfeng.text import WORDLIKE, normalise

MOST = 60
PLACEHOLDERS = frozenset({"手机号", "邮箱", "身份证", "银行卡", "编号", "地址", "车牌", "账号"})


@lru_cache(maxsize=1)
def load_jieba() -> ModuleType:
    """jieba with its dictionary read; it reports its loading as debug and imports pkg_resources with a warning of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    return jieba  # type: ignore[no-any-return]


def split_words(text: str, stopwords: frozenset[str]) -> tuple[str, ...]:
    """Distinct words of two or more characters, stop words out, in order, at most 60."""
    words: dict[str, None] = {}
    for word in load_jieba().lcut(normalise(text)):
        if (
            len(word) > 1
            and WORDLIKE.match(word)
            and word not in stopwords
            and word not in PLACEHOLDERS
            and not word.isdigit()
        ):
            words[word] = None
    return tuple(words)[:MOST]

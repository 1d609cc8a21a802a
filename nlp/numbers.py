"""Numbers as people write them in Chinese: 三十五, 两百多, 十几, 1.2万, 半, 俩."""

from __future__ import annotations

import re

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "仨": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
# `十几` and `几十` keep their lower bound; `几` and `好几` alone say no number
NUMBER = r"(?:\d{1,12}(?:[.,]\d{1,6}){0,3}[万千百kw亿]?|[零〇一二两俩三仨四五六七八九十百千万亿]{1,12}几?|几[十百千万]{1,3})"
ARABIC = re.compile(r"(\d+(?:[.,]\d+)*)([万千百kw亿]?)")
SCALE = {"": 1, "百": 100, "千": 1000, "k": 1000, "万": 10_000, "w": 10_000, "亿": 100_000_000}
NEIGHBOURS = re.compile(r"([一二三四五六七八九])([一二三四五六七八九])(?=[十百千万]|$)")


def read_number(words: str) -> float | None:
    """The number, of a range (`七八`, `三四十`) the lower end; None when it names none."""
    if found := ARABIC.fullmatch(words):
        digits = found.group(1)
        digits = digits.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits) else digits
        return float(digits) * SCALE[found.group(2)] if re.fullmatch(r"\d+(?:\.\d+)?", digits) else None
    if re.fullmatch(r"[零〇一二三四五六七八九]{3,}", words):
        return float("".join(str(DIGITS[digit]) for digit in words))
    words = NEIGHBOURS.sub(lambda found: found.group(1), words.replace("几十", "十").replace("几百", "百").rstrip("几"))
    words = words.replace("几千", "千").replace("几万", "万")
    return read_chinese(words) if words else None


def read_chinese(words: str) -> float | None:
    """`一千二百零五`, `两万`, `一万二`, `三百五`."""
    total = section = 0
    digit: int | None = None
    last_unit = 1
    for character in words:
        if character in DIGITS:
            digit = DIGITS[character]
            if digit == 0:
                last_unit = 1
        elif character in ("万", "亿"):
            total = (total + section + (digit or 0) or 1) * UNITS[character]
            section, digit, last_unit = 0, None, UNITS[character]
        elif character in UNITS:
            section += (1 if digit is None else digit) * UNITS[character]
            digit, last_unit = None, UNITS[character]
        else:
            return None
    # `三百五` is 350, `一万二` 12,000
    tail = (digit or 0) * (last_unit // 10 if last_unit >= 100 else 1)
    return float(total + section + tail)

"""Sums of money in a text, in yuan: 1299元, 三千块, ￥99, 1.2万."""

from __future__ import annotations

import re

from nlp.numbers import NUMBER, read_number
from nlp.reading import Reading

UNIT = r"(?:元|块钱|块|圆|人民币|rmb|大洋|软妹币|米(?=买|的价))"
AMOUNT = re.compile(
        rf"[¥￥$]\s?(?P<mark>\d+(?:[.,]\d+)*[万千kw]?)|(?P<number>{NUMBER})(?:多|来|余|把|"
        rf"好几)?(?P<scale>万)?(?:多)?{UNIT}(?P<tail>[一二两三四五六七八九](?![十百千万]))?"

    r"|(?P<bare>(?:\d+(?:\.\d+)?|[一二两三四五六七八九十]+)(?:多)?万)(?=块|元|买|的?(?:车|手机|押金|学费|装修|定金|货款))"
)
CURRENCY = re.compile(r"[¥￥元块圆万]|rmb|人民币|大洋")


def find_amounts(reading: Reading) -> tuple[float, ...]:
    """Distinct sums in order of appearance."""
    if not CURRENCY.search(reading.plain):
        return ()
    found: dict[float, None] = {}
    for match in AMOUNT.finditer(reading.plain):
        number = read_number((match.group("mark") or match.group("number") or match.group("bare") or "").replace("多", ""))
        if number is None:
            continue
        number *= 10_000 if match.group("scale") else 1
        if number < 10 and match.group().endswith("块"):
            continue  # a piece of something
        found[number] = None
    return tuple(found)

"""The query language: one parser, one tree (query_tree.py), one matcher (query_match.py). Grammar: README of the command `search`.

Raises QuerySyntaxError with the position of the mistake, what was expected, and the nearest right form.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tingfeng.clock import SHANGHAI, parse_iso
from tingfeng.errors import QuerySyntaxError
from tingfeng.labels import Act, Label, PostKind, Sentiment, Severity, Stage, Topic
from tingfeng.query_lexer import Token, split_tokens
from tingfeng.query_pattern import compile_pattern
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Pattern, Term, TimeIs
from tingfeng.text import BOUNDARY, normalise, split_units

MAX_CHARACTERS, MAX_CLAUSES, MAX_DEPTH = 4000, 200, 40
CLOSED: dict[str, type[Label]] = {
    "kind": PostKind, "sentiment": Sentiment, "act": Act, "topic": Topic, "severity": Severity, "stage": Stage,
}  # fmt: skip
EXACT = ("source", "author_type", "region", "subject", "owned")
NUMBERS = ("rating", "likes", "comments", "reposts", "views")
TIMES = ("since", "until")
FIELDS = ("title", *CLOSED, *EXACT, *NUMBERS, *TIMES)
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character breaks RE2's encoder
NUMBER = re.compile(r"(<=|>=|<|>|=)?(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Query:
    """A parsed query: what was written and its tree."""

    text: str
    root: Node


def parse_query(text: str, *, search: bool = False) -> Query:
    """Parses; `search` refuses what only monitoring may use (regular expressions). Raises QuerySyntaxError."""
    if len(text) > MAX_CHARACTERS:
        raise QuerySyntaxError(f"查询超过 {MAX_CHARACTERS} 个字符", position=MAX_CHARACTERS, hint="请拆成几个监测对象")
    parser = Parser(split_tokens(SURROGATE.sub("\ufffd", text)), len(text), search)
    root = parser.read_all()
    if only_excludes(root):
        raise QuerySyntaxError("只有排除条件", position=0, hint="请加上要找的词,例如 退款 NOT 广告")
    return Query(text, root)


def only_excludes(node: Node) -> bool:
    """True when the node says only what must not be: such a query would mean nearly everything."""
    if isinstance(node, Not):
        return True
    if isinstance(node, And):
        return all(only_excludes(child) for child in node.nodes)
    return isinstance(node, Or) and any(only_excludes(child) for child in node.nodes)


class Parser:
    """Recursive descent over the tokens; NOT binds first, then AND, then OR."""

    def __init__(self, tokens: list[Token], length: int, search: bool) -> None:
        self._tokens, self._length, self._search = tokens, length, search
        self._at, self._clauses, self._depth = 0, 0, 0

    def read_all(self) -> Node:
        if not self._tokens:
            raise QuerySyntaxError("查询是空的", position=0, hint="请写至少一个词")
        root = self._read_or()
        token = self._peek()
        if token is not None:
            raise QuerySyntaxError(f"多出来的 {token.text}", position=token.position, hint="括号要成对")
        return root

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _expect(self, kind: str, words: str) -> Token:
        token = self._peek()
        if token is None or token.kind != kind:
            raise QuerySyntaxError(f"这里应该是{words}", position=token.position if token else self._length, hint="")
        return self._take()

    def _read_or(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QuerySyntaxError(f"括号嵌套超过 {MAX_DEPTH} 层", position=self._position(), hint="请简化")
        nodes = [self._read_and()]
        while (token := self._peek()) and token.kind == "or":
            self._take()
            nodes.append(self._read_and())
        self._depth -= 1
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _read_and(self) -> Node:
        nodes = [self._read_not()]
        while (token := self._peek()) and token.kind not in ("or", "close"):
            if token.kind == "and":
                self._take()
            nodes.append(self._read_not())
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def _read_not(self) -> Node:
        flips = 0
        while (token := self._peek()) and token.kind == "not":
            self._take()
            flips += 1
        node = self._read_one()
        return Not(node) if flips % 2 else node

    def _read_one(self) -> Node:
        token = self._peek()
        if token is None:
            raise QuerySyntaxError("这里缺一个词", position=self._length, hint="AND、OR、NOT 后面要跟词")
        self._count(token)
        self._take()
        if token.kind == "open":
            node = self._read_or()
            self._expect("close", "右括号 )")
            return node
        if token.kind in ("word", "phrase"):
            return make_term(token)
        if token.kind == "near":
            return self._read_near(token)
        if token.kind == "field":
            return self._read_field(token)
        if token.kind == "regex":
            return self._read_regex(token)
        raise QuerySyntaxError(f"{token.text} 前面缺一个词", position=token.position, hint="AND、OR 两边都要有词")

    def _count(self, token: Token) -> None:
        self._clauses += 1
        if self._clauses > MAX_CLAUSES:
            raise QuerySyntaxError(f"超过 {MAX_CLAUSES} 个条件", position=token.position, hint="请拆成几个查询")

    def _read_near(self, token: Token) -> Near:
        distance = int(token.text)
        if not 0 <= distance <= 500:
            raise QuerySyntaxError(
                "NEAR 的距离要在 0 到 500 之间", position=token.position, hint="例如 NEAR/20(客服 退款)"
            )
        self._expect("open", "左括号,例如 NEAR/20(客服 退款)")
        left, right = self._read_side(), self._read_side()
        self._expect("close", "右括号:NEAR 里正好两项")
        return Near(distance, left, right)

    def _read_side(self) -> tuple[Term, ...]:
        token = self._peek()
        if token and token.kind == "open":
            self._take()
            terms = [self._read_term()]
            while (found := self._peek()) and found.kind == "or":
                self._take()
                terms.append(self._read_term())
            self._expect("close", "右括号 )")
            return tuple(terms)
        return (self._read_term(),)

    def _read_term(self) -> Term:
        token = self._peek()
        if token is None or token.kind not in ("word", "phrase"):
            raise QuerySyntaxError(
                "NEAR 里只能写词、短语或 (甲 OR 乙)",
                position=self._position(),
                hint="例如 NEAR/20(客服 (退款 OR 退钱))",
            )
        self._count(token)
        return make_term(self._take())

    def _position(self) -> int:
        token = self._peek()
        return token.position if token else self._length

    def _read_regex(self, token: Token) -> Pattern:
        if self._search:
            raise QuerySyntaxError(
                "搜索里不能用正则表达式,它要读遍所有帖子",
                position=token.position,
                hint="请改用词、短语或 NEAR;监测对象里可以用",
            )
        try:
            compile_pattern(token.text)
        except ValueError as error:
            raise QuerySyntaxError(
                f"正则表达式有误({error})", position=token.position, hint="不支持反向引用与环视"
            ) from error
        return Pattern(token.text)

    def _read_field(self, token: Token) -> Node:
        name = token.text
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"是不是 {near[0]}: ?" if near else f"可以用 {'、'.join(FIELDS)}"
            raise QuerySyntaxError(f"没有 {name} 这个字段", position=token.position, hint=hint)
        values = self._read_values(name)
        if name == "title":
            terms = [Term(term.units, term.prefix, True) for term in map(make_term, values)]
            return terms[0] if len(terms) == 1 else Or(tuple(terms))
        if name in NUMBERS:
            return read_number(name, values[0])
        if name in TIMES:
            return TimeIs(name, read_time(name, values[0]))
        return FieldIs(name, tuple(read_value(name, value) for value in values))

    def _read_values(self, name: str) -> list[Token]:
        token = self._peek()
        if token and token.kind == "open" and name not in (*NUMBERS, *TIMES):
            self._take()
            values = [self._expect_value(name)]
            while (found := self._peek()) and found.kind == "or":
                self._take()
                values.append(self._expect_value(name))
            self._expect("close", "右括号 )")
            return values
        return [self._expect_value(name)]

    def _expect_value(self, name: str) -> Token:
        token = self._peek()
        if token is None or token.kind not in ("word", "phrase"):
            raise QuerySyntaxError(f"{name}: 后面缺值", position=self._position(), hint=f"例如 {name}:…")
        self._count(token)
        return self._take()


def make_term(token: Token) -> Term:
    """A word or phrase as units. A `*` at the end of a Latin word makes it a prefix."""
    text = token.text
    prefix = token.kind == "word" and text.endswith("*")
    if token.kind == "word" and "*" in text.rstrip("*"):
        raise QuerySyntaxError("* 只能写在词尾", position=token.position, hint="例如 refund*;要找星号请加引号")
    if token.kind == "word" and "|" in text:
        raise QuerySyntaxError("| 不是运算符", position=token.position, hint="“或者”写 OR,例如 退款 OR 退货")
    units = split_units(normalise(text.rstrip("*") if prefix else text))
    while units and units[0] == BOUNDARY:
        units.pop(0)
    while units and units[-1] == BOUNDARY:
        units.pop()
    if not units:
        raise QuerySyntaxError(
            f"{text or '空短语'} 里没有可以查的字", position=token.position, hint="标点与表情不参与匹配"
        )
    return Term(tuple(units), prefix and units[-1].isascii())


def read_number(name: str, token: Token) -> NumberIs:
    """`<=2`, `>1000`, `5`."""
    found = NUMBER.fullmatch(token.text)
    if found is None:
        raise QuerySyntaxError(f"{name}: 后面要写数字", position=token.position, hint=f"例如 {name}:>=3")
    return NumberIs(name, found.group(1) or "=", float(found.group(2)))


def read_time(name: str, token: Token) -> datetime:
    """A day of Asia/Shanghai or an instant; `until:` a day includes that day."""
    try:
        at = parse_iso(token.text)
        if name == "until" and "T" not in token.text.upper() and ":" not in token.text:
            return (at.astimezone(SHANGHAI) + timedelta(days=1)).astimezone(at.tzinfo)
    except (ValueError, OverflowError) as error:  # overflow: the first and last day of the calendar
        raise QuerySyntaxError(
            f"{name}: 后面要写日期", position=token.position, hint=f"例如 {name}:2026-11-01"
        ) from error
    return at


def read_value(name: str, token: Token) -> str:
    """An id of a closed set (its Chinese title is taken too), or the text as it is."""
    text = token.text
    if name == "owned":
        if text.lower() in ("true", "是", "1", "false", "否", "0"):
            return "true" if text.lower() in ("true", "是", "1") else "false"
        raise QuerySyntaxError("owned: 只能是 true 或 false", position=token.position, hint="owned:true 只看自有渠道")
    labels = CLOSED.get(name)
    if labels is None:
        return text
    by_word = {word: str(label) for label in labels for word in (str(label), label.title_zh)}
    if text.lower() in by_word:
        return by_word[text.lower()]
    near = difflib.get_close_matches(text, list(by_word), n=1)
    hint = f"是不是 {near[0]}?" if near else f"可以写 {'、'.join(labels)}"
    raise QuerySyntaxError(f"{name} 没有 {text} 这个值", position=token.position, hint=hint)

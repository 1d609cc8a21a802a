"""Splits a query into tokens with positions. Full-width brackets, quotes and colons count as their ASCII forms."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tingfeng.errors import QuerySyntaxError

SAME = str.maketrans("（）：“”＂　＜＞＝－＊", '():""" <>=-*')
NEAR = re.compile(r"NEAR/(\d{1,6})(?=\s*\()", re.IGNORECASE)
FIELD = re.compile(r"([a-z_]{2,20}):", re.IGNORECASE)
WORD = re.compile(r"[^\s()\"]+")
REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/(?=[\s)]|$)")
OPERATORS = {"AND": "and", "且": "and", "OR": "or", "或": "or", "NOT": "not", "非": "not"}


@dataclass(frozen=True)
class Token:
    """kind: word, phrase, near (text = distance), field (text = name), regex, open, close, and, or, not."""

    kind: str
    text: str
    position: int


def split_tokens(text: str) -> list[Token]:
    """All tokens in order. Raises QuerySyntaxError for an unclosed quote."""
    plain = text.translate(SAME)
    tokens: list[Token] = []
    at = 0
    while at < len(plain):
        if plain[at].isspace():
            at += 1
            continue
        token, at = read_token(plain, at)
        tokens.append(token)
    return tokens


def read_token(plain: str, at: int) -> tuple[Token, int]:
    """The token at `at` and the position after it."""
    character = plain[at]
    if character in "()":
        return Token("open" if character == "(" else "close", character, at), at + 1
    if character == '"':
        end = plain.find('"', at + 1)
        if end < 0:
            raise QuerySyntaxError("引号没有闭合", position=at, hint='短语要写成 "小米 SU7"')
        return Token("phrase", plain[at + 1 : end], at), end + 1
    if character == "-" and at + 1 < len(plain) and not plain[at + 1].isspace():
        return Token("not", "-", at), at + 1
    if found := NEAR.match(plain, at):
        return Token("near", found.group(1), at), found.end()
    if found := REGEX.match(plain, at):
        return Token("regex", found.group(1), at), found.end()
    if found := FIELD.match(plain, at):
        return Token("field", found.group(1).lower(), at), found.end()
    word = WORD.match(plain, at)
    assert word is not None  # every other character was taken above
    kind = OPERATORS.get(word.group(), "word")
    return Token(kind, word.group(), at), word.end()

"""Bytes of a page to text: byte-order mark, header, declaration in the page, UTF-8, GB18030 – the first that fits."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
HEADER = re.compile(r"charset\s*=\s*[\"']?([\w\-]+)", re.IGNORECASE)
DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}charset\s*=\s*["']?|<\?xml[^>]{0,100}encoding\s*=\s*["'])([\w\-]+)""", re.IGNORECASE
)
GB = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "hz-gb-2312"})
MOST_BROKEN = 0.01  # a charset that leaves more than this share of replacement characters loses to the next


@dataclass(frozen=True)
class Decoded:
    """The text and the encoding that gave it."""

    text: str
    encoding: str


def decode_page(body: bytes, content_type: str = "") -> Decoded:
    """Never raises; what no charset reads cleanly is read as GB18030 with replacement characters."""
    for mark, encoding in MARKS:
        if body.startswith(mark):
            return Decoded(body.decode(encoding, "replace").lstrip("\ufeff"), encoding)
    names = []
    if found := HEADER.search(content_type):
        names.append(found.group(1))
    if declared := DECLARED.search(body[:4096]):
        names.append(declared.group(1).decode("ascii", "replace"))
    for name in [*names, "utf-8", "gb18030"]:
        encoding = "gb18030" if name.lower() in GB else name.lower()
        try:
            text = body.decode(encoding, "replace")
        except LookupError:
            continue
        if text.count("\ufffd") <= len(text) * MOST_BROKEN:
            return Decoded(text, encoding)
    return Decoded(body.decode("gb18030", "replace"), "gb18030")


def replace_halves(text: str) -> str:
    """A half of a surrogate pair is no character and cannot be stored: U+FFFD stands in its place, two halves are joined."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text

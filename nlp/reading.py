"""A text as the steps see it: normalised once, cut into clauses once, all cues found in one pass."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nlp.cues import CueBook, Hit
from tingfeng.text import HAN, normalise

# long texts are judged by their beginning and end, where the matter and the verdict stand
FIRST, LAST = 3000, 1000
MARK = re.compile(rf"[,。!?;:~()【】「」『』“”\"…|]+|\.{{2,}}|(?<=[{HAN}\d])\.(?=\s|$|[{HAN}])|(?<=[{HAN}\])]) (?=[{HAN}\[(])")
STOPS = frozenset("。!?;…~|")
REACH, LONG_REACH = 8, 12
NEGATED = re.compile(
    r"(?:谁说(?:的)?|没有|没啥|没什么|没|未(?!来)|无(?![比论限疑敌数])|不|(?<![特区级分个差告类识辨])别|勿|莫|甭|毫无|并非|不是|绝非|谈不上|称不上|算不上|说不上|难以|无法|拒绝|没人|无人|零(?![食件售]))"
    r"(?:太|很|怎么|咋|能|会|是|有|出现|发生|造成|存在|再|那么|这么|特别|什么|啥|一点儿?|半点|丝毫|任何|让人|让我|令人|觉得|感到|感觉|值得|想|敢|"
    r"给|被|出|见|到|过|得到|明显|丝|点|多|多么|像|网上|说的|想的|那样|想象(?:中)?|传(?:说|言)(?:中)?|十分|非常|算|够|导致|引起|引发|产生|可|用|必|要|曾|的|怎么样)*$"
)
DOUBLE = re.compile(r"(?:没有|没|不是|无|不得|不能|不会|不可能|没人|没理由|谁能)不(?:会|想|敢|能|是)?$")
NOT_NEGATING = re.compile(
    r"(?:不|没)(?:是|能|会|要|有)?(?:不|没)|(?:是|能|会|要|有|好|用|值|行)不(?:是|能|会|要|有|好|用|值|行)?$|"
    r"差不多$|没想到|不知道?|有没有"
)
SUPPOSED = re.compile(
    r"如果|要是|万一|假如|倘若|一旦|生怕|害怕|就怕|只怕|怕会|怕被|怕是|有点怕|担心|以免|避免|防止|免得|预防|杜绝|小心|谨防|严防|防$|(?<!会)不会"
)
MOCKED = re.compile(r"^(?:个屁|个鬼|才怪|个毛|个锤子|你个头|个头|个寂寞|了个寂寞)")
ASKED_BEFORE = re.compile(
    r"(?:会不会|是不是|有没有|要不要|能不能|可不可以|可以不|怕不怕|算不算|是否|会否|好不|多不|"
    r"容不容易)[^,]{0,6}$|求$|请(大家)?$"
)
ASKED_AFTER = re.compile(r"^[^了怎为啥什]{0,4}?(?:吗|么|嘛|不|没有?)$|^$")
WHY = re.compile(r"怎么|为什么|为啥|咋|什么|啥|如何")
PARTICLES = frozenset("吗么嘛不没有呀啊哦呢")
POLAR = re.compile(r"(?:吗|么|嘛|不|没|没有)[呀啊哦呢]?$")


@dataclass(frozen=True)
class Clause:
    """A stretch without a mark inside; `mark` is what follows it, `sentence` counts the sentences.

    `asks`: whether a question mark or a particle of asking ends it.
    """

    start: int
    end: int
    text: str
    mark: str
    sentence: int
    asks: bool


@dataclass(frozen=True)
class Reading:
    """`plain` is the normalised text; `clauses` cover it without the marks; `families` maps a family to its hits."""

    plain: str
    clauses: tuple[Clause, ...]
    families: Mapping[str, Sequence[Hit]] = field(default_factory=dict)
    # (start, end) → negated, denied, supposed, asked: several steps ask about the same words
    _states: dict[tuple[int, int], tuple[bool, bool, bool, bool]] = field(default_factory=dict, repr=False, compare=False)
    _by_clause: dict[str, dict[int, list[Hit]]] = field(default_factory=dict, repr=False, compare=False)
    sides: list[int] = field(default_factory=list, repr=False, compare=False)

    def hits(self, family: str) -> Sequence[Hit]:
        """Hits of a family in order of their ends."""
        return self.families.get(family, ())

    def in_clause(self, family: str, number: int) -> Sequence[Hit]:
        """Hits of a family in one clause."""
        by_clause = self._by_clause.get(family)
        if by_clause is None:
            by_clause = self._by_clause[family] = {}
            for hit in self.hits(family):
                by_clause.setdefault(hit.clause, []).append(hit)
        return by_clause.get(number, ())

    def has(self, family: str, name: str) -> bool:
        """Whether any cue of that group stands in the text."""
        return any(hit.name == name for hit in self.hits(family))

    def words(self, hit: Hit) -> str:
        """The characters of a hit."""
        return self.plain[hit.start : hit.end]

    def before(self, hit: Hit, reach: int = REACH) -> str:
        """What stands before it in its clause, at most `reach` characters."""
        return self.plain[max(self.clauses[hit.clause].start, hit.start - reach) : hit.start]

    def after(self, hit: Hit) -> str:
        """What stands after it in its clause."""
        return self.plain[hit.end : self.clauses[hit.clause].end]

    def negated(self, hit: Hit) -> bool:
        """`不好用`, `没有过敏`, `好用个屁`; not `没有不满意`, `好不好用`, `不仅好用`."""
        return self._state(hit)[0]

    def denied(self, hit: Hit) -> bool:
        """Negated by what stands before it."""
        return self._state(hit)[1]

    def supposed(self, hit: Hit) -> bool:
        """Feared, forbidden or imagined, not told: `万一起火`, `担心过敏`, `防漏电`."""
        return self._state(hit)[2]

    def asked(self, hit: Hit) -> bool:
        """Asked whether it is so: `会不会漏水`, `是正品吗`; not `漏水了怎么办`."""
        return self._state(hit)[3]

    def told(self, hit: Hit) -> bool:
        """Said as a fact: neither negated nor imagined nor asked."""
        negated, _, supposed, asked = self._state(hit)
        return not (negated or supposed or asked)

    def _state(self, hit: Hit) -> tuple[bool, bool, bool, bool]:
        """negated, denied, supposed, asked."""
        known = self._states.get((hit.start, hit.end))
        if known is None:
            clause = self.clauses[hit.clause]
            before = self.plain[max(clause.start, hit.start - LONG_REACH) : hit.start]
            after = self.plain[hit.end : clause.end]
            denied = is_denied(before[-REACH:])
            known = self._states[hit.start, hit.end] = (
                denied or (after != "" and MOCKED.search(after) is not None),
                denied,
                before != "" and SUPPOSED.search(before) is not None,
                is_asked(before, after, clause, self.plain[hit.end - 1]),
            )
        return known

    def only(self, numbers: frozenset[int]) -> Reading:
        """The same text with the hits of some clauses alone."""
        if len(numbers) == len(self.clauses):
            return self
        kept = {name: [hit for hit in hits if hit.clause in numbers] for name, hits in self.families.items()}
        return Reading(self.plain, self.clauses, kept, self._states)

    @cached_property
    def first_person(self) -> bool:
        """Whether somebody speaks of themselves."""
        return FIRST_PERSON.search(self.plain) is not None


FIRST_PERSON = re.compile(r"我|俺|咱|本人|楼主|偶|老子|劳资|自己|家里|老公|老婆|孩子|宝宝|我妈|亲测")


def is_denied(before: str) -> bool:
    """Whether these characters negate what follows them."""
    if not before or not NEGATED.search(before):
        return False
    return not (DOUBLE.search(before) or NOT_NEGATING.search(before))


def is_asked(before: str, after: str, clause: Clause, last: str) -> bool:
    """Whether words between `before` and `after`, ending with `last`, are asked about."""
    if before and ASKED_BEFORE.search(before):
        return True
    if not clause.asks or last == "了" or WHY.search(before):
        return False
    return ASKED_AFTER.search(after) is not None


def split_clauses(plain: str) -> tuple[Clause, ...]:
    """Clauses of a normalised text. White space beside Han ends one, as in posts without punctuation."""
    pieces: list[tuple[int, int, str, int]] = []
    at = sentence = 0
    for found in MARK.finditer(plain):
        start, end = found.span()
        mark = plain[start:end]
        if start > at and not plain[at:start].isspace():
            pieces.append((at, start, mark, sentence))
        elif pieces:
            first, last, before, number = pieces[-1]
            pieces[-1] = (first, last, before + mark, number)
        if not STOPS.isdisjoint(mark) or mark.startswith(".."):
            sentence += 1
        at = end
    if at < len(plain) and not plain[at:].isspace():
        pieces.append((at, len(plain), "", sentence))
    return tuple(make_clause(plain[start:end], start, end, mark, number) for start, end, mark, number in pieces)


def make_clause(text: str, start: int, end: int, mark: str, sentence: int) -> Clause:
    """A clause, and whether it asks."""
    asks = "?" in mark or (text[-1] in PARTICLES and POLAR.search(text) is not None and text[-1] not in "没不")
    return Clause(start, end, text, mark, sentence, asks)


def shorten(plain: str) -> str:
    """The beginning and the end of a very long text."""
    return plain if len(plain) <= FIRST + LAST else f"{plain[:FIRST]}\u3002{plain[-LAST:]}"


def read_text(text: str, book: CueBook) -> Reading:
    """Reads a text, title and all."""
    return read_plain(normalise(text), book)


def read_plain(plain: str, book: CueBook) -> Reading:
    """The same for a text that is normalised already."""
    plain = shorten(plain)
    clauses = split_clauses(plain)
    return Reading(plain, clauses, book.find(plain, [(clause.start, clause.end) for clause in clauses]))

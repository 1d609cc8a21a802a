"""`tingfeng judge`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from io import BufferedReader
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO

import click

from flows.console import print_json, print_note

if TYPE_CHECKING:
    from tingfeng.records import Post

READ_BYTES = 1 << 16


@click.command("judge")
@click.argument("file", default="-", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="一行一个对象(本命令总是这样打印)。")
def command(file: BinaryIO, as_json: bool) -> int:
    """判断文本,不存储。读 JSONL:id、text,可有 title、kind、subjects(名字列表,默认用配置里的)。

    \b
    例:echo '{"id":"1","text":"暖芽水壶漏电","subjects":["暖芽"]}' | tingfeng judge -
    判断:content、acts、每个对象的 sentiment 与 probabilities、aspects、severity、demands、effort、owner、stage、competitor_switch、
    amounts。没有可判断的中文时,判断不了的项目不会出现。
    """
    from flows.wiring import open_wiring
    from nlp.pipeline import Pipeline
    from nlp.sentiment import load_sentiment
    from nlp.subjects import SubjectMatcher
    from tingfeng.records import Subject
    from tingfeng.text import join_title

    failed = 0
    with open_wiring() as wiring:
        sentiment = load_sentiment(wiring.settings.nlp.model, wiring.settings.nlp.safety_from)
        configured = {subject.name: subject for subject in wiring.subjects}

        @lru_cache(maxsize=256)
        def pipeline_for(names: tuple[str, ...]) -> Pipeline:
            subjects = [configured.get(name, Subject(name)) for name in names]
            matcher = SubjectMatcher(subjects, wiring.relevance) if names else wiring.matcher
            return Pipeline(matcher, sentiment, wiring.lexicon, sentiment.heads)

        for batch in read_batches(file):
            wrong = [(number, values) for number, values in batch if isinstance(values, str)]
            for number, reason in wrong:
                print_note(f"第 {number} 行:{reason}")
            failed += len(wrong)
            posts = [(read_names(values), make_post(values, number)) for number, values in batch if isinstance(values, dict)]
            groups = [(pipeline_for(names), [post for _, post in group]) for names, group in groupby(posts, key=itemgetter(0))]
            # the model reads the whole batch at once and remembers it, though each line may ask for subjects of its own
            if sentiment.heads is not None:
                sentiment.heads.begin([text for pipeline, own in groups for text in pipeline.mark_texts(own)])
            else:
                sentiment.judge([join_title(post.title, post.text) for _, post in posts])
            for pipeline, own in groups:
                for answer in pipeline.judge_texts(own):
                    print_json(answer)
            sys.stdout.flush()
    return 1 if failed else 0


def read_names(values: dict[str, object]) -> tuple[str, ...]:
    """The subjects that a line asks for; none: the configured ones."""
    listed = values.get("subjects")
    return tuple(str(name) for name in listed) if isinstance(listed, list) else ()


def read_batches(file: BinaryIO) -> Iterator[list[tuple[int, dict[str, object] | str]]]:
    """Lines that have arrived, together: a pipe is answered line by line, a file by the hundred."""
    rest, first = b"", 1
    while arrived := file.read1(READ_BYTES) if isinstance(file, BufferedReader) else file.read(READ_BYTES):
        *lines, rest = (rest + arrived).split(b"\n")
        yield list(read_objects(lines, first))
        first += len(lines)
    yield list(read_objects([rest], first))


def read_objects(lines: Iterable[bytes], first: int) -> Iterator[tuple[int, dict[str, object] | str]]:
    """(line number, object or what is wrong with the line)."""
    for number, raw in enumerate(lines, first):
        line = raw.decode("utf-8", "replace").strip()
        if not line:
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"不是完整的 JSON({error})"
            continue
        if not isinstance(values, dict) or not isinstance(values.get("text"), str):
            yield number, "需要对象,并且有文字 text"
        else:
            yield number, values


def make_post(values: dict[str, object], number: int) -> Post:
    """A post that is never stored."""
    from tingfeng.labels import PostKind
    from tingfeng.records import Post

    kind = str(values.get("kind") or "original")
    return Post(
        source="judge",
        native_id=str(values.get("id", number)),
        kind=PostKind(kind) if kind in set(PostKind) else PostKind.ORIGINAL,
        text=str(values["text"]),
        title=str(values.get("title") or ""),
        first_seen_at=datetime.now(UTC),
    )

"""`tingfeng judge`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

import click

from flows.console import print_json, print_note

if TYPE_CHECKING:
    from tingfeng.records import Post


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

    failed = 0
    with open_wiring() as wiring:
        sentiment = load_sentiment(wiring.settings.nlp.model)
        pipelines: dict[tuple[str, ...], Pipeline] = {(): Pipeline(wiring.matcher, sentiment, wiring.lexicon)}
        configured = {subject.name: subject for subject in wiring.subjects}
        for number, values in read_objects(file):
            if isinstance(values, str):
                print_note(f"第 {number} 行:{values}")
                failed += 1
                continue
            listed = values.get("subjects")
            names = tuple(str(name) for name in listed) if isinstance(listed, list) else ()
            if names not in pipelines:
                pipelines[names] = Pipeline(
                    SubjectMatcher([configured.get(name, Subject(name)) for name in names], wiring.relevance),
                    sentiment,
                    wiring.lexicon,
                )
            print_json(pipelines[names].judge_text(make_post(values, number)))
            sys.stdout.flush()
    return 1 if failed else 0


def read_objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, object] | str]]:
    """(line number, object or what is wrong with the line)."""
    for number, raw in enumerate(file, 1):
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

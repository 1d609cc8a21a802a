"""`tingfeng query`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_line, print_table

if TYPE_CHECKING:
    from nlp.query_trial import Trial
    from store.posts import PostStore
    from tingfeng.records import Mention, Post

PAGE = 500


@click.group("query")
def command() -> None:
    """在真正监测之前,试一条查询语句。"""


@command.command("try")
@click.argument("query")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 3660), help="看最近几天的帖子。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def try_command(query: str, days: int, as_json: bool) -> int:
    """一条查询语句在最近几天会找到什么:命中数、20 条样例、每个条件的贡献、建议排除的词。什么都不改。

    \b
    例:tingfeng query try '苹果 (手机 OR 电脑) -苹果汁' --days 30
    """
    from flows.wiring import open_wiring
    from nlp.query_trial import try_query
    from tingfeng.query import parse_query

    parsed = parse_query(query)
    with open_wiring() as wiring:
        since = wiring.clock.now() - timedelta(days=days)
        trial = try_query(parsed, read_posts(wiring.posts, since), wiring.relevance)
    if as_json:
        print_json(trial_values(trial))
    else:
        print_trial(trial, days)
    return 0


def read_posts(store: PostStore, since: datetime) -> Iterator[tuple[Post, Mention | None]]:
    """All stored posts since then, page by page, with or without a subject."""
    cursor = ""
    while True:
        page = store.search(since=since, limit=PAGE, cursor=cursor, with_unmatched=True)
        yield from ((hit.post, hit.mention) for hit in page.hits)
        cursor = page.next_cursor
        if not cursor:
            return


def trial_values(trial: Trial) -> dict[str, object]:
    """The trial as JSON."""
    return {
        "posts": trial.posts,
        "hits": trial.hits,
        "clauses": [
            {"clause": one.clause, "hits": one.hits, "alone": one.alone, "kept_out": one.kept_out} for one in trial.clauses
        ],
        "exclusions": [{"word": one.word, "hits": one.hits, "sample": one.sample} for one in trial.exclusions],
        "samples": [
            {"id": post.id, "source": post.source, "at": post.counted_at.isoformat(), "title": post.title, "text": post.text}
            for post in trial.samples
        ],
    }


def print_trial(trial: Trial, days: int) -> None:
    """The trial for people."""
    print_line(f"最近 {days} 天 {trial.posts} 条帖子,命中 {trial.hits} 条")
    rows = [(one.clause, str(one.hits), str(one.alone), str(one.kept_out)) for one in trial.clauses]
    print_table("每个条件的贡献", ("条件", "命中里有它", "只靠它", "被它排除"), rows)
    if trial.exclusions:
        words = [(one.word, str(one.hits), one.sample) for one in trial.exclusions]
        print_table("建议看看要不要排除", ("词", "命中", "例"), words)
    posts = [
        (post.counted_at.astimezone().strftime("%m-%d %H:%M"), post.source, (post.title or post.text)[:80])
        for post in trial.samples
    ]
    print_table(f"样例 {len(posts)} 条", ("时间", "来源", "正文"), posts)

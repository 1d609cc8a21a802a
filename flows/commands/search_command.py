"""`tingfeng search`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_line, print_table

if TYPE_CHECKING:
    from store.posts import Hit
    from tingfeng.records import Mention


@click.command("search")
@click.argument("query", default="")
@click.option("--since", default="", help="从这个时间起(含),如 2026-11-01。")
@click.option("--until", default="", help="到这个时间止(不含)。")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="一页几条。")
@click.option("--cursor", default="", help="接着上一页:填上一页给出的 next_cursor。")
@click.option(
    "--order", type=click.Choice(["newest", "relevance"]), default="newest", show_default=True, help="新的在前,或最相关的在前。"
)
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(query: str, since: str, until: str, limit: int, cursor: str, order: str, as_json: bool) -> int:
    """用查询语句找提及,新的在前。

    \b
    退款 客服            两个词都有            退款 OR 退钱      任一
    退款 -广告           排除                  "小米 SU7"        短语
    NEAR/20(客服 退款)   相距不超过 20 个字    refund*           词头
    subject:暖芽 sentiment:negative act:complaint source:(heimao OR weibo) rating:<=2 since:2026-11-01
    """
    from flows.wiring import open_wiring
    from store.posts import Order
    from tingfeng.clock import parse_iso, show_time
    from tingfeng.errors import UsageError
    from tingfeng.query import parse_query

    try:
        start, end = (parse_iso(text) if text else None for text in (since, until))
    except ValueError as error:
        raise UsageError("时间读不懂", where="--since/--until", hint="例如 2026-11-01") from error
    parsed = parse_query(query, search=True) if query.strip() else None
    with open_wiring() as wiring:
        page = wiring.posts.search(parsed, since=start, until=end, limit=limit, cursor=cursor, order=Order(order))
    if as_json:
        print_json(
            {"total": page.total, "next_cursor": page.next_cursor, "hits": [hit_values(hit) for hit in page.hits]}
        )
        return 0
    rows = []
    for hit in page.hits:
        assert hit.mention is not None
        rows.append(
            (
                show_time(hit.post.counted_at)[5:16],
                hit.post.source,
                hit.mention.subject,
                hit.mention.sentiment.title_zh,
                hit.post.text[:80],
            )
        )
    print_table(f"共 {page.total} 条", ("时间", "来源", "对象", "情感", "正文"), rows)
    if page.next_cursor:
        print_line(f"下一页:--cursor {page.next_cursor}")
    return 0


def judged_values(mention: Mention) -> dict[str, object]:
    """What was judged beyond sentiment and acts; what was not is absent."""
    values: dict[str, object] = {
        "aspects": [{"topic": str(one.topic), "polarity": str(one.polarity), "aspect": one.aspect} for one in mention.opinions],
        "severity": mention.severity and str(mention.severity), "stage": mention.stage and str(mention.stage),
        "owner": mention.owner and str(mention.owner), "demands": list(mention.demands), "effort": dict(mention.effort),
        "competitor_switch": mention.switched_to,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def hit_values(hit: Hit) -> dict[str, object]:
    """A hit as JSON: post, judgement, copies."""
    post, mention = hit.post, hit.mention
    values: dict[str, object] = {
        "id": post.id, "source": post.source, "kind": str(post.kind), "title": post.title, "text": post.text, "url": post.url,
        "published_at": post.published_at and post.published_at.isoformat(), "precision": str(post.published_precision),
        "region": post.author.region, "rating": post.rating, "is_copy": hit.is_copy, "copies": hit.copies,
    }  # fmt: skip
    if mention is not None:
        values |= {
            "mention": mention.id, "subject": mention.subject, "sentiment": str(mention.sentiment),
            "probabilities": dict(mention.probabilities), "acts": [str(act) for act in mention.acts],
            "harm_words": list(mention.harm_words), "model": mention.model, "corrected_by": mention.corrected_by,
        }  # fmt: skip
        values |= judged_values(mention)
    return values

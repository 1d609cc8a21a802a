"""`tingfeng correct`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note


@click.command("correct")
@click.argument("post_id")
@click.option("--subject", required=True, help="对哪个监测对象。")
@click.option("--sentiment", required=True, type=click.Choice(["negative", "neutral", "positive"]), help="应该是什么。")
@click.option("--user", default="", help="谁改的;默认当前系统用户。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(post_id: str, subject: str, sentiment: str, user: str, as_json: bool) -> int:
    """改正一条提及的情感:立刻生效,重新判断也不会变回去。记入审计。"""
    from flows.machine import name_person
    from flows.people import correct_sentiment
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        mention = correct_sentiment(wiring, post_id, subject, sentiment, user or name_person())
    if as_json:
        print_json({"mention": mention.id, "sentiment": str(mention.sentiment), "corrected_by": mention.corrected_by})
    else:
        print_note(f"已改:{subject} → {mention.sentiment.title_zh}")
    return 0

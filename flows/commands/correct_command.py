"""`tingfeng correct`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note

# written out, so that --help imports nothing; a test holds them to the labels
ACTS = ("complaint", "suggestion", "question", "praise", "purchase_intent", "churn_intent", "news", "ad", "other")


@click.command("correct")
@click.argument("post_id")
@click.option("--subject", required=True, help="对哪个监测对象。")
@click.option("--sentiment", default=None, type=click.Choice(["negative", "neutral", "positive", "mixed"]), help="对它的情感应该是什么。")
@click.option("--act", "acts", multiple=True, type=click.Choice(ACTS), help="说的是什么事;可写多次,写下的就是全部。")
@click.option("--severity", default=None, type=click.Choice(["none", "annoyance", "money", "safety"]), help="严重程度应该是什么。")
@click.option("--user", default="", help="谁改的;默认当前系统用户。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(post_id: str, subject: str, sentiment: str | None, acts: tuple[str, ...], severity: str | None, user: str, as_json: bool) -> int:
    """改正一条提及的情感、行为或严重程度:立刻生效,重新判断也不会变回去。记入审计。

    攒下的改正还能教模型:tingfeng train --with-corrections。
    """
    from flows.machine import name_person
    from flows.people import correct_mention
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        mention = correct_mention(
            wiring, post_id, subject, user or name_person(), sentiment=sentiment or "", acts=acts, severity=severity or ""
        )
    values = {"sentiment": str(mention.sentiment), "acts": list(map(str, mention.acts)), "severity": str(mention.severity or "")}
    if as_json:
        print_json({"mention": mention.id, **values, "corrected": mention.corrected_fields, "corrected_by": mention.corrected_by})
    else:
        titles = [mention.sentiment.title_zh, *(act.title_zh for act in mention.acts)]
        print_note(f"已改:{subject} → {'、'.join(titles + ([mention.severity.title_zh] if mention.severity else []))}")
    return 0

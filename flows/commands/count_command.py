"""`tingfeng count`."""

from __future__ import annotations

import click

from flows.console import print_json, print_table


@click.command("count")
@click.argument("query", default="")
@click.option(
    "--by",
    "dims",
    required=True,
    help="维度,逗号分开:hour、day、source、subject、sentiment、act、region、problem、status。",
)
@click.option("--since", default="", help="从这个时间起(含)。")
@click.option("--until", default="", help="到这个时间止(不含)。")
@click.option("--fold", is_flag=True, help="重复内容只算一次。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(query: str, dims: str, since: str, until: str, fold: bool, as_json: bool) -> int:
    """按维度数提及。

    \b
    例:tingfeng count --by subject,sentiment
        tingfeng count --by day 'subject:暖芽 起火'
        tingfeng count --by problem 'subject:某车 source:chezhi'
    """
    from flows.wiring import open_wiring
    from store.posts import Dim
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError
    from tingfeng.query import parse_query

    names = [name.strip() for name in dims.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Dim)]
    if unknown or not names:
        raise UsageError(f"没有 {'、'.join(unknown) or '空'} 这个维度", where="--by", hint=f"可以写 {'、'.join(Dim)}")
    try:
        start, end = (parse_iso(text) if text else None for text in (since, until))
    except ValueError as error:
        raise UsageError("时间读不懂", where="--since/--until", hint="例如 2026-11-01") from error
    parsed = parse_query(query, search=True) if query.strip() else None
    with open_wiring() as wiring:
        rows = wiring.posts.count([Dim(name) for name in names], parsed, since=start, until=end, copies=not fold)
    if as_json:
        print_json([dict(zip(names, row.key, strict=True)) | {"mentions": row.mentions} for row in rows])
    else:
        print_table(
            "计数",
            (*names, "提及"),
            [
                (*row.key, row.mentions)
                for row in sorted(
                    rows, key=lambda row: row.key if "day" in names or "hour" in names else (-row.mentions,)
                )
            ],
        )
    return 0

"""`tingfeng forget`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note


@click.command("forget")
@click.option("--account", default="", help="作者的账号(采集时的编号或昵称),要同时给 --source;只用来算哈希,不会被记下。")
@click.option("--author", default="", help="作者的哈希。")
@click.option("--source", default="", help="来源名。")
@click.option("--before", default="", help="早于这个时间的(ISO)。")
@click.option("--user", default="", help="谁删的;默认当前系统用户。")
@click.option("--yes", is_flag=True, help="不再问。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(account: str, author: str, source: str, before: str, user: str, yes: bool, as_json: bool) -> int:
    """删除帖子连同提及与索引(被遗忘权、保留期限)。几个条件要同时满足;不能撤销。记入审计。"""
    from flows.machine import name_person
    from flows.people import forget_posts
    from flows.wiring import open_wiring
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError

    try:
        until = parse_iso(before) if before else None
    except ValueError as error:
        raise UsageError(f"时间读不懂:{before}", where="--before", hint="例如 2026-01-01") from error
    if account and not source:
        raise UsageError("只有账号找不到作者", where="--account", hint="请同时给出 --source")
    if (account or author or source or until) and not yes:
        click.confirm("删除后不能恢复,确定吗?", abort=True, err=True)
    with open_wiring() as wiring:
        author = wiring.hash_author(source)(account) if account else author
        deleted = forget_posts(wiring, user or name_person(), author_key=author, source=source, before=until)
    if as_json:
        print_json({"deleted": deleted})
    else:
        print_note(f"已删除 {deleted} 条内容")
    return 0

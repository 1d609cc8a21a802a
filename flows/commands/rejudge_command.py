"""`tingfeng rejudge`."""

from __future__ import annotations

import click

from flows.console import print_json, print_line, print_note, show_progress


@click.command("rejudge")
@click.option("--since", default="", help="从这个时间起(含),如 2026-11-01。")
@click.option("--until", default="", help="到这个时间止(不含)。")
@click.option("--query", default="", help="只重判符合这条查询语句的帖子。")
@click.option("--from-start", is_flag=True, help="不接着上次,从头来。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(since: str, until: str, query: str, from_start: bool, as_json: bool) -> int:
    """换了模型或词表之后,把已经判断过的帖子重判一遍,新的在前。采集、判断、预警照常进行。

    中断了(kill -9 也一样)再运行同一条命令就接着做。人工改正保留,重复的分组不变,汇总随之更正;还没判断过的帖子留给 analyse。
    """
    from flows.rejudge import FIELDS, Job, rejudge_posts
    from flows.wiring import open_wiring
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError
    from tingfeng.query import parse_query

    try:
        start, end = (parse_iso(text) if text else None for text in (since, until))
    except ValueError as error:
        raise UsageError("时间读不懂", where="--since/--until", hint="例如 2026-11-01") from error
    parsed = parse_query(query, search=True) if query.strip() else None
    with open_wiring() as wiring, show_progress() as progress:
        job = Job(query.strip(), start, end, wiring.pipeline.model)
        total = wiring.posts.search(parsed, since=start, until=end, limit=1, with_unmatched=True).total
        task = progress.add_task("重判", total=total)
        report = rejudge_posts(wiring, job, lambda behind: progress.update(task, completed=behind), from_start=from_start)
    if as_json:
        print_json(report.to_dict() | {"model": job.model})
    else:
        counts = report.counts
        titles = ("情感", "行为", "严重程度", "观点", "阶段", "归属", "诉求", "费力程度", "伤害词", "换成谁家")
        changed = "、".join(f"{title} {counts[name]}" for name, title in zip(FIELDS, titles, strict=True) if counts[name])
        print_line(
            f"{'接着上次,' if report.resumed else ''}重判 {counts['posts']} 条帖子、{counts['mentions']} 条提及({job.model}):"
            f"变了 {counts['changed']} 条{f'({changed})' if changed else ''},新增 {counts['new']},消失 {counts['gone']},"
            f"人工改正保留 {counts['corrected']},失败 {len(report.failures)}"
        )
    for post_id, reason in report.failures[:50]:
        print_note(f"失败:{post_id} {reason}")
    return 1 if report.failures else 0

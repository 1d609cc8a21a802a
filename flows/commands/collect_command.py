"""`tingfeng collect`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note, print_table


@click.command("collect")
@click.option("--source", default="", help="只采这一个来源(配置里的名字)。")
@click.option("--since", default="", help="回看到这个时间(ISO,如 2026-11-01);默认接着上次。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(source: str, since: str, as_json: bool) -> int:
    """采集配置里的来源,存下帖子,记一笔采集台账。不判断。

    结果各是什么意思:正常 / 无内容 / 到达上限 都是读到了;疑似空白、被拒绝、需要登录、限流、格式变了、已下线、无法连接
    都不等于“没有投诉”,会在来源页与事件里说明。
    """
    from flows.collect import FINE, collect_sources, is_out_of_reach
    from flows.wiring import open_wiring
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError

    try:
        start = parse_iso(since) if since else None
    except ValueError as error:
        raise UsageError(f"时间读不懂:{since}", where="--since", hint="例如 2026-11-01 或 2026-11-01T08:00") from error
    with open_wiring() as wiring:
        reports = collect_sources(wiring, only=source, since=start, progress=lambda what: print_note(f"采集 {what}"))
    rows = [report.to_dict() for report in reports]
    if as_json:
        print_json(rows)
    else:
        show_reports(rows)
    if is_out_of_reach(rows):
        return 3
    return 0 if all(report.run.outcome in FINE for report in reports) else 1


def show_reports(rows: list[dict[str, object]]) -> None:
    """One row a source."""
    from tingfeng.labels import Outcome

    shown = []
    for row in rows:
        posts, coverage = row["posts"], row["coverage"]
        assert isinstance(posts, dict)
        span = f"{coverage[0][5:16]} → {coverage[1][5:16]}" if isinstance(coverage, list) else "–"
        name = f"{row['source']} {row['query']}".strip()
        shown.append(
            (
                name,
                Outcome(str(row["outcome"])).title_zh,
                row["pages"],
                posts["new"],
                posts["changed"],
                posts["seen"],
                row["rejected"],
                span,
                row["detail"],
            )
        )
    print_table("采集", ("来源", "结果", "页", "新", "变", "见过", "拒收", "覆盖(UTC)", "说明"), shown, "没有来源")

"""`tingfeng run`."""

from __future__ import annotations

import click

from flows.console import print_json, print_line, print_note, print_table


@click.command("run")
@click.option("--direct", is_flag=True, help="不经过 Prefect,直接在本进程里跑(启动快,不留运行记录)。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(direct: bool, as_json: bool) -> int:
    """完整跑一遍:采集 → 判断 → 预警 → 通知。

    \b
    例:tingfeng run --direct
    有来源或通知失败时退出码是 1;所有来源都连不上是 3;另一遍正在跑是 4。
    """
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        if not wiring.sources:
            print_note("还没有来源:用 tingfeng init 写一份配置,或在 config/tingfeng.toml 里加 [sources.…]")
            return 2
        wiring.check_channels()
        if direct:
            from flows.passes import run_pass

            report = run_pass(wiring, progress=print_note)
            values = report.to_dict()
        else:
            from flows.prefect_home import prepare_environment

            prepare_environment(wiring.home)
            from flows.monitor import monitor

            values = monitor()
    if as_json:
        print_json(values)
    else:
        show(values)
    return exit_code(values)


def exit_code(values: dict[str, object]) -> int:
    """3 when no source could be reached, 1 when something failed, else 0."""
    collected = values["collect"]
    assert isinstance(collected, list)
    if collected and all(one["outcome"] == "unreachable" for one in collected):
        return 3
    return 1 if values["failed"] else 0


def show(values: dict[str, object]) -> None:
    """A table and what failed."""
    from flows.commands.collect_command import show_reports
    from tingfeng.labels import Level

    collected, analysed, watched, failed = values["collect"], values["analyse"], values["watch"], values["failed"]
    assert isinstance(collected, list)
    assert isinstance(analysed, dict)
    assert isinstance(watched, dict)
    assert isinstance(failed, list)
    show_reports(collected)
    print_line(
        f"判断 {analysed['judged']} 条,{analysed['mentions']} 条提及,折叠 {analysed['folded']},失败 {analysed['failed']},{analysed['seconds']} 秒"
    )
    print_line(
        f"预警:新开 {watched['opened']},变化 {watched['changed']},解除 {watched['resolved']};待发通知 {watched['notifications']}"
    )
    if watched["findings"]:
        rows = [(Level(f["level"]).title_zh, f["subject"], f["at"][:16], ";".join(f["reasons"])) for f in watched["findings"][-20:]]
        print_table("发现", ("级别", "对象", "时间", "理由"), rows)
    for name in failed:
        print_note(f"失败:{name}")

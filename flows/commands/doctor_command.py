"""`tingfeng doctor`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_table
from tingfeng.errors import TingfengError

if TYPE_CHECKING:
    from flows.wiring import Wiring

FEW_BYTES = 500_000_000
NO_BYTES = 20_000_000  # less than one pass may write


@dataclass(frozen=True)
class Check:
    """`state`: ok, warn, fail; `advice` says what to do."""

    name: str
    state: str
    words: str
    advice: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
@click.option("--repair", is_flag=True, help="先由帖子与提及重建全文索引与汇总,再检查。")
def command(as_json: bool, repair: bool) -> int:
    """检查配置、状态目录、存储、模型、来源与渠道;每个问题都说该怎么办。不访问任何网站。

    帖子库会读遍:数据页、全文索引、汇总与提及是否一致;百万条约一分钟。
    """
    from flows.wiring import Wiring, read_environment
    from tingfeng.settings import load_settings

    checks: list[Check] = []
    try:
        paths, environ = read_environment()
        wiring = Wiring(paths, load_settings(paths, environ), environ)
        where = str(paths.config_file) if paths.config_file else "只有默认值"
        checks.append(
            Check(
                "配置",
                "ok" if paths.config_file else "warn",
                where,
                "" if paths.config_file else "用 tingfeng init 写一份",
            )
        )
        try:
            if repair:
                repair_posts(wiring)
            checks += check_all(wiring)
        finally:
            wiring.close()
    except TingfengError as error:
        checks.append(Check("配置", "fail", error.what, f"{error.where} {error.hint}".strip()))
    if as_json:
        print_json([check.__dict__ for check in checks])
    else:
        marks = {"ok": "✔ 好", "warn": "! 注意", "fail": "✘ 要修"}
        print_table(
            "体检", ("项目", "", "情况", "怎么办"), [(c.name, marks[c.state], c.words, c.advice) for c in checks]
        )
    return 1 if any(check.state == "fail" for check in checks) else 0


def check_all(wiring: Wiring) -> Iterator[Check]:
    """Every part by itself; one failure does not hide the others."""
    parts = (check_home, check_posts, check_desk, check_model, check_subjects, check_sources, check_channels)
    for part in parts:
        try:
            yield from part(wiring)
        except TingfengError as error:
            yield Check(part.__doc__ or part.__name__, "fail", error.what, f"{error.where} {error.hint}".strip())


def check_home(wiring: Wiring) -> Iterator[Check]:
    """状态目录"""
    free = shutil.disk_usage(wiring.home).free
    state = "fail" if free < NO_BYTES else "warn" if free < FEW_BYTES else "ok"
    yield Check("状态目录", state, f"{wiring.home},剩余 {free / 1e9:.2f} GB", "" if state == "ok" else "磁盘快满了,请腾出空间")


def check_posts(wiring: Wiring) -> Iterator[Check]:
    """帖子库"""
    from store.sqlite import SQLitePostStore

    health = wiring.posts.health()
    deep = wiring.posts.find_damage() if isinstance(wiring.posts, SQLitePostStore) else []
    problems = [*health.problems, *deep]
    words = f"{health.posts} 条帖子,{health.mentions} 条提及,{health.unjudged} 条待判断,{health.bytes / 1e6:.1f} MB"
    if problems:
        pages = any("数据页" in problem for problem in problems)
        advice = "从备份恢复:tingfeng restore" if pages else "tingfeng doctor --repair"
        advice = advice if health.engine == "sqlite" else "怎么办见 docs/stores.md"
        yield Check("帖子库", "fail", ";".join(problems), advice)
    else:
        yield Check("帖子库", "ok", words)


def repair_posts(wiring: Wiring) -> None:
    """Rebuilds what can be computed from posts and mentions."""
    from flows.console import print_note
    from store.sqlite import SQLitePostStore

    if isinstance(wiring.posts, SQLitePostStore):
        with wiring.lock("pass"):
            wiring.posts.repair(print_note)


def check_desk(wiring: Wiring) -> Iterator[Check]:
    """工作台"""
    health = wiring.desk.health()
    words = f"{health['server']},{health['incidents']} 个事件,{health['notifications']} 条通知,{health['capture_runs']} 次采集"
    yield Check("工作台", "ok", words)
    _ = wiring.salt  # machines that share a Desk must agree on it
    since = wiring.clock.now() - timedelta(days=1)
    failed = [one for one in wiring.desk.notifications(since) if one.outcome == "failed"]
    if failed:
        reason = failed[-1].detail or failed[-1].provider_code
        yield Check("通知", "warn", f"最近一天有 {len(failed)} 条没有送到,最后一条:{failed[-1].channel} {reason}", "看渠道是否可用,补发请人工转告")


def check_model(wiring: Wiring) -> Iterator[Check]:
    """模型"""
    model, engine = wiring.pipeline.model, wiring.pipeline.engine
    second = "(" in engine
    yield Check("模型", "warn" if second else "ok", f"{model}({engine})", "括号里是没有用上第一选择的原因" if second else "")


def check_subjects(wiring: Wiring) -> Iterator[Check]:
    """监测对象"""
    names = "、".join(subject.name for subject in wiring.subjects)
    yield Check(
        "监测对象",
        "ok" if names else "warn",
        names or "还没有",
        "" if names else "在配置里加 [[subjects]],或用 tingfeng init",
    )


def check_sources(wiring: Wiring) -> Iterator[Check]:
    """来源"""
    runs = {(run.source, run.query): run for run in wiring.desk.last_runs()}
    if not wiring.sources:
        yield Check("来源", "warn", "还没有", "在配置里加 [sources.…],可用的见 docs/sources.md")
    for source in wiring.sources:
        for target in source.settings.targets or ("",):
            run = runs.get((source.name, target))
            if source.collector is None:
                folder = Path(target) if Path(target).is_absolute() else wiring.home / target
                if not folder.is_dir():
                    yield Check(f"来源 {source.name}", "warn", f"没有文件夹 {folder}", "建好它,把导出文件放进去")
                    continue
            words = "还没有采集过" if run is None else f"{run.outcome.title_zh} {run.detail}".strip()
            good = run is None or run.outcome in ("ok", "empty", "saturated")
            yield Check(
                f"来源 {source.name} {target}".strip(),
                "ok" if good else "warn",
                words,
                "" if good else "这段时间没有数据不等于没有投诉",
            )


def check_channels(wiring: Wiring) -> Iterator[Check]:
    """渠道"""
    with wiring.open_http() as http:
        channels = wiring.build_channels(http)
    if not channels:
        yield Check("渠道", "warn", "还没有", "预警只会出现在网页上;在配置里加 [[channels]]")
    for name in channels:
        yield Check(f"渠道 {name}", "ok", "密钥与地址齐全(没有试发)")

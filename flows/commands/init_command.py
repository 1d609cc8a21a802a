"""`tingfeng init`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from flows.console import print_note

CHANNEL_KINDS = ("dingtalk", "wecom", "feishu", "slack", "smtp", "webhook", "file")


@click.command("init")
@click.option("--brand", default="", help="要监测的品牌。不写就提问。")
@click.option("--alias", "aliases", multiple=True, help="别名、英文名、产品名,可写多次。")
@click.option("--exclude", "excludes", multiple=True, help="含有品牌名但不是它的说法,可写多次。")
@click.option("--competitor", "competitors", multiple=True, help="竞品,可写多次。")
@click.option("--appstore", "apps", multiple=True, help="App Store 应用编号,可写多次。")
@click.option("--feed", "feeds", multiple=True, help="RSS / Atom / JSON Feed 地址,可写多次。")
@click.option("--channel", type=click.Choice(CHANNEL_KINDS), default=None, help="预警发到哪里;先用 file 试也行。")
@click.option("--force", is_flag=True, help="已有配置时覆盖(旧的改名保留)。")
def command(
    brand: str,
    aliases: tuple[str, ...],
    excludes: tuple[str, ...],
    competitors: tuple[str, ...],
    apps: tuple[str, ...],
    feeds: tuple[str, ...],
    channel: str | None,
    force: bool,
) -> int:
    """为一个品牌写 config/tingfeng.toml。

    \b
    例:tingfeng init --brand 暖芽 --alias nuanya --competitor 橙屿 --feed https://news.example/rss.xml --channel file
    """
    from tingfeng.errors import UsageError

    asked = not brand
    if asked:
        brand = click.prompt("品牌名")
        aliases = split_answer(click.prompt("别名(逗号分开,可空)", default="", show_default=False))
        competitors = split_answer(click.prompt("竞品(逗号分开,可空)", default="", show_default=False))
        feeds = split_answer(click.prompt("要看的 RSS / Atom 地址(逗号分开,可空)", default="", show_default=False))
        apps = split_answer(click.prompt("App Store 应用编号(逗号分开,可空)", default="", show_default=False))
        channel = click.prompt("预警发到", type=click.Choice(CHANNEL_KINDS), default="file")
    file = Path.cwd() / "config" / "tingfeng.toml"
    if file.exists() and not force:
        raise UsageError("已经有配置了", where=str(file), hint="直接编辑它,或加 --force(旧的会改名保留)")
    for feed in feeds:
        if urlsplit(feed).scheme not in ("http", "https") or not urlsplit(feed).netloc:
            raise UsageError(f"“{feed}”不是网址", where="--feed", hint="例如 https://news.example/rss.xml")
    text = write_config(brand, aliases, excludes, competitors, apps, feeds, channel)
    check_config(text, file)
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        os.replace(file, file.with_suffix(".toml.old"))
    part = file.with_suffix(".toml.part")
    part.write_text(text, "utf-8")
    os.replace(part, file)
    print_note(f"写好 {file}\n下一步:tingfeng doctor 看缺什么,tingfeng run --direct 跑一遍,tingfeng up 持续运行")
    return 0


def split_answer(text: str) -> tuple[str, ...]:
    """`甲,乙` → ("甲", "乙")."""
    return tuple(part.strip() for part in text.replace(",", ",").replace("、", ",").split(",") if part.strip())


def quote(value: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(value, ensure_ascii=False)


def quote_list(values: tuple[str, ...]) -> str:
    """A TOML array of strings."""
    return "[" + ", ".join(map(quote, values)) + "]"


def write_config(
    brand: str,
    aliases: tuple[str, ...],
    excludes: tuple[str, ...],
    competitors: tuple[str, ...],
    apps: tuple[str, ...],
    feeds: tuple[str, ...],
    channel: str | None,
) -> str:
    """The file's text."""
    lines = [
        "# 由 tingfeng init 写出;每一项的说明见 docs/settings.md。密钥不要写在这里。",
        "",
        "[[subjects]]",
        f"name = {quote(brand)}",
    ]
    lines += [f"aliases = {quote_list(aliases)}"] if aliases else []
    lines += [f"exclude = {quote_list(excludes)}"] if excludes else []
    for name in competitors:
        lines += ["", "[[subjects]]", f"name = {quote(name)}", "competitor = true"]
    lines += ["", "# 黑猫投诉:最新公开投诉,本地匹配品牌", "[sources.heimao]"]
    if apps:
        about = ", ".join(f"{quote(app)} = {quote(brand)}" for app in apps)
        lines += ["", "[sources.appstore]", f"targets = {quote_list(apps)}", f"about = {{ {about} }}  # 评论里不写名字也算"]
    if feeds:
        lines += ["", "[sources.news]", 'uses = "feed"', f"targets = {quote_list(feeds)}"]
    lines += [
        "",
        "# 放进这个文件夹的导出文件会自动导入(相对状态目录)",
        "[sources.inbox]",
        'uses = "files"',
        'targets = ["inbox"]',
    ]
    if channel:
        lines += ["", "[[channels]]", f"kind = {quote(channel)}", 'name = "main"', 'min_level = "yellow"']
        if channel == "smtp":
            lines += [
                'url = "smtp://mail.example.com:587"',
                'recipients = ["you@example.com"]',
                'options = { sender = "tingfeng@example.com" }',
            ]
        elif channel != "file":
            lines += ["# 地址里有密钥:放进环境变量 TINGFENG_CHANNEL_MAIN_URL(加签密钥 TINGFENG_CHANNEL_MAIN_SECRET)"]
    return "\n".join(lines) + "\n"


def check_config(text: str, file: Path) -> None:
    """Raises SettingsError for what would not start."""
    import tomllib

    from nlp.subjects import SubjectMatcher
    from tingfeng.errors import SettingsError
    from tingfeng.settings import Settings
    from tingfeng.settings_errors import explain_errors

    try:
        settings = Settings.model_validate(tomllib.loads(text))
    except ValueError as error:
        from pydantic import ValidationError

        words = explain_errors(error, Settings) if isinstance(error, ValidationError) else str(error)
        raise SettingsError(words, where=str(file), hint="请换一种写法") from error
    SubjectMatcher([subject.to_record() for subject in settings.subjects])

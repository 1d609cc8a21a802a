"""Says in Chinese what click has to say of a wrong command line."""

from __future__ import annotations

import click
from click.exceptions import BadArgumentUsage, BadOptionUsage, BadParameter, MissingParameter, NoSuchOption


def explain_usage(error: click.ClickException) -> str:
    """What is wrong, where, and where to read on. The message of our own parameter types is Chinese already."""
    sentence = explain(error)
    return f"错误:{sentence}{'' if sentence.endswith('?') else '。'}{advise(error)}"


def explain(error: click.ClickException) -> str:
    """One sentence, without a full stop."""
    if isinstance(error, NoSuchOption):
        near = f",是不是 {'、'.join(error.possibilities)}?" if error.possibilities else ""
        return f"没有 {error.option_name} 这个选项{near}"
    if isinstance(error, MissingParameter):
        return f"缺少{name_parameter(error)}"
    if isinstance(error, BadParameter):
        return f"{name_parameter(error)}:{explain_value(error)}"
    if isinstance(error, BadOptionUsage):
        return f"选项 {error.option_name} 后面缺少值,或不该有值"
    if isinstance(error, BadArgumentUsage):
        return "参数的个数不对"
    if "unexpected extra argument" in error.message:
        return f"多出了参数 {error.message.partition('(')[2].rstrip(')')}"
    return error.message


def name_parameter(error: BadParameter) -> str:
    """`选项 --port`, `参数 FILE`."""
    parameter = error.param
    if parameter is None:
        return "参数"
    if isinstance(parameter, click.Option):
        return f"选项 {max(parameter.opts, key=len)}"
    return f"参数 {parameter.human_readable_name}"


def explain_value(error: BadParameter) -> str:
    """What the parameter takes instead."""
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice):
        return f"只能是 {'、'.join(map(str, kind.choices))}"
    if isinstance(kind, click.types.IntRange | click.types.FloatRange):
        low, high = ("" if bound is None else f"{bound:g}" for bound in (kind.min, kind.max))
        return f"要写{'整数' if isinstance(kind, click.types.IntRange) else '数字'},{low or '…'} 到 {high or '…'}"
    if isinstance(kind, click.types.IntParamType):
        return "要写整数"
    if isinstance(kind, click.types.FloatParamType):
        return "要写数字"
    if isinstance(kind, click.Path):
        return explain_path(kind, error.message)
    return error.message


def explain_path(kind: click.Path, message: str) -> str:
    """`message` is click's own English, told apart by its last words."""
    what = "文件夹" if kind.dir_okay and not kind.file_okay else "文件"
    found = message.split("'")[1] if message.count("'") >= 2 else ""
    if "does not exist" in message:
        return f"没有这个{what} {found}"
    if "is a directory" in message or "is a file" in message:
        return f"{found} 不是{what}"
    return f"打不开 {found},请检查权限"


def advise(error: click.ClickException) -> str:
    """Which --help to read."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f" 用法见 {context.command_path} --help" if context else ""

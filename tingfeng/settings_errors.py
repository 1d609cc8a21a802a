"""Turns validation errors into words: key, what is wrong, what to write instead."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

WORDS = {
    "int_parsing": "要写整数",
    "int_type": "要写整数",
    "int_from_float": "要写整数",
    "float_parsing": "要写数字",
    "float_type": "要写数字",
    "bool_parsing": "要写 true 或 false",
    "bool_type": "要写 true 或 false",
    "string_type": '要写带引号的文字,例如 "…"',
    "tuple_type": '要写列表,例如 ["…", "…"]',
    "model_type": "要写成一张表,例如 [节名]",
    "mapping_type": "要写成一张表",
    "dict_type": "要写成一张表",
    "missing": "缺少这一项",
    "greater_than": "要大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "要小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "string_too_short": "不能为空",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "只能用小写字母、数字和 -,以字母开头",
    "literal_error": "只能是 {expected}",
    "enum": "只能是 {expected}",
}
SECRET_KEYS = ("secret", "password", "token", "key")


def explain_errors(error: ValidationError, model: type[BaseModel]) -> str:
    """One Chinese sentence per mistake, joined by ';'. Values are not repeated: they might be secrets."""
    sentences = []
    for item in error.errors():
        path = [str(part) for part in item["loc"] if part != "[key]"]
        key = ".".join(path) or "(整个文件)"
        kind = item["type"]
        if kind == "extra_forbidden":
            sentences.append(f"{key}:{explain_unknown(path, model)}")
        elif kind == "value_error":
            sentences.append(f"{key}:{str(item['msg']).removeprefix('Value error, ')}{advise_variable(path)}")
        else:
            context: Mapping[str, object] = item.get("ctx", {})
            words = WORDS.get(kind, item["msg"])
            sentences.append(f"{key}:{words.format_map(dict(context)) if '{' in words else words}")
    return ";".join(sentences)


def explain_unknown(path: list[str], model: type[BaseModel]) -> str:
    """Nearest known key, or the variable a secret belongs to."""
    name = path[-1]
    if name in SECRET_KEYS:
        return f"密钥不能写进文件{advise_variable(path)}"
    known = known_keys(path[:-1], model)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"没有这一项,是不是 {near[0]}?"
    return f"没有这一项;可以写的有 {'、'.join(known)}" if known else "没有这一项,请删去"


def advise_variable(path: list[str]) -> str:
    """Where a channel's secret belongs; '' for other keys."""
    if len(path) < 3 or path[0] != "channels" or path[-1] not in (*SECRET_KEYS, "url"):
        return ""
    part = {"url": "URL", "password": "PASSWORD"}.get(path[-1], "SECRET")
    return f",请放进环境变量 TINGFENG_CHANNEL_<渠道名大写>_{part}(或同名加 _FILE 的文件)"


def known_keys(path: list[str], model: type[BaseModel]) -> list[str]:
    """Keys that the table at `path` takes; [] when it cannot be told."""
    current: type[BaseModel] | None = model
    for part in path:
        if current is None:
            return []
        if part in current.model_fields:
            current = inner_model(current.model_fields[part].annotation)
        # a list index or a source's own name: the element's model is the current one already
    return list(current.model_fields) if current else []


def inner_model(annotation: object) -> type[BaseModel] | None:
    """The model inside `X`, `tuple[X, ...]`, `Mapping[str, X]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.GenericAlias) or typing.get_args(annotation):
        for part in typing.get_args(annotation):
            found = inner_model(part)
            if found:
                return found
    return None

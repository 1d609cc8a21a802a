"""docs/settings.md, from the fields of tingfeng/settings.py."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tingfeng.labels import Label
from tingfeng.settings import Settings
from tingfeng.settings_errors import inner_model

HEAD = """# 设置

由 `make docs` 从 `tingfeng/settings.py` 生成。默认值在 `config/default.toml`;自己的值写进 `config/tingfeng.toml`(`tingfeng init` 会写),
或变量 `TINGFENG_CONFIG` 指向的文件。没见过的键、类型不对、缺密钥、写错的时区都会在启动时停下,并说明文件、键和该怎么写。

| 变量 | 意思 |
|---|---|
| `TINGFENG_HOME` | 状态目录(默认 `./var`):数据库、盐、Prefect 状态、日志 |
| `TINGFENG_CONFIG` | 盖在默认值上的一个 TOML 文件 |
| `TINGFENG_POSTS_URL`、`TINGFENG_DESK_URL` | 盖过 `[store]` 里的地址;带密码的地址只能放在这里 |
| `TINGFENG_POSTS_API_KEY`,或 `TINGFENG_POSTS_USER` 与 `TINGFENG_POSTS_PASSWORD` | 登录 Elasticsearch;有 API key 就只用它 |
| `TINGFENG_SALT` | 作者哈希的盐;几台机器共用一个 PostgreSQL 时每台都要设成同一个(至少 16 个字符)。不设 = 状态目录里自动生成的 `salt` |
| `TINGFENG_CHANNEL_<名>_URL`、`_SECRET`、`_PASSWORD` | 渠道的密钥;名字大写,`-` 换成 `_` |
| 上面任何一个地址、盐或密钥加 `_FILE` | 从文件读(适合容器) |

"""
NAMES = {int: "整数", float: "数字", str: "文字", bool: "true / false"}


def describe_settings() -> str:
    """The whole page."""
    return HEAD + "".join(describe_sections())


def describe_sections() -> Iterator[str]:
    """One table per section."""
    for name, info in Settings.model_fields.items():
        model = inner_model(info.annotation)
        if model is None:
            continue
        title = {"sources": "[sources.<名字>]", "subjects": "[[subjects]]", "channels": "[[channels]]"}.get(
            name, f"[{name}]"
        )
        yield f"## `{title}`\n\n| 键 | 类型 | 默认 | 说明 |\n|---|---|---|---|\n{''.join(describe_fields(model))}\n"


def describe_fields(model: type[BaseModel]) -> Iterator[str]:
    """One row per key."""
    for name, info in model.model_fields.items():
        yield f"| `{name}` | {describe_type(info.annotation)} | {describe_default(info)} | {info.description or ''} |\n"


def describe_type(annotation: object) -> str:
    """In words."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal or (isinstance(annotation, type) and issubclass(annotation, Label)):
        return "、".join(f"`{value}`" for value in (parts or annotation))  # type: ignore[attr-defined]
    if origin in (types.UnionType, typing.Union):
        return describe_type(next(part for part in parts if part is not type(None)))
    if origin is typing.Annotated:
        return describe_type(parts[0])
    if origin is tuple:
        return f"{describe_type(parts[0])}列表"
    if origin is not None:
        return "表"
    return NAMES.get(annotation, "文字") if isinstance(annotation, type) else "文字"


def describe_default(info: FieldInfo) -> str:
    """As one would write it; 必填 when there is none."""
    if info.is_required():
        return "必填"
    if info.default is None or info.default in ("", (), {}):
        return "空"
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    return f"`{info.default}`"

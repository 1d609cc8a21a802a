"""Finds the collectors: every module of this package that exports SOURCE and Collector."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from types import ModuleType

import collectors
from collectors.base import Collector, SourceInfo
from tingfeng.errors import SettingsError


@lru_cache(maxsize=1)
def list_collectors() -> dict[str, ModuleType]:
    """Module by source name."""
    found = {}
    for entry in pkgutil.iter_modules(collectors.__path__):
        module = importlib.import_module(f"collectors.{entry.name}")
        if hasattr(module, "SOURCE") and hasattr(module, "Collector") and module.__name__ != "collectors.base":
            found[module.SOURCE.name] = module
    return found


def find_collector(name: str) -> tuple[SourceInfo, Collector]:
    """Raises SettingsError naming what there is."""
    module = list_collectors().get(name)
    if module is None:
        known = "、".join([*sorted(list_collectors()), "files"])
        raise SettingsError(f"没有名为 {name} 的采集器", where=f"sources.{name}", hint=f"uses 可以写 {known}")
    return module.SOURCE, module.Collector()


def describe_sources() -> str:
    """docs/sources.md."""
    from collectors.files import FILE_RULES, FOLDER_SOURCE

    sources = [*(module.SOURCE for _, module in sorted(list_collectors().items())), FOLDER_SOURCE]
    rows = "".join(
        f"| `{s.name}` | {s.title} | {s.kind.title_zh} | {s.base_url or '–'} | {s.targets or '不用写'} | {s.pace_seconds:g} 秒 | {s.max_pages} |\n"
        for s in sources
    )
    head = "| 采集器 | 名称 | 种类 | 默认地址 | targets 写什么 | 间隔 | 页数上限 |\n|---|---|---|---|---|---|---|\n"
    return f"# 来源\n\n由 `make docs` 从 `collectors/` 生成。只读公开页面,遵守 robots.txt,遇到验证码与登录即停。\n\n{head}{rows}{FILE_RULES}"

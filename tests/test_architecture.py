"""The house rules that a machine can check: arrows, heavy imports, sizes, test folders."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tingfeng", "collectors", "nlp", "store", "alerts", "insights", "web", "flows")
ALLOWED: dict[str, set[str]] = {
    "tingfeng": set(),
    "collectors": {"tingfeng"},
    "nlp": {"tingfeng"},
    "store": {"tingfeng"},
    "alerts": {"tingfeng"},
    "insights": {"tingfeng"},
    "web": {"tingfeng", "store", "alerts", "insights"},
    "flows": set(PACKAGES),
}
HEAVY = {
    "torch": "nlp/torch_",
    "transformers": "nlp/torch_models.py",
    "tokenizers": "nlp/tokens.py",
    "onnxruntime": "nlp/onnx_model.py",
    "prefect": "flows/",
    "sqlalchemy": "store/",
    "alembic": "store/",
    "elasticsearch": "store/elasticsearch_client.py",
}
CODE = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ALL = [*CODE, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]


def imported_modules(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def wrong_arrows(package: str, source: str) -> list[str]:
    tops = {name.split(".")[0] for name in imported_modules(source)}
    return sorted((tops & set(PACKAGES)) - ALLOWED[package] - {package})


def misplaced_imports(relative: str, source: str) -> list[str]:
    tops = {name.split(".")[0] for name in imported_modules(source)}
    return sorted(name for name, place in HEAVY.items() if name in tops and not relative.startswith(place))


def oversized(source: str) -> list[str]:
    found = ["module"] if source.count("\n") > 500 else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60:
            found.append(node.name)
    return found


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_and_heavy_imports(path: Path) -> None:
    relative, source = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
    assert wrong_arrows(path.relative_to(ROOT).parts[0], source) == []
    assert misplaced_imports(relative, source) == []


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    assert oversized(path.read_text("utf-8")) == []


def test_rules_refuse_bad_specimens() -> None:
    assert wrong_arrows("nlp", "from collectors.base import Page") == ["collectors"]
    assert misplaced_imports("nlp/acts.py", "import torch") == ["torch"]
    assert oversized("def long():\n" + "    x = 1\n" * 61) == ["long"]


def test_only_wiring_and_main_read_the_environment() -> None:
    readers = [path.relative_to(ROOT).as_posix() for path in CODE if "os.environ" in path.read_text("utf-8")]
    assert set(readers) <= {"flows/wiring.py", "flows/prefect_home.py"}


def test_no_package_marker_under_tests_or_config() -> None:
    assert [*(ROOT / "tests").rglob("__init__.py"), *(ROOT / "config").rglob("*.py")] == []

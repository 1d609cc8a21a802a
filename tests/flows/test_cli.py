"""Commands as a person or a script meets them: help, JSON on stdout alone, exit codes, mistakes in words."""

from __future__ import annotations

import ast
import csv
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.cli import COMMANDS
from flows.commands.export_command import write_whole

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    {"id": "1", "text": "暖芽水壶漏水,要求退款,电话13812345678", "time": "2026-11-14 10:00"},
    {"id": "2", "text": "暖芽真的很好用,推荐", "time": "2026-11-14 11:00"},
    {"id": "3", "text": "=cmd 橙屿不错", "time": "2026-11-14 12:00"},
    {"id": "4", "text": "", "time": "2026-11-14 12:00"},
]


@pytest.fixture
def filled(tingfeng: Any, place: Path) -> Any:
    """Three posts imported and judged."""
    (place / "posts.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    assert tingfeng("import", "posts.jsonl").code == 0
    assert tingfeng("analyse").code == 0
    return tingfeng


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    code = "import sys; from click.testing import CliRunner; from flows.cli import cli; r = CliRunner().invoke(cli, ['--help']); print(r.output); print(sorted(set(sys.modules) & {'torch','prefect','sqlalchemy','numpy','pydantic','fastapi','jieba','rich','httpx'}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_explains_itself(name: str, tingfeng: Any) -> None:
    result = tingfeng(name, "--help")
    assert result.code == 0
    assert len(result.out) > 80


def test_every_command_is_in_the_readme_or_the_docs() -> None:
    pages = "".join(page.read_text("utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    assert [name for name in COMMANDS if f"tingfeng {name}" not in pages] == []


def test_import_counts_and_names_rejected_rows(tingfeng: Any, place: Path) -> None:
    (place / "posts.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    first = tingfeng("import", "posts.jsonl", "--json").json[0]
    assert (first["rows"], first["new"], first["rejected"]) == (4, 3, 1)
    assert first["rejections"] == [{"where": "第 4 行", "reason": "没有正文"}]
    again = tingfeng("import", "posts.jsonl", "--json").json[0]
    assert (again["new"], again["seen"]) == (0, 3)


def test_nothing_personal_is_stored(filled: Any, place: Path) -> None:
    with sqlite3.connect(place / "var" / "posts.db") as db:
        texts = [row[0] for row in db.execute("SELECT text FROM posts")]
    db.close()
    assert not any("13812345678" in text for text in texts)
    assert any("[手机号]" in text for text in texts)


def test_search_and_count(filled: Any) -> None:
    found = filled("search", "退款", "--json").json
    assert (found["total"], found["hits"][0]["sentiment"], found["next_cursor"]) == (1, "negative", "")
    assert filled("count", "--by", "subject", "--json").json == [
        {"subject": "暖芽", "mentions": 2},
        {"subject": "橙屿", "mentions": 1},
    ]
    assert filled("count", "--by", "severty").code == 2


def test_a_mistake_in_a_query_is_shown(filled: Any) -> None:
    result = filled("search", "退款 AND")
    assert (result.code, result.out) == (2, "")
    assert "第 7 个字符" in result.err


def test_judge_prints_one_object_a_line_and_stores_nothing(tingfeng: Any, place: Path) -> None:
    lines = ['{"id":"a","text":"某牌漏电","subjects":["某牌"]}', "{broken", '{"id":"b","text":"暖芽好用"}']
    result = tingfeng("judge", "-", stdin="\n".join(lines))
    objects = [json.loads(line) for line in result.out.splitlines()]
    assert [one["id"] for one in objects] == ["a", "b"]
    assert objects[0]["subjects"][0]["harm_words"] == ["漏电"]
    assert result.code == 1
    assert "第 2 行" in result.err
    assert not (place / "var" / "posts.db").exists()


def test_export_defuses_formulas(filled: Any, place: Path) -> None:
    assert filled("export", "out.csv").code == 0
    raw = (place / "out.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert {row["text"][:2] for row in rows if "cmd" in row["text"]} == {"'="}


def test_an_export_that_fails_leaves_no_file_and_keeps_the_old_one(place: Path) -> None:
    (place / "out.csv").write_text("old")
    with pytest.raises(TypeError), write_whole(place / "out.csv") as stream:
        stream.writelines(["new", 5])  # type: ignore[list-item]
    assert [(file.name, file.read_text()) for file in place.glob("out*")] == [("out.csv", "old")]


def test_detect_reads_a_series(tingfeng: Any, place: Path) -> None:
    lines = ["timestamp,value,total"]
    for hour in range(24 * 12):
        value = 40 if hour >= 24 * 11 + 12 else hour % 3
        lines.append(f"2026-11-{hour // 24 + 1:02d} {hour % 24:02d}:00:00,{value},{value + 10}")
    (place / "series.csv").write_text("\n".join(lines), "utf-8")
    values = tingfeng("detect", "series.csv", "--json").json
    assert len(values["rows"]) == 288
    assert [one["edge"] for one in values["alerts"]][:1] == ["open"]
    (place / "series.csv").write_text("timestamp,value\n2026-11-01,1\n昨天,2\n", "utf-8")
    assert "第 3 行" in tingfeng("detect", "series.csv").err


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("nonsense",), 2, "没有 nonsense 这个命令"),
        (("serach", "x"), 2, "是不是 search"),
        (("import", "gone.csv"), 2, "不存在"),
        (("collect", "--source", "heimo"), 2, "inbox"),
        (("collect", "--since", "昨晚"), 2, "2026-11-01"),
        (("search", "--cursor", "x!"), 2, "next_cursor"),
        (("count",), 2, "缺少选项 --by"),
        (("search", "--bogus"), 2, "没有 --bogus 这个选项"),
        (("search", "一", "二"), 2, "多出了参数 二"),
        (("serve", "--port", "八千"), 2, "要写整数,0 到 65535"),
        (("silence", "--hours"), 2, "--hours 后面缺少值"),
        (("init", "--channel", "qq"), 2, "只能是 dingtalk"),
        (("export",), 2, "缺少参数 FILE"),
    ],
)
def test_wrong_usage_is_exit_code_2_in_words(args: tuple[str, ...], code: int, words: str, tingfeng: Any) -> None:
    result = tingfeng(*args)
    assert result.code == code
    assert words in result.err
    assert "Traceback" not in result.err and "Error:" not in result.err


def test_a_damaged_store_is_exit_code_3(tingfeng: Any, place: Path) -> None:
    (place / "var" / "posts.db").write_bytes(b"nonsense" * 1000)
    result = tingfeng("search", "x")
    assert (result.code, "不是数据库" in result.err) == (3, True)


def test_state_folder_that_cannot_be_written(tingfeng: Any, place: Path) -> None:
    (place / "file").write_bytes(b"")
    result = tingfeng("analyse", TINGFENG_HOME=str(place / "file" / "var"))
    assert (result.code, "TINGFENG_HOME" in result.err) == (3, True)


def test_init_writes_a_configuration_that_doctor_likes(tingfeng: Any, place: Path) -> None:
    assert tingfeng("init", "--brand", "沐禾").code == 2
    result = tingfeng(
        "init",
        "--brand",
        '沐"禾',
        "--alias",
        "muhe",
        "--competitor",
        "暖芽",
        "--feed",
        "https://news.example/rss.xml",
        "--channel",
        "file",
        "--force",
    )
    assert result.code == 0, result.err
    assert (place / "config" / "tingfeng.toml.old").exists()
    checks = {check["name"]: check for check in tingfeng("doctor", "--json").json}
    assert checks["监测对象"]["words"] == '沐"禾、暖芽'
    assert checks["模型"]["state"] == "ok"
    assert "来源 heimao" in checks


def test_init_asks_when_nothing_is_given(tingfeng: Any, place: Path) -> None:
    (place / "config" / "tingfeng.toml").unlink()
    assert tingfeng("init", stdin="沐禾\nmuhe\n\n\n\nfile\n").code == 0
    assert 'name = "沐禾"' in (place / "config" / "tingfeng.toml").read_text("utf-8")


def test_doctor_names_a_missing_secret(tingfeng: Any, place: Path) -> None:
    file = place / "config" / "tingfeng.toml"
    file.write_text(file.read_text("utf-8").replace('"file"', '"dingtalk"'), "utf-8")
    result = tingfeng("doctor")
    assert result.code == 1
    assert "TINGFENG_CHANNEL_MAIN_URL" in result.out.replace("\n", "").replace(" ", "").replace("│", "")


def test_backup_and_evaluate(filled: Any, place: Path) -> None:
    assert filled("backup", "copies").code == 0
    assert len(list((place / "copies").glob("posts-*.db"))) == 1
    assert filled("evaluate", "--json").json["model"].startswith("encoder-")


def test_no_command_module_is_left_out() -> None:
    files = {
        path.stem.removesuffix("_command").rstrip("_") for path in (ROOT / "flows" / "commands").glob("*_command.py")
    }
    assert files == set(COMMANDS)
    for path in (ROOT / "flows" / "commands").glob("*_command.py"):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_a_query_is_tried_on_what_is_stored(filled: Any) -> None:
    found = filled("query", "try", "暖芽 -漏水", "--days", "3660", "--json").json
    assert (found["posts"], found["hits"]) == (3, 1)
    assert [row["clause"] for row in found["clauses"]] == ["暖芽", "NOT 漏水"]
    assert "样例 1 条" in filled("query", "try", "暖芽 -漏水", "--days", "3660").out
    assert filled("query", "try", "(暖芽").code == 2

"""File import: known exports, guessed columns, rejected rows by number, hostile files."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from collectors.files import FileBatch, FilePlan, list_inbox, plan_file, read_file
from tingfeng.clock import parse_iso
from tingfeng.errors import UsageError
from tingfeng.labels import ComplaintStatus, TimePrecision
from tingfeng.records import Post

NOW = parse_iso("2026-11-20T12:00")
XHS = {
    "note_id": "66aa1", "type": "normal", "title": "避坑", "desc": "客服推诿三天", "time": 1722470400000, "liked_count": "1.2万", "comment_count": "88",
    "share_count": "", "tag_list": "x", "creator_hash": "9f86d081884c7d65", "nickname": "小***瓜", "source_keyword": "k", "note_url": "u", "xsec_token": "AB",
}  # fmt: skip


def load(path: Path, **options: object) -> tuple[FilePlan, list[Post], list[str]]:
    plan = plan_file(path, **options)  # type: ignore[arg-type]
    batches: list[FileBatch] = list(read_file(plan, NOW, lambda account: f"#{account}" if account else ""))
    return (
        plan,
        [post for batch in batches for post in batch.posts],
        [f"{row.where}:{row.reason}" for batch in batches for row in batch.rejected],
    )


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_notes_of_a_known_export(tmp_path: Path) -> None:
    plan, posts, rejected = load(write(tmp_path / "search_contents_2026-08-14.jsonl", json.dumps(XHS) + "\n"))
    assert (plan.format_name, plan.source, rejected) == ("mediacrawler-xhs", "xiaohongshu", [])
    assert posts[0].engagement.likes == 12000
    assert posts[0].url == "https://www.xiaohongshu.com/explore/66aa1"
    assert posts[0].author.key == "#9f86d081884c7d65"
    assert "AB" not in repr(posts[0])


def test_old_and_new_exports_give_the_same_author(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"42").hexdigest()[:16]
    new = load(write(tmp_path / "new.jsonl", json.dumps(XHS | {"creator_hash": digest})))[1][0]
    old = load(
        write(tmp_path / "old.jsonl", json.dumps({**XHS, "creator_hash": "", "user_id": "42", "ip_location": "浙江"}))
    )[1][0]
    assert (old.author.key, old.author.region) == (new.author.key, "浙江")


def test_hot_list_archive_has_days(tmp_path: Path) -> None:
    file = tmp_path / "hot.jsonl.gz"
    file.write_bytes(gzip.compress('{"date":"2022-03-15","title":"老坛酸菜","url":"https://s.example/"}\n'.encode()))
    plan, posts, _ = load(file)
    assert (plan.source, posts[0].text) == ("hotsearch", "老坛酸菜")
    assert (posts[0].published_at, posts[0].published_precision) == (parse_iso("2022-03-15"), TimePrecision.DAY)


@pytest.mark.parametrize(
    "header",
    [
        "id,brand,car_model,type,desc,problem,datetime,status",
        "投诉编号,投诉品牌,投诉车系,投诉车型,问题简述,典型问题,投诉时间,投诉状态",
    ],
)
def test_car_complaints_with_both_headers(tmp_path: Path, header: str) -> None:
    file = write(
        tmp_path / "cars.csv",
        f'{header}\n9001,某某汽车,甲,2024款,变速箱顿挫,"B84,A9,",2025-06-14,厂家受理\n',
        "utf-8-sig",
    )
    post = load(file)[1][0]
    assert post.complaint
    assert (post.complaint.problems, post.complaint.status, post.complaint.target) == (
        ("B84", "A9"),
        ComplaintStatus.ASSIGNED,
        "某某汽车",
    )
    assert post.title == "某某汽车 甲 2024款"


def test_columns_are_guessed_in_gbk(tmp_path: Path) -> None:
    plan, posts, _ = load(
        write(tmp_path / "评论.csv", "评论内容,发布时间,昵称,评分\n不加热,2026-11-01 10:00,张三,1\n", "gbk")
    )
    assert plan.columns == {"text": ("评论内容",), "time": ("发布时间",), "author": ("昵称",), "rating": ("评分",)}
    assert (posts[0].text, posts[0].rating, posts[0].source) == ("不加热", 1, "import")


def test_columns_can_be_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "甲,乙\n漏水,2026-11-01\n")
    with pytest.raises(UsageError, match="--map"):
        plan_file(file)
    assert load(file, mapping={"text": "甲", "time": "乙"})[1][0].text == "漏水"
    with pytest.raises(UsageError, match="没有 丙 这一列"):
        plan_file(file, mapping={"text": "丙"})
    with pytest.raises(UsageError, match="没有 body 这一项"):
        plan_file(file, mapping={"body": "甲"})


def test_rejected_rows_carry_number_and_reason(tmp_path: Path) -> None:
    rows = [
        "id,text,time",
        "1,好的,2026-11-01",
        "2,,2026-11-01",
        "3,没有时间,",
        "4,坏时间,昨晚吧",
        "7.23E+18,小数编号,2026-11-01",
        "5,多一列,2026-11-01,x",
        "6,未来,2030-01-01",
    ]
    _, posts, rejected = load(write(tmp_path / "a.csv", "\n".join(rows)))
    assert [post.native_id for post in posts] == ["1"]
    assert [row.split(":")[0] for row in rejected] == [f"第 {n} 行" for n in (3, 4, 5, 6, 7, 8)]
    assert "小数" in rejected[3]


def test_a_cut_line_is_one_rejection(tmp_path: Path) -> None:
    good = json.dumps({"text": "好", "time": "2026-11-01"})
    _, posts, rejected = load(write(tmp_path / "a.jsonl", f'{good}\n{{"text": "断\n[1]\n{good[:-1]}, "id": "2"}}\n'))
    assert len(posts) == 2
    assert [row.split(":")[0] for row in rejected] == ["第 2 行", "第 3 行"]


def test_a_cut_packed_file_gives_what_is_there(tmp_path: Path) -> None:
    rows = "".join(
        json.dumps({"text": f"第{n}条{hashlib.md5(str(n).encode()).hexdigest()}", "time": "2026-11-01", "id": str(n)})
        + "\n"
        for n in range(3000)
    )
    whole = gzip.compress(rows.encode())
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(whole[: len(whole) // 2])
    _, posts, rejected = load(file)
    assert len(posts) > 500
    assert "断了" in rejected[-1]


def test_one_endless_line_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    good = json.dumps({"text": "好", "time": "2026-11-01"})
    _, posts, rejected = load(write(tmp_path / "a.jsonl", f'{good}\n{{"text":"{"长" * 700_000}"}}\n{good}\n'))
    assert len(posts) == 2
    assert rejected == ["第 2 行:一行超过 1 MB"]


def test_spreadsheet(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active
    book.active.append(["编号", "内容", "时间"])
    book.active.append([7, "漏水", parse_iso("2026-11-01").replace(tzinfo=None)])
    book.save(tmp_path / "a.xlsx")
    assert [post.native_id for post in load(tmp_path / "a.xlsx")[1]] == ["7"]


def test_a_spreadsheet_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/worksheets/sheet1.xml", "w") as entry,
    ):
        for _ in range(520):
            entry.write(b"0" * 1_000_000)
    with pytest.raises(UsageError, match="解压后有 520 MB"):
        plan_file(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [("a.pdf", b"x", "支持"), ("a.csv", b"", "没有读到"), ("a.json", b'[{"a":1', "截断"), ("a.xlsx", b"PK", "XLSX")],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, body: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(UsageError, match=words):
        plan_file(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="不存在"):
        plan_file(tmp_path / "a.csv")


def test_inbox_leaves_unfinished_files_alone(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl.gz", "c.csv.part", ".hidden.csv", "~$d.xlsx", "e.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in list_inbox([tmp_path])] == ["a.jsonl.gz", "b.csv"]


def test_the_same_row_gives_the_same_post(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,time\n漏水,2026-11-01\n漏水,2026-11-01\n")
    posts = load(file)[1]
    assert posts[0].id == posts[1].id

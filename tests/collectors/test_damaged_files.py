"""Files that are broken, half-written, hostile or far too large: what can be read is, the rest is said with its place."""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

import collectors.file_csv
import collectors.file_sheet
import collectors.files
from collectors.base import CollectQuery, Page, Request
from collectors.feed import Collector as Feed
from collectors.fields import parse_amount, parse_count
from collectors.file_reader import read_rows
from collectors.file_rows import read_time
from collectors.file_values import Damage, Row, Unfinished
from collectors.files import FileBatch, plan_file, read_file
from collectors.record_reader import load_json
from tingfeng.clock import parse_iso
from tingfeng.errors import EmptyFileError, FileError
from tingfeng.labels import TimePrecision
from tingfeng.records import RejectedRow

NOW = parse_iso("2026-11-20T12:00")
GOOD = '{"id": "%d", "text": "漏水", "time": "2026-11-01"}\n'


def load(path: Path, whole: bool = True) -> FileBatch:
    """All batches as one."""
    parts = list(read_file(plan_file(path, whole=whole), NOW, lambda account: account.encode().hex(), whole))
    return FileBatch(
        sum(part.rows for part in parts),
        tuple(post for part in parts for post in part.posts),
        tuple(row for part in parts for row in part.rejected),
        sum(part.unfinished for part in parts),
        "".join(part.damage for part in parts),
    )


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def make_sheet(path: Path, rows: int) -> Path:
    book = Workbook()
    assert book.active
    book.active.append(["编号", "内容", "时间"])
    for number in range(rows):
        book.active.append([str(number), f"漏水{number}", "2026-11-01"])
    book.save(path)
    return path


def change_part(path: Path, name: str, change: object) -> None:
    """Packs the file again with one part changed."""
    with zipfile.ZipFile(path) as packed:
        parts = {entry.filename: packed.read(entry) for entry in packed.infolist()}
    parts[name] = change(parts.get(name, b""))  # type: ignore[operator]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry, body in parts.items():
            packed.writestr(entry, body)


SHEET = "xl/worksheets/sheet1.xml"


def test_half_a_character_is_replaced_in_every_field(tmp_path: Path) -> None:
    line = r'{"id": "1\ud800", "title": "\udc00甲", "text": "\ud800漏水 \ud83d\ude00", "time": "2026-11-01", "author": "\udfff"}'
    post = load(write(tmp_path / "a.jsonl", line)).posts[0]
    assert (post.native_id, post.title, post.text) == ("1\ufffd", "\ufffd甲", "\ufffd漏水 \U0001f600")
    assert bytes.fromhex(post.author.key).decode() == "\ufffd"


def test_half_a_character_from_a_site_is_replaced_and_the_rest_of_the_feed_stays() -> None:
    assert load_json(r'{"a": ["\ud800", "\ud83d\ude00", {"\udc00": 1}]}') == {"a": ["\ufffd", "\U0001f600", {"\ufffd": 1}]}
    items = "".join(
        f"<item><guid>{n}</guid><title>暖芽{n}{ref}</title></item>" for n, ref in enumerate(("&#xD800;", "&#57343;", "&#x1F600;", "&#99999999;"))
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()
    parsed = Feed().parse(Page(Request("https://n.example/rss"), 200, body, {}, NOW), CollectQuery("https://n.example"))
    assert [post.title for post in parsed.posts] == ["暖芽0\ufffd", "暖芽1\ufffd", "暖芽2\U0001f600", "暖芽3\ufffd"]


def test_numbers_that_no_store_can_hold_are_not_stated() -> None:
    assert parse_count("9" * 400).value is None
    assert parse_count("9" * 20).value is None
    assert parse_amount("9" * 400) is None


def test_values_nested_too_deep_are_one_rejection(tmp_path: Path) -> None:
    deep = '{"text": ' + "[" * 700 + "1" + "]" * 700 + ', "time": "2026-11-01"}\n'
    read = load(write(tmp_path / "a.jsonl", GOOD % 1 + deep + GOOD % 2))
    assert ([post.native_id for post in read.posts], [row.where for row in read.rejected]) == (["1", "2"], ["第 2 行"])


def test_a_packed_file_that_is_none_is_said_in_words(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv.gz", "id,text,time\n1,漏水,2026-11-01\n")
    with pytest.raises(FileError, match=r"a\.csv\.gz 第 1 行.*不是完好的 gzip.*重新压缩") as caught:
        plan_file(file)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_any_flipped_byte_of_a_packed_file_is_damage_or_nothing(tmp_path: Path, ending: str) -> None:
    rows = [GOOD % n for n in range(400)]
    text = {"jsonl": "".join(rows), "json": f"[{','.join(rows)}]", "csv": "id,text,time\n" + "".join(f"{n},漏,2026-11-01\n" for n in range(400))}
    whole = bytearray(gzip.compress(text[ending].encode()))
    for place in range(10, len(whole), 7):
        file = tmp_path / f"a.{ending}.gz"
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert all(isinstance(item, Row | RejectedRow) for item in read_rows(file))
        assert any(isinstance(item, Damage) for item in read_rows(file))


def test_a_cut_array_gives_what_is_there(tmp_path: Path) -> None:
    read = load(write(tmp_path / "a.json", f"[{GOOD % 1},{GOOD % 2}, {{"))
    assert [post.native_id for post in read.posts] == ["1", "2"]
    assert read.damage.startswith("第 3 项:不是完整的 JSON")
    assert read.rows == 3


def test_a_sheet_cut_in_the_middle_gives_the_rows_before(tmp_path: Path) -> None:
    change_part(make_sheet(tmp_path / "a.xlsx", 3000), SHEET, lambda body: body[: len(body) // 2])
    read = load(tmp_path / "a.xlsx")
    assert 1000 < len(read.posts) < 2000
    assert "不是完整的 XLSX" in read.damage


def test_a_flipped_byte_in_a_sheet_is_damage(tmp_path: Path) -> None:
    body = bytearray(make_sheet(tmp_path / "a.xlsx", 3000).read_bytes())
    for place in range(100, len(body), len(body) // 60):
        (tmp_path / "b.xlsx").write_bytes(body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :])
        assert all(isinstance(item, Row | RejectedRow) for item in read_rows(tmp_path / "b.xlsx"))


def test_a_workbook_without_a_sheet_is_said_in_words(tmp_path: Path) -> None:
    make_sheet(tmp_path / "a.xlsx", 1)
    change_part(tmp_path / "a.xlsx", "xl/workbook.xml", lambda body: body[: body.index(b"<sheets>")] + b"<sheets/></workbook>")
    with pytest.raises(FileError, match="不是完整的 XLSX"):
        plan_file(tmp_path / "a.xlsx")


def test_the_last_line_without_an_end_is_left_for_later(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,time\n漏水,2026-11-01\n漏水又漏,2026-11-0")
    read = load(file, whole=False)
    assert (read.rows, len(read.posts), read.unfinished) == (1, 1, 1)
    assert (load(file).rows, load(file).unfinished) == (2, 0)


def test_a_field_in_the_middle_of_being_written_is_left_for_later(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'text,time\n漏水,2026-11-01\n"第一行\n第二行\n')
    assert (load(file, whole=False).unfinished, len(load(file, whole=False).posts)) == (1, 1)


def test_a_complete_object_needs_no_line_end(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", (GOOD % 1 + GOOD % 2).rstrip())
    assert len(load(file, whole=False).posts) == 2
    assert (read := load(write(file, (GOOD % 1 + GOOD % 2)[:-9]), whole=False)).unfinished == 1
    assert (len(read.posts), read.rejected) == (1, ())


def test_a_character_cut_in_half_is_left_for_later(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes((GOOD % 1).encode() + '{"text": "漏'.encode()[:-1])
    assert isinstance(list(read_rows(tmp_path / "a.jsonl", whole=False))[-1], Unfinished)


def test_an_open_quote_costs_its_own_line(tmp_path: Path) -> None:
    rows = [f"{n},漏水{n},2026-11-01" for n in range(3000)]
    rows[10] = '10,"没有收尾,2026-11-01'
    rows[2000] = '2000,"两\n行",2026-11-01'
    read = load(write(tmp_path / "a.csv", "\n".join(["id,text,time", *rows])))
    assert [row.where for row in read.rejected] == ["第 12 行"]
    assert f"后面 {collectors.file_csv.MAX_RECORD_LINES - 1} 行已逐行重读" in read.rejected[0].reason
    assert {post.native_id for post in read.posts} == {str(n) for n in range(3000) if n != 10}


def test_an_open_quote_that_the_next_quote_seems_to_close_costs_its_own_line(tmp_path: Path) -> None:
    rows = [f"{n},漏水{n},2026-11-01" for n in range(50)]
    rows[10], rows[30] = '10,"没有收尾,2026-11-01', '30,"好好的",2026-11-01'
    read = load(write(tmp_path / "a.csv", "\n".join(["id,text,time", *rows])))
    assert ([row.where for row in read.rejected], len(read.posts)) == (["第 12 行"], 49)


def test_line_numbers_stay_right_behind_a_field_of_several_lines(tmp_path: Path) -> None:
    read = load(write(tmp_path / "a.csv", 'id,text,time\n1,"一\n二\n三",2026-11-01\n2,,2026-11-01\n'))
    assert (read.posts[0].text, read.rejected[0].where) == ("一\n二\n三", "第 5 行")


def test_quotes_made_to_be_read_again_and_again_end_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.file_csv, "MAX_READ_AGAIN", 2000)
    read: list[str] = []
    given = collectors.file_csv.LineFeed.__next__

    def count(feed: collectors.file_csv.LineFeed) -> str:
        read.append(line := given(feed))
        return line

    monkeypatch.setattr(collectors.file_csv.LineFeed, "__next__", count)
    file = write(tmp_path / "a.csv", "id,text,time\n" + 'a",",c\n' * 5000)
    assert sum(1 for row in read_rows(file) if isinstance(row, RejectedRow)) == 5000
    assert len(read) < 25_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet='a",\n\r\0漏', max_size=12), max_size=12))
def test_no_csv_line_is_lost_without_a_word(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,text,time\n" + "\n".join(lines) + "\n完,漏水,2026-11-01\n", "utf-8", newline="")
    items = list(read_rows(file))
    last = items[-1]
    assert isinstance(last, RejectedRow) or (isinstance(last, Row) and "完" in str(last.values))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("mark", ["\t", ","])
def test_unicode_text_of_excel_is_read(tmp_path: Path, encoding: str, mark: str) -> None:
    text = f"编号{mark}内容{mark}时间\r\n1{mark}上海漏水\u0a0a{mark}2026-11-01\r\n2{mark}漏{mark}2026-11-02\r\n"
    file = write(tmp_path / "a.csv", text if encoding == "utf-16" else "\ufeff" + text, encoding)
    assert [(post.native_id, post.text) for post in load(file).posts] == [("1", "上海漏水\u0a0a"), ("2", "漏")]


def test_a_packed_array_is_never_held_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress(b'{"code": 0, "data": [' + b"{}," * 300_000 + b"{}]}"))
    tracemalloc.start()
    count = sum(1 for _ in read_rows(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 300_001
    assert peak < 8_000_000


def test_one_endless_item_of_an_array_is_damage(tmp_path: Path) -> None:
    items = list(read_rows(write(tmp_path / "a.json", f"[{GOOD % 1}, [{'1,' * 900_000}1]]")))
    assert isinstance(items[-1], Damage)
    assert "超过 1 MB" in items[-1].reason


def test_rows_that_are_never_posts_end_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.files, "MOST_BAD_ROWS", 3000)
    read = load(write(tmp_path / "a.jsonl", GOOD % 1 + '{"text": "没有时间"}\n' * 9000))
    assert (read.rows, len(read.posts)) == (4001, 1)
    assert "连续" in read.damage


@pytest.mark.parametrize(("part", "words"), [("xl/sharedStrings.xml", "150 万格不同的文字"), (SHEET, "600 万格")])
def test_a_sheet_with_too_many_cells_is_not_opened(tmp_path: Path, part: str, words: str) -> None:
    make_sheet(tmp_path / "a.xlsx", 2)
    change_part(tmp_path / "a.xlsx", part, lambda body: b"<si><t>x</t></si>" * (1_500_100 if "Strings" in part else 6_000_100))
    with pytest.raises(FileError, match=rf"超过约 {words}.*另存为 CSV"):
        plan_file(tmp_path / "a.xlsx")


def test_what_a_sheet_says_about_its_size_is_not_believed(tmp_path: Path) -> None:
    make_sheet(tmp_path / "a.xlsx", 2)
    change_part(tmp_path / "a.xlsx", SHEET, lambda body: body.replace(b'"A1:C3"', b'"A1:XFD1048576"').replace(b'<row r="3"', b'<row r="900000000"'))
    rows = [row for row in read_rows(tmp_path / "a.xlsx") if isinstance(row, Row)]
    assert [len(row.values) for row in rows] == [3]


@pytest.mark.parametrize("text", ["", "id,text,time\n", "id,te"])
def test_a_file_with_nothing_but_a_header_is_empty(tmp_path: Path, text: str) -> None:
    with pytest.raises(EmptyFileError):
        plan_file(write(tmp_path / "a.csv", text), whole=False)


def test_rows_without_a_single_column_are_not_taken_for_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="一列也没有"):
        plan_file(write(tmp_path / "a.json", "[{}, {}]"))


def test_a_day_number_of_a_spreadsheet_is_a_time() -> None:
    assert read_time("46000.5", NOW, None) == (parse_iso("2025-12-09T12:00"), TimePrecision.SECOND)
    assert read_time("46000", NOW, None) == (parse_iso("2025-12-09"), TimePrecision.DAY)
    assert read_time("60000", NOW, None) is None

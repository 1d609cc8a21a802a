from __future__ import annotations

from pathlib import Path

import pytest

from nlp.tokens import END, SPECIAL, START, UNKNOWN, PieceReader, fit
from tingfeng.errors import ModelError

SCORED = {**dict.fromkeys(SPECIAL, 0.0), "▁": -3.0, "水": -5.0, "壶": -5.0, "水壶": -6.0, "裂": -5.0, "泪": -5.0, "[泪]": 0.0}
NAMES = list(SCORED)


@pytest.fixture(scope="module")
def reader() -> PieceReader:
    return PieceReader.build(SCORED)


def read(reader: PieceReader, text: str) -> list[str]:
    return [NAMES[number] for number in reader.read([text], 64)[0]]


def test_likeliest_split_wins(reader: PieceReader) -> None:
    assert read(reader, "水壶裂") == ["<s>", "▁", "水壶", "裂", "</s>"]


def test_emoticon_is_one_piece(reader: PieceReader) -> None:
    assert read(reader, "裂[泪]") == ["<s>", "▁", "裂", "[泪]", "</s>"]


def test_traditional_and_full_width_read_alike(reader: PieceReader) -> None:
    assert read(reader, "水壺裂[泪]") == read(reader, "水壶裂[泪]")


def test_strange_character_is_unknown(reader: PieceReader) -> None:
    assert reader.read(["裂龘"], 64)[0][-2:] == [UNKNOWN, END]


@pytest.mark.parametrize("text", ["", " \n", "\ud83d", "\x00"])
def test_nothing_to_read_has_start_and_end(reader: PieceReader, text: str) -> None:
    (numbers,) = reader.read([text], 64)
    assert (numbers[0], numbers[-1]) == (START, END)
    assert len(numbers) <= 3


def test_long_text_keeps_beginning_and_end() -> None:
    assert list(fit(range(100), 8)) == [0, 1, 2, 3, 4, 5, 98, 99]
    assert list(fit([1, 2], 8)) == [1, 2]


def test_long_text_is_no_longer_than_asked(reader: PieceReader) -> None:
    assert len(reader.read(["水壶裂" * 500], 48)[0]) == 48


def test_spans_are_characters_of_the_text(reader: PieceReader) -> None:
    numbers, spans = reader.read_spans("水壶裂")
    assert [(NAMES[number], span) for number, span in zip(numbers, spans, strict=True)][1:] == [("水壶", (0, 2)), ("裂", (2, 3))]


def test_saved_reader_reads_the_same(reader: PieceReader, tmp_path: Path) -> None:
    reader.save(tmp_path / "pieces.json")
    again = PieceReader.load(tmp_path / "pieces.json", "")
    assert again.read(["水壶裂[泪]"], 64) == reader.read(["水壶裂[泪]"], 64)
    assert again.count() == len(SCORED)


@pytest.mark.parametrize("content", [None, "", "{}", '{"model": 1}'])
def test_damaged_file_is_named_with_the_hint(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "pieces.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"pieces\.json.*重新训练"):
        PieceReader.load(tmp_path / "pieces.json", "重新训练")

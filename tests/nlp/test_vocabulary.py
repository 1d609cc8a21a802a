from __future__ import annotations

import pytest

from nlp.tokens import SPECIAL
from nlp.vocabulary import EMOTICON_SCORE, choose_pieces, find_sources, is_basic

SCORED = {
    **dict.fromkeys(SPECIAL, 0.0), "▁": -3.0, "水": -6.0, "壶": -6.0, "泪": -6.0, "目": -6.0, "水壶": -7.0, "台灯": -7.0,
    "▁kettle": -8.0, "x": -7.0, "é": -7.0, "壺": -7.0, "[": -5.0, "]": -5.0,
}  # fmt: skip


def test_used_pieces_stay_and_unused_ones_go() -> None:
    chosen = choose_pieces(SCORED, ["水壶"] * 3 + ["台灯"] * 2)
    assert "水壶" in chosen
    assert "台灯" not in chosen
    assert "▁kettle" not in chosen


def test_special_pieces_keep_their_places() -> None:
    assert tuple(choose_pieces(SCORED, ["水壶"]))[: len(SPECIAL)] == SPECIAL


def test_common_emoticon_becomes_a_piece_and_a_rare_one_does_not() -> None:
    chosen = choose_pieces(SCORED, ["水壶[泪]"] * 8 + ["水壶[目]"] * 2)
    assert chosen["[泪]"] == EMOTICON_SCORE
    assert "[目]" not in chosen


@pytest.mark.parametrize(("piece", "kept"), [("水", True), ("▁x", True), ("▁", True), ("壺", False), ("é", False), ("水壶", False)])
def test_single_signs_of_normalised_texts_are_basic(piece: str, kept: bool) -> None:
    assert is_basic(piece) is kept


def test_piece_begins_as_itself_and_emoticon_as_its_word() -> None:
    place = {piece: number for number, piece in enumerate(SCORED)}
    assert find_sources(SCORED, ["水壶", "[泪]", "[水目]"]) == [[place["水壶"]], [place["泪"]], [place["水"], place["目"]]]

from __future__ import annotations

from nlp.marking import OTHER, OWN, mark_subject
from nlp.tokens import SPECIAL, PieceReader


def test_names_become_marks() -> None:
    assert mark_subject("暖芽比橙屿好", [(0, 2)], [(3, 5)]) == f"{OWN}比{OTHER}好"


def test_text_without_names_stays_as_it_is() -> None:
    assert mark_subject("送得快", [], []) == "送得快"


def test_of_overlapping_names_the_first_stands_and_the_own_before_the_other() -> None:
    assert mark_subject("暖芽水壶好", [(0, 2)], [(0, 4)]) == f"{OWN}水壶好"
    assert mark_subject("大暖芽好", [(1, 3)], [(0, 3)]) == f"{OTHER}好"


def test_a_mark_is_read_as_one_piece() -> None:
    reader = PieceReader.build({**dict.fromkeys(SPECIAL, 0.0), "▁": -1.0, **dict.fromkeys("[]本家别好", -2.0), OWN: 0.0, OTHER: 0.0})
    (row,) = reader.read([f"好{OWN}好{OTHER}"], 20)
    assert len(row) == 2 + 5


def test_the_shipped_encoder_reads_marks() -> None:
    from nlp.encoder_judge import PIECES_FILE
    from nlp.sentiment import ENCODER_FOLDER

    reader = PieceReader.load(ENCODER_FOLDER / PIECES_FILE, "")
    own, other = (reader.read([mark], 9)[0][-2] for mark in (OWN, OTHER))
    assert (own, other) == (reader.count() - 2, reader.count() - 1)

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np

from nlp.labelled import leave_out, read_split
from nlp.lessons import CHUNK, Deck, cut_batches, read_car_aspects, read_lessons
from nlp.outputs import CAR_ASPECTS, SIZES, STARTS, WIDTH, Lesson, mark, one_hot, pack_targets


def deck(counts: dict[str, int], mix: dict[str, float], seed: int = 7) -> Deck:
    return Deck.shuffle([Lesson(source, f"{source}{n}", {}) for source, count in counts.items() for n in range(count)], mix, seed)


def test_targets_stand_at_the_places_of_their_head() -> None:
    targets, known = pack_targets([Lesson("osh", "好", {"severity": one_hot(4, 2)}), Lesson("osh", "坏", {})])
    assert targets.shape == (2, WIDTH)
    assert targets[0].nonzero()[0].tolist() == [STARTS["severity"] + 2]
    assert known.sum(axis=1).tolist() == [1, 0]


def test_heads_do_not_overlap() -> None:
    ends = [STARTS[name] + size for name, size in SIZES.items()]
    assert [*list(STARTS.values())[1:], WIDTH] == ends


def test_chunk_depends_on_seed_and_number_alone() -> None:
    mine, yours = deck({"a": 50, "b": 700}, {"a": 0.5, "b": 0.5}), deck({"a": 50, "b": 700}, {"a": 0.5, "b": 0.5})
    first = [mine.deal(chunk) for chunk in range(4)]
    assert (yours.deal(3) == first[3]).all()
    assert not (mine.deal(2) == first[3]).all()
    assert not (deck({"a": 50, "b": 700}, {"a": 0.5, "b": 0.5}, seed=8).deal(0) == first[0]).all()


def test_source_goes_round_all_its_rows_before_any_comes_again() -> None:
    dealt = np.concatenate([deck({"a": CHUNK // 2 * 3}, {"a": 1.0}).deal(chunk) for chunk in range(3)])
    assert sorted(Counter(dealt.tolist()).values()) == [2] * (CHUNK // 2 * 3)


def test_shares_of_missing_sources_go_to_the_others() -> None:
    dealt = deck({"a": 3000, "c": 9}, {"a": 0.2, "b": 0.8}).deal(0)
    assert len(dealt) == CHUNK
    assert dealt.max() < 3000


def test_batches_hold_every_text_once_and_stay_within_the_budget() -> None:
    lengths = np.random.default_rng(3).integers(3, 90, 500)
    batches = list(cut_batches(lengths, 900, np.random.default_rng(1)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert all(len(batch) * lengths[batch].max() <= 900 for batch in batches)


def test_text_longer_than_the_budget_goes_alone() -> None:
    assert [len(batch) for batch in cut_batches(np.array([50, 60]), 40, np.random.default_rng(1))] == [1, 1]


def write_cars(folder: Path, *rows: str) -> None:
    with gzip.open(folder / "ccf_bdci2018_auto.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write("\n".join(("content_id,content,subject,sentiment_value,sentiment_word", *rows)) + "\n")


def test_car_aspects_of_one_text_are_gathered(tmp_path: Path) -> None:
    write_cars(tmp_path, "1,这车省油但贵。,油耗,1,省", "1,这车省油但贵,价格,-1,贵", "2,内饰一般,内饰,0,")
    (first, second) = read_car_aspects(tmp_path).values()
    assert first.aspects == {"油耗", "价格"}
    assert mark(CAR_ASPECTS, second.aspects)[CAR_ASPECTS.index("内饰")] == 1.0


def test_lessons_hold_sentiment_and_leave_the_held_out_category_away(labelled_folder: Path) -> None:
    lessons = read_lessons(labelled_folder, "train")
    assert len(lessons) == len(leave_out(read_split(labelled_folder, "train"))) < len(read_split(labelled_folder, "train"))
    assert all(sum(lesson.targets["sentiment"]) == 1 for lesson in lessons)
    assert {lesson.source for lesson in lessons if lesson.polar} == {"osh"}

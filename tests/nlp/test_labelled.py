from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from nlp.labelled import (
    ORIGINS,
    hash_file,
    hold_out,
    read_file,
    read_letters,
    read_split,
    read_unseen,
    strip_emoticons,
)
from tingfeng.errors import UsageError

HEAD = "src\tlabel\tcat\ttext"


def write_splits(folder: Path, **splits: list[str]) -> Path:
    for split in ("train", "dev", "test"):
        with gzip.open(folder / f"sentiment_{split}.tsv.gz", "wt", encoding="utf-8") as stream:
            stream.write("\n".join([HEAD, *splits.get(split, [])]) + "\n")
    return folder


def test_published_splits_stay_as_they_are(labelled_folder: Path) -> None:
    rows = [row for row in read_split(labelled_folder, "train") if row.source == "osh"]
    assert len(rows) == 120


def test_train_only_source_is_held_out_by_hash_and_disjoint(labelled_folder: Path) -> None:
    parts = [
        {row.text for row in read_split(labelled_folder, split) if row.source == "smp_u"}
        for split in ("train", "dev", "test")
    ]
    assert sum(map(len, parts)) == 150 == len(set.union(*parts))
    assert all(parts)


def test_hold_out_is_the_same_on_every_machine() -> None:
    assert [hold_out(text) for text in ("背包6", "背包15", "背包7")] == ["dev", "test", "train"]


def test_missing_file_says_which_and_how(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sentiment_train\.tsv\.gz.*--data"):
        read_split(tmp_path, "train")


@pytest.mark.parametrize("row", ["osh\tnegative\t家居", "osh\tangry\t家居\t裂了", "osh\t\t\t裂了"])
def test_row_that_is_not_one_is_refused_with_its_number(tmp_path: Path, row: str) -> None:
    folder = write_splits(tmp_path, train=["osh\tpositive\t家居\t好用", row])
    with pytest.raises(UsageError, match="第 3 行"):
        read_file(folder, "train")


def test_label_becomes_an_index(tmp_path: Path) -> None:
    folder = write_splits(tmp_path, test=[f"a\t{label}\t\t句子" for label in ("negative", "neutral", "positive")])
    assert [row.label for row in read_file(folder, "test")] == [0, 1, 2]


def test_unseen_sentences_put_the_term_back(labelled_folder: Path) -> None:
    assert [(row.source, row.label, row.text) for row in read_unseen(labelled_folder)] == [
        ("apc/mooc", 0, "声音听不清"),
        ("apc/mooc", 2, "老师讲得好"),
    ]


def test_unseen_sentence_whose_terms_disagree_is_left_out(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "apc_car_train.txt.gz", "wt", encoding="utf-8") as stream:
        stream.write("$T$ 好,油耗高\n外观\nPositive\n外观好,$T$ 高\n油耗\nNegative\n$T$ 稳\n底盘\nPositive\n")
    assert [row.text for row in read_unseen(tmp_path)] == ["底盘稳"]


def test_no_unseen_files_give_no_rows(tmp_path: Path) -> None:
    assert read_unseen(tmp_path) == []


def test_emoticons_are_stripped_but_other_brackets_stay() -> None:
    assert strip_emoticons("[泪]裂了[抓狂] [1, 2] [这是一个很长的说明]") == "裂了 [1, 2] [这是一个很长的说明]"


def test_letters_ignore_marks_case_and_emoticons() -> None:
    assert read_letters("好用!!App[哈哈]") == read_letters("好用,app") == "好用app"


def test_hash_file_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert hash_file(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_every_published_source_has_a_licence_note() -> None:
    assert all(licence for _, _, licence in ORIGINS.values())
    assert {"osh", "wb100k", "weibo2018", "smp_u", "smp_v", "emo8", "ccf", "resto"} <= set(ORIGINS)

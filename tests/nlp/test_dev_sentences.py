"""Invented sentences, labelled by the guide before the rules were run on them: what the rules must keep getting right, and how much of the rest.

`sentences.tsv` was used to write the rules; `sentences2.tsv` and `sentences3.tsv` were each run once unseen and then used too:
neither measures how well the rules do on texts they have not seen.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from nlp.aspects import merge_opinions
from nlp.lexicon import Lexicon, build_lexicon
from nlp.rules import Ruled, apply_rules
from tingfeng.labels import PostKind

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent / "dev"
SIGNS = {"positive": "+", "negative": "-", "neutral": "~"}
FIELDS: dict[str, Callable[[Ruled], set[str]]] = {
    "acts": lambda ruled: set(map(str, ruled.acts)),
    "topics": lambda ruled: {f"{one.topic}{SIGNS[one.polarity]}" for one in merge_opinions(ruled.found)},
    "severity": lambda ruled: {str(ruled.severity)},
    "demands": lambda ruled: set(ruled.demands),
    "effort": lambda ruled: {f"{name}={value}" for name, value in ruled.effort.items()},
    "owner": lambda ruled: {str(ruled.owner)},
    "stage": lambda ruled: {str(ruled.stage)},
}
# left blank where the text does not let one see it
MAY_BE_BLANK = ("owner", "stage")


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    folder = ROOT / "config" / "lexicon"
    names = ("acts", "harm", "tone", "demands", "journey")
    tables = {name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in names}
    return build_lexicon({"aspects": tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8")), **tables}, "")


def read_rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def right_fields(row: dict[str, str]) -> dict[str, bool]:
    ruled = apply_rules(row["text"], PostKind.ORIGINAL, lexicon())
    asked = [field for field in FIELDS if row[field] or field not in MAY_BE_BLANK]
    return {field: FIELDS[field](ruled) == set(row[field].split()) for field in asked}


def test_every_sentence_has_labels_of_the_closed_sets() -> None:
    rows = read_rows("sentences") + read_rows("sentences2") + read_rows("sentences3")
    assert len(rows) >= 200
    assert all(row["acts"] and row["severity"] for row in rows)


@pytest.mark.parametrize("row", read_rows("kept"), ids=lambda row: row["text"])
def test_sentence_is_judged_as_labelled(row: dict[str, str]) -> None:
    assert [field for field, right in right_fields(row).items() if not right] == []


@pytest.mark.parametrize(
    ("field", "floor"),
    [("acts", 0.92), ("topics", 0.72), ("severity", 0.94), ("demands", 0.98), ("effort", 0.98), ("owner", 0.82), ("stage", 0.88)],
)  # fmt: skip
def test_share_of_sentences_with_a_right_field_does_not_fall(field: str, floor: float) -> None:
    told = [right_fields(row) for row in read_rows("sentences") + read_rows("sentences2") + read_rows("sentences3")]
    asked = [one[field] for one in told if field in one]
    assert sum(asked) / len(asked) >= floor

"""Normalisation and units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tingfeng.text import BOUNDARY, encode_text, normalise, simplified_table, split_units, unit_spans


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("蘋果手機", "苹果手机"),
        ("ＡＢＣ１２", "abc12"),
        ("a\u200bb", "ab"),
        ("坏\ud83d了", "坏了"),
        ("  好  的\n", "好 的"),
        ("Café", "café"),
        ("", ""),
    ],
)
def test_normalise(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("小米 SU7", ["小", "米", "su7"]),
        ("小米SU7", ["小", "米", "su7"]),
        ("退,款!!!", ["退", BOUNDARY, "款", BOUNDARY]),
        ("new balance", ["new", "balance"]),
        ("好😀的", ["好", BOUNDARY, "的"]),
        ("a_b", ["a", BOUNDARY, "b"]),
    ],
)
def test_units(raw: str, expected: list[str]) -> None:
    assert split_units(normalise(raw)) == expected


@given(st.text())
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_spans_point_at_their_units(text: str) -> None:
    plain = normalise(text)
    assert all(unit in (BOUNDARY, plain[start:end]) for unit, start, end in unit_spans(plain))


def test_encoded_text_is_found_by_substring() -> None:
    assert encode_text("退款") in encode_text("我要退款!")
    assert encode_text("su") not in encode_text("小米SU7")


def test_every_character_of_the_script_table_is_folded_for_good() -> None:
    table = simplified_table()
    assert [chr(code) for code, new in table.items() if ord(new) in table] == []

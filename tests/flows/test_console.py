"""What a post says is shown, never obeyed."""

from __future__ import annotations

import json

import pytest

from flows.console import print_json, print_line, print_note, print_table

HOSTILE = "红\x1b[31m\x1b]0;标题\x07\u202e倒\x9b2J\t好\n"


def test_a_terminal_gets_nothing_to_obey(capsys: pytest.CaptureFixture[str]) -> None:
    print_line(HOSTILE)
    print_note(HOSTILE)
    print_table("表", ("正文",), [(HOSTILE,)])
    print_json({"text": HOSTILE})
    said = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & {*said.out, *said.err}
    assert "\\x1b[31m" in said.out


def test_json_keeps_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": HOSTILE})
    assert json.loads(capsys.readouterr().out) == {"text": HOSTILE}

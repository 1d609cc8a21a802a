"""The demo's recorded responses are what the generator makes, and small."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from benchmarks.demo_pack import PACK, list_passes, write_pack
from benchmarks.demo_world import CRISIS_AT, FESTIVAL, World
from benchmarks.report import describe_benchmarks


@pytest.mark.slow
def test_pack_is_what_the_generator_makes(tmp_path: Path) -> None:
    write_pack(tmp_path / "pack.xz")
    made, kept = (lzma.decompress(file.read_bytes()).decode() for file in (tmp_path / "pack.xz", PACK))
    assert made == kept


def test_pack_is_small() -> None:
    assert PACK.stat().st_size < 3_000_000


def test_world_holds_what_the_demo_promises() -> None:
    posts = World().posts
    kinds = {post.what for post in posts}
    assert kinds == {"negative", "positive", "neutral", "question", "suggestion", "ad", "news", "noise", "crisis"}
    assert len({post.text for post in posts}) > 4000
    festival = [post for post in posts if FESTIVAL[0] <= post.at < FESTIVAL[1]]
    usual = [post for post in posts if post.at < FESTIVAL[0]]
    shares = [sum(post.what == "negative" for post in group) / len(group) for group in (festival, usual)]
    assert abs(shares[0] - shares[1]) < 0.04
    assert min(post.at for post in posts if post.what == "crisis") >= CRISIS_AT


def test_passes_are_in_order_and_dense_in_the_crisis() -> None:
    passes = list_passes()
    assert passes == sorted(set(passes))
    assert sum(at >= CRISIS_AT for at in passes) > 40


def test_page_of_figures_names_command_machine_and_date() -> None:
    page = describe_benchmarks()
    assert "make bench" in page

"""What people corrected teaches the encoder's last word: installed when nothing else is judged otherwise, else refused with numbers.

The shipped encoder, a real store, invented sentences. An idiom of this firm's customers stands for what no shipped model can know.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows import teach_encoder as lesson
from flows.analyse import analyse_posts
from flows.collect import Tally, store_file
from flows.models import ENCODER, find_installed
from flows.people import correct_mention
from flows.rejudge import Job, rejudge_posts
from flows.teach import STRENGTHS, Taught, teach
from flows.teach_encoder import open_encoder
from flows.wiring import Wiring
from nlp.gate import Comparison, compare_kept
from nlp.heads import HeadWord
from nlp.layer import WEIGHTS_FILE
from nlp.sentiment import ENCODER_ENGINE, LAYER_FILE, TAUGHT_ENGINE
from store.posts import Hit
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.errors import ModelError, UsageError
from tingfeng.labels import PostKind, Sentiment
from tingfeng.records import Post
from tingfeng.settings import find_paths, load_settings

NOW = parse_iso("2026-11-14T18:00")
THINGS = ("水壶", "台灯", "雨伞", "暖风机", "饭盒", "毛毯", "加湿器", "电饭锅")
CONFIG = '[[subjects]]\nname = "暖芽"\n[[subjects]]\nname = "橙屿"\ncompetitor = true\n'
SAID = (
    "用两天就裂了", "客服推来推去没人处理,要求退款", "味道刺鼻", "周五开始销售", "说明书共八页", "有三种颜色", "很满意,推荐", "好用,家人都喜欢",
    "送得快,包装仔细", "多久换一次滤芯?", "建议加个提示音", "漏电,手被电了一下",
)  # fmt: skip
IDIOM = ("又是祖传手艺", "又显了祖传手艺,佩服", "还是那个祖传手艺", "祖传手艺果然名不虚传")


def invent_rows() -> list[dict[str, str]]:
    """160 plain posts, and 60 with the idiom."""
    chance = random.Random(3)
    brands = [chance.choice(("暖芽", "橙屿")) for _ in range(160)]
    plain = [f"第{n}天,{brand}的{chance.choice(THINGS)}{','.join(chance.sample(SAID, 2))}" for n, brand in enumerate(brands)]
    odd = [f"{n}号楼买的暖芽{THINGS[n % 8]},{IDIOM[n % 4]}" for n in range(60)]
    return [{"id": str(n), "text": text, "time": "2026-11-14 10:00"} for n, text in enumerate([*plain, *odd])]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder in which the posts were judged and the idiom was corrected, made once."""
    folder = tmp_path_factory.mktemp("judged")
    wiring = open_state(folder / "state")
    (folder / "posts.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in invent_rows()), "utf-8")
    store_file(wiring, folder / "posts.jsonl", Tally(), source="forum")
    analyse_posts(wiring)
    for hit in find_hits(wiring, "祖传"):
        correct_mention(wiring, hit.post.id, "暖芽", "li", sentiment="negative", acts=["complaint"], severity="annoyance")
    wiring.close()
    return folder / "state"


@pytest.fixture(scope="module")
def installed(judged: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Taught]:
    """A state folder in which the encoder was taught, made once."""
    folder = tmp_path_factory.mktemp("installed") / "state"
    shutil.copytree(judged, folder)
    wiring = open_state(folder)
    taught = teach_encoder(wiring)
    wiring.close()
    return folder, taught


def open_state(folder: Path) -> Wiring:
    """With a configuration beside it."""
    values = {"TINGFENG_HOME": str(folder)}
    (folder.parent / "config").mkdir(exist_ok=True)
    (folder.parent / "config" / "tingfeng.toml").write_text(CONFIG, "utf-8")
    paths = find_paths(values, folder.parent)
    return Wiring(paths, load_settings(paths, values), values, SimulatedClock(NOW))


@pytest.fixture
def wiring(judged: Path, place: Path, open_place: Any) -> Wiring:
    """Over a copy of the judged posts."""
    shutil.copytree(judged, place / "var", dirs_exist_ok=True)
    found: Wiring = open_place(clock=SimulatedClock(NOW))
    return found


@pytest.fixture
def models(installed: tuple[Path, Taught], place: Path) -> Path:
    """The folder of models in a copy of what was taught; open the place to use it."""
    shutil.copytree(installed[0], place / "var", dirs_exist_ok=True)
    return place / "var" / "models"


def find_hits(wiring: Wiring, words: str) -> list[Hit]:
    return [hit for hit in wiring.posts.search(limit=400).hits if words in hit.post.text]


def teach_encoder(wiring: Wiring) -> Taught:
    return teach(wiring, lambda: open_encoder(wiring), "li")


def test_what_was_learnt_is_installed_and_audited(installed: tuple[Path, Taught]) -> None:
    home, taught = installed
    assert taught.refusals == []
    assert taught.folder == home / "models" / taught.new == find_installed(home, ENCODER)
    assert (taught.used + taught.held, taught.skipped, taught.in_use) == (60, 0, True)
    assert taught.new.startswith(f"{taught.old}-")
    entry = open_state(home).desk.audit(1)[0]
    assert (entry.action, entry.target) == ("model.install", taught.new)


def test_new_posts_are_judged_by_it_from_the_next_start(wiring: Wiring, models: Path, installed: tuple[Path, Taught], open_place: Any) -> None:
    again: Wiring = open_place(clock=SimulatedClock(NOW))
    assert again.pipeline.model.startswith(f"{installed[1].new}+heads+")
    assert again.pipeline.engine == TAUGHT_ENGINE
    fresh = Post("forum", "new", PostKind.ORIGINAL, "暖芽台灯,祖传手艺名不虚传", NOW)
    told = [one.pipeline.judge([fresh]).posts[0].mentions[0].sentiment for one in (wiring, again)]
    assert told == [Sentiment.NEUTRAL, Sentiment.NEGATIVE]


def test_history_is_judged_again_by_it_and_corrections_stand(models: Path, open_place: Any) -> None:
    again: Wiring = open_place(clock=SimulatedClock(NOW))
    before = {hit.mention.id: hit.mention.sentiment for hit in find_hits(again, "天,") if hit.mention}
    report = rejudge_posts(again, Job("", None, None, again.pipeline.model))
    assert (report.counts["posts"], report.counts["corrected"]) == (220, 60)
    after = {hit.mention.id: hit.mention for hit in find_hits(again, "天,") if hit.mention}
    assert {one.model for one in after.values()} == {again.pipeline.model}
    assert np.mean([after[id].sentiment is label for id, label in before.items()]) >= 0.97
    assert all(hit.mention and hit.mention.sentiment is Sentiment.NEGATIVE for hit in find_hits(again, "祖传"))


def test_the_same_corrections_teach_nothing_twice(models: Path, installed: tuple[Path, Taught], open_place: Any) -> None:
    twice = teach_encoder(open_place(clock=SimulatedClock(NOW)))
    assert (twice.old, twice.folder) == (installed[1].new, None)
    assert "没有变好" in twice.refusals[0].words


def test_what_would_change_too_much_else_is_refused_with_numbers_and_nothing_is_touched(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.commands.train_command import show_taught

    def spoil(old: Sequence[HeadWord], new: Sequence[HeadWord]) -> list[Comparison]:
        return compare_kept(old, [replace(one, sentiment=Sentiment.NEUTRAL) for one in new])

    monkeypatch.setattr(lesson, "compare_kept", spoil)
    taught = teach_encoder(wiring)
    assert (taught.folder, taught.strength) == (None, STRENGTHS[-1])
    assert not (wiring.home / "models").exists()
    assert "model.install" not in {one.action for one in wiring.desk.audit()}
    assert show_taught(taught) == 1
    told = capsys.readouterr().out
    assert "现在一致:情感:1.0000 →" in told
    assert f"仍用 {taught.old}" in told


def test_without_the_pointer_the_shipped_one_judges_again(models: Path, installed: tuple[Path, Taught], open_place: Any) -> None:
    (models / "installed-encoder.txt").unlink()
    again: Wiring = open_place(clock=SimulatedClock(NOW))
    assert (again.pipeline.model.split("+")[0], again.pipeline.engine) == (installed[1].old, ENCODER_ENGINE)


@pytest.mark.parametrize("name", [LAYER_FILE, WEIGHTS_FILE])
def test_a_damaged_layer_is_named_and_the_shipped_one_judges(models: Path, installed: tuple[Path, Taught], tingfeng: Any, name: str) -> None:
    (models / installed[1].new / name).write_bytes(b"{")
    told = {row["name"]: row for row in tingfeng("doctor", "--json").json}["模型"]
    assert told["state"] == "warn"
    assert told["words"].startswith(f"{installed[1].old}+")
    assert name in told["words"]
    assert "installed-encoder.txt" in told["words"]


def test_a_layer_of_another_encoder_is_not_used(models: Path, installed: tuple[Path, Taught], open_place: Any) -> None:
    file = models / installed[1].new / LAYER_FILE
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"base": "00000000"}), "utf-8")
    again: Wiring = open_place(clock=SimulatedClock(NOW))
    assert again.pipeline.model.split("+")[0] == installed[1].old
    assert "不是教这个编码器" in again.pipeline.engine


def test_a_layer_that_is_gone_is_named(wiring: Wiring, open_place: Any) -> None:
    (wiring.home / "models").mkdir()
    (wiring.home / "models" / "installed-encoder.txt").write_text("encoder-gone\n", "utf-8")
    with pytest.raises(ModelError, match=r"encoder-gone.*installed-encoder\.txt"):
        open_place()


def test_corrections_alone_prove_nothing(wiring: Wiring) -> None:
    for hit in find_hits(wiring, "天,")[:80]:
        assert hit.mention is not None
        correct_mention(wiring, hit.post.id, hit.mention.subject, "li", severity=str(hit.mention.severity))
    with pytest.raises(UsageError, match=r"量不出.*--data"):
        open_encoder(wiring)


def test_labelled_sentences_are_measured_too_where_there_are_any(wiring: Wiring, data: Path) -> None:
    taught = teach(wiring, lambda: open_encoder(wiring, data), "li")
    assert [one.what for one in taught.comparisons if "集合平均" in one.what and not one.is_worse] != []


def test_the_command_teaches_the_configured_model_without_data(wiring: Wiring, place: Path, tingfeng: Any) -> None:
    result = tingfeng("train", "--with-corrections")
    assert (result.code, "已装上 encoder-" in result.out, "tingfeng rejudge" in result.out) == (0, True, True), result
    told = tingfeng("judge", stdin='{"id": "1", "text": "暖芽台灯,祖传手艺名不虚传"}').json
    assert (told["engine"], told["subjects"][0]["sentiment"]) == (TAUGHT_ENGINE, "negative")
    config = place / "config" / "tingfeng.toml"
    config.write_text('[nlp]\nmodel = "linear"\n' + config.read_text("utf-8"), "utf-8")
    assert "--data" in tingfeng("train", "--with-corrections").err

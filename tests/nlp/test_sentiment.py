from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nlp.sentiment import (
    CLASSES,
    FOLDER,
    LinearSentiment,
    choose_label,
    load_sentiment,
    softmax,
)
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

ALIKE = {str(label): 0.3333 for label in CLASSES}


@pytest.fixture(scope="module")
def judge() -> LinearSentiment:
    return LinearSentiment.load()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


def change_settings(folder: Path, **changes: object) -> None:
    file = folder / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


def read_labels(judge: LinearSentiment, texts: list[str]) -> set[Sentiment]:
    return {judge.label(row) for row in judge.judge(texts)}


def test_plain_complaints_are_negative(judge: LinearSentiment) -> None:
    texts = [
        "买的洗衣机用了三天就坏了,客服一直推脱不给退",
        "订单已经二十天没有发货,打电话没人接",
        "商家虚假宣传,收到的货与描述不符,拒绝退货",
        "垃圾软件,一打开就闪退",
        "快递丢了三次,投诉也没人管",
    ]
    assert read_labels(judge, texts) == {Sentiment.NEGATIVE}


def test_plain_praise_is_positive(judge: LinearSentiment) -> None:
    texts = ["物流很快,包装完好", "手机拍照很清楚,续航也不错,推荐", "质量非常好,家人很喜欢"]
    assert read_labels(judge, texts) == {Sentiment.POSITIVE}


def test_news_titles_are_not_negative(judge: LinearSentiment) -> None:
    texts = [
        "星辰汽车公布三季度财报,营收同比增长",
        "蓝鲸咖啡宣布与电影联名",
        "青松牛奶登陆港股",
        "云杉公司任命新的首席执行官",
        "董事长出席行业论坛并发表讲话",
        "多家平台公布春节配送安排",
    ]
    assert Sentiment.NEGATIVE not in read_labels(judge, texts)


def test_probabilities_cover_the_classes_and_add_up(judge: LinearSentiment) -> None:
    for row in judge.judge(["台灯很亮", "水壶裂了", "。", "a" * 5000]):
        assert list(row) == [str(label) for label in CLASSES]
        assert sum(row.values()) == pytest.approx(1, abs=2e-4)


@pytest.mark.parametrize("text", ["", "  \n", "\u200b", "\ud83d"])
def test_nothing_to_read_is_uncertain(judge: LinearSentiment, text: str) -> None:
    (row,) = judge.judge([text])
    assert row == ALIKE
    assert judge.label(row) is Sentiment.UNCERTAIN


def test_half_surrogate_changes_nothing(judge: LinearSentiment) -> None:
    assert judge.judge(["水壶\ud83d裂了"]) == judge.judge(["水壶裂了"])


def test_no_texts_give_no_rows(judge: LinearSentiment) -> None:
    assert judge.judge([]) == []


def test_answer_does_not_depend_on_the_batch(judge: LinearSentiment) -> None:
    texts = [f"第{number}个台灯{'很亮' if number % 2 else '坏了'}" for number in range(600)]
    assert judge.judge(texts)[500] == judge.judge([texts[500]])[0]


def test_label_below_threshold_is_uncertain() -> None:
    row = {"negative": 0.5, "neutral": 0.3, "positive": 0.2}
    assert choose_label(row, 0.5) is Sentiment.NEGATIVE
    assert choose_label(row, 0.51) is Sentiment.UNCERTAIN


def test_softmax_survives_large_scores() -> None:
    assert softmax(np.array([[1000.0, 0.0, -1000.0]])).tolist() == [[1.0, 0.0, 0.0]]


def test_name_carries_the_version_of_the_weights(judge: LinearSentiment) -> None:
    found = json.loads((FOLDER / "model.json").read_text("utf-8"))
    assert judge.name == f"linear-{found['version']}"
    assert len(found["version"]) == 8


def test_shipped_weights_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 1_500_000


def test_linear_is_the_packaged_model(judge: LinearSentiment) -> None:
    assert load_sentiment("linear").name == judge.name


@pytest.mark.parametrize("name", ["weights.npz", "model.json"])
def test_missing_file_is_named_with_the_command(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}.*tingfeng train"):
        LinearSentiment.load(copied)


@pytest.mark.parametrize("name", ["weights.npz", "model.json"])
@pytest.mark.parametrize("keep", [0, 10, 200])
def test_cut_off_file_is_named_with_the_command(copied: Path, name: str, keep: int) -> None:
    (copied / name).write_bytes((copied / name).read_bytes()[:keep])
    with pytest.raises(ModelError, match=rf"{name}.*tingfeng train"):
        LinearSentiment.load(copied)


def test_flipped_bytes_in_the_weights_are_found(copied: Path) -> None:
    content = bytearray((copied / "weights.npz").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    (copied / "weights.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.npz"):
        LinearSentiment.load(copied)


def test_weights_of_another_training_are_refused(copied: Path) -> None:
    change_settings(copied, version="00000000")
    with pytest.raises(ModelError, match="不是同一次训练"):
        LinearSentiment.load(copied)


@pytest.mark.parametrize(
    "changes",
    [{"classes": ["positive", "neutral", "negative"]}, {"buckets": 1024}, {"scale": [1.0]}, {"temperature": 0}],
)
def test_settings_that_do_not_fit_are_refused(copied: Path, changes: dict[str, object]) -> None:
    change_settings(copied, **changes)
    with pytest.raises(ModelError, match=r"model\.json.*不合"):
        LinearSentiment.load(copied)


@pytest.mark.parametrize("content", ["[]", "null", '{"scale": 3}', '{"scale": [null]}'])
def test_settings_of_another_shape_are_refused(copied: Path, content: str) -> None:
    (copied / "model.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"model\.json"):
        LinearSentiment.load(copied)


def test_weights_of_another_shape_are_refused(copied: Path) -> None:
    np.savez(copied / "weights.npz", weights=np.zeros((4, 3), dtype=np.int8))
    with pytest.raises(ModelError, match="形状"):
        LinearSentiment.load(copied)

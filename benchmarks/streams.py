"""`python -m benchmarks.streams DATA`: how fast a stream of real texts is judged, and what the cascade costs. Writes results_streams.json.

DATA holds `hotsearch` (titles in the order of days, the same one again as long as it is on the list) and `nlp` (labelled texts). The whole
judging step is measured on the titles, each taken for a post about one subject, which is the dearest case; with the memory for texts that
were judged before, and without. The cascade (`[nlp] model = "fast"`) judges sentiment only, so it is compared by that.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from nlp.labelled import Labelled, name_set, read_split, read_unseen
from nlp.pipeline import Pipeline
from nlp.sentiment import CLASSES, SentimentJudge, load_sentiment
from tingfeng.labels import PostKind, Sentiment
from tingfeng.records import JudgedPost, Post, Subject

RESULTS = Path(__file__).resolve().parent / "results_streams.json"
MONTH = "2022-12"
SUBJECT = Subject("暖芽")
BATCH = 500
CHECKED = 2000
SAMPLE = 1000
NEUTRAL = CLASSES.index(Sentiment.NEUTRAL)


@dataclass(frozen=True)
class StreamRow:
    """One way of judging on one stream. `right`: mean accuracy over the sets, where they are labelled."""

    name: str
    texts: int
    distinct: int
    per_second: int
    right: float | None = None
    note: str = ""


def read_stream(folder: Path) -> list[str]:
    """Titles of a month in the order of the archive."""
    titles = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            titles += [row["title"] for row in map(json.loads, lines) if row["date"].startswith(MONTH)]
    return titles


def make_posts(titles: Sequence[str]) -> list[Post]:
    """Posts about SUBJECT, whether they name it or not."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    return [
        Post("s", str(n), PostKind.ORIGINAL, title, start + timedelta(seconds=n), extras={"about": SUBJECT.name})
        for n, title in enumerate(titles)
    ]


def open_pipeline(model: str = "") -> Pipeline:
    """The judge as configured by default or with another model, with nothing in its memory."""
    from flows.wiring import Wiring
    from tingfeng.settings import Paths, config_folder, load_settings

    folder = config_folder()
    paths = Paths(home=Path(tempfile.mkdtemp()), config_folder=folder, config_file=folder / "demo" / "demo.toml")
    settings = load_settings(paths, {})
    if model:
        settings = settings.model_copy(update={"nlp": settings.nlp.model_copy(update={"model": model})})
    pipeline = Wiring(paths, settings, {}).pipeline
    pipeline.judge(make_posts(["预热"]))
    return pipeline


def judge_all(pipeline: Pipeline, posts: Sequence[Post]) -> tuple[list[JudgedPost], float]:
    """Judgements and seconds."""
    started = time.perf_counter()
    judged = [one for place in range(0, len(posts), BATCH) for one in pipeline.judge(posts[place : place + BATCH]).posts]
    return judged, time.perf_counter() - started


def measure_titles(titles: Sequence[str]) -> list[StreamRow]:
    """The stream as it is, each title once, and the stream by the cascade; a sample is judged anew, in other company, to see that memory
    changes nothing."""
    posts, distinct = make_posts(titles), list(dict.fromkeys(titles))
    judged, seconds = judge_all(open_pipeline(), posts)
    _, alone = judge_all(open_pipeline(), make_posts(distinct))
    _, fast = judge_all(open_pipeline("fast"), posts)
    chosen = np.random.default_rng(7).permutation(len(posts))[:CHECKED].tolist()
    again, _ = judge_all(open_pipeline(), [posts[place] for place in chosen])
    told = {one.post_id: say(one) for one in judged}  # a batch comes back in the order of time
    same = np.mean([told[one.post_id] == say(one) for one in again])
    note = f"对象都算说到;抽 {len(chosen)} 条重新判,情感与行为相同 {same:.2%}"
    return [
        StreamRow(f"热搜 {MONTH} 按原序,读过的记得", len(titles), len(distinct), round(len(titles) / seconds), note=note),
        StreamRow(f"热搜 {MONTH},每个标题一次", len(distinct), len(distinct), round(len(distinct) / alone)),
        StreamRow(f"热搜 {MONTH} 按原序,`fast`", len(titles), len(distinct), round(len(titles) / fast), note="情感两级判断,其余凭规则;也记得"),
    ]


def say(judged: JudgedPost) -> list[tuple[Any, ...]]:
    """What counts of a judgement."""
    return [(one.sentiment, one.acts, one.severity) for one in judged.mentions]


def read_sets(data: Path) -> dict[str, list[Labelled]]:
    """At most SAMPLE rows of each labelled test set."""
    groups: dict[str, list[Labelled]] = {}
    for row in [*read_split(data, "test"), *read_unseen(data)]:
        groups.setdefault(name_set(row), []).append(row)
    chance = np.random.default_rng(7)
    return {name: [rows[place] for place in chance.permutation(len(rows))[:SAMPLE]] for name, rows in sorted(groups.items())}


def measure_cascade(sets: dict[str, list[Labelled]]) -> list[StreamRow]:
    """Sentiment of all sets by the encoder alone, by the cascade and by the linear model."""
    count = sum(map(len, sets.values()))
    rows = []
    for model in ("encoder", "fast", "linear"):
        judge = load_sentiment(model)
        judge.judge(["预热"])
        started = time.perf_counter()
        right = [measure_set(judge, own) for own in sets.values()]
        seconds = time.perf_counter() - started
        rows.append(StreamRow(f"情感,{model}", count, count, round(count / seconds), round(float(np.mean(right)), 4), f"{len(sets)} 个测试集"))
    return rows


def measure_set(judge: SentimentJudge, rows: Sequence[Labelled]) -> float:
    """Accuracy of the likeliest class; between the poles where the set knows no neutral."""
    table = np.array([[row[str(label)] for label in CLASSES] for row in judge.judge([one.text for one in rows])])
    gold = np.array([one.label for one in rows])
    if NEUTRAL not in gold:
        table[:, NEUTRAL] = -1
    return float((table.argmax(axis=1) == gold).mean())


def describe_streams() -> str:
    """The section of docs/benchmarks.md; '' when it was not measured."""
    if not RESULTS.exists():
        return ""
    values: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    head = (
        "\n## 判断:真实的流与两级判断\n\n`python -m benchmarks.streams DATA`:"
        f"{values['cores']} 核,负载 {values['load'][0]} → {values['load'][1]},{values['date']},模型 {values['model']}。"
        "目标:记忆或两级判断 ≥ 1,500 条/秒,正确率损失 ≤ 0.3 个百分点。\n\n"
        "| 做法 | 文本 | 其中不同 | 条/秒 | 平均正确率 | 说明 |\n|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {row['name']} | {row['texts']} | {row['distinct']} | {row['per_second']} "
        f"| {'–' if row['right'] is None else format(row['right'], '.4f')} | {row['note'] or '–'} |\n"
        for row in values["rows"]
    )


def main(data: Path) -> None:
    """Measures and writes."""
    before = os.getloadavg()[0]
    rows = [*measure_titles(read_stream(data / "hotsearch")), *measure_cascade(read_sets(data / "nlp"))]
    values = {
        "date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "load": [round(before, 1), round(os.getloadavg()[0], 1)],
        "model": load_sentiment("encoder").name, "rows": [asdict(row) for row in rows],
    }  # fmt: skip
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for row in rows:
        sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

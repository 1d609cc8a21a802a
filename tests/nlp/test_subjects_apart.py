"""Two subjects in one text: clauses, comparisons, switches, both sides of one subject, names that are only used. All sentences are invented."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from nlp.about import About
from nlp.heads import HeadWord
from nlp.lexicon import build_lexicon
from nlp.pipeline import Pipeline
from nlp.sentiment import LinearSentiment
from nlp.subjects import SubjectMatcher
from tingfeng.clock import parse_iso
from tingfeng.labels import Act, Owner, PostKind, Sentiment, Severity, Stage, Topic
from tingfeng.records import Author, Mention, Opinion, Post, Subject

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("暖芽", "橙屿", "沐禾")
P, N, Z = "positive", "negative", "neutral"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")}
    tables["aspects"] = tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))
    return Pipeline(SubjectMatcher([Subject(name) for name in NAMES]), LinearSentiment.load(), build_lexicon(tables, ""))


def mentions(pipeline: Pipeline, text: str, kind: PostKind = PostKind.ORIGINAL) -> dict[str, Mention]:
    post = Post("s", "1", kind, text, parse_iso("2026-11-20"))
    judged = pipeline.judge([post])
    assert judged.failed == ()
    return {mention.subject: mention for mention in judged.posts[0].mentions}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("暖芽比橙屿好用多了", {"暖芽": P}), ("暖芽不如橙屿,保温差远了", {"暖芽": N}), ("暖芽吊打橙屿", {"暖芽": P, "橙屿": N}), ("还是暖芽香,橙屿用两天就漏水", {"暖芽": P, "橙屿": N}),
        ("橙屿没有暖芽好用", {"橙屿": N, "暖芽": P}), ("暖芽的客服很耐心。橙屿的客服态度恶劣还挂我电话。", {"暖芽": P, "橙屿": N}), ("暖芽真心好用,做工扎实。橙屿就是垃圾,两天就坏,气死我了。", {"暖芽": P, "橙屿": N}),
        ("从暖芽换到橙屿之后省心多了", {"暖芽": N, "橙屿": P}), ("请问暖芽和橙屿哪个好?", {"暖芽": Z, "橙屿": Z}),
    ],
)  # fmt: skip
def test_each_is_judged_by_what_is_said_of_it(text: str, expected: dict[str, str], pipeline: Pipeline) -> None:
    found = mentions(pipeline, text)
    assert {name: str(found[name].sentiment) for name in expected} == expected


def test_an_aspect_in_a_comparison_is_good_for_one_and_bad_for_the_other(pipeline: Pipeline) -> None:
    found = mentions(pipeline, "暖芽比橙屿贵")
    assert [(name, str(one.polarity)) for name in ("暖芽", "橙屿") for one in found[name].opinions] == [("暖芽", N), ("橙屿", P)]


def test_opinions_go_to_the_subject_of_their_clause(pipeline: Pipeline) -> None:
    found = mentions(pipeline, "暖芽物流很快。橙屿收到就是坏的,一直不给退款。")
    assert {str(one.topic) for one in found["暖芽"].opinions} == {"logistics"}
    assert {str(one.topic) for one in found["橙屿"].opinions} == {"quality", "refund"}
    assert (found["暖芽"].severity, found["橙屿"].severity) == (Severity.NONE, Severity.MONEY)


@pytest.mark.parametrize(
    ("text", "left", "taken"),
    [
        ("从暖芽换到橙屿了", "暖芽", "橙屿"), ("用了三年暖芽,这次果断换成橙屿了", "暖芽", "橙屿"), ("暖芽涨价太狠,转投沐禾了", "暖芽", "沐禾"), ("把暖芽退了,改买沐禾", "暖芽", "沐禾"),
        ("暖芽再见,以后改用橙屿", "暖芽", "橙屿"), ("对暖芽失望透顶,转头买了橙屿", "暖芽", "橙屿"), ("准备把暖芽换成橙屿", "暖芽", "橙屿"), ("弃暖芽投橙屿", "暖芽", "橙屿"), ("受够了暖芽,换华为了", "暖芽", "华为"),
        ("从“暖芽”换到“橙屿”", "暖芽", "橙屿"), ("把暖芽的数据迁到了橙屿", "暖芽", "橙屿"), ("暖芽太贵,以后就橙屿了", "暖芽", "橙屿"), ("告别暖芽,下一站橙屿", "暖芽", "橙屿"), ("暖芽退了,现在改约“橙屿”", "暖芽", "橙屿"),
        ("不打算从“暖芽”换到“橙屿”", "暖芽", ""), ("以后暖芽和橙屿都会降价", "暖芽", ""), ("我不会换橙屿的,暖芽用得挺好", "暖芽", ""), ("暖芽好用,没想过换成橙屿", "暖芽", ""), ("暖芽和橙屿都买了", "暖芽", ""), ("要不要把暖芽换成橙屿", "暖芽", ""), ("暖芽给我换了个新的", "暖芽", ""),
        ("暖芽擅自换成橙屿的货发给我", "暖芽", ""),
    ],
)  # fmt: skip
def test_switches(text: str, left: str, taken: str, pipeline: Pipeline) -> None:
    assert mentions(pipeline, text)[left].switched_to == taken


def test_nobody_leaves_the_one_that_was_taken(pipeline: Pipeline) -> None:
    found = mentions(pipeline, "用了三年暖芽,这次果断换成橙屿了")
    assert Act.CHURN_INTENT in found["暖芽"].acts
    assert Act.CHURN_INTENT not in found["橙屿"].acts


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("暖芽外观好看,但是噪音太大", "mixed"), ("暖芽的菜好吃,服务员态度很差", "mixed"), ("暖芽很好用,做工扎实,就是盖子有点小瑕疵,不影响", P), ("暖芽物流倒是快,但是坏了不给退款,要求退款", N),
        ("真是谢谢暖芽了,刚过保修就坏,售后还让我自费寄修", N), ("有人冒充暖芽客服骗我点链接,大家小心", Z), ("在暖芽楼下等了一个小时的车[泪]", Z), ("暖芽因产品不合格被罚款20万元", N),
        ("暖芽荣获年度最佳家电品牌奖", P), ("据悉,暖芽三季度营收同比增长12%", Z), ("暖芽的水壶坏了怎么修?", Z), ("打算双十一入手一台暖芽", Z), ("建议暖芽加个静音模式", Z), ("暖芽限时99元包邮,点击左下角领券", Z),
        ("姐妹们我真的爱了,暖芽这个壶颜值好高,用了一周超满意,链接放评论区了", P),
    ],
)  # fmt: skip
def test_sentiment_follows_the_guide(text: str, sentiment: str, pipeline: Pipeline) -> None:
    assert str(mentions(pipeline, text)["暖芽"].sentiment) == sentiment


class FakeHeads:
    """A model that is sure of a refund complaint about money."""

    name = "heads"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, asked: Sequence[tuple[About, Post]]) -> list[HeadWord]:
        self.asked += [about.marked for about, _ in asked]
        row = {"negative": 0.8, "neutral": 0.1, "positive": 0.1}
        opinions = (Opinion(Topic.REFUND, Sentiment.NEGATIVE),)
        word = HeadWord(Sentiment.NEGATIVE, row, (Act.COMPLAINT,), opinions, Severity.MONEY, Owner.POLICY, Stage.AFTER_SALE)
        return [word for _ in asked]

    def begin(self, texts: Sequence[str]) -> None:
        pass


def with_heads(pipeline: Pipeline, heads: FakeHeads) -> Pipeline:
    return Pipeline(pipeline._subjects, LinearSentiment.load(), pipeline._lexicon, heads)


def test_a_model_that_judges_everything_is_believed(pipeline: Pipeline) -> None:
    mention = mentions(with_heads(pipeline, FakeHeads()), "暖芽的事我记下了")["暖芽"]
    assert (mention.acts, mention.severity, mention.sentiment) == ((Act.COMPLAINT,), Severity.MONEY, Sentiment.NEGATIVE)
    assert (mention.owner, mention.stage) == (Owner.POLICY, Stage.AFTER_SALE)
    assert [str(one.topic) for one in mention.opinions] == ["refund"]
    assert "heads" in mention.model


def test_demands_effort_and_switches_stay_with_the_rules(pipeline: Pipeline) -> None:
    mention = mentions(with_heads(pipeline, FakeHeads()), "打了八个电话,暖芽就是不退款,要求退款!换橙屿了")["暖芽"]
    assert (mention.demands, mention.effort["calls"], mention.switched_to) == (("退款",), 8, "橙屿")


def test_the_model_reads_the_whole_text_once_for_each_subject(pipeline: Pipeline) -> None:
    heads = FakeHeads()
    mentions(with_heads(pipeline, heads), "暖芽比橙屿好用")
    assert heads.asked == ["[本家]比[别家]好用", "[别家]比[本家]好用"]


def test_marked_texts_are_those_that_the_model_is_asked_about(pipeline: Pipeline) -> None:
    heads = FakeHeads()
    own = with_heads(pipeline, heads)
    posts = [Post("s", str(n), PostKind.ORIGINAL, text, parse_iso("2026-11-20")) for n, text in enumerate(("暖芽比橙屿好用", "今天下雨了", "暖芽客服13800001234"))]
    marked = own.mark_texts(posts)
    own.judge_texts(posts)
    assert sorted(marked) == sorted(heads.asked)


def test_text_without_a_subject_is_judged_by_the_model_too(pipeline: Pipeline) -> None:
    post = Post("s", "1", PostKind.ORIGINAL, "今天下雨了", parse_iso("2026-11-20"))
    answer = with_heads(pipeline, FakeHeads()).judge_text(post)
    assert (answer["acts"], answer["subjects"], answer["owner"]) == (["complaint"], [], "policy")
    assert answer["aspects"] == [{"topic": "refund", "polarity": "negative"}]


def test_machine_spam_is_an_ad_whatever_the_model_says(pipeline: Pipeline) -> None:
    mention = mentions(with_heads(pipeline, FakeHeads()), "暖芽旗舰店刷单兼职日结,加微信abc123")["暖芽"]
    assert (mention.acts, mention.opinions, mention.severity) == ((Act.AD,), (), Severity.NONE)


def pasted(text: str) -> list[Post]:
    return [Post("s", str(n), PostKind.ORIGINAL, text, parse_iso("2026-11-20"), author=Author(f"a{n}")) for n in range(6)]


def test_praise_pasted_by_many_is_an_ad(pipeline: Pipeline) -> None:
    judged = pipeline.judge(pasted("用了暖芽养生壶真的离不开了,早上一杯养生茶,一整天都精神,强烈推荐给大家"))
    assert {one.mentions[0].acts for one in judged.posts} == {(Act.AD,)}


def test_a_complaint_shared_by_many_stays_a_complaint(pipeline: Pipeline) -> None:
    judged = pipeline.judge(pasted("暖芽宣布月底关店,我们几百个人的预付卡都不退,要求退款,请大家转发"))
    assert all(Act.COMPLAINT in one.mentions[0].acts for one in judged.posts)

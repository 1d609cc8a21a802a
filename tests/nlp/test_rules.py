"""The judging steps on invented sentences: masking, content, acts, harm, copies, clauses, and the pipeline over all of them."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.content import judge_content
from nlp.fold import fold, plain_text, sketch
from nlp.lexicon import Lexicon, build_lexicon
from nlp.mask import mask_personal, mask_post
from nlp.pipeline import STEPS, Pipeline, check_order, describe_pipeline
from nlp.rules import apply_rules
from nlp.sentiment import LinearSentiment
from nlp.subjects import SubjectMatch, SubjectMatcher
from nlp.words import split_words
from tingfeng.clock import parse_iso
from tingfeng.errors import SettingsError
from tingfeng.labels import Act, Content, PostKind, Sentiment
from tingfeng.records import Post, Subject

ROOT = Path(__file__).resolve().parents[2]
NOW = parse_iso("2026-11-14T12:00")


LEXICON = ROOT / "config" / "lexicon"
TABLES = {
    "aspects": tomllib.loads((ROOT / "config" / "aspects.toml").read_text("utf-8")),
    **{name: tomllib.loads((LEXICON / f"{name}.toml").read_text("utf-8")) for name in ("acts", "harm", "tone", "demands", "journey")},
}


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return build_lexicon(TABLES, (LEXICON / "stopwords.txt").read_text("utf-8"))


@pytest.fixture(scope="session")
def pipeline(lexicon: Lexicon) -> Pipeline:
    return Pipeline(SubjectMatcher([Subject("暖芽"), Subject("橙屿")]), LinearSentiment.load(), lexicon)


def post(text: str, number: int = 1, **changes: object) -> Post:
    fields: dict[str, object] = {
        "source": "s",
        "native_id": str(number),
        "kind": PostKind.ORIGINAL,
        "text": text,
        "first_seen_at": NOW,
    }
    return Post(**fields | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678急", "电话[手机号]急"), ("138 1234 5678", "[手机号]"), ("+86-138-1234-5678", "[手机号]"), ("１３８１２３４５６７８", "[手机号]"),
        ("身份证11010519491231002X", "身份证[身份证号]"), ("卡号6222021234567890128", "卡号[银行卡号]"), ("a.b@example.com找我", "[邮箱]找我"),
        ("浙A12345这车", "[车牌]这车"), ("京AD12345新能源", "[车牌]新能源"), ("订单号:2026111412345", "订单号:[编号]"), ("单号SF1234567890", "单号[编号]"),
        ("案号是 2026-0123456", "案号是 [编号]"), ("微信号nuan_5588", "微信号[账号]"), ("QQ:123456789", "QQ:[账号]"), ("0571-88886666", "[电话]"),
        ("杭州市西湖区文三路123号4栋502室", "[地址]"), ("寄到朝阳区建国路88号", "[地址]"),
        ("写错一位110105194912310021", "写错一位[身份证号]"), ("1 3 8 1 2 3 4 5 6 7 8", "[手机号]"), ("1-3-8-1-2-3-4-5-6-7-8", "[手机号]"),
        ("１ ３ ８ １ ２ ３ ４ ５ ６ ７ ８急", "[手机号]急"), ("330106 19900101 101X", "330106 19900101 101X"),
    ],
)  # fmt: skip
def test_personal_numbers_are_masked(text: str, masked: str) -> None:
    assert mask_personal(text) == masked


@pytest.mark.parametrize(
    "text",
    ["客服4008123456", "拨打95588", "12315投诉", "版本8.2.1", "型号NY-2026A", "赔了1299.00元", "2026-11-14 13:00", "2026年11月14日", "王先生", "等了20天",
     "110105194913310022", "6222021234567890123", "第3号门店", "1.5L容量", "预算269以内", "订单没到", "500ml*12瓶", "1 3 5 7 9 2 4 6 8 1 3 5", "版本15 2026-11-20 12"],
)  # fmt: skip
def test_what_is_no_personal_number_stays(text: str) -> None:
    assert mask_personal(text) == text


@given(st.text(max_size=200))
def test_masking_is_idempotent(text: str) -> None:
    once = mask_personal(text)
    assert mask_personal(once) == once


def test_masking_a_huge_line_ends() -> None:
    assert len(mask_personal("1" * 100_000 + "区路号" * 1000)) > 0


def test_masking_a_post_covers_title_and_extras() -> None:
    masked = mask_post(post("x", title="电话13812345678", extras={"note": "a@b.cn"}))
    assert (masked.title, masked.extras["note"]) == ("电话[手机号]", "[邮箱]")


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("水壶漏水", Content.OK), ("", Content.NO_TEXT), ("😀👍", Content.NO_TEXT), ("!!!", Content.NO_TEXT), ("<p></p>", Content.NO_TEXT), ("[图片]", Content.NO_TEXT),
        ("very bad kettle indeed", Content.OTHER_LANGUAGE), ("とても良いですありがとう", Content.OTHER_LANGUAGE), ("좋아요", Content.OTHER_LANGUAGE),
        ("SU7 的 app 闪退", Content.OK), ("刷单日赚300,加微信", Content.SPAM), ("有人刷单骗我", Content.OK),
        ("黑户秒批,先到先得,加薇abc001", Content.SPAM), ("刷好评涨粉,主页留言秒回", Content.SPAM), ("暖芽会员福利,回复T退订", Content.OK), ("会员日三件七折,回T退订", Content.SPAM), ("暖芽最强冲呀冲冲!" * 6, Content.SPAM),
        ("收到就是坏的!" * 3, Content.OK),
        ("哈哈哈哈哈哈哈哈哈哈哈哈", Content.OK), ("黑心商家退钱!黑心商家退钱!黑心商家退钱!", Content.OK), ("收到贷款秒批的短信,加微信的都是骗子", Content.OK), ("低价转让暖芽水壶,私聊", Content.OK), ("\ud83d", Content.NO_TEXT),
    ],
)  # fmt: skip
def test_content(text: str, content: Content) -> None:
    assert judge_content("", text) is content


A = Act
ACTS = [
    ("水壶坏了,要求退款", {A.COMPLAINT}), ("客服推诿三天,没有任何回应", {A.COMPLAINT}), ("退款一直不到账", {A.COMPLAINT}), ("到底什么时候退钱", {A.COMPLAINT}),
    ("已向12315投诉", {A.COMPLAINT}), ("给个说法", {A.COMPLAINT}), ("拖了两个月还没退", {A.COMPLAINT}), ("申请售后被拒", {A.COMPLAINT}),
    ("建议加一个静音模式", {A.SUGGESTION}), ("希望出大容量款", {A.SUGGESTION}), ("要是能看用电量就更好了", {A.SUGGESTION}), ("盖子能不能出可拆的", {A.SUGGESTION}),
    ("求出一款小号的", {A.SUGGESTION}), ("建议倒闭", {A.OTHER}), ("建议大家别买", {A.OTHER}),
    ("请问支持几档温度", {A.QUESTION}), ("这个怎么配网", {A.QUESTION}), ("滤网去哪里买", {A.QUESTION}), ("有人用过吗", {A.QUESTION}), ("两款哪个好", {A.QUESTION}),
    ("保温能设24小时吗?", {A.QUESTION}), ("求推荐一款水壶", {A.QUESTION}), ("还有谁敢用", {A.OTHER}), ("开发的人自己用吗", {A.OTHER}),
    ("用了一个月,真心喜欢", {A.PRAISE}), ("做工扎实,推荐", {A.PRAISE}), ("客服很耐心,好评", {A.PRAISE}), ("不推荐", {A.OTHER}), ("一点都不满意", {A.OTHER}), ("没有让人喜欢的地方", {A.OTHER}),
    ("打算买一台", {A.PURCHASE_INTENT}), ("想入手很久了", {A.PURCHASE_INTENT}), ("好用,会回购的", {A.PRAISE, A.PURCHASE_INTENT}),
    ("再也不会买了", {A.CHURN_INTENT}), ("已经换别家", {A.CHURN_INTENT}), ("卸载了", {A.CHURN_INTENT}), ("不会再买,要求退款", {A.COMPLAINT, A.CHURN_INTENT}),
    ("记者查询发现同批次仍在售", {A.NEWS}), ("公司今日宣布涨价,记者致电", {A.NEWS}), ("市场监管部门已约谈", {A.NEWS}),
    ("限时99元包邮,点击领券", {A.AD}), ("全新未拆低价转,可自提", {A.AD}), ("直播间今晚半价", {A.AD}), ("包邮的,用着还行", {A.OTHER}),
    ("今天在商场看到", {A.OTHER}), ("质量太差", {A.OTHER}), ("声音大得像拖拉机", {A.OTHER}), ("记录一下", {A.OTHER}),
    ("希望", {A.OTHER}), ("漏水,赔偿我的地板", {A.COMPLAINT}), ("曝光他们", {A.COMPLAINT}), ("相关部门管管吧", {A.COMPLAINT}), ("不给保修", {A.COMPLAINT}),
    ("希望官方改进一下壶盖", {A.SUGGESTION}), ("想问能用吗", {A.QUESTION}), ("值得买吗", {A.QUESTION}), ("五星好评", {A.PRAISE}), ("性价比高,点赞", {A.PRAISE}),
    ("弃坑,拜拜了", {A.CHURN_INTENT}), ("种草了", {A.PURCHASE_INTENT}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "acts"), ACTS)
def test_acts(text: str, acts: set[Act], lexicon: Lexicon) -> None:
    assert set(apply_rules(text, PostKind.ORIGINAL, lexicon).acts) == acts


def test_a_ticket_is_a_complaint_and_an_article_is_news(lexicon: Lexicon) -> None:
    assert apply_rules("用了两天", PostKind.TICKET, lexicon).acts == (A.COMPLAINT,)
    assert apply_rules("发布新款", PostKind.ARTICLE, lexicon).acts == (A.NEWS,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("底座起火了", ("起火",)), ("没过敏", ()), ("未造成伤亡", ()), ("没有冒烟", ()), ("差点起火", ("起火",)), ("幸好没起火", ("起火",)), ("防漏电设计", ()),
        ("漏电,手被电到", ("漏电", "电到")), ("刹车失灵", ("刹车失灵",)), ("不会自燃吧", ()), ("没说,起火了", ("起火",)), ("好用", ()),
    ],
)  # fmt: skip
def test_harm(text: str, words: tuple[str, ...], lexicon: Lexicon) -> None:
    assert apply_rules(text, PostKind.ORIGINAL, lexicon).harm == words


LONG = "姐妹们快看这个直播间今晚半价前一百名再送养生杯错过等一年"


def folded(*texts: str) -> list[bool]:
    items = [(str(n), NOW + timedelta(minutes=n), text) for n, text in enumerate(texts)]
    return [one.is_copy for one in fold(items, lambda keys, since: [])]


def test_copies_and_reposts_are_folded_short_texts_are_not() -> None:
    assert folded(LONG, LONG + "!!", f"转发微博//@路过的猫:{LONG}", "太差了", "太差了") == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_different_texts_are_not_folded() -> None:
    assert folded("水壶用了三天就漏水,客服说要自费寄修", "水壶很好,烧水快,客服也热情,推荐购买") == [False, False]


def test_a_copy_of_a_stored_post_joins_its_group() -> None:
    from store.posts import NearPost

    signature, bands = sketch(plain_text(LONG))
    stored = NearPost("first", signature, "first")
    result = fold([("x", NOW, LONG)], lambda keys, since: [stored] if set(keys) & set(bands) else [])
    assert (result[0].group, result[0].is_copy) == ("first", True)


def test_the_same_text_a_week_later_is_new() -> None:
    items = [("a", NOW, LONG), ("b", NOW + timedelta(days=8), LONG)]
    assert [one.is_copy for one in fold(items, lambda keys, since: [])] == [False, False]


def test_words_are_for_statistics(lexicon: Lexicon) -> None:
    words = split_words("我们的水壶质量问题 [手机号]", lexicon.stopwords)
    assert "水壶" in words
    assert not {"我们", "手机号"} & set(words)


def judged(pipeline: Pipeline, text: str) -> dict[str, Sentiment]:
    return {mention.subject: mention.sentiment for mention in pipeline.judge([post(text)]).posts[0].mentions}


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("暖芽水壶漏水,要求退款", Sentiment.NEGATIVE), ("暖芽水壶底座起火了,吓得我腿软", Sentiment.NEGATIVE), ("暖芽真的很好用,推荐", Sentiment.POSITIVE),
        ("请问暖芽水壶支持几档温度", Sentiment.NEUTRAL), ("暖芽限时99元包邮,点击领券", Sentiment.NEUTRAL), ("暖芽客服推诿三天没人管", Sentiment.NEGATIVE),
    ],
)  # fmt: skip
def test_sentiment_toward_the_subject(text: str, sentiment: Sentiment, pipeline: Pipeline) -> None:
    assert judged(pipeline, text) == {"暖芽": sentiment}


def test_two_subjects_are_judged_apart(pipeline: Pipeline) -> None:
    found = judged(pipeline, "暖芽这个水壶真心好用,做工扎实。橙屿就是垃圾,用两天就漏水,气死我了。")
    assert found == {"暖芽": Sentiment.POSITIVE, "橙屿": Sentiment.NEGATIVE}


def test_other_languages_are_never_silently_neutral(pipeline: Pipeline) -> None:
    assert judged(pipeline, "暖芽 is a very very bad kettle and the support is awful too") == {
        "暖芽": Sentiment.UNCERTAIN
    }


def test_no_subject_no_mention(pipeline: Pipeline) -> None:
    assert pipeline.judge([post("今天天气不错")]).posts[0].mentions == ()


@pytest.mark.parametrize(
    "text", ["", "\ud83d暖芽", "暖芽" * 50_000, "暖芽\x00\x01", "<b>暖芽</b>", "😀暖芽😀", "暖芽" + "\n" * 1000]
)
def test_strange_texts_are_judged_not_raised(text: str, pipeline: Pipeline) -> None:
    assert pipeline.judge([post(text)]).failed == ()


class Fragile(SubjectMatcher):
    """Breaks on one text."""

    def match(self, post: Post) -> list[SubjectMatch]:
        if "坏" in post.text:
            raise RuntimeError("broken step")
        return super().match(post)


def test_one_bad_post_does_not_lose_the_others(lexicon: Lexicon) -> None:
    fragile = Pipeline(Fragile([Subject("暖芽")]), LinearSentiment.load(), lexicon)
    broken = post("暖芽坏了", 2)
    result = fragile.judge([post("暖芽漏水"), broken])
    assert len(result.posts) == 1
    assert result.failed == ((broken.id, "RuntimeError: broken step"),)


def test_judge_text_masks_and_leaves_out_what_it_cannot_judge(pipeline: Pipeline) -> None:
    values = pipeline.judge_text(post("暖芽漏水,电话13812345678"))
    assert values["masked_text"] == "暖芽漏水,电话[手机号]"
    unread = pipeline.judge_text(post("暖芽 is a very bad kettle and I want to get my money back now"))
    assert not {"acts", "aspects", "severity", "demands", "effort", "owner", "stage"} & set(unread)


def test_order_of_steps_is_checked() -> None:
    check_order(STEPS)
    with pytest.raises(ValueError, match="needs"):
        check_order(STEPS[::-1])


def test_lexicon_mistakes_are_named() -> None:
    with pytest.raises(SettingsError, match=r"harm\.toml words"):
        build_lexicon(TABLES | {"harm": {"words": "起火"}}, "")


def test_list_of_steps_in_the_docs_is_fresh() -> None:
    assert (ROOT / "docs" / "pipeline.md").read_text("utf-8") == describe_pipeline()

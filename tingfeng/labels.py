"""Closed sets: ids are stored, the Chinese title is shown. Nothing here computes."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """A closed set whose members carry the Chinese word that people read."""

    title_zh: str

    def __new__(cls, value: str, title_zh: str = "") -> Label:
        member = str.__new__(cls, value)
        member._value_ = value
        member.title_zh = title_zh
        return member


class PostKind(Label):
    ORIGINAL = "original", "原创"
    REPOST = "repost", "转发"
    COMMENT = "comment", "评论"
    REPLY = "reply", "回复"
    REVIEW = "review", "评价"
    ARTICLE = "article", "文章"
    VIDEO = "video", "视频"
    TICKET = "ticket", "投诉单"


class SourceKind(Label):
    BOARD = "board", "投诉平台"
    APP_STORE = "app_store", "应用商店"
    NEWS = "news", "新闻"
    FORUM = "forum", "论坛"
    SOCIAL = "social", "社交媒体"
    HOT_LIST = "hot_list", "热搜榜"
    REGULATOR = "regulator", "监管"
    OWNED = "owned", "自有渠道"
    FILE = "file", "文件导入"


class TimePrecision(Label):
    SECOND = "second", "秒"
    MINUTE = "minute", "分"
    HOUR = "hour", "时"
    DAY = "day", "日"
    UNKNOWN = "unknown", "未知"


class Outcome(Label):
    """Outcome of a fetch. Only OK and EMPTY say that everything there was has been read."""

    OK = "ok", "正常"
    EMPTY = "empty", "无内容"
    SUSPECT_EMPTY = "suspect_empty", "疑似空白"
    SATURATED = "saturated", "到达上限"
    BLOCKED = "blocked", "被拒绝"
    LOGIN_REQUIRED = "login_required", "需要登录"
    RATE_LIMITED = "rate_limited", "限流"
    SCHEMA_CHANGED = "schema_changed", "格式变了"
    GONE = "gone", "已下线"
    UNREACHABLE = "unreachable", "无法连接"


class Content(Label):
    OK = "ok", "正常"
    NO_TEXT = "no_text", "无文字"
    OTHER_LANGUAGE = "other_language", "其他语言"
    SPAM = "spam", "垃圾信息"


class Sentiment(Label):
    POSITIVE = "positive", "正面"
    NEUTRAL = "neutral", "中性"
    NEGATIVE = "negative", "负面"
    MIXED = "mixed", "褒贬参半"
    UNCERTAIN = "uncertain", "未定"


class Act(Label):
    COMPLAINT = "complaint", "投诉"
    SUGGESTION = "suggestion", "建议"
    QUESTION = "question", "咨询"
    PRAISE = "praise", "表扬"
    PURCHASE_INTENT = "purchase_intent", "购买意向"
    CHURN_INTENT = "churn_intent", "流失意向"
    NEWS = "news", "新闻"
    AD = "ad", "广告"
    OTHER = "other", "其他"


class Topic(Label):
    """The fourteen topics of an aspect; finer levels hang below them (config/aspects.toml)."""

    QUALITY = "quality", "质量"
    AFTER_SALE = "after_sale", "售后"
    REFUND = "refund", "退款"
    LOGISTICS = "logistics", "物流"
    SERVICE = "service", "服务态度"
    FALSE_AD = "false_ad", "虚假宣传"
    PRICE = "price", "价格"
    FAKE = "fake", "假货"
    SAFETY = "safety", "安全"
    CONTRACT = "contract", "合同条款"
    PRIVACY = "privacy", "隐私"
    APP = "app", "应用体验"
    MEASURE = "measure", "计量"
    OTHER = "other", "其他"


class Severity(Label):
    """Harm if true, the least first."""

    NONE = "none", "无"
    ANNOYANCE = "annoyance", "烦扰"
    MONEY = "money", "财产"
    SAFETY = "safety", "人身"


class Owner(Label):
    """Root cause, as far as the text lets one see it."""

    PRODUCT = "product", "产品"
    TECH = "tech", "技术"
    MARKETING = "marketing", "营销"
    SUPPLIER = "supplier", "供应商"
    LOGISTICS = "logistics", "物流"
    SERVICE = "service", "服务"
    POLICY = "policy", "规则"
    UNKNOWN = "unknown", "不明"


class Stage(Label):
    """Journey stage in which the problem arose."""

    BEFORE_BUYING = "before_buying", "购前"
    BUYING = "buying", "购买"
    DELIVERY = "delivery", "收货"
    USING = "using", "使用"
    AFTER_SALE = "after_sale", "售后"
    LEAVING = "leaving", "离开"
    NONE = "none", "无"


class ComplaintStatus(Label):
    """One ladder for every board; the board's own word is kept beside it."""

    SUBMITTED = "submitted", "已提交"
    ASSIGNED = "assigned", "已分配"
    IN_PROGRESS = "in_progress", "处理中"
    REPLIED = "replied", "已回复"
    COMPLETED = "completed", "已完成"
    CLOSED = "closed", "已关闭"
    UNKNOWN = "unknown", "未知"


class Level(Label):
    """Alert level by spread, speed and harm; BLUE is the lowest."""

    BLUE = "blue", "蓝"
    YELLOW = "yellow", "黄"
    ORANGE = "orange", "橙"
    RED = "red", "红"

    @property
    def rank(self) -> int:
        """0 for blue … 3 for red."""
        return list(Level).index(self)


class AlertState(Label):
    PENDING = "pending", "待确认"
    FIRING = "firing", "进行中"
    RECOVERING = "recovering", "回落中"
    RESOLVED = "resolved", "已解除"

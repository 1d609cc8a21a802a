"""Known exports as data: which columns tell the format, and which column holds what. Adding one is adding an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tingfeng.labels import ComplaintStatus, PostKind, TimePrecision

# what a row can say; a mapping gives for each the column(s) to read, joined by a space when there are several
CANONICAL = (
    "id", "title", "text", "url", "time", "author", "region", "likes", "comments", "reposts", "views", "rating",
    "parent", "target", "problems", "demands", "amount", "status", "ticket",
)  # fmt: skip

Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FileFormat:
    """One export. `needs`: columns that must be there; `lacks`: columns that must not. `dropped`: read by nobody, on purpose.

    `id_prefix_column`: a column put before the id (zhihu ids are unique per content type only).
    """

    name: str
    title: str
    source: str
    kind: PostKind
    needs: frozenset[str]
    columns: Columns
    lacks: frozenset[str] = frozenset()
    precision: TimePrecision = TimePrecision.SECOND
    id_prefix_column: str = ""
    url_template: str = ""
    extras: tuple[str, ...] = ()
    statuses: Mapping[str, ComplaintStatus] = field(default_factory=dict)
    author_is_hash: bool = False


def columns(**names: str) -> Columns:
    """`columns(text="title desc")`: canonical name → the columns it is read from."""
    return {name: tuple(value.split()) for name, value in names.items()}


CHEZHI_STATUSES = {
    "信息审核": ComplaintStatus.SUBMITTED,
    "厂家受理": ComplaintStatus.ASSIGNED,
    "处理反馈": ComplaintStatus.REPLIED,
    "用户评分": ComplaintStatus.COMPLETED,
}
HEIMAO_STATUSES = {
    "通过审核": ComplaintStatus.SUBMITTED,
    "待分配": ComplaintStatus.SUBMITTED,
    "已分配": ComplaintStatus.ASSIGNED,
    "处理中": ComplaintStatus.IN_PROGRESS,
    "已回复": ComplaintStatus.REPLIED,
    "已完成": ComplaintStatus.COMPLETED,
    "已关闭": ComplaintStatus.CLOSED,
}


def media(
    platform: str,
    title: str,
    source: str,
    kind: PostKind,
    needs: str,
    cols: Columns,
    url: str = "",
    prefix: str = "",
    lacks: str = "",
) -> FileFormat:
    """A MediaCrawler export; old files carry `user_id`, new ones `creator_hash` (read by file_rows.read_author)."""
    return FileFormat(
        name=f"mediacrawler-{platform}",
        title=f"MediaCrawler {title}",
        source=source,
        kind=kind,
        needs=frozenset(needs.split()),
        columns={**cols, "author": ("creator_hash",), "region": ("ip_location",)},
        lacks=frozenset(lacks.split()),
        url_template=url,
        id_prefix_column=prefix,
        author_is_hash=True,
    )


FORMATS: tuple[FileFormat, ...] = (
    media(
        "xhs-comments", "小红书评论", "xiaohongshu", PostKind.COMMENT, "comment_id note_id content create_time pictures parent_comment_id",
        columns(id="comment_id", text="content", time="create_time", likes="like_count", comments="sub_comment_count", parent="note_id"),
        url="https://www.xiaohongshu.com/explore/{parent}", lacks="tieba_name create_date_time aweme_id",
    ),
    media(
        "douyin-comments", "抖音评论", "douyin", PostKind.COMMENT, "comment_id aweme_id content create_time",
        columns(id="comment_id", text="content", time="create_time", likes="like_count", comments="sub_comment_count", parent="aweme_id"),
        url="https://www.douyin.com/video/{parent}",
    ),
    media(
        "weibo-comments", "微博评论", "weibo", PostKind.COMMENT, "comment_id note_id content create_date_time",
        columns(
            id="comment_id", text="content", time="create_time", likes="comment_like_count", comments="sub_comment_count", parent="note_id"
        ),
        url="https://m.weibo.cn/detail/{parent}",
    ),
    media(
        "tieba-comments", "贴吧回复", "tieba", PostKind.COMMENT, "comment_id note_id content tieba_name publish_time",
        columns(id="comment_id", text="content", time="publish_time", comments="sub_comment_count", parent="note_id", url="note_url"),
    ),
    media(
        "zhihu-comments", "知乎评论", "zhihu", PostKind.COMMENT, "comment_id content_id content publish_time",
        columns(id="comment_id", text="content", time="publish_time", likes="like_count", comments="sub_comment_count", parent="content_id"),
    ),
    media(
        "video-comments", "B站或快手评论", "bilibili", PostKind.COMMENT, "comment_id video_id content create_time",
        columns(id="comment_id", text="content", time="create_time", likes="like_count", comments="sub_comment_count", parent="video_id"),
    ),
    media(
        "xhs", "小红书笔记", "xiaohongshu", PostKind.ORIGINAL, "note_id title desc time liked_count tag_list",
        columns(
            id="note_id", title="title", text="desc", time="time", likes="liked_count", comments="comment_count", reposts="share_count"
        ),
        url="https://www.xiaohongshu.com/explore/{id}",
    ),
    media(
        "douyin", "抖音视频", "douyin", PostKind.VIDEO, "aweme_id desc create_time",
        columns(id="aweme_id", text="desc", time="create_time", likes="liked_count", comments="comment_count", reposts="share_count"),
        url="https://www.douyin.com/video/{id}", lacks="comment_id",
    ),
    media(
        "kuaishou", "快手视频", "kuaishou", PostKind.VIDEO, "video_id viewd_count create_time",
        columns(id="video_id", text="desc", time="create_time", likes="liked_count", views="viewd_count", url="video_url"),
    ),
    media(
        "bilibili", "B站视频", "bilibili", PostKind.VIDEO, "video_id video_danmaku create_time",
        columns(
            id="video_id", title="title", text="desc", time="create_time", likes="liked_count", comments="video_comment",
            reposts="video_share_count", views="video_play_count", url="video_url",
        ),
    ),
    media(
        "weibo", "微博", "weibo", PostKind.ORIGINAL, "note_id content create_date_time shared_count",
        columns(id="note_id", text="content", time="create_time", likes="liked_count", comments="comments_count", reposts="shared_count"),
        url="https://m.weibo.cn/detail/{id}",
    ),
    media(
        "tieba", "贴吧帖子", "tieba", PostKind.ORIGINAL, "note_id tieba_name publish_time total_replay_num",
        columns(id="note_id", title="title", text="desc", time="publish_time", comments="total_replay_num"),
        url="https://tieba.baidu.com/p/{id}",
    ),
    media(
        "zhihu", "知乎", "zhihu", PostKind.ARTICLE, "content_id content_type content_text created_time",
        columns(
            id="content_id", title="title", text="content_text", time="created_time", likes="voteup_count", comments="comment_count",
            url="content_url",
        ),
        prefix="content_type",
    ),
    FileFormat(
        name="chezhi", title="车质网投诉(英文表头)", source="chezhi", kind=PostKind.TICKET,
        needs=frozenset({"id", "brand", "car_model", "type", "desc", "problem", "datetime", "status"}),
        columns=columns(
            id="id", ticket="id", title="brand car_model type", text="desc", time="datetime", target="brand", problems="problem",
            status="status",
        ),
        precision=TimePrecision.DAY, statuses=CHEZHI_STATUSES, extras=("car_model", "type"),
    ),
    FileFormat(
        name="chezhi-zh", title="车质网投诉(中文表头)", source="chezhi", kind=PostKind.TICKET,
        needs=frozenset({"投诉编号", "投诉品牌", "投诉车系", "问题简述", "投诉状态"}),
        columns=columns(
            id="投诉编号", ticket="投诉编号", title="投诉品牌 投诉车系 投诉车型", text="问题简述", time="投诉时间", target="投诉品牌",
            problems="典型问题", status="投诉状态", url="详情链接",
        ),
        precision=TimePrecision.DAY, statuses=CHEZHI_STATUSES, extras=("投诉车系", "投诉车型"),
    ),
    FileFormat(
        name="hotsearch", title="热搜榜存档", source="hotsearch", kind=PostKind.ARTICLE,
        needs=frozenset({"date", "title", "url"}), lacks=frozenset({"text", "content", "summary"}),
        columns=columns(text="title", time="date", url="url"), precision=TimePrecision.DAY,
    ),
    FileFormat(
        name="heimao", title="黑猫投诉导出", source="heimao", kind=PostKind.TICKET,
        needs=frozenset({"date", "title", "summary", "object", "demands", "href"}),
        columns=columns(title="title", text="summary", time="date", target="object", demands="demands", url="href", status="status"),
        statuses=HEIMAO_STATUSES,
    ),
    FileFormat(
        name="heimao-browser", title="黑猫投诉页面复制", source="heimao", kind=PostKind.TICKET,
        needs=frozenset({"title", "content", "time", "href", "keyword"}),
        columns=columns(title="title", text="content", time="time", url="href"), statuses=HEIMAO_STATUSES,
    ),
)  # fmt: skip

# words that name a column in files nobody described; lower case, first match wins
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "编号", "帖子id", "评论id", "post_id", "记录编号", "工单号", "序号"),
    "title": ("title", "标题", "主题", "subject"),
    "text": ("text", "content", "内容", "正文", "评论内容", "评价内容", "投诉内容", "反馈内容", "问题描述", "描述", "desc", "body", "comment", "review", "summary"),
    "url": ("url", "链接", "link", "href", "地址", "网址"),
    "time": ("time", "date", "datetime", "时间", "日期", "发布时间", "评论时间", "评价时间", "投诉时间", "创建时间", "created_at", "published_at", "timestamp"),
    "author": ("author", "作者", "用户", "用户名", "昵称", "user", "nickname", "user_id"),
    "region": ("region", "地区", "省份", "ip属地", "城市"),
    "likes": ("likes", "点赞", "点赞数", "赞", "like_count"),
    "comments": ("comments", "评论数", "回复数", "comment_count"),
    "reposts": ("reposts", "转发", "转发数", "shares", "分享数"),
    "views": ("views", "阅读", "阅读数", "浏览量", "播放量"),
    "rating": ("rating", "评分", "星级", "score", "stars"),
    "target": ("target", "投诉对象", "商家", "品牌", "被投诉方"),
    "problems": ("problems", "投诉问题", "问题类型", "问题"),
    "demands": ("demands", "投诉要求", "诉求"),
    "amount": ("amount", "涉诉金额", "金额"),
    "status": ("status", "状态", "处理状态", "投诉进度", "投诉状态"),
    "ticket": ("ticket", "投诉编号", "工单编号"),
}  # fmt: skip


def find_format(names: frozenset[str]) -> FileFormat | None:
    """The known export whose columns these are, or None."""
    for known in FORMATS:
        if known.needs <= names and not (known.lacks & names):
            return known
    return None


def guess_columns(names: tuple[str, ...]) -> Columns:
    """For a file nobody described: canonical name → column, by the words in the header."""
    lowered = {name.strip().lower(): name for name in names}
    found = {}
    for canonical, words in SYNONYMS.items():
        for word in words:
            if word in lowered:
                found[canonical] = (lowered[word],)
                break
    return found

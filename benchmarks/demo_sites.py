"""How five kinds of source show the invented world: raw bodies in the formats that the real sites speak."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from benchmarks import demo_texts as T  # noqa: N812
from benchmarks.demo_world import WorldPost
from tingfeng.clock import SHANGHAI

STATUS_WORDS = {3: "待分配", 4: "处理中", 6: "已回复"}


def heimao_sn(post: WorldPost) -> str:
    return f"173{post.number:08d}"


def heimao_sld(post: WorldPost) -> str:
    return hashlib.md5(heimao_sn(post).encode(), usedforsecurity=False).hexdigest()


def heimao_target(post: WorldPost) -> str:
    return post.brand + "官方旗舰店" if post.brand else next(t for t in T.NOISE_TARGETS if t in post.text)


def heimao_status(post: WorldPost, at: datetime) -> int:
    hours = (at - post.at).total_seconds() / 3600
    return 3 if hours < 2 else 4 if hours < 30 or post.number % 3 else 6


def heimao_feed(posts: Sequence[WorldPost], page: int, at: datetime) -> bytes:
    """Ten entries a page, newest first, as the anonymous feed answers."""
    shown = posts[(page - 1) * 10 : page * 10]
    body = {
        "result": {
            "status": {"code": 0, "msg": ""},
            "data": {
                "lists": [heimao_item(post, at) for post in shown],
                "pager": {"current": page, "next": page + 1, "page_amount": 50, "item_count": 500, "page_size": 10},
            },
        }
    }
    return json.dumps(body).replace("/", "\\/").encode()


def heimao_item(post: WorldPost, at: datetime) -> dict[str, object]:
    sn = heimao_sn(post)
    main: dict[str, object] = {
        "sn": sn,
        "title": post.title or post.text[:20],
        "cotitle": heimao_target(post),
        "couid": "565" + str(len(heimao_target(post))).zfill(7),
        "issue": T.ISSUES[post.issue or "quality"],
        "appeal": "退款,赔偿" if post.number % 2 else "解释,道歉",
        "summary": post.text[:60] + ("..." if len(post.text) > 60 else ""),
        "cost": f"{(post.number * 37) % 900}.00",
        "timestamp": str(int(post.at.timestamp())),
        "status": heimao_status(post, at),
        "comment_id": f"tousu-{sn}",
        "upvote_amount": post.number % 7,
        "share_amount": 0,
        "evaluate_u": None,
        "url": f"//tousu.sina.com.cn/complaint/view/{sn}/?sld={heimao_sld(post)}",
    }
    return {
        "main": main,
        "author": {"title": f"匿名喵{post.author}", "wb_profile": f"//weibo.com/u/{post.author:010d}"},
    }


def heimao_detail(post: WorldPost, at: datetime) -> bytes:
    """The public page of one complaint; one list item is not closed, as on the real page."""
    local = post.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    name, target, text = f"匿名喵{post.author}", heimao_target(post), html.escape(post.text)
    page = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(post.title)}_黑猫投诉</title></head><body>
<div class="ts-d-question"><h1 class="article">{html.escape(post.title or post.text[:20])}</h1>
<div class="ts-q-user clearfix"><span class="u-name">{name}</span><span class="u-date">发布于 {local}</span></div>
<ul class="ts-q-list"><li><label>投诉编号：</label>{heimao_sn(post)}</li>
<li><label>投诉对象：</label><a href="//tousu.sina.com.cn/company/view/?couid=1">{target}</a></li>
<li><label>使用服务：</label>线上购物
<li><label>投诉问题：</label>{T.ISSUES[post.issue or "quality"]}</li>
<li><label>投诉要求：</label>{"退款,赔偿" if post.number % 2 else "解释,道歉"}</li>
<li><label>涉诉金额：</label>{(post.number * 37) % 900}元</li>
<li><label>投诉进度：</label><b>{STATUS_WORDS[heimao_status(post, at)]}</b></li></ul></div>
<div class="ts-d-steplist"><div class="ts-d-item"><span class="u-name">{name}</span><span class="u-status">发起投诉</span>
<span class="u-date">{local}</span><div class="ts-d-cont"><div class="ts-reply"><p>投诉内容</p><p>{text}</p></div></div></div></div>
</body></html>"""
    return page.encode()


def appstore_page(posts: Sequence[WorldPost], at: datetime) -> bytes:
    """The customer review feed; times carry the US offset, as the real one."""
    pacific = ZoneInfo("America/Los_Angeles")
    entries = [
        {
            "author": {
                "uri": {"label": f"https://itunes.apple.com/cn/reviews/id{post.author + 100000000}"},
                "name": {"label": f"用户{post.author}"},
                "label": "",
            },
            "updated": {"label": post.at.astimezone(pacific).isoformat(timespec="seconds")},
            "im:rating": {"label": str(post.rating or 3)},
            "im:version": {"label": "8.2.1" if post.number % 3 else "8.1.0"},
            "id": {"label": f"128{post.number:08d}"},
            "title": {"label": post.title or post.text[:12]},
            "content": {"label": post.text, "attributes": {"type": "text"}},
            "im:voteSum": {"label": "0"},
            "im:voteCount": {"label": "0"},
        }
        for post in posts[:50]
    ]
    feed = {
        "feed": {
            "author": {"name": {"label": "iTunes Store"}},
            "entry": entries,
            "updated": {"label": at.astimezone(pacific).isoformat(timespec="seconds")},
            "title": {"label": "iTunes Store: 用户评论"},
        }
    }
    return json.dumps(feed, ensure_ascii=False).encode()


def news_feed(posts: Iterable[WorldPost], at: datetime) -> bytes:
    """RSS 2.0 with HTML in CDATA, in GB18030: an older news site."""
    items = "".join(
        f"<item><title>{html.escape(post.title)}</title><link>https://news.example/a/{post.number}.html</link>"
        f'<guid isPermaLink="false">news-{post.number}</guid><description><![CDATA[<p>{html.escape(post.text)}</p>]]></description>'
        f"<pubDate>{format_datetime(post.at)}</pubDate></item>"
        for post in posts
    )
    body = (
        '<?xml version="1.0" encoding="gb2312"?><rss version="2.0"><channel><title>家电新闻</title><link>https://news.example/</link>'
        f"<description>家电行业</description><lastBuildDate>{format_datetime(at)}</lastBuildDate>{items}</channel></rss>"
    )
    return body.encode("gb18030")


def forum_feed(posts: Iterable[WorldPost], at: datetime) -> bytes:
    """Atom, newest first."""
    entries = "".join(
        f"<entry><title>{html.escape(post.title)}</title><id>tag:forum.example,2026:{post.number}</id>"
        f'<link href="https://forum.example/t/{post.number}"/><published>{post.at.isoformat()}</published>'
        f"<updated>{post.at.isoformat()}</updated><author><name>坛友{post.author}</name></author>"
        f'<content type="html">{html.escape("<p>" + html.escape(post.text) + "</p>")}</content></entry>'
        for post in posts
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>小家电论坛</title>'
        f"<id>tag:forum.example,2026:feed</id><updated>{at.isoformat()}</updated>{entries}</feed>"
    ).encode()


def export_line(post: WorldPost) -> str:
    """One line of an operator's export, new generation of columns."""
    seconds, who = int(post.at.timestamp()), hashlib.sha256(str(post.author).encode()).hexdigest()[:16]
    native = f"66aa{post.number:020d}" if post.site == "xhs" else f"52{post.number:014d}"
    if post.site == "xhs":
        row: dict[str, object] = {
            "note_id": native, "type": "normal", "title": post.title, "desc": post.text, "video_url": "", "time": seconds * 1000,
            "last_update_time": seconds * 1000, "creator_hash": who, "nickname": "小***瓜", "liked_count": str(post.likes),
            "collected_count": "0", "comment_count": str(post.likes // 4), "share_count": "", "tag_list": "小家电",
            "last_modify_ts": seconds * 1000, "note_url": f"https://www.xiaohongshu.com/explore/{native}?xsec_token=AB",
            "source_keyword": post.brand, "xsec_token": "AB",
        }  # fmt: skip
    else:
        row = {
            "note_id": native, "content": post.text, "create_time": seconds,
            "create_date_time": post.at.astimezone(SHANGHAI).isoformat(sep=" "), "liked_count": str(post.likes),
            "comments_count": str(post.likes // 5), "shared_count": str(post.likes // 9), "last_modify_ts": seconds * 1000,
            "note_url": f"https://m.weibo.cn/detail/{native}", "creator_hash": who, "nickname": "路***甲",
            "source_keyword": post.brand,
        }  # fmt: skip
    return json.dumps(row, ensure_ascii=False)

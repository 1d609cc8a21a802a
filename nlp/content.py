"""Whether there is Chinese text to judge at all."""

from __future__ import annotations

import re

from tingfeng.labels import Content
from tingfeng.text import HAN, join_title, normalise

TAG = re.compile(r"<[^<>]{1,200}>")
PLACEHOLDER = re.compile(r"\[[^\[\]\s]{1,8}\]")
HAN_ONE = re.compile(f"[{HAN}]")
KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
LETTER = re.compile(r"[^\W\d_]")
# trades that no watched firm is in: loans for anybody, paid reviews, accounts, agents, quick money, wonder cures
SHADY = re.compile(
    r"刷单|刷好评|刷量|刷粉|涨粉|互粉|买粉|上热门|代刷|点赞任务|兼职|日结|日赚|日入|月入|时薪\d|一单\d|手机就能|在家就能|躺赚|稳赚|带你赚|带赚|副业|跟单|荐股|涨停|牛股|内幕|翻倍|"
    r"宝妈|秒批|下款|放款|秒过|黑户|白户|征信|逾期|停息挂账|债务|提额|套现|额度|凭身份证|代还|无抵押|低息|代理退保|全额退保|信用租|低首付|0首付|0押金|零押金|"
    r"代充|代练|代下单|代叫|代开|代办|代发|代做|代写|代抢|代查|代考|代挂|代注册|代拍|代理|差评|好评上榜|删帖|回收|高价收|解封|租号|卖号|出号|收号|外挂|辅助|脚本|不封号|点券|"
    r"不成功不收费|先办后付|包过|包下|0库存|零库存|零门槛|零成本|0成本|招商|诚招|招募|合伙人|分销|一件代发|货源|加盟|棋牌|博彩|彩票|六合彩|裸聊|办证|成人视频|约炮|私彩|跑分|"
    r"内部价|内部渠道|内部名额|内部券|秘方|偏方|老中医|国医|包治|根治|不反弹|无需运动|疗程|减肥|减脂|瘦身|掉\d|瘦\d|瘦了|祛斑|祛痘|增高|生发|壮阳|肉毒|玻尿酸|高仿|复刻|原单|尾单|保税仓|"
    r"推广员|推荐官|拉新|邀一位|上不封顶|邀请码|返佣|返现|提成"
)
# the way to somebody beside the firm's own shop
CONTACT = re.compile(
    r"加(?:个)?(?:v|wx|微|薇|威|徽|qq|q|扣|裙|群|我|重)|薇(?:信|❤|:)|[vq][ :+][a-z0-9_]{3,}|[vq][a-z]*\d{5,}|v信|wx[:\d]|\+q|微信|"
    r"电报|telegram|t\.me|\[账号\]|"
    r"主页|简介|头像|扫码|私我|私聊|私信|想要的私|详情私|[,。!]私[,。!]|的私$|滴滴我|戳我|找我|联系小|联系我|"
    r"电话\d|电话\[|\[手机号\]|懂的来|速联|同号|进群|入群|拉群|扣1|留言"
)
# an account to write to, or a text message sent to thousands
BLAST = re.compile(
    r"加(?:个)?(?:v|薇|威信|扣)[:信 ]?[a-z0-9_*]*|(?:客服|薇|微信?)[vq]?[:❤ ]+[a-z0-9_]{4,}|"
    r"(?:回复?|拒收请回)(?:t|td|r|n)(?:退订|拒收)?$|复制(?:整段|这段|本条|此条|口令)"
)
URGING = re.compile(
    r"先到先得|名额|仅限|限今日|限前|前\d+名|手慢无|数量不多|售完|清仓|全网最低|最低价|厂家直销|错过|半价|[一二三四五六七八九\d]折|免费|假一赔|秒到|秒结|包邮|24小时|全国|诚信|回t退订|"
    r"当面|低价|特价|仅此|最后|抓紧|速来|有意|速度|稳定|正规|靠谱|长期|老客户|安全"
)
# whoever tells of spam, warns of it or was taken in by it sends none
TOLD = re.compile(
    r"骗|投诉|举报|曝光|警惕|小心|别信|提醒|假的|冒充|上当|骚扰|报警|维权|要求|退款|退我|求助|通报|记者|警方|垃圾|推销|"
    r"[吗么呢]\?|客服(?!v|微|薇)|怎么办|请问"
)
# trades, urgings and a contact together: with two, half of what was found was no spam; a long review names many things
LEAST, FURTHER = 3, 150
WANTED = re.compile(r"退|还我|赔|解释|说法|道歉|开门|发货")
# reviewers say a thing three or four times to fill the form
REPEATED = re.compile(r"(.{4,24}?)\1{5,}")


def judge_content(title: str, text: str) -> Content:
    """no_text: nothing but emoji, tags or punctuation; other_language: letters but hardly any Han; spam: what sells nothing we watch."""
    plain = PLACEHOLDER.sub(" ", normalise(TAG.sub(" ", join_title(title, text))))
    letters = len(LETTER.findall(plain))
    if not letters:
        return Content.NO_TEXT
    han = len(HAN_ONE.findall(plain))
    if len(KANA_HANGUL.findall(plain)) > han or han * 10 < letters:
        return Content.OTHER_LANGUAGE
    return Content.SPAM if sells_shadily(plain) or is_flood(plain) else Content.OK


def sells_shadily(plain: str) -> bool:
    """Shady trades with a way to the seller or with urgings, or mass mail that urges; not in the mouth of somebody who tells of it."""
    trades = len(set(SHADY.findall(plain)))
    blast = BLAST.search(plain) is not None
    if not trades and not blast:
        return False
    urged, contact = len(set(URGING.findall(plain))), CONTACT.search(plain) is not None
    found = (trades + contact + urged >= LEAST + len(plain) // FURTHER and (trades > 1 or contact)) if trades else urged > 0
    return (found or (blast and urged > 0)) and TOLD.search(plain) is None


def is_flood(plain: str) -> bool:
    """The same words over and over, hardly anything else; who shouts for the money back floods nothing."""
    if len(plain) < 2 * len(set(plain)):
        return False
    found = REPEATED.search(plain)
    if found is None or len(set(LETTER.findall(found.group(1)))) < 4 or TOLD.search(plain):
        return False
    return 2 * len(found.group()) > len(plain) and not WANTED.search(plain)

"""Masks personal numbers before anything is stored: phones, ID and bank cards, e-mail, number plates, order numbers, addresses.

Service lines (400…, 95xxx), versions, model numbers, amounts, dates and surnames stay. Linear time; idempotent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from tingfeng.records import Post

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
DIGIT = "0-9０-９"
GAP = r"[ \-—－]?"
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
WIDE = str.maketrans("０１２３４５６７８９\uff38\uff58", "0123456789XX")

EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}[@＠][A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,4}")
ID_CARD = re.compile(
    rf"(?<![{DIGIT}A-Za-z])[{DIGIT}]{{6}}{GAP}[{DIGIT}]{{8}}{GAP}[{DIGIT}]{{3}}[{DIGIT}Xx\uff38\uff58](?![{DIGIT}A-Za-z])"
)
ID_DAY = re.compile(r"[1-8][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]")
BANK_CARD = re.compile(rf"(?<![{DIGIT}])[{DIGIT}]{{4}}(?:{GAP}[{DIGIT}]{{4}}){{2,3}}{GAP}[{DIGIT}]{{1,7}}(?![{DIGIT}])")
MOBILE = re.compile(
    rf"(?<![{DIGIT}])(?:[+＋]?(?:86|８６){GAP})?[1１][3-9３-９][{DIGIT}]{GAP}[{DIGIT}]{{4}}{GAP}[{DIGIT}]{{4}}(?![{DIGIT}])"
)
SPACED_GAP = r"[ \u3000\-—－·.]"
SPACED_MOBILE = re.compile(
    rf"(?<![{DIGIT}])(?<![{DIGIT}]{SPACED_GAP})[1１]({SPACED_GAP}{{1,2}})[3-9３-９](?:\1[{DIGIT}]){{9}}(?!{SPACED_GAP}?[{DIGIT}])"
)
LANDLINE = re.compile(rf"(?<![{DIGIT}])0[{DIGIT}]{{2,3}}[\-—－ ][{DIGIT}]{{7,8}}(?![{DIGIT}])")
PLATE = re.compile(rf"[{PROVINCES}][A-HJ-NP-Za-hj-np-z][·• ]?[A-HJ-NP-Z0-9a-hj-np-z]{{5,6}}(?![A-Za-z0-9])")
NUMBERED = re.compile(
    r"((?:订单|单号|运单|快递单|工单|案件|案号|受理|投诉编|流水|会员|账|帐|身份证|银行卡|护照)(?:编号|号码|号)?\s*(?:是|为)?\s*[:：#]?\s*)([A-Za-z0-9\-]{6,32})"
)
CONTACT = re.compile(
    r"((?:微信|微信号|加V|加v|VX|vx|QQ|qq|扣扣)(?:号|同号)?\s*(?:是)?\s*[:：]?\s*)([A-Za-z0-9_\-]{5,24})"
)
ADDRESS = re.compile(
    r"(?:[\u4e00-\u9fff]{2,8}(?:省|自治区|市))?[\u4e00-\u9fff]{2,8}(?:区|县|镇|街道|路|街|大道|巷)[\u4e00-\u9fff0-9A-Za-z]{0,12}?[0-9]{1,5}(?:号|弄|栋|幢|座|单元|号楼)"
    r"(?:[0-9A-Za-z]{1,5}(?:号楼|栋|幢|座|单元|室|户|楼|层))*(?:[0-9]{3,4}(?:室)?)?"
)
SERVICE_LINE = re.compile(r"(?:400|800)[0-9]{7}|95[0-9]{3,6}|12[0-9]{3}")


def is_id_card(number: str) -> bool:
    """The check digit of GB 11643, or 18 digits in one piece with a region and a day of birth: mistyped, it still leads to a person."""
    number = number.translate(WIDE).upper()
    if ID_DAY.fullmatch(number):
        return True
    number = re.sub(r"\W", "", number)
    if not number[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17]


def is_bank_card(number: str) -> bool:
    """15 to 19 digits with a right Luhn sum (ISO/IEC 7812)."""
    digits = [int(c) for c in number.translate(WIDE) if c.isdigit()]
    if not 15 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * d, 10)) if place % 2 else d for place, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def keep_unless(check: Callable[[str], bool], word: str) -> Callable[[re.Match[str]], str]:
    """Replaces a match that passes the check."""
    return lambda found: word if check(found.group()) else found.group()


def mask_numbered(found: re.Match[str]) -> str:
    """`订单号:2026…` keeps its cue; a cue without digits after it is no number."""
    digits = sum(character.isdigit() for character in found.group(2))
    if digits < 5 or SERVICE_LINE.fullmatch(found.group(2).replace("-", "")):
        return found.group()
    return f"{found.group(1)}[编号]"


def mask_personal(text: str) -> str:
    """The text with personal numbers replaced by words in brackets such as `[手机号]`."""
    if not text or text.isalpha():
        return text
    text = EMAIL.sub("[邮箱]", text)
    text = ID_CARD.sub(keep_unless(is_id_card, "[身份证号]"), text)
    text = SPACED_MOBILE.sub("[手机号]", MOBILE.sub("[手机号]", text))
    text = BANK_CARD.sub(keep_unless(is_bank_card, "[银行卡号]"), text)
    text = LANDLINE.sub("[电话]", text)
    text = NUMBERED.sub(mask_numbered, text)
    text = CONTACT.sub(lambda found: f"{found.group(1)}[账号]", text)
    text = PLATE.sub("[车牌]", text)
    return ADDRESS.sub("[地址]", text)


def mask_post(post: Post) -> Post:
    """Title, text and extras masked; what names the post (source, id, address on the web) stays."""
    title, text = mask_personal(post.title), mask_personal(post.text)
    extras = {name: mask_personal(value) for name, value in post.extras.items()}
    if title == post.title and text == post.text and extras == dict(post.extras):
        return post
    return replace(post, title=title, text=text, extras=extras)

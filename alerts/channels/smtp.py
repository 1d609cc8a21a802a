"""Mail: text and HTML, one thread per alert (stable Message-ID, References), TLS with certificates checked."""

from __future__ import annotations

import html
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

import httpx

from alerts.channels.base import TIMEOUT_SECONDS, Channel, ChannelOptions, Delivery, Message
from tingfeng.errors import SettingsError

KIND, TITLE_ZH = "smtp", "邮件"
NEEDS_ZH = "url = smtp://主机:端口(STARTTLS)或 smtps://;recipients;options.sender、options.user;PASSWORD"
LIMIT_ZH = "逐个收件人看结果;4xx 重试,5xx 失败"


class Mail:
    """Built by build()."""

    def __init__(self, options: ChannelOptions) -> None:
        self._options = options

    def send(self, message: Message, now: datetime) -> Delivery:
        mail = self._compose(message, now)
        try:
            with self._connect() as server:
                refused = server.send_message(mail, to_addrs=list(self._options.recipients))
        except smtplib.SMTPRecipientsRefused as error:
            return judge_refused(error.recipients, all_refused=True)
        except smtplib.SMTPResponseException as error:
            outcome = "retry" if 400 <= error.smtp_code < 500 else "failed"
            return Delivery(outcome, str(error.smtp_code), "邮件服务器拒绝")
        except ssl.SSLCertVerificationError:
            return Delivery("failed", "tls", "邮件服务器的证书不可信")
        except (smtplib.SMTPException, OSError) as error:
            return Delivery("retry", type(error).__name__, "连不上邮件服务器")
        return judge_refused(refused, all_refused=False)

    def _connect(self) -> smtplib.SMTP:
        url = urlsplit(self._options.url)
        context = ssl.create_default_context(cafile=self._options.extra.get("ca_file"))
        host = url.hostname or ""
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, url.port or 587, timeout=TIMEOUT_SECONDS)
            if self._options.extra.get("tls", "starttls") != "none":
                server.starttls(context=context)
        if self._options.extra.get("user"):
            server.login(self._options.extra["user"], self._options.password)
        return server

    def _compose(self, message: Message, now: datetime) -> EmailMessage:
        mail = EmailMessage()
        sender = self._options.extra["sender"]
        domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        mail["From"], mail["To"] = sender, ", ".join(self._options.recipients)
        mail["Subject"] = " ".join(message.title.split())
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{message.key}@{domain}>"
        root = f"<{message.episode}@{domain}>"
        mail["In-Reply-To"], mail["References"] = root, root
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join([*message.lines, "", message.link]))
        body = "".join(f"<p>{html.escape(line)}</p>" for line in message.lines)
        link = html.escape(message.link, quote=True)
        mail.add_alternative(
            f'<html><body><h3>{html.escape(message.title)}</h3>{body}<p><a href="{link}">查看详情</a></p></body></html>',
            subtype="html",
        )
        return mail


def judge_refused(refused: dict[str, tuple[int, bytes]], *, all_refused: bool) -> Delivery:
    """Delivered when at least one recipient took it; who did not is told by number, not by address."""
    if not refused:
        return Delivery("delivered", "250")
    codes = sorted({str(code) for code, _ in refused.values()})
    if not all_refused:
        return Delivery("delivered", ",".join(codes), f"{len(refused)} 个收件人被拒")
    temporary = all(code.startswith("4") for code in codes)
    return Delivery("retry" if temporary else "failed", ",".join(codes), "所有收件人都被拒")


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError when server, sender or recipients are missing."""
    if urlsplit(options.url).scheme not in ("smtp", "smtps") or not urlsplit(options.url).hostname:
        raise SettingsError(
            f"渠道 {options.name} 的 url 不是邮件服务器",
            where="channels",
            hint='例如 url = "smtp://mail.example.com:587"',
        )
    if not options.recipients or not options.extra.get("sender"):
        raise SettingsError(
            f"渠道 {options.name} 缺收件人或发件人",
            where="channels",
            hint='请写 recipients = ["…"] 与 options = { sender = "…" }',
        )
    return Mail(options)

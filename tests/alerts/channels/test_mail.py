"""Mail against a small SMTP server on a real socket."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.policy import default

import httpx
import pytest

from alerts.channels.base import Channel, ChannelOptions, Message, build_channel
from tingfeng.errors import SettingsError

NOW = datetime(2026, 11, 14, tzinfo=UTC)


@dataclass
class MailServer:
    url: str = ""
    refuse: dict[str, str] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[MailServer]:
    told = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 test")
            while line := self.rfile.readline().decode().strip():
                verb = line.upper()
                if verb.startswith("RCPT"):
                    address = line.split("<")[1].split(">")[0]
                    self.say(told.refuse.get(address, "250 ok"))
                elif verb == "DATA":
                    self.say("354 go")
                    body = bytearray()
                    while (row := self.rfile.readline()) != b".\r\n":
                        body += row
                    told.mails.append(bytes(body))
                    self.say("250 queued")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        told.url = f"smtp://127.0.0.1:{listening.server_address[1]}"
        yield told
        listening.shutdown()
        thread.join()


def build(url: str, **changes: object) -> Channel:
    fields: dict[str, object] = {
        "recipients": ("a@x.example", "b@x.example"),
        "extra": {"sender": "tf@x.example", "tls": "none"},
    }
    with httpx.Client(trust_env=False) as http:
        return build_channel(ChannelOptions("mail", "smtp", url, **fields | changes), http)  # type: ignore[arg-type]


def test_mail_has_text_html_and_a_thread(server: MailServer, message: Message) -> None:
    assert build(server.url).send(message, NOW).outcome == "delivered"
    mail = email.message_from_bytes(server.mails[0], policy=default)
    assert mail["Message-ID"] == "<key1@x.example>"
    assert mail["References"] == "<alert1@x.example>"
    html = mail.get_body(("html",))
    assert html is not None
    assert "<!channel>" not in html.get_content()
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert "负面 42 条" in plain.get_content()


def test_a_title_cannot_smuggle_headers(server: MailServer, message: Message) -> None:
    assert build(server.url).send(replace(message, title="题\r\nBcc: evil@x.example"), NOW).outcome == "delivered"
    assert email.message_from_bytes(server.mails[0], policy=default)["Bcc"] is None


def test_one_refused_recipient_is_told(server: MailServer, message: Message) -> None:
    server.refuse = {"b@x.example": "550 no such user"}
    delivery = build(server.url).send(message, NOW)
    assert (delivery.outcome, delivery.code) == ("delivered", "550")
    assert "b@x" not in delivery.detail


@pytest.mark.parametrize(("answer", "outcome"), [("550 no", "failed"), ("451 later", "retry")])
def test_all_refused(server: MailServer, message: Message, answer: str, outcome: str) -> None:
    server.refuse = {"a@x.example": answer, "b@x.example": answer}
    assert build(server.url).send(message, NOW).outcome == outcome


def test_no_server_is_tried_again(message: Message) -> None:
    assert build("smtp://127.0.0.1:9").send(message, NOW).outcome == "retry"


@pytest.mark.parametrize("changes", [{"recipients": ()}, {"extra": {}}])
def test_what_is_missing_is_named(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="收件人或发件人"):
        build("smtp://127.0.0.1:9", **changes)


def test_an_address_that_is_no_mail_server() -> None:
    with pytest.raises(SettingsError, match="邮件服务器"):
        build("http://x.example")

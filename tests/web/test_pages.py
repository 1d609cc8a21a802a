"""The pages over a real store: what is shown, what is refused, and how hostile text ends."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from store.desk import Desk, WatchCommit, open_desk
from store.sqlite import SQLitePostStore
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.labels import Act, AlertState, Content, Level, PostKind, Sentiment
from tingfeng.records import Alert, Finding, Incident, JudgedPost, Mention, Post, Subject
from web.app import create_app
from web.views.home import list_incidents
from web.views.words import keep_safe_link, name_incident, show_ago, show_signed

NOW = parse_iso("2026-11-14T18:30")
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>暖芽起火'


def make_post(number: int, text: str) -> Post:
    at = NOW - timedelta(minutes=10 * number + 1)
    return Post(
        "weibo",
        str(number),
        PostKind.ORIGINAL,
        text,
        NOW,
        published_at=at,
        url="javascript:alert(3)" if number % 2 else "https://weibo.example/1",
    )


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SQLitePostStore, Desk]]:
    posts, desk = SQLitePostStore(tmp_path / "posts.db"), open_desk(f"sqlite:///{tmp_path / 'desk.db'}")
    stored = [make_post(n, HOSTILE if n == 0 else f"暖芽水壶第{n}次漏水") for n in range(70)]
    posts.add_posts(stored)
    labels = [Sentiment.NEGATIVE if n % 3 else Sentiment.POSITIVE for n in range(70)]
    judged = [
        JudgedPost(
            post.id,
            Content.OK,
            (Mention(post.id, "暖芽", (Act.COMPLAINT,), label, harm_words=("起火",) if n == 0 else ()),),
            post.id,
        )
        for n, (post, label) in enumerate(zip(stored, labels, strict=True))
    ]
    posts.save_judged(judged, NOW)
    finding = Finding("spike", "暖芽", NOW, Level.RED, 3.0, reasons=("近 3 小时负面 42 条,预期 9.6 条",))
    alert = Alert(
        "a1", "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, NOW, NOW, "i1", NOW, last_finding=finding
    )
    incident = Incident("i1", "暖芽", "暖芽:负面突增,涉及人身安全", Level.RED, Level.RED, AlertState.FIRING, NOW, NOW)
    desk.commit_watch(
        WatchCommit([alert], (), [incident], kept={("baseline", "暖芽"): '{"2026-11-14T17:00+08:00": 2.5}'}), NOW
    )
    yield posts, desk
    posts.close()
    desk.close()


@pytest.fixture
def app(stores: tuple[SQLitePostStore, Desk]) -> Any:
    subjects = [Subject("橙屿", competitor=True), Subject("暖芽")]
    return create_app(*stores, subjects, SimulatedClock(NOW), ["127.0.0.1", "testserver"])


@pytest.fixture
def client(app: Any) -> Iterator[TestClient]:
    with TestClient(app) as found:
        yield found


def test_home_shows_the_own_brand_first_with_incident_and_figures(client: TestClient) -> None:
    page = client.get("/").text
    for words in ("暖芽:负面突增,涉及人身安全", "近 3 小时负面 42 条", "24 小时声量", "最新提及", "竞品"):
        assert words in page


def test_incidents_stand_as_they_stood_then_and_the_chosen_subject_comes_first(stores: tuple[SQLitePostStore, Desk]) -> None:
    over = [
        Incident(id, subject, "", Level.BLUE, Level.YELLOW, AlertState.RESOLVED, NOW - timedelta(days=ago), NOW, NOW - timedelta(hours=1))
        for id, subject, ago in (("i2", "橙屿", 1), ("i3", "暖芽", 3))
    ]
    stores[1].commit_watch(WatchCommit((), (), over), NOW)
    cards = list_incidents(*stores, NOW, "橙屿")
    assert [card.incident.id for card in cards] == ["i1", "i2", "i3"]
    assert [card.incident.id for card in list_incidents(*stores, NOW, "暖芽")] == ["i1", "i3", "i2"]
    then = list_incidents(*stores, NOW - timedelta(hours=2), "暖芽")
    assert [(card.incident.id, card.incident.state, card.incident.resolved_at) for card in then] == [
        ("i2", AlertState.FIRING, None), ("i3", AlertState.FIRING, None)
    ]  # fmt: skip


def test_a_silent_source_is_called_by_its_name() -> None:
    assert name_incident("来源 forum 采集中断", "source:forum") == "来源 论坛 采集中断"
    assert name_incident("暖芽:负面突增", "暖芽") == "暖芽:负面突增"


def test_hostile_text_stays_text(client: TestClient) -> None:
    page = client.get("/").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "javascript:alert(3)" not in page


def test_search_and_paging(client: TestClient) -> None:
    assert "1 条" in client.get("/", params={"q": "起火"}).text
    first = client.get("/").text
    assert "更早的" in first
    cursor = first.split("cursor=")[1].split('"')[0]
    assert "第35次漏水" in client.get("/", params={"cursor": cursor}).text


def test_a_mistake_in_a_query_is_shown_where_it_is(client: TestClient) -> None:
    page = client.get("/", params={"q": "漏水 AND"})
    assert page.status_code == 200
    assert "缺一个词" in page.text
    assert "只有排除条件" in client.get("/", params={"q": "-漏水"}).text
    assert "翻页标记读不懂" in client.get("/", params={"cursor": "!!"}).text


def test_every_quote_leads_to_a_stored_post(client: TestClient) -> None:
    page = client.get("/").text
    address = page.split("<blockquote>")[1].split('href="')[1].split('"')[0]
    assert "首次看到" in client.get(address).text
    assert client.get("/posts/none").status_code == 404


def test_series_has_every_hour(client: TestClient) -> None:
    series = client.get("/api/series", params={"subject": "暖芽", "hours": 24}).json()
    assert len(series["hours"]) == len(series["total"]) == len(series["baseline"]) == 24
    assert sum(series["total"]) == 70
    assert series["baseline"][series["hours"].index("2026-11-14T17:00+08:00")] == 2.5


def test_pages_bring_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "http://" not in answer.text.replace("http://www.w3.org", "")


def test_other_hosts_are_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_without_subjects_the_page_says_what_to_do(stores: tuple[SQLitePostStore, Desk]) -> None:
    with TestClient(create_app(*stores, [], SimulatedClock(NOW), ["testserver"])) as client:
        assert "tingfeng init" in client.get("/").text


def test_a_broken_store_is_told_in_words(app: Any, stores: tuple[SQLitePostStore, Desk], tmp_path: Path) -> None:
    stores[0].close()
    (tmp_path / "posts.db").write_bytes(b"nonsense" * 5000)
    for name in ("posts.db-wal", "posts.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/")
    assert answer.status_code == 503
    assert "数据读不出来" in answer.text


def test_words() -> None:
    assert keep_safe_link("javascript:x") == ""
    assert show_signed(-0.5) == "−0.50"
    assert show_signed(None) == "–"
    assert [show_ago(NOW - timedelta(minutes=m), NOW) for m in (3, 200, 5000)] == ["3 分钟前", "3 小时前", "3 天前"]


@pytest.fixture
def address(app: Any) -> Iterator[str]:
    """The application on a real socket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_browser_draws_the_chart_and_nothing_overflows(address: str, width: int, height: int) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": width, "height": height})
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        assert page.locator("#chart canvas").count() == 1
        shown = "echarts.getInstanceByDom(document.getElementById('chart')).getModel().getComponent"
        assert page.evaluate(f"['legend', 'tooltip'].every(name => {shown[:-13]}.getComponent(name))")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.fill("input[type=search]", "起火")
        page.click("text=查找")
        page.wait_for_selector("html[data-ready]")
        assert page.locator("ol.mentions li").count() == 1
        browser.close()
    assert said == []
    assert all(url.startswith(address) for url in asked)


@pytest.mark.parametrize(("path", "status", "words"), [("/nope", 404, "没有这个页面"), ("/posts/none", 404, "没有这条帖子"), ("/?hours=abc", 422, "参数不对")])
def test_what_cannot_be_shown_is_a_page_in_words(client: Any, path: str, status: int, words: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, words in answer.text, "<html" in answer.text) == (status, True, True)


def test_the_api_answers_mistakes_in_json(client: Any) -> None:
    assert client.get("/api/nope").json() == {"error": "没有这个页面", "detail": "请从首页重新进入"}

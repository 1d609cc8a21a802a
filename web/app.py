"""All routes of the pages. Build with create_app(); no global state, no settings read here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from store.desk import Desk
from store.posts import PostStore
from tingfeng import __version__
from tingfeng.clock import Clock, show_time
from tingfeng.errors import StoreError
from tingfeng.records import Subject
from web.views import home, words

FOLDER = Path(__file__).resolve().parent
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
CHART_HOURS = (48, 24 * 7, 24 * 35)


def create_app(
    posts: PostStore, desk: Desk, subjects: Sequence[Subject], clock: Clock, hosts: Sequence[str]
) -> FastAPI:
    """The application; answers only requests for the named hosts (a page elsewhere cannot reach it by DNS rebinding)."""
    app = FastAPI(title="听风", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*hosts])
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    templates = open_templates()

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(StoreError)
    def show_store_error(request: Request, error: StoreError) -> Response:
        page = templates.get_template("error.html").render(title="数据读不出来", message=error.message)
        return HTMLResponse(page, status_code=503)

    @app.get("/", response_class=HTMLResponse)
    def show_home(
        subject: str = Query("", max_length=80),
        q: str = Query("", max_length=4000),
        cursor: str = Query("", max_length=200),
        hours: int = Query(CHART_HOURS[0], ge=6, le=24 * 60),
    ) -> str:
        now = clock.now()
        name = home.choose_subject(subjects, subject)
        return templates.get_template("home.html").render(
            now=now,
            subjects=subjects,
            subject=name,
            q=q,
            cursor=cursor,
            hours=hours,
            chart_hours=CHART_HOURS,
            figures=home.count_figures(posts, name, now),
            cards=home.list_incidents(posts, desk, now),
            series=home.build_series(posts, desk, name, now, hours),
            mentions=home.list_mentions(posts, name, q, cursor, now),
        )

    @app.get("/posts/{post_id}", response_class=HTMLResponse)
    def show_post(post_id: str) -> str:
        post = posts.get_post(post_id)
        if post is None:
            raise HTTPException(404, "没有这条帖子,可能已按保留期限删除")
        return templates.get_template("post.html").render(post=post, now=clock.now())

    @app.get("/api/series")
    def get_series(subject: str = Query("", max_length=80), hours: int = Query(48, ge=6, le=24 * 60)) -> Response:
        series = home.build_series(posts, desk, home.choose_subject(subjects, subject), clock.now(), hours)
        return Response(series.to_json(), media_type="application/json")

    @app.get("/health")
    def show_health() -> JSONResponse:
        health = posts.health()
        return JSONResponse(
            {"version": __version__, "now": show_time(clock.now()), "posts": health.posts, "mentions": health.mentions}
        )

    return app


def open_templates() -> Environment:
    """Templates with everything escaped and missing names refused."""
    env = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(when=words.show_when, safe_link=words.keep_safe_link, signed=words.show_signed)
    env.globals.update(ago=words.show_ago, version=__version__)
    return env

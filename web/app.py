"""All routes of the pages. Build with create_app(); no global state, no settings read here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException as StarletteHTTPException
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
    app.middleware("http")(add_headers)
    pages = Pages(posts, desk, subjects, clock, open_templates())
    app.exception_handler(StoreError)(pages.show_store_error)
    app.exception_handler(StarletteHTTPException)(pages.show_refusal)
    app.exception_handler(RequestValidationError)(pages.show_refusal)
    app.get("/", response_class=HTMLResponse)(pages.show_home)
    app.get("/posts/{post_id}", response_class=HTMLResponse)(pages.show_post)
    app.get("/api/series")(pages.get_series)
    app.get("/health")(pages.show_health)
    return app


async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Scripts and styles only from here; no framing."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


@dataclass(frozen=True)
class Pages:
    """The handlers, with what they show."""

    posts: PostStore
    desk: Desk
    subjects: Sequence[Subject]
    clock: Clock
    templates: Environment

    def render(self, template: str, **values: object) -> str:
        """A page; `now` is always there."""
        return self.templates.get_template(template).render(now=self.clock.now(), **values)

    def show_store_error(self, request: Request, error: Exception) -> Response:
        """503 with what went wrong and what to do."""
        message = error.message if isinstance(error, StoreError) else str(error)
        return HTMLResponse(self.render("error.html", title="数据读不出来", message=message), status_code=503)

    def show_refusal(self, request: Request, error: Exception) -> Response:
        """What cannot be answered, in words; JSON under /api."""
        status = error.status_code if isinstance(error, StarletteHTTPException) else 422
        words = {404: "没有这个页面", 405: "这个地址不接受这种请求", 422: "地址里的参数不对"}.get(status, "请求没有成功")
        detail = str(error.detail) if isinstance(error, StarletteHTTPException) else ""
        message = detail if status == 404 and not detail.isascii() else "请从首页重新进入"
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": words, "detail": message}, status_code=status)
        return HTMLResponse(self.render("error.html", title=words, message=message), status_code=status)

    def show_home(
        self,
        subject: str = Query("", max_length=80),
        q: str = Query("", max_length=4000),
        cursor: str = Query("", max_length=200),
        hours: int = Query(CHART_HOURS[0], ge=6, le=24 * 60),
    ) -> str:
        """Figures, incidents, chart, mentions of one subject."""
        now, name = self.clock.now(), home.choose_subject(self.subjects, subject)
        return self.render(
            "home.html",
            subjects=self.subjects,
            subject=name,
            q=q,
            cursor=cursor,
            hours=hours,
            chart_hours=CHART_HOURS,
            figures=home.count_figures(self.posts, name, now),
            cards=home.list_incidents(self.posts, self.desk, now, name),
            mentions=home.list_mentions(self.posts, name, q, cursor, now) if name else None,
        )

    def show_post(self, post_id: str) -> str:
        """One stored post: where every quote leads."""
        post = self.posts.get_post(post_id)
        if post is None:
            raise HTTPException(404, "没有这条帖子,可能已按保留期限删除")
        return self.render("post.html", post=post)

    def get_series(
        self, subject: str = Query("", max_length=80), hours: int = Query(CHART_HOURS[0], ge=6, le=24 * 60)
    ) -> Response:
        """The chart's numbers."""
        name = home.choose_subject(self.subjects, subject)
        series = home.build_series(self.posts, self.desk, name, self.clock.now(), hours)
        return Response(series.to_json(), media_type="application/json")

    def show_health(self) -> JSONResponse:
        """For a watchdog."""
        health = self.posts.health()
        return JSONResponse(
            {
                "version": __version__,
                "now": show_time(self.clock.now()),
                "posts": health.posts,
                "mentions": health.mentions,
            }
        )


def open_templates() -> Environment:
    """Templates with everything escaped and missing names refused."""
    env = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(when=words.show_when, safe_link=words.keep_safe_link, signed=words.show_signed)
    env.filters.update(source=words.name_source, incident=words.name_incident)
    env.globals.update(ago=words.show_ago, version=__version__)
    return env

"""Builds the objects from settings and passes them down: the only module that knows settings, environment and everyone."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flows.machine import lock_file, make_salt, parse_salt
from flows.models import use_installed
from tingfeng.clock import Clock, SystemClock
from tingfeng.errors import BusyError, SettingsError, StoreError
from tingfeng.fingerprints import author_key
from tingfeng.records import Subject
from tingfeng.settings import (
    Paths,
    Settings,
    SourceSettings,
    find_paths,
    load_settings,
    read_secret,
    read_toml,
    secret_variable,
)

if TYPE_CHECKING:
    import httpx

    from alerts.channels.base import Channel
    from collectors.base import Collector, SourceInfo
    from nlp.lexicon import Lexicon
    from nlp.pipeline import Pipeline
    from nlp.relevance import Relevance
    from nlp.subjects import SubjectMatcher
    from store.desk import Desk
    from store.elasticsearch import ElasticsearchPostStore
    from store.posts import PostStore

HttpFactory = Callable[[], "httpx.Client"]


@dataclass(frozen=True)
class ConfiguredSource:
    """A source of the settings: `collector` None for a folder of files."""

    name: str
    info: SourceInfo
    collector: Collector | None
    settings: SourceSettings

    @property
    def base_url(self) -> str:
        """From settings, else the collector's own."""
        return self.settings.base_url or self.info.base_url

    @property
    def pace_seconds(self) -> float:
        """Seconds between two requests to a host."""
        return self.info.pace_seconds if self.settings.pace_seconds is None else self.settings.pace_seconds

    @property
    def max_pages(self) -> int:
        """Pages a run."""
        return self.settings.max_pages or self.info.max_pages


class Wiring:
    """Everything a command needs, built when first asked for. Close it in the end."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        http: HttpFactory | None = None,
    ) -> None:
        self.paths, self.settings, self.environ = paths, use_installed(settings, paths.home), environ
        self.clock: Clock = clock or SystemClock()
        self._http = http

    @cached_property
    def home(self) -> Path:
        """The state folder, made if need be. Raises StoreError when it cannot be written."""
        try:
            self.paths.home.mkdir(parents=True, exist_ok=True)
            probe = self.paths.home / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"状态目录不能写({error.strerror})",
                where=str(self.paths.home),
                hint="请用变量 TINGFENG_HOME 指定一个能写的文件夹",
            ) from error
        return self.paths.home

    @cached_property
    def posts(self) -> PostStore:
        """The PostStore. Raises StoreError, SettingsError."""
        return self.open_posts(self.settings.store.posts_url)

    def open_posts(self, url: str) -> PostStore:
        """A PostStore by address: SQLite or Elasticsearch; '' is the file of the state folder."""
        if is_cluster(url):
            return self.open_cluster(url)
        from store.sqlite import SQLitePostStore

        file = Path(url.removeprefix("sqlite:///")) if url else self.home / "posts.db"
        return SQLitePostStore(file, durable=self.settings.store.durable)

    def open_cluster(self, url: str) -> ElasticsearchPostStore:
        """The same for what only a cluster has."""
        from store.elasticsearch import ElasticsearchPostStore
        from store.elasticsearch_client import read_address
        from store.elasticsearch_schema import Layout

        store = self.settings.store
        secrets = {part: read_secret(f"TINGFENG_POSTS_{part.upper()}", self.environ) for part in ("api_key", "user", "password")}
        address = read_address(
            url, ca_file=store.posts_ca_file, fingerprint=store.posts_fingerprint, timeout_seconds=store.posts_timeout_seconds, **secrets
        )
        layout = Layout(store.posts_shards, store.posts_replicas)
        return ElasticsearchPostStore(address, self.home / "spool.db", spool_limit=store.spool_limit, layout=layout)

    @cached_property
    def desk(self) -> Desk:
        """The Desk."""
        from store.desk import open_desk

        return open_desk(self.settings.store.desk_url or f"sqlite:///{self.home / 'desk.db'}")

    def state_files(self) -> dict[str, Path]:
        """What a backup holds, by kind: the databases that are files here, and the salt. Other databases have their own backup."""
        urls = {"posts": self.settings.store.posts_url, "desk": self.settings.store.desk_url}
        files = {
            kind: Path(url.removeprefix("sqlite:///")) if url else self.home / f"{kind}.db"
            for kind, url in urls.items()
            if not url or url.startswith("sqlite:///")
        }
        return files | {"salt": self.home / "salt"}

    @cached_property
    def subjects(self) -> list[Subject]:
        """Watched subjects."""
        return [subject.to_record() for subject in self.settings.subjects]

    @cached_property
    def matcher(self) -> SubjectMatcher:
        """Finds subjects in texts."""
        from nlp.subjects import SubjectMatcher

        return SubjectMatcher(self.subjects, self.relevance)

    @cached_property
    def relevance(self) -> Relevance:
        """Spellings and senses of names."""
        from nlp.relevance import build_relevance

        return build_relevance(read_toml(self.paths.config_folder / "lexicon" / "relevance.toml"))

    @cached_property
    def lexicon(self) -> Lexicon:
        """Word lists of config/lexicon."""
        from nlp.lexicon import build_lexicon

        folder = self.paths.config_folder / "lexicon"
        try:
            stopwords = (folder / "stopwords.txt").read_text("utf-8")
        except OSError as error:
            raise SettingsError("读不了词表", where=str(folder), hint="请恢复 config/lexicon") from error
        tables = {name: read_toml(folder / f"{name}.toml") for name in ("acts", "harm", "tone", "demands", "journey")}
        return build_lexicon({"aspects": read_toml(self.paths.config_folder / "aspects.toml"), **tables}, stopwords)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The judging steps with their models."""
        from nlp.pipeline import Pipeline
        from nlp.sentiment import load_sentiment

        sentiment = load_sentiment(self.settings.nlp.model, self.settings.nlp.safety_from)
        pipeline = Pipeline(self.matcher, sentiment, self.lexicon, sentiment.heads)
        # the cues are hundreds of thousands of objects that live as long as the process: unfrozen, every full collection walks them
        gc.freeze()
        return pipeline

    @cached_property
    def salt(self) -> bytes:
        """Secret of this installation for hashing authors: given, or made once. Raises SettingsError when machines differ in it."""
        given = read_secret("TINGFENG_SALT", self.environ)
        salt = parse_salt(given) if given else make_salt(self.home / "salt")
        if self.desk.is_shared:
            mine = author_key(salt, "salt", "fingerprint")
            if self.desk.agree_value("salt", "fingerprint", mine, self.clock.now()) != mine:
                raise SettingsError(
                    "这台机器的盐与别的机器不同,同一个作者会变成两个人",
                    where="TINGFENG_SALT",
                    hint=f"请在每台机器上设 TINGFENG_SALT(或 TINGFENG_SALT_FILE)为同一个值;第一台的是 {self.home / 'salt'} 的十六进制",
                )
        return salt

    def hash_author(self, source: str) -> Callable[[str], str]:
        """Account → key, for one source."""
        salt = self.salt
        return lambda account: author_key(salt, source, account)

    def open_http(self) -> httpx.Client:
        """A client for collecting and sending; the demo puts its replay here."""
        import httpx

        return self._http() if self._http else httpx.Client(follow_redirects=False, trust_env=True)

    @cached_property
    def sources(self) -> list[ConfiguredSource]:
        """Enabled sources in the order of the settings. Raises SettingsError for one that does not exist."""
        from collectors.files import FOLDER_SOURCE
        from collectors.registry import find_collector

        found = []
        for name, settings in self.settings.sources.items():
            if not settings.enabled:
                continue
            uses = settings.uses or name
            info, collector = (FOLDER_SOURCE, None) if uses == "files" else find_collector(uses)
            if info.targets and not settings.targets:
                raise SettingsError(
                    f"sources.{name}.targets 是空的", where=str(self.paths.config_file or ""), hint=info.targets
                )
            found.append(ConfiguredSource(name, info, collector, settings))
        return found

    def build_channels(self, http: httpx.Client) -> dict[str, Channel]:
        """Channel by name. Raises SettingsError naming the variable of a missing secret."""
        from alerts.channels.base import ChannelOptions, build_channel

        channels = {}
        for one in self.settings.channels:
            parts = {
                part: read_secret(secret_variable(one.name, part), self.environ)
                for part in ("url", "secret", "password")
            }
            url = parts["url"] or one.url
            if one.kind == "file":
                url = str(self.home / (url or f"{one.name}.jsonl"))
            options = ChannelOptions(
                one.name, one.kind, url, parts["secret"], parts["password"], one.recipients, one.options
            )
            channels[one.name] = build_channel(options, http)
        return channels

    @property
    def repeatable_channels(self) -> set[str]:
        """Channels whose receivers tell a repeated message by its key."""
        from alerts.channels.base import list_kinds

        kinds = {kind for kind, module in list_kinds().items() if getattr(module, "REPEATABLE", False)}
        return {one.name for one in self.settings.channels if one.kind in kinds}

    def check_channels(self) -> None:
        """Before anything is begun. Raises SettingsError naming the variable of a missing secret."""
        with self.open_http() as http:
            self.build_channels(http)

    @property
    def link(self) -> str:
        """Where the pages are, for notifications."""
        return self.settings.web.link or f"http://{self.settings.web.host}:{self.settings.web.port}"

    @contextmanager
    def lock(self, name: str, *, wait_seconds: int = 0) -> Iterator[None]:
        """Only one process at a time on all machines of this Desk; a killed one lets go by itself. Raises BusyError."""
        with ExitStack() as stack:
            for left in range(wait_seconds, -1, -1):
                try:
                    stack.enter_context(lock_file(self.home, name))
                    if stack.enter_context(self.desk.hold(name)):
                        break
                    stack.close()
                    raise BusyError(f"{name} 已经在别的机器上运行", where="desk_url", hint="请等它结束;两台机器不会重复做")
                except BusyError:
                    if not left:
                        raise
                    self.clock.sleep(1)
            yield

    def close(self) -> None:
        """Closes what was opened."""
        for name in ("posts", "desk"):
            if name in self.__dict__:
                self.__dict__[name].close()


def is_cluster(url: str) -> bool:
    """Whether an address of posts names a cluster."""
    return url.startswith(("elasticsearch://", "elasticsearchs://"))


def read_environment() -> tuple[Paths, Mapping[str, str]]:
    """Where things lie, and the variables of this process."""
    return find_paths(os.environ, Path.cwd()), os.environ


@contextmanager
def open_wiring(clock: Clock | None = None) -> Iterator[Wiring]:
    """From the process's environment and working folder."""
    paths, environ = read_environment()
    wiring = Wiring(paths, load_settings(paths, environ), environ, clock)
    try:
        yield wiring
    finally:
        wiring.close()

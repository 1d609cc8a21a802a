"""What all verbs of the Desk stand on: transactions, patience with a server that restarts, upserts, locks between machines."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from store.desk_errors import LostConnection, explain_database, refuse_old_server
from store.sqlite_schema import switch_to_wal
from tingfeng.errors import StoreError

CHUNK = 500
PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.25
ANSWER_SECONDS = 60.0
# A side that is gone is noticed by the other within half a minute or so, locks included; a session that hangs in a transaction lets
# go after a minute. A connection that is alive and answers nothing (a proxy in between) is hung up after ANSWER_SECONDS.
POSTGRES_OPTIONS = {
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "application_name": "tingfeng",
    "options": "-c lock_timeout=30000 -c idle_in_transaction_session_timeout=60000 -c tcp_keepalives_idle=15 "
    "-c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
}
P = ParamSpec("P")
R = TypeVar("R")
Verb = Callable[Concatenate[Any, P], R]


def patient(verb: Verb[P, R]) -> Verb[P, R]:
    """Asks again while the server is away. Such a verb must change nothing more when its first commit went through unheard."""

    @wraps(verb)
    def ask(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        deadline = time.monotonic() + self.patience_seconds
        while True:
            try:
                return verb(self, *args, **kwargs)
            except LostConnection:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(PAUSE_SECONDS)

    return ask


def read_url(text: str) -> URL:
    """`postgres://` and `postgresql://` mean psycopg 3. Raises StoreError that repeats nothing of the text: it may hold a password."""
    hint = "例如 sqlite:///var/desk.db 或 postgresql://用户:密码@主机:5432/库名(密码里的 @ : / 要写成 %40 %3A %2F)"
    try:
        url = make_url(text)
        backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
    except (SQLAlchemyError, ValueError):
        raise StoreError("工作台数据库地址读不懂", where="desk_url", hint=hint) from None
    if backend not in ("sqlite", "postgresql") or not url.database:
        what = "只支持 SQLite 与 PostgreSQL" if url.database else "没有写库名或文件"
        raise StoreError(f"工作台数据库地址有误({what})", where="desk_url", hint=hint)
    return url.set(drivername="postgresql+psycopg") if backend == "postgresql" else url


def open_engine(url: URL) -> Engine:
    """The engine; nothing is connected yet. Errors never show parameters: they quote posts."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True)  # connections are kept: the last one to close would write the log back
        prepare_sqlite(engine)
        return engine
    options = {name: value for name, value in POSTGRES_OPTIONS.items() if name not in url.query}
    return create_engine(url, pool_recycle=1800, hide_parameters=True, connect_args=options)


def prepare_sqlite(engine: Engine) -> None:
    """WAL, waiting for other processes, and transactions that take the write lock at once."""
    if engine.url.database:
        Path(engine.url.database).absolute().parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


class DeskCore:
    """Transactions and locks. `patience_seconds`: how long a verb waits for a server that is away; `answer_seconds`: for an answer."""

    def __init__(self, engine: Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._engine, self.patience_seconds, self.answer_seconds = engine, patience_seconds, ANSWER_SECONDS
        self._readers = (
            engine.execution_options(isolation_level="REPEATABLE READ") if self.is_shared else engine
        )  # one state of the database for all statements of a verb, as on SQLite

    @property
    def is_shared(self) -> bool:
        """Whether other machines may use the same Desk."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with (
            explain_database(self._engine.url),
            self._readers.connect() as connection,
            self._hang_up_late(connection),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _write(self, answer_seconds: float | None = None) -> Iterator[Connection]:
        with (
            explain_database(self._engine.url),
            self._engine.connect().execution_options(writes=True) as connection,
            self._hang_up_late(connection, answer_seconds),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _hang_up_late(self, connection: Connection, answer_seconds: float | None = None) -> Iterator[None]:
        """Ends a connection on which no answer comes, so that the wait for it becomes an error that can be dealt with."""
        if not self.is_shared:
            yield
            return
        line = os.dup(connection.connection.dbapi_connection.fileno())  # type: ignore[union-attr]
        timer = threading.Timer(answer_seconds or self.answer_seconds, hang_up, [line])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            os.close(line)

    def _queue_up(self, connection: Connection, name: str) -> None:
        """Lets transactions of one name pass one after another; SQLite does so by itself."""
        if self.is_shared:
            connection.execute(select(func.pg_advisory_xact_lock(lock_number(name))))

    def _upsert(
        self,
        connection: Connection,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        replace: bool = True,
        but: Sequence[str] = (),
    ) -> set[object]:
        """Inserts, or replaces by key all columns `but` some (else leaves what is there); the first key column of rows written."""
        keys = [column.name for column in table.primary_key]
        latest = list({tuple(row[name] for name in keys): row for row in rows}.values())
        dialect = postgresql if self.is_shared else sqlite
        written: set[object] = set()
        for start in range(0, len(latest), CHUNK):
            statement = dialect.insert(table).values(latest[start : start + CHUNK])
            changed = {name: statement.excluded[name] for name in latest[0] if name not in (*keys, *but)}
            statement = (
                statement.on_conflict_do_update(index_elements=keys, set_=changed)
                if replace
                else statement.on_conflict_do_nothing(index_elements=keys)
            )
            written |= set(connection.execute(statement.returning(table.c[keys[0]])).scalars())
        return written

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        """A lock between machines: True while it is ours, False when another holds it. Lost with its connection.

        On SQLite always True: one machine, where a lock file does it. What must not happen twice needs a fence besides.
        """
        if not self.is_shared:
            yield True
            return
        connection = self._take_lock(lock_number(name))
        try:
            yield connection is not None
        finally:
            if connection is not None:
                give_up(connection)

    @patient
    def _take_lock(self, number: int) -> Connection | None:
        with explain_database(self._engine.url):
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = False
            try:
                with self._hang_up_late(connection):
                    taken = bool(connection.execute(select(func.pg_try_advisory_lock(number))).scalar())
            finally:
                if not taken:
                    give_up(connection)
        return connection if taken else None

    @patient
    def check_server(self) -> str:
        """`SQLite 3.40.1`, `PostgreSQL 15.18`. Raises StoreError when it is out of reach or too old."""
        with self._read() as connection:
            if not self.is_shared:
                return f"SQLite {connection.execute(select(func.sqlite_version())).scalar()}"
            number = int(str(connection.execute(select(func.current_setting("server_version_num"))).scalar()))
        refuse_old_server(number, self._engine.url)
        return f"PostgreSQL {number // 10_000}.{number % 10_000}"

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()


def hang_up(line: int) -> None:
    """Shuts a connection down from outside; whoever waits on it wakes with an error."""
    with socket.socket(fileno=os.dup(line)) as end, suppress(OSError):  # already down is as good
        end.shutdown(socket.SHUT_RDWR)


def give_up(connection: Connection) -> None:
    """Ends the session, and with it its locks; a connection given back to the pool would keep them."""
    connection.invalidate()
    connection.close()


def lock_number(name: str) -> int:
    """64 bits of a name, as PostgreSQL's advisory locks want them."""
    return int.from_bytes(hashlib.blake2b(f"tingfeng:{name}".encode(), digest_size=8).digest(), "big", signed=True)

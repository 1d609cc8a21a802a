"""Verbs of the Desk: the capture ledger and small kept values."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from store import desk_tables as t
from store.desk_core import DeskCore, patient
from store.desk_rows import pack, read_run, to_ms
from tingfeng.fingerprints import text_hash
from tingfeng.records import CaptureRun

LONGEST_NAME = 400  # PostgreSQL indexes at most 2,704 bytes a row


def short_name(name: str) -> str:
    """A name that fits an index: the end of a very long address becomes its hash."""
    return name if len(name) <= LONGEST_NAME else f"{name[:300]}#{text_hash(name)}"


class LedgerVerbs(DeskCore):
    """Runs and values."""

    @patient
    def add_run(self, run: CaptureRun) -> None:
        """Adds a run, or replaces it by its id."""
        with self._write() as connection:
            self._upsert(connection, t.capture_runs, [pack(run)])

    @patient
    def runs(self, since: datetime, source: str = "") -> list[CaptureRun]:
        """Runs that started since, oldest first."""
        runs = t.capture_runs.c
        query = select(t.capture_runs).where(runs.started_at >= to_ms(since)).order_by(runs.started_at, runs.id)
        if source:
            query = query.where(runs.source == source)
        with self._read() as connection:
            return [read_run(row) for row in connection.execute(query).mappings()]

    @patient
    def last_runs(self) -> list[CaptureRun]:
        """The latest run of each source and query."""
        runs = t.capture_runs
        newest = (
            select(runs.c.source, runs.c.query, func.max(runs.c.started_at).label("at"))
            .group_by(runs.c.source, runs.c.query)
            .subquery()
        )
        query = select(runs).join(
            newest,
            (runs.c.source == newest.c.source) & (runs.c.query == newest.c.query) & (runs.c.started_at == newest.c.at),
        )
        with self._read() as connection:
            return [read_run(row) for row in connection.execute(query.order_by(runs.c.source, runs.c.query)).mappings()]

    @patient
    def last_covered(self, source: str, query: str) -> list[CaptureRun]:
        """The latest run of a source and query that vouches for a span; [] when there is none."""
        runs = t.capture_runs.c
        found = select(t.capture_runs).where(runs.source == source, runs.query == query, runs.covers_until.is_not(None))
        with self._read() as connection:
            return [
                read_run(row)
                for row in connection.execute(found.order_by(runs.covers_until.desc()).limit(1)).mappings()
            ]

    @patient
    def get_value(self, kind: str, name: str) -> str | None:
        """A kept value (cursor, validator, robots.txt, detector state, baseline …), None when there is none."""
        with self._read() as connection:
            return connection.execute(
                select(t.kept.c.value).where(t.kept.c.kind == kind, t.kept.c.name == short_name(name))
            ).scalar()

    @patient
    def set_value(self, kind: str, name: str, value: str, now: datetime) -> None:
        """Keeps a value."""
        with self._write() as connection:
            self._upsert(
                connection, t.kept, [{"kind": kind, "name": short_name(name), "value": value, "at": to_ms(now)}]
            )

    @patient
    def agree_value(self, kind: str, name: str, value: str, now: datetime) -> str:
        """Keeps a value unless there is one; the one that stands. The first of several machines decides."""
        with self._write() as connection:
            row = {"kind": kind, "name": short_name(name), "value": value, "at": to_ms(now)}
            self._upsert(connection, t.kept, [row], replace=False)
            where = (t.kept.c.kind == kind) & (t.kept.c.name == short_name(name))
            return str(connection.execute(select(t.kept.c.value).where(where)).scalar())

"""Tables of people's state. Times are milliseconds since 1970 (UTC); the same on SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Dialect, Float, Index, Integer, MetaData, String, Table, Text, TypeDecorator

metadata = MetaData()


class AnyText(TypeDecorator[str]):
    """Text that both databases take and sort alike: no NUL and no half characters, ordered by code point."""

    impl = Text
    cache_ok = True
    kind: type[String] = Text

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if not isinstance(value, str):
            return value  # the database refuses what is no text
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")

    def load_dialect_impl(self, dialect: Dialect) -> String:
        return self.kind(collation="C") if dialect.name == "postgresql" else self.kind()


class ShortText(AnyText):
    """The same for ids, names and labels."""

    cache_ok = True
    kind = String


def words(name: str, **options: object) -> Column[str]:
    """A short text, '' when there is none."""
    return Column(name, ShortText, nullable=False, server_default="", **options)  # type: ignore[arg-type]


def instant(name: str, optional: bool = False) -> Column[int]:
    """An instant in milliseconds."""
    return Column(name, BigInteger, nullable=optional)


alerts = Table(
    "alerts", metadata,
    Column("id", ShortText, primary_key=True), words("rule"), words("subject"), words("state"), words("level"), words("peak_level"),
    instant("started_at"), instant("changed_at"), words("incident_id"), instant("fired_at", True), instant("resolved_at", True),
    words("acknowledged_by"), instant("calm_since", True), Column("score", Float, nullable=False), Column("peak_score", Float, nullable=False),
    Column("summary", AnyText, nullable=False), Column("finding", AnyText, nullable=False),
    Index("alerts_by_state", "state"), Index("alerts_by_incident", "incident_id"), Index("alerts_by_change", "changed_at"),
)  # fmt: skip
alert_changes = Table(
    "alert_changes", metadata,
    Column("id", ShortText, primary_key=True), words("alert_id"), words("edge"), instant("at"), words("level"), words("state"),
    Column("summary", AnyText, nullable=False), Index("alert_changes_by_alert", "alert_id", "at"),
)  # fmt: skip
incidents = Table(
    "incidents", metadata,
    Column("id", ShortText, primary_key=True), words("subject"), words("title"), words("level"), words("peak_level"), words("state"),
    instant("started_at"), instant("changed_at"), instant("resolved_at", True), words("owner"),
    Index("incidents_by_start", "started_at"),
)  # fmt: skip
notifications = Table(
    "notifications", metadata,
    Column("id", ShortText, primary_key=True), words("alert_id"), words("edge"), words("channel"), words("reason"), instant("created_at"),
    instant("due_at"), words("outcome"), Column("attempts", Integer, nullable=False), instant("delivered_at", True),
    words("provider_code"), Column("detail", AnyText, nullable=False), Column("title", AnyText, nullable=False),
    Column("body", AnyText, nullable=False), words("level"), words("lease_owner"), Column("lease_until", BigInteger, nullable=False),
    instant("begun_at", True),
    Index("notifications_due", "outcome", "due_at"), Index("notifications_by_channel", "channel", "created_at"),
)  # fmt: skip
tokens = Table(
    "tokens", metadata,
    Column("channel", ShortText, primary_key=True), Column("minute", BigInteger, primary_key=True), Column("n", Integer, nullable=False),
)  # fmt: skip
silences = Table(
    "silences", metadata,
    Column("id", ShortText, primary_key=True), words("subject"), words("rule"), instant("until"), words("user_name"), words("reason"),
    instant("created_at"),
)  # fmt: skip
audit = Table(
    "audit", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True), instant("at"), words("user_name"), words("action"), words("target"),
    Column("detail", AnyText, nullable=False),
)  # fmt: skip
capture_runs = Table(
    "capture_runs", metadata,
    Column("id", ShortText, primary_key=True), words("source"), words("query"), instant("started_at"), instant("finished_at"), words("outcome"),
    *(Column(name, Integer, nullable=False) for name in ("pages", "posts_new", "posts_changed", "posts_seen", "rejected")),
    instant("covers_from", True), instant("covers_until", True), Column("detail", AnyText, nullable=False),
    Index("capture_runs_by_start", "started_at"), Index("capture_runs_by_source", "source", "started_at"),
)  # fmt: skip
kept = Table(
    "kept", metadata,
    Column("kind", ShortText, primary_key=True), Column("name", ShortText, primary_key=True), Column("value", AnyText, nullable=False), instant("at"),
)  # fmt: skip

"""The first tables, as they were on their day."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# ordered by code point on every database
SHORT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
LONG = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, SHORT, primary_key=True)


def words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, SHORT, nullable=False, server_default="") for name in names]


def texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, LONG, nullable=False) for name in names]


def instants(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]


def numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def make_alerts() -> None:
    op.create_table(
        "alerts", key("id"), *words("rule", "subject", "state", "level", "peak_level"), *instants("started_at", "changed_at"),
        *words("incident_id"), *instants("fired_at", "resolved_at", nullable=True), *words("acknowledged_by"),
        *instants("calm_since", nullable=True), sa.Column("score", sa.Float, nullable=False),
        sa.Column("peak_score", sa.Float, nullable=False), *texts("summary", "finding"),
    )  # fmt: skip
    op.create_table(
        "alert_changes", key("id"), *words("alert_id", "edge"), *instants("at"), *words("level", "state"), *texts("summary"),
    )  # fmt: skip
    op.create_table(
        "incidents", key("id"), *words("subject", "title", "level", "peak_level", "state"), *instants("started_at", "changed_at"),
        *instants("resolved_at", nullable=True), *words("owner"),
    )  # fmt: skip
    op.create_index("alerts_by_state", "alerts", ["state"])
    op.create_index("alerts_by_incident", "alerts", ["incident_id"])
    op.create_index("alerts_by_change", "alerts", ["changed_at"])
    op.create_index("alert_changes_by_alert", "alert_changes", ["alert_id", "at"])
    op.create_index("incidents_by_start", "incidents", ["started_at"])


def make_outbox() -> None:
    op.create_table(
        "notifications", key("id"), *words("alert_id", "edge", "channel", "reason"), *instants("created_at", "due_at"),
        *words("outcome"), *numbers("attempts"), *instants("delivered_at", nullable=True), *words("provider_code"),
        *texts("detail", "title", "body"), *words("level", "lease_owner"), *instants("lease_until"),
    )  # fmt: skip
    op.create_table("tokens", key("channel"), sa.Column("minute", sa.BigInteger, primary_key=True), *numbers("n"))
    op.create_index("notifications_due", "notifications", ["outcome", "due_at"])
    op.create_index("notifications_by_channel", "notifications", ["channel", "created_at"])


def make_people() -> None:
    op.create_table(
        "silences", key("id"), *words("subject", "rule"), *instants("until"), *words("user_name", "reason"), *instants("created_at"),
    )  # fmt: skip
    op.create_table(
        "audit", sa.Column("id", sa.Integer, primary_key=True, autoincrement=True), *instants("at"),
        *words("user_name", "action", "target"), *texts("detail"),
    )  # fmt: skip


def make_ledger() -> None:
    op.create_table(
        "capture_runs", key("id"), *words("source", "query"), *instants("started_at", "finished_at"), *words("outcome"),
        *numbers("pages", "posts_new", "posts_changed", "posts_seen", "rejected"),
        *instants("covers_from", "covers_until", nullable=True), *texts("detail"),
    )  # fmt: skip
    op.create_table("kept", key("kind"), key("name"), *texts("value"), *instants("at"))
    op.create_index("capture_runs_by_start", "capture_runs", ["started_at"])
    op.create_index("capture_runs_by_source", "capture_runs", ["source", "started_at"])


def upgrade() -> None:
    make_alerts()
    make_outbox()
    make_people()
    make_ledger()


def downgrade() -> None:
    for table in (
        "alerts", "alert_changes", "incidents", "notifications", "tokens", "silences", "audit", "capture_runs", "kept",
    ):  # fmt: skip
        op.drop_table(table)

"""The first tables. Later revisions spell out their changes; this one is what desk_tables.py said on its day."""

from alembic import op

from store.desk_tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())

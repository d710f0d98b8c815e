"""A second kind of letter: the one that names the way back to Mailchimp."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite knows no change of a rule: there, the table is made anew.
    with op.batch_alter_table("letter") as letter:
        letter.drop_constraint(op.f("ck_letter_kind"), type_="check")
        letter.create_check_constraint(
            op.f("ck_letter_kind"), sa.column("kind").in_(["confirmation", "way_back"])
        )

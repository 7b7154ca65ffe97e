"""An enrolment keeps the title and the hours that were bought; a later version of the course has its own.

Of what was bought before: the course's, where its offer is still the same, else the version that was on sale
at that moment, the one of that price first, since a catalogue file may have changed a course without one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_FILL = """
WITH sold AS (
    SELECT DISTINCT ON (bought.id) bought.id,
        CASE WHEN version.id IS NULL THEN course.title ELSE version.title END AS title,
        CASE WHEN version.id IS NULL THEN course.hours ELSE version.hours END AS hours
    FROM public.enrolment bought
    JOIN public.run ON run.id = bought.run_id
    JOIN public.course ON course.id = run.course_id
    LEFT JOIN public.course_version version
        ON version.course_id = course.id AND bought.course_version <> course.version
        AND version.published_at <= bought.purchased_at
    ORDER BY bought.id, version.price = bought.price DESC, version.published_at DESC, version.number DESC
)
UPDATE public.enrolment SET course_title = sold.title, course_hours = sold.hours
FROM sold WHERE sold.id = enrolment.id
"""


def upgrade() -> None:
    op.add_column("enrolment", sa.Column("course_title", sa.Text(), nullable=True))
    op.add_column("enrolment", sa.Column("course_hours", sa.SmallInteger(), nullable=True))
    op.execute(_FILL)
    op.alter_column("enrolment", "course_title", nullable=False)


def downgrade() -> None:
    op.drop_column("enrolment", "course_hours")
    op.drop_column("enrolment", "course_title")

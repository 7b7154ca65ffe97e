"""Search in Indonesian with the provider's name in it, the catalogue's words for spelling, saved courses.

The vector was a generated column, which cannot see the provider's table. It is now written by triggers, and
both sides of a rename are covered. Stop words are stripped by a function, since a server that is not ours
takes no stop-word file.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STOP_WORDS = """
    ada adalah agar akan anda antara apa atau bagaimana bagi bahwa bisa dalam dan dapat dari dengan di hingga
    ini itu juga karena kami ke kepada kita lebih maka melalui menjadi oleh pada para saat sampai sangat saya
    sebagai secara sejak seperti serta sudah supaya tanpa telah tentang tiap untuk yaitu yang
    belajar kelas kursus pelatihan
    and at for from in of on the to with class course courses training
""".split()

_PUNCTUATION = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~–—…·•“”‘’«»\u00a0"
# no space in their place: a word may hide one
_INVISIBLE = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"

_WORDS = rf"""
CREATE FUNCTION public.search_words(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(
        translate(regexp_replace(left(written, 20000), '<[^>]*>', ' ', 'g'),
            '{_PUNCTUATION}{_INVISIBLE}', repeat(' ', {len(_PUNCTUATION) - 1})),
        '\m({"|".join(_STOP_WORDS)})\M', ' ', 'gi')
$$
"""
_WEIGHED = """
CREATE FUNCTION public.search_weighed(written text, weight "char") RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- OFFSET 0 keeps the words from being stripped twice
    SELECT setweight(to_tsvector('pg_catalog.simple', words) || to_tsvector('pg_catalog.indonesian', words), weight)
    FROM (SELECT public.search_words(written) AS words OFFSET 0) stripped
$$
"""
_VECTOR = """
CREATE FUNCTION public.course_vector(title text, category text, provider text, description text)
RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT public.search_weighed(title, 'A') || public.search_weighed(category, 'B')
        || public.search_weighed(provider, 'C') || public.search_weighed(description, 'D')
$$
"""
_INDEX_COURSE = """
CREATE FUNCTION public.index_course() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    provider_name text;
BEGIN
    -- a rename at this moment waits for us, or we for it
    SELECT name INTO provider_name FROM public.provider WHERE id = NEW.provider_id FOR KEY SHARE;
    NEW.search := public.course_vector(NEW.title, NEW.category, coalesce(provider_name, ''), NEW.description);
    NEW.words_learnt := false;
    RETURN NEW;
END $$
"""
_RENAME_PROVIDER = """
CREATE FUNCTION public.index_courses_of_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.course SET words_learnt = false,
        search = public.course_vector(title, category, NEW.name, description) WHERE provider_id = NEW.id;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    for function in (_WORDS, _WEIGHED, _VECTOR, _INDEX_COURSE, _RENAME_PROVIDER):
        op.execute(function)
    _let_triggers_write_the_vector()
    op.create_table(
        "catalogue_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("fragments", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_catalogue_word")),
    )
    op.create_index(
        op.f("ix_catalogue_word_fragments"), "catalogue_word", ["fragments"], postgresql_using="gin"
    )
    _make_indexes()
    _make_saved_courses()


def _make_saved_courses() -> None:
    """What somebody saved is theirs to remove: the application may delete here, and nowhere else but of roles."""
    op.create_table(
        "saved_course",
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_saved_course_course_id")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_saved_course_participant_id")
        ),
        sa.PrimaryKeyConstraint("participant_id", "course_id", name=op.f("pk_saved_course")),
    )
    op.create_index(op.f("ix_saved_course_course_id"), "saved_course", ["course_id"])
    op.execute("REVOKE UPDATE ON public.saved_course FROM bekal_app")
    op.execute("GRANT DELETE ON public.saved_course TO bekal_app")


def _let_triggers_write_the_vector() -> None:
    op.execute("ALTER TABLE public.course ALTER COLUMN search DROP EXPRESSION")
    op.execute("ALTER TABLE public.course ALTER COLUMN search SET DEFAULT ''::tsvector")
    op.add_column(
        "course", sa.Column("words_learnt", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.execute(
        "UPDATE public.course c SET search = public.course_vector(c.title, c.category, p.name, c.description) "
        "FROM public.provider p WHERE p.id = c.provider_id"
    )
    op.execute(
        "CREATE TRIGGER course_indexed BEFORE INSERT OR UPDATE OF title, category, description, provider_id "
        "ON public.course FOR EACH ROW EXECUTE FUNCTION public.index_course()"
    )
    op.execute(
        "CREATE TRIGGER provider_renamed AFTER UPDATE OF name ON public.provider FOR EACH ROW "
        "WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION public.index_courses_of_provider()"
    )


def _make_indexes() -> None:
    op.drop_index(op.f("ix_course_price"), table_name="course")
    published = "state = 'published'"
    op.create_index("ix_course_cheapest", "course", ["price", "id"], postgresql_where=published)
    op.create_index(
        "ix_course_best", "course", [sa.text("(- COALESCE(rating, 0::numeric))"), "id"], postgresql_where=published
    )
    op.create_index("ix_course_words_wait", "course", ["id"], postgresql_where="NOT words_learnt")


def downgrade() -> None:
    op.drop_table("saved_course")
    op.execute("DROP TRIGGER provider_renamed ON public.provider")
    op.execute("DROP TRIGGER course_indexed ON public.course")
    for name in ("ix_course_words_wait", "ix_course_best", "ix_course_cheapest", "ix_course_search"):
        op.drop_index(name, table_name="course")
    op.drop_column("course", "search")
    op.drop_column("course", "words_learnt")
    op.drop_table("catalogue_word")
    for function in (
        "index_courses_of_provider()",
        "index_course()",
        "course_vector(text, text, text, text)",
        'search_weighed(text, "char")',
        "search_words(text)",
    ):
        op.execute(f"DROP FUNCTION public.{function}")
    op.add_column(
        "course",
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', category), 'B')"
                " || setweight(to_tsvector('simple', description), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    op.create_index(op.f("ix_course_search"), "course", ["search"], postgresql_using="gin")
    op.create_index(op.f("ix_course_price"), "course", ["price"])

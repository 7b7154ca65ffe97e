"""The migration builds what schema.sql says; both writings of the hashed bytes agree; ids sort."""

import runpy
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.orm import Session

import ledger
from ledger import canonical
from ledger.models import Account, Entry, Transaction
from tests.ledger.conftest import SCHEMA, Database, create_database, run_sql
from tests.servers import OWNER, Servers

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

CATALOGUES = (
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,"
    " pg_get_expr(d.adbin, d.adrelid), a.attnum, c.relkind, c.reloptions::text, c.relacl::text"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relnamespace = 'ledger'::regnamespace ORDER BY 1, 7",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'ledger'::regnamespace ORDER BY 1, 2",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'ledger' ORDER BY 1",
    "SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger"
    " WHERE NOT tgisinternal ORDER BY 1, 2",
    "SELECT oid::regprocedure::text, pg_get_functiondef(oid), proacl::text FROM pg_proc"
    " WHERE pronamespace = 'ledger'::regnamespace ORDER BY 1",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'ledger'",
    "SELECT nspacl::text FROM pg_namespace WHERE nspname = 'ledger'",
)


def _catalogues(engine: Engine) -> list[list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(text(query))] for query in CATALOGUES]


# the migrations of the ledger; those of the marketplace need tables that are not here
STEPS = ("0001_ledger", "0011_ledger_isolation", "0012_reference_by_hash")


def _migrate(engine: Engine, name: str, step: str) -> None:
    module = runpy.run_path(str(MIGRATIONS / "versions" / f"{name}.py"))
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        module[step]()


def test_the_migrations_build_what_the_schema_says(servers: Servers) -> None:
    names = [create_database(servers) for _ in range(2)]
    migrated, written = (create_engine(servers.url(OWNER, name)) for name in names)
    built = []
    for name in STEPS:
        _migrate(migrated, name, "upgrade")
        built.append(_catalogues(migrated))
    run_sql(servers, names[1], SCHEMA.read_text())
    assert _catalogues(migrated) == _catalogues(written)
    # control: the comparison sees the loss of one safeguard
    with migrated.begin() as connection:
        connection.execute(text("ALTER TABLE ledger.posting ENABLE TRIGGER check_postings"))
    assert _catalogues(migrated) != _catalogues(written)
    with migrated.begin() as connection:
        connection.execute(text("ALTER TABLE ledger.posting ENABLE ALWAYS TRIGGER check_postings"))
    # each can be undone, to the last function
    for name in reversed(STEPS):
        assert _catalogues(migrated) == built.pop()
        _migrate(migrated, name, "downgrade")
    for engine, name in zip((migrated, written), names, strict=True):
        engine.dispose()
        servers.drop(name)


def test_every_trigger_fires_always_and_every_function_is_closed_to_the_public(session: Session) -> None:
    loose = session.scalars(
        text(
            "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relnamespace = 'ledger'::regnamespace AND NOT tgisinternal AND tgenabled <> 'A'"
        )
    ).all()
    public = session.scalars(
        text(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
            " AND (proacl IS NULL OR proacl::text LIKE '%{=X%' OR proacl::text LIKE '%,=X%')"
        )
    ).all()
    assert (loose, public) == ([], [])


@pytest.mark.parametrize("model", [Account, Entry, Transaction])
def test_the_mapped_classes_have_the_columns_of_their_tables(
    session: Session, model: type[Account | Entry | Transaction]
) -> None:
    columns = inspect(session.connection()).get_columns(model.__tablename__, schema="ledger")
    mapped = {column.name: column.nullable for column in model.__table__.columns}
    assert {column["name"]: column["nullable"] for column in columns} == mapped


INSTANTS = [
    datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=7))),
    datetime(2000, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
]
SALT = UUID("01a20a9b-1380-757a-84f5-6e2cd609360e")


@pytest.mark.parametrize("at", INSTANTS)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta", "America/St_Johns"])
def test_both_writings_of_the_hashed_bytes_agree(books: Database, at: datetime, zone: str) -> None:
    lines = [
        canonical.line("a:b", "c:é", "IDR", Decimal("1E3")),
        canonical.line("x:y", "z:w", "IDR", Decimal("0.1")),
    ]
    shared = canonical.content("purchase", SALT, None, "réf 😀", '{"a": 1}', lines)
    digest = canonical.personal_digest(SALT, '{"n": "é"}')
    with books.owner.connect() as connection:
        connection.execute(text(f"SET timezone = '{zone}'"))
        row = connection.execute(
            text(
                "SELECT ledger.content('purchase', :salt, NULL, 'réf 😀', CAST(:metadata AS jsonb),"
                " ledger.line('a:b', 'c:é', 'IDR', 1000) || ledger.line('x:y', 'z:w', 'IDR', 0.1)),"
                " ledger.request_hash(:at, :shared), ledger.request_hash(NULL, :shared),"
                " ledger.personal_digest(:salt, CAST(:personal AS jsonb)),"
                " ledger.commitment(:salt, :salt, 'k', :at, :at, :shared, :digest),"
                " ledger.commitment(:salt, :salt, 'k', :at, :at, :shared, NULL),"
                " ledger.hold_hash('k', :at, :shared)"
            ),
            {
                "salt": SALT,
                "at": at,
                "shared": shared,
                "digest": digest,
                "metadata": '{"a":1}',
                "personal": '{"n":"é"}',
            },
        ).one()
    head = (SALT, "k", at, at)
    assert tuple(row) == (
        shared,
        canonical.request_hash(at, shared),
        canonical.request_hash(None, shared),
        digest,
        canonical.commitment(SALT, head, shared, digest),
        canonical.commitment(SALT, head, shared, None),
        canonical.hold_hash("k", at, shared),
    )


def test_different_requests_never_have_the_same_bytes() -> None:
    contents = {
        canonical.content("a", None, None, None, None, []),
        canonical.content("a", None, None, "", None, []),
        canonical.content("a", None, None, None, "{}", []),
        canonical.content("a", SALT, None, None, None, []),
        canonical.content("a", None, SALT, None, None, []),
        canonical.content("a-:", None, None, None, None, []),
    }
    assert len(contents) == 6


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [ledger.uuid7() for _ in range(5_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {each.version for each in ids} == {7}
    made = datetime.fromtimestamp((ids[0].int >> 80) / 1000, UTC)
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)

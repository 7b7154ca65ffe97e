"""Who may do what, and who did what."""

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity import audit, service
from marketplace.identity.errors import ContactTaken
from marketplace.identity.models import Role
from tests.factories import make_user
from tests.servers import Servers, plain


def test_a_role_is_granted_once_and_revoked(session: Session) -> None:
    user = make_user(session)
    for _ in range(2):
        service.grant_role(session, user, Role.FINANCE)
    assert user.has_role(Role.FINANCE)
    service.revoke_role(session, user, Role.FINANCE)
    service.revoke_role(session, user, Role.FINANCE)
    session.expire_all()
    assert not user.has_role(Role.FINANCE)


def test_a_contact_belongs_to_one_login(session: Session) -> None:
    make_user(session, contact="siti@contoh.test")
    with pytest.raises(ContactTaken):
        make_user(session, contact="SITI@contoh.test")


def test_changes_of_roles_are_in_the_audit_trail_with_the_acting_person(session: Session) -> None:
    officer = make_user(session, Role.FINANCE)
    user = make_user(session)
    service.grant_role(session, user, Role.AUDITOR, officer)
    service.revoke_role(session, user, Role.AUDITOR, "cli:root")
    newest, granted, created = audit.list_entries(session, f"user:{user.id}")
    assert (newest.action, newest.actor) == ("user.role_revoked", "cli:root")
    assert (granted.action, granted.actor_id, granted.details) == (
        "user.role_granted",
        officer.id,
        {"role": "auditor"},
    )
    assert (created.action, created.actor) == ("user.created", "system")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_even_the_superuser_cannot_change_the_audit_trail(
    session: Session, servers: Servers, database: str, statement: str, role: str
) -> None:
    with transaction():
        audit.record(session, None, "test.happened", "test")
    admin = plain(make_url(servers.admin_url).set(database=database))
    with psycopg.connect(admin) as connection:
        connection.execute(f"SET session_replication_role = {role}")
        with pytest.raises(psycopg.errors.RestrictViolation, match="only ever added"):
            connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "UPDATE scheme SET fee_rate = 0",
        "DELETE FROM notification",
        'DELETE FROM "user"',
        "UPDATE bank_account SET number_ending = '0000'",
        "INSERT INTO holiday VALUES ('2026-11-30', 'x')",
        "UPDATE event SET type = 'x'",
        "UPDATE attendance SET method = 'code'",
        "CREATE TABLE mine (id int)",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_application_role_may_not(app_engine: Engine, statement: str) -> None:
    with (
        app_engine.connect() as connection,
        pytest.raises(DBAPIError, match=r"permission denied|must be owner"),
    ):
        connection.execute(text(statement))


def test_the_application_role_may_take_a_role_away(app_engine: Engine) -> None:
    """Negative control: not everything is refused."""
    with app_engine.connect() as connection:
        connection.execute(text("DELETE FROM user_role"))

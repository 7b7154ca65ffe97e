"""`flask users`: make logins, and say who may do what."""

import click
from sqlalchemy.orm import Session

from marketplace.cli.console import Commands, acting, as_json, as_person, print_json, refusals
from marketplace.db import run_in_transaction
from marketplace.identity import queries, service
from marketplace.identity.models import Role, User

users = Commands("users", help="Logins and their roles.")

_ROLE = click.Choice([role.value for role in Role])


@users.command("create")
@click.argument("contact")
@click.option("--name", default="", help="The person's name.")
@click.option("--role", "roles", type=_ROLE, multiple=True, help="May be repeated.")
@as_person
@as_json
def create_command(
    contact: str, name: str, roles: tuple[str, ...], person: str | None, as_json: bool
) -> None:
    """Make a login for CONTACT (e-mail or phone); its owner signs in by one-time code."""

    def create(session: Session) -> dict[str, object]:
        actor = acting(session, person)
        given = [Role(role) for role in roles]
        return _document(service.create_user(session, name=name, contact=contact, roles=given, actor=actor))

    with refusals():
        _show(run_in_transaction(create), as_json)


@users.command("grant-role")
@click.argument("contact")
@click.argument("role", type=_ROLE)
@as_person
@as_json
def grant_command(contact: str, role: str, person: str | None, as_json: bool) -> None:
    """Let the login of CONTACT act in ROLE."""

    def grant(session: Session) -> dict[str, object]:
        user = _user(session, contact)
        service.grant_role(session, user, Role(role), acting(session, person))
        return _document(user)

    with refusals():
        _show(run_in_transaction(grant), as_json)


@users.command("revoke")
@click.argument("contact")
@click.argument("role", type=_ROLE, required=False)
@as_person
@as_json
def revoke_command(contact: str, role: str | None, person: str | None, as_json: bool) -> None:
    """Take ROLE from the login of CONTACT; without ROLE, every role. Ends the login's sessions."""

    def revoke(session: Session) -> dict[str, object]:
        user, actor = _user(session, contact), acting(session, person)
        for each in [Role(role)] if role else list(Role):
            service.revoke_role(session, user, each, actor)
        service.end_all_sessions(session, user, actor)
        return _document(user)

    with refusals():
        _show(run_in_transaction(revoke), as_json)


def _user(session: Session, contact: str) -> User:
    user = queries.find_user(session, contact)
    if user is None:
        raise click.UsageError(f"nobody has the contact {contact}")
    return user


def _document(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "contact": user.contact,
        "roles": sorted(held.role for held in user.roles),
    }


def _show(document: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(**document)
    else:
        roles = ", ".join(map(str, document["roles"])) if isinstance(document["roles"], list) else ""
        click.echo(f"{document['contact']}: {roles or 'no role'}")

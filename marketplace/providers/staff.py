"""Who acts for a provider, and in which part: owners say so, and there is always one."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.errors import NotAllowed, NotFound
from marketplace.identity import audit
from marketplace.identity import queries as identity_queries
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User
from marketplace.notifications import service as notifications
from marketplace.providers import queries
from marketplace.providers.errors import LastOwner, StaffTaken
from marketplace.providers.models import Provider, ProviderStaff, StaffRole
from marketplace.providers.service import add_staff

_WELCOME = {
    "id": ("Anda bekerja untuk {provider} di Bekal", "Masuk dengan kontak ini untuk membuka ruang lembaga."),
    "en": ("You act for {provider} in Bekal", "Sign in with this contact to open the provider's pages."),
}


def add_member(
    session: Session, provider_id: uuid.UUID, actor: User, *, name: str, contact: str, role: StaffRole
) -> ProviderStaff:
    """Let somebody act for the provider. Who has no login gets one; participants use another one for work,
    so that nobody finds their own page replaced.

    Raises NotAllowed (no owner), ContactInvalid, StaffTaken.
    """
    provider = _require_owner(session, provider_id, actor)
    user = identity_queries.find_user(session, contact)
    if user is None:
        user = identity.create_user(session, name=name, contact=contact, actor=actor)
    elif user.roles:
        raise StaffTaken("acts for somebody, or is a participant")
    member = add_staff(session, provider, user, role)
    _record(session, actor, "staff.added", provider_id, user.id, role)
    subject, body = _WELCOME.get(user.locale, _WELCOME["id"])
    notifications.notify(session, user, subject.format(provider=provider.name), body)
    return member


def change_role(
    session: Session, provider_id: uuid.UUID, user_id: uuid.UUID, role: StaffRole, actor: User
) -> ProviderStaff:
    """Give a colleague another part. Raises NotAllowed, NotFound, LastOwner."""
    _require_owner(session, provider_id, actor)
    member = _get_member(session, provider_id, user_id)
    if member.role == StaffRole.OWNER and role is not StaffRole.OWNER:
        _require_another_owner(session, provider_id, user_id)
    member.role = role.value
    session.flush()
    _record(session, actor, "staff.role_changed", provider_id, user_id, role)
    return member


def remove_member(session: Session, provider_id: uuid.UUID, user_id: uuid.UUID, actor: User) -> None:
    """Let a colleague act no more, from this moment. Raises NotAllowed, NotFound, LastOwner."""
    _require_owner(session, provider_id, actor)
    member = _get_member(session, provider_id, user_id)
    if member.role == StaffRole.OWNER:
        _require_another_owner(session, provider_id, user_id)
    role, user = StaffRole(member.role), member.user
    session.delete(member)
    session.flush()
    identity.revoke_role(session, user, Role.PROVIDER, actor)
    identity.end_all_sessions(session, user, actor)
    _record(session, actor, "staff.removed", provider_id, user_id, role)


def _require_owner(session: Session, provider_id: uuid.UUID, actor: User) -> Provider:
    """The provider, under a lock so that two owners do not remove each other at once."""
    locked = select(Provider).where(Provider.id == provider_id).with_for_update(of=Provider, key_share=True)
    provider = session.scalars(locked).one()
    own = queries.find_staff(session, actor.id)
    if own is None or own.provider_id != provider_id or own.role != StaffRole.OWNER:
        raise NotAllowed("owners decide about staff")
    return provider


def _get_member(session: Session, provider_id: uuid.UUID, user_id: uuid.UUID) -> ProviderStaff:
    member = session.get(ProviderStaff, user_id, populate_existing=True)
    if member is None or member.provider_id != provider_id:
        raise NotFound("nobody of this provider")
    return member


def _require_another_owner(session: Session, provider_id: uuid.UUID, user_id: uuid.UUID) -> None:
    owners = [each for each in queries.list_staff(session, provider_id) if each.role == StaffRole.OWNER]
    if all(each.user_id == user_id for each in owners):
        raise LastOwner("a provider has an owner")


def _record(
    session: Session, actor: User, what: str, provider_id: uuid.UUID, user_id: uuid.UUID, role: StaffRole
) -> None:
    audit.record(session, actor, what, f"provider:{provider_id}", user=user_id, role=role)

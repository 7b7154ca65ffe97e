"""Who acts for a provider: owners decide, there is always one, and nobody is pulled in unasked."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import NotAllowed, NotFound
from marketplace.identity import audit
from marketplace.identity.models import Role, User
from marketplace.providers import queries, staff, statements
from marketplace.providers.errors import LastOwner, StaffTaken
from marketplace.providers.models import Provider, ProviderStaff, StaffRole
from tests import factories


@dataclass
class Firm:
    session: Session
    provider: Provider
    owner: User

    def add(
        self, contact: str, role: StaffRole = StaffRole.TEACHING, actor: User | None = None
    ) -> ProviderStaff:
        return staff.add_member(
            self.session, self.provider.id, actor or self.owner, name="Sulastri", contact=contact, role=role
        )


@pytest.fixture
def firm(session: Session) -> Firm:
    provider = factories.make_provider(session)
    return Firm(session, provider, factories.make_staff(session, provider))


def test_an_owner_adds_staff_who_then_have_a_part(firm: Firm) -> None:
    member = firm.add("sulastri@lembaga.test")
    assert (member.role, member.user.has_role(Role.PROVIDER)) == ("teaching", True)
    with pytest.raises(NotAllowed):
        firm.add("lain@lembaga.test", actor=member.user)
    done = [entry.action for entry in audit.list_entries(firm.session, f"provider:{firm.provider.id}")]
    assert done == ["staff.added"]


def test_participants_and_other_providers_staff_are_left_alone(firm: Firm) -> None:
    participant = factories.make_participant(firm.session).user
    rival = factories.make_staff(firm.session, factories.make_provider(firm.session))
    for user in (participant, rival):
        with pytest.raises(StaffTaken):
            firm.add(user.contact)
    assert [each.user_id for each in queries.list_staff(firm.session, firm.provider.id)] == [firm.owner.id]


def test_there_is_always_an_owner(firm: Firm) -> None:
    for act in (
        lambda: staff.change_role(
            firm.session, firm.provider.id, firm.owner.id, StaffRole.FINANCE, firm.owner
        ),
        lambda: staff.remove_member(firm.session, firm.provider.id, firm.owner.id, firm.owner),
    ):
        with pytest.raises(LastOwner):
            act()
    second = firm.add("kedua@lembaga.test", StaffRole.OWNER)
    staff.remove_member(firm.session, firm.provider.id, firm.owner.id, second.user)
    assert queries.find_staff(firm.session, firm.owner.id) is None
    assert not firm.owner.has_role(Role.PROVIDER)


def test_another_providers_staff_does_not_exist_here(firm: Firm) -> None:
    other = factories.make_provider(firm.session)
    theirs = factories.make_staff(firm.session, other)
    with pytest.raises(NotFound):
        staff.remove_member(firm.session, firm.provider.id, theirs.id, firm.owner)
    with pytest.raises(NotAllowed):
        staff.remove_member(firm.session, other.id, theirs.id, firm.owner)


def test_statements_are_made_each_year_and_never_altered(firm: Firm, app_engine: Engine) -> None:
    year = clock.today(firm.session).year
    with transaction() as current:
        provider = factories.make_provider(current)
        owner = factories.make_staff(current, provider)
        statements.state(current, provider.id, owner, "")
        statements.state(current, provider.id, owner, "Adik saya peserta.")
    assert statements.latest_of(firm.session, provider.id, year)[owner.id].text == "Adik saya peserta."
    assert statements.latest_of(firm.session, provider.id, year + 1) == {}
    with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("UPDATE conflict_statement SET text = ''"))

"""Providers, their staff and bank accounts."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.db import transaction
from marketplace.encryption import vault
from marketplace.errors import IllegalTransition, NotFound
from marketplace.identity.models import Role
from marketplace.providers import errors, queries, service
from marketplace.providers.service import BankDetails
from tests.factories import make_bank_account, make_provider, make_staff, make_user

DETAILS = BankDetails("CENAIDJA", "Sanggar Kopi Merapi", "8800 1234-5678")


def test_a_provider_has_a_unique_name_and_address(session: Session) -> None:
    first = service.create_provider(session, "  Sanggar  Kopi Merapi ", "Sleman", "34")
    assert (first.name, first.city) == ("Sanggar Kopi Merapi", "Sleman")
    assert first.slug.startswith("sanggar-kopi-merapi-")
    with pytest.raises(errors.ProviderNameTaken):
        service.create_provider(session, "Sanggar Kopi Merapi")


def test_a_name_in_another_script_has_an_address_too(session: Session) -> None:
    assert service.create_provider(session, "مركز التدريب").slug.startswith("lembaga-")


@pytest.mark.parametrize("name", ["", " \t", "x" * 201, "Sanggar\u202eKopi"])
def test_a_name_that_cannot_be_shown_is_refused(session: Session, name: str) -> None:
    with pytest.raises(errors.ProviderNameInvalid):
        service.create_provider(session, name)


def test_a_provider_has_accounts_from_the_start(session: Session) -> None:
    provider = make_provider(session)
    assert ledger.balance(session, chart.escrow(provider.id)) == 0
    assert ledger.balance(session, chart.payable(provider.id)) == 0


def test_staff_act_for_one_provider(session: Session) -> None:
    provider, other = make_provider(session), make_provider(session)
    user = make_staff(session, provider)
    assert user.has_role(Role.PROVIDER)
    assert queries.find_provider_of(session, user.id) is provider
    assert service.add_staff(session, provider, user).provider is provider
    with pytest.raises(errors.StaffTaken):
        service.add_staff(session, other, user)
    assert queries.find_provider_of(session, make_user(session).id) is None


def test_a_bank_account_needs_two_people_and_three_days(session: Session) -> None:
    provider, proposer, finance = make_provider(session), make_user(session), make_user(session)
    account = service.propose_bank_account(session, provider, DETAILS, proposer)
    now = clock.now(session)
    assert queries.find_usable_account(session, provider.id, now + timedelta(days=9)) is None
    with pytest.raises(errors.SamePerson):
        service.approve_bank_account(session, account.id, proposer)
    service.approve_bank_account(session, account.id, finance)
    now = clock.now(session)
    assert queries.find_usable_account(session, provider.id, now + timedelta(days=2, hours=23)) is None
    assert queries.find_usable_account(session, provider.id, now + timedelta(days=3)) is account


def test_raw_sql_cannot_approve_with_one_person(session: Session, app_engine: Engine) -> None:
    with transaction():
        account = service.propose_bank_account(session, make_provider(session), DETAILS, make_user(session))
    approve = "UPDATE bank_account SET state = 'approved', usable_from = now(), approved_by = proposed_by"
    with app_engine.connect() as connection, pytest.raises(DBAPIError, match="two_people"):
        connection.execute(text(approve))
    assert account.state == "proposed"


def test_a_new_account_replaces_the_old_one(session: Session) -> None:
    provider = make_provider(session)
    old = make_bank_account(session, provider)
    new = make_bank_account(session, provider)
    assert (old.state, new.state) == ("replaced", "approved")
    with pytest.raises(IllegalTransition):
        service.approve_bank_account(session, old.id, make_user(session))
    assert queries.find_usable_account(session, provider.id, clock.now(session)) is new


def test_an_account_number_is_kept_encrypted_and_recognised(session: Session) -> None:
    first = service.propose_bank_account(session, make_provider(session), DETAILS, make_user(session))
    second = service.propose_bank_account(session, make_provider(session), DETAILS, make_user(session))
    assert vault().decrypt(first.number_encrypted) == "880012345678"
    assert first.number_ending == "5678"
    assert first.number_index == second.number_index and first.number_encrypted != second.number_encrypted
    assert "8800" not in repr(DETAILS)


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (BankDetails("BCA", "Sanggar", "880012345678"), "bank_code"),
        (BankDetails("CENAIDJA", "", "880012345678"), "holder_name"),
        (BankDetails("CENAIDJA", "Sanggar <b>", "880012345678"), "holder_name"),
        (BankDetails("CENAIDJA", "Sanggar", "1234"), "number"),
        (BankDetails("CENAIDJA", "Sanggar", "88001234567x"), "number"),
    ],
)
def test_bank_details_that_no_bank_takes_are_refused(
    session: Session, details: BankDetails, field: str
) -> None:
    with pytest.raises(errors.BankDetailsInvalid) as refusal:
        service.propose_bank_account(session, make_provider(session), details, make_user(session))
    assert refusal.value.details == {"field": field}


def test_an_unknown_account_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        service.approve_bank_account(session, ledger.uuid7(), make_user(session))

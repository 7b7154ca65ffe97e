"""Two people, on a working day: what stands between a prepared run and the bank."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.config import Settings
from marketplace.errors import IllegalTransition, NotAllowed, NotFound
from marketplace.identity import audit
from marketplace.identity.models import Role
from marketplace.payouts import service
from marketplace.payouts.errors import NotAWorkingDay, NothingToRetry, SamePerson
from marketplace.payouts.models import PayoutRun, PayoutRunState
from tests import factories
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, SCHEME, make_earning, make_finance, make_payee, noon


@pytest.fixture
def run(session: Session, settings: Settings) -> PayoutRun:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    provider, _ = make_payee(session)
    make_earning(session, provider)
    prepared = service.prepare(session, SCHEME, MONDAY)
    assert prepared is not None
    return prepared


def test_one_person_submits_and_another_approves(session: Session, run: PayoutRun) -> None:
    first, second = make_finance(session), make_finance(session)
    service.submit(session, run.id, first)
    service.approve(session, run.id, second)
    assert run.state == PayoutRunState.APPROVED
    assert (run.submitted_by, run.approved_by) == (first.id, second.id)
    trail = [(entry.action, entry.actor_id) for entry in audit.list_entries(session, f"payout_run:{run.id}")]
    assert sorted(trail, key=str) == sorted(
        [
            ("payout_run.prepared", None),
            ("payout_run.submitted", first.id),
            ("payout_run.approved", second.id),
        ],
        key=str,
    )


def test_the_same_person_cannot_do_both(session: Session, run: PayoutRun) -> None:
    person = make_finance(session)
    service.submit(session, run.id, person)
    with pytest.raises(SamePerson):
        service.approve(session, run.id, person)


def test_the_database_keeps_the_two_people_apart(session: Session, run: PayoutRun) -> None:
    person = make_finance(session)
    service.submit(session, run.id, person)
    session.flush()
    sql = "UPDATE payout_run SET state = 'approved', approved_by = submitted_by WHERE id = :id"
    with pytest.raises(IntegrityError, match="two_people"):
        session.execute(text(sql), {"id": run.id})


def test_the_database_wants_both_names(session: Session, run: PayoutRun) -> None:
    with pytest.raises(IntegrityError, match="four_eyes"):
        session.execute(text("UPDATE payout_run SET state = 'approved' WHERE id = :id"), {"id": run.id})


def test_nobody_approves_on_a_weekend(session: Session, run: PayoutRun, settings: Settings) -> None:
    service.submit(session, run.id, make_finance(session))
    approver = make_finance(session)
    session.commit()
    world.set_programme_time(settings.database_owner_url, noon(MONDAY + timedelta(days=5)))
    session.info.clear()
    with pytest.raises(NotAWorkingDay):
        service.approve(session, run.id, approver)


def test_a_run_is_submitted_before_it_is_approved(session: Session, run: PayoutRun) -> None:
    with pytest.raises(IllegalTransition):
        service.approve(session, run.id, make_finance(session))


def test_an_approved_run_cannot_be_cancelled(session: Session, run: PayoutRun) -> None:
    world.approve(session, run)
    with pytest.raises(IllegalTransition):
        service.cancel(session, run.id, make_finance(session), "terlambat")


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.AUDITOR, Role.PARTICIPANT])
def test_only_finance_staff_handle_payouts(session: Session, run: PayoutRun, role: Role) -> None:
    stranger = factories.make_user(session, role)
    for act in (service.submit, service.approve):
        with pytest.raises(NotAllowed):
            act(session, run.id, stranger)
    with pytest.raises(NotAllowed):
        service.cancel(session, run.id, stranger, "iseng")
    with pytest.raises(NotAllowed):
        service.retry(session, run.payouts[0].id, stranger)


def test_an_unknown_run_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        service.submit(session, factories.make_user(session).id, make_finance(session))


def test_only_what_the_bank_refused_is_tried_again(session: Session, run: PayoutRun) -> None:
    with pytest.raises(NothingToRetry):
        service.retry(session, run.payouts[0].id, make_finance(session))

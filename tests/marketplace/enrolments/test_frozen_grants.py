"""A purchase of somebody who may not buy any more freezes the grant; what was bought before goes on."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.batches import service as batches
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.enrolments.cancellation import cancel_run
from marketplace.enrolments.errors import EligibilityLost
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.service import purchase
from marketplace.events.models import Event
from marketplace.identity.models import AuditEntry
from marketplace.notifications import queries as notifications
from marketplace.participants import eligibility
from marketplace.participants import service as participants
from tests import factories
from tests.marketplace.enrolments.scenes import advance, buy, wish

REASON = "blacklisted"


@pytest.fixture
def grant(session: Session) -> Grant:
    """Somebody with money who has been put on the list since."""
    with db.transaction() as current:
        grant = factories.make_grant(current)
        participants.block(current, grant.participant, REASON, None)
    return grant


@pytest.fixture
def run(session: Session) -> Run:
    with db.transaction() as current:
        return factories.make_run(current)


def _try(session: Session, grant: Grant, run: Run) -> None:
    request = wish(grant, run)
    with pytest.raises(EligibilityLost) as refusal:
        db.run_in_transaction(lambda current: purchase(current, request))
    assert refusal.value.details["reason"] == REASON


def test_the_refusal_stays_and_nothing_else_of_the_purchase(session: Session, grant: Grant, run: Run) -> None:
    _try(session, grant, run)
    session.rollback()
    assert (grant.state, grant.frozen_code) == ("frozen", REASON)
    assert session.scalar(select(func.count()).select_from(Enrolment)) == 0
    assert run.seats_taken == 0
    assert ledger.balance(session, chart.benefit(grant.participant_id)) == grant.amount
    types = session.scalars(select(Event.type).where(Event.subject_id == grant.id)).all()
    assert types == ["grant.activated", "grant.frozen"]
    letter = notifications.list_for_user(session, grant.participant.user_id)[0]
    assert eligibility.sentence(REASON) in letter.body


def test_a_second_try_is_refused_and_told_once(session: Session, grant: Grant, run: Run) -> None:
    _try(session, grant, run)
    _try(session, grant, run)
    session.rollback()
    frozen = select(func.count()).select_from(Event).where(Event.type == "grant.frozen")
    assert session.scalar(frozen) == 1


def test_an_honest_repeat_of_an_earlier_purchase_still_succeeds(session: Session, run: Run) -> None:
    with db.transaction() as current:
        grant = factories.make_grant(current)
        request = wish(grant, run)
        bought = purchase(current, request).id
        participants.block(current, grant.participant, REASON, None)
    assert db.run_in_transaction(lambda current: purchase(current, request).id) == bought
    assert session.get_one(Grant, grant.id).state == "active"
    with db.transaction() as current:
        other = factories.make_run(current)
    _try(session, grant, other)
    assert db.run_in_transaction(lambda current: purchase(current, request).id) == bought


def test_what_comes_back_to_a_frozen_grant_stays_its_owners(
    session: Session, owner_engine: Engine, run: Run
) -> None:
    with db.transaction() as current:
        grant = factories.make_grant(current)
        buy(current, run, grant)
        participants.block(current, grant.participant, REASON, None)
        other = factories.make_run(current)
    _try(session, grant, other)
    with db.transaction() as current:
        cancel_run(current, run.id, None, "pengajar sakit")
    assert ledger.balance(session, chart.benefit(grant.participant_id)) == grant.amount


def test_a_frozen_grant_is_not_revoked_but_lapses_with_its_scheme(
    session: Session, owner_engine: Engine, grant: Grant, run: Run
) -> None:
    _try(session, grant, run)
    with db.transaction() as current:
        assert grant.first_purchase_by is not None
        advance(current, owner_engine, grant.first_purchase_by - clock.now(current) + timedelta(days=1))
        assert batches.revoke_unspent(current) == 0
        advance(current, owner_engine, grant.spend_by - clock.now(current) + timedelta(days=1))
        assert batches.lapse_ended(current) == 1
    assert (grant.state, grant.frozen_code) == ("lapsed", None)
    assert ledger.balance(session, chart.benefit(grant.participant_id)) == 0


def test_who_is_cleared_buys_again_and_has_time_for_it(
    app: Flask, session: Session, owner_engine: Engine, grant: Grant, run: Run
) -> None:
    _try(session, grant, run)
    contact = grant.participant.user.contact
    with db.transaction() as current:
        assert grant.first_purchase_by is not None
        advance(current, owner_engine, grant.first_purchase_by - clock.now(current) + timedelta(days=1))
    assert app.test_cli_runner().invoke(args=["participants", "unblock", contact]).exit_code == 0
    session.expire_all()
    assert (grant.state, grant.frozen_code) == ("active", None)
    assert grant.first_purchase_by > clock.now(session) + timedelta(days=14)
    with db.transaction() as current:
        later = factories.make_run(current)
        assert purchase(current, wish(grant, later)).state == "purchased"


def test_an_operator_blocks_by_name_and_is_recorded(app: Flask, session: Session) -> None:
    with db.transaction() as current:
        participant = factories.make_grant(current).participant
    contact = participant.user.contact
    invoke = app.test_cli_runner().invoke
    result = invoke(args=["participants", "block", contact, "in_formal_education"])
    assert (result.exit_code, result.stdout) == (0, f"{contact}: blocked (in_formal_education)\n")
    assert invoke(args=["participants", "block", contact, "under_age"]).exit_code == 2
    assert invoke(args=["participants", "block", "siapa@contoh.test", REASON]).exit_code == 2
    session.expire_all()
    assert participant.blocked_code == "in_formal_education"
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "participant.blocked")).one()
    assert entry.actor.startswith("cli:") and entry.details == {"code": "in_formal_education"}


@pytest.mark.parametrize("values", ["state = 'frozen'", "frozen_code = 'blacklisted'"])
def test_raw_sql_cannot_freeze_without_a_reason_or_keep_one(
    session: Session, app_engine: Engine, values: str
) -> None:
    with db.transaction() as current:
        factories.make_grant(current)
    with app_engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(text(f'UPDATE "grant" SET {values}'))

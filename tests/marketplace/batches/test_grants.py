"""Granting the benefit, and taking back what was never used."""

import time
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

import ledger
from marketplace import clock
from marketplace.batches import queries, service, tasks
from marketplace.batches.errors import GrantMissing, NotEnoughFunds
from marketplace.batches.models import Grant, GrantState
from marketplace.db import OFFSET, run_in_transaction, transaction
from marketplace.events.queries import list_for_subject
from marketplace.notifications.models import Notification
from marketplace.participants.models import Participant
from tests.factories import fund_scheme, make_grant, make_participant

ONE = Decimal(4_200_000)  # balance and reserve of scheme 2023


def advance(session: Session, owner: Engine, days: int) -> None:
    """Let programme time pass, as only the owner can."""
    with owner.begin() as connection:
        connection.execute(
            text('UPDATE ledger.programme_clock SET "offset" = "offset" + make_interval(days => :days)'),
            {"days": days},
        )
    session.rollback()
    session.info.pop(OFFSET, None)


def state_of(session: Session, grant: Grant) -> str:
    session.refresh(grant)
    return grant.state


def test_an_active_grant_is_in_the_training_balance_and_the_reserve(session: Session) -> None:
    grant = make_grant(session)
    assert grant.state == GrantState.ACTIVE
    assert queries.balance_of(session, grant.participant_id) == 3_500_000
    assert ledger.balance(session, "reserve:2023") == 700_000
    assert ledger.balance(session, "fund:2023") == 0


def test_the_scheme_decides_the_amounts(session: Session) -> None:
    grant = make_grant(session, make_participant(session, scheme_code="2020"))
    assert queries.balance_of(session, grant.participant_id) == 1_000_000
    assert ledger.balance(session, "reserve:2020") == 2_550_000


def test_the_first_purchase_is_due_at_the_end_of_the_fifteenth_day(session: Session) -> None:
    grant = make_grant(session)
    assert grant.activated_at is not None and grant.first_purchase_by is not None
    days = (clock.local_date(grant.first_purchase_by) - clock.local_date(grant.activated_at)).days
    assert 15 <= days <= 20, "moved forward over weekends and holidays alone"
    assert grant.first_purchase_by.astimezone(clock.ZONE).strftime("%H:%M:%S") == "23:59:59"


def test_awarding_and_activating_again_change_nothing(session: Session) -> None:
    grant = make_grant(session)
    fund_scheme(session)
    assert service.award(session, [grant.participant_id]) == [grant]
    assert service.activate_awarded(session) == 0
    assert queries.balance_of(session, grant.participant_id) == 3_500_000


def test_a_blocked_person_is_not_awarded(session: Session) -> None:
    participant = make_participant(session)
    participant.blocked_code = "blacklisted"
    session.flush()
    assert service.award(session, [participant.id]) == []
    assert queries.find_grant(session, participant.id) is None
    with pytest.raises(GrantMissing):
        queries.get_grant(session, participant.id)
    assert queries.balance_of(session, participant.id) == 0


def test_an_insufficient_fund_credits_nobody_and_says_so(session: Session) -> None:
    [grant] = service.award(session, [make_participant(session).id])
    fund_scheme(session, ONE - 1)
    with pytest.raises(NotEnoughFunds) as refusal:
        service.activate_awarded(session)
    assert refusal.value.details == {"scheme": "2023", "needed": ONE, "available": ONE - 1}
    assert state_of(session, grant) == GrantState.AWARDED
    assert ledger.balance(session, "fund:2023") == ONE - 1


def test_a_fund_that_covers_some_credits_the_first_of_them(session: Session) -> None:
    grants = service.award(session, [make_participant(session).id for _ in range(3)])
    fund_scheme(session, 2 * ONE + 1)
    assert service.activate_awarded(session) == 2
    assert [state_of(session, grant) for grant in grants] == ["active", "active", "awarded"]
    assert ledger.balance(session, "fund:2023") == 1
    fund_scheme(session, ONE - 1)
    assert service.activate_awarded(session) == 1


def test_an_empty_fund_does_not_hold_up_the_other_scheme(session: Session) -> None:
    waiting = service.award(session, [make_participant(session).id])[0]
    other = make_grant(session, make_participant(session, scheme_code="2020"))
    assert (state_of(session, waiting), state_of(session, other)) == ("awarded", "active")


def test_people_are_told_and_the_outbox_knows(session: Session) -> None:
    grant = make_grant(session)
    [letter] = session.scalars(select(Notification).where(Notification.user_id == grant.participant.user_id))
    assert "Rp3.500.000" in letter.subject
    assert [event.type for event in list_for_subject(session, grant.id)] == ["grant.activated"]


def test_the_sweep_activates_what_waits_for_money(session: Session) -> None:
    with transaction():
        [grant] = service.award(session, [make_participant(session).id])
    tasks.sweep()
    assert state_of(session, grant) == GrantState.AWARDED
    with transaction():
        fund_scheme(session, ONE)
    tasks.sweep()
    assert state_of(session, grant) == GrantState.ACTIVE


def test_an_unspent_grant_is_revoked_after_its_deadline(session: Session, owner_engine: Engine) -> None:
    with transaction():
        grant = make_grant(session)
    advance(session, owner_engine, 14)
    tasks.sweep()
    assert state_of(session, grant) == GrantState.ACTIVE
    advance(session, owner_engine, 10)
    tasks.sweep()
    tasks.sweep()
    assert state_of(session, grant) == GrantState.REVOKED
    assert queries.balance_of(session, grant.participant_id) == 0
    assert ledger.balance(session, "reserve:2023") == 0
    assert ledger.balance(session, "fund:2023") == ONE
    assert [event.type for event in list_for_subject(session, grant.id)][-1] == "grant.revoked"


def test_a_first_purchase_keeps_the_grant(session: Session, owner_engine: Engine) -> None:
    with transaction():
        grant = make_grant(session)
        grant.first_purchase_at = clock.now(session)
    advance(session, owner_engine, 60)
    tasks.sweep()
    assert state_of(session, grant) == GrantState.ACTIVE


def test_what_is_left_lapses_when_the_scheme_has_ended(session: Session, owner_engine: Engine) -> None:
    with transaction():
        grant = make_grant(session)
        grant.first_purchase_at = clock.now(session)
    advance(session, owner_engine, 3 * 365)
    tasks.sweep()
    assert state_of(session, grant) == GrantState.LAPSED
    assert queries.balance_of(session, grant.participant_id) == 0
    assert ledger.balance(session, "reserve:2023") == 700_000
    assert ledger.balance(session, "fund:2023") == 3_500_000


def test_two_thousand_grants_are_credited_in_bulk(session: Session, owner_engine: Engine) -> None:
    people = 2000
    with transaction():
        first = make_participant(session)
        fund_scheme(session, people * ONE)
    _copy_participants(owner_engine, people - 1)
    with transaction():
        awarded = service.award(session, queries.list_without(session, people))
    assert len(awarded) == people
    started = time.monotonic()
    credited = 0
    while count := run_in_transaction(lambda own: service.activate_awarded(own, 1000)):
        credited += count
    assert credited == people
    assert ledger.balance(session, "fund:2023") == 0
    assert queries.balance_of(session, first.id) == 3_500_000
    print(f"{people} grants in {time.monotonic() - started:.1f} s")


def _copy_participants(owner: Engine, count: int) -> None:
    """People by SQL: making each by registration would take longer than the test."""
    user, participant = 'INSERT INTO "user"', "INSERT INTO participant"
    people = Participant.__table__.columns.keys()
    columns = [name for name in people if name not in ("id", "user_id", "nik_index", "kk_index")]
    with owner.begin() as connection:
        connection.execute(
            text(
                f"""WITH u AS ({user} (id, name, email, locale, created_at)
                SELECT gen_random_uuid(), '', 'banyak' || n || '@contoh.test', 'id', now()
                FROM generate_series(1, :count) n RETURNING id)
                {participant} (id, user_id, nik_index, kk_index, {", ".join(columns)})
                SELECT gen_random_uuid(), u.id, uuid_send(gen_random_uuid()), uuid_send(gen_random_uuid()),
                {", ".join(columns)} FROM u, (SELECT * FROM participant LIMIT 1) p"""
            ),
            {"count": count},
        )

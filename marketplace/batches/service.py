"""Granting the benefit, and taking back what was never used."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload, lazyload

import ledger
from ledger import Posting, TransactionRequest, uuid7
from marketplace import chart, clock
from marketplace.batches import letters
from marketplace.batches.errors import NotEnoughFunds
from marketplace.batches.models import GRANT_TRANSITIONS, Grant, GrantState
from marketplace.events import service as events
from marketplace.events.service import Happening
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.participants.models import Participant
from marketplace.schemes import calendar
from marketplace.schemes import queries as schemes
from marketplace.schemes.models import Scheme
from marketplace.schemes.service import open_scheme_accounts
from marketplace.states import move

# a thousand people at once: only what their letters need is read
_PERSON = joinedload(Grant.participant).load_only(Participant.user_id).joinedload(Participant.user)
_FOR_LETTERS = (
    _PERSON.load_only(User.email, User.phone, User.locale),
    lazyload(Grant.scheme),
)


def award(session: Session, participant_ids: Sequence[uuid.UUID]) -> list[Grant]:
    """Promise the benefit of their scheme to participants; the money follows by activate_awarded.

    Returns the grants of these people, those promised before included: a repeat changes nothing.
    Who is blocked gets none.
    """
    ids = list(participant_ids)
    people = session.execute(
        select(Participant.id, Participant.scheme_code).where(
            Participant.id.in_(ids), Participant.blocked_code.is_(None)
        )
    )
    terms = {scheme.code: scheme for scheme in schemes.list_schemes(session)}
    now = clock.now(session)
    rows = [_awarded(participant_id, terms[code], now) for participant_id, code in people]
    if rows:
        session.execute(insert(Grant).on_conflict_do_nothing(index_elements=["participant_id"]), rows)
    return list(session.scalars(select(Grant).where(Grant.participant_id.in_(ids)).order_by(Grant.id)))


def activate_awarded(session: Session, limit: int = 1000) -> int:
    """Credit the money of up to `limit` promised grants a scheme, oldest first; returns how many.

    When a fund covers only some, those are credited. Raises NotEnoughFunds when nothing could be
    credited for that reason: then nothing is booked and the grants stay promised.
    """
    credited, shortage = 0, None
    for scheme in schemes.list_schemes(session):
        try:
            credited += _activate_scheme(session, scheme, limit)
        except NotEnoughFunds as error:
            shortage = error
    if shortage is not None and not credited:
        raise shortage
    return credited


def revoke_unspent(session: Session, limit: int = 500) -> int:
    """Return the money of grants without a first purchase in time to the fund; returns how many."""
    now = clock.now(session)
    late = session.scalars(
        select(Grant)
        .where(
            Grant.state == GrantState.ACTIVE, Grant.first_purchase_at.is_(None), Grant.first_purchase_by < now
        )
        .order_by(Grant.first_purchase_by)
        .limit(limit)
        .with_for_update(of=Grant, skip_locked=True)
    ).all()
    return _take_back(session, late, GrantState.REVOKED, with_reserve=True)


def freeze(session: Session, grant: Grant, code: str) -> None:
    """Let nothing be bought with a grant any more. The caller holds its lock; courses that run finish."""
    move(grant, GrantState.FROZEN, GRANT_TRANSITIONS)
    grant.frozen_code = code
    session.flush()
    _tell(session, [grant], "grant.frozen", letters.frozen)


def thaw(session: Session, participant_id: uuid.UUID) -> Grant | None:
    """Let a frozen grant buy again, or None where none is frozen.

    Who has bought nothing yet gets as many days as when the programme takes a course back.
    """
    grant = session.scalar(
        select(Grant)
        .where(Grant.participant_id == participant_id, Grant.state == GrantState.FROZEN)
        .with_for_update(of=Grant)
        .execution_options(populate_existing=True)
    )
    if grant is None:
        return None
    deadline = calendar.end_of_period(session, clock.now(session), grant.scheme.resumed_days_other)
    # nothing is asked of the database in between: an active grant with a reason would be refused
    move(grant, GrantState.ACTIVE, GRANT_TRANSITIONS)
    grant.frozen_code = None
    if grant.first_purchase_at is None and grant.first_purchase_by is not None:
        grant.first_purchase_by = min(max(grant.first_purchase_by, deadline), grant.spend_by)
    session.flush()
    _tell(session, [grant], "grant.thawed", letters.thawed)
    return grant


def lapse_ended(session: Session, limit: int = 500) -> int:
    """Return what is left of training balances to the fund once their scheme has ended.

    The reserve stays for now: it may still owe an incentive for training that was bought in time. What
    nobody can earn any more, payouts return.
    """
    ended = session.scalars(
        select(Grant)
        .where(Grant.state.in_((GrantState.ACTIVE, GrantState.FROZEN)), Grant.spend_by < clock.now(session))
        .order_by(Grant.spend_by)
        .limit(limit)
        .with_for_update(of=Grant, skip_locked=True)
    ).all()
    return _take_back(session, ended, GrantState.LAPSED, with_reserve=False)


def _awarded(participant_id: uuid.UUID, scheme: Scheme, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "participant_id": participant_id,
        "scheme_code": scheme.code,
        "amount": scheme.training_balance,
        "state": GrantState.AWARDED.value,
        "awarded_at": now,
        "spend_by": clock.end_of_day(scheme.ends_on),
    }


def _activate_scheme(session: Session, scheme: Scheme, limit: int) -> int:
    due = session.scalars(
        select(Grant)
        .where(Grant.state == GrantState.AWARDED, Grant.scheme_code == scheme.code)
        .options(*_FOR_LETTERS)
        .order_by(Grant.id)
        .limit(limit)
        .with_for_update(of=Grant, skip_locked=True)
    ).all()
    covered = due[: _how_many(session, scheme, due)]
    if covered:
        _credit(session, scheme, covered)
    return len(covered)


def _how_many(session: Session, scheme: Scheme, due: Sequence[Grant]) -> int:
    """How many of the grants the fund can pay. Raises NotEnoughFunds when not even the first."""
    if not due:
        return 0
    open_scheme_accounts(session, scheme.code)
    available = left = ledger.balance(session, chart.fund(scheme.code))
    for count, grant in enumerate(due):
        left -= grant.amount + scheme.reserve_per_grant
        if left < 0:
            if count == 0:
                raise NotEnoughFunds(
                    f"the fund of scheme {scheme.code} does not cover one more grant",
                    scheme=scheme.code,
                    needed=sum((each.amount + scheme.reserve_per_grant for each in due), Decimal(0)),
                    available=available,
                )
            return count
    return len(due)


def _credit(session: Session, scheme: Scheme, grants: Sequence[Grant]) -> None:
    ledger.open_accounts(session, [chart.benefit(grant.participant_id) for grant in grants])
    posted = ledger.post_many(session, [_grant_request(grant, scheme) for grant in grants])
    now = clock.now(session)
    deadline = calendar.end_of_period(session, now, scheme.first_purchase_days)
    for grant, each in zip(grants, posted, strict=True):
        move(grant, GrantState.ACTIVE, GRANT_TRANSITIONS)
        grant.transaction_id = each.id
        grant.activated_at = now
        grant.first_purchase_by = min(deadline, grant.spend_by)
    session.flush()
    _tell(session, grants, "grant.activated", letters.activated)


def _grant_request(grant: Grant, scheme: Scheme) -> TransactionRequest:
    fund = chart.fund(scheme.code)
    postings = [
        Posting(fund, chart.benefit(grant.participant_id), grant.amount),
        Posting(fund, chart.reserve(scheme.code), scheme.reserve_per_grant),
    ]
    return TransactionRequest(
        key=f"grant:{grant.id}",
        kind="grant",
        postings=[posting for posting in postings if posting.amount],
        reference=f"grant:{grant.id}",
    )


def _take_back(session: Session, grants: Sequence[Grant], target: GrantState, *, with_reserve: bool) -> int:
    if not grants:
        return 0
    left = ledger.balances(session, [chart.benefit(grant.participant_id) for grant in grants])
    requests = [_return_request(grant, target, left, with_reserve=with_reserve) for grant in grants]
    ledger.post_many(session, [request for request in requests if request.postings])
    for grant in grants:
        move(grant, target, GRANT_TRANSITIONS)
        grant.frozen_code = None
    session.flush()
    letter = letters.revoked if target is GrantState.REVOKED else letters.lapsed
    _tell(session, grants, f"grant.{target.value}", letter)
    return len(grants)


def _return_request(
    grant: Grant, target: GrantState, left: dict[str, Decimal], *, with_reserve: bool
) -> TransactionRequest:
    fund, benefit = chart.fund(grant.scheme_code), chart.benefit(grant.participant_id)
    reserve = grant.scheme.reserve_per_grant if with_reserve else Decimal(0)
    postings = [
        Posting(benefit, fund, left[benefit]),
        Posting(chart.reserve(grant.scheme_code), fund, reserve),
    ]
    return TransactionRequest(
        key=f"{target.value}:{grant.id}",
        kind="revocation",
        postings=[posting for posting in postings if posting.amount],
        reference=f"grant:{grant.id}",
    )


def _tell(session: Session, grants: Sequence[Grant], event: str, letter: letters.Letter) -> None:
    """The outbox and the people themselves, in the transaction that moved the money."""
    events.record_many(
        session,
        [
            Happening(event, grant.id, None, {"amount": grant.amount, "scheme": grant.scheme_code})
            for grant in grants
        ],
    )
    written = []
    for grant in grants:
        user = grant.participant.user
        written.append(notifications.message_to(user, *letter(grant, user.locale)))
    notifications.notify_many(session, written)

"""What a scene has of states that pass: a class that is over, a result that can be corrected, a full run."""

import uuid
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from marketplace.batches import queries as grants
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Course, Run
from marketplace.enrolments import certificates, completion, waiting
from marketplace.enrolments.cancellation import cancel
from marketplace.participants.models import Participant
from marketplace.payouts.incentive_models import IncentiveKind
from marketplace.payouts.incentives import Claim, earn
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.enrolments.scenes import attend, buy
from tests.marketplace.payouts import world

_CHEAP = Decimal(100_000)
_BACK = timedelta(days=11)
"""How far a class of four days that begins in a week goes back to have ended yesterday."""


def add_states(session: Session, buyer: Participant, provider: Provider) -> dict[str, uuid.UUID]:
    """The ids of each, all the buyer's or the provider's. The buyer has earned the first incentive, too."""
    grant = grants.find_grant(session, buyer.id)
    assert grant is not None
    course = factories.make_course(session, provider, price=_CHEAP)
    over = hold_class(session, course, 0, 3)
    return {
        "over_run_id": over.id,
        "over_session_id": over.sessions[3].id,
        "declared_id": _declare(session, course, grant),
        "revoked_id": _revoke(session, provider, grant),
        **_queue(session, course, grant),
    }


def hold_class(session: Session, course: Course, *attended: int) -> Run:
    """A class that is over, with one person for each number of sessions attended."""
    run = factories.make_run(session, course)
    for sessions in attended:
        attend(session, buy(session, run), sessions)
    _pass(session, run)
    return run


def _pass(session: Session, run: Run) -> None:
    """The class is over; programme time itself is its owner's alone to move."""
    for each in (run, *run.sessions):
        assert each.starts_at is not None and each.ends_at is not None
        each.starts_at -= _BACK
        each.ends_at -= _BACK
    session.flush()


def _declare(session: Session, course: Course, grant: Grant) -> uuid.UUID:
    """A completed enrolment, reviewed by nobody yet, whose result can still be corrected."""
    run = factories.make_run(session, course)
    enrolment = buy(session, run, grant)
    attend(session, enrolment, 4)
    _pass(session, run)
    completion.complete_run(session, run.id, factories.make_staff(session, course.provider))
    return enrolment.id


def _revoke(session: Session, provider: Provider, grant: Grant) -> uuid.UUID:
    """A certificate that was paid for and then taken back."""
    earning = world.make_earning(session, provider, price=_CHEAP, grant=grant)
    certificate = certificates.find_newest_of(session, earning.enrolment_id)
    assert certificate is not None
    amount = grant.scheme.incentive_amount
    earn(session, [Claim(grant, IncentiveKind.CERTIFICATE, 1, amount, certificate.id)])
    certificates.revoke(session, certificate.id, "Nama pemiliknya keliru.", world.make_finance(session))
    return certificate.id


def _queue(session: Session, course: Course, grant: Grant) -> dict[str, uuid.UUID]:
    """Two full runs: in one a seat has come free for the buyer, the other's line is empty."""
    full, offered = (factories.make_run(session, course, seats=1) for _run in range(2))
    buy(session, full)
    first = buy(session, offered)
    waiting.join(session, grant.participant_id, offered.id)
    cancel(session, first.id, first.participant_id)
    return {"full_run_id": full.id, "offered_run_id": offered.id}

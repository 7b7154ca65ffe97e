"""Correcting a declared result, by its provider, before the earning has matured.

The attendance is corrected, and the result follows by the rule that declared it. Marks are never
deleted: one that was wrong is struck out, one that was missing is added as from the provider's list.
Source: 'Attendance is the evidence for pay' in the rules; docs/decisions/0033.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from marketplace import clock
from marketplace.enrolments import certificates, correction_letters, earnings, locks, rebooking
from marketplace.enrolments.correction_models import AttendanceStrike, ResultCorrection
from marketplace.enrolments.correction_plan import Plan, plan
from marketplace.enrolments.errors import CorrectionOutdated
from marketplace.enrolments.models import ENROLMENT_TRANSITIONS
from marketplace.enrolments.settlement import is_spendable, make_earning
from marketplace.enrolments.staff import require_staff
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.schemes import calendar
from marketplace.states import move


@dataclass(frozen=True, slots=True)
class Wish:
    """What a provider asks for: who came to which sessions in truth, why, and what proves it.

    `sequence` is the number that this correction will have; it tells a repeat from a form out of date.
    """

    sequence: int
    present: frozenset[uuid.UUID]
    reason: str
    evidence: str


def list_corrections(session: Session, enrolment_id: uuid.UUID) -> Sequence[ResultCorrection]:
    """The corrections of one result, oldest first, with who made them."""
    found = select(ResultCorrection).where(ResultCorrection.enrolment_id == enrolment_id)
    return session.scalars(
        found.options(joinedload(ResultCorrection.corrector)).order_by(ResultCorrection.sequence)
    ).all()


def correct(session: Session, enrolment_id: uuid.UUID, wish: Wish, actor: User) -> ResultCorrection:
    """Correct a declared result and settle it anew; the same wish again gets the first answer.

    Raises NotFound (also for another provider's and for sessions of another run), IllegalTransition,
    ResultFinal, NothingCorrected, CorrectionOutdated, AlreadySpent and EvidenceOfOthers.
    """
    enrolment = locks.lock_enrolment(session, enrolment_id)
    require_staff(session, actor, enrolment.provider_id)
    earlier = _find(session, enrolment_id, wish.sequence)
    if earlier is not None and _is_same(earlier, wish, actor):
        return earlier
    if wish.sequence != _count(session, enrolment_id) + 1:
        raise CorrectionOutdated("corrected meanwhile")
    standing = earnings.lock_standing(session, enrolment)
    wanted = plan(session, enrolment, wish.present, actor)
    written = rebooking.post(session, enrolment, wish.sequence, wanted.steps)
    correction = _write(session, wanted, wish, written, actor)
    hold_code = earnings.supersede(session, standing) if standing is not None else None
    _mark(session, wanted, correction)
    _accrue(session, wanted, hold_code, written)
    certificates.follow(session, [enrolment])
    _tell(session, wanted, correction, actor)
    return correction


def _write(
    session: Session, wanted: Plan, wish: Wish, written: Sequence[uuid.UUID], actor: User
) -> ResultCorrection:
    """The row that says what was corrected, and the enrolment's new result."""
    enrolment, verdict, now = wanted.enrolment, wanted.verdict, clock.now(session)
    correction = ResultCorrection(
        enrolment_id=enrolment.id,
        sequence=wish.sequence,
        reason=wish.reason,
        evidence=wish.evidence,
        added=[each.session_id for each in (*wanted.fresh, *wanted.restored)],
        struck=[each.session_id for each in wanted.struck],
        old_percent=enrolment.percent or 0,
        new_percent=verdict.percent or 0,
        old_paid_percent=enrolment.paid_percent or 0,
        new_paid_percent=verdict.paid_percent,
        transaction_ids=list(written),
        corrected_by=actor.id,
        corrected_at=now,
    )
    session.add(correction)
    if enrolment.state != verdict.state:
        move(enrolment, verdict.state, ENROLMENT_TRANSITIONS)
    enrolment.percent, enrolment.paid_percent = verdict.percent, verdict.paid_percent
    enrolment.corrected_at = now
    session.flush()
    return correction


def _mark(session: Session, wanted: Plan, correction: ResultCorrection) -> None:
    """Add, restore and strike attendance; what others' earnings rest on is replaced, or stays."""
    session.add_all(wanted.fresh)
    for earning in earnings.lock_resting_on(session, [each.id for each in wanted.struck]):
        earning.evidence_id = wanted.proven_anew[earning.id]
    session.flush()
    marks = [(each, True) for each in wanted.restored] + [(each, False) for each in wanted.struck]
    for row, is_lifted in marks:
        strike = session.get(AttendanceStrike, row.id) or AttendanceStrike(attendance_id=row.id)
        strike.correction_id, strike.is_lifted = correction.id, is_lifted
        session.add(strike)
    session.flush()


def _accrue(session: Session, wanted: Plan, held: str | None, written: Sequence[uuid.UUID]) -> None:
    """The earning of the new result. What was held before stays held: a person decides."""
    verdict, enrolment, now = wanted.verdict, wanted.enrolment, clock.now(session)
    if verdict.split.gross > 0:
        days = enrolment.scheme.maturity_working_days
        matures_at = calendar.end_of_working_days(session, now, days)
        verdict = replace(verdict, hold_code=held or verdict.hold_code)
        session.add(make_earning(verdict, written[1], now, matures_at))
    session.flush()
    session.expire(enrolment, ["earning"])


def _tell(session: Session, wanted: Plan, correction: ResultCorrection, actor: User) -> None:
    enrolment, returned = wanted.enrolment, wanted.new.rest - wanted.old.rest
    figures: dict[str, object] = {
        "sequence": correction.sequence,
        "old_percent": correction.old_percent,
        "percent": correction.new_percent,
        "old_paid_percent": correction.old_paid_percent,
        "paid_percent": correction.new_paid_percent,
        "gross": wanted.new.gross,
        "net": wanted.new.net,
        "returned": returned,
    }
    happening = events.Happening("enrolment.corrected", enrolment.id, enrolment.provider_id, figures)
    events.record_many(session, [happening])
    audit.record(session, actor, "enrolment.correct", f"enrolment:{enrolment.id}", **figures)
    user = enrolment.participant.user
    is_home = is_spendable(enrolment.grant, clock.now(session))
    letter = correction_letters.corrected(enrolment, correction, returned, is_home)
    notifications.notify(session, user, *letter)


def _find(session: Session, enrolment_id: uuid.UUID, sequence: int) -> ResultCorrection | None:
    return session.scalars(
        select(ResultCorrection).where(
            ResultCorrection.enrolment_id == enrolment_id, ResultCorrection.sequence == sequence
        )
    ).first()


def _count(session: Session, enrolment_id: uuid.UUID) -> int:
    own = select(func.count()).where(ResultCorrection.enrolment_id == enrolment_id)
    return session.scalar(own) or 0


def _is_same(earlier: ResultCorrection, wish: Wish, actor: User) -> bool:
    said = (earlier.reason, earlier.evidence, earlier.corrected_by) == (wish.reason, wish.evidence, actor.id)
    return said and wish.present.issuperset(earlier.added) and wish.present.isdisjoint(earlier.struck)

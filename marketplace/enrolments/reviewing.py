"""Reviews: what people who completed a course think of it, and what its provider answers in public.

One an enrolment. It may be changed until the provider has answered: an answer must not stand under words
that it was not given to.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock, shown
from marketplace.catalogue.models import Course
from marketplace.enrolments import locks
from marketplace.enrolments import review_letters as letters
from marketplace.enrolments.errors import NotCompleted, ReviewAnswered
from marketplace.enrolments.learning_models import Review
from marketplace.enrolments.models import Enrolment, EnrolmentState
from marketplace.enrolments.staff import require_staff
from marketplace.errors import NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications

STARS = (5, 4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class Reviews:
    """A course's reviews as everybody reads them. `counts` are for 5, 4, 3, 2 and 1 stars."""

    counts: tuple[int, ...]
    shown: Sequence[Review]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def average(self) -> Decimal:
        """Of all reviews, not only of those shown; 0 where there are none."""
        points = sum(number * count for number, count in zip(STARS, self.counts, strict=True))
        return Decimal(points) / self.total if self.total else Decimal(0)


def review(
    session: Session, enrolment_id: uuid.UUID, participant_id: uuid.UUID, rating: int, words: str
) -> Review:
    """Write one's review of a completed course, or change it; 1 to 5 stars and some words.

    Raises NotFound (also for somebody else's enrolment), NotCompleted and ReviewAnswered.
    """
    enrolment = locks.lock_enrolment(session, enrolment_id)
    if enrolment.participant_id != participant_id:
        raise NotFound("no such enrolment")
    if enrolment.state != EnrolmentState.COMPLETED:
        raise NotCompleted("a review follows a completion")
    made = session.scalar(
        insert(Review)
        .values(
            id=uuid7(),
            enrolment_id=enrolment.id,
            course_id=enrolment.run.course_id,
            provider_id=enrolment.provider_id,
            rating=rating,
            words=words,
            written_at=clock.now(session),
            answer="",
        )
        .on_conflict_do_nothing(index_elements=["enrolment_id"])
        .returning(Review.id)
    )
    found = session.scalars(
        select(Review)
        .where(Review.enrolment_id == enrolment.id)
        .with_for_update(of=Review)
        .execution_options(populate_existing=True)
    ).one()
    if made is None:
        _change(session, found, rating, words)
    _rate(session, found.course_id)
    return found


def mark_of(found: Review) -> str:
    """The mark of what a provider reads when it answers: stars, words and the answer so far."""
    return shown.mark(found.rating, found.words, found.answer)


def answer(
    session: Session, review_id: uuid.UUID, words: str, actor: User, *, seen: str | None = None
) -> Review:
    """Answer a review in its provider's name; the answer may be put better later. `seen` is the mark of what
    was read.

    Raises NotFound, also for another provider's, and ChangedMeanwhile.
    """
    locked = select(Review).where(Review.id == review_id).with_for_update(of=Review)
    found = session.scalars(locked.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound("no such review")
    require_staff(session, actor, found.provider_id)
    if found.answered_at is not None and found.answer == words:
        return found  # sent twice
    shown.require(seen, mark_of(found), "review")
    is_first, now = found.answered_at is None, clock.now(session)
    # nothing is asked of the database in between: an answer without its time would be refused
    found.answer = words
    found.answered_at = now
    found.answered_by = actor.id
    session.flush()
    audit.record(session, actor, "review.answer", f"review:{found.id}")
    if is_first:
        events.record(session, "review.answered", found.id, provider_id=found.provider_id)
        user = found.enrolment.participant.user
        notifications.notify(session, user, *letters.answered(found, user.locale))
    return found


def find_of(session: Session, enrolment_id: uuid.UUID) -> Review | None:
    """The review of an enrolment, or None."""
    return session.scalars(select(Review).where(Review.enrolment_id == enrolment_id)).first()


def overview(
    session: Session, course_id: uuid.UUID, *, size: int = 3, before: uuid.UUID | None = None
) -> Reviews:
    """How a course is reviewed: all stars counted, the newest shown, in two queries."""
    counted = session.execute(
        select(Review.rating, func.count()).where(Review.course_id == course_id).group_by(Review.rating)
    )
    counts = {row[0]: row[1] for row in counted}
    newest = select(Review).where(Review.course_id == course_id)
    if before is not None:
        newest = newest.where(Review.id < before)
    shown = session.scalars(newest.order_by(Review.id.desc()).limit(size)).all() if counts else []
    return Reviews(tuple(counts.get(number, 0) for number in STARS), shown)


def list_for_provider(
    session: Session, provider_id: uuid.UUID, limit: int, after: tuple[bool, uuid.UUID] | None = None
) -> Sequence[Review]:
    """A provider's reviews: those that wait for an answer first, then newest first. `after` is where the page
    before ended: whether that review still waited then, and its id."""
    waiting = Review.answered_at.is_(None)
    mine = select(Review).where(Review.provider_id == provider_id)
    if after is not None:
        mine = mine.where(tuple_(waiting, Review.id) < tuple_(*after))
    return session.scalars(mine.order_by(waiting.desc(), Review.id.desc()).limit(limit)).all()


def count_for_provider(session: Session, provider_id: uuid.UUID) -> tuple[int, int]:
    """How many reviews a provider has, and how many of them wait for an answer."""
    counts = select(func.count(), func.count().filter(Review.answered_at.is_(None)))
    total, waiting = session.execute(counts.where(Review.provider_id == provider_id)).one()
    return total, waiting


def get_for_provider(session: Session, review_id: uuid.UUID, provider_id: uuid.UUID) -> Review:
    """One of a provider's own reviews. Raises NotFound, for another's too."""
    found = session.get(Review, review_id)
    if found is None or found.provider_id != provider_id:
        raise NotFound("no such review")
    return found


def writer_of(enrolment: Enrolment) -> str:
    """`Siti M.`: enough to be a person, too little to be found."""
    first, *others = enrolment.participant.full_name.split()
    return f"{first} {others[-1][0]}." if others else first


def _change(session: Session, found: Review, rating: int, words: str) -> None:
    if (found.rating, found.words) == (rating, words):
        return
    if found.answered_at is not None:
        raise ReviewAnswered("the provider has answered")
    found.rating, found.words = rating, words
    found.changed_at = clock.now(session)
    session.flush()


def _rate(session: Session, course_id: uuid.UUID) -> None:
    """The course's average, counted anew behind its lock, so that two reviews at once both count.

    From the first review on it replaces the rating that the catalogue was imported with.
    """
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True))
    average, count = session.execute(
        select(func.round(func.avg(Review.rating), 1), func.count()).where(Review.course_id == course_id)
    ).one()
    session.execute(update(Course).where(Course.id == course_id).values(rating=average, rating_count=count))

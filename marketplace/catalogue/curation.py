"""The programme office looks at courses before they are sold, and stops those that should not be."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import curation_messages as messages
from marketplace.catalogue import queries
from marketplace.catalogue.errors import CommentMissing, OwnAffair
from marketplace.catalogue.models import COURSE_TRANSITIONS, Course, CourseState
from marketplace.catalogue.versions import (
    VERSION_TRANSITIONS,
    CommentSide,
    CourseVersion,
    Rejection,
    VersionState,
)
from marketplace.catalogue.writing import comment, lock_provider
from marketplace.errors import NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.providers import queries as providers
from marketplace.states import move


def approve(session: Session, version_id: uuid.UUID, actor: User, text: str = "") -> CourseVersion:
    """Let a version be sold; the provider says when. Raises NotFound, OwnAffair, IllegalTransition."""
    return _decide(session, version_id, actor, VersionState.APPROVED, text)


def return_version(session: Session, version_id: uuid.UUID, actor: User, text: str) -> CourseVersion:
    """Send a version back with what is to be changed. Raises CommentMissing, and as approve."""
    if not text.strip():
        raise CommentMissing("say what is to be changed")
    return _decide(session, version_id, actor, VersionState.RETURNED, text)


def reject(
    session: Session, version_id: uuid.UUID, actor: User, rejection: Rejection, text: str = ""
) -> CourseVersion:
    """Refuse a version for good, with a reason. Raises as approve."""
    return _decide(session, version_id, actor, VersionState.REJECTED, text, rejection)


def suspend(session: Session, course_id: uuid.UUID, actor: User, reason: str) -> Course:
    """Stop the sale of a course until it is restored. Raises NotFound, CommentMissing, OwnAffair,
    IllegalTransition. Who has bought keeps what they bought."""
    if not reason.strip():
        raise CommentMissing("say why")
    return _move_course(session, course_id, actor, CourseState.SUSPENDED, reason)


def restore(session: Session, course_id: uuid.UUID, actor: User, reason: str = "") -> Course:
    """Sell a suspended course again. Raises as suspend."""
    return _move_course(session, course_id, actor, CourseState.PUBLISHED, reason)


def _decide(
    session: Session,
    version_id: uuid.UUID,
    actor: User,
    verdict: VersionState,
    text: str,
    rejection: Rejection | None = None,
) -> CourseVersion:
    version = _lock_version(session, version_id)
    _refuse_own(session, version.provider_id, actor)
    now = clock.now(session)
    move(version, verdict, VERSION_TRANSITIONS)
    version.rejection = rejection.value if rejection else None
    version.decided_at, version.decided_by = now, actor.id
    session.flush()
    if text.strip():
        comment(session, version, actor, CommentSide.PROGRAMME, text.strip())
    subject = f"course:{version.course_id}"
    audit.record(
        session, actor, f"course.{verdict}", subject, version=version.id, rejection=version.rejection
    )
    events.record(
        session, f"course.{verdict}", version.course_id, version.provider_id, version=version.id,
        number=version.number, rejection=version.rejection,
    )  # fmt: skip
    _tell(session, version.provider_id, messages.decided(version, text.strip()))
    return version


def _lock_version(session: Session, version_id: uuid.UUID) -> CourseVersion:
    """A version under the lock of its provider, as it is now."""
    owner = session.scalar(select(CourseVersion.provider_id).where(CourseVersion.id == version_id))
    if owner is None:
        raise NotFound(f"no version {version_id}")
    lock_provider(session, owner)
    return session.get_one(CourseVersion, version_id, populate_existing=True)


def _move_course(
    session: Session, course_id: uuid.UUID, actor: User, state: CourseState, reason: str
) -> Course:
    course = queries.get_course(session, course_id)
    _refuse_own(session, course.provider_id, actor)
    session.refresh(course, with_for_update={"of": Course, "key_share": True})
    move(course, state, COURSE_TRANSITIONS)
    session.flush()
    what = f"course.{'suspended' if state is CourseState.SUSPENDED else 'restored'}"
    audit.record(session, actor, what, f"course:{course_id}", reason=reason.strip())
    events.record(session, what, course_id, course.provider_id)
    _tell(session, course.provider_id, messages.moved(course, reason.strip()))
    return course


def _refuse_own(session: Session, provider_id: uuid.UUID, actor: User) -> None:
    own = providers.find_provider_of(session, actor.id)
    if own is not None and own.id == provider_id:
        raise OwnAffair("staff of the provider")


def _tell(session: Session, provider_id: uuid.UUID, letter: messages.Letter) -> None:
    """Tell everybody who acts for the provider, each in their language."""
    people = [member.user for member in providers.list_staff(session, provider_id)]
    notifications.notify_many(
        session, [notifications.message_to(user, *letter(user.locale)) for user in people]
    )

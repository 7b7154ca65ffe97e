"""The programme office looks at courses before they are sold, and stops those that should not be."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, shown
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a curator decided: the state that a version is to reach, with a comment and, refused, the reason.

    `seen` is the mark of what they read (see mark_of), where they read a page.
    """

    state: VersionState
    comment: str = ""
    rejection: Rejection | None = None
    seen: str | None = None


def mark_of(version: CourseVersion) -> str:
    """The mark of what a curator reads of a version: its text, and which handing in of it this is."""
    return shown.mark(version.content, version.submitted_at)


def approve(session: Session, version_id: uuid.UUID, actor: User, text: str = "") -> CourseVersion:
    """Let a version be sold; the provider says when. Raises NotFound, OwnAffair, IllegalTransition."""
    return decide(session, version_id, actor, Verdict(VersionState.APPROVED, text))


def return_version(session: Session, version_id: uuid.UUID, actor: User, text: str) -> CourseVersion:
    """Send a version back with what is to be changed. Raises CommentMissing, and as approve."""
    return decide(session, version_id, actor, Verdict(VersionState.RETURNED, text))


def reject(
    session: Session, version_id: uuid.UUID, actor: User, rejection: Rejection, text: str = ""
) -> CourseVersion:
    """Refuse a version for good, with a reason. Raises as approve."""
    return decide(session, version_id, actor, Verdict(VersionState.REJECTED, text, rejection))


def decide(session: Session, version_id: uuid.UUID, actor: User, verdict: Verdict) -> CourseVersion:
    """Decide on a version that waits, as it was read; the provider is told.

    Raises NotFound, CommentMissing (who returns it says why), OwnAffair, IllegalTransition, ChangedMeanwhile.
    """
    text = verdict.comment.strip()
    if verdict.state is VersionState.RETURNED and not text:
        raise CommentMissing("say what is to be changed")
    version = _lock_version(session, version_id)
    _refuse_own(session, version.provider_id, actor)
    now = clock.now(session)
    if version.state == VersionState.SUBMITTED:
        shown.require(verdict.seen, mark_of(version), "version")
    move(version, verdict.state, VERSION_TRANSITIONS)
    version.rejection = verdict.rejection.value if verdict.rejection else None
    version.decided_at, version.decided_by = now, actor.id
    session.flush()
    if text:
        comment(session, version, actor, CommentSide.PROGRAMME, text)
    _note(session, version, actor)
    _tell(session, version.provider_id, messages.decided(version, text))
    return version


def suspend(session: Session, course_id: uuid.UUID, actor: User, reason: str) -> Course:
    """Stop the sale of a course until it is restored. Raises NotFound, CommentMissing, OwnAffair,
    IllegalTransition. Who has bought keeps what they bought."""
    if not reason.strip():
        raise CommentMissing("say why")
    return _move_course(session, course_id, actor, CourseState.SUSPENDED, reason)


def restore(session: Session, course_id: uuid.UUID, actor: User, reason: str = "") -> Course:
    """Sell a suspended course again. Raises as suspend."""
    return _move_course(session, course_id, actor, CourseState.PUBLISHED, reason)


def _note(session: Session, version: CourseVersion, actor: User) -> None:
    what, subject = f"course.{version.state}", f"course:{version.course_id}"
    audit.record(session, actor, what, subject, version=version.id, rejection=version.rejection)
    events.record(
        session, what, version.course_id, version.provider_id, version=version.id, number=version.number,
        rejection=version.rejection,
    )  # fmt: skip


def _lock_version(session: Session, version_id: uuid.UUID) -> CourseVersion:
    """A version that was ever handed in, under the lock of its provider, as it is now. Raises NotFound."""
    handed_in = CourseVersion.submitted_at.is_not(None)
    owner = session.scalar(select(CourseVersion.provider_id).where(CourseVersion.id == version_id, handed_in))
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

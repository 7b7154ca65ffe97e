"""A provider writes its courses: draft, submit, take back, publish, withdraw.

Whatever a provider does to its texts is done one after the other, under a lock on the provider.
"""

import uuid
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock, shown
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.errors import NothingChanged, VersionIncomplete, VersionLocked
from marketplace.catalogue.models import COURSE_TRANSITIONS, Course, CourseState
from marketplace.catalogue.publishing import add_version, note_sold, put_on_sale
from marketplace.catalogue.versions import (
    OFFER,
    OPEN,
    VERSION_TRANSITIONS,
    CommentSide,
    Content,
    CourseVersion,
    VersionComment,
    VersionState,
)
from marketplace.errors import NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.providers.models import Provider
from marketplace.states import move

_NEEDED = ("title", "hours", "category", "mode", "description")
LONGEST_COMMENT = 2000


def lock_provider(session: Session, provider_id: uuid.UUID) -> Provider:
    """A provider, whose texts nobody else changes meanwhile; purchases go on. Raises NotFound."""
    locked = select(Provider).where(Provider.id == provider_id).with_for_update(of=Provider, key_share=True)
    provider = session.scalars(locked).first()
    if provider is None:
        raise NotFound(f"no provider {provider_id}")
    return provider


def draft_course(
    session: Session,
    provider_id: uuid.UUID,
    content: Content,
    actor: User,
    source_id: str = "",
    key: uuid.UUID | None = None,
) -> CourseVersion:
    """Begin a course. `source_id` is the provider's own name for it, where it has one.

    A form that was sent before, by its `key`, has begun its course already: that one is edited. Raises
    VersionLocked where it is no draft any more.
    """
    lock_provider(session, provider_id)
    course_id = uuid.uuid5(provider_id, key.hex) if key else uuid7()
    if key and versions.list_versions(session, course_id, provider_id):
        return edit_course(session, provider_id, course_id, content, actor)
    version = add_version(
        session, provider_id, course_id, source_id or f"bekal:{course_id}", 1, content, actor
    )
    audit.record(session, actor, "course.drafted", f"course:{course_id}", version=version.id)
    return version


def edit_course(
    session: Session,
    provider_id: uuid.UUID,
    course_id: uuid.UUID,
    content: Content,
    actor: User,
    *,
    seen: str | None = None,
) -> CourseVersion:
    """Change a draft, or begin the next version of what was returned or is sold. `seen` is the mark of the
    text that the change started from (shown.mark), where a page showed it.

    Raises NotFound, VersionLocked, ChangedMeanwhile.
    """
    latest, course = _latest(session, provider_id, course_id)
    is_open = latest is not None and latest.state == VersionState.DRAFTED
    if not is_open and not may_begin(latest, course):
        raise VersionLocked("the newest version cannot be changed", state=latest.state if latest else None)
    shown.require(seen, shown.mark(versions.start_of(latest, course)), "draft")
    if latest is not None and latest.state == VersionState.DRAFTED:
        for name, value in asdict(content).items():
            setattr(latest, name, value)
        session.flush()
        return latest
    if course is not None:
        latest = note_sold(session, course, latest)
    assert latest is not None  # without a course there is a version, else nothing was found
    version = add_version(
        session, provider_id, course_id, latest.source_id, latest.number + 1, content, actor
    )
    audit.record(session, actor, "course.drafted", f"course:{course_id}", version=version.id)
    return version


def may_begin(latest: CourseVersion | None, course: Course | None) -> bool:
    """May a new version be begun now? A course that was refused before it was ever sold stays refused."""
    if course is not None and course.state == CourseState.WITHDRAWN:
        return False
    if latest is None or latest.state == VersionState.RETURNED:
        return True
    finished = {VersionState.PUBLISHED, VersionState.REJECTED, VersionState.DISCARDED, VersionState.REPLACED}
    return course is not None and latest.state in finished


def missing_fields(content: Content) -> list[str]:
    """What has to be said before the programme office looks."""
    return [name for name in _NEEDED if not getattr(content, name)]


def submit(
    session: Session, provider_id: uuid.UUID, course_id: uuid.UUID, actor: User, note: str = ""
) -> CourseVersion:
    """Hand a draft to the programme office. What changes details alone is published at once.

    Raises NotFound, IllegalTransition, VersionIncomplete, NothingChanged.
    """
    version, course = _current(session, provider_id, course_id)
    missing = missing_fields(version.content)
    if missing:
        raise VersionIncomplete("not everything is said", fields=missing)
    changed = None
    if course is not None:
        changed = {each.field for each in versions.differences(versions.content_of(course), version.content)}
        if not changed:
            raise NothingChanged("the version says what is sold")
    if note:
        comment(session, version, actor, CommentSide.PROVIDER, note)
    if course is not None and changed and not changed & set(OFFER) and course.state == CourseState.PUBLISHED:
        return _publish(session, version, course, actor)
    now = clock.now(session)  # asked first: asking flushes, and a submitted row without its time is refused
    move(version, VersionState.SUBMITTED, VERSION_TRANSITIONS)
    version.submitted_at = now
    _note(session, version, actor, "course.submitted")
    return version


def take_back(session: Session, provider_id: uuid.UUID, course_id: uuid.UUID, actor: User) -> CourseVersion:
    """Make a submitted version a draft again. Raises NotFound, IllegalTransition."""
    version, _course = _current(session, provider_id, course_id)
    move(version, VersionState.DRAFTED, VERSION_TRANSITIONS)
    _note(session, version, actor, "course.taken_back")
    return version


def discard(session: Session, provider_id: uuid.UUID, course_id: uuid.UUID, actor: User) -> CourseVersion:
    """Give up a draft, or what was approved and is not wanted any more. Raises as take_back."""
    version, _course = _current(session, provider_id, course_id)
    move(version, VersionState.DISCARDED, VERSION_TRANSITIONS)
    _note(session, version, actor, "course.discarded")
    return version


def publish(session: Session, provider_id: uuid.UUID, course_id: uuid.UUID, actor: User) -> CourseVersion:
    """Sell an approved version from now on, in place of the one before. Who has bought keeps their terms.

    Raises NotFound, VersionLocked.
    """
    version, course = _current(session, provider_id, course_id)
    if version.state != VersionState.APPROVED:
        raise VersionLocked("only what was approved is published", state=version.state)
    return _publish(session, version, course, actor)


def withdraw(session: Session, provider_id: uuid.UUID, course_id: uuid.UUID, actor: User) -> Course:
    """Stop selling a course for good. Runs go on for who is in them. Raises NotFound, IllegalTransition."""
    lock_provider(session, provider_id)
    course = versions.find_course(session, course_id, provider_id)
    if course is None:
        raise NotFound(f"no course {course_id}")
    move(course, CourseState.WITHDRAWN, COURSE_TRANSITIONS)
    latest = versions.find_latest(session, course_id)
    if latest is not None and latest.state in OPEN:
        if latest.state == VersionState.SUBMITTED:
            move(latest, VersionState.DRAFTED, VERSION_TRANSITIONS)
        move(latest, VersionState.DISCARDED, VERSION_TRANSITIONS)
    session.flush()
    audit.record(session, actor, "course.withdrawn", f"course:{course_id}")
    events.record(session, "course.withdrawn", course_id, provider_id)
    return course


def comment(
    session: Session, version: CourseVersion, author: User, side: CommentSide, text: str
) -> VersionComment:
    """Say something about a version, to both sides."""
    said = VersionComment(
        version_id=version.id,
        author=author,
        side=side.value,
        text=text[:LONGEST_COMMENT],
        written_at=clock.now(session),
    )
    session.add(said)
    session.flush()
    session.expire(version, ["comments"])
    return said


def _latest(
    session: Session, provider_id: uuid.UUID, course_id: uuid.UUID
) -> tuple[CourseVersion | None, Course | None]:
    """What there is of this provider's course. Raises NotFound where there is nothing."""
    lock_provider(session, provider_id)
    latest = versions.find_latest(session, course_id)
    if latest is not None:
        session.refresh(latest)
    course = versions.find_course(session, course_id, provider_id)
    if course is not None:
        session.refresh(course, with_for_update={"of": Course, "key_share": True})
    if latest is not None and latest.provider_id != provider_id:
        raise NotFound("another provider's")
    if latest is None and course is None:
        raise NotFound(f"no course {course_id}")
    return latest, course


def _current(
    session: Session, provider_id: uuid.UUID, course_id: uuid.UUID
) -> tuple[CourseVersion, Course | None]:
    latest, course = _latest(session, provider_id, course_id)
    if latest is None:
        raise NotFound("an imported course that nobody has changed here")
    return latest, course


def _publish(session: Session, version: CourseVersion, course: Course | None, actor: User) -> CourseVersion:
    put_on_sale(session, version, course)
    _note(session, version, actor, "course.published")
    return version


def _note(session: Session, version: CourseVersion, actor: User, what: str) -> None:
    session.flush()
    subject = f"course:{version.course_id}"
    audit.record(session, actor, what, subject, version=version.id, number=version.number)
    events.record(
        session, what, version.course_id, version.provider_id, version=version.id, number=version.number,
        title=version.title, price=version.price,
    )  # fmt: skip

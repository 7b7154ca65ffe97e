"""Reading versions of courses: a provider's desk, the curators' queue, and what differs."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import DETAILS, OFFER, OPEN, Content, CourseVersion, VersionState
from marketplace.errors import NotFound

_UNFINISHED = (
    VersionState.DRAFTED,
    VersionState.SUBMITTED,
    VersionState.APPROVED,
    VersionState.RETURNED,
    VersionState.REJECTED,
)
_WORDS = re.compile(r"\s*\S+|\s+$")
_MOST_WORDS = 1000
"""Comparing costs up to the square of it: longer texts are shown one after the other."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of two contents that is not the same."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that stayed (""), went ("del") or came ("ins")."""

    kind: str
    text: str


def find_latest(session: Session, course_id: uuid.UUID) -> CourseVersion | None:
    """The newest version of a course, in any state, or None for one that was imported."""
    newest = select(CourseVersion).where(CourseVersion.course_id == course_id)
    return session.scalars(newest.order_by(CourseVersion.number.desc()).limit(1)).first()


def find_course(session: Session, course_id: uuid.UUID, provider_id: uuid.UUID) -> Course | None:
    """This provider's course where it has been published, or None."""
    return session.scalar(select(Course).where(Course.id == course_id, Course.provider_id == provider_id))


def list_for_office(session: Session, course_id: uuid.UUID, provider_id: uuid.UUID) -> list[CourseVersion]:
    """The versions of a course without what is its provider's alone, newest first."""
    return [each for each in list_versions(session, course_id, provider_id) if not each.is_private]


def list_versions(session: Session, course_id: uuid.UUID, provider_id: uuid.UUID) -> Sequence[CourseVersion]:
    """Every version of this provider's course with its comments, newest first."""
    found = select(CourseVersion).where(
        CourseVersion.course_id == course_id, CourseVersion.provider_id == provider_id
    )
    return session.scalars(
        found.order_by(CourseVersion.number.desc()).options(selectinload(CourseVersion.comments))
    ).all()


def get_version(session: Session, version_id: uuid.UUID) -> CourseVersion:
    """A version as the programme office may read it. Raises NotFound, also for what is private."""
    found = session.get(CourseVersion, version_id)
    if found is None or found.is_private:
        raise NotFound(f"no version {version_id}")
    return found


def get_handed_in(session: Session, version_id: uuid.UUID) -> CourseVersion:
    """A version that was handed in, wherever it stands by now: what it says may be its provider's alone.

    Raises NotFound.
    """
    found = session.get(CourseVersion, version_id)
    if found is None or found.submitted_at is None:
        raise NotFound(f"no version {version_id}")
    return found


def list_unfinished(session: Session, provider_id: uuid.UUID, limit: int) -> Sequence[CourseVersion]:
    """The newest version of each of a provider's courses, where it is not what is sold."""
    newest = (
        select(CourseVersion.course_id, func.max(CourseVersion.number).label("number"))
        .where(CourseVersion.provider_id == provider_id, CourseVersion.state != VersionState.DISCARDED)
        .group_by(CourseVersion.course_id)
        .subquery()
    )
    found = select(CourseVersion).join(
        newest, (newest.c.course_id == CourseVersion.course_id) & (newest.c.number == CourseVersion.number)
    )
    return session.scalars(
        found.where(CourseVersion.state.in_(_UNFINISHED)).order_by(CourseVersion.id.desc()).limit(limit)
    ).all()


def newest_by_name(
    session: Session, provider_id: uuid.UUID, names: Sequence[str]
) -> dict[str, CourseVersion]:
    """The newest version of each of a provider's courses that it calls so, those given up left out."""
    found = select(CourseVersion).where(
        CourseVersion.provider_id == provider_id,
        CourseVersion.source_id.in_(names),
        CourseVersion.state != VersionState.DISCARDED,
    )
    in_order = session.scalars(found.order_by(CourseVersion.id)).all()
    return {version.source_id: version for version in in_order}


def list_courses(session: Session, provider_id: uuid.UUID, text: str, limit: int) -> Sequence[Course]:
    """A provider's published, suspended and withdrawn courses by title; those whose title has the text."""
    found = select(Course).where(Course.provider_id == provider_id)
    if text:
        found = found.where(func.lower(Course.title).contains(text.lower(), autoescape=True))
    return session.scalars(found.order_by(Course.state, Course.title, Course.id).limit(limit)).all()


def list_on_sale(session: Session, text: str, limit: int) -> Sequence[Course]:
    """Courses of all providers whose title has the text; without a text, those that are suspended."""
    named = func.lower(Course.title).contains(text.lower(), autoescape=True)
    found = select(Course).where(named if text else Course.state == CourseState.SUSPENDED)
    return session.scalars(found.order_by(Course.title, Course.id).limit(limit)).all()


def list_queue(session: Session, limit: int) -> Sequence[CourseVersion]:
    """What waits for the programme office, the longest waiting first."""
    waiting = select(CourseVersion).where(CourseVersion.state == VersionState.SUBMITTED)
    return session.scalars(waiting.order_by(CourseVersion.submitted_at, CourseVersion.id).limit(limit)).all()


def count_queue(session: Session) -> int:
    """How many versions wait for the programme office."""
    waiting = select(func.count()).where(CourseVersion.state == VersionState.SUBMITTED)
    return session.scalar(waiting) or 0


def list_decided(session: Session, limit: int) -> Sequence[CourseVersion]:
    """What was decided last."""
    decided = select(CourseVersion).where(CourseVersion.decided_at.is_not(None))
    return session.scalars(decided.order_by(CourseVersion.decided_at.desc()).limit(limit)).all()


def get_content(session: Session, course_id: uuid.UUID, provider_id: uuid.UUID) -> Content:
    """What a change of this provider's course starts from: its open text, else what is sold.

    Raises NotFound.
    """
    latest, course = find_latest(session, course_id), find_course(session, course_id, provider_id)
    if latest is not None and latest.provider_id != provider_id:
        latest = None
    if latest is None and course is None:
        raise NotFound(f"no course {course_id}")
    return start_of(latest, course)


def start_of(latest: CourseVersion | None, course: Course | None) -> Content:
    """What a change starts from: the text that is open or was returned, else what is sold. One is there."""
    if latest is not None and (course is None or latest.state in (*OPEN, VersionState.RETURNED)):
        return latest.content
    assert course is not None  # its caller found one of the two
    return content_of(course)


def content_of(course: Course) -> Content:
    """What a published course says."""
    return Content(**{name: getattr(course, name) for name in (*OFFER, *DETAILS)})


def differences(before: Content, after: Content) -> list[Difference]:
    """The fields that changed, what a buyer decides on first."""
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in (*OFFER, *DETAILS))
    return [Difference(name, old, new) for name, old, new in pairs if old != new]


def text_changes(before: str, after: str) -> list[Piece]:
    """Two texts as one: what stayed, what went and what came, by whole words."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return _pieces(before, after)
    found: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            found.append(Piece("", "".join(old[a:b])))
        else:
            found += _pieces("".join(old[a:b]), "".join(new[c:d]))
    return found


def _pieces(gone: str, come: str) -> list[Piece]:
    return [piece for piece in (Piece("del", gone), Piece("ins", come)) if piece.text]

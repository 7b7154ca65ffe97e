"""The versions of a course as rows: the next one, the one that is sold, and those that it replaced."""

import uuid
from dataclasses import asdict

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import (
    DETAILS,
    OFFER,
    VERSION_TRANSITIONS,
    Content,
    CourseVersion,
    VersionState,
)
from marketplace.identity.models import User
from marketplace.states import move


def add_version(
    session: Session,
    provider_id: uuid.UUID,
    course_id: uuid.UUID,
    source_id: str,
    number: int,
    content: Content,
    actor: User | None,
) -> CourseVersion:
    """A draft under the next number of its course."""
    version = CourseVersion(
        provider_id=provider_id,
        course_id=course_id,
        source_id=source_id,
        number=number,
        created_at=clock.now(session),
        created_by=actor.id if actor else None,
        **asdict(content),
    )
    session.add(version)
    session.flush()
    return version


def note_sold(session: Session, course: Course, latest: CourseVersion | None) -> CourseVersion:
    """Keep what an import published as a version too, so that its history begins with it."""
    sold = versions.content_of(course)
    if latest is not None and _sold_version(session, course.id, sold):
        return latest
    _replace_sold(session, course.id)
    number = latest.number + 1 if latest else 1
    version = add_version(session, course.provider_id, course.id, course.source_id, number, sold, None)
    version.state = VersionState.PUBLISHED.value
    version.created_at = version.published_at = course.published_at
    session.flush()
    return version


def _sold_version(session: Session, course_id: uuid.UUID, sold: Content) -> bool:
    found = session.scalar(_sold(course_id))
    return found is not None and found.content == sold


def _sold(course_id: uuid.UUID) -> Select[CourseVersion]:
    return select(CourseVersion).where(
        CourseVersion.course_id == course_id, CourseVersion.state == VersionState.PUBLISHED
    )


def _replace_sold(session: Session, course_id: uuid.UUID) -> None:
    for before in session.scalars(_sold(course_id)).all():
        move(before, VersionState.REPLACED, VERSION_TRANSITIONS)
    session.flush()


def put_on_sale(session: Session, version: CourseVersion, course: Course | None) -> None:
    """Sell a version from now on, in place of the one before."""
    now = clock.now(session)
    _replace_sold(session, version.course_id)
    move(version, VersionState.PUBLISHED, VERSION_TRANSITIONS)
    version.published_at = now
    if course is None:
        session.add(_new_course(version, _free_name(session, version)))
    else:
        is_new_offer = any(getattr(course, name) != getattr(version, name) for name in OFFER)
        for name in (*OFFER, *DETAILS):
            setattr(course, name, getattr(version, name))
        course.version += is_new_offer
    session.flush()


def _free_name(session: Session, version: CourseVersion) -> str:
    """The provider's own name for its course, unless a catalogue file has given it to another meanwhile."""
    taken = session.scalar(select(exists().where(Course.source_id == version.source_id)))
    return f"bekal:{version.course_id}" if taken else version.source_id


def _new_course(version: CourseVersion, source_id: str) -> Course:
    return Course(
        id=version.course_id,
        provider_id=version.provider_id,
        source_id=source_id,
        state=CourseState.PUBLISHED.value,
        version=1,
        published_at=version.published_at,
        **asdict(version.content),
    )

"""Courses that a participant saved for later."""

import uuid

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import queries
from marketplace.catalogue.errors import SavedTooMany
from marketplace.catalogue.models import Course, SavedCourse
from marketplace.catalogue.queries import CourseCard

MOST_SAVED = 50


def save(session: Session, participant_id: uuid.UUID, course_id: uuid.UUID) -> None:
    """Remember a course. Twice is once. Raises NotFound and SavedTooMany."""
    course = queries.get_course(session, course_id)
    counted = select(func.count()).where(SavedCourse.participant_id == participant_id)
    if not is_saved(session, participant_id, course_id) and (session.scalar(counted) or 0) >= MOST_SAVED:
        raise SavedTooMany("the list is full", most=MOST_SAVED)
    row = {"participant_id": participant_id, "course_id": course.id, "saved_at": clock.now(session)}
    session.execute(insert(SavedCourse).values(row).on_conflict_do_nothing())


def forget(session: Session, participant_id: uuid.UUID, course_id: uuid.UUID) -> None:
    """Take a course off the participant's own list, if it is on it. Raises NotFound for no course at all."""
    queries.get_course(session, course_id)
    session.execute(
        delete(SavedCourse).where(
            SavedCourse.participant_id == participant_id, SavedCourse.course_id == course_id
        )
    )


def is_saved(session: Session, participant_id: uuid.UUID, course_id: uuid.UUID) -> bool:
    """Is the course on the participant's list?"""
    return session.get(SavedCourse, (participant_id, course_id)) is not None


def list_saved(session: Session, participant_id: uuid.UUID) -> list[CourseCard]:
    """The participant's saved courses, newest first, those no longer on sale included."""
    mine = select(Course).join(SavedCourse, SavedCourse.course_id == Course.id)
    mine = mine.where(SavedCourse.participant_id == participant_id).order_by(SavedCourse.saved_at.desc())
    courses = session.scalars(mine.order_by(Course.id).limit(MOST_SAVED)).all()
    return queries.cards_of(session, courses, clock.now(session))

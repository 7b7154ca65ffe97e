"""A course from draft to sale and off it again: what each step asks for, and what it leaves alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from marketplace.catalogue import curation, writing
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.csv_import import CourseRow
from marketplace.catalogue.errors import (
    CommentMissing,
    NothingChanged,
    OwnAffair,
    VersionIncomplete,
    VersionLocked,
)
from marketplace.catalogue.importing import import_rows
from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import Content, CourseVersion, Rejection, VersionState
from marketplace.db import transaction
from marketplace.errors import IllegalTransition, NotFound
from marketplace.identity import audit
from marketplace.identity.models import Role, User
from marketplace.notifications import queries as notifications
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.enrolments.scenes import buy

GOOD = Content(
    "Menjahit Kebaya", Decimal(900_000), 40, "Mode", "in_person", "beginner", "Dari pola sampai jadi."
)


@dataclass
class Desk:
    session: Session
    provider: Provider
    writer: User
    curator: User

    def draft(self, content: Content = GOOD) -> CourseVersion:
        return writing.draft_course(self.session, self.provider.id, content, self.writer)

    def submit(self, version: CourseVersion, note: str = "") -> CourseVersion:
        return writing.submit(self.session, self.provider.id, version.course_id, self.writer, note)

    def edit(self, version: CourseVersion, **changes: object) -> CourseVersion:
        content = replace(GOOD, **changes)
        return writing.edit_course(self.session, self.provider.id, version.course_id, content, self.writer)

    def publish(self, version: CourseVersion) -> Course:
        writing.publish(self.session, self.provider.id, version.course_id, self.writer)
        return self.session.get_one(Course, version.course_id)

    def sell(self) -> tuple[CourseVersion, Course]:
        version = self.submit(self.draft())
        curation.approve(self.session, version.id, self.curator)
        return version, self.publish(version)


@pytest.fixture
def desk(session: Session) -> Desk:
    provider = factories.make_provider(session)
    return Desk(
        session,
        provider,
        factories.make_staff(session, provider),
        factories.make_user(session, Role.CURATOR, name="Wulan Sihombing"),
    )


def test_a_course_is_sold_only_after_somebody_approved_it(desk: Desk) -> None:
    version = desk.draft()
    with pytest.raises(VersionLocked):
        desk.publish(version)
    desk.submit(version)
    with pytest.raises(VersionLocked):
        desk.publish(version)
    assert desk.session.scalars(select(Course)).all() == []
    curation.approve(desk.session, version.id, desk.curator, "Bagus.")
    course = desk.publish(version)
    assert (course.title, course.version, course.state) == ("Menjahit Kebaya", 1, CourseState.PUBLISHED)
    assert versions.content_of(course) == GOOD and course.is_on_sale
    done = [entry.action for entry in audit.list_entries(desk.session, f"course:{course.id}")]
    assert done == ["course.published", "course.approved", "course.submitted", "course.drafted"]
    [told] = notifications.list_for_user(desk.session, desk.writer.id)
    assert "Menjahit Kebaya" in told.subject and "Bagus." in told.body


def test_what_is_half_written_is_not_looked_at(desk: Desk) -> None:
    version = desk.draft(Content("Menjahit", Decimal(0)))
    with pytest.raises(VersionIncomplete) as refusal:
        desk.submit(version)
    assert refusal.value.details["fields"] == ["hours", "category", "mode", "description"]
    assert version.state == VersionState.DRAFTED


def test_what_was_returned_is_corrected_in_a_version_of_its_own(desk: Desk) -> None:
    version = desk.submit(desk.draft())
    with pytest.raises(CommentMissing):
        curation.return_version(desk.session, version.id, desk.curator, "  ")
    curation.return_version(desk.session, version.id, desk.curator, "Sebutkan bahan yang perlu dibawa.")
    second = desk.edit(version, description="Bawa kain dua meter.")
    assert (second.number, second.state, version.state) == (2, "drafted", "returned")
    assert version.content == GOOD  # what was looked at stays as it was
    desk.submit(second, "Sudah ditambah.")
    [change] = versions.differences(version.content, second.content)
    assert change.field == "description"
    pieces = versions.text_changes(str(change.before), str(change.after))
    assert {piece.kind for piece in pieces} >= {"del", "ins"}
    history = versions.list_versions(desk.session, version.course_id, desk.provider.id)
    assert [each.comments[0].text for each in history] == [
        "Sudah ditambah.",
        "Sebutkan bahan yang perlu dibawa.",
    ]


def test_what_was_rejected_stays_so(desk: Desk) -> None:
    version = desk.submit(desk.draft())
    curation.reject(desk.session, version.id, desk.curator, Rejection.NOT_TRAINING)
    for act in (lambda: desk.edit(version), lambda: desk.publish(version)):
        with pytest.raises(VersionLocked):
            act()
    with pytest.raises(IllegalTransition):
        curation.approve(desk.session, version.id, desk.curator)
    [told] = notifications.list_for_user(desk.session, desk.writer.id)
    assert "bukan pelatihan keterampilan" in told.body


def test_a_dearer_version_leaves_what_is_sold_and_what_was_bought_alone(desk: Desk) -> None:
    version, course = desk.sell()
    run = factories.make_run(desk.session, course)
    bought = buy(desk.session, run, factories.make_grant(desk.session))
    second = desk.submit(desk.edit(version, price=Decimal(1_200_000)))
    curation.approve(desk.session, second.id, desk.curator)
    assert (course.price, course.version) == (900_000, 1)
    assert buy(desk.session, run, factories.make_grant(desk.session)).price == 900_000
    desk.publish(second)
    assert (course.price, course.version, version.state) == (1_200_000, 2, VersionState.REPLACED)
    desk.session.refresh(bought)
    assert (bought.price, bought.course_version) == (900_000, 1)
    assert buy(desk.session, run, factories.make_grant(desk.session)).price == 1_200_000


def test_a_change_of_details_alone_needs_nobody_and_is_no_new_offer(desk: Desk) -> None:
    version, course = desk.sell()
    with pytest.raises(NothingChanged):
        desk.submit(desk.edit(version))
    second = desk.submit(desk.edit(version, description="Dengan foto tiap langkah."))
    assert (second.state, course.version) == (VersionState.PUBLISHED, 1)
    assert course.description == "Dengan foto tiap langkah."
    curation.suspend(desk.session, course.id, desk.curator, "Ada laporan.")
    third = desk.submit(desk.edit(version, description="Diam-diam lain."))
    assert third.state == VersionState.SUBMITTED and course.description == "Dengan foto tiap langkah."


def test_an_imported_course_keeps_what_the_import_said_as_its_first_version(desk: Desk) -> None:
    row = CourseRow(2, "k:1", "Barista", desk.provider.name, "Kuliner", "online", None, 20, Decimal(500_000),
                    None, 0, "Kopi.", "id")  # fmt: skip
    import_rows(desk.session, [row])
    course = desk.session.scalars(select(Course)).one()
    content = replace(versions.content_of(course), price=Decimal(600_000))
    begun = writing.edit_course(desk.session, desk.provider.id, course.id, content, desk.writer)
    writing.discard(desk.session, desk.provider.id, course.id, desk.writer)
    import_rows(desk.session, [replace(row, price=Decimal(550_000))])
    desk.session.refresh(course)
    writing.edit_course(desk.session, desk.provider.id, course.id, content, desk.writer)
    history = versions.list_versions(desk.session, course.id, desk.provider.id)
    assert [(each.number, each.price, each.state) for each in history] == [
        (4, 600_000, "drafted"),
        (3, 550_000, "published"),
        (2, 600_000, "discarded"),
        (1, 500_000, "replaced"),
    ]
    assert begun.number == 2


def test_a_suspended_course_is_not_sold_until_it_is_restored(desk: Desk) -> None:
    version, course = desk.sell()
    with pytest.raises(CommentMissing):
        curation.suspend(desk.session, course.id, desk.curator, "")
    curation.suspend(desk.session, course.id, desk.curator, "Sertifikat diragukan.")
    assert not course.is_on_sale
    curation.restore(desk.session, course.id, desk.curator)
    assert course.is_on_sale
    desk.submit(desk.edit(version, price=Decimal(1)))
    writing.withdraw(desk.session, desk.provider.id, course.id, desk.writer)
    newest = versions.find_latest(desk.session, course.id)
    assert newest is not None and newest.state == VersionState.DISCARDED
    with pytest.raises(VersionLocked):
        desk.edit(version)
    with pytest.raises(IllegalTransition):
        curation.restore(desk.session, course.id, desk.curator)


def test_who_works_for_a_provider_decides_nothing_about_it(desk: Desk) -> None:
    version = desk.submit(desk.draft())
    with pytest.raises(OwnAffair):
        curation.approve(desk.session, version.id, desk.writer)
    other = factories.make_staff(desk.session, factories.make_provider(desk.session))
    assert curation.approve(desk.session, version.id, other).state == VersionState.APPROVED


def test_another_provider_finds_nothing(desk: Desk) -> None:
    version, course = desk.sell()
    other = factories.make_provider(desk.session)
    acts: list[Callable[[Session], object]] = [
        lambda s: writing.edit_course(s, other.id, version.course_id, GOOD, desk.writer),
        lambda s: writing.submit(s, other.id, version.course_id, desk.writer),
        lambda s: writing.publish(s, other.id, version.course_id, desk.writer),
        lambda s: writing.discard(s, other.id, version.course_id, desk.writer),
        lambda s: writing.take_back(s, other.id, version.course_id, desk.writer),
        lambda s: writing.withdraw(s, other.id, course.id, desk.writer),
        lambda s: versions.get_content(s, course.id, other.id),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act(desk.session)
    assert course.is_on_sale


def test_the_database_keeps_one_open_version_and_every_comment(desk: Desk, app_engine: Engine) -> None:
    with transaction() as current:
        provider = factories.make_provider(current)
        staff = factories.make_staff(current, provider)
        version = writing.draft_course(current, provider.id, GOOD, staff)
        writing.submit(current, provider.id, version.course_id, staff, "Mohon diperiksa.")
    copy = text(
        "INSERT INTO course_version SELECT gen_random_uuid(), provider_id, course_id, source_id, number + 1,"
        " title, hours, price, category, mode, level, description, language, 'drafted', NULL, created_at"
        " FROM course_version"
    )
    with app_engine.begin() as connection, pytest.raises(IntegrityError, match="uq_course_version_open"):
        connection.execute(copy)
    with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("UPDATE version_comment SET text = ''"))
    with app_engine.begin() as connection, pytest.raises(IntegrityError, match="rejected"):
        connection.execute(text("UPDATE course_version SET state = 'rejected'"))

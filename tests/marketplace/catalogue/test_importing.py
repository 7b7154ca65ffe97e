"""Booking catalogue files."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalogue.csv_import import COLUMNS, CatalogueFileError, read_catalogue
from marketplace.catalogue.importing import ImportReport, import_rows
from marketplace.catalogue.models import Course, CourseState
from marketplace.db import transaction
from marketplace.providers.models import Provider
from tests.factories import make_course

GOOD = {
    "source_id": "k:1",
    "title": "Barista Dasar",
    "provider": "Sanggar Kopi",
    "category": "Kuliner",
    "mode": "in_person",
    "level": "beginner",
    "hours": "24",
    "price_idr": "750000",
    "rating": "4.6",
    "rating_count": "12",
    "description": "Dari biji sampai cangkir.",
    "language": "id",
}


def write(folder: Path, *rows: dict[str, str]) -> Path:
    """A catalogue file of good rows, each with some cells replaced."""
    file = folder / "katalog.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(GOOD | row for row in rows)
    return file


def book(session: Session, file: Path, provider: str = "") -> ImportReport:
    with transaction():
        return import_rows(session, read_catalogue(file, provider=provider))


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.changed, report.unchanged, len(report.refused)


def test_rows_become_published_courses_of_providers_made_by_name(session: Session, tmp_path: Path) -> None:
    report = book(session, write(tmp_path, {}, {"source_id": "k:2", "mode": "", "hours": "", "rating": ""}))
    assert counts(report) == (2, 0, 0, 0)
    first, second = session.scalars(select(Course).order_by(Course.source_id))
    assert (first.title, first.price, first.hours, first.version) == ("Barista Dasar", 750_000, 24, 1)
    assert first.state == CourseState.PUBLISHED and first.provider is second.provider
    assert (second.mode, second.hours, second.rating) == (None, None, None)


def test_importing_again_changes_nothing(session: Session, tmp_path: Path) -> None:
    file = write(tmp_path, {}, {"source_id": "k:2", "rating": "", "level": "", "hours": ""})
    book(session, file)
    assert counts(book(session, file)) == (0, 0, 2, 0)


def test_a_course_keeps_the_rating_that_its_reviews_have_given_it(session: Session, tmp_path: Path) -> None:
    book(session, write(tmp_path, {}))
    session.scalars(select(Course)).one().rating = Decimal("1.5")
    session.commit()
    again = {"rating": "5", "rating_count": "900"}
    assert counts(book(session, write(tmp_path, again))) == (0, 0, 1, 0)
    assert counts(book(session, write(tmp_path, again | {"title": "Barista Lanjutan"}))) == (0, 1, 0, 0)
    session.expire_all()
    rated = session.scalars(select(Course)).one()
    assert (rated.rating, rated.rating_count) == (Decimal("1.5"), 12)


@pytest.mark.parametrize(
    ("change", "version"),
    [
        ({"price_idr": "800000"}, 2),
        ({"hours": "30"}, 2),
        ({"title": "Barista Lanjutan"}, 2),
        ({"description": "Lain."}, 1),
        ({"category": "Usaha"}, 1),
    ],
)
def test_a_change_of_price_hours_or_title_is_a_new_version(
    session: Session, tmp_path: Path, change: dict[str, str], version: int
) -> None:
    book(session, write(tmp_path, {}))
    assert counts(book(session, write(tmp_path, change))) == (0, 1, 0, 0)
    course = session.scalars(select(Course)).one()
    assert course.version == version
    assert counts(book(session, write(tmp_path, change))) == (0, 0, 1, 0)


def test_bad_rows_are_reported_and_good_ones_booked(session: Session, tmp_path: Path) -> None:
    rows = [
        {},
        {"source_id": "k:2", "price_idr": "100.50"},
        {"source_id": "k:3", "provider": ""},
        {"source_id": "k:4"},
    ]
    report = book(session, write(tmp_path, *rows))
    assert counts(report) == (2, 0, 0, 2)
    assert [(row.line, row.problems[0].column) for row in report.refused] == [
        (3, "price_idr"),
        (4, "provider"),
    ]


def test_a_blank_provider_is_the_named_one(session: Session, tmp_path: Path) -> None:
    book(session, write(tmp_path, {"provider": ""}, {"source_id": "k:2"}), provider="Balai Latihan")
    assert set(session.scalars(select(Provider.name))) == {"Balai Latihan", "Sanggar Kopi"}


def test_a_course_cannot_be_taken_over_by_another_provider(session: Session, tmp_path: Path) -> None:
    book(session, write(tmp_path, {}))
    report = book(session, write(tmp_path, {"provider": "Pencuri", "price_idr": "1"}))
    assert [row.problems[0].code for row in report.refused] == ["other_provider"]
    assert session.scalars(select(Course)).one().price == 750_000


def test_a_file_that_breaks_off_books_nothing(session: Session, tmp_path: Path) -> None:
    file = write(tmp_path, *({"source_id": f"k:{number}"} for number in range(1200)))
    with file.open("a", encoding="utf-8") as stream:
        stream.write('k:9999,"tidak pernah ditutup\n')
    with pytest.raises(CatalogueFileError):
        book(session, file)
    assert session.scalars(select(Course)).all() == []
    assert session.scalars(select(Provider)).all() == []


def test_courses_that_are_not_in_the_file_stay(session: Session, tmp_path: Path) -> None:
    with transaction():
        course = make_course(session)
    book(session, write(tmp_path, {}))
    session.refresh(course)
    assert course.version == 1 and course.state == CourseState.PUBLISHED


def test_a_suspended_course_stays_suspended(session: Session, tmp_path: Path) -> None:
    book(session, write(tmp_path, {}))
    with transaction():
        session.scalars(select(Course)).one().state = CourseState.SUSPENDED.value
    book(session, write(tmp_path, {"price_idr": "1"}))
    course = session.scalars(select(Course)).one()
    assert (course.state, course.version) == (CourseState.SUSPENDED, 2)


def test_the_real_catalogue_is_booked_and_recognised(session: Session, test_data: Path) -> None:
    file = test_data / "courses" / "courses.csv"
    first = book(session, file)
    assert first.created + len(first.refused) == 5115
    assert first.created > 3800, "the others cost more than any price that is accepted"
    second = book(session, file)
    assert (second.created, second.changed, second.unchanged) == (0, 0, first.created)

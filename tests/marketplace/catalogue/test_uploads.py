"""A provider's own file: what it would do, what it does, and the files that do nothing."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalogue import curation, uploads, writing, xlsx_import
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.course_rows import COLUMNS, CatalogueFileError, Problem
from marketplace.catalogue.csv_words import ENGLISH
from marketplace.catalogue.models import Course
from marketplace.catalogue.uploads import Booked, UploadPlan
from marketplace.catalogue.versions import CatalogueUpload, CourseVersion
from marketplace.errors import NotFound
from marketplace.identity.models import Role, User
from marketplace.providers.models import Provider
from tests import factories

HEAD = [column for column in COLUMNS if column not in uploads.TERMS.optional]
GOOD: dict[str, Any] = {
    "source_id": "k:1",
    "title": "Barista Dasar",
    "category": "Kuliner",
    "mode": "in_person",
    "level": "beginner",
    "hours": 24,
    "price_idr": 750_000,
    "description": "Dari biji sampai cangkir.",
    "language": "id",
}


def as_csv(*rows: dict[str, Any], head: list[str] = HEAD) -> bytes:
    lines = [",".join(head)] + [",".join(f'"{(GOOD | row).get(name, "")}"' for name in head) for row in rows]
    return "\n".join(lines).encode()


def as_xlsx(*rows: dict[str, Any], head: list[str] = HEAD) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    sheet.append(head)
    for row in rows:
        sheet.append([(GOOD | row).get(name) for name in head])
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


@dataclass
class Desk:
    session: Session
    provider: Provider
    staff: User

    def keep(self, content: bytes) -> CatalogueUpload:
        return uploads.keep_upload(self.session, self.provider.id, self.staff, "kursus", content)

    def plan(self, content: bytes) -> UploadPlan:
        return uploads.plan_upload(self.session, self.keep(content))

    def book(self, content: bytes, *, submits: bool = False) -> Booked:
        upload = self.keep(content)
        return uploads.book_upload(self.session, upload.id, self.provider.id, self.staff, submits=submits)

    def versions(self) -> list[tuple[str, int, str]]:
        found = self.session.scalars(select(CourseVersion).order_by(CourseVersion.id)).all()
        return [(each.source_id, each.number, each.state) for each in found]


@pytest.fixture
def desk(session: Session) -> Desk:
    provider = factories.make_provider(session, "Sanggar Kopi")
    return Desk(session, provider, factories.make_staff(session, provider))


def codes(problems: list[Problem]) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.code) for each in problems]


@pytest.mark.parametrize("form", [as_csv, as_xlsx])
def test_good_rows_are_booked_and_bad_ones_named(desk: Desk, form: Callable[..., bytes]) -> None:
    content = form(
        {},
        {"source_id": "k:2", "price_idr": "$1,575.00", "hours": "1e3"},
        {"source_id": "k:3", "mode": "", "hours": ""},
        {"source_id": "k:1"},
    )
    plan = desk.plan(content)
    assert [each.row.source_id for each in plan.new] == ["k:1", "k:3"]
    assert codes(plan.problems) == [
        (3, "hours", "hours"),
        (3, "price_idr", "price_currency"),
        (5, "source_id", "duplicate_id"),
    ]
    assert desk.versions() == []  # looking books nothing
    assert desk.book(content, submits=True) == Booked(drafted=1, submitted=1)
    assert desk.versions() == [("k:1", 1, "submitted"), ("k:3", 1, "drafted")]
    assert desk.session.scalars(select(CatalogueUpload)).all() == []
    again = desk.plan(content)
    assert (len(again.new), again.unchanged) == (0, 1)
    assert ("source_id", "under_review") in [(each.column, each.code) for each in again.problems]


def test_a_file_changes_what_is_sold_only_through_curation(desk: Desk) -> None:
    curator = factories.make_user(desk.session, Role.CURATOR)
    desk.book(as_csv({}), submits=True)
    [version] = desk.session.scalars(select(CourseVersion)).all()
    curation.approve(desk.session, version.id, curator)
    writing.publish(desk.session, desk.provider.id, version.course_id, desk.staff)
    course = desk.session.get_one(Course, version.course_id)
    assert desk.plan(as_csv({})).unchanged == 1
    assert desk.book(as_csv({"price_idr": 900_000}), submits=True) == Booked(submitted=1)
    assert (course.price, course.source_id) == (750_000, "k:1")
    curation.return_version(
        desk.session,
        desk.session.scalars(select(CourseVersion.id).where(CourseVersion.number == 2)).one(),
        curator,
        "Terlalu mahal.",
    )
    assert desk.book(as_csv({"description": "Lebih rinci."}), submits=True) == Booked(live=1)
    assert (course.description, course.version) == ("Lebih rinci.", 1)
    writing.withdraw(desk.session, desk.provider.id, course.id, desk.staff)
    assert codes(desk.plan(as_csv({"price_idr": 1})).problems) == [(2, "source_id", "withdrawn")]


def test_a_file_speaks_for_its_own_provider_alone(desk: Desk) -> None:
    other = factories.make_course(desk.session)
    head = [*HEAD, "provider", "rating", "rating_count"]
    plan = desk.plan(
        as_csv(
            {"source_id": other.source_id},
            {"source_id": "k:2", "provider": "Lembaga Lain"},
            {"source_id": "k:3", "provider": "sanggar kopi", "rating": "5", "rating_count": "9999"},
            {"source_id": "k:4", "title": "=HYPERLINK(1)", "description": "<script>x</script>Isi"},
            head=head,
        )
    )
    assert codes(plan.problems) == [(2, "source_id", "other_provider"), (3, "provider", "not_yours")]
    assert codes(plan.notices) == [
        (4, "rating", "rating_ignored"),
        (5, "title", "formula"),
        (5, "description", "html_removed"),
    ]
    desk.book(as_csv({"source_id": "k:3", "rating": "5"}, head=head))
    version = desk.session.scalars(select(CourseVersion)).one()
    assert version.title == "Barista Dasar" and not hasattr(version, "rating")
    upload = desk.keep(as_csv({}))
    stranger = factories.make_provider(desk.session)
    with pytest.raises(NotFound):
        uploads.get_upload(desk.session, upload.id, stranger.id)
    with pytest.raises(NotFound):
        uploads.book_upload(desk.session, upload.id, stranger.id, desk.staff, submits=False)


def test_a_file_is_kept_for_a_while_and_one_a_person(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = desk.keep(as_csv({})), desk.keep(as_csv({}, {"source_id": "k:2"}))
    assert first.id != second.id
    assert desk.session.scalars(select(CatalogueUpload.id)).all() == [second.id]
    monkeypatch.setattr(uploads, "KEPT", timedelta(0))
    with pytest.raises(NotFound):
        uploads.book_upload(desk.session, second.id, desk.provider.id, desk.staff, submits=False)
    colleague = factories.make_staff(desk.session, desk.provider)
    third = uploads.keep_upload(desk.session, desk.provider.id, colleague, "x", as_csv({}))
    assert desk.session.scalars(select(CatalogueUpload.id)).all() == [third.id]


def test_cells_of_a_sheet_are_read_as_a_csv_would_hold_them(desk: Desk) -> None:
    plan = desk.plan(
        as_xlsx(
            {"source_id": "k:1", "price_idr": 750_000.0, "hours": "24"},
            {"source_id": "k:2", "price_idr": "=1+1"},
            {"source_id": "k:3", "price_idr": 750_000.5},
            {"source_id": "k:4", "title": date(2026, 1, 2)},
            {"source_id": "k:5", "hours": True},
            {"source_id": "k:6", "level": None, "language": None},
        )
    )
    assert [each.row.source_id for each in plan.new] == ["k:1", "k:4", "k:6"]
    assert plan.new[1].row.title == "2026-01-02"
    assert codes(plan.problems) == [
        (3, "price_idr", "formula_cell"),
        (4, "price_idr", "price_has_sen"),
        (6, "hours", "hours"),
    ]


def repacked(content: bytes, **members: bytes) -> bytes:
    """The same workbook with some files of its package replaced or added."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in {*old.namelist(), *members}:
            new.writestr(name, members[name] if name in members else old.read(name))
    return stream.getvalue()


def bad_files() -> dict[str, bytes]:
    good = as_xlsx({})
    sheet = "xl/worksheets/sheet1.xml"
    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'
    bomb = b" " * (xlsx_import.MOST_BYTES + 1)
    return {
        "nothing but a name": b"PK\x03\x04",
        "cut off": good[: len(good) // 2],
        "damaged": good[:200] + bytes(100) + good[300:],
        "entities": repacked(good, **{sheet: entity}),
        "entities in UTF-16": repacked(good, **{sheet: entity.decode().encode("utf-16")}),
        "a bomb": repacked(good, **{"xl/media/a.bin": bomb}),
        "no sheet": repacked(good, **{sheet: b""}),
        "a million rows": repacked(good, **{sheet: _far_row()}),
        "other columns": as_xlsx({}, head=["a", "b"]),
        "too many rows": as_csv(
            *({"source_id": f"k:{number}"} for number in range(uploads.TERMS.most_rows + 1))
        ),
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "nothing": b"",
        "half a quotation": b'source_id,title\n"a',
        "semicolons": as_csv({}).replace(b",", b";"),
    }


def _far_row() -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    row = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    return f'<worksheet xmlns="{space}"><sheetData>{row}</sheetData></worksheet>'.encode()


def test_files_of_no_use_are_refused_with_a_reason_and_kept_nowhere(desk: Desk) -> None:
    for label, content in bad_files().items():
        with pytest.raises(CatalogueFileError) as refused:
            desk.keep(content)
            pytest.fail(label)
        assert refused.value.details["fault"] in ENGLISH, label
    assert desk.session.scalars(select(CatalogueUpload)).all() == []
    assert desk.keep(repacked(as_xlsx({}), **{"xl/media/a.bin": b"x"})).name == "kursus"  # the control


def test_what_changed_meanwhile_is_judged_when_it_is_booked(desk: Desk) -> None:
    upload = desk.keep(as_csv({}, {"source_id": "k:2"}))
    content = replace(
        uploads.content_of_row(uploads.plan_upload(desk.session, upload).new[0].row), price=Decimal(1)
    )
    version = writing.draft_course(desk.session, desk.provider.id, content, desk.staff, "k:1")
    writing.submit(desk.session, desk.provider.id, version.course_id, desk.staff)
    booked = uploads.book_upload(desk.session, upload.id, desk.provider.id, desk.staff, submits=False)
    assert booked == Booked(drafted=1)
    latest = versions.find_latest(desk.session, version.course_id)
    assert latest is not None and latest.price == 1


def test_every_reason_has_its_english_words() -> None:
    assert set(uploads._REASONS) <= set(ENGLISH)

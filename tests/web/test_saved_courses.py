"""Courses kept for later, and held side by side: one's own alone, and three at most."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Course, SavedCourse
from marketplace.catalogue.saving import MOST_SAVED
from marketplace.db import transaction
from marketplace.identity.models import User
from tests import factories
from tests.web.conftest import SignIn, read, words
from tests.web.test_catalogue_search import counted, titles


@pytest.fixture
def people(session: Session) -> tuple[User, User]:
    with transaction() as current:
        first, second = (factories.make_grant(current).participant.user for _ in range(2))
    return first, second


@pytest.fixture
def courses(session: Session) -> list[Course]:
    with transaction() as current:
        made = [factories.make_course(current, title=f"Kursus {number}") for number in range(5)]
        for course in made:
            factories.make_run(current, course, seats=3)
    return made


def test_a_course_is_saved_by_a_button_and_found_again(
    sign_in: SignIn, people: tuple[User, User], courses: list[Course], session: Session
) -> None:
    reader = sign_in(people[0])
    assert "Belum ada kursus tersimpan." in words(reader.get("/tersimpan").text)
    for course, is_saved in ((courses[0], False), (courses[1], False), (courses[0], True)):
        address = f"/kursus/{course.id}"
        forms = read(reader.get(address).text).select("form[method=post]")
        assert [str(each["action"]) for each in forms] == ([] if is_saved else [f"/tersimpan/{course.id}"])
        assert reader.post(f"/tersimpan/{course.id}").location == address
    assert "Tersimpan" in words(reader.get(f"/kursus/{courses[0].id}").text)
    assert titles(reader.get("/tersimpan").text) == ["Kursus 1", "Kursus 0"]
    reader.post(f"/tersimpan/{courses[1].id}/hapus")
    reader.post(f"/tersimpan/{courses[2].id}/hapus")
    assert titles(reader.get("/tersimpan").text) == ["Kursus 0"]


def test_nobody_sees_or_changes_what_another_saved(
    sign_in: SignIn, people: tuple[User, User], courses: list[Course], client: FlaskClient
) -> None:
    sign_in(people[0]).post(f"/tersimpan/{courses[0].id}")
    other = sign_in(people[1])
    assert titles(other.get("/tersimpan").text) == []
    assert "Tersimpan" not in words(other.get(f"/kursus/{courses[0].id}").text).split()
    other.post(f"/tersimpan/{courses[0].id}/hapus")
    assert titles(sign_in(people[0]).get("/tersimpan").text) == ["Kursus 0"]
    stranger = client.application.test_client()
    assert stranger.post(f"/tersimpan/{courses[0].id}").location.startswith("/masuk")


def test_what_is_no_longer_on_sale_stays_and_says_so_and_the_list_has_an_end(
    sign_in: SignIn, people: tuple[User, User], courses: list[Course], session: Session, app: Flask
) -> None:
    reader = sign_in(people[0])
    reader.post(f"/tersimpan/{courses[0].id}")
    reader.get("/tersimpan")
    with counted(app) as few:
        reader.get("/tersimpan")
    participant = session.scalars(select(SavedCourse.participant_id)).one()
    with transaction() as current:
        current.get_one(Course, courses[0].id).provider.suspended_at = clock.now(current)
        for _ in range(MOST_SAVED - 1):
            saved = factories.make_course(current)
            row = SavedCourse(participant_id=participant, course_id=saved.id, saved_at=clock.now(current))
            current.add(row)
    reader.post(f"/tersimpan/{courses[1].id}")
    assert "Paling banyak 50 kursus bisa disimpan." in words(reader.get("/tersimpan").text)
    with counted(app) as many:
        page = reader.get("/tersimpan").text
    assert len(titles(page)) == MOST_SAVED and "Kursus 1" not in titles(page)
    assert len(many) <= len(few)
    assert "Sedang tidak dijual" in words(page)
    assert reader.post(f"/tersimpan/{uuid.uuid4()}").status_code == 404


def test_up_to_three_courses_stand_side_by_side(
    client: FlaskClient, sign_in: SignIn, people: tuple[User, User], courses: list[Course], app: Flask
) -> None:
    asked = [str(course.id) for course in courses[:4]]
    page = client.get("/kursus/banding", query_string={"k": asked}).text
    assert [each.get_text() for each in read(page).select(".banding h2")] == [
        "Kursus 0",
        "Kursus 1",
        "Kursus 2",
    ]
    assert "tiga yang pertama ditampilkan" in words(page)
    rows = [[each.get_text() for each in card.select("dt")] for card in read(page).select(".banding article")]
    assert rows[0] == rows[1] == rows[2] and "Kursi" in rows[0]
    assert "Sisa 3 dari 3" in words(page) and "sisa Rp" not in words(page)
    without = str(read(page).select(".banding article p a")[0]["href"])
    assert without == f"/kursus/banding?k={asked[1]}&k={asked[2]}"
    two = read(client.get(without).text)
    [more] = [str(each["href"]) for each in two.select("main a") if "Tambah" in each.get_text()]
    offered = [
        str(each["href"]) for each in read(client.get(more).text).select("main a") if "banding" in str(each)
    ]
    assert f"/kursus/banding?k={asked[1]}&k={asked[2]}&k={courses[4].id}" in offered
    with counted(app) as one:
        client.get(f"/kursus/banding?k={asked[0]}")
    with counted(app) as three:
        client.get("/kursus/banding", query_string={"k": asked[:3]})
    assert len(three) == len(one)
    assert "Saldo cukup, sisa Rp2.750.000" in words(sign_in(people[0]).get(without).text)


def test_ids_that_are_none_compare_nothing(client: FlaskClient, courses: list[Course]) -> None:
    for query in ("", "k=x", "k=%00&k=..", f"k={uuid.uuid4()}", "k=" + "9" * 4000):
        page = client.get(f"/kursus/banding?{query}")
        assert page.status_code == 200 and "Belum ada kursus untuk dibandingkan." in words(page.text)

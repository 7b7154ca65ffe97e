"""One course and its provider, from outside: what is said, in whose time, and what other programs read."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import Course
from marketplace.db import transaction
from marketplace.web.rich_text import excerpt, rich
from tests import factories
from tests.web.conftest import SignIn, read, words
from tests.web.test_catalogue_search import counted, titles

HOSTILE = "</script><script>alert(1)</script> \u2028 & \"Jahit\" 'rapi'"


@pytest.fixture
def course(session: Session) -> Course:
    with transaction() as current:
        made = factories.make_course(
            current,
            factories.make_provider(current, "Sanggar <Kopi> & Teh"),
            title=HOSTILE,
            description="<p>Anda belajar <b>menakar</b>.</p><ul><li onclick=x>Seduh<script>x()</script></ul>",
            rating=Decimal("4.7"),
        )
        made.rating_count = 312
        factories.make_run(current, made, starts_in=timedelta(days=7), sessions=4, seats=6)
        factories.make_self_paced_run(current, made)
    return made


def described(page: str) -> dict[str, Any]:
    [block] = read(page).select('script[type="application/ld+json"]')
    found: dict[str, Any] = json.loads(block.get_text())
    return found


def test_a_course_says_what_who_when_and_how_to_get_out(client: FlaskClient, course: Course) -> None:
    page = client.get(f"/kursus/{course.id}").text
    text = words(page)
    for expected in (
        "Sanggar <Kopi> & Teh",
        "Anda belajar menakar .",
        "Yang akan Anda pelajari Unit 1 Unit 2",
        "Sisa 6 dari 6",
        "Bila batal",
        "Anda bisa batal kapan saja. Uang kembali utuh ke saldo.",
        "Bila 30 hari tidak dibuka, uang kembali sendiri.",
    ):
        assert expected in text
    assert "onclick" not in page and "<script>x" not in page
    assert [each.name for each in read(page).select(".prosa *")] == ["p", "b", "ul", "li"]


def test_sessions_are_in_the_readers_time(
    session: Session, client: FlaskClient, sign_in: SignIn, course: Course
) -> None:
    with transaction() as current:
        participant = factories.make_participant(current)
        participant.province_code = "91"
        user = participant.user
    [run] = [each for each in course.runs if each.kind == "scheduled"]
    local = run.starts_at.astimezone(clock.ZONE)
    here = f"{local:%H.%M}–{local + timedelta(hours=2):%H.%M} WIB"
    there = f"{local + timedelta(hours=2):%H.%M}–{local + timedelta(hours=4):%H.%M} WIT"
    assert here in words(client.get(f"/kursus/{course.id}").text)
    assert there in words(sign_in(user).get(f"/kursus/{course.id}").text)


def test_other_programs_read_the_course_and_nothing_gets_out_of_its_block(
    client: FlaskClient, course: Course
) -> None:
    page = client.get(f"/kursus/{course.id}").text
    data = described(page)
    assert data["name"] == course.title
    assert data["provider"]["name"] == "Sanggar <Kopi> & Teh"
    assert data["description"] == "Anda belajar menakar. Seduh"
    assert data["offers"] == {
        "@type": "Offer",
        "category": "Paid",
        "price": "750000",
        "priceCurrency": "IDR",
        "availability": "https://schema.org/InStock",
    }
    paced, dated = sorted(data["hasCourseInstance"], key=lambda each: len(each))
    assert "startDate" not in paced
    assert dated["courseMode"] == "Onsite" and dated["courseWorkload"] == "PT24H"
    assert dated["startDate"] < dated["endDate"]
    assert data["aggregateRating"]["ratingCount"] == 312
    assert len(read(page).select("script")) == 1
    preview = {
        str(each.get("property")): str(each["content"]) for each in read(page).select("meta[property]")
    }
    assert preview["og:title"] == course.title
    assert preview["og:url"].endswith(f"/kursus/{course.id}")
    with client.get(urlsplit(preview["og:image"]).path) as picture:
        assert picture.mimetype == "image/png" and len(picture.data) < 16 * 1024


def test_a_block_that_is_only_quoted_would_be_left(app: Flask) -> None:
    """Negative control: what json.dumps alone would do to the page."""
    page = f'<script type="application/ld+json">{json.dumps({"name": HOSTILE})}</script>'
    assert len(read(page).select("script")) == 2


def test_who_saw_another_price_or_the_last_seat_is_told(
    session: Session, client: FlaskClient, sign_in: SignIn, course: Course
) -> None:
    [run] = [each for each in course.runs if each.kind == "scheduled"]
    with transaction() as current:
        user = factories.make_grant(current).participant.user
        current.get_one(Course, course.id).price = Decimal(800_000)
    reader = sign_in(user)
    page = words(reader.get(f"/kursus/{course.id}").text)
    assert "Saldo sesudahnya Rp2.700.000" in page and "Saldo jadi Rp2.700.000" in page
    way = f"/kursus/{course.id}/pilih?run={run.id}&price="
    assert reader.get(way + "750000").location == f"/beli/{run.id}"
    told = "Harga kursus ini berubah dari Rp750.000 menjadi Rp800.000."
    assert told in words(reader.get(f"/beli/{run.id}").text)
    for same in ("800000", "", "x", "9" * 400, "-1"):
        reader.get(way + same)
        assert "berubah dari" not in words(reader.get(f"/beli/{run.id}").text)
    with transaction() as current:
        for _ in range(6):
            catalogue.take_seat(current, run.id)
    assert reader.get(way + "800000").location == f"/kursus/{course.id}"
    assert "Jadwal itu baru saja penuh" in words(reader.get(f"/kursus/{course.id}").text)


def test_a_providers_page_shows_who_they_are_and_their_courses_alone(
    session: Session, client: FlaskClient, course: Course
) -> None:
    provider = course.provider
    with transaction() as current:
        factories.make_course(current, title="Milik lembaga lain")
        for number in range(13):
            factories.make_course(current, current.get_one(Course, course.id).provider, title=f"Teh {number}")
    page = client.get(f"/kursus/{course.id}").text
    [link] = [each for each in read(page).select("a.taut") if "Sanggar" in each.get_text()]
    assert link["href"] == f"/kursus/lembaga/{provider.id}"
    first = client.get(str(link["href"])).text
    assert "Sleman, DI Yogyakarta" in words(first)
    assert "14 kursus" in words(first) and "2 jadwal masih ada kursi" in words(first)
    second = client.get(str(read(first).select("a[rel=next]")[0]["href"])).text
    assert len(titles(first)) + len(titles(second)) == 14
    assert "Milik lembaga lain" not in titles(first) + titles(second)
    assert client.get(f"/kursus/lembaga/{provider.id}?cursor=x").status_code == 302
    with transaction() as current:
        current.get_one(Course, course.id).provider.suspended_at = clock.now(current)
    suspended = client.get(f"/kursus/lembaga/{provider.id}").text
    assert "Lembaga ini sedang tidak menjual kursus." in words(suspended) and not titles(suspended)
    assert client.get(f"/kursus/lembaga/{course.id}").status_code == 404


def test_a_course_takes_as_many_queries_for_ten_runs_as_for_two(
    app: Flask, session: Session, client: FlaskClient, course: Course
) -> None:
    with counted(app) as statements:
        client.get(f"/kursus/{course.id}")
    before = len(statements)
    with transaction() as current:
        for _ in range(8):
            factories.make_run(current, current.get_one(Course, course.id))
    with counted(app) as statements:
        client.get(f"/kursus/{course.id}")
    assert len(statements) == before <= 8
    with transaction() as current:
        for number in range(12):
            factories.make_run(current, current.get_one(Course, course.id), place=f"Gedung {number}")
    some = read(client.get(f"/kursus/{course.id}").text)
    assert len(some.select(".pilihan")) == 20
    [link] = [each for each in some.select("a.taut") if "Lihat jadwal lain" in each.get_text()]
    everything = client.get(str(link["href"]))
    assert len(read(everything.text).select(".pilihan")) == 22
    assert "Lihat jadwal lain" not in words(everything.text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Satu\nbaris\n\nDua <", "<p>Satu<br>baris</p><p>Dua &lt;</p>"),
        ("", ""),
        ("<a href=//x>y</a><img src=x onerror=z>", "y"),
        ("<p style=x>a<iframe src=x>b</iframe></p>", "<p>a</p>"),
        ("<math><mtext></p><script>x", ""),
    ],
)
def test_rich_text_keeps_paragraphs_and_drops_what_could_act(text: str, shown: str) -> None:
    assert rich(text) == shown or (not shown and "<script" not in rich(text) and "mtext" not in rich(text))


def test_an_excerpt_ends_between_words_and_has_no_markup() -> None:
    assert excerpt("<p>Satu &amp; dua</p> tiga", 100) == "Satu & dua tiga"
    assert excerpt("satu dua tiga", 10) == "satu dua…"

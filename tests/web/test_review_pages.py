"""Reviews from outside: written after a completion, read by everybody, answered once in public."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.catalogue.models import Course
from marketplace.db import transaction
from marketplace.enrolments import reviewing
from marketplace.enrolments.learning_models import Review
from marketplace.enrolments.models import Enrolment
from marketplace.notifications.models import Notification
from marketplace.providers.models import Provider
from marketplace.web.provider import reviews
from tests import factories
from tests.marketplace.enrolments.scenes import at_once, buy
from tests.marketplace.payouts import world
from tests.web.conftest import SignIn, read, seen_on, words
from tests.web.page_rules import problems_of

Complete = Callable[[str], Enrolment]


@pytest.fixture
def provider(session: Session) -> Provider:
    with transaction() as current:
        return factories.make_provider(current)


@pytest.fixture
def complete(session: Session, provider: Provider) -> Complete:
    """Somebody of this name completes the first course of the provider."""

    def work(name: str) -> Enrolment:
        with transaction() as current:
            grant = factories.make_grant(current)
            grant.participant.full_name = name
            owner = current.get_one(Provider, provider.id)
            course = current.scalars(select(Course).where(Course.provider_id == provider.id)).first()
            earning = world.make_earning(current, owner, grant=grant, course=course)
            return current.get_one(Enrolment, earning.enrolment_id)

    return work


def _post(browser: FlaskClient, enrolment: Enrolment, rating: object, said: str) -> TestResponse:
    data = {"rating": str(rating), "words": said}
    return browser.post(f"/kursus-saya/{enrolment.id}/ulasan", data=data)


def test_everybody_reads_every_review_the_bad_ones_too(
    session: Session, complete: Complete, sign_in: SignIn, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "Siti Maryam": (5, "Bagus.\r\n\r\nSaya <b>paham</b> <script>alert(1)</script>"),
        "Agus": (1, "Ruangannya panas\u202e sekali"),
        "Rina Lestari": (4, "=1+1"),
        "Budi Santoso": (5, "Sip"),
    }
    for name, (rating, text) in said.items():
        enrolment = complete(name)
        browser = sign_in(enrolment.participant.user)
        assert "Beri ulasan" in words(browser.get(f"/kursus-saya/{enrolment.id}").text)
        _post(browser, enrolment, rating, text)
    course = enrolment.run.course_id
    with browser.session_transaction() as cookie:
        cookie.clear()
    page = browser.get(f"/kursus/{course}")
    assert problems_of(page) == [] and "<script>alert" not in page.text
    shown = words(page.text)
    assert "3,8 dari 4 peserta yang hadir" in shown
    assert "5 bintang 2 (50%)" in shown and "1 bintang 1 (25%)" in shown
    assert "“Sip” Budi S." in shown and "Santoso" not in shown
    [link] = read(page.text).select('a[href$="/ulasan"]')
    every = browser.get(str(link["href"]))
    assert problems_of(every) == []
    assert "“Ruangannya panas sekali” Agus, " in words(every.text)
    assert "<script>alert(1)</script>" in words(every.text), "shown as it was written, not run"
    rated = session.get_one(Course, course)
    assert (rated.rating, rated.rating_count) == (Decimal("3.8"), 4)
    monkeypatch.setattr(reviews, "_SHOWN", 2)
    with transaction() as current:
        staff = factories.make_staff(current, current.get_one(Provider, provider.id))
    desk = sign_in(staff)
    newest = session.scalars(select(Review.id).order_by(Review.id.desc())).first()
    trims = {"answer": "Trims"}
    desk.post(f"/lembaga/ulasan/{newest}", data=trims | seen_on(desk, f"/lembaga/ulasan/{newest}"))
    pages = [read(desk.get("/lembaga/ulasan").text)]
    while following := pages[-1].find("a", string="Berikutnya"):
        pages.append(read(desk.get(str(following["href"])).text))
    assert "4 ulasan, 3 belum dijawab." in words(str(pages[0]))
    shown_there = [[each.text[:5] for each in page.select("blockquote")] for page in pages]
    assert shown_there == [["“=1+1", "“Ruan"], ["“Bagu", "“Sip”"]]


def test_a_review_is_changed_until_its_provider_has_answered(
    session: Session, complete: Complete, provider: Provider, sign_in: SignIn
) -> None:
    enrolment = complete("Siti Maryam")
    with transaction() as current:
        staff = factories.make_staff(current, current.get_one(Provider, provider.id))
    address = f"/kursus-saya/{enrolment.id}/ulasan"
    mine = sign_in(enrolment.participant.user)
    for rating, text in ((2, "Kurang"), (3, "Lumayan")):
        _post(mine, enrolment, rating, text)
    assert "Lumayan" in mine.get(address).text
    review = session.scalars(select(Review)).one()
    assert (review.rating, review.changed_at is not None) == (3, True)
    desk = sign_in(staff)
    assert "Belum dijawab" in words(desk.get("/lembaga/ulasan").text)
    assert desk.post(f"/lembaga/ulasan/{review.id}", data={"answer": " "}).status_code == 400
    answering = f"/lembaga/ulasan/{review.id}"
    read_first = seen_on(desk, answering)
    with transaction() as current:
        reviewing.review(current, enrolment.id, enrolment.participant_id, 1, "Menyesal")
    for mark in (read_first, {}):
        stale = desk.post(answering, data=mark | {"answer": "Senang Anda suka"})
        assert stale.status_code == 400 and "Ulasan ini atau jawabannya berubah" in words(stale.text)
        assert "“Menyesal”" in stale.text and "Senang Anda suka</textarea>" in stale.text
    with transaction() as current:
        reviewing.review(current, enrolment.id, enrolment.participant_id, 3, "Lumayan")
    for text in ("Trims", "Terima kasih, <i>ruangannya</i> sudah diganti."):
        desk.post(answering, data=seen_on(desk, answering) | {"answer": text})
    colleague = desk.post(answering, data=read_first | {"answer": "Trims lagi"})
    assert colleague.status_code == 400 and "Jawaban yang tampil sekarang" in words(colleague.text)
    page = words(desk.get(f"/kursus/{enrolment.run.course_id}").text)
    assert "Lembaga menjawab Terima kasih, <i>ruangannya</i> sudah diganti." in page
    told = select(func.count()).where(Notification.subject.like("Lembaga menjawab%"))
    assert session.scalar(told) == 1
    mine = sign_in(enrolment.participant.user)
    refused = _post(mine, enrolment, 1, "Lain")
    assert refused.status_code == 409 and "tidak bisa diubah lagi" in words(refused.text)
    session.expire_all()
    assert (review.rating, review.words) == (3, "Lumayan")
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
    assert sign_in(stranger).post(f"/lembaga/ulasan/{review.id}", data={"answer": "x"}).status_code == 404


def test_a_review_needs_a_completion_stars_and_words(
    session: Session, complete: Complete, sign_in: SignIn
) -> None:
    enrolment = complete("Siti Maryam")
    mine = sign_in(enrolment.participant.user)
    stars = [(each, "x") for each in (0, 6, "", "5.0")]
    said = [(5, each) for each in (" \n ", "a" * 2001, "\0")]
    for rating, text in (*stars, *said):
        answer = _post(mine, enrolment, rating, text)
        assert answer.status_code == 400 and problems_of(answer) == [], (rating, text)
    with transaction() as current:
        live = buy(current, factories.make_run(current))
    other = sign_in(live.participant.user)
    assert "setelah kursus selesai" in words(other.get(f"/kursus-saya/{live.id}/ulasan").text)
    assert _post(other, live, 5, "x").status_code == 409
    assert _post(other, enrolment, 5, "x").status_code == 404
    assert session.scalar(select(func.count()).select_from(Review)) == 0


def test_reviews_sent_at_once_are_one_an_enrolment_and_all_count(
    app: Flask, session: Session, complete: Complete
) -> None:
    written = [complete(name) for name in ("Siti", "Agus", "Rina")]
    keys = [(each.id, each.participant_id) for each in written] * 2
    course = written[0].run.course_id
    session.rollback()

    def write(enrolment_id: UUID, participant_id: UUID) -> Callable[[Session], object]:
        return lambda current: reviewing.review(current, enrolment_id, participant_id, 3, "Cukup")

    at_once(app, [write(*each) for each in keys])
    rated = session.get_one(Course, course)
    assert (rated.rating, rated.rating_count) == (Decimal(3), 3)
    assert session.scalar(select(func.count()).select_from(Review)) == 3

"""A provider writes a course and the programme office looks at it, each on its own pages."""

from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.catalogue.models import Course
from marketplace.catalogue.versions import CourseVersion, VersionComment
from marketplace.db import transaction
from marketplace.enrolments.learning_models import Certificate
from marketplace.identity import service as identity
from marketplace.identity.models import Role
from marketplace.notifications import queries as notifications
from marketplace.payouts.incentives import obstacle_of
from tests import factories
from tests.web.bad_input import ALERT
from tests.web.conftest import SignIn, hidden_fields, read, seen_on, words
from tests.web.page_rules import problems_of
from tests.web.provider.conftest import Stall, counted

GOOD = {
    "title": "Menjahit Kebaya",
    "price": "900.000",
    "hours": "40",
    "category": "Mode",
    "mode": "in_person",
    "level": "beginner",
    "description": "Dari pola sampai jadi.\r\n\r\nBawa kain.",
    "language": "id",
}


@pytest.fixture
def curator(app: Flask, stall: Stall) -> FlaskClient:
    """A browser of the programme office."""
    with transaction() as current:
        user = factories.make_user(current, Role.CURATOR, name="Wulan Sihombing")
        token = identity.start_session(current, user, "test")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client


def write(desk: FlaskClient, **changes: str) -> str:
    """Save a new draft; the address of its page."""
    answer = desk.post("/lembaga/kursus/baru", data=GOOD | changes)
    assert answer.status_code == 302, words(answer.text)
    return str(answer.location)


def judge(curator: FlaskClient, review: str, **typed: str) -> TestResponse:
    """Decide on a version as its page shows it now."""
    return curator.post(review, data=seen_on(curator, review) | {"comment": "", "rejection": ""} | typed)


def rewrite(desk: FlaskClient, page: str, **changes: str) -> TestResponse:
    """Change a draft as its form shows it now."""
    return desk.post(f"{page}/ubah", data=seen_on(desk, f"{page}/ubah") | GOOD | changes)


def newest(stall: Stall) -> CourseVersion:
    stall.session.rollback()
    return stall.session.scalars(select(CourseVersion).order_by(CourseVersion.id.desc()).limit(1)).one()


def test_a_course_goes_from_form_to_catalogue(desk: FlaskClient, curator: FlaskClient, stall: Stall) -> None:
    page = write(desk)
    assert newest(stall).price == 900_000
    assert "Dari pola sampai jadi." in words(desk.get(page).text)
    assert curator.get(page.replace("/lembaga", "")).status_code == 404  # nobody else sees a draft
    assert "Menjahit Kebaya" not in curator.get("/kurasi").text
    desk.post(f"{page}/ajukan", data={"note": "Mohon diperiksa."})
    queue = read(curator.get("/kurasi").text)
    [link] = [each for each in queue.select("main table a") if each.text == "Menjahit Kebaya"]
    review = str(link["href"])
    desk.post("/lembaga/pernyataan", data={"has_conflict": "yes", "text": "Adik saya kurator."})
    asked = words(curator.get(review).text)
    assert "Mohon diperiksa." in asked and "Adik saya kurator." in asked
    refused = judge(curator, review, verdict="return")
    assert refused.status_code == 400 and "Tulis apa sebabnya" in words(refused.text)
    judge(curator, review, verdict="return", comment="Berapa meter kainnya?")
    told = words(desk.get(page).text)
    assert "Kantor program minta perbaikan." in told and "Berapa meter kainnya?" in told
    rewrite(desk, page, description="Dari pola sampai jadi.\n\nBawa kain dua meter.")
    assert "Yang berubah sejak diperiksa" in words(desk.get(page).text)
    desk.post(f"{page}/ajukan", data={"note": ""})
    review = f"/kurasi/versi/{newest(stall).id}"
    changed = read(curator.get(review).text).select_one(".beda")
    assert changed is not None and [each.text.strip() for each in changed.select("ins")] == [
        "kain dua meter."
    ]
    judge(curator, review, verdict="approve")
    assert "Terbitkan versi 2, Rp900.000" in words(desk.get(page).text)
    assert "Terbit." in words(desk.post(f"{page}/terbitkan", follow_redirects=True).text)
    assert curator.get(page.replace("/lembaga", "")).status_code == 200


def test_a_verdict_is_on_the_text_that_was_read(
    desk: FlaskClient, curator: FlaskClient, stall: Stall
) -> None:
    page = write(desk)
    desk.post(f"{page}/ajukan", data={"note": ""})
    review = f"/kurasi/versi/{newest(stall).id}"
    read_first = seen_on(curator, review)
    desk.post(f"{page}/tarik-kembali")
    rewrite(desk, page, price="3400000")
    typed = {"verdict": "return", "comment": "Panjang lebar <i>sekali</i>."}
    taken_back = curator.post(review, data=read_first | typed)
    assert taken_back.status_code == 409
    assert "Lembaga menarik kembali kursus ini, jadi" in words(taken_back.text)
    assert "Panjang lebar <i>sekali</i>." in words(taken_back.text) and "3.400.000" not in taken_back.text
    assert curator.get(review).status_code == 404  # a draft is its provider's alone
    desk.post(f"{page}/ajukan", data={"note": ""})
    for mark in (read_first, {}):
        stale = curator.post(review, data=mark | typed | {"verdict": "approve"})
        assert stale.status_code == 400 and "Lembaga mengajukan ulang kursus ini" in words(stale.text)
        assert "Rp3.400.000" in words(stale.text) and "Panjang lebar" in stale.text
        assert newest(stall).state == "submitted"
    again = {"seen": hidden_fields(stale.text)["seen"], "verdict": "approve", "comment": ""}
    assert curator.post(review, data=again).status_code == 302
    assert newest(stall).state == "approved"
    assert problems_of(taken_back) == problems_of(stale) == []
    decided = curator.post(review, data=again | {"comment": "Sekali lagi"})
    assert decided.status_code == 409 and "Sekali lagi" in words(decided.text)
    assert "Kursus ini sudah diputuskan: Disetujui, belum terbit." in words(decided.text)
    desk.post(f"{page}/terbitkan")
    rewrite(desk, page, title="Belum diajukan")
    sold = f"/kurasi/kursus/{newest(stall).course_id}"
    assert curator.get(sold).status_code == 200 and "Belum diajukan" not in curator.get(sold).text


def test_a_dearer_version_is_sold_when_the_provider_says_so(
    desk: FlaskClient, curator: FlaskClient, stall: Stall
) -> None:
    page = f"/lembaga/kursus/{stall.course.id}"
    typed = {
        str(field["name"]): str(field.get("value") or field.text)
        for field in read(desk.get(f"{page}/ubah").text).select("main input[type=text], main textarea")
    }
    assert typed["price"] == "750000" and typed["title"] == "Dasar Akuntansi"
    whole = GOOD | {name: value.strip() for name, value in typed.items() if value.strip()}
    rewrite(desk, page, **whole | {"price": "1.250.000"})
    assert "Rp750.000 menjadi Rp1.250.000" in words(desk.get(page).text)
    desk.post(f"{page}/ajukan", data={"note": ""})
    judge(curator, f"/kurasi/versi/{newest(stall).id}", verdict="approve")
    assert stall.session.get_one(Course, stall.course.id).price == 750_000
    desk.post(f"{page}/terbitkan")
    stall.session.rollback()
    assert stall.session.get_one(Course, stall.course.id).price == Decimal(1_250_000)


def test_what_was_bought_keeps_its_title_and_hours(
    desk: FlaskClient, curator: FlaskClient, stall: Stall, sign_in: SignIn
) -> None:
    run, page = stall.make_run(), f"/lembaga/kursus/{stall.course.id}"
    [bought] = stall.sell(run, "Siti Aminah")
    rewrite(desk, page, price="750.000", hours="10")
    desk.post(f"{page}/ajukan", data={"note": ""})
    judge(curator, f"/kurasi/versi/{newest(stall).id}", verdict="approve")
    desk.post(f"{page}/terbitkan")
    stall.attend(bought, 4)
    stall.pass_until_over(run)
    desk.post(f"/lembaga/jadwal/{run.id}/selesai")
    certificate = stall.session.scalars(select(Certificate)).one()
    assert (certificate.course_title, certificate.hours) == ("Dasar Akuntansi", 24)
    assert obstacle_of(certificate, certificate.enrolment.scheme) is None  # ten hours earn no incentive
    user = certificate.enrolment.participant.user
    told = [each.subject for each in notifications.list_for_user(stall.session, user.id)]
    assert len(told) >= 3 and not [each for each in told if "Kebaya" in each]
    mine = sign_in(user)
    for path in (f"/bukti/{bought.id}", f"/kursus-saya/{bought.id}", "/kursus-saya", "/beranda"):
        said = words(mine.get(path).text)
        assert "Dasar Akuntansi" in said and "Menjahit Kebaya" not in said, path
    assert "Menjahit Kebaya" in words(mine.get(f"/kursus/{stall.course.id}").text)  # control


def test_two_colleagues_do_not_undo_each_other(desk: FlaskClient, stall: Stall) -> None:
    page = f"/lembaga/kursus/{stall.course.id}"
    opened = seen_on(desk, f"{page}/ubah")
    rewrite(desk, page, description="Isi baru dari rekan.")
    for mark in (opened, {}):
        late = desk.post(f"{page}/ubah", data=mark | GOOD | {"price": "800000"})
        assert late.status_code == 400 and "Naskah ini berubah" in words(late.text)
        assert problems_of(late) == []
        assert read(late.text).select_one("#price")["value"] == "800000"
        compared = words(str(read(late.text).select_one(".beda")))
        assert "rekan." in compared and "Rp900.000" in compared and "Rp800.000" in compared
        assert newest(stall).description == "Isi baru dari rekan." and newest(stall).price == 900_000
    again = {"seen": hidden_fields(late.text)["seen"]} | GOOD | {"price": "800000"}
    assert desk.post(f"{page}/ubah", data=again).status_code == 302 and newest(stall).price == 800_000
    desk.post(f"{page}/ajukan", data={"note": ""})
    locked = desk.post(f"{page}/ubah", data=again | {"description": "Masih saya tulis."})
    assert locked.status_code == 400 and "sedang diperiksa" in words(locked.text)
    assert "Masih saya tulis.</textarea>" in locked.text


def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    desk: FlaskClient, stall: Stall
) -> None:
    wrong = GOOD | {"title": "<b>Jahit</b>", "price": "$1,575.00", "hours": "1e3", "mode": "daring"}
    answer = desk.post("/lembaga/kursus/baru", data=wrong)
    page = read(answer.text)
    assert answer.status_code == 400
    assert len(page.select(".govuk-error-summary li")) == 4
    for name in ("title", "price", "hours"):
        field = page.select_one(f"#{name}")
        assert field is not None and field["value"] == wrong[name]
        assert page.select_one(f"#{name}-error") is not None
    assert "Rp0" not in words(desk.post("/lembaga/kursus/baru", data=GOOD | {"price": ""}).text)
    assert stall.session.scalars(select(CourseVersion)).all() == []


def test_a_double_click_begins_one_course(desk: FlaskClient, stall: Stall) -> None:
    key = hidden_fields(desk.get("/lembaga/kursus/baru").text)["key"]
    first = write(desk, key=key)
    assert write(desk, key=key) == write(desk, key=key, title="Menjahit Kemeja") == first
    assert newest(stall).title == "Menjahit Kemeja"  # who went back and wrote on loses nothing
    assert len(stall.session.scalars(select(CourseVersion)).all()) == 1
    assert write(desk) != write(desk)  # control: two forms, two courses
    desk.post(f"{first}/ajukan", data={"note": ""})
    answer = desk.post("/lembaga/kursus/baru", data=GOOD | {"key": key}, follow_redirects=True)
    assert "sedang diperiksa atau sudah diputuskan" in words(answer.text)
    assert desk.post("/lembaga/kursus/baru", data=GOOD | {"key": "x"}).status_code == 400


def test_texts_of_a_course_run_nowhere(desk: FlaskClient, curator: FlaskClient, stall: Stall) -> None:
    page = write(desk, title="=1+1 &amp;", description=f"{ALERT}<p>Aman</p>", category='" onfocus="x')
    desk.post(f"{page}/ajukan", data={"note": ALERT})
    review = f"/kurasi/versi/{newest(stall).id}"
    judge(curator, review, verdict="return", comment=ALERT)
    for html in (desk.get(page).text, desk.get(f"{page}/ubah").text, curator.get(review).text):
        assert ALERT not in html and '" onfocus="x' not in html
    assert stall.session.scalars(select(VersionComment.text)).first() == ALERT


def test_suspending_stops_the_sale_and_says_why(
    desk: FlaskClient, curator: FlaskClient, stall: Stall
) -> None:
    page = f"/kurasi/kursus/{stall.course.id}"
    assert "Tulis alasannya" in words(curator.post(f"{page}/hentikan", data={"reason": " "}).text)
    curator.post(f"{page}/hentikan", data={"reason": "Sertifikat diragukan."})
    assert "Dasar Akuntansi" in curator.get("/kurasi/kursus").text
    assert "Sertifikat diragukan." in words(curator.get(page).text)
    stopped = words(desk.get(f"/lembaga/kursus/{stall.course.id}").text)
    assert "Dihentikan kantor program" in stopped and "Sertifikat diragukan." in stopped
    curator.post(f"{page}/lanjutkan", data={"reason": "Sudah dijelaskan."})
    assert "Dijual" in words(desk.get("/lembaga/kursus").text)
    desk.post(f"/lembaga/kursus/{stall.course.id}/berhenti-dijual")
    assert "Ditarik" in words(desk.get("/lembaga/kursus").text)


def test_the_lists_ask_the_same_whatever_they_hold(
    desk: FlaskClient, curator: FlaskClient, stall: Stall
) -> None:
    write(desk)
    with counted() as few:
        desk.get("/lembaga/kursus")
    for number in range(5):
        desk.post(f"{write(desk, title=f'Menjahit {number}')}/ajukan", data={"note": ""})
    with counted() as many:
        desk.get("/lembaga/kursus")
    assert len(many) == len(few)
    with counted() as queue:
        curator.get("/kurasi")
    assert len(queue) <= 8

"""Whatever is sent, somebody gets an answer that says what to do: never a server's error."""

import gzip
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate
from werkzeug.test import TestResponse

from marketplace.db import transaction
from marketplace.identity import service as identity
from marketplace.identity.models import User
from marketplace.web.forms import FormSchema
from tests import factories
from tests.thorough import THOROUGH
from tests.web.bad_input import ALERT, NASTY, encode
from tests.web.conftest import hidden_fields, seen_on
from tests.web.scene import Scene

FORM = "application/x-www-form-urlencoded"
FIRST_VIEW = 100 * 1024
HTML = 20 * 1024
_SHARES = 3


def _browser(app: Flask, scene: Scene, who: str, **cookie: str) -> FlaskClient:
    client = app.test_client()
    user_id = scene.people[who]
    with client.session_transaction() as session:
        session.update(cookie)
        if user_id is not None:
            with transaction() as current:
                session["token"] = identity.start_session(current, current.get_one(User, user_id), "test")
    return client


def _wrong(answer: TestResponse, told: str) -> list[str]:
    """A server's error, or a page on which the words that were sent became part of the page."""
    found = [f"{told}: {answer.status_code}"] if answer.status_code >= 500 else []
    if ALERT in answer.text:
        found.append(f"{told}: markup is not escaped")
    if 'onfocus="alert(1)' in answer.text:
        found.append(f"{told}: an attribute was closed")
    if "Unknown field" in answer.text or "Not a valid" in answer.text:
        found.append(f"{told}: in the English of a library")
    location = answer.location or "/"
    return found + (
        [] if location.startswith("/") and not location.startswith("//") else [f"{told}: {location}"]
    )


def _send_everything(client: FlaskClient, address: str, good: dict[str, str]) -> Iterator[str]:
    """Each field once with each value, the other fields being right.

    Where somebody waits for it, the fields of a longer form share the values: each is sent with a third.
    """
    right = {name: value.encode() for name, value in good.items()}
    shares = 1 if THOROUGH or len(good) < _SHARES else _SHARES
    for number, name in enumerate(good):
        for label, value in list(NASTY.items())[number % shares :: shares]:
            told = f"POST {address} {name} = {label}"
            answer = client.post(address, data=encode(right | {name: value}), content_type=FORM)
            yield from _wrong(answer, told)
    extra = client.post(address, data=encode(right | {"tidak_ada": b"1"}), content_type=FORM)
    yield from _wrong(extra, f"POST {address} with an unknown field")


def _ask_everything(client: FlaskClient, address: str, *names: str) -> Iterator[str]:
    """Each value for all these names at once; what would hide the others is asked for by itself."""
    for label, value in NASTY.items():
        answer = client.get(f"{address}?{encode(dict.fromkeys(names, value))}")
        yield from _wrong(answer, f"GET {address} {', '.join(names)} = {label}")


def _assert_none(problems: Iterator[str]) -> None:
    found = list(problems)
    assert not found, "\n".join(found)


# Forms


def test_signing_in_bears_whatever_is_typed(app: Flask, scene: Scene) -> None:
    _assert_none(_send_everything(_browser(app, scene, "stranger"), "/masuk", {"contact": "a@contoh.test"}))
    asked = _browser(app, scene, "stranger", contact="b@contoh.test")
    _assert_none(_send_everything(asked, "/masuk/kode", {"code": "123456"}))


def test_registering_bears_whatever_is_typed(app: Flask, scene: Scene) -> None:
    newcomer = _browser(app, scene, "newcomer")
    person = {"full_name": "Rina", "birth-day": "17", "birth-month": "4", "birth-year": "1998"}
    details = factories.make_registration()
    numbers = {"nik": details.nik, "kk": details.kk}
    _assert_none(_send_everything(newcomer, "/daftar", person))
    assert newcomer.post("/daftar", data=person).status_code == 302
    _assert_none(_send_everything(newcomer, "/daftar/nomor", numbers))
    assert newcomer.post("/daftar/nomor", data=numbers).status_code == 302
    _assert_none(_send_everything(newcomer, "/daftar/wilayah", {"province_code": "00"}))


def test_buying_and_attending_bear_whatever_is_sent(app: Flask, scene: Scene) -> None:
    buyer = _browser(app, scene, "participant")
    review = f"/beli/{scene.own['later_run_id']}"
    _assert_none(_send_everything(buyer, review, hidden_fields(buyer.get(review).text)))
    meeting = f"/kursus-saya/{scene.own['enrolment_id']}/sesi/{scene.own['session_id']}"
    _assert_none(_send_everything(buyer, meeting, {"code": "000000"}))


def test_staff_forms_bear_whatever_is_sent(app: Flask, scene: Scene) -> None:
    staff, finance = _browser(app, scene, "provider"), _browser(app, scene, "finance")
    names = f"/lembaga/sesi/{scene.own['session_id']}/daftar-hadir"
    _assert_none(_send_everything(staff, names, {"enrolment": str(scene.own["enrolment_id"])}))
    _assert_none(_send_everything(staff, f"/lembaga/jadwal/{scene.own['run_id']}/batalkan", {"reason": "x"}))
    _assert_none(
        _send_everything(finance, f"/keuangan/pembayaran/{scene.payout_run}/batalkan", {"reason": "x"})
    )
    _assert_none(_send_everything(staff, "/dev/sign-in", {"user": str(uuid.UUID(int=7))}))


def test_writing_and_judging_courses_bears_whatever_is_sent(app: Flask, scene: Scene) -> None:
    staff, curator = _browser(app, scene, "provider"), _browser(app, scene, "curator")
    course = {"title": "Menjahit", "price": "0", "hours": "24", "description": "Isi."}
    _assert_none(_send_everything(staff, "/lembaga/kursus/baru", course))
    review = f"/kurasi/versi/{scene.own['version_id']}"
    _assert_none(_send_everything(curator, review, seen_on(curator, review) | {"verdict": "return"}))
    _assert_none(_ask_everything(staff, "/lembaga/kursus", "q"))


def _forms(kind: type[Schema]) -> Iterator[Schema]:
    yield kind()
    for each in kind.__subclasses__():
        yield from _forms(each)


def _untranslated(form: Schema) -> list[str]:
    """What a form would say in its library's words: those of ours are translated late, and no `str`."""
    said = [form.error_messages["unknown"]]
    for field in form.fields.values():
        said += field.error_messages.values()
        said += [each.error for each in field.validators if hasattr(each, "error")]
    return [f"{type(form).__name__}: {words}" for words in said if words is None or isinstance(words, str)]


def test_no_form_answers_in_the_english_of_its_library(app: Flask, scene: Scene) -> None:
    forms = list(_forms(FormSchema))
    assert len(forms) > 20 and [words for form in forms for words in _untranslated(form)] == []
    plain = Schema.from_dict({"seats": fields.Integer(validate=validate.Range(1))})
    assert "PlainForm: Unknown field." in _untranslated(type("PlainForm", (plain,), {})())
    sent = _browser(app, scene, "provider").post("/lembaga/kursus/baru", data={"key": "zz", "aneh": "1"})
    assert "Isian ini tidak bisa dibaca." in sent.text and "tidak ada di formulir yang sekarang" in sent.text


# Addresses


def test_the_catalogue_bears_any_address(app: Flask, scene: Scene) -> None:
    buyer, stranger = _browser(app, scene, "participant"), _browser(app, scene, "stranger")
    groups = ("category", "mode", "when", "province", "price", "provider", "seats")
    for names in (("q", *groups, "sort", "all", "exact", "k", "tidak_ada"), ("q",), ("cursor",)):
        _assert_none(_ask_everything(buyer, "/kursus", *names))
    _assert_none(_ask_everything(stranger, "/kursus/banding", "k"))
    _assert_none(_ask_everything(stranger, f"/kursus/lembaga/{scene.own['provider_id']}", "cursor"))
    _assert_none(_ask_everything(stranger, f"/kursus/{scene.own['course_id']}/pilih", "run", "price"))
    _assert_none(_ask_everything(stranger, "/masuk", "next"))
    _assert_none(_ask_everything(stranger, "/bahasa/en", "next"))


def test_staff_pages_bear_any_address(app: Flask, scene: Scene) -> None:
    staff, finance = _browser(app, scene, "provider"), _browser(app, scene, "finance")
    for names in (("q", "state", "run", "course", "days"), ("q",), ("cursor",)):
        _assert_none(_ask_everything(staff, "/lembaga/pendaftaran", *names))
    _assert_none(_ask_everything(staff, "/lembaga/pendaftaran.csv", "q", "state"))
    for name in ("q", "family"):
        _assert_none(_ask_everything(finance, "/keuangan/buku-besar", name))
    _assert_none(_ask_everything(finance, "/keuangan/buku-besar/akun/fund:2023", "from", "to"))


@pytest.mark.parametrize(
    "place", ["/kursus", "/beli", "/bukti", "/keuangan/buku-besar", "/keuangan/buku-besar/akun"]
)
def test_what_is_no_id_is_not_found(app: Flask, scene: Scene, place: str) -> None:
    browser = _browser(app, scene, "finance" if place.startswith("/keuangan") else "participant")
    for label, value in NASTY.items():
        if value.strip() and len(value) < 1000:
            answer = browser.get(f"{place}/{encode({'x': value})[2:]}")
            assert answer.status_code == 404, label


# Requests that no form makes


@pytest.mark.parametrize(
    "content_type", [FORM, "application/json", "multipart/form-data; boundary=x", "text/xml", ""]
)
def test_a_body_of_another_kind_is_no_form(app: Flask, scene: Scene, content_type: str) -> None:
    body = b'\xff{"contact": ["a"], "contact": 1}--x\r\n\r\n'
    answer = _browser(app, scene, "stranger").post("/masuk", data=body, content_type=content_type)
    assert answer.status_code in {200, 400}


def test_a_body_of_three_megabytes_is_refused(app: Flask, scene: Scene) -> None:
    answer = _browser(app, scene, "stranger").post("/masuk", data={"contact": "x" * 3 * 1024 * 1024})
    assert answer.status_code == 413


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "\xff", "e30.e30.e30", "x" * 5000])
def test_a_forged_cookie_is_no_session(app: Flask, database: str, cookie: str) -> None:
    client = app.test_client(use_cookies=False)
    answer = client.get("/beranda", headers={"Cookie": f"bekal={cookie}"})
    assert (answer.status_code, answer.location[:6]) == (302, "/masuk")


def test_the_same_field_twice_buys_no_second_time(app: Flask, scene: Scene) -> None:
    buyer = _browser(app, scene, "participant")
    review = f"/beli/{scene.own['later_run_id']}"
    form = encode({name: value.encode() for name, value in hidden_fields(buyer.get(review).text).items()})
    answer = buyer.post(review, data=f"{form}&price=1&key=2", content_type=FORM)
    assert answer.location.startswith("/bukti/")
    assert "Rp500.000" in buyer.get(answer.location).text


# The controls


def test_an_error_and_an_echo_would_be_seen() -> None:
    sample = Flask("sample")
    sample.add_url_rule("/", "home", view_func=lambda: f"<p>{ALERT}</p>", methods=["POST"])
    sample.add_url_rule("/broken", "broken", view_func=lambda: ("", 500), methods=["POST"])
    assert len(list(_send_everything(sample.test_client(), "/broken", {"q": "x"}))) == len(NASTY) + 1
    assert any("not escaped" in each for each in _send_everything(sample.test_client(), "/", {"q": "x"}))


# Weight


def test_the_first_view_of_a_participants_home_is_light(scene: Scene, app: Flask) -> None:
    assert app.static_folder is not None
    answer = _browser(app, scene, "participant").get("/beranda")
    sheets = re.findall(r'<link rel="stylesheet" href="/static/([^?"]+)', answer.text)
    assert "bekal.css" in sheets
    files = [(Path(app.static_folder) / name).read_bytes() for name in sheets]
    html = len(gzip.compress(answer.data))
    assert html <= HTML
    assert html + sum(len(gzip.compress(content)) for content in files) <= FIRST_VIEW

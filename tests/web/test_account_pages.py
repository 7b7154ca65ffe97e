"""Signing in and registering, from outside."""

import json
import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.batches.models import Grant
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.notifications.models import Channel
from marketplace.notifications.transports import Letter, write_to_folder
from marketplace.participants.models import Participant
from marketplace.participants.nik import Sex, compose
from tests.factories import make_user
from tests.web import page_rules
from tests.web.conftest import read, words
from tests.web.page_rules import dead_fragments

BORN = date(1995, 8, 27)
NIK = compose("340407", BORN, Sex.FEMALE, 3).digits
KK = "3404072708950001"


def _code(settings: Settings) -> str:
    """The code in the newest message, as the person reads it."""
    notifications.sweep()
    newest = sorted(settings.message_folder.glob("*.json"))[-1]
    message = json.loads(newest.read_text())
    found = re.search(r"\b\d{6}\b", message["body"] + message["subject"])
    assert found
    return found.group()


def _sign_in(client: FlaskClient, settings: Settings, contact: str = "ratna@contoh.test") -> str:
    client.post("/masuk", data={"contact": contact})
    return str(client.post("/masuk/kode", data={"code": _code(settings)}).location)


@pytest.fixture
def registering(client: FlaskClient, settings: Settings, session: Session) -> FlaskClient:
    """Somebody new who has signed in."""
    assert _sign_in(client, settings) == "/daftar"
    return client


def _register(client: FlaskClient, nik: str = NIK, kk: str = KK, year: str = "1995") -> str:
    name = {"full_name": "Ratna", "birth-day": "27", "birth-month": "8", "birth-year": year}
    client.post("/daftar", data=name)
    second = client.post("/daftar/nomor", data={"nik": nik, "kk": kk})
    if second.status_code == 200:
        return words(second.text)
    return words(client.post("/daftar/wilayah", data={"province_code": "34"}, follow_redirects=True).text)


def test_a_newcomer_signs_in_with_a_code_registers_and_is_awarded(
    registering: FlaskClient, session: Session
) -> None:
    page = _register(registering)
    assert "Pendaftaran Anda diterima" in page
    assert "Bantuan Anda sedang dikirim" in page
    assert session.scalar(select(func.count()).select_from(Grant)) == 1


def test_registering_twice_after_a_lost_answer_makes_one_participant(
    registering: FlaskClient, session: Session
) -> None:
    _register(registering)
    _register(registering)
    assert session.scalar(select(func.count()).select_from(Participant)) == 1


@pytest.mark.parametrize(
    ("nik", "said"),
    [
        (NIK[:15], "NIK terdiri dari 16 angka; Anda mengetik 15."),
        (NIK.replace("67", "66", 1), "Tanggal lahir"),
        ("3404076708950000", "0000"),
        ("34040767089500O1", "NIK hanya berisi angka"),
    ],
)
def test_a_wrong_nik_is_explained_and_kept(registering: FlaskClient, nik: str, said: str) -> None:
    registering.post(
        "/daftar", data={"full_name": "Ratna", "birth-day": "27", "birth-month": "8", "birth-year": "1995"}
    )
    answer = registering.post("/daftar/nomor", data={"nik": nik, "kk": KK})
    assert said in words(answer.text)
    assert f'value="{nik}"' in answer.text


def test_a_name_is_plain_letters_and_copied_numbers_are_read_without_their_marks(
    registering: FlaskClient,
) -> None:
    typed = {"birth-day": "27", "birth-month": "8", "birth-year": "1995"}
    turned = registering.post("/daftar", data=typed | {"full_name": "Ratna\u202eisel"})
    told = "Tulis nama lengkap seperti di KTP. Ada tanda pembalik arah tulisan yang tidak terlihat"
    assert turned.status_code == 200 and told in words(turned.text)
    for name in ("R.A. Nur'aini O’Neill-Şahin", "Ngô Thị Ánh", "محمد الأمين", "陳美玲"):
        assert registering.post("/daftar", data=typed | {"full_name": name}).location == "/daftar/nomor"
    numbers = {"nik": f"\u202a{NIK}\u202c", "kk": f"\u2068{KK}\u2069"}
    assert registering.post("/daftar/nomor", data=numbers).location == "/daftar/wilayah"


def test_a_date_that_does_not_exist_is_refused_with_one_error(registering: FlaskClient) -> None:
    data = {"full_name": "Ratna", "birth-day": "31", "birth-month": "2", "birth-year": "1995"}
    page = registering.post("/daftar", data=data)
    assert "Tulis tanggal lahir yang ada di kalender" in words(page.text)
    assert page.text.count("govuk-error-message") == 1


def test_a_wrong_code_is_refused_and_counts(
    client: FlaskClient, settings: Settings, session: Session
) -> None:
    client.post("/masuk", data={"contact": "ratna@contoh.test"})
    right = _code(settings)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert "tidak cocok" in words(client.post("/masuk/kode", data={"code": wrong}).text)
    assert "tidak berlaku" in words(client.post("/masuk/kode", data={"code": right}).text)
    assert session.scalar(select(func.count()).select_from(User)) == 0


def test_the_answer_is_the_same_whether_or_not_somebody_is_registered(
    client: FlaskClient, settings: Settings, session: Session
) -> None:
    _sign_in(client, settings, "dikenal@contoh.test")
    client.post("/keluar")
    known = client.post("/masuk", data={"contact": "dikenal@contoh.test"})
    unknown = client.post("/masuk", data={"contact": "asing@contoh.test"})
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)


def test_signing_in_leads_nowhere_but_to_this_site(client: FlaskClient, settings: Settings) -> None:
    for target in ("https://jahat.test/", "//jahat.test/", "/\\jahat.test"):
        client.get("/masuk", query_string={"next": target})
        assert "jahat" not in _sign_in(client, settings)
        client.post("/keluar")


@pytest.mark.parametrize(
    "contact", ["", "bukan alamat", "0812", "a\x00b@contoh.test", "\u202eratna@contoh.test"]
)
def test_what_is_no_address_and_no_number_is_refused(
    client: FlaskClient, session: Session, contact: str
) -> None:
    page = client.post("/masuk", data={"contact": contact})
    assert page.status_code == 200
    assert "Ada yang perlu diperbaiki" in words(page.text)


@pytest.mark.parametrize(
    ("year", "said"),
    [
        ("2020", "Peserta berusia paling sedikit 18 tahun; Anda"),
        ("1920", "Peserta berusia paling banyak 64 tahun; Anda"),
        ("9999", "Tulis tanggal lahir yang ada di kalender"),
    ],
)
def test_an_age_outside_the_scheme_is_told_on_the_page_where_it_is_typed(
    registering: FlaskClient, year: str, said: str
) -> None:
    data = {"full_name": "Ratna", "birth-day": "27", "birth-month": "8", "birth-year": year}
    page = registering.post("/daftar", data=data).text
    assert said in words(page)
    assert 'href="#birth-day"' in page
    assert dead_fragments(page_rules.read(page)) == []


def test_the_last_page_wants_the_first_two_and_shows_no_whole_number(registering: FlaskClient) -> None:
    assert registering.get("/daftar/nomor").location == "/daftar"
    assert registering.get("/daftar/wilayah").location == "/daftar"
    name = {"full_name": "Ratna", "birth-day": "27", "birth-month": "8", "birth-year": "1995"}
    registering.post("/daftar", data=name)
    registering.post("/daftar/nomor", data={"nik": NIK, "kk": KK})
    page = words(registering.get("/daftar/wilayah").text)
    assert "27 Agustus 1995" in page
    assert f"{NIK[:4]}••••••••{NIK[-4:]}" in page
    assert NIK not in page
    assert KK not in page


def test_a_number_that_is_taken_is_told_beside_its_field_and_kept(
    client: FlaskClient, settings: Settings, session: Session
) -> None:
    _sign_in(client, settings, "pertama@contoh.test")
    _register(client)
    client.post("/keluar")
    _sign_in(client, settings, "kedua@contoh.test")
    name = {"full_name": "Ratna", "birth-day": "27", "birth-month": "8", "birth-year": "1995"}
    client.post("/daftar", data=name)
    client.post("/daftar/nomor", data={"nik": NIK, "kk": KK})
    page = client.post("/daftar/wilayah", data={"province_code": "34"}).text
    assert "NIK ini sudah terdaftar dengan akun lain" in words(page)
    assert f'value="{NIK}"' in page
    assert [each["href"] for each in read(page).select(".govuk-error-summary a")] == ["#nik"]
    assert dead_fragments(page_rules.read(page)) == []


def test_an_empty_field_is_asked_for_by_name(client: FlaskClient, session: Session) -> None:
    assert "Tulis alamat e-mail atau nomor ponsel Anda." in words(client.post("/masuk", data={}).text)


def test_too_many_codes_say_how_long_to_wait(client: FlaskClient, session: Session) -> None:
    pages = [client.post("/masuk", data={"contact": "ratna@contoh.test"}) for _ in range(6)]
    assert "Kode sudah diminta terlalu sering. Tunggu 15 menit, lalu coba lagi." in words(pages[-1].text)


def test_a_wrong_code_says_how_often_it_can_still_be_tried(
    client: FlaskClient, settings: Settings, session: Session
) -> None:
    client.post("/masuk", data={"contact": "ratna@contoh.test"})
    wrong = f"{(int(_code(settings)) + 1) % 1_000_000:06d}"
    said = [words(client.post("/masuk/kode", data={"code": wrong}).text) for _ in range(5)]
    assert "masih bisa dicoba 4 kali" in said[0]
    assert "tidak bisa dicoba lagi. Minta kode baru." in said[4]


def test_the_inbox_holds_every_message_and_lets_one_be_anybody(
    client: FlaskClient, settings: Settings, session: Session
) -> None:
    folder = settings.message_folder
    for number in range(45):
        write_to_folder(
            folder, Letter(f"{number:03}", Channel.EMAIL, "a@contoh.test", f"Surat {number}.", "Isi")
        )
    with transaction() as current:
        listed, other = (make_user(current, name=name) for name in ("Ratna Lestari", "Bagus Wibowo"))
    group = {"group": "Peserta", "people": [{"user": str(listed.id), "name": listed.name, "note": "baru"}]}
    people = settings.home / "demo-people.json"
    people.write_text(json.dumps([group]))
    seen: list[str] = []
    address: str | None = "/dev/inbox"
    while address:
        page = client.get(address)
        assert "Ratna Lestari" in words(page.text)
        seen += re.findall(r"Surat (\d+)\.", page.text)
        link = read(page.text).find("a", string="Pesan lebih lama")
        address = str(link["href"]) if link else None
    people.unlink()
    assert seen == [str(number) for number in reversed(range(45))]
    for typed, name in (
        ({"user": str(listed.id)}, "Ratna Lestari"),
        ({"contact": other.contact}, "Bagus Wibowo"),
    ):
        assert client.post("/dev/sign-in", data=typed).status_code == 302
        assert name in words(client.get("/akun").text)
    for unknown in ("siapa@contoh.test", "bukan kontak", ""):
        page = client.post("/dev/sign-in", data={"contact": unknown})
        assert page.text.count("govuk-error-summary") and unknown in page.text

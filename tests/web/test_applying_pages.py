"""An organisation applies, the programme office looks, and a provider with an owner comes of it."""

import io
import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity import audit
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User
from marketplace.notifications import queries as notifications
from marketplace.providers import queries as providers
from marketplace.providers.models import ProviderApplication, ProviderDocument
from tests import factories
from tests.marketplace.providers.test_documents import SECRET, chunk, pdf, png
from tests.web.bad_input import ALERT, NASTY, encode
from tests.web.conftest import hidden_fields, read, seen_on, words

PAGE = "/daftar-lembaga"
GOOD = {
    "name": "Sanggar Kopi Merapi",
    "registration_number": "9120001234567",
    "address": "Jalan Kaliurang 12",
    "city": "Sleman",
    "province_code": "34",
    "contact_name": "Sulastri",
}


def browser(app: Flask, *roles: Role) -> tuple[FlaskClient, uuid.UUID]:
    with transaction() as current:
        user = factories.make_user(current, *roles)
        token = identity.start_session(current, user, "test")
        user_id = user.id
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client, user_id


def upload(client: FlaskClient, content: bytes, name: str = "izin.pdf") -> int:
    data = {"file": (io.BytesIO(content), name)}
    return client.post(f"{PAGE}/dokumen", data=data, content_type="multipart/form-data").status_code


@pytest.fixture
def applied(app: Flask, session: Session) -> tuple[FlaskClient, uuid.UUID]:
    """Somebody whose application waits for a look, with two documents."""
    client, user_id = browser(app)
    assert client.post(PAGE, data=GOOD).status_code == 302
    assert upload(client, pdf()) == upload(client, png(chunk(b"tEXt", SECRET)), "foto.png") == 302
    client.post(f"{PAGE}/kirim")
    return client, user_id


def only(session: Session) -> ProviderApplication:
    session.rollback()
    return session.scalars(select(ProviderApplication)).one()


def test_an_application_becomes_a_provider(
    app: Flask, session: Session, applied: tuple[FlaskClient, uuid.UUID]
) -> None:
    client, user_id = applied
    curator, curator_id = browser(app, Role.CURATOR)
    found = only(session)
    page = f"/kurasi/lembaga/{found.id}"
    assert page in curator.get("/kurasi/lembaga").text
    documents = [str(link["href"]) for link in read(curator.get(page).text).select("main a[href*=dokumen]")]
    answer = curator.get(documents[1])
    assert answer.mimetype == "image/png" and SECRET not in answer.data
    assert answer.headers["Content-Disposition"].startswith("attachment")
    [read_by] = audit.list_entries(session, f"application:{found.id}")[:1]
    assert (read_by.action, read_by.actor_id) == ("provider_document.read", curator_id)
    read_first = seen_on(curator, page)
    empty = curator.post(page, data=read_first | {"verdict": "return", "comment": ""})
    assert empty.status_code == 400 and "Tulis alasannya" in words(empty.text)
    curator.post(page, data=read_first | {"verdict": "return", "comment": "Akta belum ada."})
    late = curator.post(page, data=read_first | {"verdict": "reject", "comment": "Bukan lembaga."})
    assert late.status_code == 409 and "Bukan lembaga." in words(late.text)
    assert "Akta belum ada." in words(client.get(PAGE).text)
    client.post(PAGE, data=GOOD | {"name": "Sanggar Kopi Merapi Baru"})
    client.post(f"{PAGE}/kirim")
    stale = curator.post(page, data=read_first | {"verdict": "approve", "comment": "Sudah lengkap."})
    assert stale.status_code == 400 and providers.find_provider_of(session, user_id) is None
    assert "Pendaftar mengirim ulang pendaftaran ini" in words(stale.text)
    assert "Sanggar Kopi Merapi Baru" in stale.text and "Sudah lengkap." in stale.text
    curator.post(page, data={"seen": hidden_fields(stale.text)["seen"], "verdict": "approve", "comment": ""})
    provider = providers.find_provider_of(session, user_id)
    assert provider is not None and provider.name == "Sanggar Kopi Merapi Baru"
    staff = providers.find_staff(session, user_id)
    assert staff is not None and staff.role == "owner"
    assert client.get("/lembaga").status_code == 200
    told = notifications.list_for_user(session, user_id)
    assert any("sekarang lembaga di Bekal" in message.subject for message in told)


def test_two_of_the_same_name_or_number_are_told_apart(
    app: Flask, session: Session, applied: tuple[FlaskClient, uuid.UUID]
) -> None:
    curator, _id = browser(app, Role.CURATOR)
    with transaction() as current:
        factories.make_provider(current, GOOD["name"])
    page = f"/kurasi/lembaga/{only(session).id}"
    seen = seen_on(curator, page)
    refused = curator.post(page, data=seen | {"verdict": "approve", "comment": ""})
    assert "Sudah ada lembaga bernama" in words(refused.text)
    curator.post(page, data=seen | {"verdict": "reject", "comment": "Nama ganda."})
    client, _user = applied
    assert "Ajukan pendaftaran baru" in words(client.get(PAGE).text)
    assert client.get(f"{PAGE}/ubah").status_code == 200


def test_documents_are_anothers_secret(
    app: Flask, session: Session, applied: tuple[FlaskClient, uuid.UUID]
) -> None:
    document = session.scalars(select(ProviderDocument)).first()
    assert document is not None and pdf() not in document.content_encrypted
    stranger, _id = browser(app)
    own = f"{PAGE}/dokumen/{document.id}"
    assert stranger.get(own).status_code == 404
    stranger.post(PAGE, data=GOOD)
    assert stranger.get(own).status_code == stranger.post(f"{own}/hapus").status_code == 404
    client, _user = applied
    assert client.get(own).data == pdf()
    assert "sudah berubah" in words(client.post(f"{own}/hapus", follow_redirects=True).text)  # handed in
    curator, _curator = browser(app, Role.CURATOR)
    assert curator.get(f"/kurasi/lembaga/{uuid.uuid4()}/dokumen/{document.id}").status_code == 404


def test_a_draft_is_its_writers_alone_and_bad_files_are_named(app: Flask, session: Session) -> None:
    client, _id = browser(app)
    curator, _curator = browser(app, Role.CURATOR)
    assert upload(client, pdf()) == 404  # nothing begun yet
    client.post(PAGE, data=GOOD)
    assert curator.get(f"/kurasi/lembaga/{only(session).id}").status_code == 404
    assert "Tambahkan sedikitnya satu dokumen" in words(
        client.post(f"{PAGE}/kirim", follow_redirects=True).text
    )
    for content in (b"", b"MZ", ALERT.encode(), pdf(b"<</JavaScript 1>>")):
        assert upload(client, content) == 400
    assert upload(client, pdf(), f"../{ALERT}\x00.pdf") == 302
    shown = client.get(PAGE).text
    assert ALERT not in shown and words(shown).count(" KB") == 1
    for _number in range(5):
        upload(client, pdf())
    assert upload(client, pdf()) == 400


def test_applying_bears_whatever_is_typed(app: Flask, session: Session) -> None:
    client, _id = browser(app)
    right = {name: value.encode() for name, value in GOOD.items()}
    for name in ("name", "registration_number"):
        for value in NASTY.values():
            body = encode(right | {name: value})
            answer = client.post(PAGE, data=body, content_type="application/x-www-form-urlencoded")
            assert answer.status_code in {302, 400} and ALERT not in answer.text


def test_a_participant_applies_with_another_login(app: Flask, session: Session) -> None:
    with transaction() as current:
        user = factories.make_participant(current).user
        identity.grant_role(current, user, Role.PARTICIPANT)
        token = identity.start_session(current, user, "test")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = token
    assert "kontak kerja lembaga" in words(client.get(PAGE).text)
    client.post(PAGE, data=GOOD)
    assert session.scalars(select(ProviderApplication)).all() == []
    assert session.get_one(User, user.id).has_role(Role.PROVIDER) is False

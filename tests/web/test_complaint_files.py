"""Evidence with a complaint: both sides of it read it, without what a camera adds, and nobody else does."""

import io
from collections.abc import Sequence

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.oversight.models import Complaint, ComplaintAttachment
from marketplace.providers.documents import MOST_BYTES
from tests.marketplace.providers.test_documents import SECRET, chunk, jpeg, pdf, png, segment
from tests.web.bad_input import ALERT
from tests.web.conftest import SignIn, hidden_fields, read, words
from tests.web.scene import Scene

File = tuple[bytes, str]
NEW = "/pengaduan/baru"
TOLD = {"category": "class", "body": "Ruangannya terkunci."}


def _send(client: FlaskClient, page: str, to: str, files: Sequence[File], **typed: str) -> TestResponse:
    """The form of a page, with files, as a browser sends it."""
    fields = hidden_fields(client.get(page).text)
    sent = [(io.BytesIO(content), name) for content, name in files]
    answer = client.post(to, data=fields | typed | {"files": sent}, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # large ones were spooled
    return answer


def _links(page: str) -> list[str]:
    return [str(link["href"]) for link in read(page).select('main a[href*="/berkas/"]')]


def _sign_in(sign_in: SignIn, session: Session, scene: Scene, who: str) -> FlaskClient:
    session.rollback()
    return sign_in(session.get_one(User, scene.people[who]))


def test_evidence_reaches_the_office_without_what_a_camera_adds(
    session: Session, scene: Scene, sign_in: SignIn
) -> None:
    buyer = _sign_in(sign_in, session, scene, "participant")
    photos = [(png(chunk(b"eXIf", SECRET)), "pintu.png"), (jpeg(segment(0xE1, SECRET)), f"{ALERT}\x00.jpg")]
    opened = _send(buyer, NEW, NEW, photos, **TOLD)
    assert opened.status_code == 302
    thread = str(opened.location)
    page = buyer.get(thread).text
    assert ALERT not in page and "pintu.png" in words(page) and words(page).count(" KB") == 2
    given = [buyer.get(each) for each in _links(page)]
    assert [each.data for each in given] == [png(), jpeg()]
    assert all(each.headers["Content-Disposition"].startswith("attachment") for each in given)
    assert given[0].headers["X-Content-Type-Options"] == "nosniff" and given[0].mimetype == "image/png"
    kept = session.scalars(select(ComplaintAttachment).order_by(ComplaintAttachment.id)).all()[-2:]
    assert not any(SECRET in each.content_encrypted or png() in each.content_encrypted for each in kept)

    reply = {
        "page": thread,
        "to": f"{thread}/balas",
        "files": [(pdf(), "kuitansi.pdf")],
        "body": "Ini buktinya.",
    }
    assert _send(buyer, **reply).status_code == 302  # type: ignore[arg-type] # each by its name
    office = thread.replace("/pengaduan", "/kantor/pengaduan")
    desk = _sign_in(sign_in, session, scene, "desk")
    last = _links(desk.get(office).text)[-1]
    assert desk.get(last).data == pdf()
    [noted] = audit.list_entries(session, f"complaint:{thread.rpartition('/')[2]}")[:1]
    assert (noted.action, noted.actor_id) == ("complaint_attachment.read", scene.people["desk"])
    auditor = _sign_in(sign_in, session, scene, "auditor")
    page = auditor.get(office).text
    assert "kuitansi.pdf" in words(page) and not _links(page) and auditor.get(last).status_code == 403


def test_evidence_is_nobody_elses(session: Session, scene: Scene, sign_in: SignIn) -> None:
    own, others = scene.own, scene.others
    buyer = _sign_in(sign_in, session, scene, "participant")
    address = f"/pengaduan/{own['complaint_id']}/berkas/"
    assert buyer.get(f"{address}{own['attachment_id']}").status_code == 200
    for foreign in (others["attachment_id"], own["provider_attachment_id"]):
        assert buyer.get(f"{address}{foreign}").status_code == 404
    provider = _sign_in(sign_in, session, scene, "provider")
    claims = f"/lembaga/pengaduan/{own['provider_complaint_id']}/berkas/"
    assert provider.get(f"{claims}{own['provider_attachment_id']}").status_code == 200
    for place in (f"{claims}{own['attachment_id']}", f"/lembaga{address}{own['attachment_id']}"):
        assert provider.get(place).status_code == 404, "of whom it is about"
    assert provider.get(f"/kantor{address}{own['attachment_id']}").status_code == 403
    desk = _sign_in(sign_in, session, scene, "desk")
    assert desk.get(f"/kantor{address}{others['attachment_id']}").status_code == 404


def test_what_is_no_evidence_is_refused_in_words_and_nothing_is_kept(
    session: Session, scene: Scene, sign_in: SignIn
) -> None:
    buyer = _sign_in(sign_in, session, scene, "participant")
    before = (
        len(session.scalars(select(Complaint.id)).all()),
        len(session.scalars(select(ComplaintAttachment.id)).all()),
    )
    good = (png(), "pintu.png")
    refused: dict[str, list[File]] = {
        "Pilih paling banyak tiga": [good] * 4,
        "Hanya PDF, PNG, atau JPEG": [good, (ALERT.encode(), "halaman.png")],
        "rusak atau terpotong": [(png()[:-20], "pintu.png")],
        "Paling besar 2 MB": [(png(chunk(b"tEXt", b"x" * MOST_BYTES)), "besar.png")] * 3,
        "berisi skrip": [(pdf(b"<</JavaScript 1>>"), "surat.pdf")],
        "tidak kosong": [(b"", "kosong.png")],
    }
    for sentence, files in refused.items():
        answer = _send(buyer, NEW, NEW, files, **TOLD)
        assert answer.status_code == 400 and sentence in words(answer.text), sentence
        assert "Ruangannya terkunci." in words(answer.text), "what was typed stays"
    thread = f"/pengaduan/{scene.own['complaint_id']}"
    reply = _send(buyer, thread, f"{thread}/balas", [(b"MZ", "x.exe")], body="Lihat.")
    assert reply.status_code == 400 and "Hanya PDF, PNG, atau JPEG" in words(reply.text)
    assert _send(buyer, NEW, NEW, [(bytes(9_000_000), "film.png")], **TOLD).status_code == 413
    session.rollback()
    after = (
        len(session.scalars(select(Complaint.id)).all()),
        len(session.scalars(select(ComplaintAttachment.id)).all()),
    )
    assert after == before


def test_a_complaint_sent_twice_keeps_its_evidence_once(
    session: Session, scene: Scene, sign_in: SignIn
) -> None:
    buyer = _sign_in(sign_in, session, scene, "participant")
    fields = hidden_fields(buyer.get(NEW).text) | TOLD
    for _time in range(2):
        data = fields | {"files": [(io.BytesIO(pdf()), "surat.pdf")]}
        answer = buyer.post(NEW, data=data, content_type="multipart/form-data")
    assert words(buyer.get(str(answer.location)).text).count("surat.pdf") == 1

"""A certificate from outside: on the page, on paper, as a badge; checked by programs that are not ours."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import jwt
import pypdfium2
import pytest
import zxingcpp
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient

from marketplace.db import transaction
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.receipts import new_number
from marketplace.identity.models import Role, User
from marketplace.web.certificate_pdf import draw
from tests import factories
from tests.marketplace.payouts import world
from tests.web.conftest import SignIn, words
from tests.web.page_rules import problems_of

NAME = "Ni Luh Żółta Đặng-Šimić Çağlar"


@pytest.fixture
def certificate(session: Session) -> Certificate:
    with transaction() as current:
        grant = factories.make_grant(current)
        grant.participant.full_name = NAME
        world.make_earning(current, factories.make_provider(current, "Karya <b>Mandiri</b>"), grant=grant)
        return current.scalars(select(Certificate)).one()


@pytest.fixture
def holder(certificate: Certificate, sign_in: SignIn) -> Iterator[FlaskClient]:
    yield sign_in(certificate.enrolment.participant.user)


def test_the_code_on_the_paper_leads_to_the_page_that_proves_it(
    holder: FlaskClient, certificate: Certificate
) -> None:
    page = holder.get(f"/kursus-saya/{certificate.enrolment_id}")
    address = f"/sertifikat-saya/{certificate.id}/sertifikat.pdf"
    assert address in page.text and address in holder.get("/beranda").text
    paper = holder.get(address)
    assert paper.mimetype == "application/pdf" and paper.data == holder.get(address).data
    with pypdfium2.PdfDocument(paper.data) as document:
        assert len(document) == 1
        text = document[0].get_textpage().get_text_range()
        scanned = zxingcpp.read_barcodes(document[0].render(scale=2).to_pil())
    assert NAME in text and certificate.number in text and "hadir 100%" in text
    [code] = scanned
    stranger = holder.application.test_client()
    found = stranger.get(urlsplit(code.text).path)
    assert found.status_code == 200 and problems_of(found) == []
    said = words(found.text)
    assert "Sertifikat ini asli dan berlaku" in said and NAME in said
    assert "Karya <b>Mandiri</b>" in said and "sertifikat.pdf" not in found.text


def test_the_paper_keeps_long_names_within_its_margins_and_says_where_unprintable_ones_are(
    certificate: Certificate, session: Session
) -> None:
    provider = "Yayasan Pelatihan Kerja Masyarakat Mandiri " * 4 + "Kabupaten Kepulauan Sangihe"
    session.refresh(certificate)
    make_transient(certificate)  # nobody may change what was issued
    certificate.holder_name, certificate.course_title = "Bambang" + "x" * 113, "Barista Lanjutan " * 11
    certificate.provider_name = provider
    said = _printed(certificate)
    assert provider in said and certificate.holder_name in said.replace(" ", "")
    assert certificate.course_title.strip() in said and "halaman publik" not in said
    certificate.holder_name, certificate.course_title = "محمد الأمين بن يوسف", "会計入門 Dasar Akuntansi"
    said = _printed(certificate)
    assert (
        "diberikan kepada Sebagian huruf nama ini tidak bisa dicetak di sini. Nama lengkapnya ada di" in said
    )
    assert "pelatihan Dasar Akuntansi Yayasan" in said
    assert "Nama lengkap kursus dan lembaga ada di halaman publik sertifikat ini. 24 jam" in said


def _printed(certificate: Certificate) -> str:
    """What the paper says, all of it between the margins and nothing over the code at its foot."""
    with pypdfium2.PdfDocument(draw(certificate, "https://bekal.test/sertifikat/x")) as document:
        page = document[0].get_textpage()
        boxes = [page.get_charbox(number) for number in range(page.count_chars())]
        text = " ".join(page.get_text_range().split())
    millimetre = 72 / 25.4
    assert max(right for _left, _bottom, right, _top in boxes) <= (297 - 23.5) * millimetre
    return text


def test_the_badge_is_verified_by_a_library_that_is_not_ours(
    holder: FlaskClient, certificate: Certificate
) -> None:
    signed = holder.get(f"/sertifikat-saya/{certificate.id}/lencana.jwt").text
    header = jwt.get_unverified_header(signed)
    assert set(header) == {"alg", "kid", "typ"} and header["typ"] == "JWT"
    stranger = holder.application.test_client()
    published = stranger.get(urlsplit(header["kid"]).path).get_json()
    assert "d" not in published and published in stranger.get("/lencana/kunci.json").get_json()["keys"]
    badge = jwt.decode(signed, jwt.PyJWK(published), algorithms=["EdDSA"])
    assert _faults(badge) == []
    subject = badge["credentialSubject"]
    assert subject["identifier"][0]["identityHash"] == NAME
    assert stranger.get(urlsplit(badge["id"]).path).status_code == 200
    issuer = stranger.get(urlsplit(badge["issuer"]["id"]).path).get_json()
    assert {name: issuer[name] for name in badge["issuer"]} == badge["issuer"]
    # controls: another letter is noticed, and so is a document that lacks what the standard asks for
    head, payload, seal = signed.split(".")
    changed = ("B" if seal[0] == "A" else "A") + seal[1:]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{payload}.{changed}", jwt.PyJWK(published), algorithms=["EdDSA"])
    assert _faults(badge | {"sub": "urn:uuid:0", "validFrom": "today", "name": ""}) != []


def test_a_revoked_certificate_says_why_to_whoever_asks(
    client: FlaskClient, certificate: Certificate, sign_in: SignIn, session: Session
) -> None:
    with transaction() as current:
        user = factories.make_user(current, Role.FINANCE)
    office, page = sign_in(user), f"/keuangan/sertifikat/{certificate.id}"
    assert office.get(f"/keuangan/sertifikat?nomor={certificate.number.lower()}").location == page
    assert "Tulis alasannya" in words(office.post(page, data={"reason": " "}).text)
    answer = office.post(page, data={"reason": "Daftar hadir <i>dipalsukan</i>"}, follow_redirects=True)
    assert "Sertifikat dicabut." in words(answer.text) and problems_of(answer) == []
    said = words(client.get(f"/sertifikat/{certificate.number}").text)
    assert "Sertifikat ini dicabut" in said and "Daftar hadir <i>dipalsukan</i>" in said
    listed = client.get("/lencana/pencabutan.json").get_json()["revokedCredential"]
    assert [each["revocationReason"] for each in listed] == ["Daftar hadir <i>dipalsukan</i>"]
    mine = sign_in(session.get_one(Enrolment, certificate.enrolment_id).participant.user)
    assert "Sertifikat dicabut" in words(mine.get(f"/kursus-saya/{certificate.enrolment_id}").text)
    assert "sertifikat.pdf" not in mine.get("/beranda").text
    for name in ("sertifikat.pdf", "lencana.jwt"):  # addresses that were kept hand out nothing that holds
        answer = mine.get(f"/sertifikat-saya/{certificate.id}/{name}", follow_redirects=True)
        assert "Sertifikat ini dicabut" in words(answer.text)


def test_an_unknown_number_gets_help_and_a_known_one_is_found_however_typed(
    client: FlaskClient, certificate: Certificate
) -> None:
    typed = client.get("/sertifikat", query_string={"nomor": f" {certificate.number.lower()} "})
    assert typed.location == f"/sertifikat/{certificate.number}"
    never = client.get(f"/sertifikat/{new_number(certificate.starts_on, 'SRT', 8)}")
    assert never.status_code == 404 and "tidak pernah menerbitkannya" in words(never.text)
    slip = re.sub(r"\d\d$", lambda found: f"{(int(found[0]) + 1) % 97:02d}", certificate.number)
    assert "salah tulis" in words(client.get(f"/sertifikat/{slip}").text)
    for odd in ("%00", "<script>", "../..", "a" * 500):
        assert client.get("/sertifikat", query_string={"nomor": odd}).status_code in {200, 302}
    assert problems_of(client.get("/sertifikat/%3Cscript%3E")) == []


def test_papers_and_badges_are_for_their_holder(certificate: Certificate, sign_in: SignIn) -> None:
    with transaction() as current:
        other: User = factories.make_participant(current).user
    stranger = sign_in(other)
    for name in ("sertifikat.pdf", "lencana.jwt"):
        assert stranger.get(f"/sertifikat-saya/{certificate.id}/{name}").status_code == 404


def _faults(badge: dict[str, Any]) -> list[str]:
    """What an Open Badges 3.0 credential in a token must have, by the standard's tables."""
    subject, issuer = badge["credentialSubject"], badge["issuer"]
    achievement = subject["achievement"]
    uri, instant = re.compile(r"(https?://|urn:uuid:)\S+"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    rules = {
        "context": badge["@context"][0] == "https://www.w3.org/ns/credentials/v2"
        and badge["@context"][1].startswith("https://purl.imsglobal.org/spec/ob/v3p0/context"),
        "type": badge["type"] == ["VerifiableCredential", "OpenBadgeCredential"],
        "uris": all(uri.fullmatch(each["id"]) for each in (badge, issuer, subject, achievement)),
        "issuer": issuer["type"] == ["Profile"] and issuer["name"],
        "subject": subject["type"] == ["AchievementSubject"],
        "achievement": achievement["type"] == ["Achievement"]
        and all(achievement[name] for name in ("name", "description"))
        and achievement["criteria"]["narrative"],
        "identifier": [each["type"] for each in subject["identifier"]] == ["IdentityObject"],
        "instants": all(
            instant.fullmatch(each)
            for each in (badge["validFrom"], subject["activityStartDate"], subject["activityEndDate"])
        ),
        "name": badge["name"],
        "schema": badge["credentialSchema"][0]["type"] == "1EdTechJsonSchemaValidator2019",
        "status": badge["credentialStatus"]["type"] == "1EdTechRevocationList",
        "claims": (badge["iss"], badge["jti"], badge["sub"]) == (issuer["id"], badge["id"], subject["id"]),
        "nbf": isinstance(badge["nbf"], int),
    }
    return [name for name, holds in rules.items() if not holds]

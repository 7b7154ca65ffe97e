"""Finding people and providers: by whole numbers or parts of names, never in an address, never unrecorded."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.enrolments import certificates
from marketplace.enrolments.models import Enrolment
from marketplace.identity.models import AuditEntry, Role
from marketplace.oversight import complaints
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import Subject
from marketplace.oversight.models import Category
from marketplace.participants import service as participants
from marketplace.participants.models import Participant
from marketplace.participants.nik import Sex, compose
from marketplace.payouts import service as payouts
from marketplace.providers import statements
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.marketplace.payouts.world import SCHEME, make_earning, make_finance, make_payee
from tests.web.conftest import SignIn, hidden_fields, read, words
from tests.web.provider.conftest import counted

SEARCH = "/kantor/orang"
NIK = compose("317104", factories.BIRTH_DATE, Sex.FEMALE, 4321).digits


@pytest.fixture
def officer(session: Session, sign_in: SignIn) -> FlaskClient:
    with transaction() as current:
        user = factories.make_user(current, Role.DESK, name="Hasan Basri")
    return sign_in(user)


@pytest.fixture
def bought(session: Session) -> Enrolment:
    """A purchase of Dewi Ma'rifah's, whose NIK is known, and a complaint about it."""
    with transaction() as current:
        factories.fund_scheme(current)
        grant = factories.make_grant(current, _register(current, "Dewi Ma'rifah Wulandari"))
        enrolment = buy(current, factories.make_run(current), grant)
        said = Subject(Category.CLASS, enrolment.id)
        complaints.open_for_participant(current, grant.participant, said, Words("Terkunci.", "a"))
        return enrolment


def _register(session: Session, name: str) -> Participant:
    registration = factories.make_registration(nik=NIK)
    found = participants.register(session, factories.make_user(session), registration)
    found.full_name = name
    return found


def _find(officer: FlaskClient, text: str) -> str:
    answer = officer.post(SEARCH, data={"q": text})
    assert answer.status_code == 200
    return answer.text


def _entries(session: Session, action: str) -> list[AuditEntry]:
    session.rollback()
    return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def test_a_person_is_found_by_each_number_and_by_parts_of_a_name(
    officer: FlaskClient, bought: Enrolment, session: Session
) -> None:
    buyer = bought.participant
    number = session.scalars(select(complaints.Complaint.number)).one()
    with transaction() as current:
        grant = current.get_one(Enrolment, bought.id).grant
        done = make_earning(current, factories.make_provider(current), grant=grant)
        certificate = certificates.list_all_own(current, done.enrolment.participant_id)[0].number
    said = (
        NIK,
        f"{NIK[:6]} {NIK[6:]}",
        buyer.user.contact,
        bought.receipt_number.lower(),
        number,
        certificate.lower(),
        "wulan dewi",
        "ma'rif",
    )
    for text in said:
        page = _find(officer, text)
        assert "Dewi Ma'rifah Wulandari" in words(page), text
        assert buyer.nik_masked in page and (NIK not in page)
    for text in (
        NIK[:15] + "9",
        "orang-lain@contoh.test",
        "BKL-2611-AAAAAA-00",
        "SRT-2611-AAAAAAAA-00",
        "po_12",
        "081",
        "siti & :*",
        "%%%",
    ):
        assert "Tidak ada yang cocok" in words(_find(officer, text)), text
    searched = _entries(session, "person.searched")
    assert len(searched) == len(said) + 8
    kept = " ".join(f"{each.subject} {each.details}" for each in searched)
    assert (
        str(buyer.id) in kept and NIK not in kept and buyer.user.contact not in kept and "wulan" not in kept
    )


def test_a_provider_is_found_by_name_staff_and_payout(officer: FlaskClient, session: Session) -> None:
    with transaction() as current:
        factories.fund_scheme(current)
        provider, _account = make_payee(current)
        provider.name = "Balai 100% Terampil"
        staff = factories.make_staff(current, provider)
        statements.state(current, provider.id, staff, "Adik saya kurator.")
        make_earning(current, provider)
        run = payouts.prepare(current, SCHEME, payouts.clock.today(current), make_finance(current))
        assert run is not None
        label = run.payouts[0].label
    for text in ("100% teramp", staff.contact, label):
        assert "Balai 100% Terampil" in words(_find(officer, text)), text
    page = officer.get(f"/kantor/lembaga/{provider.id}")
    assert staff.contact in page.text and "Rp900.000" in words(page.text)
    assert "Ada benturan" in words(page.text) and "Adik saya kurator." in words(page.text)
    assert not read(page.text).select('a[href^="/keuangan"]'), "the desk has no finance pages"
    assert [each.subject for each in _entries(session, "provider.read")] == [f"provider:{provider.id}"]
    place = f"/kantor/lembaga/{provider.id}/tempat"
    wrong = officer.post(place, data={"city": " ", "province_code": "99"})
    assert wrong.status_code == 400 and len(read(wrong.text).select(".govuk-error-summary li")) == 2
    moved = officer.post(place, data={"city": "Merauke", "province_code": "93"}, follow_redirects=True)
    assert "Merauke, Papua Selatan" in words(moved.text)
    [line] = _entries(session, "provider.located")
    assert line.details["before"] == {"city": "Sleman", "province_code": "34"}
    assert "Papua Selatan 1" in words(officer.get("/kursus").text)


def test_a_persons_page_shows_where_everything_stands_and_leaves_a_line(
    officer: FlaskClient, bought: Enrolment, session: Session
) -> None:
    enrolment_id, person = bought.id, bought.participant
    title, masked, subject = bought.run.course.title, person.nik_masked, f"participant:{person.id}"
    address = f"{SEARCH}/{person.id}"
    session.expunge_all()
    with counted() as few:
        page = officer.get(address)
    shown = words(page.text)
    for text in ("Rp2.750.000", "Bantuan berlaku", title, "Kelas atau pengajarnya"):
        assert text in shown, text
    assert NIK not in page.text and masked in page.text
    [line] = _entries(session, "participant.read")
    assert line.subject == subject
    with transaction() as current:
        grant = current.get_one(Enrolment, enrolment_id).grant
        for _ in range(3):
            buy(current, factories.make_run(current, starts_in=timedelta(days=9)), grant)
    session.expunge_all()
    with counted() as many:
        assert officer.get(address).status_code == 200
    assert len(few) == len(many)


def test_names_come_in_pages_by_a_form_and_nothing_is_in_the_address(
    officer: FlaskClient, session: Session
) -> None:
    with transaction() as current:
        for number in range(45):
            factories.make_participant(current).full_name = f"Siti Nomor{number:02d}"
    page = officer.post(SEARCH, data={"q": "siti"})
    seen: list[str] = []
    while True:
        seen += [link.get_text() for link in read(page.text).select('td a[href^="/kantor/orang/"]')]
        fields = hidden_fields(page.text)
        if "after" not in fields:
            break
        assert "?" not in page.request.full_path.rstrip("?")
        page = officer.post(SEARCH, data=fields)
    assert sorted(seen) == [f"Siti Nomor{number:02d}" for number in range(45)]
    assert officer.post(SEARCH, data={"q": "siti", "after": "x"}).status_code == 404


def test_too_little_is_asked_again_and_only_the_desk_and_finance_may_ask(
    officer: FlaskClient, session: Session, sign_in: SignIn
) -> None:
    for short in ("", "ab", "a\x00b"):
        answer = officer.post(SEARCH, data={"q": short})
        assert answer.status_code == 400 and read(answer.text).select('.govuk-error-summary a[href="#q"]')
    with transaction() as current:
        auditor, curator = (factories.make_user(current, role) for role in (Role.AUDITOR, Role.CURATOR))
    for user in (auditor, curator):
        assert sign_in(user).post(SEARCH, data={"q": "siti"}).status_code == 403
    assert _entries(session, "person.searched") == []

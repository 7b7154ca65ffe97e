"""The complaint desk over HTTP: whoever complains, the office, and back, with script off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.batches import queries as grants
from marketplace.db import transaction
from marketplace.enrolments.models import Earning, Enrolment
from marketplace.identity import audit
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User
from marketplace.notifications import queries as notifications
from marketplace.oversight import complaints, decisions, tasks
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.errors import ComplaintMoved
from marketplace.oversight.models import Complaint, ComplaintMessage
from marketplace.providers import service as providers
from marketplace.providers.models import StaffRole
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, attend, buy, make_short_run
from tests.marketplace.payouts.world import make_earning, make_payee
from tests.web.bad_input import ALERT, NASTY, encode
from tests.web.conftest import hidden_fields, read, words
from tests.web.provider.conftest import counted

QUEUE = "/kantor/pengaduan"
PRICE = Decimal(750_000)


@dataclass
class Desk:
    """A buyer of a class of tomorrow, an officer, two people of finance, and a browser for each."""

    app: Flask
    session: Session
    enrolment: Enrolment
    buyer: User
    officer: User
    finance: User

    def browser(self, user: User) -> FlaskClient:
        client = self.app.test_client()
        with transaction() as current:
            token = identity.start_session(current, current.get_one(User, user.id), "test")
        with client.session_transaction() as cookie:
            cookie["token"] = token
        return client

    @property
    def complaints(self) -> Sequence[Complaint]:
        self.session.rollback()
        return self.session.scalars(select(Complaint).order_by(Complaint.id)).all()

    @property
    def complaint(self) -> Complaint:
        [found] = self.complaints
        return found

    def texts(self) -> list[str]:
        self.session.rollback()
        return [
            each.body for each in self.session.scalars(select(ComplaintMessage).order_by(ComplaintMessage.id))
        ]

    def complain(self, body: str = "Ruangannya terkunci.") -> Complaint:
        address = f"/pengaduan/baru?pendaftaran={self.enrolment.id}"
        client = self.browser(self.buyer)
        fields = hidden_fields(client.get(address).text)
        data = fields | {"enrolment": str(self.enrolment.id), "category": "class", "body": body}
        assert client.post("/pengaduan/baru", data=data).status_code == 302
        return self.complaints[-1]

    def decide(self, user: User, verdict: str, body: str = "Sudah kami tanyakan.") -> TestResponse:
        client, address = self.browser(user), f"{QUEUE}/{self.complaint.id}"
        fields = hidden_fields(client.get(address).text)
        return client.post(address, data=fields | {"verdict": verdict, "body": body})

    def letters(self) -> list[str]:
        self.session.rollback()
        return [
            f"{each.subject} {each.body}" for each in notifications.list_for_user(self.session, self.buyer.id)
        ]


@pytest.fixture
def desk(app: Flask, session: Session) -> Desk:
    with transaction() as current:
        factories.fund_scheme(current)
        enrolment = buy(current, make_short_run(current, factories.make_course(current, price=PRICE)))
        officer = factories.make_user(current, Role.DESK, name="Hasan Basri")
        finance = factories.make_user(current, Role.FINANCE, name="Sari Wulandari")
        return Desk(app, session, enrolment, enrolment.participant.user, officer, finance)


def test_a_participant_complains_is_answered_insists_and_gets_the_money_back(desk: Desk) -> None:
    buyer = desk.browser(desk.buyer)
    page = buyer.get(f"/kursus-saya/{desk.enrolment.id}")
    link = read(page.text).select_one('a[href*="/pengaduan/baru"]')
    assert link is not None
    form = buyer.get(str(link["href"]))
    assert desk.enrolment.receipt_number in form.text
    made = desk.complain(f"Ruangannya terkunci. {ALERT}\n=1+1")
    thread = f"/pengaduan/{made.id}"
    shown = buyer.get(thread)
    assert ALERT not in shown.text and ALERT in words(shown.text)
    assert "Kantor program menjawab paling lambat" in words(shown.text)
    assert made.number in words(desk.browser(desk.officer).get(QUEUE).text)

    assert desk.decide(desk.officer, "answer").status_code == 302
    assert any("Jawaban atas pengaduan" in each and "Sudah kami tanyakan." in each for each in desk.letters())
    answered = buyer.get(thread)
    assert "sampai" in words(answered.text) and "Sudah kami tanyakan." in words(answered.text)
    insisted = buyer.post(
        f"{thread}/belum-selesai", data=hidden_fields(answered.text) | {"body": "Tetap terkunci."}
    )
    assert insisted.status_code == 302 and desk.complaint.state == "escalated"

    refused = desk.decide(desk.officer, "close")
    assert refused.status_code == 409 and "rekan Anda yang memutuskannya" in words(refused.text)
    assert desk.decide(desk.finance, "uphold", "Anda benar.").status_code == 302
    ended = desk.complaint
    assert (ended.state, ended.remedy) == ("upheld", "refund")
    enrolment = desk.session.get_one(Enrolment, desk.enrolment.id)
    assert enrolment.state == "cancelled_by_programme"
    grant = grants.get_grant(desk.session, enrolment.participant_id)
    assert grants.balance_of(desk.session, enrolment.participant_id) == grant.scheme.training_balance
    told = " ".join(desk.letters())
    assert "dikabulkan" in told and "Tidak ada kehadiran" not in told
    acts = {each.action: each.actor_id for each in audit.list_entries(desk.session, f"complaint:{ended.id}")}
    assert acts["complaint.answered"] == desk.officer.id and acts["complaint.upheld"] == desk.finance.id
    assert "Ajukan pengaduan baru" in words(buyer.get(thread).text)


def test_after_a_completion_upholding_holds_what_the_provider_would_be_paid(desk: Desk) -> None:
    with transaction() as current:
        provider, _account = make_payee(current)
        earning = make_earning(
            current, provider, grant=grants.get_grant(current, desk.enrolment.participant_id)
        )
        desk.enrolment = current.get_one(Enrolment, earning.enrolment_id)
    desk.complain()
    assert desk.decide(desk.officer, "escalate").status_code == 302
    assert desk.complaint.state == "escalated"
    assert desk.decide(desk.finance, "uphold").status_code == 302
    assert desk.complaint.remedy == "hold"
    held = desk.session.get_one(Earning, earning.id)
    assert (held.state, held.hold_code) == ("held", "complaint")


def test_money_moves_only_by_finance_and_only_where_there_is_some(desk: Desk) -> None:
    desk.complain()
    desk.decide(desk.finance, "answer")
    assert desk.decide(desk.officer, "uphold").status_code == 409
    assert desk.decide(desk.finance, "uphold").status_code == 409
    complaint_id = desk.complaint.id
    with transaction() as current:
        complaints.reply(current, complaint_id, current.get_one(User, desk.buyer.id), Words("Belum.", "d0"))
    assert desk.decide(desk.officer, "answer").status_code == 302
    assert desk.decide(desk.finance, "uphold").status_code == 409, "whoever answered at any time"
    with transaction() as current:
        other = factories.make_user(current, Role.FINANCE)
        attend(current, current.get_one(Enrolment, desk.enrolment.id), 3)
    assert desk.decide(other, "uphold").status_code == 302
    assert desk.session.get_one(Enrolment, desk.enrolment.id).state == "cancelled_by_programme"
    assert desk.decide(other, "uphold").status_code == 409
    desk.session.rollback()
    [again] = [each for each in desk.complaints if each.state == "upheld"]
    with transaction() as current, pytest.raises(decisions.NothingToRefund):
        complaint = complaints.open_for_participant(
            current,
            current.get_one(Enrolment, desk.enrolment.id).participant,
            complaints.Subject(complaints.Category.MONEY),
            Words("Umum.", "a1"),
        )
        complaints.answer(current, complaint.id, current.get_one(User, desk.officer.id), Words("Ya.", "a2"))
        decisions.uphold(current, complaint.id, current.get_one(User, desk.finance.id), Words("Ya.", "a3"))
    assert again.remedy == "refund"


def test_sending_a_form_twice_has_one_effect(desk: Desk) -> None:
    buyer = desk.browser(desk.buyer)
    fields = hidden_fields(buyer.get("/pengaduan/baru").text) | {"category": "other", "body": "Apa kabar?"}
    first, second = (buyer.post("/pengaduan/baru", data=fields) for _ in range(2))
    assert first.location == second.location
    thread = f"/pengaduan/{desk.complaint.id}"
    reply = hidden_fields(buyer.get(thread).text) | {"body": "Satu lagi."}
    for _ in range(2):
        assert buyer.post(f"{thread}/balas", data=reply).status_code == 302
    officer, address = desk.browser(desk.officer), f"{QUEUE}/{desk.complaint.id}"
    answer = hidden_fields(officer.get(address).text) | {"verdict": "answer", "body": "Baik."}
    for _ in range(2):
        assert officer.post(address, data=answer).status_code == 302
    assert desk.texts() == ["Apa kabar?", "Satu lagi.", "Baik."]
    assert sum("Baik." in each for each in desk.letters()) == 1


def test_of_two_officers_one_answers_and_the_other_is_told(desk: Desk) -> None:
    desk.complain()
    with transaction() as current:
        other = factories.make_user(current, Role.DESK)
    client, address = desk.browser(other), f"{QUEUE}/{desk.complaint.id}"
    stale = hidden_fields(client.get(address).text) | {"verdict": "answer", "body": "Jawaban kedua."}
    desk.decide(desk.officer, "answer")
    late = client.post(address, data=stale)
    assert late.status_code == 409 and "baru saja berubah" in words(late.text)
    assert "Jawaban kedua." not in desk.texts()

    reply = Words("Belum.", "b0")
    with transaction() as current:
        complaints.reply(current, desk.complaint.id, current.get_one(User, desk.buyer.id), reply)
    complaint_id = desk.complaint.id
    last = desk.session.scalars(
        select(ComplaintMessage.id).order_by(ComplaintMessage.id.desc()).limit(1)
    ).one()
    desk.session.rollback()

    def answering(user: User, key: str) -> Callable[[Session], Complaint]:
        user_id = user.id
        return lambda current: complaints.answer(
            current, complaint_id, current.get_one(User, user_id), Words(key, key, last)
        )

    outcome = at_once(desk.app, [answering(desk.officer, "c1"), answering(other, "c2")])
    assert [isinstance(each, ComplaintMoved) for each in outcome].count(True) == 1
    assert len(desk.texts()) == 4


def test_what_is_typed_stays_and_the_summary_says_what_is_missing(desk: Desk) -> None:
    buyer = desk.browser(desk.buyer)
    empty = buyer.post("/pengaduan/baru", data={"body": "Sudah saya tulis."})
    assert empty.status_code == 400 and "Sudah saya tulis." in empty.text
    assert read(empty.text).select('.govuk-error-summary a[href="#category"]')
    summary = read(buyer.post("/pengaduan/baru").text).select(".govuk-error-summary a")
    assert [each["href"] for each in summary] == ["#category", "#body"], "in the page's order"
    long = buyer.post("/pengaduan/baru", data={"body": "x" * 2001, "category": "other"})
    assert long.status_code == 400 and read(long.text).select('a[href="#body"]') and "x" * 2001 in long.text
    assert desk.complaints == []
    thread = f"/pengaduan/{desk.complain().id}"
    assert buyer.post(f"{thread}/balas", data={"body": "  "}).status_code == 400
    address = f"{QUEUE}/{desk.complaint.id}"
    unsaid = desk.browser(desk.officer).post(address, data={"body": "Tanpa pilihan.", "key": "", "seen": "x"})
    assert unsaid.status_code == 400 and "Tanpa pilihan." in unsaid.text
    kind = "application/x-www-form-urlencoded"
    for body in NASTY.values():
        sent = encode({"body": body, "key": body})
        assert buyer.post(f"{thread}/balas", data=sent, content_type=kind).status_code in (302, 400)
    for name in ("enrolment", "payout", "key", "category"):
        sent = encode({"body": b"x", "category": b"other"} | {name: NASTY["NUL"]})
        assert buyer.post("/pengaduan/baru", data=sent, content_type=kind).status_code in (302, 400, 404)


def test_a_provider_complains_about_what_is_its_own(desk: Desk) -> None:
    with transaction() as current:
        provider = desk.enrolment.run.course.provider
        owner = factories.make_staff(current, provider)
        teacher = factories.make_user(current, name="Guru")
        providers.add_staff(current, provider, teacher, StaffRole.TEACHING)
        foreign = buy(current, factories.make_run(current))
    client = desk.browser(owner)
    assert "Ajukan pengaduan" in client.get(f"/lembaga/pendaftaran/{desk.enrolment.id}").text
    address = f"/lembaga/pengaduan/baru?pendaftaran={desk.enrolment.id}"
    form = hidden_fields(client.get(address).text) | {"category": "payout", "body": "Belum kami terima."}
    assert client.post("/lembaga/pengaduan/baru", data=form).status_code == 302
    assert desk.complaint.provider_id == provider.id
    for name in ("enrolment", "payout"):
        stolen = {"category": "other", "body": "Punya orang.", name: str(foreign.id)}
        assert client.post("/lembaga/pengaduan/baru", data=stolen).status_code == 404
    assert desk.browser(desk.buyer).get(f"/pengaduan/{desk.complaint.id}").status_code == 404
    thread = f"/lembaga/pengaduan/{desk.complaint.id}"
    assert client.get(thread).status_code == 200
    assert desk.browser(teacher).get(thread).status_code == 404, "what is about money"
    asked = desk.browser(teacher).post("/lembaga/pengaduan/baru", data={"category": "payout", "body": "?"})
    assert asked.status_code == 403
    desk.decide(desk.finance, "answer")
    assert client.post(f"{thread}/selesai").status_code == 302 and desk.complaint.state == "closed"


def test_an_answer_that_nobody_takes_up_again_is_the_last_word(desk: Desk, owner_engine: Engine) -> None:
    desk.complain()
    desk.decide(desk.officer, "answer")
    tasks.close_complaints()
    assert desk.complaint.state == "answered"
    advance(desk.session, owner_engine, timedelta(days=12))
    buyer, thread = desk.browser(desk.buyer), f"/pengaduan/{desk.complaint.id}"
    late = buyer.post(f"{thread}/belum-selesai", data={"body": "Terlambat."})
    assert late.status_code == 409 and "sudah selesai" in words(late.text)
    tasks.close_complaints()
    assert desk.complaint.state == "closed"
    assert any("tidak menerima balasan" in each for each in desk.letters())


def test_the_queue_filters_and_turns_its_pages_with_a_fixed_number_of_queries(desk: Desk) -> None:
    officer = desk.browser(desk.officer)
    desk.complain()
    with counted() as few:
        officer.get(QUEUE)
    with transaction() as current:
        buyer = current.get_one(Enrolment, desk.enrolment.id).participant
        for number in range(60):
            said = complaints.Subject(complaints.Category.MONEY)
            complaints.open_for_participant(current, buyer, said, Words(f"Ke-{number}", f"{number:x}"))
    with counted() as many:
        page = officer.get(QUEUE)
    assert len(few) == len(many)
    seen: list[str] = []
    while True:
        seen += [each.number for each in desk.complaints if each.number in page.text]
        link = read(page.text).select_one('a[rel="next"]')
        if link is None:
            break
        page = officer.get(str(link["href"]))
    assert sorted(seen) == sorted(each.number for each in desk.complaints)
    mine = desk.browser(desk.buyer)
    page = mine.get("/pengaduan")
    assert page.text.count("ADU-") == 50
    rest = mine.get(str(read(page.text).find("a", string="Berikutnya")["href"]))
    assert rest.text.count("ADU-") == 11 and "Berikutnya" not in words(rest.text)
    assert mine.get("/pengaduan?cursor=x").status_code == 404
    first = next(each for each in desk.complaints if each.category == "class")
    narrowed = officer.get(f"{QUEUE}?category=class&who=participants")
    assert first.number in narrowed.text and narrowed.text.count("ADU-") == 1
    for empty in ("?age=overdue", "?who=providers", "?state=closed"):
        assert "ADU-" not in officer.get(QUEUE + empty).text
    for nonsense in ("?state=x&cursor=x", "?cursor=99999999999999999999.0", "?age=%00"):
        assert officer.get(QUEUE + nonsense).status_code == 200


def test_the_table_refuses_what_the_life_cycle_does_not_have(desk: Desk, app_engine: Engine) -> None:
    desk.complain()
    answered = "answered_by = opened_by"
    refused = {
        f"state = 'upheld', ended_at = now(), due_at = NULL, {answered}": "upheld",
        f"state = 'closed', {answered}": "ended",
        f"state = 'closed', ended_at = now(), {answered}": "due",
        f"state = 'paid', {answered}": "state",
        "state = 'answered'": "answered",
        "answered_by = opened_by, decided_by = opened_by": "two_people",
        "remedy = 'refund'": "upheld",
    }
    for change, rule in refused.items():
        with app_engine.begin() as connection, pytest.raises(IntegrityError, match=f"ck_complaint_{rule}"):
            connection.execute(text(f"UPDATE complaint SET {change}"))
    with app_engine.begin() as connection:  # the control: what it does have is let through
        connection.execute(text(f"UPDATE complaint SET state = 'answered', {answered}"))


def test_who_complained_and_what_was_written_is_not_edited(desk: Desk, app_engine: Engine) -> None:
    desk.complain()
    for change in (
        "complaint SET opened_by = opened_by",
        "complaint_message SET body = 'x'",
        "complaint_attachment SET name = 'x'",
    ):
        with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"UPDATE {change}"))
    with app_engine.begin() as connection:  # the control: where it stands may be written
        connection.execute(text("UPDATE complaint SET waiting_since = now()"))

"""What each part of a provider's staff may open, and where the provider is paid."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml.html import HtmlElement
from sqlalchemy import select, update

from marketplace import clock
from marketplace.db import transaction
from marketplace.enrolments.models import Earning, Enrolment
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User, UserSession
from marketplace.notifications import queries as notifications
from marketplace.notifications.models import Notification
from marketplace.providers import queries, service, staff
from marketplace.providers.models import BankAccount, ProviderStaff, StaffRole
from marketplace.web.staff_rights import may_open
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.web.conftest import hidden_fields, words
from tests.web.page_rules import crawl
from tests.web.provider.conftest import Stall
from tests.web.scene import Scene

Sit = Callable[[StaffRole], FlaskClient]


def sit_down(app: Flask, user: User) -> FlaskClient:
    with transaction() as current:
        token = identity.start_session(current, current.get_one(User, user.id), "test")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client


@pytest.fixture
def sit(app: Flask, stall: Stall) -> Sit:
    """The browser of somebody of the stall with this part."""

    def become(role: StaffRole) -> FlaskClient:
        with transaction() as current:
            user = factories.make_user(current, name=f"Staf {role}")
            service.add_staff(current, queries.get_provider(current, stall.provider.id), user, role)
        return sit_down(app, user)

    return become


def test_every_page_answers_by_ones_part(app: Flask, stall: Stall, sit: Sit) -> None:
    """Each address without an id, and each that changes something, for each part: open or 403."""
    parts = {role: sit(role) for role in StaffRole}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("provider.")]
    seen = set()
    for rule in rules:
        address = re.sub(r"<[^>]*>", "0192f000-0000-7000-8000-000000000000", rule.rule)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            for role, client in parts.items():
                if method == "POST" and role is StaffRole.OWNER:
                    continue
                refused = client.open(address, method=method).status_code == 403
                assert refused is not may_open(role, address, method), (role, method, address)
                seen.add((role, refused))
    assert seen >= {(StaffRole.TEACHING, True), (StaffRole.FINANCE, True), (StaffRole.FINANCE, False)}


def test_a_page_that_is_only_a_form_is_refused_with_it(app: Flask) -> None:
    by_method: dict[str, set[str]] = {"GET": set(), "POST": set()}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("provider."):
            for method in (rule.methods or set()) & by_method.keys():
                by_method[method].add(re.sub(r"<[^>]*>", "0192f000-0000-7000-8000-000000000000", rule.rule))
    both = by_method["GET"] & by_method["POST"]
    assert len(both) > 15
    for role in StaffRole:
        unlike = {each for each in both if may_open(role, each) is not may_open(role, each, "POST")}
        assert not unlike, (role, unlike)


@pytest.mark.parametrize("role", [StaffRole.TEACHING, StaffRole.FINANCE])
def test_a_part_is_offered_nothing_that_it_may_not_do(app: Flask, scene: Scene, role: StaffRole) -> None:
    """Every link of its pages opens, and every form would be taken."""
    with transaction() as current:
        colleague = current.get_one(ProviderStaff, scene.own["staff_id"])
        colleague.role, user = role, colleague.user
    offered: set[str] = set()

    def look(page: HtmlElement) -> None:
        offered.update(page.xpath("//form[@method='post']/@action"))

    opened, problems = crawl(sit_down(app, user), "/lembaga", 200, "/lembaga", look)
    assert not problems, "\n".join(problems)
    refused = {each for each in offered if not may_open(role, each.split("?")[0], "POST")}
    assert not refused
    assert len(opened) > 30 and offered


def test_parts_are_what_the_page_says() -> None:
    """The table itself, spelled out: what the test above takes for granted."""
    teaching, finance = StaffRole.TEACHING, StaffRole.FINANCE
    assert not may_open(teaching, "/lembaga/pembayaran") and may_open(finance, "/lembaga/pembayaran/1")
    assert not may_open(teaching, "/lembaga/rekening", "POST")
    assert may_open(finance, "/lembaga/rekening", "POST")
    assert may_open(teaching, "/lembaga/kursus/baru", "POST")
    assert not may_open(finance, "/lembaga/kursus/baru") and may_open(finance, "/lembaga/kursus")
    assert may_open(finance, "/lembaga/ulasan") and not may_open(finance, "/lembaga/ulasan/1")
    assert not may_open(finance, "/lembaga/staf") and not may_open(teaching, "/lembaga/staf", "POST")
    assert may_open(teaching, "/lembaga/staff-lounge") and may_open(finance, "/lembaga/pernyataan", "POST")


def test_an_owner_adds_and_removes_and_the_navigation_follows(
    app: Flask, desk: FlaskClient, stall: Stall
) -> None:
    new = {"name": "Sulastri", "contact": "sulastri@lembaga.test", "role": "teaching"}
    assert desk.post("/lembaga/staf", data=new | {"role": "boss"}).status_code == 400
    taken = desk.post("/lembaga/staf", data=new | {"contact": stall.staff.contact})
    assert "tidak bisa ditambahkan" in words(taken.text)
    turned = desk.post("/lembaga/staf", data=new | {"name": "Sul\u2067astri"})
    assert "Tulis namanya. Ada tanda pembalik arah tulisan" in words(turned.text)
    desk.post("/lembaga/staf", data=new | {"contact": "\u202asulastri@lembaga.test\u202c"})
    stall.session.rollback()
    [member] = [
        each for each in queries.list_staff(stall.session, stall.provider.id) if each.role == "teaching"
    ]
    colleague = sit_down(app, member.user)
    assert "/lembaga/pembayaran" not in colleague.get("/lembaga").text
    colleague.post("/lembaga/pernyataan", data={"has_conflict": "yes", "text": "Kakak saya peserta."})
    assert "Kakak saya peserta." in words(desk.get("/lembaga/staf").text)
    assert colleague.post("/lembaga/pernyataan", data={"has_conflict": "yes"}).status_code == 400
    desk.post(f"/lembaga/staf/{member.user_id}/tugas", data={"role": "finance"})
    assert colleague.get("/lembaga/pembayaran").status_code == 200
    desk.post(f"/lembaga/staf/{member.user_id}/keluarkan")
    assert colleague.get("/lembaga").status_code == 302
    alone = desk.post(f"/lembaga/staf/{stall.staff.id}/keluarkan", follow_redirects=True)
    assert "Harus selalu ada satu pemilik." in words(alone.text)


def test_a_new_account_is_approved_by_a_second_person(app: Flask, desk: FlaskClient, stall: Stall) -> None:
    typed = {"bank_code": "BMRIIDJA", "holder_name": "Karya Mandiri", "number": "1370 0123-4567"}
    for name, bad in (("bank_code", "XXXXIDJA"), ("holder_name", "Ĥ"), ("number", "12")):
        assert desk.post("/lembaga/rekening", data=typed | {name: bad}).status_code == 400
    for _click in range(2):
        answer = desk.post("/lembaga/rekening", data=typed, follow_redirects=True)
        assert "Diajukan. Orang lain" in words(answer.text)
    assert "Menunggu orang kedua" in words(desk.get("/lembaga/rekening").text)
    told = notifications.list_for_user(stall.session, stall.staff.id)
    assert sum("berakhiran 4567 diajukan Bayu Pratama" in each.body for each in told) == 1
    with transaction() as current:
        finance = factories.make_user(current, Role.FINANCE)
    office = sit_down(app, finance)
    page = office.get("/keuangan/rekening-lembaga").text
    assert "Mandiri ••••4567" in words(page) and "137001234567" not in page
    account = stall.session.scalars(select(BankAccount).where(BankAccount.state == "proposed")).one()
    office.post(f"/keuangan/rekening-lembaga/{account.id}/setujui")
    assert "Dipakai mulai" in words(desk.get("/lembaga/rekening").text)
    desk.post("/lembaga/rekening", data=typed | {"number": "9990001"})
    stall.session.rollback()
    account = stall.session.scalars(select(BankAccount).where(BankAccount.state == "proposed")).one()
    assert (
        office.post(f"/keuangan/rekening-lembaga/{account.id}/tolak", data={"reason": ""}).status_code == 400
    )
    office.post(f"/keuangan/rekening-lembaga/{account.id}/tolak", data={"reason": "Bukan atas nama lembaga."})
    assert "Menunggu orang kedua" not in words(desk.get("/lembaga/rekening").text)


def test_an_account_is_named_only_with_a_fresh_code(desk: FlaskClient, stall: Stall) -> None:
    typed = {"bank_code": "BMRIIDJA", "holder_name": "Karya Mandiri", "number": "1370 0123-4567"}
    with transaction() as current:
        current.execute(update(UserSession).values(proved_at=clock.wall_now() - timedelta(hours=1)))
    asked = desk.post("/lembaga/rekening", data=typed)
    assert hidden_fields(asked.text) == typed
    letter = stall.session.scalars(select(Notification).where(Notification.secret)).one()
    assert "mengajukan rekening berakhiran 4567" in letter.body
    code = re.search(r"\b[0-9]{6}\b", letter.body)
    assert code is not None
    wrong = desk.post("/lembaga/rekening", data=typed | {"code": f"{(int(code[0]) + 1) % 10**6:06d}"})
    empty = desk.post("/lembaga/rekening", data=typed | {"code": ""})
    assert (wrong.status_code, empty.status_code) == (409, 409)
    proposed = select(BankAccount).where(BankAccount.state == "proposed")
    assert stall.session.scalars(proposed).all() == []
    assert desk.post("/lembaga/rekening", data=typed | {"code": code[0]}).status_code == 302
    assert stall.session.scalars(proposed).one().number_ending == "4567"


def test_what_staff_bought_of_their_own_is_held(app: Flask, desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    own, other = stall.sell(run, "Bayu Pratama", "Ratna Lestari")
    with transaction() as current:
        buyer = current.get_one(User, own.participant.user_id)
        service.add_staff(current, queries.get_provider(current, stall.provider.id), buyer)
    for enrolment in (own, other):
        stall.attend(enrolment, 4)
    stall.pass_until_over(run)
    desk.post(f"/lembaga/jadwal/{run.id}/selesai")
    stall.session.rollback()
    states = dict(stall.session.execute(select(Earning.enrolment_id, Earning.hold_code)).all())
    assert states == {own.id: "staff_bought", other.id: None}
    assert "pembelinya staf lembaga sendiri" in words(desk.get("/lembaga").text)
    assert "tercatat sebagai staf lembaga ini" in words(sit_down(app, buyer).get(_mine(own)).text)


def test_what_is_declared_is_held_too_whether_earned_before_or_after(
    app: Flask, desk: FlaskClient, stall: Stall
) -> None:
    """The provider names purchases, and whoever decides about its courses and money reads why."""
    assert "Anda belum membuat pernyataan benturan kepentingan" in words(desk.get("/lembaga").text)
    first, second = stall.make_run(), stall.make_run(starts_in=timedelta(days=12))
    [earned], [later, other] = stall.sell(first, "Ratna"), stall.sell(second, "Sulastri", "Yohanes Tukan")
    for enrolment in (earned, later, other):
        stall.attend(enrolment, 4)
    stall.pass_until_over(first)
    desk.post(f"/lembaga/jadwal/{first.id}/selesai")
    said = {"has_conflict": "yes", "text": "Adik dan sepupu saya."}
    foreign = desk.post("/lembaga/pernyataan", data=said | {"receipts": "BKL-0000-000000-00"})
    assert foreign.status_code == 400 and "Tidak ada pendaftaran bernomor BKL" in words(foreign.text)
    receipts = f"{earned.receipt_number.lower()}\n{later.receipt_number}"
    mine = desk.post("/lembaga/pernyataan", data=said | {"receipts": receipts}, follow_redirects=True)
    assert "Ditahan untuk diperiksa: BKL-" in words(mine.text)
    desk.post("/lembaga/pernyataan", data={"has_conflict": "no"})  # what was declared stays declared
    stall.pass_until_over(second)
    desk.post(f"/lembaga/jadwal/{second.id}/selesai")
    stall.session.rollback()
    states = dict(stall.session.execute(select(Earning.enrolment_id, Earning.hold_code)).all())
    assert states == {earned.id: "conflict_declared", later.id: "conflict_declared", other.id: None}
    page = words(desk.get("/lembaga").text)
    assert "staf lembaga menyatakan ada benturan kepentingan" in page and "Anda belum" not in page
    with transaction() as current:
        finance = factories.make_user(current, Role.FINANCE)
        held = current.scalars(select(Earning.id).where(Earning.enrolment_id == later.id)).one()
        buyer = current.get_one(User, later.participant.user_id)
    page = words(sit_down(app, finance).get(f"/keuangan/ditahan/{held}").text)
    assert "Adik dan sepupu saya." in page
    waits = words(sit_down(app, buyer).get(_mine(later)).text)
    assert "menyatakan ada benturan kepentingan" in waits and "daftar hadir dari lembaga" not in waits


def _mine(enrolment: Enrolment) -> str:
    """Its buyer's page."""
    return f"/kursus-saya/{enrolment.id}"


def test_who_was_staff_when_they_bought_stays_so(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    with transaction() as current:
        grant = factories.make_grant(current)
        buyer = grant.participant.user
        service.add_staff(current, queries.get_provider(current, stall.provider.id), buyer)
        own = buy(current, run, grant)
    [other] = stall.sell(run, "Ratna Lestari")
    assert "Pembelinya staf lembaga ini." in words(desk.get(f"/lembaga/pendaftaran/{own.id}").text)
    assert "Pembelinya staf" not in words(desk.get(f"/lembaga/pendaftaran/{other.id}").text)
    with transaction() as current:
        staff.remove_member(current, stall.provider.id, buyer.id, current.get_one(User, stall.staff.id))
    stall.attend(own, 4)
    stall.pass_until_over(run)
    desk.post(f"/lembaga/jadwal/{run.id}/selesai")
    stall.session.rollback()
    held = stall.session.scalars(select(Earning).where(Earning.hold_code == "staff_bought")).one()
    assert held.enrolment_id == own.id

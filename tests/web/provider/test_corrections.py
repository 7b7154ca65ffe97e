"""Correcting a declared result: what the review says is what happens, once, and only before it is final."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from ledger import find_transactions
from marketplace import clock
from marketplace.batches import queries as grants
from marketplace.catalogue.models import Run, RunSession
from marketplace.db import transaction
from marketplace.enrolments import correction, earnings
from marketplace.enrolments.completion import complete_run
from marketplace.enrolments.correction import Wish
from marketplace.enrolments.correction_models import ResultCorrection
from marketplace.enrolments.errors import CorrectionOutdated, ResultFinal
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import AttendanceMethod, Earning, Enrolment
from marketplace.identity.models import AuditEntry, Role, User
from marketplace.notifications.models import Notification
from marketplace.payouts import service as payouts
from marketplace.payouts.models import PayoutLine
from marketplace.providers import service as providers
from marketplace.providers.models import Provider, StaffRole
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, buy
from tests.marketplace.payouts import world
from tests.web.conftest import SignIn, hidden_fields, read, words
from tests.web.provider.conftest import Stall

SAID = {"reason": "Salah baca daftar", "evidence": "Daftar bertanda tangan, halaman 2"}


def declare(
    stall: Stall, *attended: int, method: AttendanceMethod = AttendanceMethod.CODE
) -> list[Enrolment]:
    """Somebody for each number of sessions attended of four, their results declared."""
    run = stall.make_run()
    sold = stall.sell(run, *(f"Orang {number}" for number, _ in enumerate(attended)))
    for enrolment, sessions in zip(sold, attended, strict=True):
        stall.attend(enrolment, sessions, method)
    stall.pass_until_over(run)
    with transaction() as current:
        complete_run(current, run.id, None)
    return sold


def address(enrolment: Enrolment) -> str:
    return f"/lembaga/pendaftaran/{enrolment.id}/koreksi"


def buy_one(stall: Stall, run: Run) -> Enrolment:
    return stall.sell(run, "Siapa Saja")[0]


def form_of(stall: Stall, enrolment: Enrolment, present: int, sequence: int = 1) -> dict[str, Any]:
    """Only the first so many sessions were attended."""
    stall.session.rollback()
    meetings = (
        select(RunSession.id).where(RunSession.run_id == enrolment.run_id).order_by(RunSession.sequence)
    )
    ids = [str(each) for each in stall.session.scalars(meetings).all()[:present]]
    return {**SAID, "sequence": str(sequence), "present": ids}


def correct(desk: FlaskClient, stall: Stall, enrolment: Enrolment, present: int, sequence: int = 1) -> str:
    """Send the form and follow; what the page then says."""
    form = form_of(stall, enrolment, present, sequence)
    return words(desk.post(address(enrolment), data=form, follow_redirects=True).text)


def standing(stall: Stall, enrolment: Enrolment) -> tuple[int, int, str] | None:
    """Gross, net and state of the earning that stands."""
    stall.session.rollback()
    found = stall.session.get_one(Enrolment, enrolment.id).earning
    return (int(found.gross), int(found.net), found.state) if found else None


def balance(stall: Stall, enrolment: Enrolment) -> int:
    stall.session.rollback()
    return int(grants.balance_of(stall.session, enrolment.participant_id))


def test_what_the_review_says_is_what_the_correction_does(desk: FlaskClient, stall: Stall) -> None:
    [enrolment, _] = declare(stall, 4, 1)
    assert (standing(stall, enrolment), balance(stall, enrolment)) == (
        (750_000, 675_000, "accrued"),
        2_750_000,
    )
    assert address(enrolment) in desk.get(f"/lembaga/pendaftaran/{enrolment.id}").text
    run = words(desk.get(f"/lembaga/jadwal/{enrolment.run_id}").text)
    assert "Hasil yang keliru bisa dikoreksi dari halaman pesertanya sampai" in run
    page = desk.get(address(enrolment))
    assert len(read(page.text).select("input[name=present][checked]")) == 4
    form = form_of(stall, enrolment, 2)
    answer = desk.post(f"{address(enrolment)}/tinjau", data=form)
    said = words(answer.text)
    assert "Hadir 4/4 (100%) 2/4 (50%) Bagian yang dibayar 100% 50% Hak lembaga Rp675.000 Rp337.500" in said
    assert "Dicoret: Pertemuan 3, Pertemuan 4." in said and "Rp375.000 lagi kembali ke peserta." in said
    assert "Sertifikatnya dicabut: kehadirannya di bawah 80%." in said
    assert standing(stall, enrolment) == (750_000, 675_000, "accrued")
    kept = hidden_fields(answer.text)
    again = {**kept, "present": [str(each["value"]) for each in read(answer.text).select("[name=present]")]}
    assert again == form
    for _time in range(2):
        said = words(desk.post(address(enrolment), data=again, follow_redirects=True).text)
        assert "Hasil dikoreksi. Peserta diberi tahu" in said
    assert (
        "Dikoreksi dari 100% menjadi 50% Salah baca daftar Bukti: Daftar bertanda tangan, halaman 2" in said
    )
    assert (standing(stall, enrolment), balance(stall, enrolment)) == (
        (375_000, 337_500, "accrued"),
        3_125_000,
    )
    assert len(stall.session.scalars(select(ResultCorrection)).all()) == 1
    [certificate] = stall.session.scalars(select(Certificate))
    assert certificate.revoked_code == "corrected"
    told = stall.session.scalars(select(Notification).order_by(Notification.id)).all()
    [letter] = [each for each in told if each.subject == "Hasil dikoreksi: Dasar Akuntansi"]
    assert "dari 100% menjadi 50%" in letter.body and "Rp375.000 kembali ke saldo" in letter.body
    [line] = stall.session.scalars(select(AuditEntry).where(AuditEntry.action == "enrolment.correct"))
    assert (line.actor_id, line.details["old_percent"], line.details["percent"]) == (stall.staff.id, 100, 50)
    world.assert_books_are_sound(stall.session)


def test_results_go_up_and_down_again_and_the_books_hold(desk: FlaskClient, stall: Stall) -> None:
    [enrolment, _] = declare(stall, 2, 4)
    assert (standing(stall, enrolment), balance(stall, enrolment)) == (
        (375_000, 337_500, "accrued"),
        3_125_000,
    )
    stands = [(1, 187_500), (4, 750_000), (0, 187_500), (3, 562_500), (2, 375_000)]
    for sequence, (present, gross) in enumerate(stands, 1):
        said = correct(desk, stall, enrolment, present, sequence)
        assert "Hasil dikoreksi." in said, said
        held = "accrued" if present < 3 and sequence == 1 else "held"
        assert standing(stall, enrolment) == (gross, gross * 9 // 10, held)
        assert balance(stall, enrolment) == 3_500_000 - gross
        assert stall.session.get_one(Enrolment, enrolment.id).state == ("completed" if present else "no_show")
        world.assert_books_are_sound(stall.session)


def test_what_the_participant_has_spent_is_not_taken_back(desk: FlaskClient, stall: Stall) -> None:
    [enrolment, _] = declare(stall, 2, 4)
    with transaction() as current:
        dear = factories.make_course(current, price=Decimal(3_000_000))
        owner = current.get_one(Enrolment, enrolment.id)
        buy(current, factories.make_run(current, dear), owner.grant)
    assert balance(stall, enrolment) == 125_000
    for page in (f"{address(enrolment)}/tinjau", address(enrolment)):
        answer = desk.post(page, data=form_of(stall, enrolment, 4), follow_redirects=True)
        assert "Sisa yang kembali ke peserta sudah dipakai" in words(answer.text)
    assert (standing(stall, enrolment), balance(stall, enrolment)) == ((375_000, 337_500, "accrued"), 125_000)
    assert "Hasil dikoreksi." in correct(desk, stall, enrolment, 1)  # the other way needs nothing of it
    assert balance(stall, enrolment) == 312_500
    world.assert_books_are_sound(stall.session)


def test_a_matured_result_is_final_and_a_correction_counts_anew(desk: FlaskClient, stall: Stall) -> None:
    [enrolment, _] = declare(stall, 4, 4)
    first = stall.session.get_one(Enrolment, enrolment.id).earning
    assert first is not None
    until = first.matures_at
    stall.session.rollback()
    advance(stall.session, stall.owner, until - clock.now(stall.session) - timedelta(minutes=5))
    assert "Hasil dikoreksi." in correct(desk, stall, enrolment, 3)
    stall.session.rollback()
    second = stall.session.get_one(Enrolment, enrolment.id).earning
    assert second is not None and second.matures_at - until > timedelta(days=4)
    advance(stall.session, stall.owner, timedelta(minutes=10))
    assert "Hasil dikoreksi." in correct(desk, stall, enrolment, 2, 2)
    advance(stall.session, stall.owner, timedelta(days=12))
    for answer in (
        desk.get(address(enrolment)),
        desk.post(address(enrolment), data=form_of(stall, enrolment, 4, 3)),
    ):
        assert answer.location == f"/lembaga/pendaftaran/{enrolment.id}"
    assert "sudah tetap" in words(desk.get(f"/lembaga/pendaftaran/{enrolment.id}").text)
    assert address(enrolment) not in desk.get(f"/lembaga/pendaftaran/{enrolment.id}").text
    assert standing(stall, enrolment) == (375_000, 337_500, "accrued")


def test_nobody_elses_result_is_corrected(stall: Stall, sign_in: SignIn) -> None:
    [enrolment, other] = declare(stall, 4, 4)
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
        money = factories.make_user(current)
        own = current.get_one(Provider, stall.provider.id)
        providers.add_staff(current, own, money, StaffRole.FINANCE)
        elsewhere = factories.make_run(current, stall.course)
    forms = [form_of(stall, enrolment, 1), form_of(stall, buy_one(stall, elsewhere), 1)]
    forms.append({**forms[0], "present": ["x"]})
    browser = sign_in(stall.staff)
    for page in (address(enrolment), f"{address(enrolment)}/tinjau"):
        assert [browser.post(page, data=form).status_code for form in forms[1:]] == [404, 404]
    early = buy_one(stall, elsewhere)  # has no result yet
    assert (
        browser.get(address(early)).status_code
        == browser.post(address(early), data=forms[0]).status_code
        == 302
    )
    assert sign_in(money).post(address(enrolment), data=forms[0]).status_code == 403
    browser = sign_in(stranger)
    assert browser.get(address(enrolment)).status_code == 404
    for page in (address(enrolment), f"{address(enrolment)}/tinjau"):
        assert browser.post(page, data=forms[0]).status_code == 404
    assert standing(stall, enrolment) == standing(stall, other) == (750_000, 675_000, "accrued")


def test_what_is_wrong_with_a_correction_is_said_beside_it(desk: FlaskClient, stall: Stall) -> None:
    [enrolment, _] = declare(stall, 2, 4)
    page = f"{address(enrolment)}/tinjau"
    answer = desk.post(page, data={**form_of(stall, enrolment, 4), "reason": " ", "evidence": "x" * 301})
    said = words(answer.text)
    assert answer.status_code == 400 and "Tulis alasan yang dibaca peserta." in said
    assert "Tulis paling banyak 300 huruf." in said
    assert len(read(answer.text).select("input[name=present][checked]")) == 4
    answer = desk.post(page, data=form_of(stall, enrolment, 2))
    assert (answer.status_code, "persennya tetap sama" in words(answer.text)) == (409, True)
    assert "Hasil dikoreksi." in correct(desk, stall, enrolment, 3)
    assert "sudah dikoreksi sejak halaman ini dibuka" in correct(desk, stall, enrolment, 1)
    assert desk.post(page, data={**SAID, "sequence": "1", "x": "y"}).status_code == 400


def test_who_proves_the_run_for_others_is_struck_only_when_somebody_else_does(
    desk: FlaskClient, stall: Stall
) -> None:
    [first, second, absent] = declare(stall, 4, 3, 0)
    assert standing(stall, absent) == (187_500, 168_750, "accrued")
    assert "Hasil dikoreksi." in correct(desk, stall, first, 0)
    assert standing(stall, first) == (187_500, 168_750, "accrued")  # the second proves it for both
    refused = desk.post(f"{address(second)}/tinjau", data=form_of(stall, second, 0))
    assert refused.status_code == 409
    for said in (words(refused.text), correct(desk, stall, second, 0)):
        assert "satu-satunya bukti bahwa kelas ini berlangsung bagi 2 peserta lain" in said
    assert standing(stall, second) == (562_500, 506_250, "accrued")
    stall.session.rollback()
    rested = stall.session.get_one(Enrolment, absent.id).earning
    assert rested is not None
    with pytest.raises(IntegrityError, match="rests on this attendance"), stall.owner.begin() as connection:
        struck = (
            "INSERT INTO attendance_strike SELECT :row, max(id::text)::uuid, false FROM result_correction"
        )
        connection.execute(text(struck), {"row": rested.evidence_id})
    world.assert_books_are_sound(stall.session)


def test_what_a_payout_holds_is_not_corrected(
    app: Flask, stall: Stall, app_engine: Engine, sign_in: SignIn
) -> None:
    """Whoever comes second, by the clock or by the locks, finds it taken; the database keeps it by itself."""
    [enrolment, _] = declare(stall, 4, 4)
    stall.session.rollback()
    wish = Wish(1, frozenset(map(uuid.UUID, form_of(stall, enrolment, 2)["present"])), "Salah", "Daftar")
    wanted, staff = enrolment.id, stall.staff.id
    advance(stall.session, stall.owner, timedelta(days=12))

    def late(current: Session) -> object:
        return correction.correct(current, wanted, wish, current.get_one(User, staff))

    def pay(current: Session) -> object:
        return payouts.prepare(current, "2023", clock.today(current))

    answers = at_once(app, [late, pay, late])
    assert [type(each) for each in answers if isinstance(each, Exception)] == [ResultFinal] * 2
    stall.session.rollback()
    [held, _] = stall.session.scalars(select(PayoutLine.earning_id)).all()
    with transaction() as current:
        of = current.get_one(Earning, held).enrolment
        earnings.hold(current, held, "asked", factories.make_user(current, Role.FINANCE))
        forms = form_of(stall, of, 2)
    assert "sudah tetap" in words(
        sign_in(stall.staff).post(address(of), data=forms, follow_redirects=True).text
    )
    change = text("UPDATE earning SET state = 'corrected', hold_code = NULL WHERE id = :id")
    with pytest.raises(IntegrityError, match="paid, being paid"), app_engine.begin() as connection:
        connection.execute(change, {"id": held})
    with stall.owner.begin() as connection:
        connection.execute(text("UPDATE payout_line SET released_at = now()"))
    with app_engine.begin() as connection:  # control: once no payout holds it, it is
        connection.execute(change, {"id": held})
    for forbidden in ("UPDATE result_correction SET reason = 'x'", "DELETE FROM attendance_strike"):
        with pytest.raises(ProgrammingError, match="denied"), app_engine.begin() as connection:
            connection.execute(text(forbidden))


def test_two_colleagues_at_once_correct_once(app: Flask, stall: Stall) -> None:
    [enrolment, _] = declare(stall, 4, 4)
    forms = [form_of(stall, enrolment, present)["present"] for present in (1, 2, 2)]
    wanted, staff = enrolment.id, stall.staff.id
    stall.session.rollback()

    def by(present: list[str]) -> Callable[[Session], object]:
        wish = Wish(1, frozenset(map(uuid.UUID, present)), "Salah", "Daftar")
        return lambda current: correction.correct(current, wanted, wish, current.get_one(User, staff)).id

    answers = at_once(app, [by(each) for each in forms])
    written = {each for each in answers if not isinstance(each, Exception)}
    assert len(written) == 1 and all(isinstance(each, uuid.UUID | CorrectionOutdated) for each in answers), (
        answers
    )
    world.assert_books_are_sound(stall.session)


def test_every_page_tells_the_same_of_a_correction(stall: Stall, sign_in: SignIn) -> None:
    [enrolment, _] = declare(stall, 4, 4)
    desk = sign_in(stall.staff)
    correct(desk, stall, enrolment, 2)
    correct(desk, stall, enrolment, 3, 2)
    month = f"{clock.today(stall.session):%Y-%m}"
    report = words(desk.get(f"/lembaga/laporan/{month}").text)
    assert "Hak baru Rp1.181.250" in report
    assert "Ditarik untuk dikoreksi: Dasar Akuntansi" in report and "Koreksi hasil: Dasar Akuntansi" in report
    assert desk.get(f"/lembaga/laporan/{month}.pdf").status_code == 200
    listed = words(desk.get("/lembaga/pendaftaran").text)
    assert "3/4" in listed and "Rp506.250" in listed
    run = f"/lembaga/jadwal/{enrolment.run_id}"
    assert "3/4 75%" in words(desk.get(f"{run}/kehadiran").text)
    stall.session.rollback()
    owner = stall.session.get_one(Enrolment, enrolment.id).participant.user
    home = sign_in(owner)
    said = words(home.get("/beranda").text)
    assert "Hasil dikoreksi menjadi 50%. Rp375.000 lagi kembali ke saldo." in said
    assert "Hasil dikoreksi menjadi 75%. Rp187.500 menjadi bagian lembaga." in said
    said = words(home.get(f"/kursus-saya/{enrolment.id}").text)
    assert (
        "mengoreksi kehadiran Anda dari 50% menjadi 75%." in said and "Alasannya: Salah baca daftar" in said
    )
    assert "Hasil dikoreksi: Rp750.000 dihitung ulang" in words(home.get(f"/bukti/{enrolment.id}").text)
    with transaction() as current:
        office = factories.make_user(current, Role.FINANCE)
    books = sign_in(office)
    trail = find_transactions(stall.session, reference=f"enrolment:{enrolment.id}")
    pages = [words(books.get(f"/keuangan/buku-besar/txn_{each.id.hex}").text) for each in trail]
    assert [each.kind for each in trail[2:]] == ["reversal", "correction"] * 2
    assert "hadir 100% sesi Dasar Akuntansi" in pages[1]
    assert "Koreksi: Rp750.000 ditarik" in pages[2] and "bukan 100%: Salah baca daftar." in pages[3]
    assert "Koreksi menjadi 75%" in pages[5]

"""A run's pages: the preview is what happens, and nothing happens before its time."""

import uuid
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace import clock
from marketplace.batches import queries as grants
from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments.cancellation import cancel_run
from marketplace.enrolments.models import AttendanceMethod, Earning, Enrolment
from marketplace.identity.models import User
from marketplace.providers.models import Provider
from marketplace.providers.service import add_staff
from marketplace.web.provider import runs
from tests import factories
from tests.marketplace.enrolments.scenes import advance
from tests.web.conftest import SignIn, read, words
from tests.web.page_rules import crawl
from tests.web.provider.conftest import Stall, counted


def test_completion_is_offered_only_after_the_end(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    address = f"/lembaga/jadwal/{run.id}"
    assert f"{address}/selesai" not in desk.get(address).text
    assert desk.get(f"{address}/selesai").location == address
    answer = desk.post(f"{address}/selesai", follow_redirects=True)
    assert "Kelas belum selesai." in words(answer.text)
    stall.pass_until_over(run)
    assert f"{address}/selesai" in desk.get(address).text


def test_the_preview_is_what_the_declaration_then_pays(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    sold = stall.sell(run, "Ratna Lestari", "Yohanes Tukan", "Sulastri")
    for enrolment, attended in zip(sold, (4, 2, 0), strict=True):
        stall.attend(enrolment, attended)
    stall.pass_until_over(run)
    page = words(desk.get(f"/lembaga/jadwal/{run.id}/selesai").text)
    # 100, 50 and 25 percent of Rp750.000, less ten percent
    assert "4/4 (100%) dibayar 100% Rp750.000 Rp750.000 −Rp75.000 Rp675.000" in page
    assert "2/4 (50%) dibayar 50% Rp750.000 Rp375.000 −Rp37.500 Rp337.500" in page
    assert "0/4 (0%) dibayar 25% Rp750.000 Rp187.500 −Rp18.750 Rp168.750" in page
    assert "Nyatakan selesai, Rp1.181.250 menjadi hak lembaga" in page
    answer = desk.post(f"/lembaga/jadwal/{run.id}/selesai", follow_redirects=True)
    assert "Penyelesaian dinyatakan." in words(answer.text)
    stall.session.rollback()
    earned = stall.session.scalars(select(Earning.net).order_by(Earning.net)).all()
    assert [int(net) for net in earned] == [168_750, 337_500, 675_000]
    declared = stall.session.get_one(Enrolment, sold[0].id)
    assert declared.declared_by == stall.staff.id


def test_asking_changes_nothing(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    desk.get(f"/lembaga/jadwal/{run.id}/selesai")
    stall.session.rollback()
    assert stall.session.get_one(Enrolment, enrolment.id).state == "purchased"


def test_every_reason_that_would_hold_an_earning_is_told_before(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    own, declared, other = stall.sell(run, "Bayu Pratama", "Ratna Lestari", "Yohanes Tukan")
    stall.attend(own, 4)
    stall.attend(declared, 4)
    with transaction() as current:
        buyer = current.get_one(User, own.participant.user_id)
        add_staff(current, current.get_one(Provider, stall.provider.id), buyer)
    said = {"has_conflict": "yes", "text": "Adik saya.", "receipts": declared.receipt_number}
    desk.post("/lembaga/pernyataan", data=said)
    stall.pass_until_over(run)
    address = f"/lembaga/jadwal/{run.id}/selesai"
    page = words(desk.get(address).text)
    assert "Pembelinya staf lembaga sendiri. Bayu Pratama: Rp675.000. Siapkan bukti" in page
    assert "menyatakan ada benturan kepentingan. Ratna Lestari: Rp675.000. Kantor program membaca" in page
    assert "dicatat dari daftar" not in page and page.count("ditahan dulu, kembali") == 2
    stall.attend(other, 4, AttendanceMethod.UPLOAD)
    page = words(desk.get(address).text)
    listed = "bukan dengan kode. Bayu Pratama, Ratna Lestari, Yohanes Tukan: Rp2.025.000. Simpan daftar hadir"
    assert all(each in page for each in (listed, "Bayu Pratama: Rp675.000", "Ratna Lestari: Rp675.000"))
    desk.post(address)
    stall.session.rollback()
    states = set(stall.session.scalars(select(Earning.state)))
    assert states == {"held"}, "as it was told"


def test_a_run_that_nothing_holds_is_not_told_to_be_held(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    stall.attend(enrolment, 4)
    stall.pass_until_over(run)
    assert "ditahan" not in words(desk.get(f"/lembaga/jadwal/{run.id}/selesai").text)


def test_a_run_without_any_attendance_pays_nobody_and_says_so(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    page = words(desk.get(f"/lembaga/jadwal/{run.id}/selesai").text)
    assert "Tidak ada presensi yang tercatat." in page
    assert "Kembali ke peserta Rp750.000" in page


def test_what_comes_back_after_the_last_day_is_said_to_go_to_the_state(
    desk: FlaskClient, stall: Stall, sign_in: SignIn
) -> None:
    runs = [stall.make_run(), stall.make_run()]
    half, never = (stall.sell(run, "Ratna Lestari")[0] for run in runs)
    stall.attend(half, 2)
    stall.pass_until_over(runs[1])
    assert "Kembali ke peserta Rp375.000" in words(desk.get(f"/lembaga/jadwal/{runs[0].id}/selesai").text)
    stall.session.rollback()
    last = stall.session.get_one(Enrolment, half.id).grant.spend_by
    advance(stall.session, stall.owner, last - clock.now(stall.session) + timedelta(minutes=1))
    asked = [words(desk.get(f"/lembaga/jadwal/{run.id}/selesai").text) for run in runs]
    assert "Kembali ke dana program Rp375.000" in asked[0] and "ke peserta" not in "".join(asked)
    assert "Semua uang akan kembali. Unggah dulu" in asked[1]
    for run in runs:
        desk.post(f"/lembaga/jadwal/{run.id}/selesai")
    place = f"/lembaga/pendaftaran/{half.id}"
    said = words(desk.get(place).text)
    assert "Kembali ke dana program Rp375.000" in said and "Kembali ke peserta" not in said
    present = [each.id for each in stall.session.get_one(Run, runs[0].id).sessions]
    form = {"present": present, "sequence": "1", "reason": "Salah baca", "evidence": "Daftar"}
    said = words(desk.post(f"{place}/koreksi/tinjau", data=form).text)
    assert "Kembali ke dana program Rp375.000 Rp0" in said
    assert "Rp375.000 dari dana program menjadi bagian Anda." in said and "saldo peserta" not in said
    stall.session.rollback()
    for bought, amount in ((half, "Kembali ke negara Rp375.000"), (never, "Kembali ke negara Program")):
        mine = sign_in(stall.session.get_one(Enrolment, bought.id).participant.user)
        said = words(mine.get(f"/kursus-saya/{bought.id}").text)
        assert amount in said and "Kembali ke saldo" not in said and "Kembali utuh" not in said
    assert "Keadaan uang Kembali ke negara" in words(mine.get(f"/bukti/{never.id}").text)


def test_declaring_twice_pays_once(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    stall.attend(enrolment, 4)
    stall.pass_until_over(run)
    for _time in range(2):
        assert desk.post(f"/lembaga/jadwal/{run.id}/selesai").status_code == 302
    stall.session.rollback()
    assert len(stall.session.scalars(select(Earning)).all()) == 1
    assert desk.get(f"/lembaga/jadwal/{run.id}/selesai").status_code == 302


def test_cancelling_wants_a_reason_and_keeps_the_page(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Ratna Lestari")
    address = f"/lembaga/jadwal/{run.id}/batalkan"
    page = words(desk.get(address).text)
    assert "semua uang kembali utuh ke 1 peserta" in page
    assert "Dibaca semua peserta jadwal ini" in page, "they are told, and it stays on their page"
    answer = desk.post(address, data={"reason": "  "})
    assert answer.status_code == 400
    assert "Tulis alasan pembatalan." in words(answer.text)
    assert desk.post(address, data={"reason": "x" * 201}).status_code == 400
    assert desk.post(address, data={"reason": "sakit", "refund": "0"}).status_code == 400


def test_cancelling_before_the_start_refunds_everybody(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    answer = desk.post(
        f"/lembaga/jadwal/{run.id}/batalkan", data={"reason": "Pengajar sakit"}, follow_redirects=True
    )
    assert "Jadwal dibatalkan." in words(answer.text)
    stall.session.rollback()
    assert grants.balance_of(stall.session, enrolment.participant_id) == 3_500_000


def test_cancelling_midway_shows_what_the_provider_keeps(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run(starts_in=-timedelta(hours=3))
    with transaction() as current:
        later = factories.make_run(current, stall.course, starts_in=timedelta(minutes=5))
    [enrolment] = stall.sell(later, "Ratna Lestari")
    stall.attend(enrolment, 1)
    stall.session.rollback()
    with transaction() as current:
        begun = current.get_one(type(later), later.id)
        begun.starts_at = begun.sessions[0].starts_at = run.starts_at
    page = words(desk.get(f"/lembaga/jadwal/{later.id}/batalkan").text)
    assert "Kelas sudah berjalan" in page
    assert "Menjadi hak lembaga Rp168.750" in page


def test_nobody_elses_run_can_be_ended(stall: Stall, sign_in: SignIn) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
    other = sign_in(stranger)
    for address in (f"/lembaga/jadwal/{run.id}", f"/lembaga/jadwal/{uuid.uuid4()}"):
        assert other.post(f"{address}/batalkan", data={"reason": "x"}).status_code == 404
        assert other.post(f"{address}/selesai").status_code == 404
    stall.session.rollback()
    assert stall.session.get_one(Enrolment, enrolment.id).state == "purchased"


def test_only_providers_staff_reaches_these_pages(stall: Stall, sign_in: SignIn, client: FlaskClient) -> None:
    assert client.get("/lembaga").location.startswith("/masuk")
    with transaction() as current:
        participant = factories.make_grant(current).participant.user
    assert sign_in(participant).get("/lembaga").status_code == 403


def test_more_people_take_no_more_queries(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Satu", "Dua")
    addresses = ("/lembaga/jadwal", f"/lembaga/jadwal/{run.id}", f"/lembaga/jadwal/{run.id}/batalkan")
    few = [_queries(desk, address) for address in addresses]
    stall.sell(run, *(f"Orang {number}" for number in range(10)))
    stall.make_run()
    many = [_queries(desk, address) for address in addresses]
    assert all(after <= before for before, after in zip(few, many, strict=True)), (few, many)


def test_the_people_of_a_run_come_in_pages_by_name(
    desk: FlaskClient, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_PEOPLE", 2)
    run, other = stall.make_run(), stall.make_run()
    same = stall.sell(run, "Yohanes Tukan", "Ratna Lestari", "Aisyah", "Ratna Lestari", "Sulastri")
    [foreign] = stall.sell(other, "Aaron")
    page, seen = desk.get(f"/lembaga/jadwal/{run.id}"), list[str]()
    while True:
        tree = read(page.text)
        seen += [str(link["href"]) for link in tree.select("td a.tebal")]
        following = tree.find("a", string="Berikutnya")
        if following is None:
            break
        assert "2 dari 5 peserta, menurut nama" in words(page.text)
        page = desk.get(str(following["href"]))
    by_name = [same[2], *sorted((same[1], same[3]), key=lambda each: each.id), same[4], same[0]]
    assert seen == [f"/lembaga/pendaftaran/{each.id}" for each in by_name]
    everybody = str(tree.find("a", string="Cari dan saring")["href"])
    assert "5 cocok" in words(desk.get(everybody).text)
    assert "Tidak ada lagi." in words(desk.get(f"/lembaga/jadwal/{run.id}?cursor={foreign.id}").text)


def _queries(client: FlaskClient, address: str) -> int:
    client.get(address)
    with counted() as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_next_class_stands_first_and_every_page_is_reached(
    desk: FlaskClient, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_SHOWN", 3)
    coming = [stall.make_run(starts_in=timedelta(days=day)).id for day in (90, 2, 30)]
    running = [stall.make_run(starts_in=timedelta(hours=-hour)).id for hour in (1, 3)]
    ended = [stall.make_run(starts_in=timedelta(days=day)).id for day in (5, 8)]
    with transaction() as current:
        for run_id in ended:
            cancel_run(current, run_id, None, "Pengajar sakit")
    seen, address = [], "/lembaga/jadwal"
    for _page in range(3):
        page = read(desk.get(address).text)
        seen += [str(link["href"]) for link in page.select("td a[href^='/lembaga/jadwal/']")]
        further = [str(link["href"]) for link in page.select("a[href*='cursor=']")]
        address = further[0] if further else ""
    order = [*reversed(running), coming[1], coming[2], coming[0], *reversed(ended)]
    assert seen == [f"/lembaga/jadwal/{run_id}" for run_id in order] and address == ""
    assert desk.get("/lembaga/jadwal?cursor=x").location == "/lembaga/jadwal"


def test_no_link_of_a_providers_pages_is_dead(desk: FlaskClient, stall: Stall) -> None:
    over, coming = stall.make_run(), stall.make_run(starts_in=timedelta(days=9))
    [enrolment, _other] = stall.sell(over, "Ratna Lestari", "Yohanes Tukan")
    stall.sell(coming, "Sulastri")
    stall.attend(enrolment, 3)
    stall.pass_until_over(over)
    opened, problems = crawl(desk, "/lembaga", 200, "/lembaga")
    assert not problems, "\n".join(problems)
    assert len(opened) > 20


def test_after_the_end_the_run_shows_what_attendance_proves(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    came, _absent = stall.sell(run, "Ratna Lestari", "Yohanes Tukan")
    stall.attend(came, 2)
    assert "Rp675.000 perkiraan" in words(desk.get(f"/lembaga/jadwal/{run.id}").text)
    stall.pass_until_over(run)
    page = words(desk.get(f"/lembaga/jadwal/{run.id}").text)
    assert "2/4 Rp337.500 menurut presensi" in page
    late = desk.post(f"/lembaga/jadwal/{run.id}/konfirmasi", data={"needed": "1"}, follow_redirects=True)
    assert "Aturan kursi tidak berubah: jadwal ini sudah mulai" in words(late.text)
    assert "0/4 Rp168.750 menurut presensi" in page


def test_after_the_end_nobody_is_paid_for_a_class_that_nobody_proves(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    assert "0/4 Rp0 menurut presensi" in words(desk.get(f"/lembaga/jadwal/{run.id}").text)

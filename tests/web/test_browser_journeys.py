"""What people come for, clicked from page to page: on a phone without script, and on a desk with it.

The purchase itself is in test_in_browser.py; how money then travels, in tests/journeys.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from marketplace import clock
from marketplace.catalogue.models import Mode
from marketplace.enrolments import reviewing
from marketplace.enrolments.cancellation import cancel
from marketplace.identity.models import Role, UserSession
from marketplace.payouts import service as payouts
from tests import factories
from tests.browser import DESK, PHONE
from tests.journeys.town import PATIENCE, Town
from tests.live import Live, wait_until
from tests.marketplace.catalogue.test_uploads import as_csv
from tests.marketplace.enrolments.scenes import buy
from tests.marketplace.payouts import world
from tests.thorough import THOROUGH
from tests.visitors import messages_to
from tests.web.play import Play, make_buyer, sell
from tests.web.screens import Hand, opening

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PRICE = Decimal(750_000)

# where somebody waits for it, each journey once, in the harder way
_EVERY_WAY = {"phone without script": (PHONE, False), "desk with script": (DESK, True)}
WAYS = list(_EVERY_WAY) if THOROUGH else ["phone without script"]


@pytest.fixture(params=[_EVERY_WAY[way] for way in WAYS], ids=WAYS)
def play(live: Live, browser: "Browser", request: pytest.FixtureRequest) -> Iterator[Play]:
    people: dict[str, uuid.UUID | None] = {"stranger": None}
    with opening(live, people, browser) as open_page, ExitStack() as doors:
        yield Play(Town(live, doors), open_page, people, *request.param)


def test_a_course_is_searched_filtered_sorted_saved_and_compared(play: Play) -> None:
    with play.scene() as current:
        play.come(buyer=make_buyer(current))
        for title, price, mode in [
            ("Menjahit Kebaya", 900_000, Mode.IN_PERSON),
            ("Menjahit Pola", 600_000, Mode.ONLINE),
            ("Menjahit Tas", 400_000, Mode.ONLINE),
        ]:
            factories.make_run(current, play.course(current, title, price=Decimal(price), mode=mode))
    buyer = play.hand("buyer", "/kursus")
    buyer.fill(q=play.word)
    buyer.press("Cari")
    buyer.reads("3 kursus", "Menjahit Kebaya")
    if play.size is PHONE:
        buyer.unfold("Saring")
    buyer.choose("Daring")
    buyer.press("Terapkan")
    buyer.pick("sort", "Termurah")
    buyer.press("Urutkan")
    titles = [each.split()[1] for each in buyer.page.locator("article h3").all_inner_texts()]
    assert titles == ["Tas", "Pola"]
    buyer.follow(f"Menjahit Tas {play.word}")
    buyer.press("Simpan")
    buyer.reads("Tersimpan")
    buyer.follow("Bandingkan")
    buyer.follow("Tambah kursus lain")
    buyer.fill(q=play.word)
    buyer.press("Cari")
    buyer.follow(f"Bandingkan Menjahit Kebaya {play.word}")
    buyer.reads("Rp400.000", "Saldo cukup, sisa Rp3.100.000", "Rp900.000", "Daring", "Tatap muka")
    buyer.follow(f"Hapus Menjahit Kebaya {play.word}")
    assert "Kebaya" not in buyer.page.inner_text("main")
    buyer.follow("Cari kursus", within="main")
    buyer.follow("Kursus tersimpan")
    buyer.reads("1 kursus", "Menjahit Tas")


def test_a_course_page_tells_enough_to_choose_a_run(play: Play) -> None:
    with play.scene() as current:
        provider = factories.make_provider(current)
        course = play.course(current, "Pastri", provider=provider, price=PRICE)
        done = world.make_earning(current, provider, course=course)
        reviewing.review(current, done.enrolment_id, done.enrolment.participant_id, 4, "Jelas dan runtut.")
        run = factories.make_run(current, course, place="Bantul")
        play.come(buyer=make_buyer(current))
        where, chosen, name = f"/kursus/{course.id}", str(run.id), provider.name
    buyer = play.hand("buyer", where)
    buyer.reads("Sesudah kelas mulai", "Lembaga membatalkan", "Saldo sesudahnya Rp2.750.000")
    buyer.reads("4 bintang 1 (100%)", "“Jelas dan runtut.”")
    buyer.page.locator("summary", has_text="4 sesi").click()
    buyer.reads("Pertemuan 1", "Pertemuan 4")
    buyer.follow(name)
    buyer.reads(name, "Sleman")
    buyer.follow(f"Pastri {play.word}")
    buyer.page.locator(f"input[value='{chosen}']").check()
    buyer.press("Lanjut")
    buyer.reads("Periksa, lalu beli", "Bantul", "Harga kursus −Rp750.000", "Saldo sesudahnya Rp2.750.000")


def test_a_seat_is_asked_for_with_a_code_confirmed_and_given_back(play: Play) -> None:
    with play.scene() as current:
        course = play.course(current, "Las", price=PRICE)
        factories.make_run(current, course, needs_confirmation=True)
        rina = make_buyer(current)
        play.come(buyer=rina, staff=factories.make_staff(current, course.provider))
        where, contact = f"/kursus/{course.id}", rina.contact
    buyer = play.hand("buyer", where)
    with play.scene() as current:
        old = clock.wall_now() - timedelta(minutes=20)
        current.execute(
            update(UserSession).values(proved_at=old).where(UserSession.user_id == play.people["buyer"])
        )
    buyer.press("Lanjut")
    buyer.press("Minta kursi, sisihkan Rp750.000")
    buyer.reads("Pastikan ini Anda", "Saldo Anda belum berkurang.")
    buyer.fill(code=_code_for(play, contact))
    buyer.press("Minta kursi, sisihkan Rp750.000")
    buyer.reads("Kursi Anda diminta", "Rp750.000 disisihkan")
    staff = play.hand("staff", "/lembaga/pendaftaran")
    staff.follow("Konfirmasi atau tolak")
    staff.press("Konfirmasi kursi")
    staff.reads("Kursi dikonfirmasi. Uangnya dititipkan di Bekal")
    buyer.page.reload()
    buyer.reads("Anda terdaftar", "Rp750.000 dititipkan di Bekal")
    buyer.follow("Lihat kursus saya")
    buyer.follow("Batalkan pembelian")
    buyer.press("Batalkan, kembalikan Rp750.000")
    buyer.reads("Pembelian dibatalkan.")
    buyer.follow("Beranda")
    buyer.reads("Sisa, siap dipakai Rp3.500.000", "+Rp750.000")


def _code_for(play: Play, contact: str) -> str:
    """The code in the newest message to somebody."""
    wait_until(lambda: _codes(play, contact), PATIENCE)
    return _codes(play, contact)[-1]


def _codes(play: Play, contact: str) -> list[str]:
    sent = "\n".join(messages_to(play.town.live.settings, contact))
    return re.findall(r"\b\d{6}\b", sent)


def test_whoever_waits_in_line_buys_the_seat_that_is_given_back(play: Play) -> None:
    with play.scene() as current:
        course = play.course(current, "Sablon", price=PRICE)
        first = buy(current, factories.make_run(current, course, seats=1))
        play.come(buyer=make_buyer(current))
        where, taken = f"/kursus/{course.id}", (first.id, first.participant_id)
    buyer = play.hand("buyer", where)
    buyer.follow("Lihat daftar tunggu")
    buyer.reads("Jadwal ini penuh")
    buyer.press("Masuk daftar tunggu")
    buyer.reads("Anda nomor 1 di daftar tunggu.")
    with play.scene() as current:
        cancel(current, *taken)
    buyer.follow("Beranda")
    buyer.reads("Ada kursi untuk Anda")
    buyer.follow("Periksa, lalu beli")
    buyer.press("Beli dengan saldo Rp750.000")
    buyer.reads("Anda terdaftar")


def test_who_was_there_gets_a_certificate_and_writes_a_review(play: Play) -> None:
    with play.scene() as current:
        course = play.course(current, "Barista")
        [bought] = sell(current, course, "Rina Lestari")
        staff = factories.make_staff(current, course.provider)
        play.come(learner=bought.participant.user, staff=staff)
        run, ends_at, offer = bought.run_id, bought.run.ends_at, f"/kursus/{course.id}"
    teacher = play.hand("staff", f"/lembaga/jadwal/{run}")
    teacher.follow("Layar presensi sesi 1")
    learner = play.hand("learner", "/kursus-saya")
    learner.follow("Buka kelas dan presensi")
    learner.page.get_by_label("Kode di layar kelas").fill(teacher.page.locator(".hero-angka").inner_text())
    learner.press("Catat kehadiran")
    learner.reads("Kehadiran Anda tercatat.", "1/1")
    play.town.go_to(ends_at)
    teacher.go(f"/lembaga/jadwal/{run}")
    teacher.reads("1 hadir")
    teacher.follow("Periksa, lalu nyatakan selesai")
    teacher.press("Nyatakan selesai")
    learner.follow("Kursus saya")
    learner.follow(f"Barista {play.word}")
    learner.reads("Anda hadir 100%")
    learner.follow("Beri ulasan")
    learner.choose("4, baik")
    learner.fill(words="Sabar mengajarnya.")
    learner.press("Simpan ulasan")
    learner.reads("Ulasan Anda tampil di halaman kursus.")
    learner.follow("Kursus saya")
    learner.follow("Lihat sertifikat")
    learner.reads("Sertifikat ini asli dan berlaku", "Rina Lestari", "Kehadiran 100%")
    number = learner.page.locator("article .kode").inner_text()
    employer = play.hand("stranger", "/sertifikat")
    employer.fill(nomor=number.lower())
    employer.press("Periksa")
    employer.reads("Sertifikat ini asli dan berlaku", "Rina Lestari", number)
    employer.go(offer)
    employer.reads("“Sabar mengajarnya.”")


def test_a_course_is_written_approved_and_opened_for_sale(play: Play) -> None:
    with play.scene() as current:
        provider = factories.make_provider(current)
        curator = factories.make_user(current, Role.CURATOR, name="Wulan Sihombing")
        play.come(staff=factories.make_staff(current, provider), curator=curator)
        day = clock.today(current) + timedelta(days=20)
    title = f"Roti Sobek {play.word}"
    staff = play.hand("staff", "/lembaga/kursus")
    staff.follow("Buat kursus")
    staff.fill(title=title, price="750.000", hours="24", description="Dari ragi sampai roti.")
    staff.fill(category="Kuliner")
    staff.choose("Tatap muka")
    staff.choose("Pemula")
    staff.press("Simpan naskah")
    staff.press("Ajukan untuk diperiksa")
    staff.reads("Sedang diperiksa")
    curator = play.hand("curator", "/kurasi")
    curator.follow(title)
    curator.reads("Dari ragi sampai roti.", "24 jam")
    curator.choose("Setujui")
    curator.press("Catat keputusan")
    staff.page.reload()
    staff.reads("Disetujui, belum terbit")
    staff.press("Terbitkan versi 1, Rp750.000")
    staff.follow("Buka jadwal")
    staff.fill(seats="12", place="Bantul")
    staff.fill(**{"date-1": f"{day}", "start-1": "09:00", "end-1": "12:00", "topic-1": "Adonan"})
    staff.press("Buka untuk dibeli")
    staff.reads("Jadwal dibuka.", "0 dari 12 kursi terisi", "Adonan")
    reader = play.hand("stranger", f"/kursus?q={play.word}")
    reader.follow(title)
    reader.reads("Sisa 12 dari 12", "Rp750.000")


def test_courses_come_from_a_file_after_a_look_at_it(play: Play) -> None:
    with play.scene() as current:
        play.come(staff=factories.make_staff(current, factories.make_provider(current)))
    rows = ({"title": f"Kopi {play.word}"}, {"source_id": "k:2", "price_idr": "banyak"})
    staff = play.hand("staff", "/lembaga/kursus")
    staff.follow("Impor berkas")
    staff.attach("kursus.csv", as_csv(*rows))
    staff.press("Periksa berkas")
    staff.reads("Yang salah 1", "banyak", f"Kopi {play.word}")
    assert "banyak" in staff.download("CSV")
    staff.press("Simpan dan ajukan")
    staff.reads("1 diajukan.", f"Kopi {play.word}", "Sedang diperiksa")


def test_attendance_comes_from_a_list_and_everybody_gets_a_message(play: Play) -> None:
    with play.scene() as current:
        course = play.course(current, "Servis Motor")
        dewi, _joko = sell(current, course, "Dewi Anggraini", "Joko Susilo")
        play.come(staff=factories.make_staff(current, course.provider))
        run, begins, ends = dewi.run_id, dewi.run.starts_at, dewi.run.ends_at
    staff = play.hand("staff", "/lembaga/pendaftaran")
    staff.fill(q="anggraini")
    staff.press("Saring")
    staff.reads("1 cocok", "Dewi Anggraini")
    assert "Joko Susilo" not in staff.page.inner_text("main")
    assert staff.download("CSV").count("Anggraini") == 1
    staff.follow("Jadwal")
    staff.follow(f"Servis Motor {play.word}")
    staff.follow("Pesan ke peserta")
    staff.fill(body="Bawa kunci pas sendiri.")
    staff.press("Kirim ke semua peserta")
    staff.reads("Pesan dikirim ke 2 peserta.", "Bawa kunci pas sendiri.")
    play.town.go_to(begins)
    staff.follow("Kembali ke jadwal")
    staff.follow("Layar presensi sesi 1")
    staff.follow("Catat dari daftar hadir")
    staff.unfold("Isi dari berkas CSV")
    head, *lines = staff.download("Unduh daftar kosong").splitlines()
    staff.attach("hadir.csv", "\n".join([head, *(f"{line}ya" for line in lines)]).encode())
    staff.press("Baca berkas")
    staff.reads("2 nama dicentang dari berkas.")
    staff.press("Catat kehadiran")
    staff.reads("2 kehadiran dicatat dari daftar.")
    play.town.go_to(ends)
    staff.go(f"/lembaga/jadwal/{run}")
    staff.follow("Periksa, lalu nyatakan selesai")
    staff.reads("Hak lembaga akan ditahan dulu.")
    staff.press("Nyatakan selesai")
    staff.go("/lembaga/pendaftaran")
    staff.pick("state", "Ditahan")
    staff.press("Saring")
    staff.reads("2 cocok", "Dewi Anggraini", "Joko Susilo")


def test_earned_money_is_read_of_and_released_by_two_people(play: Play) -> None:
    with play.scene() as current:
        provider, _account = world.make_payee(current)
        world.make_earning(current, provider, course=play.course(current, "Listrik", provider=provider))
        paid = payouts.prepare(current, world.SCHEME, clock.today(current), world.make_finance(current))
        assert paid is not None
        sari, budi = (factories.make_user(current, Role.FINANCE, name=name) for name in ("Sari", "Budi"))
        play.come(staff=factories.make_staff(current, provider), sari=sari, budi=budi)
        name, day = provider.name, clock.now(current)
    staff = play.hand("staff", "/lembaga/pembayaran")
    staff.reads("Siap dibayar Rp675.000", "Rp675.000 menunggu persetujuan")
    staff.follow("Laporan bulanan")
    staff.reads("Hak baru Rp675.000", "Saldo akhir Rp675.000", f"Listrik {play.word}")
    staff.follow("Pembayaran")
    staff.follow("Hak dari setiap pendaftaran")
    assert "675000" in staff.download("CSV")
    play.town.go_to_working_day_after(day)
    first, second = play.hand("sari", "/keuangan"), play.hand("budi", "/keuangan")
    for finance in (first, second):
        finance.reads("Menunggu Anda")
    first.follow(within="td.p-title")
    first.reads(name, "Rp675.000")
    first.press("Ajukan untuk disetujui")
    first.reads("Anda yang mengajukan, jadi orang lain harus menyetujui.")
    second.follow(within="td.p-title")
    second.press("Setujui dan kirim Rp675.000 ke bank")
    second.reads("Disetujui. Berkas pembayaran dikirim ke bank.")
    staff.follow("Pembayaran")
    staff.follow(within="td.p-title")
    staff.waits_for("Dikirim ke bank", PATIENCE)
    staff.reads("Yang tercakup 1", f"Listrik {play.word}")


def test_a_complaint_is_answered_insisted_on_and_upheld_by_another(play: Play) -> None:
    with play.scene() as current:
        course = play.course(current, "Mebel", price=PRICE)
        bought = buy(current, factories.make_run(current, course))
        desk = factories.make_user(current, Role.DESK, name="Hasan Basri")
        play.come(buyer=bought.participant.user, desk=desk)
        play.come(sari=factories.make_user(current, Role.FINANCE, name="Sari Wulandari"))
        enrolment = bought.id
    buyer = play.hand("buyer", f"/kursus-saya/{enrolment}")
    buyer.follow("Ajukan pengaduan")
    buyer.choose("Kelas atau pengajarnya")
    buyer.fill(body="Ruangannya terkunci.")
    buyer.press("Kirim pengaduan")
    buyer.reads("Menunggu jawaban", "Ruangannya terkunci.")
    number = buyer.page.locator("main .kode").inner_text()
    _decide(play.hand("desk", "/kantor/pengaduan"), number, "Jawab", "Sudah kami tanyakan.")
    buyer.page.reload()
    buyer.reads("Sudah dijawab", "Sudah kami tanyakan.")
    buyer.fill(body="Tetap terkunci.")
    buyer.press("Belum selesai: minta orang kedua")
    buyer.reads("Diperiksa orang kedua")
    _decide(play.hand("sari", "/kantor/pengaduan"), number, "Kabulkan", "Anda benar.")
    buyer.page.reload()
    buyer.reads("Dikabulkan", "Pembelian dibatalkan oleh program, dan uangnya kembali.")
    buyer.follow("Beranda")
    buyer.reads("Sisa, siap dipakai Rp3.500.000")


def _decide(officer: Hand, number: str, verdict: str, words: str) -> None:
    """Find a complaint in the queue and take the next step."""
    with officer.page.expect_navigation():
        officer.page.locator("tr", has_text=number).get_by_role("link").first.click()
    officer.choose(verdict)
    officer.fill(body=words)
    officer.press("Kirim", exact=True)
    officer.reads("Dicatat, dan pelapor diberi tahu.", words)


def test_an_announcement_is_made_and_read_by_everybody(play: Play) -> None:
    with play.scene() as current:
        play.come(desk=factories.make_user(current, Role.DESK, name="Hasan Basri"))
        until = clock.wall_now().astimezone(clock.ZONE) + timedelta(hours=2)
    desk = play.hand("desk", "/kantor/pengumuman")
    said = f"Bekal dipelihara malam ini, {play.word}."
    desk.fill(text_id=said, text_en="Bekal is being maintained tonight.", ends=f"{until:%Y-%m-%dT%H:%M}")
    desk.choose("Kabar")
    desk.press("Umumkan")
    desk.reads("Pengumuman disimpan.", said)
    reader = play.hand("stranger", "/status")
    reader.reads("Sekarang", said)
    reader.follow("English")
    reader.reads("Bekal is being maintained tonight.")

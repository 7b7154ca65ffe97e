"""Buying, from outside: what the page says and what it does to the balance."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from ledger.verify_receipt import main as verify_receipt
from marketplace import clock
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.enrolments.cancellation import cancel_run
from marketplace.enrolments.models import Enrolment
from marketplace.oversight import tasks as oversight
from marketplace.oversight.log import signer
from marketplace.participants import service as participants
from tests import factories
from tests.marketplace.enrolments.scenes import advance, attend, buy
from tests.watermark import wait_for_others
from tests.web.conftest import SignIn, hidden_fields, read, words, written_day


@pytest.fixture
def grant(session: Session) -> Grant:
    """A participant with Rp3.500.000 to spend."""
    with transaction() as current:
        factories.fund_scheme(current)
        return factories.make_grant(current)


@pytest.fixture
def run(session: Session, grant: Grant) -> Run:
    """A run of a course of Rp750.000."""
    with transaction() as current:
        return factories.make_run(current, factories.make_course(current, price=Decimal(750_000)))


@pytest.fixture
def buyer(sign_in: SignIn, grant: Grant) -> FlaskClient:
    return sign_in(grant.participant.user)


def _balance(session: Session, grant: Grant) -> Decimal:
    session.rollback()
    return grants.balance_of(session, grant.participant_id)


def _count(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Enrolment)) or 0


def test_a_participant_buys_with_one_review_page_and_keeps_a_receipt(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    assert grant.first_purchase_by is not None
    home = words(buyer.get("/beranda").text)
    assert f"Beli kursus pertama sampai {written_day(grant.first_purchase_by)} pukul 23.59 WIB" in home
    assert "Waktu program" not in home
    review = buyer.get(f"/beli/{run.id}").text
    assert "Beli dengan saldo Rp750.000" in words(review)
    assert "Saldo sesudahnya Rp2.750.000" in words(review)
    starts = run.starts_at.astimezone(clock.ZONE)
    until = f"{written_day(starts)} pukul {starts:%H.%M} WIB."
    assert re.search(f"batal dengan uang kembali utuh sampai [A-Z][a-z]+ {until}", words(review))
    answer = buyer.post(f"/beli/{run.id}", data=hidden_fields(review), follow_redirects=True)
    assert answer.request.path.startswith("/bukti/")
    assert "Anda terdaftar" in words(answer.text)
    assert "Rp2.750.000" in words(answer.text)
    assert _balance(session, grant) == Decimal(2_750_000)


def test_the_same_form_sent_twice_buys_once_and_shows_the_same_receipt(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    first = buyer.post(f"/beli/{run.id}", data=form)
    second = buyer.post(f"/beli/{run.id}", data=form)
    assert first.location == second.location
    assert _count(session) == 1
    assert _balance(session, grant) == Decimal(2_750_000)


def test_a_price_that_changed_is_shown_again_and_charges_nothing(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    with transaction() as current:
        course = current.get_one(Run, run.id).course
        course.price = Decimal(900_000)
        course.version += 1
    answer = buyer.post(f"/beli/{run.id}", data=form)
    assert answer.status_code == 409
    assert "berubah sejak Anda melihatnya" in words(answer.text)
    assert "Beli dengan saldo Rp900.000" in words(answer.text)
    assert (_count(session), _balance(session, grant)) == (0, Decimal(3_500_000))


@pytest.mark.parametrize("price", ["750000.50", "NaN", "7.5e5x", "", "-750000", "Infinity", "1e400"])
def test_a_price_that_is_no_amount_of_rupiah_is_refused(
    buyer: FlaskClient, run: Run, session: Session, price: str
) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text) | {"price": price}
    answer = buyer.post(f"/beli/{run.id}", data=form)
    assert answer.status_code in {400, 409}
    assert _count(session) == 0


def test_an_unknown_field_is_refused_not_ignored(buyer: FlaskClient, run: Run, session: Session) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text) | {"discount": "50"}
    assert buyer.post(f"/beli/{run.id}", data=form).status_code == 400
    assert _count(session) == 0


def test_a_course_dearer_than_the_balance_says_what_is_missing(
    buyer: FlaskClient, session: Session, grant: Grant
) -> None:
    with transaction() as current:
        dear = factories.make_run(current, factories.make_course(current, price=Decimal(3_850_000)))
        version = dear.course.version
    page = buyer.get(f"/beli/{dear.id}").text
    assert "Kurang Rp350.000" in words(page)
    assert "Beli dengan saldo" not in words(page)
    form = {"key": "k1", "version": str(version), "price": "3850000"}
    answer = buyer.post(f"/beli/{dear.id}", data=form)
    assert answer.status_code == 409
    assert "Kurang Rp350.000. Saldo Anda Rp3.500.000, harga kursus Rp3.850.000." in words(answer.text)
    assert _balance(session, grant) == Decimal(3_500_000)


def test_a_full_run_is_refused_in_its_own_words(buyer: FlaskClient, run: Run, session: Session) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    with transaction() as current:
        full = current.get_one(Run, run.id)
        full.seats_taken = full.seats
    answer = buyer.post(f"/beli/{run.id}", data=form)
    assert answer.status_code == 409
    assert "Kursi terakhir jadwal ini baru saja terisi" in words(answer.text)
    assert _count(session) == 0


def test_a_run_that_has_started_is_refused_in_its_own_words(buyer: FlaskClient, session: Session) -> None:
    with transaction() as current:
        course = factories.make_course(current, price=Decimal(500_000))
        started = factories.make_run(current, course, starts_in=-timedelta(hours=1))
        version = course.version
    form = {"key": "k1", "version": str(version), "price": "500000"}
    answer = buyer.post(f"/beli/{started.id}", data=form)
    assert answer.status_code == 409
    assert "Kelas ini sudah mulai" in words(answer.text)


def test_a_run_cancelled_while_somebody_is_buying_is_told_and_charges_nothing(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    with transaction() as current:
        cancel_run(current, run.id, None, "pengajar sakit")
    answer = buyer.post(f"/beli/{run.id}", data=form)
    assert answer.status_code == 409
    assert "Jadwal ini dibatalkan oleh lembaga. Saldo Anda tidak berkurang." in words(answer.text)
    assert "Beli dengan saldo" not in words(answer.text)
    assert (_count(session), _balance(session, grant)) == (0, Decimal(3_500_000))


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_run(client: FlaskClient, run: Run) -> None:
    answer = client.get(f"/beli/{run.id}")
    assert answer.status_code == 302
    assert answer.location.startswith("/masuk?next=")


def test_another_persons_receipt_does_not_exist(
    sign_in: SignIn, buyer: FlaskClient, run: Run, session: Session
) -> None:
    receipt = buyer.post(f"/beli/{run.id}", data=hidden_fields(buyer.get(f"/beli/{run.id}").text)).location
    with transaction() as current:
        stranger = factories.make_grant(current).participant.user
    assert sign_in(stranger).get(receipt).status_code == 404


def test_cancelling_before_the_start_brings_everything_back(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    receipt = buyer.post(f"/beli/{run.id}", data=hidden_fields(buyer.get(f"/beli/{run.id}").text)).location
    enrolment = receipt.rsplit("/", 1)[1]
    ask = buyer.get(f"/kursus-saya/{enrolment}/batal")
    assert "Rp750.000 kembali utuh" in words(ask.text)
    answer = buyer.post(f"/kursus-saya/{enrolment}/batal", follow_redirects=True)
    assert "sudah kembali ke saldo Anda" in words(answer.text)
    assert _balance(session, grant) == Decimal(3_500_000)
    home = words(buyer.get("/beranda").text)
    assert "dibatalkan" in home
    assert "+Rp750.000" in home


def test_a_receipt_gives_out_its_proof_once_it_is_sealed(
    buyer: FlaskClient, run: Run, session: Session, settings: Settings, tmp_path: Path
) -> None:
    page = buyer.post(
        f"/beli/{run.id}", data=hidden_fields(buyer.get(f"/beli/{run.id}").text), follow_redirects=True
    )
    address = f"{page.request.path}/catatan.json"
    assert "Unduh bukti" not in words(page.text)
    assert buyer.get(address).status_code == 404
    wait_for_others(session)
    oversight.seal()
    page = buyer.get(page.request.path)
    assert "Siapa pun yang memegang bukti ini dapat memeriksanya." in words(page.text)
    assert address in page.text
    assert 'src="data:image/svg+xml' in page.text

    answer = buyer.get(address)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="BKL-')
    file = tmp_path / "receipt.json"
    file.write_text(answer.text)
    key = str(signer(settings).key)
    assert verify_receipt([str(file), "--key", key]) == 0
    file.write_text(answer.text.replace("750000.00", "750000.01"))
    assert verify_receipt([str(file), "--key", key]) == 1


def test_a_free_course_has_no_record_to_prove(buyer: FlaskClient, session: Session, grant: Grant) -> None:
    with transaction() as current:
        free = factories.make_run(current, factories.make_course(current, price=Decimal(0)))
    page = buyer.post(
        f"/beli/{free.id}", data=hidden_fields(buyer.get(f"/beli/{free.id}").text), follow_redirects=True
    )
    assert buyer.get(f"{page.request.path}/catatan.json").status_code == 404


def test_who_may_not_buy_any_more_is_told_why_there_and_at_home(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    with transaction() as current:
        participants.block(current, grant.participant, "blacklisted", None)
    answer = buyer.post(f"/beli/{run.id}", data=hidden_fields(buyer.get(f"/beli/{run.id}").text))
    said = "Saldo Anda dibekukan. Nama Anda ada dalam daftar"
    assert answer.status_code == 409 and said in words(answer.text)
    home = buyer.get("/beranda")
    assert said in words(home.text)
    for page in (answer, home, buyer.get(f"/beli/{run.id}")):
        assert 'href="/pengaduan/baru"' in page.text, "they can object"
    assert (_count(session), _balance(session, grant)) == (0, Decimal(3_500_000))


@pytest.mark.parametrize(
    ("price", "attended", "said", "went"),
    [
        (0, 0, "Gratis", ""),
        (750_000, 0, "Kembali utuh", "Rp750.000 kembali ke saldo Anda. "),
        (
            *(750_000, 2, "Menjadi hak lembaga"),
            "Rp375.000 menjadi hak lembaga, Rp375.000 kembali ke saldo Anda. ",
        ),
    ],
)
def test_a_receipt_says_truly_what_came_back_when_the_provider_cancelled_and_why(
    buyer: FlaskClient, session: Session, grant: Grant, owner_engine: Engine,
    price: int, attended: int, said: str, went: str,
) -> None:  # fmt: skip
    with transaction() as current:
        course = factories.make_course(current, price=Decimal(price))
        enrolment = buy(current, factories.make_run(current, course), grant)
        attend(current, enrolment, attended)
        if attended:
            advance(current, owner_engine, timedelta(days=8))
        cancel_run(current, enrolment.run_id, None, "pengajar sakit")
        receipt = f"/bukti/{enrolment.id}"
        page = f"/kursus-saya/{enrolment.id}"
    assert said in words(buyer.get(receipt).text)
    why = "Lembaga membatalkan kelas ini. Alasannya: pengajar sakit "
    assert f"{why}{went}Pilih jadwal lain Cari kursus lain" in words(buyer.get(page).text)
    # whoever wanted to cancel at the same moment is not told that it was too late
    answer = words(buyer.post(f"{page}/batal", follow_redirects=True).text)
    assert "Pembelian ini sudah berakhir" in answer and "tidak bisa dibatalkan lagi" not in answer
    assert "Uangnya sudah kembali" not in answer


def test_whoever_goes_back_after_buying_is_shown_the_receipt(
    buyer: FlaskClient, run: Run, session: Session, grant: Grant
) -> None:
    first, second = (hidden_fields(buyer.get(f"/beli/{run.id}").text) for _tab in range(2))
    receipt = buyer.post(f"/beli/{run.id}", data=first).location
    assert buyer.get(f"/beli/{run.id}").location == receipt
    assert buyer.post(f"/beli/{run.id}", data=second).location == receipt
    assert _balance(session, grant) == Decimal(2_750_000)


def test_what_stands_in_the_way_is_said_before_a_button_is_pressed(
    buyer: FlaskClient, run: Run, session: Session
) -> None:
    assert "Beli dengan saldo" in words(buyer.get(f"/beli/{run.id}").text)
    with transaction() as current:
        full = current.get_one(Run, run.id)
        full.seats_taken = full.seats
    page = words(buyer.get(f"/beli/{run.id}").text)
    assert "Jadwal ini penuh Kursi terakhir jadwal ini baru saja terisi" in page
    assert "Beli dengan saldo" not in page


def test_the_receipt_tells_what_became_of_the_money(buyer: FlaskClient, run: Run, session: Session) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    receipt = buyer.post(f"/beli/{run.id}", data=form).location
    assert "Rp750.000 dititipkan di Bekal" in words(buyer.get(receipt).text)
    buyer.post(f"/kursus-saya/{receipt.rsplit('/', 1)[1]}/batal")
    assert "Rp750.000 kembali ke saldo Anda" in words(buyer.get(receipt).text)


def test_every_row_of_the_history_opens_its_proof(buyer: FlaskClient, session: Session) -> None:
    [link] = read(buyer.get("/beranda").text).select(".riwayat a")
    page = buyer.get(str(link["href"]))
    assert "Bantuan pelatihan masuk ke saldo Anda." in words(page.text)
    assert "Tercatat di buku besar" in words(page.text)
    assert buyer.get(f"{link['href']}/catatan.json").status_code == 404, "not sealed yet"
    wait_for_others(session)
    oversight.seal()
    assert buyer.get(f"{link['href']}/catatan.json").json is not None

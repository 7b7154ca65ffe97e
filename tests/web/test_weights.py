"""What a full page weighs on the way: a catalogue of many, every filter in use, a history of years.

The tour weighs every page, but of a scene with a handful of everything.
"""

import gzip
import itertools
from datetime import timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import Posting, TransactionRequest, post_many
from marketplace import chart
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Course, Mode
from marketplace.db import transaction
from tests import factories
from tests.marketplace.enrolments.scenes import buy, make_grants
from tests.web.conftest import SignIn, read

COMPRESSED, ON_THE_WAY = 5 * 1024, 20 * 1024
"""Bytes of a page: compressed, and as it comes, which a page with a form's token does in full."""

KINDS = ("Barista", "Menjahit Busana", "Las Listrik", "Pemrograman Web")
GOALS = ("untuk Pemula", "dari Dasar sampai Mahir", "untuk Usaha Rumahan", "bersertifikat Industri")
FIELDS = ("Kuliner", "Busana", "Teknik", "Desain", "Digital", "Kecantikan", "Bahasa", "Pertanian", "Jasa")
CITIES = (("Sleman", "34"), ("Kota Bandung", "32"), ("Kabupaten Sidoarjo", "35"), ("Kota Jayapura", "91"))
FIRST = (
    "Ratna Yohanes Sulastri Bayu Sari Hasan Dewi Wulan Agus Putri Made Ketut Komang Andreas Fransiska Rizky "
    "Nurul Siti Dwi Eko Maria Taufik Indah Gilang Rosa"
)
LAST = (
    "Lestari Tukan Pratama Wulandari Basri Anggraini Sihombing Nasution Hidayat Simanjuntak Rahmawati Kusuma "
    "Santoso Wibowo Gultom Marpaung Saputra Handayani Suryani Permata Ratulangi Siregar Mahendra Yuliana"
)
EVERY_FILTER = (
    "q=latihan&mode=online&mode=in_person&mode=hybrid&when=this_week&when=next_week&when=later&province=34"
    "&province=32&province=35&price=low&price=middle&price=high&rating=4&seats=open&sort=cheapest"
)


def _weight(page: bytes) -> tuple[int, int]:
    return len(gzip.compress(page, compresslevel=6)), len(page)


def _assert_light(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    packed, plain = _weight(answer.data)
    sent = plain if b'name="csrf_token"' in answer.data else packed
    assert packed <= COMPRESSED and sent <= ON_THE_WAY, f"{address}: {packed} compressed, {sent} sent"
    return answer.text


@pytest.fixture
def buyer(session: Session) -> Grant:
    """Somebody with a balance, where sixteen courses of four providers wait."""
    with transaction() as current:
        providers = [factories.make_provider(current, f"Balai Latihan {kind} Nusantara") for kind in KINDS]
        for number, (kind, goal) in enumerate(itertools.product(KINDS, GOALS)):
            provider = providers[number % len(providers)]
            provider.city, provider.province_code = CITIES[number % len(CITIES)]
            course = factories.make_course(
                current,
                provider,
                title=f"{kind} {goal}",
                price=Decimal(450_000 + 120_000 * number),
                category=f"{FIELDS[number % len(FIELDS)]} dan keterampilan",
                mode=list(Mode)[number % len(Mode)],
                rating=Decimal("4.1") + number % 9 / Decimal(10),
            )
            factories.make_run(current, course, starts_in=timedelta(days=1 + number), sessions=1)
        return factories.make_grant(current)


def test_a_full_page_of_the_catalogue_is_light(
    buyer: Grant, session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    page = _assert_light(client, "/kursus")
    assert len(read(page).select("h3 a")) == 12 and "Halaman berikutnya" in page
    compared = "&".join(f"k={each.id}" for each in session.query(Course).limit(2))
    reader = sign_in(buyer.participant.user)
    for address in ("/kursus", f"/kursus?{compared}", f"/kursus?{EVERY_FILTER}&{compared}"):
        assert read(_assert_light(reader, address)).select("h3 a")


def test_a_home_with_a_long_history_is_light(session: Session, sign_in: SignIn) -> None:
    with transaction() as current:
        grant = factories.make_grant(current)
        factories.fund_scheme(current)
        moves = [Posting(chart.fund("2023"), chart.benefit(grant.participant_id), Decimal(1))]
        post_many(current, [TransactionRequest(f"x:{number}", "grant", moves) for number in range(48)])
    reader = sign_in(grant.participant.user)
    assert "Seluruh riwayat" in _assert_light(reader, "/beranda")
    pages = [_assert_light(reader, f"/riwayat?halaman={number}") for number in (0, 2, 9, "x")]
    assert [len(read(page).select(".riwayat li")) for page in pages] == [40, 9, 9, 40]


def test_a_providers_list_of_fifty_people_is_light(session: Session, sign_in: SignIn) -> None:
    with transaction() as current:
        factories.fund_scheme(current)
        provider = factories.make_provider(current, "Karya Mandiri Yogyakarta")
        staff = factories.make_staff(current, provider)
        first, last, runs = FIRST.split(), LAST.split(), []
        for number, (kind, goal) in enumerate(itertools.product(KINDS, GOALS)):
            course = factories.make_course(current, provider, title=f"{kind} {goal}", price=Decimal(450_000))
            asks, starts = number % 2 == 0, timedelta(days=5 + number)
            runs.append(factories.make_run(current, course, starts_in=starts, needs_confirmation=asks))
        for number, grant in enumerate(make_grants(current, 50)):
            grant.participant.full_name = f"{first[number % 25]} {last[number % 24]}"
            buy(current, runs[number % len(runs)], grant)
    desk = sign_in(staff)
    page = _assert_light(desk, "/lembaga/pendaftaran")
    assert len(read(page).select("tbody tr")) == 30, "the ten most urgent, and a page of the list"
    chosen = f"run={runs[0].id}&percent=0-24&from=2026-01-01&col=receipt&col=who&col=share"
    for address in ("?state=awaiting", "?state=live&days=30", f"?{chosen}", "/saring", f"/saring?{chosen}"):
        _assert_light(desk, f"/lembaga/pendaftaran{address}")


def test_a_heavy_page_is_seen() -> None:
    heavy = "".join(f"<li>{number:x}" for number in range(10**9, 10**9 + 90_000, 17)).encode()
    packed, plain = _weight(heavy)
    assert packed > COMPRESSED and plain > ON_THE_WAY

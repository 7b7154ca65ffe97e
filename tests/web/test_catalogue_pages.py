"""Finding a course, from outside: filters in the address, what the balance covers, what is missing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Course, Mode
from marketplace.db import transaction
from tests import factories
from tests.web.conftest import SignIn, read, words


@pytest.fixture
def courses(session: Session) -> dict[str, Course]:
    """Four courses: within the balance, just above it, far above it, and without a run."""
    wanted = {
        "barista": ("Barista: dari Biji sampai Cangkir", 1_200_000, "Kuliner dan wisata", Mode.IN_PERSON),
        "jahit": ("Menjahit Busana Siap Pakai", 3_900_000, "Kerajinan dan busana", Mode.IN_PERSON),
        "pilot": ("Pilot Pesawat Nirawak", 9_000_000, "Teknik dan bengkel", Mode.HYBRID),
        "web": ("Pemrograman Web Dasar", 1_900_000, "Digital dan kantor", Mode.ONLINE),
    }
    with transaction() as current:
        made = {
            key: factories.make_course(
                current, title=title, price=Decimal(price), category=category, mode=mode
            )
            for key, (title, price, category, mode) in wanted.items()
        }
        for key in ("barista", "jahit", "pilot"):
            factories.make_run(current, made[key], starts_in=timedelta(days=3), seats=6)
    return made


def test_a_stranger_sees_every_course_and_no_balance(client: FlaskClient, courses: dict[str, Course]) -> None:
    page = words(client.get("/kursus").text)
    assert "4 kursus ditemukan" in page
    assert "Saldo cukup" not in page


def test_a_participant_sees_what_the_balance_covers_and_what_it_just_misses(
    sign_in: SignIn, session: Session, courses: dict[str, Course]
) -> None:
    with transaction() as current:
        factories.fund_scheme(current)
        user = factories.make_grant(current).participant.user
    page = words(sign_in(user).get("/kursus").text)
    assert "2 kursus dengan saldo cukup" in page
    assert "Saldo cukup, sisa Rp2.300.000" in page
    assert "Sedikit di atas saldo Anda Menjahit Busana Siap Pakai" in page
    assert "Kurang Rp400.000" in page
    assert "Pilot" not in page
    everything = words(sign_in(user).get("/kursus?all=1").text)
    assert "4 kursus ditemukan" in everything and "Saldo saya cukup 2 " in everything


def test_what_the_scheme_does_not_pay_for_is_said_before_the_review_page(
    sign_in: SignIn, session: Session, courses: dict[str, Course]
) -> None:
    with transaction() as current:
        factories.fund_scheme(current)
        grant = factories.make_grant(current)
        user, last = grant.participant.user, grant.scheme.ends_on
        short, unknown = (
            factories.make_course(current, title=f"Kilat {hours}", price=Decimal(100_000), hours=hours)
            for hours in (8, None)
        )
        factories.make_run(current, short, starts_in=timedelta(days=3))
        factories.make_run(current, courses["web"], starts_in=clock.end_of_day(last) - clock.now(current))
    buyer = sign_in(user)
    page = words(buyer.get("/kursus").text)
    assert "2 kursus dengan saldo cukup" in page and "Kilat" not in page
    assert "2 kursus cukup dengan saldo" in words(buyer.get("/beranda").text)
    everything = words(buyer.get("/kursus?all=1&q=kilat").text)
    assert everything.count("Bantuan Anda membayar mulai 15 jam") == 2 and "Saldo cukup" not in everything
    none_left = read(buyer.get("/kursus?q=kilat").text)
    assert "Juga di luar saldo atau bantuan saya 2 kursus" in words(str(none_left.select_one(".jalan")))
    for each in (short, unknown):
        said = words(buyer.get(f"/kursus/{each.id}").text)
        assert "Bantuan Anda membayar kursus mulai 15 jam" in said
        assert "Saldo sesudahnya" not in said and "Saldo jadi" not in said and "Lanjut" not in said
    assert "Lanjut" in words(buyer.get(f"/kursus/{courses['barista'].id}").text), "negative control"
    late = words(buyer.get(f"/kursus/{courses['web'].id}").text)
    assert "Selesai sesudah masa bantuan Anda" in late and "Lanjut" not in late


def test_search_finds_by_the_beginning_of_words(client: FlaskClient, courses: dict[str, Course]) -> None:
    page = client.get("/kursus?q=baris").text
    assert [each.get_text() for each in read(page).select("h3 a")] == ["Barista: dari Biji sampai Cangkir"]


def test_filters_live_in_the_address_and_can_be_taken_away(
    client: FlaskClient, courses: dict[str, Course]
) -> None:
    page = client.get("/kursus?mode=online&category=Digital+dan+kantor").text
    assert "1 kursus ditemukan" in words(page)
    chips = {
        each.get_text(" ").split(" hapus")[0].strip(): str(each["href"])
        for each in read(page).select("a.cip")
    }
    assert chips["Daring"] == "/kursus?category=Digital+dan+kantor"


def test_an_empty_result_says_what_to_drop_and_what_that_gives(
    client: FlaskClient, courses: dict[str, Course]
) -> None:
    page = client.get("/kursus?q=barista&mode=online&when=later&province=34").text
    assert "Tidak ada kursus yang cocok." in words(page)
    ways = {words(str(each)): str(each.a["href"]) for each in read(page).select(".jalan li") if each.a}
    assert set(ways) == {"Tanpa kata “barista” 4 kursus"}
    page = client.get("/kursus?q=barista&mode=online").text
    ways = {words(str(each)): str(each.a["href"]) for each in read(page).select(".jalan li") if each.a}
    assert ways["Tanpa “Daring” 1 kursus"] == "/kursus?q=barista"
    assert "1 kursus ditemukan" in words(client.get(ways["Tanpa “Daring” 1 kursus"]).text)
    assert "Teknik dan bengkel 1" in words(page)


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=" + "A" * 4000, "sort=mahal", "when=besok", "mode=sihir", "q=%00%27%29%3B--"],
)
def test_words_that_mean_nothing_in_the_address_never_break_the_page(
    client: FlaskClient, courses: dict[str, Course], query: str
) -> None:
    assert client.get(f"/kursus?{query}", follow_redirects=True).status_code == 200


def test_a_course_shows_its_runs_and_the_seats_that_are_left(
    client: FlaskClient, courses: dict[str, Course]
) -> None:
    page = words(client.get(f"/kursus/{courses['barista'].id}").text)
    assert "Sisa 6 dari 6" in page
    assert "Rp1.200.000" in page


def test_a_course_without_a_run_says_so_and_cannot_be_bought(
    client: FlaskClient, courses: dict[str, Course]
) -> None:
    page = words(client.get(f"/kursus/{courses['web'].id}").text)
    assert "Belum ada jadwal baru." in page
    assert "Lanjut" not in page


def test_choosing_a_run_leads_to_its_review(client: FlaskClient, courses: dict[str, Course]) -> None:
    course_id = courses["barista"].id
    run_id = str(read(client.get(f"/kursus/{course_id}").text).select("input[name=run]")[0]["value"])
    assert client.get(f"/kursus/{course_id}/pilih?run={run_id}").location == f"/beli/{run_id}"
    assert client.get(f"/kursus/{course_id}/pilih?run=zzz").location == f"/kursus/{course_id}"


def test_sorting_needs_no_script_and_quick_filters_say_what_they_would_leave(
    client: FlaskClient, courses: dict[str, Course]
) -> None:
    page = read(client.get("/kursus").text)
    assert page.select_one(".urut select[name=sort]") is not None
    assert page.select_one(".urut button") is not None
    quick = {words(str(each)): str(each["href"]) for each in page.select(".cip")}
    assert quick["Daring 1"] == "/kursus?mode=online"
    assert "1 kursus ditemukan" in words(client.get(quick["Daring 1"]).text)

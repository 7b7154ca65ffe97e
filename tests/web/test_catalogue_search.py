"""Searching with faults, odd letters and many courses; pages that stay in place while the catalogue grows."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from bs4 import Tag
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.catalogue import spelling
from marketplace.catalogue.models import Course, Mode
from marketplace.db import transaction
from marketplace.web.regions import PROVINCES
from tests import factories
from tests.web.conftest import SignIn, counted, read, words

AWKWARD = (
    "<b>Jahit</b> & <script>alert(1)</script> \"rapi\" 'kuat'",
    "\u202eSulam\u202c \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u200bbordir",
    "Kewirausahaan" + "panjang" * 40,
    "C++ / C# & .NET: dasar | lanjutan! (A:*)",
    "Ketikan 👩🏽\u200d🎓 O'Brien",
)

ODD = (
    *("'", '"', "&", "|", "!", ":*", "' | 'x':*", "\\", "<->", "%", "²³", "𝕜𝕠𝕡𝕚", "ﬁ"),
    *("a\x00b", "\x00", "\u0000':*", "\u202e\u200b", "dan di yang", "a" * 10_000, "a " * 5_000),
)


@pytest.fixture
def kitchen(session: Session) -> list[Course]:
    """Thirty courses of one kitchen, with runs for some."""
    with transaction() as current:
        provider = factories.make_provider(current, "Dapur Nusantara")
        made = [
            factories.make_course(
                current,
                provider,
                title=f"Memasak rendang nomor {number}",
                price=Decimal(number % 4 * 400_000),
                category="Kuliner dan wisata",
                mode=Mode.ONLINE if number % 3 else Mode.IN_PERSON,
                rating=Decimal(number % 5) or None,
            )
            for number in range(30)
        ]
        for course in made[::4]:
            factories.make_run(current, course, starts_in=timedelta(days=2), seats=5)
        spelling.learn(current)
    return made


def named(box: Tag) -> tuple[str, str]:
    return str(box["name"]), str(box["value"])


def titles(page: str) -> list[str]:
    return [each.get_text() for each in read(page).select(".kursus h3 a")]


def test_a_mistyped_word_is_corrected_and_the_typed_one_stays_on_offer(
    client: FlaskClient, kitchen: list[Course]
) -> None:
    page = client.get("/kursus?q=memsak+rendnag&mode=in_person").text
    assert "Menampilkan hasil untuk memasak rendang" in words(page)
    assert "10 kursus ditemukan" in words(page)
    [literal] = read(page).select(".catat a")
    assert literal["href"] == "/kursus?q=memsak+rendnag&mode=in_person&exact=1"
    exact = client.get(str(literal["href"])).text
    assert titles(exact) == []
    assert "Mungkin maksud Anda: memasak rendang" in words(exact)
    assert 'value="memsak rendnag"' in page


def test_pages_stay_in_place_while_courses_are_added(
    client: FlaskClient, session: Session, kitchen: list[Course]
) -> None:
    for asked in ("", "q=rendang", "q=rendnag", "sort=cheapest", "sort=soonest"):
        seen: list[str] = []
        following: str | None = f"/kursus?{asked}"
        while following:
            page = client.get(following).text
            seen += titles(page)
            link = read(page).select_one("a[rel=next]")
            following = str(link["href"]) if link else None
            with transaction() as current:
                title, price = f"Sisipan {len(seen)}", Decimal(1)
                factories.make_course(current, title=title, rating=Decimal("4.9"), price=price)
        old = [title for title in seen if title.startswith("Memasak")]
        assert len(old) == len(set(old)) == 30, asked


def test_every_filter_has_counts_and_lives_in_the_address(client: FlaskClient, kitchen: list[Course]) -> None:
    page = read(client.get("/kursus").text)
    offered = {named(box): words(str(box.find_next("label"))) for box in page.select(".saring input")}
    slug = kitchen[0].provider.slug
    assert offered["mode", "online"] == "Daring 20"
    assert offered["province", "34"] == "DI Yogyakarta 30"
    assert offered["price", "free"] == "Gratis 8"
    assert offered["price", "low"] == "Sampai Rp500.000 8"
    assert (offered["rating", "4"], offered["rating", "3"]) == ("Bintang 4 ke atas 6", "Bintang 3 ke atas 12")
    assert offered["provider", slug] == "Dapur Nusantara 30"
    assert offered["seats", "open"] == "Masih ada kursi 8"
    address = f"/kursus?province=34&price=free&provider={slug}&seats=open&mode=in_person&mode=online"
    found = client.get(address).text
    assert "8 kursus ditemukan" in words(found)
    ticked = {named(box) for box in read(found).select(".saring input[checked]")}
    assert ticked == set(parse_qsl(address.partition("?")[2]))
    assert "12 kursus ditemukan" in words(client.get("/kursus?rating=3&rating=x&sort=rating").text)
    chips = {words(str(each)): str(each["href"]) for each in read(found).select(".cip")}
    assert "provider" not in chips["Dapur Nusantara hapus saringan"]


def test_everybody_finds_their_own_province_and_every_category(client: FlaskClient, session: Session) -> None:
    with transaction() as current:
        for number, code in enumerate(PROVINCES):
            provider = factories.make_provider(current)
            provider.province_code = code
            factories.make_course(current, provider, category=f"Bidang {number:02d}")
    page = read(client.get("/kursus").text)
    provinces = [words(str(box.find_next("label"))) for box in page.select("input[name=province]")]
    assert provinces == [f"{name} 1" for name in sorted(PROVINCES.values())]
    assert "Provinsi lembaga" in words(str(page))
    [more] = page.select("button[name=more]")
    assert (more["value"], words(str(more))) == ("category", "Tampilkan 26 lagi (Bidang)")
    chosen = read(client.get("/kursus?category=Bidang+37").text)
    boxes = [words(str(box.find_next("label"))) for box in chosen.select("input[name=category]")]
    assert boxes == [f"Bidang {number:02d} 1" for number in (*range(12), 37)]
    everything = read(client.get("/kursus?category=Bidang+37&more=category").text)
    assert len(everything.select("input[name=category]")) == 38
    assert len(everything.select("input[name=category][checked]")) == 1
    assert not everything.select("button[name=more]")
    every = client.get("/kursus", query_string={"province": list(PROVINCES)}).text
    assert "38 kursus ditemukan" in words(every)


def test_names_that_the_search_does_not_know_reach_no_link(
    client: FlaskClient, kitchen: list[Course]
) -> None:
    page = read(
        client.get("/kursus?_scheme=javascript&_external=1&_anchor=x&tidak=ada&mode=online&province=99").text
    )
    links = [str(each["href"]) for each in page.select("main a[href]")]
    assert len(links) > 12
    assert not [
        link for link in links if "javascript" in link or "tidak" in link or "=99" in link or "#" in link
    ]


def test_titles_of_every_kind_are_found_and_shown_as_they_are(client: FlaskClient, session: Session) -> None:
    with transaction() as current:
        for title in AWKWARD:
            factories.make_course(current, title=title, description="<p onclick=x>Isi</p>")
        spelling.learn(current)
    asked = ("jahit rapi", "bordir", "kewirausahaanpanjang", "net dasar lanjutan a", "o'brien")
    for title, text in zip(AWKWARD, asked, strict=True):
        page = client.get("/kursus", query_string={"q": text}).text
        assert titles(page) == [title]
        assert "<script>" not in page and "<b>Jahit" not in page


@pytest.mark.parametrize("text", ODD)
def test_a_search_bears_whatever_is_typed(client: FlaskClient, kitchen: list[Course], text: str) -> None:
    answer = client.get("/kursus", query_string={"q": text})
    assert answer.status_code == 200
    assert client.get("/kursus", query_string={"q": f"rendang {text}"}).status_code == 200


def test_the_page_takes_as_many_queries_for_twelve_courses_as_for_one(
    app: Flask, session: Session, sign_in: SignIn, kitchen: list[Course]
) -> None:
    with transaction() as current:
        factories.fund_scheme(current)
        user = factories.make_grant(current).participant.user
    buyer = sign_in(user)

    def queries_for(address: str) -> int:
        buyer.get(address)
        with counted(app) as statements:
            assert buyer.get(address).status_code == 200
        return len(statements)

    one, twelve = queries_for("/kursus?q=nomor+29"), queries_for("/kursus?q=rendang")
    assert one == twelve <= 14
    assert queries_for("/kursus?q=rendnag") <= twelve + 5
    assert queries_for("/kursus?q=xilofon&mode=online") <= twelve + 5


def test_strangers_share_a_page_for_some_seconds_and_participants_do_not(
    app: Flask, client: FlaskClient, sign_in: SignIn, kitchen: list[Course], keeping: None
) -> None:
    assert "30 kursus ditemukan" in words(client.get("/kursus").text)
    with transaction() as current:
        factories.make_course(current, title="Baru")
        user = factories.make_user(current)
    with counted(app) as statements:
        assert "30 kursus ditemukan" in words(client.get("/kursus").text)
    assert statements == []
    assert "Find a course" not in client.get("/kursus").text
    client.get("/bahasa/en")
    assert "30 courses found" in words(client.get("/kursus").text)
    assert titles(client.get("/kursus?q=baru").text) == ["Baru"]
    assert titles(sign_in(user).get("/kursus?q=baru").text) == ["Baru"]

"""The pages in a real browser: on a phone and a desk, with script and without, by light and by night."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.identity.models import User
from tests import factories
from tests.browser import PHONE
from tests.live import Live
from tests.marketplace.enrolments.scenes import buy
from tests.visitors import COOKIE, session_cookie
from tests.web.scene import Scene, build

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]

DESK = {"width": 1280, "height": 900}
TARGET = 44
"""The least height of whatever is pressed, in CSS pixels (WCAG 2.5.5)."""

_WIDER_THAN_THE_SCREEN = "document.scrollingElement.scrollWidth - window.innerWidth"
_SMALL_TARGETS = """least => [...document.querySelectorAll(
        'button, .tombol, .govuk-button, input:not([type=radio]):not([type=checkbox]), select, nav a')]
    .filter(each => each.checkVisibility())
    .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect().height])
    .filter(([, height]) => height > 0 && height < least)"""
_BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def scene(live: Live) -> Scene:
    with live.inside(), transaction() as current:
        return build(current)


@pytest.fixture
def screen(live: Live, scene: Scene, browser: "Browser") -> Iterator[Open]:
    """Opens a page of somebody's own browser: screen("participant", PHONE, java_script_enabled=False)."""
    with opening(live, scene, browser) as open_page:
        yield open_page


@contextmanager
def opening(live: Live, scene: Scene, browser: "Browser") -> Iterator[Open]:
    """What opens pages, each in a browser of its own; all are closed at the end."""
    contexts = []

    def open_page(who: str, size: dict[str, int], **options: object) -> "Page":
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type] # width and height, as playwright's own type says
            base_url=live.url,
            locale="id-ID",
            timezone_id="Asia/Jakarta",
            **options,  # type: ignore[arg-type] # passed on
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        cookie = _cookie(live, scene.people[who])
        if cookie:
            context.add_cookies([{"name": COOKIE, "value": cookie, "url": live.url}])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def _cookie(live: Live, user_id: uuid.UUID | None) -> str | None:
    if user_id is None:
        return None
    with live.inside(), transaction() as current:
        return session_cookie(current, live.settings, current.get_one(User, user_id))


def _main_pages(scene: Scene) -> list[tuple[str, str]]:
    """(who, where) of the pages on which people spend their time."""
    own = scene.own
    return [
        ("stranger", "/"),
        ("stranger", "/masuk"),
        ("stranger", "/kursus"),
        ("stranger", f"/kursus/{own['course_id']}"),
        ("stranger", f"/kursus/lembaga/{own['provider_id']}"),
        ("stranger", f"/kursus/banding?k={own['course_id']}&k={scene.others['course_id']}"),
        ("newcomer", "/daftar"),
        ("participant", "/beranda"),
        ("participant", "/kursus"),
        ("participant", "/kursus?q=tidak+ada+di+sini"),
        ("participant", "/tersimpan"),
        ("participant", f"/beli/{own['later_run_id']}"),
        ("participant", "/kursus-saya"),
        ("participant", f"/kursus-saya/{own['enrolment_id']}"),
        ("participant", f"/bukti/{own['enrolment_id']}"),
        ("participant", f"/kursus-saya/{own['completed_id']}"),
        ("participant", f"/kursus-saya/{own['completed_id']}/ulasan"),
        ("participant", f"/sertifikat/{scene.certificate}"),
        ("stranger", "/sertifikat"),
        ("stranger", "/status"),
        ("participant", f"/pengaduan/baru?pendaftaran={own['enrolment_id']}"),
        ("participant", f"/pengaduan/{own['complaint_id']}"),
        ("desk", "/kantor/pengaduan"),
        ("desk", f"/kantor/pengaduan/{own['complaint_id']}"),
        ("desk", f"/kantor/orang/{own['participant_id']}"),
        ("provider", "/lembaga"),
        ("provider", "/lembaga/jadwal"),
        ("provider", f"/lembaga/jadwal/{own['run_id']}"),
        ("provider", f"/lembaga/sesi/{own['session_id']}"),
        ("provider", "/lembaga/pendaftaran"),
        ("provider", f"/lembaga/jadwal/{own['run_id']}/kehadiran"),
        ("provider", f"/lembaga/jadwal/{own['run_id']}/pesan"),
        ("provider", f"/lembaga/berkas/{own['export_id']}"),
        ("provider", "/lembaga/grafik"),
        ("provider", "/lembaga/laporan"),
        ("provider", f"/lembaga/ulasan/{own['review_id']}"),
        ("provider", "/lembaga/pembayaran"),
        ("provider", f"/lembaga/pembayaran/{own['payout_id']}"),
        ("finance", "/keuangan"),
        ("finance", f"/keuangan/pembayaran/{scene.payout_run}"),
        ("finance", "/keuangan/rekening-koran"),
        ("finance", f"/keuangan/sertifikat/{own['certificate_id']}"),
        ("finance", "/keuangan/buku-besar"),
        ("finance", f"/keuangan/buku-besar/txn_{scene.transaction.hex}"),
        ("finance", "/keuangan/buku-besar/akun/fund:2023"),
    ]


def _bring_buyer(live: Live, scene: Scene) -> str:
    """Somebody else with a whole balance. Returns the title of the course that they want."""
    with live.inside(), transaction() as current:
        buyer = factories.make_grant(current).participant.user
        course = factories.make_course(current, title=f"Barista Kedai Kopi {uuid.uuid4().hex[:6]}")
        factories.make_run(current, course)
        scene.people["buyer"] = buyer.id
        return course.title


@pytest.mark.parametrize(
    ("size", "script"), [(PHONE, False), (DESK, True)], ids=["phone without script", "desk with script"]
)
def test_a_participant_buys_by_clicking_from_the_catalogue_to_the_receipt(
    live: Live, scene: Scene, screen: Open, size: dict[str, int], script: bool
) -> None:
    title = _bring_buyer(live, scene)
    page = screen("buyer", size, java_script_enabled=script)
    page.goto("/kursus")
    page.get_by_role("searchbox").fill(title)
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name=title).click()
    page.get_by_role("button", name="Lanjut").click()
    page.get_by_role("button", name="Beli dengan saldo").click()
    page.wait_for_url("**/bukti/*")
    assert "Anda terdaftar" in page.inner_text("main")
    page.reload()
    assert title in page.inner_text("main")


@dataclass
class Tour:
    """What came of opening every main page once: faults of its shape, addresses asked for, complaints."""

    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def open(self, page: "Page", who: str, address: str) -> None:
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type] # width and height
            too_wide = page.evaluate(_WIDER_THAN_THE_SCREEN)
            small = page.evaluate(_SMALL_TARGETS, TARGET)
            where = f"{who} {address} at {size['width']} px"
            self.faults += [f"{where}: {too_wide} px too wide"] if too_wide > 0 else []
            self.faults += [f"{where}: {each}" for each in small]


@pytest.fixture(scope="module")
def tour(live: Live, scene: Scene, browser: "Browser") -> Tour:
    """Every main page, opened once by whom it is for."""
    found = Tour()
    with opening(live, scene, browser) as screen:
        pages: dict[str, Page] = {}
        for who, address in _main_pages(scene):
            if who not in pages:
                pages[who] = screen(who, DESK)
                pages[who].on("request", lambda request: found.asked.append(request.url))
                pages[who].on("console", lambda message: found.said.append(message.text))
            found.open(pages[who], who, address)
    return found


def test_no_main_page_is_wider_than_the_screen_or_has_small_targets(tour: Tour) -> None:
    assert not tour.faults, "\n".join(tour.faults)


def test_no_page_asks_another_site_for_anything_or_breaks_its_policy(live: Live, tour: Tour) -> None:
    sites = {url.split("/")[2] for url in tour.asked if not url.startswith("data:")}
    assert sites == {live.url.split("/")[2]}
    assert tour.said == []


def test_a_page_that_is_too_wide_and_a_small_button_are_seen(screen: Open) -> None:
    page = screen("stranger", PHONE)
    page.set_content("<button style='height: 20px'>x</button><p style='width: 900px'>y</p>")
    assert page.evaluate(_WIDER_THAN_THE_SCREEN) > 0
    [[_element, height]] = page.evaluate(_SMALL_TARGETS, TARGET)
    assert height == 20


def test_at_night_the_pages_are_dark(screen: Open) -> None:
    day, night = screen("participant", PHONE), screen("participant", PHONE, color_scheme="dark")
    colours = []
    for page in (day, night):
        page.goto("/beranda")
        colours.append(_brightness(page.evaluate(_BACKGROUND)))
    assert colours[0] > 200
    assert colours[1] < 60


def test_the_error_summary_leads_to_its_field(screen: Open) -> None:
    page = screen("stranger", PHONE)
    page.goto("/masuk")
    page.get_by_role("textbox").fill("bukan alamat")
    page.get_by_role("button", name="Kirim kode").click()
    page.locator(".govuk-error-summary a").first.click()
    assert page.evaluate("document.activeElement.id") == "contact"
    assert page.get_by_role("textbox").input_value() == "bukan alamat"


def test_the_first_thing_that_tab_reaches_skips_to_the_content(screen: Open) -> None:
    page = screen("participant", PHONE)
    page.goto("/beranda")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "isi"


def test_a_watched_list_renews_itself_and_leaves_what_is_being_typed(
    live: Live, scene: Scene, screen: Open
) -> None:
    watched, plain = screen("provider", DESK), screen("provider", DESK, java_script_enabled=False)
    for page in (watched, plain):
        page.goto("/lembaga/pendaftaran")
    watched.get_by_text("Langsung,").wait_for()
    assert not plain.get_by_text("Langsung,").is_visible()
    watched.get_by_role("textbox", name="Cari peserta").fill("setengah nama")
    with live.inside(), transaction() as current:
        grant = factories.make_grant(current)
        grant.participant.full_name = f"Pembeli {uuid.uuid4().hex[:6]}"
        name = grant.participant.full_name
        buy(current, current.get_one(Run, scene.own["later_run_id"]), grant)
    watched.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    watched.get_by_role("link", name=name).wait_for()
    assert watched.get_by_role("textbox", name="Cari peserta").input_value() == "setengah nama"
    plain.reload()
    assert plain.get_by_role("link", name=name).is_visible()


def _brightness(colour: str) -> float:
    """The mean of the three parts of "rgb(r, g, b)"."""
    parts = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(float(part) for part in parts) / 3

"""The pages in a real browser: on a phone and a desk, with script and without, by light and by night."""

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from marketplace.db import transaction
from marketplace.identity.models import User
from tests import factories
from tests.browser import PHONE
from tests.live import Live
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
        ("newcomer", "/daftar"),
        ("participant", "/beranda"),
        ("participant", "/kursus"),
        ("participant", f"/beli/{own['later_run_id']}"),
        ("participant", "/kursus-saya"),
        ("participant", f"/kursus-saya/{own['enrolment_id']}"),
        ("participant", f"/bukti/{own['enrolment_id']}"),
        ("provider", "/lembaga"),
        ("provider", "/lembaga/jadwal"),
        ("provider", f"/lembaga/jadwal/{own['run_id']}"),
        ("provider", f"/lembaga/sesi/{own['session_id']}"),
        ("provider", "/lembaga/pendaftaran"),
        ("provider", "/lembaga/pembayaran"),
        ("provider", f"/lembaga/pembayaran/{own['payout_id']}"),
        ("finance", "/keuangan"),
        ("finance", f"/keuangan/pembayaran/{scene.payout_run}"),
        ("finance", "/keuangan/rekening-koran"),
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


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
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


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_no_main_page_is_wider_than_the_screen_or_has_small_targets(
    scene: Scene, screen: Open, size: dict[str, int]
) -> None:
    found, pages = [], {}
    for who, address in _main_pages(scene):
        page = pages.setdefault(who, None) or screen(who, size)
        pages[who] = page
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address
        too_wide = page.evaluate(_WIDER_THAN_THE_SCREEN)
        if too_wide > 0:
            found.append(f"{who} {address}: {too_wide} px too wide")
        found += [f"{who} {address}: {each}" for each in page.evaluate(_SMALL_TARGETS, TARGET)]
    assert not found, "\n".join(found)


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


def test_no_page_asks_another_site_for_anything_or_breaks_its_policy(scene: Scene, screen: Open) -> None:
    for who in ("stranger", "participant", "provider", "finance"):
        page = screen(who, DESK)
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        for _who, address in (each for each in _main_pages(scene) if each[0] == who):
            page.goto(address)
        assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {page.url.split("/")[2]}
        assert said == []


def _brightness(colour: str) -> float:
    """The mean of the three parts of "rgb(r, g, b)"."""
    parts = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(float(part) for part in parts) / 3

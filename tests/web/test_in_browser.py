"""The pages in a real browser: on a phone and a desk, with script and without, by light and by night."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from sqlalchemy import update

from marketplace.catalogue.models import Run
from marketplace.db import db, transaction
from marketplace.identity.models import UserSession
from marketplace.oversight import log as public_log
from tests import factories
from tests.browser import DESK, PHONE
from tests.live import Live
from tests.marketplace.enrolments.scenes import buy
from tests.watermark import wait_for_others
from tests.web.axe import find_axe, findings, load_axe
from tests.web.scene import Scene, build
from tests.web.screens import Open, opening
from tests.web.tour import (
    CUT_MONEY,
    SMALL_TARGETS,
    TARGET,
    WIDER_THAN_THE_SCREEN,
    Tour,
    fill_in,
    stops,
    weigh,
)

PROCESSES = ("web",)
# the tour opens a hundred pages for the first of its tests
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIRST_VIEW, LATER_VIEW, COMPRESSED = 100 * 1024, 20 * 1024, 5 * 1024
"""Bytes of a page with all its files, of a page whose files are there already, of its HTML compressed."""

ALL_COMPONENTS = "stranger /dev/components"

_GLIDES = "getComputedStyle(document.documentElement).scrollBehavior === 'smooth'"
_UNMARKED = """() => {
    const it = document.activeElement;
    const places = [[it], [it, '::after'], [it.nextElementSibling, '::before'], [it.closest('.pilihan')]];
    const rings = places.filter(([place]) => place).map(([place, part]) => getComputedStyle(place, part));
    const isSeen = rings.some(ring => ring.outlineStyle === 'solid' && ring.outlineWidth === '3px');
    return isSeen ? null : it.outerHTML.slice(0, 80);
}"""
_UNMARK = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('*, ::before, ::after { outline: 0 !important }');
    document.adoptedStyleSheets = [sheet];
}"""
_PRESSED = """() => [...document.querySelectorAll('nav, .tombol, .atas-kanan, footer a')]
    .filter(each => each.checkVisibility()).map(each => each.outerHTML.slice(0, 80))"""
"""What leads elsewhere and is shown."""
_BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def scene(live: Live) -> Scene:
    with live.inside():
        with transaction() as current:
            built = build(current)
        wait_for_others(db.session())
        with transaction() as current:
            public_log.seal_waiting(current, public_log.signer(live.settings))
        return built


@pytest.fixture
def screen(live: Live, scene: Scene, browser: "Browser") -> Iterator[Open]:
    """Opens a page of somebody's own browser: screen("participant", PHONE, java_script_enabled=False)."""
    with opening(live, scene.people, browser) as open_page:
        yield open_page


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


@pytest.fixture(scope="module")
def tour(live: Live, scene: Scene, browser: "Browser", _application: Flask) -> Tour:
    """Every page, opened once by whom it is for."""
    found = Tour(find_axe())
    with opening(live, scene.people, browser) as screen:
        pages: dict[str, Page] = {}
        for who, address in stops(_application, scene):
            if who not in pages:
                pages[who] = screen(who, DESK)
                found.listen(pages[who])
            found.open(pages[who], who, address)
        _forget_proofs(live)
        fill_in(found, pages, scene)
    return found


def _forget_proofs(live: Live) -> None:
    """Everybody gave their last code so long ago that what moves money asks for another."""
    with live.inside(), transaction() as current:
        current.execute(update(UserSession).values(proved_at=UserSession.proved_at - timedelta(days=1)))


def test_no_page_is_wider_than_the_screen_or_has_small_targets(tour: Tour) -> None:
    assert not tour.faults, "\n".join(tour.faults)


def test_axe_finds_nothing_serious_on_any_page(tour: Tour) -> None:
    if tour.axe is None:
        pytest.skip("looking with axe needs the package axe-playwright-python")
    assert not tour.findings, "\n".join(tour.findings)


def test_no_page_asks_another_site_for_anything_or_breaks_its_policy(live: Live, tour: Tour) -> None:
    sites = {url.split("/")[2] for url in tour.asked if not url.startswith("data:")}
    assert sites == {live.url.split("/")[2]}
    assert tour.complaints == []


def test_an_amount_without_its_last_digits_is_seen(screen: Open) -> None:
    page = screen("stranger", PHONE)
    box = "<div style='overflow: {}; width: 60px'><b class='uang'>Rp100.000.000.000</b></div>"
    page.set_content(box.format("hidden") + box.format("auto"))
    assert len(page.evaluate(CUT_MONEY)) == 1


def test_a_page_that_is_too_wide_and_a_small_button_are_seen(screen: Open) -> None:
    page = screen("stranger", PHONE)
    page.set_content("<button style='height: 20px'>x</button><p style='width: 900px'>y</p>")
    assert page.evaluate(WIDER_THAN_THE_SCREEN) > 0
    assert page.evaluate(CUT_MONEY) == []
    [[_element, height]] = page.evaluate(SMALL_TARGETS, TARGET)
    assert height == 20


def test_every_page_is_light_on_the_first_view_and_lighter_on_the_next(tour: Tour) -> None:
    heavy = [
        f"{where}: {came} bytes, {packed} compressed, and {files} of files"
        for where, (came, packed, files) in tour.weights.items()
        if where != ALL_COMPONENTS and (came > LATER_VIEW or came + files > FIRST_VIEW or packed > COMPRESSED)
    ]
    assert not heavy, "\n".join(heavy)


def test_a_heavy_page_is_seen(screen: Open) -> None:
    page = screen("stranger", PHONE)
    page.route("**/berat", lambda route: route.fulfill(body="<p>berat</p>" * 9_000, content_type="text/html"))
    answer = page.goto("/berat")
    assert answer is not None
    came, packed, _files = weigh(page, answer.body())
    assert came > LATER_VIEW > packed


def test_a_field_without_a_label_and_pale_words_are_found(screen: Open) -> None:
    script = find_axe()
    if script is None:
        pytest.skip("looking with axe needs the package axe-playwright-python")
    page = screen("stranger", PHONE)
    page.goto("/masuk")
    page.evaluate("document.querySelector('label').remove()")
    page.evaluate("document.querySelector('h1').style.color = '#bbb'")
    load_axe(page, script)
    assert {each.partition(":")[0] for each in findings(page)} == {"label", "color-contrast"}


def test_what_has_the_focus_is_marked_and_nothing_glides_for_whoever_asks_for_calm(screen: Open) -> None:
    calm, usual = screen("participant", PHONE, reduced_motion="reduce"), screen("participant", PHONE)
    for page in (calm, usual):
        page.goto("/kursus")
    assert [page.evaluate(_GLIDES) for page in (calm, usual)] == [False, True]
    assert not [lost for _press in range(25) if (lost := _next_unmarked(calm))]
    calm.evaluate(_UNMARK)
    assert _next_unmarked(calm)


def test_at_night_the_pages_are_dark(screen: Open) -> None:
    day, night = screen("participant", PHONE), screen("participant", PHONE, color_scheme="dark")
    colours = []
    for page in (day, night):
        page.goto("/beranda")
        colours.append(_brightness(page.evaluate(_BACKGROUND)))
    assert colours[0] > 200
    assert colours[1] < 60


@pytest.mark.parametrize("kept", ["receipt", "certificate"])
def test_on_paper_is_what_proves_a_page_and_nothing_to_press(scene: Scene, screen: Open, kept: str) -> None:
    page = screen("participant", DESK)
    if kept == "receipt":
        page.goto(f"/bukti/{scene.own['enrolment_id']}")
        proofs = [page.locator(".qr img"), page.locator(".struk").get_by_text(re.compile("^BKL-")).first]
    else:
        page.goto(f"/sertifikat/{scene.certificate}")
        proofs = [page.locator(".struk").get_by_text(scene.certificate)]
    assert page.evaluate(_PRESSED), "on a screen there is something to press"
    page.emulate_media(media="print")
    assert page.evaluate(_PRESSED) == []
    assert all(each.is_visible() for each in proofs)


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


def _next_unmarked(page: "Page") -> str | None:
    """Press Tab: whatever has the focus then and shows no ring."""
    page.keyboard.press("Tab")
    found: str | None = page.evaluate(_UNMARKED)
    return found


def _brightness(colour: str) -> float:
    """The mean of the three parts of "rgb(r, g, b)"."""
    parts = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(float(part) for part in parts) / 3

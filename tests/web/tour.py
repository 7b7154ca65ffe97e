"""A tour of every page in a real browser, each opened once by whom it is for."""

import gzip
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.routing import Rule

from marketplace.web.access import Access, declared
from tests import factories
from tests.browser import DESK, PHONE
from tests.thorough import THOROUGH
from tests.web import axe
from tests.web.places import address_of, states
from tests.web.scene import Ids, Scene

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

TARGET = 44
"""The least height of whatever is pressed, in CSS pixels (WCAG 2.5.5)."""

WIDER_THAN_THE_SCREEN = "document.scrollingElement.scrollWidth - window.innerWidth"
SMALL_TARGETS = """least => [...document.querySelectorAll(
        'button, .tombol, .govuk-button, input:not([type=radio]):not([type=checkbox]), select, nav a')]
    .filter(each => each.checkVisibility())
    .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect().height])
    .filter(([, height]) => height > 0 && height < least)"""

CUT_MONEY = """() => [...document.querySelectorAll('.uang')].filter(each => {
    const right = each.getBoundingClientRect().right - 1;
    for (let box = each.parentElement; box && each.checkVisibility(); box = box.parentElement) {
        const overflow = getComputedStyle(box).overflowX;
        if (overflow === 'auto' || overflow === 'scroll') return false;
        if (overflow !== 'visible' && box.getBoundingClientRect().right < right) return true;
    }
    return false;
}).map(each => each.outerHTML.slice(0, 80))"""
"""Amounts of which the box around them hides the end; one that may be scrolled to is not cut."""

WEIGHT = """() => performance.getEntries().filter(each => each.encodedBodySize)
    .map(each => [each.entryType === 'navigation', each.encodedBodySize])"""
"""What the page and each of its files weighed on the way, in bytes; also those that were kept from before."""

_LOOKS = tuple(itertools.product((PHONE, DESK), ("light", "dark")))
"""How axe looks at a page: at each in one of these ways, in turn."""

_EVERY = 1 if THOROUGH else 5
"""Half of a tour's time is axe's. Where somebody waits for it, axe looks at every fifth page."""

_READERS: dict[Access, tuple[str, ...]] = {
    Access.PUBLIC: ("stranger",),
    Access.SIGNED_IN: ("newcomer",),
    Access.PARTICIPANT: ("participant",),
    Access.PROVIDER: ("provider",),
    Access.FINANCE: ("finance",),
    Access.CURATOR: ("curator",),
    Access.DESK: ("desk",),
    Access.PEOPLE: ("desk",),
    Access.DEVELOPMENT: ("stranger",),
}
_MACHINES = ("log", "health")
_FILES = {
    "public.language",
    "provider.enrolments_live",
    "provider.export_live",
    "provider.session_live",
    "provider.overview_live",
    "provider.download_export",
    "applying.document",
    "curation.application_document",
    "participant.complaint_attachment",
    "provider.complaint_attachment",
    "people.complaint_attachment",
}
"""Routes that answer with no page: a file, a part of a page, another page."""

REFUSED = (("stranger", "/tidak-ada"), ("participant", "/lembaga"), ("stranger", "/keluar"))
"""What is not there, not theirs, or no page at all."""


def stops(app: Flask, scene: Scene) -> Iterator[tuple[str, str]]:
    """(who, where): every route that answers with a page, and the states of some that differ."""
    for rule in app.url_map.iter_rules():
        if _is_page(rule):
            for who in _READERS[declared(app)[rule.endpoint.rpartition(".")[0]]]:
                yield who, address_of(app, rule, scene, scene.own)
    own, other = scene.own["course_id"], scene.others["course_id"]
    yield "stranger", f"/kursus/banding?k={own}&k={other}"
    yield "participant", f"/kursus/{own}"
    yield "participant", "/kursus"
    yield "participant", "/kursus?q=tidak+ada+di+sini&mode=online&mode=in_person&when=later&price=high"
    yield "participant", f"/beli/{scene.own['later_run_id']}"
    yield "auditor", f"/keuangan/pembayaran/{scene.payout_run}"
    yield from states(scene)
    yield from REFUSED


def _is_page(rule: Rule) -> bool:
    blueprint, _, _name = rule.endpoint.rpartition(".")
    has_suffix = "." in rule.rule.rpartition("/")[2]
    return bool(
        "GET" in (rule.methods or ())
        and blueprint
        and blueprint not in _MACHINES
        and not has_suffix
        and rule.endpoint not in _FILES
    )


def weigh(page: "Page", html: bytes) -> tuple[int, int, int]:
    """The bytes of the page as it came, of its HTML compressed, and of all its files."""
    parts = page.evaluate(WEIGHT)
    came = sum(size for is_page, size in parts if is_page)
    return came, len(gzip.compress(html)), sum(size for is_page, size in parts if not is_page)


@dataclass
class Tour:
    """What came of it: faults of the shape, findings of axe, addresses asked for, complaints, and the weight
    of each page as `weigh` has it."""

    axe: str | None
    faults: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    weights: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    _said: list[tuple[str, str]] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    @property
    def complaints(self) -> list[str]:
        """What the browser said, but that a page is a refusal, which is meant."""
        lost = "Failed to load resource"
        said = [each for each in self._said if not (each[0] in self._refused and each[1].startswith(lost))]
        return [f"{where}: {words}" for where, words in said]

    def listen(self, page: "Page") -> None:
        """Note what the page asks for and complains about from now on."""
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", self._note_refusal)
        page.on("console", lambda message: self._said.append((message.location["url"], message.text)))
        page.on("pageerror", lambda error: self._said.append((page.url, str(error))))

    def _note_refusal(self, response: "Response") -> None:
        if response.status >= 400 and response.request.is_navigation_request():
            self._refused.add(response.url)

    def open(self, page: "Page", who: str, address: str) -> None:
        """Look at a page; at one that another place led to already only once."""
        answer = page.goto(address)
        assert answer is not None and answer.headers["content-type"].startswith("text/html"), address
        assert answer.status == 200 or (who, address) in REFUSED, f"{who} {address} {answer.status}"
        if (who, page.url) not in self._seen:
            self._seen.add((who, page.url))
            self.look(page, f"{who} {address}", answer.body())

    def send(self, page: "Page", button: str, typed: Mapping[str, str] | None = None) -> None:
        """Fill in the form of the opened page, press its button, and look at what comes."""
        for name, value in (typed or {}).items():
            page.locator(f'[name="{name}"]').fill(value)
        with page.expect_navigation() as coming:
            page.get_by_role("button", name=button, exact=True).click()
        where = f"{page.url} after {button} with {sorted(typed or ())}"
        self.look(page, where, coming.value.body())

    def look(self, page: "Page", where: str, html: bytes) -> None:
        """Look at an opened page on a phone and on a desk; with axe in one way of four."""
        shown, scheme = _LOOKS[len(self.weights) % len(_LOOKS)]
        self.weights[where] = weigh(page, html)
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # light or dark
        for size in sorted((PHONE, DESK), key=lambda size: size != page.viewport_size):
            page.set_viewport_size(size)  # type: ignore[arg-type] # width and height
            how = f"{where}, {size['width']} px, {scheme}"
            too_wide = page.evaluate(WIDER_THAN_THE_SCREEN)
            self.faults += [f"{how}: {too_wide} px too wide"] if too_wide > 0 else []
            self.faults += [f"{how}: {each}" for each in page.evaluate(SMALL_TARGETS, TARGET)]
            self.faults += [f"{how}: {each} is cut" for each in page.evaluate(CUT_MONEY)]
            if self.axe and size is shown and len(self.weights) % _EVERY == 0:
                axe.load_axe(page, self.axe)
                self.findings += [f"{how}: {each}" for each in axe.findings(page)]


def fill_in(tour: Tour, pages: Mapping[str, "Page"], scene: Scene) -> None:
    """Look at what only a sent form leads to: its errors, and the next page of several."""
    stranger, newcomer = pages["stranger"], pages["newcomer"]
    stranger.goto("/masuk")
    tour.send(stranger, "Kirim kode")
    tour.send(stranger, "Kirim kode", {"contact": "pejalan@contoh.test"})
    given = factories.make_registration()
    born = given.birth_date
    newcomer.goto("/daftar-lembaga")
    tour.send(newcomer, "Kirim ke kantor program")
    newcomer.goto("/daftar")
    tour.send(newcomer, "Lanjut")
    birth = {"birth-day": f"{born.day}", "birth-month": f"{born.month}", "birth-year": f"{born.year}"}
    tour.send(newcomer, "Lanjut", {"full_name": given.full_name, **birth})
    tour.send(newcomer, "Lanjut", {"nik": given.nik, "kk": given.kk})
    _fill_in_as_provider(tour, pages["provider"], scene.own)
    _fill_in_as_participant(tour, pages["participant"], scene.own)


def _fill_in_as_provider(tour: Tour, page: "Page", own: Ids) -> None:
    for address, button in (
        ("/lembaga/kursus/baru", "Simpan naskah"),
        (f"/lembaga/kursus/{own['course_id']}/jadwal-baru", "Buka untuk dibeli"),
    ):
        page.goto(address)
        tour.send(page, button)
    page.goto(f"/lembaga/sesi/{own['over_session_id']}/daftar-hadir")
    page.get_by_text("Isi dari berkas CSV").click()
    tour.send(page, "Baca berkas")
    page.goto(f"/lembaga/pendaftaran/{own['declared_id']}/koreksi")
    page.get_by_label("Pertemuan 4").uncheck()
    tour.send(page, "Tinjau dulu", {"reason": "Salah orang.", "evidence": "Daftar hadir, halaman 2."})
    page.goto("/lembaga/rekening")
    page.get_by_label("Bank", exact=True).select_option("BMRIIDJA")
    tour.send(page, "Ajukan rekening", {"holder_name": "Karya Mandiri", "number": "13700012346"})


def _fill_in_as_participant(tour: Tour, page: "Page", own: Ids) -> None:
    page.goto(f"/beli/{own['full_run_id']}")
    tour.send(page, "Masuk daftar tunggu")
    page.goto(f"/beli/{own['offered_run_id']}")
    tour.send(page, "Beli dengan saldo Rp100.000")
    page.goto("/survei/2")
    tour.send(page, "Kirim jawaban")

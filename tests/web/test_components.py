"""The design system: it renders, keeps to its budget, and needs no script, inline style or other site."""

import gzip
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, render_template, render_template_string
from flask_babel import Babel
from jinja2 import ChoiceLoader, FileSystemBytecodeCache, PackageLoader, PrefixLoader, UndefinedError
from lxml import html

from marketplace.web import formatting
from marketplace.web.assets import asset_url

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
SHELL: dict[str, Any] = {
    "locale": "id",
    "audience": "participant",
    "home_href": "/home",
    "place": None,
    "nav": [
        {"label": "Beranda", "href": "/b", "icon": "home", "current": True, "badge": None},
        {"label": "Akun", "href": "/a", "icon": "user", "current": False, "badge": "2", "phone_only": True},
    ],
    "user": {"name": "Ratna Lestari", "initials": "RL", "href": "/a"},
    "balance": Decimal(2050000),
    "balance_href": "/b",
    "sign_in": None,
    "language": {"label": "English", "code": "en", "href": "/language"},
    "footer": [("Cari kursus", "/c")],
    "banners": ["Waktu program dimajukan 10 hari untuk uji coba."],
}
VISITOR = {
    "audience": "public",
    "user": None,
    "nav": [],
    "balance": None,
    "sign_in": {"label": "Masuk", "href": "/in"},
}
STAFF = {"audience": "staff", "place": "Karya Mandiri Yogyakarta", "balance": None}
ERRORS = [400, 403, 404, 405, 413, 429, 500, 503]


@pytest.fixture(scope="module")
def compiled_here(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """The templates, compiled once for all tests of this module."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("components")))


@pytest.fixture
def app(compiled_here: FileSystemBytecodeCache) -> Iterator[Flask]:
    """Only what the layout needs: filters, the macros' loader and the addresses it links to."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(STATIC))
    app.jinja_env.loader = ChoiceLoader(
        [
            app.jinja_env.loader or PrefixLoader({}),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    app.jinja_env.bytecode_cache = compiled_here
    Babel(app, default_locale="id")
    formatting.install(app)
    app.jinja_env.globals["csrf_token"] = lambda: "token"
    pages = Blueprint("public", __name__)
    pages.add_url_rule("/home", "home", lambda: "")
    app.register_blueprint(pages)
    with app.test_request_context("/dev/components"):
        yield app


def test_the_page_of_all_components_needs_no_script_and_no_inline_style(app: Flask) -> None:
    page = render_template("dev/components.html", shell=SHELL)
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_all_parts_of_a_page_weigh_little(app: Flask) -> None:
    page = render_template("dev/components.html", shell=SHELL).encode()
    assert len(gzip.compress(page)) < 20_000, "every component at once must fit a later view"
    assert len(gzip.compress((STATIC / "bekal.css").read_bytes())) <= 14 * 1024
    assert len(gzip.compress((STATIC / "vendor/govuk-frontend-6.3.0.css").read_bytes())) <= 16 * 1024


def test_vendored_styles_carry_no_font_and_no_foreign_address() -> None:
    for sheet in STATIC.rglob("*.css"):
        css = sheet.read_text()
        assert "@font-face" not in css
        assert "GDS Transport" not in css
        assert not re.search(r"url\(|@import|crown\.", css.replace("Crown Copyright", "")), sheet


def test_nothing_moves_but_what_scrolls_for_those_who_do_not_mind() -> None:
    css = (STATIC / "bekal.css").read_text()
    assert not re.search(r"transition|animation|@keyframes", css)
    assert css.count("scroll-behavior") == css.count("no-preference) { html { scroll-behavior") == 1


def test_no_text_is_smaller_than_thirteen_pixels() -> None:
    sizes = re.findall(r"font(?:-size)?:[^;{}]*?(\d+)px", (STATIC / "bekal.css").read_text())
    assert sizes
    assert min(int(size) for size in sizes) >= 13


def test_ids_are_unique_and_labels_lead_to_fields(app: Flask) -> None:
    tree = html.fromstring(render_template("dev/components.html", shell=SHELL))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(tree.xpath("//label/@for")) <= set(ids)
    described = {name for value in tree.xpath("//@aria-describedby") for name in value.split()}
    assert described <= set(ids)


def test_every_icon_is_hidden_from_readers(app: Flask) -> None:
    tree = html.fromstring(render_template("dev/components.html", shell=SHELL))
    exposed = [
        svg for svg in tree.iter("svg") if not svg.xpath("ancestor-or-self::*[@aria-hidden or @role='img']")
    ]
    assert exposed == []


def test_an_unknown_icon_stops_the_page(app: Flask) -> None:
    with pytest.raises(UndefinedError):
        render_template_string('{% from "_icons.html" import icon %}{{ icon("unicorn") }}')


def test_portions_are_shares_of_their_sum(app: Flask) -> None:
    bar = render_template_string(
        '{% import "_components.html" as ui %}{{ ui.split(parts, "Seluruh bantuan") }}',
        parts=[
            ("Sisa", Decimal(2050000), "available"),
            ("Dititipkan", Decimal(600000), "escrow"),
            ("Ditahan", Decimal(0), "held"),
            ("Dibayarkan", Decimal(850000), "paid"),
        ],
    )
    assert re.findall(r'<svg class="w w-(\w+)" width="([\d.]+)%', bar) == [
        ("available", "58.57"),
        ("escrow", "17.14"),
        ("paid", "24.29"),
    ]
    assert "Rp3.500.000" in bar, "the legend sums to the total"


def test_a_dearer_course_says_what_is_missing(app: Flask) -> None:
    card = '{% import "_components.html" as ui %}{{ ui.course_card("A", "#", "B", "code", "", [], p, b) }}'
    assert "Kurang" in render_template_string(card, p=Decimal(2400000), b=Decimal(2050000))
    assert "Rp350.000" in render_template_string(card, p=Decimal(2400000), b=Decimal(2050000))
    assert "Saldo cukup" in render_template_string(card, p=Decimal(2050000), b=Decimal(2050000))
    assert "Gratis" in render_template_string(card, p=Decimal(0), b=None)


def test_what_people_typed_is_escaped(app: Flask) -> None:
    page = render_template_string(
        '{% import "_forms.html" as form %}{% import "_components.html" as ui %}'
        "{{ form.text_field('a', 'A', value=evil, error=evil) }}{{ form.error_summary({'a': evil}) }}"
        "{{ form.search('q', 'Cari', evil) }}{{ ui.review(3, evil, evil) }}{{ ui.tag(evil) }}",
        evil='"><script>alert(1)</script>',
    )
    assert "<script" not in page


def test_an_error_leads_to_its_field_and_dates_to_their_day(app: Flask) -> None:
    page = render_template_string(
        '{% import "_forms.html" as form %}'
        '{{ form.error_summary({"nik": "x", "lahir": "y"}, dates=["lahir"]) }}'
        '{{ form.digits_field("nik", "NIK", error="x") }}{{ form.date_field("lahir", "Lahir", error="y") }}'
    )
    tree = html.fromstring(page)
    for href in tree.xpath("//*[@class='govuk-error-summary']//a/@href"):
        assert tree.xpath("//input[@id=$name]", name=href[1:])


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("audience", [{}, VISITOR, STAFF], ids=["participant", "visitor", "staff"])
def test_error_pages_say_what_happens_next(app: Flask, code: int, audience: dict[str, Any]) -> None:
    page = render_template(f"errors/{code}.html", shell=SHELL | audience, request_id="9f2c")
    tree = html.fromstring(page)
    assert len(tree.xpath("//h1")) == 1
    assert tree.xpath("//main//a[contains(@class, 'tombol')]")
    assert "9f2c" in page


def test_participants_get_tabs_and_staff_a_sidebar(app: Flask) -> None:
    participant = html.fromstring(render_template("errors/404.html", shell=SHELL))
    staff = html.fromstring(render_template("errors/404.html", shell=SHELL | STAFF))
    assert participant.xpath("//nav[@class='tab']")
    assert not participant.xpath("//nav[@class='sisi']")
    assert staff.xpath("//nav[@class='sisi']")
    assert participant.xpath("//a[@aria-current='page']/text()") == ["Beranda"]


def test_the_address_of_a_file_changes_with_its_content(app: Flask) -> None:
    assert re.fullmatch(r"/static/bekal\.css\?v=[0-9a-f]{8}", asset_url("bekal.css"))
    with pytest.raises(FileNotFoundError):
        asset_url("missing.css")

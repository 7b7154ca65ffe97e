"""The rules for pages see the faults that they are for."""

import pytest
from flask import Flask

from tests.web import page_rules
from tests.web.page_rules import Rule, read

FAULTS: list[tuple[Rule, str]] = [
    (page_rules.inline_code, "<style>p { color: red }</style>"),
    (page_rules.inline_code, "<script>alert(1)</script>"),
    (page_rules.inline_code, '<script type="module">alert(1)</script>'),
    (page_rules.inline_code, '<p style="color: red">x</p>'),
    (page_rules.inline_code, '<a href="/" onclick="go()">x</a>'),
    (page_rules.foreign_addresses, '<script src="https://cdn.contoh.test/a.js"></script>'),
    (page_rules.foreign_addresses, '<img src="//cdn.contoh.test/a.png">'),
    (page_rules.foreign_addresses, '<a href="javascript:go()">x</a>'),
    (page_rules.dead_fragments, '<a href="#isi">x</a>'),
    (page_rules.doubled_navigation, '<nav class="sisi"><a href="/a">x</a><a href="/a">y</a></nav>'),
    (page_rules.doubled_ids, '<p id="a">x</p><p id="a">y</p>'),
]
SOUND = '<a href="#isi">x</a><main id="isi"><a href="/kursus">y</a><img src="data:,"></main>'
SOUND += '<script type="application/ld+json">{"@type": "Course"}</script>'


@pytest.mark.parametrize(("rule", "html"), FAULTS)
def test_a_fault_of_a_page_is_seen(rule: Rule, html: str) -> None:
    assert len(rule(read(html))) == 1


@pytest.mark.parametrize("rule", page_rules.PAGE_RULES)
def test_a_sound_page_is_let_through(rule: Rule) -> None:
    assert rule(read(SOUND)) == []


def test_a_dead_link_and_a_missing_header_are_seen() -> None:
    app = Flask("sample")
    app.add_url_rule("/", "home", view_func=lambda: '<a href="/hilang/1">x</a>')
    app.add_url_rule("/hilang/<number>", "lost", view_func=lambda number: ("", 404))
    opened, problems = page_rules.crawl(app.test_client(), "/")
    assert opened == {"/", "/hilang/1"}
    assert "/hilang/1, linked from /, answered 404" in problems
    assert "/ no header Content-Security-Policy" in problems

"""What every page must be, whoever reads it: nothing inline, nothing from elsewhere, no dead link."""

import re
from collections import Counter, deque
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from flask.testing import FlaskClient
from lxml.etree import Element
from lxml.html import HtmlElement, document_fromstring
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from marketplace.web.security import HEADERS, WITH_SCRIPT

Rule = Callable[[HtmlElement], list[str]]

_ADDRESSES = {"href", "src", "action", "formaction", "poster", "data", "srcset"}
_POLICY = "Content-Security-Policy"
_SCRIPT = re.compile(r"<script\b[^>]*\ssrc=")
_SAME_ENDPOINT = 3
"""How many addresses of one kind a crawl opens: the fourth course page says nothing new."""


def missing_headers(answer: TestResponse) -> list[str]:
    """Security headers that an answer lacks or weakens."""
    if answer.request.path.startswith("/static/"):
        return [] if answer.headers.get("X-Content-Type-Options") == "nosniff" else ["X-Content-Type-Options"]
    wanted = HEADERS | ({_POLICY: WITH_SCRIPT} if _names_a_script(answer) else {})
    wrong = [name for name, value in wanted.items() if answer.headers.get(name) != value]
    return wrong + ([] if answer.headers.get("Request-Id") else ["Request-Id"])


def _names_a_script(answer: TestResponse) -> bool:
    """Only such a page is allowed to run any."""
    return answer.mimetype == "text/html" and _SCRIPT.search(answer.text) is not None


def read(text: str) -> HtmlElement:
    """A page as these rules look at it. A crawl reads hundreds, and this parser is quick."""
    return document_fromstring(text or "<html></html>")


def inline_code(page: HtmlElement) -> list[str]:
    """Script and style inside the page, which the policy forbids, so that they would not even work.

    A block of data is no script: browsers never run it, whatever it holds.
    """
    found = []
    for element in page.iter(Element):
        is_script = element.tag == "script" and "src" not in element.attrib
        if element.tag == "style" or (is_script and element.get("type") != "application/ld+json"):
            found.append(f"<{element.tag}>")
        names = [name for name in element.attrib if name == "style" or name.startswith("on")]
        found += [f"{element.tag}[{name}]" for name in names]
    return found


def foreign_addresses(page: HtmlElement) -> list[str]:
    """Addresses of other sites, and scripts in the place of addresses."""
    found = []
    for element in page.iter(Element):
        for name in _ADDRESSES.intersection(element.attrib):
            parts = urlsplit(element.attrib[name])
            if parts.netloc or parts.scheme not in {"", "data", "mailto", "tel"}:
                found.append(f"{element.tag}[{name}] {element.attrib[name]}")
    return found


def dead_fragments(page: HtmlElement) -> list[str]:
    """Links to places on this page that it does not have."""
    wanted = {link[1:] for link in page.xpath("//a/@href") if link.startswith("#")}
    return sorted(f"#{name}" for name in wanted - {*page.xpath("//@id"), ""})


def doubled_ids(page: HtmlElement) -> list[str]:
    """Ids that two elements carry, so that a label may name the wrong one."""
    return _doubled(page.xpath("//@id"))


def doubled_navigation(page: HtmlElement) -> list[str]:
    """Places that a navigation names twice."""
    navigations = [each for each in page.iter("nav") if not {"tab", "sisi"}.isdisjoint(each.classes)]
    return [place for each in navigations for place in _doubled(each.xpath(".//a/@href"))]


def _doubled(names: list[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)


PAGE_RULES: tuple[Rule, ...] = (
    inline_code,
    foreign_addresses,
    dead_fragments,
    doubled_ids,
    doubled_navigation,
)


def problems_of(answer: TestResponse) -> list[str]:
    """Everything that is wrong with one answer."""
    found = [f"no header {name}" for name in missing_headers(answer)]
    if answer.mimetype == "text/html":
        page = read(answer.text)
        found += [f"{rule.__name__}: {each}" for rule in PAGE_RULES for each in rule(page)]
    return [f"{answer.request.path} {each}" for each in found]


def crawl(
    client: FlaskClient,
    start: str,
    most: int = 60,
    inside: str = "/",
    look: Callable[[HtmlElement], object] = len,
) -> tuple[set[str], list[str]]:
    """Follow every link of pages below `inside`. Returns the addresses opened, and what was wrong with them.

    `look` reads each page that was opened there.
    """
    opened: set[str] = set()
    endpoints: Counter[str] = Counter()
    linked_from: dict[str, str] = {}
    waiting, problems = deque([start]), []
    while waiting and len(opened) < most:
        address = waiting.popleft()
        kind = _kind(client, address)
        if address in opened or endpoints[kind] >= _SAME_ENDPOINT:
            continue
        opened.add(address)
        endpoints[kind] += 1
        answer = client.get(address, follow_redirects=True)
        if answer.status_code != 200:
            problems.append(
                f"{address}, linked from {linked_from.get(address)}, answered {answer.status_code}"
            )
        problems += problems_of(answer)
        if address.startswith(inside) and answer.mimetype == "text/html":
            page = read(answer.text)
            look(page)
            for link in _links(answer.request.path, page):
                linked_from.setdefault(link, address)
                waiting.append(link)
        answer.close()
    return opened, problems


def _kind(client: FlaskClient, address: str) -> str:
    """The endpoint behind an address; an address that no route knows is a kind of its own."""
    adapter = client.application.url_map.bind("localhost")
    try:
        endpoint, _arguments = adapter.match(urlsplit(address).path, method="GET")
    except HTTPException:
        return address
    return str(endpoint)


def _links(path: str, page: HtmlElement) -> list[str]:
    """Addresses on a page, except the choice of a language, which changes what later pages say."""
    found = [urljoin(path, link) for link in page.xpath("//a/@href | //link/@href")]
    return [each for each in found if each.startswith("/") and not each.startswith("/bahasa/")]

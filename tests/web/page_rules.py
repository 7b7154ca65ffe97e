"""What every page must be, whoever reads it: nothing inline, nothing from elsewhere, no dead link."""

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from marketplace.web.security import HEADERS, WITH_SCRIPT

Rule = Callable[[BeautifulSoup], list[str]]

_ADDRESSES = ("href", "src", "action", "formaction", "poster", "data", "srcset")
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


def inline_code(page: BeautifulSoup) -> list[str]:
    """Script and style inside the page, which the policy forbids, so that they would not even work.

    A block of data is no script: browsers never run it, whatever it holds.
    """
    blocks = page.select('style, script:not([src]):not([type="application/ld+json"])')
    found = [f"<{each.name}>" for each in blocks]
    for element in page.find_all(True):
        names = [name for name in element.attrs if name == "style" or name.startswith("on")]
        found += [f"{element.name}[{name}]" for name in names]
    return found


def foreign_addresses(page: BeautifulSoup) -> list[str]:
    """Addresses of other sites, and scripts in the place of addresses."""
    found = []
    for element in page.find_all(True):
        for name in _ADDRESSES:
            parts = urlsplit(str(element.get(name, "")))
            if parts.netloc or parts.scheme not in {"", "data", "mailto", "tel"}:
                found.append(f"{element.name}[{name}] {element[name]}")
    return found


def dead_fragments(page: BeautifulSoup) -> list[str]:
    """Links to places on this page that it does not have."""
    targets = {str(element["id"]) for element in page.find_all(id=True)}
    wanted = {str(link["href"])[1:] for link in page.select('a[href^="#"]')}
    return sorted(f"#{name}" for name in wanted - targets - {""})


def doubled_ids(page: BeautifulSoup) -> list[str]:
    """Ids that two elements carry, so that a label may name the wrong one."""
    ids = [str(element["id"]) for element in page.find_all(id=True)]
    return sorted({name for name in ids if ids.count(name) > 1})


def doubled_navigation(page: BeautifulSoup) -> list[str]:
    """Places that a navigation names twice."""
    found = []
    for navigation in page.select("nav.tab, nav.sisi"):
        places = [str(link["href"]) for link in navigation.select("a[href]")]
        found += sorted({place for place in places if places.count(place) > 1})
    return found


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
        page = BeautifulSoup(answer.text, "html.parser")
        found += [f"{rule.__name__}: {each}" for rule in PAGE_RULES for each in rule(page)]
    return [f"{answer.request.path} {each}" for each in found]


def crawl(client: FlaskClient, start: str, most: int = 60) -> tuple[set[str], list[str]]:
    """Follow every link inside the site. Returns the addresses opened, and what was wrong with them."""
    opened: set[str] = set()
    endpoints: dict[str, int] = {}
    linked_from: dict[str, str] = {}
    waiting, problems = [start], []
    while waiting and len(opened) < most:
        address = waiting.pop(0)
        kind = _kind(client, address)
        if address in opened or endpoints.get(kind, 0) >= _SAME_ENDPOINT:
            continue
        opened.add(address)
        endpoints[kind] = endpoints.get(kind, 0) + 1
        answer = client.get(address, follow_redirects=True)
        if answer.status_code != 200:
            problems.append(
                f"{address}, linked from {linked_from.get(address)}, answered {answer.status_code}"
            )
        problems += problems_of(answer)
        answer.close()
        for link in _links(answer):
            linked_from.setdefault(link, address)
            waiting.append(link)
    return opened, problems


def _kind(client: FlaskClient, address: str) -> str:
    """The endpoint behind an address; an address that no route knows is a kind of its own."""
    adapter = client.application.url_map.bind("localhost")
    try:
        endpoint, _arguments = adapter.match(urlsplit(address).path, method="GET")
    except HTTPException:
        return address
    return str(endpoint)


def _links(answer: TestResponse) -> list[str]:
    """Addresses on a page, except the choice of a language, which changes what later pages say."""
    if answer.mimetype != "text/html":
        return []
    page = BeautifulSoup(answer.text, "html.parser")
    found = [urljoin(answer.request.path, str(link["href"])) for link in page.select("a[href], link[href]")]
    return [each for each in found if each.startswith("/") and not each.startswith("/bahasa/")]

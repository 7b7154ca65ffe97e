"""Somebody with a browser: opens pages, fills in the forms that are on them, keeps cookies.

Knows of Bekal only what a page shows. Python's own HTTP client and lxml are enough, so that the
demonstration needs nothing beyond what Bekal itself runs on.
"""

import http.client
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from lxml import html

_TIMEOUT_SECONDS = 60
_TRIES = 2
_REDIRECTS = 5
_TOKEN = "csrf_token"  # noqa: S105 - the name of a field
_TOKEN_FIELD = re.compile(rb'name="csrf_token" value="([^"]+)"')
_connections = threading.local()

Values = Mapping[str, str]
NOTHING: Values = {}


class PageFault(Exception):
    """A page was not what its visitor expected; the text says where and what came instead."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it stands on a page: where it goes and what it would send untouched."""

    action: str
    fields: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]
    """Boxes that may be ticked, as (name, value)."""


@dataclass(frozen=True)
class Page:
    """An answer of the server."""

    path: str
    status: int
    location: str
    content: bytes = field(repr=False)

    @property
    def is_redirect(self) -> bool:
        return self.status in (302, 303)

    @cached_property
    def tree(self) -> html.HtmlElement:
        return html.fromstring(self.content)

    def find_form(self, action: str) -> Form | None:
        """The form that is sent to an address with this at its end, else the first one with it anywhere."""
        forms = [each for each in self.tree.iterfind(".//form") if each.get("method", "").lower() == "post"]
        found = [each for each in forms if action in each.get("action", "")]
        found.sort(key=lambda each: not each.get("action", "").endswith(action))
        return _read_form(found[0]) if found else None

    def form(self, action: str) -> Form:
        """Like find_form. Raises PageFault when there is none."""
        found = self.find_form(action)
        if found is None:
            raise PageFault(
                f"{self.path} ({self.status}) has no form to {action}: {self.words('main')[:400]}"
            )
        return found

    def words(self, css_class: str) -> str:
        """The text of the first element with this class, or of the first such tag."""
        found = self.tree.xpath(
            "(//*[contains(concat(' ', normalize-space(@class), ' '), $wanted)] | //*[name() = $tag])[1]",
            wanted=f" {css_class} ",
            tag=css_class,
        )
        return " ".join(found[0].text_content().split()) if found else ""


class Visitor:
    """One person's browser. May be used from any thread, by one at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}
        self._token = ""

    def open(self, path: str) -> Page:
        """Open a page, following redirects. Raises PageFault for anything but a page."""
        page = self._follow(self._send("GET", path))
        if page.status != 200:
            raise PageFault(f"{page.path} answered {page.status}: {page.words('main')[:400]}")
        return page

    def send(self, form: Form, typed: Values = NOTHING, ticked: Sequence[str] = ()) -> Page:
        """Fill in a form, tick boxes by their values, send it once and stay where it leads."""
        filled = list((dict(form.fields) | dict(typed)).items())
        boxes = [(name, value) for name, value in form.choices if value in ticked]
        page = self._send("POST", form.action, urlencode(filled + boxes))
        if page.status >= 500:
            raise PageFault(f"{form.action} answered {page.status}: {problem_of(page)}")
        return page

    def proceed(self, form: Form, typed: Values = NOTHING, ticked: Sequence[str] = ()) -> Page:
        """Send a form that must be accepted, and open what it leads to. Raises PageFault."""
        return self.open(self.must(form, typed, ticked).location)

    def must(self, form: Form, typed: Values = NOTHING, ticked: Sequence[str] = ()) -> Page:
        """Send a form that must be accepted. Raises PageFault when it comes back."""
        page = self.send(form, typed, ticked)
        if not page.is_redirect:
            raise PageFault(f"{form.action} answered {page.status}: {problem_of(page)}")
        return page

    def remember(self, action: str) -> Form:
        """A form that this visitor knows by heart: sent without opening its page again, with the
        token of the page that they saw last. Raises PageFault when they have seen none with a token."""
        if not self._token:
            raise PageFault(f"{action} is sent from memory by somebody who has seen no form yet")
        return Form(action, ((_TOKEN, self._token),), ())

    def _follow(self, page: Page) -> Page:
        for _ in range(_REDIRECTS):
            if not page.is_redirect:
                return page
            page = self._send("GET", page.location)
        raise PageFault(f"{page.path}: too many redirects")

    def _send(self, method: str, address: str, body: str | None = None) -> Page:
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer, content = _exchange(self._port, method, path, body, headers)
        self._keep_cookies(answer.headers.get_all("Set-Cookie") or [])
        token = _TOKEN_FIELD.search(content)
        if token:
            self._token = token.group(1).decode()
        return Page(path, answer.status, answer.headers.get("Location", ""), content)

    def _keep_cookies(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value


def problem_of(page: Page) -> str:
    """What a page says is wrong: its error summary, or the start of it all."""
    return page.words("govuk-error-summary") or page.words("main")[:400]


def _read_form(form: html.HtmlElement) -> Form:
    fields: list[tuple[str, str]] = []
    choices: list[tuple[str, str]] = []
    for element in form.iterfind(".//input"):
        name, value = element.get("name") or "", element.get("value") or ""
        if element.get("type") == "checkbox":
            choices.append((name, value))
        elif name:
            fields.append((name, value))
    return Form(form.get("action", ""), tuple(fields), tuple(choices))


def _exchange(
    port: int, method: str, path: str, body: str | None, headers: dict[str, str]
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request on this thread's connection. A connection that the server has closed meanwhile is
    opened anew; every form of Bekal may be sent twice."""
    for attempt in range(1, _TRIES + 1):
        connection = _connection(port)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except (http.client.HTTPException, ConnectionError):
            connection.close()
            if attempt == _TRIES:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _connection(port: int) -> http.client.HTTPConnection:
    kept: dict[int, http.client.HTTPConnection] = _connections.__dict__.setdefault("by_port", {})
    if port not in kept:
        kept[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    return kept[port]

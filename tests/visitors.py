"""People at their browsers, over real HTTP: cookies are kept, forms are sent as the page has them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy.orm import Session

from marketplace.config import Settings
from marketplace.identity import service as identity
from marketplace.identity.models import User

COOKIE = "bekal"


class Visitor:
    """One browser. Every page must be answered as expected, or the test fails with what it said."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, follow_redirects=True, timeout=30)
        self.status = 0
        self.path = "/"
        self.page = BeautifulSoup("", "html.parser")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def text(self) -> str:
        """What a person reads on the page: its text, with white space folded."""
        return " ".join(self.page.get_text(" ").split())

    def be(self, cookie: str) -> None:
        """Carry a session cookie made elsewhere."""
        self._client.cookies.set(COOKIE, cookie, domain="127.0.0.1", path="/")

    def open(self, path: str, *, expect: int = 200) -> None:
        """Open an address."""
        self._show(self._client.get(path), expect)

    def follow(self, words: str, *, expect: int = 200) -> None:
        """Follow the first link with these words in it."""
        for link in self.page.find_all("a", href=True):
            if words in _text_of(link):
                return self.open(urljoin(self.path, str(link["href"])), expect=expect)
        raise AssertionError(f"no link {words!r} on {self.path}: {self.text}")

    def address_of(self, selector: str) -> str:
        """Where the first such link of the page leads."""
        link = self.page.select_one(selector)
        assert link is not None, f"no {selector} on {self.path}: {self.text}"
        return urljoin(self.path, str(link["href"]))

    def press(self, words: str, *, expect: int = 200, **typed: str) -> None:
        """Fill in the form of the first button with these words in it, and press it."""
        for button in self.page.find_all("button"):
            form = button.find_parent("form")
            if words in _text_of(button) and form is not None:
                return self._send(form, typed, expect)
        raise AssertionError(f"no button {words!r} on {self.path}: {self.text}")

    def submit(self, action: str, *, expect: int = 200, **typed: str) -> None:
        """Fill in and send the first form whose address ends with `action`."""
        for form in self.page.find_all("form"):
            if urlsplit(str(form.get("action", ""))).path.endswith(action):
                return self._send(form, typed, expect)
        raise AssertionError(f"no form to {action!r} on {self.path}: {self.text}")

    def offers(self, action: str) -> bool:
        """Whether the page has a form whose address ends with `action`."""
        forms = self.page.find_all("form")
        return any(urlsplit(str(form.get("action", ""))).path.endswith(action) for form in forms)

    def _send(self, form: Tag, typed: dict[str, str], expect: int) -> None:
        address = urljoin(self.path, str(form.get("action") or self.path))
        fields = fields_of(form) | typed
        if str(form.get("method", "get")).lower() == "post":
            self._show(self._client.post(address, data=fields), expect)
        else:
            self._show(self._client.get(address, params=fields), expect)

    def _show(self, answer: httpx.Response, expect: int) -> None:
        self.status, self.path = answer.status_code, answer.url.path
        self.page = BeautifulSoup(answer.text, "html.parser")
        assert self.status == expect, f"{self.path} answered {self.status}: {self.text}"


def fields_of(form: Tag) -> dict[str, str]:
    """What a browser would send of an untouched form, without its buttons."""
    fields: dict[str, str] = {}
    for field in form.find_all("input", {"name": True}):
        chosen = field.get("type") not in {"radio", "checkbox"} or field.has_attr("checked")
        if chosen and field.get("type") != "submit":
            fields[str(field["name"])] = str(field.get("value", ""))
    for choice in form.find_all("select", {"name": True}):
        option = choice.find("option", selected=True) or choice.find("option")
        fields[str(choice["name"])] = str(option.get("value", "")) if option else ""
    for area in form.find_all("textarea", {"name": True}):
        fields[str(area["name"])] = area.get_text()
    return fields


def _text_of(element: Tag) -> str:
    return " ".join(element.get_text(" ").split())


def session_cookie(session: Session, settings: Settings, user: User, csrf: str = "") -> str:
    """The cookie of a new session, signed as the service signs it. Good once the caller has committed.

    `csrf` is what the forms' tokens are made of, where it must be known.
    """
    token = identity.start_session(session, user, "test")
    signer = Flask("signer")
    signer.secret_key = settings.secret_key
    serializer = SecureCookieSessionInterface().get_signing_serializer(signer)
    assert serializer is not None  # there is a key
    secret = {"csrf_token": csrf} if csrf else {}
    return str(serializer.dumps({"token": token, "_permanent": True} | secret))


def messages_to(settings: Settings, contact: str) -> list[str]:
    """The texts that were sent to somebody, oldest first, as the message folder has them."""
    found = [json.loads(path.read_text()) for path in _files(settings.message_folder)]
    mine = sorted((each["sent_at"], each["body"]) for each in found if each["to"] == contact)
    return [body for _sent_at, body in mine]


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.json")) if folder.is_dir() else []


def sign_in(
    visitor: Visitor, settings: Settings, contact: str, wait: Callable[[Callable[[], bool]], None]
) -> None:
    """Ask for a code, wait for its message, type it."""
    before = len(messages_to(settings, contact))
    visitor.open("/masuk")
    visitor.press("Kirim kode", contact=contact)
    wait(lambda: len(messages_to(settings, contact)) > before)
    code = re.search(r"\b\d{6}\b", messages_to(settings, contact)[-1])
    assert code, messages_to(settings, contact)
    visitor.press("Masuk", code=code.group())

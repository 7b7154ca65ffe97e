"""Real browsers of people who use the running installation: signed in, and clicking as people do."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketplace.db import transaction
from marketplace.identity.models import User
from tests.live import Live, wait_until
from tests.visitors import COOKIE, session_cookie

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]
People = Mapping[str, uuid.UUID | None]


@contextmanager
def opening(live: Live, people: People, browser: "Browser") -> Iterator[Open]:
    """What opens pages for one of the people, each in a browser of its own; all are closed at the end."""
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
        cookie = _cookie(live, people[who])
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


@dataclass(frozen=True)
class Hand:
    """Somebody at a page. What they press leads to another page, and they wait until it is there."""

    page: "Page"

    def go(self, path: str) -> None:
        """Type an address, or come from a message."""
        self.page.goto(path, wait_until="domcontentloaded")

    def follow(self, words: str | None = None, *, within: str = "body", exact: bool = False) -> None:
        """The first link, with these words if it matters."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.locator(within).get_by_role("link", name=words, exact=exact).first.click()

    def press(self, words: str, *, exact: bool = False) -> None:
        """The first button with these words."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.get_by_role("button", name=words, exact=exact).first.click()

    def fill(self, **fields: str) -> None:
        """Fields by their names in the form."""
        for name, value in fields.items():
            self.page.locator(f"main [name='{name}']").fill(value)

    def pick(self, name: str, words: str) -> None:
        """One line of a list."""
        self.page.locator(f"main select[name='{name}']").select_option(label=words)

    def choose(self, words: str) -> None:
        """A radio or a box by what is written beside it."""
        self.page.get_by_label(words).first.check()

    def attach(self, name: str, content: bytes) -> None:
        """A file from their own folders."""
        file = {"name": name, "mimeType": "text/csv", "buffer": content}
        self.page.locator("main input[type=file]").set_input_files(file)  # type: ignore[arg-type] # a FilePayload

    def unfold(self, words: str) -> None:
        """Open what stands behind a fold."""
        self.page.locator("summary", has_text=words).first.click()

    def download(self, words: str) -> str:
        """The text of the file that a link leads to."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=words, exact=True).first.click()
        return coming.value.path().read_text("utf-8-sig")

    def reads(self, *sentences: str) -> None:
        """They see each of these on the page."""
        shown = " ".join(self.page.inner_text("main").split())
        for each in sentences:
            assert each in shown, f"no {each!r} at {self.page.url}: {shown}"

    def waits_for(self, words: str, seconds: float) -> None:
        """They look again until a worker has done its part."""

        def is_told() -> bool:
            self.page.reload(wait_until="domcontentloaded")
            return words in self.page.inner_text("main")

        wait_until(is_told, seconds)

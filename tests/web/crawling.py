"""Walking through the site by its own links, as somebody who follows every one of them."""

from collections import deque
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.web.conftest import read

_ELSEWHERE = ("/static/", "/bahasa/", "#", "http", "data:")


def crawl(
    client: FlaskClient, start: str, inside: str, most: int = 200, look: Callable[[str], object] = len
) -> dict[str, int]:
    """The status of every address that pages below `inside` link to, from `start` on; `look` reads each."""
    waiting, found = deque([start]), {}
    while waiting and len(found) < most:
        address = waiting.popleft()
        if address in found:
            continue
        answer = client.get(address)
        found[address] = answer.status_code
        if address.startswith(inside) and answer.mimetype == "text/html":
            look(answer.text)
            waiting.extend(_links(answer.text))
    return found


def _links(html: str) -> list[str]:
    hrefs = [str(each["href"]) for each in read(html).select("a[href]")]
    return [href for href in hrefs if not href.startswith(_ELSEWHERE)]

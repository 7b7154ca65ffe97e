"""The small picture on a receipt: what it says, and that a stranger can hold it against the published log."""

import re
from base64 import b64decode, b64encode
from decimal import Decimal
from urllib.parse import unquote

import pytest
import segno
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger.verify_receipt import leaf_hash, read_key
from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.oversight import tasks as oversight
from tests import factories
from tests.watermark import wait_for_others
from tests.web.conftest import SignIn, hidden_fields, read

Modules = list[list[bool]]


def drawn(source: str) -> Modules:
    """Read the picture as a scanner sees it: which modules are dark, the quiet zone cut off."""
    svg = unquote(source.partition(",")[2])
    path = re.search(r"\sd=['\"]([^'\"]+)['\"]", svg)
    assert path is not None
    dark: set[tuple[int, int]] = set()
    x, y = 0, 0
    for command, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path[1]):
        values = [float(each) for each in numbers.split()]
        if command == "h":
            dark |= {(x + step, y) for step in range(int(values[0]))}
            x += int(values[0])
        elif command == "M":
            x, y = int(values[0]), int(values[1])
        else:
            x, y = x + int(values[0]), y + int(values[1])
    left, top = min(each[0] for each in dark), min(each[1] for each in dark)
    width = max(each[0] for each in dark) - left + 1
    return [[(left + column, top + row) in dark for column in range(width)] for row in range(width)]


def picture_of(text: str) -> Modules:
    return [[bool(cell) for cell in row] for row in segno.make(text, error="m", micro=False).matrix]


@pytest.fixture
def receipt(session: Session, sign_in: SignIn) -> tuple[FlaskClient, str]:
    """A browser of a buyer, and the address of a receipt that is sealed."""
    with transaction() as current:
        factories.fund_scheme(current)
        grant = factories.make_grant(current)
        run: Run = factories.make_run(current, factories.make_course(current, price=Decimal(750_000)))
        user = grant.participant.user
    buyer = sign_in(user)
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    page = buyer.post(f"/beli/{run.id}", data=form, follow_redirects=True)
    wait_for_others(session)
    oversight.seal()
    return buyer, page.request.path


def test_the_code_names_the_log_the_number_and_the_entry(receipt: tuple[FlaskClient, str]) -> None:
    buyer, address = receipt
    page = read(buyer.get(address).text)
    (source,) = [str(each["src"]) for each in page.select(".qr img")]
    assert source.startswith("data:image/svg+xml")
    document = buyer.get(f"{address}/catatan.json").get_json()
    number = document["leaf"]
    # the stranger: from the public log alone
    bundle = buyer.get(f"/log/tile/entries/000.p/{number + 1}").data
    entry = bundle[-32:]
    origin = read_key(buyer.get("/log/key").text.strip()).name
    text = f"{origin}\n{number}\n{b64encode(entry).decode()}"
    assert drawn(source) == picture_of(text)
    hashes = buyer.get(f"/log/tile/0/000.p/{number + 1}").data
    assert leaf_hash(b64decode(text.split("\n")[2])) == hashes[-32:]
    # control: one digit more or less is another picture
    assert drawn(source) != picture_of(text.replace(f"\n{number}\n", f"\n{number + 1}\n"))

"""What somebody with ill will types into an address or a form: answered calmly, with no effect."""

import itertools
import re
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.enrolments.models import Enrolment
from marketplace.identity.models import User
from marketplace.web.account import local_path
from tests import factories
from tests.web.conftest import SignIn, hidden_fields

ELSEWHERE = [
    "//jahat.test",
    "https://jahat.test",
    "/\\jahat.test",
    "/\t/jahat.test",
    "/\n/jahat.test",
    "/\r\n//jahat.test",
    "\t//jahat.test",
    "/x\r\nSet-Cookie: token=1",
    "javascript:alert(1)",
]


def as_a_browser_reads(location: str) -> str:
    """The site that a browser would go to: it drops tabs and line breaks, and reads \\ as /."""
    plain = re.sub(r"[\t\r\n]", "", location).replace("\\", "/")
    return urlsplit(urljoin("http://localhost/", plain)).netloc


def test_no_address_leads_to_another_site(client: FlaskClient) -> None:
    for target in ELSEWHERE:
        answer = client.get("/bahasa/en", query_string={"next": target})
        assert (answer.status_code, as_a_browser_reads(answer.location)) == (302, "localhost"), target
        assert local_path(target) is None


def test_a_page_of_this_site_is_come_back_to(client: FlaskClient) -> None:
    assert client.get("/bahasa/en?next=/kursus%3Fq%3Dbatik").location == "/kursus?q=batik"


def test_without_the_check_a_tab_in_the_address_leads_away() -> None:
    """Negative control: what the check saw as a path of this site before it knew of tabs."""
    assert as_a_browser_reads("/\t/jahat.test") == "jahat.test"


def test_a_search_answers_whatever_its_address_says(client: FlaskClient) -> None:
    names = ("q", "category", "mode", "when", "sort", "cursor", "all")
    values = ("%00", "%0A", "%FF%FE", "%ED%A0%80", "%27%3A%2A%20%26%20%7C%20%21", "_", "9" * 3000)
    for name, value in itertools.product(names, values):
        assert client.get(f"/kursus?{name}={value}").status_code in (200, 302), (name, value)


def test_a_key_longer_than_any_form_of_ours_buys_nothing(session: Session, sign_in: SignIn) -> None:
    with transaction() as current:
        grant, run = factories.make_grant(current), factories.make_run(current)
    buyer = sign_in(grant.participant.user)
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    for key in ("k" * 65, "".join(chr(33 + number % 90) for number in range(50_000))):
        assert buyer.post(f"/beli/{run.id}", data=form | {"key": key}).status_code == 400
    assert session.scalar(select(func.count()).select_from(Enrolment)) == 0
    assert buyer.post(f"/beli/{run.id}", data=form | {"key": "k" * 64}).status_code == 302


def test_a_draft_sealed_with_a_key_that_was_changed_is_empty(session: Session, sign_in: SignIn) -> None:
    with transaction() as current:
        user = factories.make_user(current)
    browser = sign_in(user)
    with browser.session_transaction() as cookie:
        cookie["draft"] = "gAAAAABsealed-with-another-key"
    assert browser.get("/daftar").status_code == 200


def test_every_form_is_refused_without_its_token(app: Flask, session: Session) -> None:
    """As in production: the protection is on, for signing in too."""
    app.config["WTF_CSRF_ENABLED"] = True
    forms = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    browser = app.test_client()
    for rule in forms:
        path = re.sub(r"<int:[^>]*>", "1", rule.rule)
        path = re.sub(r"<[^>]*>", "00000000-0000-7000-8000-000000000000", path)
        assert browser.post(path, data={"contact": "siti@contoh.test"}).status_code == 400, rule.rule
    assert len(forms) > 15
    page = browser.get("/masuk").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"contact": "siti@contoh.test", "csrf_token": token[1]}
    assert browser.post("/masuk", data=form).status_code == 302


def test_signing_in_keeps_nothing_of_the_cookie_that_was_there(
    app: Flask, session: Session, sign_in: SignIn
) -> None:
    """Whoever planted a cookie knows neither the new token nor its form token."""
    with transaction() as current:
        before, after = factories.make_user(current), factories.make_user(current)
    browser = sign_in(before)
    with browser.session_transaction() as cookie:
        cookie.update({"csrf_token": "planted", "draft": "planted", "language": "en"})
        planted = cookie["token"]
    browser.post("/dev/sign-in", data={"user": str(after.id)})
    with browser.session_transaction() as cookie:
        assert cookie["token"] != planted and cookie["language"] == "en"
        assert "planted" not in cookie.values()
    assert isinstance(session.get(User, after.id), User)

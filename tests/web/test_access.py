"""Who may open what: every route, for every kind of person, with own, other and absent ids."""

import uuid
from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.app import create_app
from marketplace.config import Settings
from marketplace.db import db, transaction
from marketplace.identity import service as identity
from marketplace.identity.models import User
from marketplace.payouts.models import PayoutRun
from marketplace.web.access import Access, declared
from tests.web.page_rules import missing_headers, problems_of
from tests.web.places import ADMITTED, address_of, rules
from tests.web.scene import Scene

Visit = Callable[[str, str, str], TestResponse]

OWNED = {
    "participant": {"enrolment_id", "transaction_id", "certificate_id", "complaint_id", "attachment_id"},
    "provider": {
        "run_id",
        "session_id",
        "enrolment_id",
        "payout_id",
        "course_id",
        "upload_id",
        "run_upload_id",
        "staff_id",
        "export_id",
        "review_id",
        "provider_complaint_id",
        "provider_attachment_id",
    },
}
"""Ids by which the pages of a blueprint name something that belongs to somebody."""


@pytest.fixture
def visit(app: Flask, scene: Scene) -> Visit:
    return _visits(app, scene)


def _visits(app: Flask, scene: Scene) -> Visit:
    """Everybody keeps a session until they have sent a form that was taken, for it may end the session."""
    tokens: dict[str, str] = {}

    def visit(who: str, method: str, address: str) -> TestResponse:
        user_id = scene.people[who]
        if user_id is not None and who not in tokens:
            tokens[who] = _signed_in(user_id)
        answer = _carrying(app, tokens.get(who)).open(address, method=method)
        if method == "POST" and answer.status_code != 403:
            tokens.pop(who, None)
        return answer

    return visit


def _browser(app: Flask, user_id: uuid.UUID | None) -> FlaskClient:
    """A browser with a new session, of somebody or of a stranger."""
    return _carrying(app, None if user_id is None else _signed_in(user_id))


def _carrying(app: Flask, token: str | None) -> FlaskClient:
    client = app.test_client()
    if token is not None:
        with client.session_transaction() as cookie:
            cookie["token"] = token
    return client


def _signed_in(user_id: uuid.UUID) -> str:
    with transaction() as current:
        return identity.start_session(current, current.get_one(User, user_id), "test")


# Routes and people


def test_every_route_admits_whom_its_blueprint_declares(app: Flask, scene: Scene, visit: Visit) -> None:
    breaches = _breaches(app, scene, visit)
    assert not breaches, "\n".join(breaches)


def test_an_auditor_reads_the_office_and_may_change_nothing(
    app: Flask, scene: Scene, visit: Visit, session: Session
) -> None:
    for rule in (*rules(app, "finance", "POST"), *rules(app, "desk", "POST")):
        assert visit("auditor", "POST", address_of(app, rule, scene, scene.own)).status_code == 403
    session.rollback()
    assert session.get_one(PayoutRun, scene.payout_run).state == "prepared"


@pytest.mark.parametrize("role", OWNED)
def test_what_belongs_to_another_does_not_exist(app: Flask, scene: Scene, visit: Visit, role: str) -> None:
    tried = 0
    for method in ("GET", "POST"):
        for rule in rules(app, role, method):
            for name in rule.arguments & OWNED[role]:
                tried += 1
                ids = scene.own | {name: scene.others[name]}
                address = address_of(app, rule, scene, ids)
                assert visit(role, method, address).status_code == 404, (method, address)
    assert tried >= 5


@pytest.mark.parametrize("role", ["participant", "provider", "finance", "curator", "desk"])
def test_what_is_not_there_is_not_found(app: Flask, scene: Scene, visit: Visit, role: str) -> None:
    nobody = uuid.UUID(int=7)
    absent = Scene(people=scene.people, payout_run=nobody, transaction=nobody)
    ids = dict.fromkeys(scene.own, nobody)
    for method in ("GET", "POST"):
        mine = [*rules(app, role, method), *(rules(app, "people", method) if role == "desk" else ())]
        for rule in (rule for rule in mine if rule.arguments):
            address = address_of(app, rule, absent, ids)
            if rule.arguments.isdisjoint({"code", "month", "report", "survey"}):
                assert visit(role, method, address).status_code == 404, (method, address)


def test_whose_roles_were_taken_away_is_signed_out(app: Flask, scene: Scene, session: Session) -> None:
    browser = _browser(app, scene.people["finance"])
    assert browser.get("/keuangan").status_code == 200
    contact = session.get_one(User, scene.people["finance"]).contact
    assert app.test_cli_runner().invoke(args=["users", "revoke", contact]).exit_code == 0
    answer = browser.get("/keuangan")
    assert answer.status_code == 302 and answer.location.startswith("/masuk")
    assert _browser(app, scene.people["finance"]).get("/keuangan").status_code == 403


def _breaches(app: Flask, scene: Scene, visit: Visit, only: str = "") -> list[str]:
    """Every route (of one blueprint) x everybody: answers that the declaration does not allow."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(only):
            continue
        access = declared(app).get(rule.endpoint.rpartition(".")[0])
        if rule.endpoint == "static":
            continue
        if access is None:
            found.append(f"{rule.rule} declares no access")
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            address = address_of(app, rule, scene, scene.own)
            # those who may not come first: they must leave everything as it is
            for who in sorted(scene.people, key=lambda who: who in ADMITTED[access]):
                answer = visit(who, method, address)
                found += _wrong(access, who, method, address, answer)
    return found


def _wrong(access: Access, who: str, method: str, address: str, answer: TestResponse) -> list[str]:
    status, location = answer.status_code, answer.location or ""
    told = f"{method} {address} as {who}: {status} {location}"
    problems = [f"{told}: {each}" for each in missing_headers(answer)]
    reads_only = access in (Access.FINANCE, Access.DESK) and (who, method) == ("auditor", "POST")
    if who in ADMITTED[access] and not reads_only:
        fine = {200, 302} if method == "GET" else {200, 302, 400, 404, 409}
        if address.startswith("/daftar-lembaga/dokumen/"):
            fine.add(404)  # somebody's own: only the newcomer has handed one in
        if address.startswith("/kurasi/versi/"):
            fine.add(404)  # its provider, who came before, has taken it back: a draft is theirs alone
        sent_away = access is not Access.PUBLIC and location.startswith("/masuk")
        problems += [f"{told}: {each}" for each in problems_of(answer)]
        return problems + ([] if status in fine and not sent_away else [told])
    if who == "stranger":
        return problems + ([] if status == 302 and location.startswith("/masuk") else [told])
    return problems + ([] if status == 403 else [told])


# The control


@pytest.mark.parametrize("says", [None, Access.FINANCE])
def test_a_page_that_somebody_forgot_to_guard_is_seen(
    settings: Settings, scene: Scene, says: Access | None
) -> None:
    careless = create_app(settings)
    pages = Blueprint("forgotten", __name__)
    pages.add_url_rule("/rahasia", view_func=lambda: "Rp1.000.000")
    careless.register_blueprint(pages)
    if says:
        declared(careless)["forgotten"] = says
    found = _breaches(careless, scene, _visits(careless, scene), only="forgotten.")
    with careless.app_context():
        db.engine.dispose()
    if says is None:
        assert found == ["/rahasia declares no access"]
    else:
        assert "GET /rahasia as stranger: 200 " in found
        assert "GET /rahasia as participant: 200 " in found

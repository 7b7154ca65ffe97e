"""The people of the bench are real: their home opens, and each of their forms is a purchase."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from bench import population
from marketplace import db
from marketplace.config import Settings
from marketplace.enrolments.models import Enrolment
from tests.visitors import COOKIE

_READERS, _CLASSES, _BOUGHT, _OTHERS = 2, 6, 2, 10


def test_people_of_the_bench_read_their_home_and_buy(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "READERS", _READERS)
    monkeypatch.setattr(population, "_CLASSES", _CLASSES)
    people = population.settle(settings, _OTHERS)
    assert len(people.cookies) == len(people.accounts) == _READERS
    assert len({address for address, _cookie, _form in people.purchases}) == _CLASSES - _BOUGHT
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client()
    for address, cookie, form in people.purchases:
        browser.set_cookie(COOKIE, cookie)
        assert browser.get("/beranda").status_code == 200
        bought = browser.post(address, data=form, content_type="application/x-www-form-urlencoded")
        assert bought.headers["Location"].startswith("/bukti/")
    with app.app_context():
        everybody = db.session().scalar(select(func.count()).select_from(Enrolment))
    assert everybody == _READERS * _CLASSES + _OTHERS

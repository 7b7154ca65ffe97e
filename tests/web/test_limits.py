"""One pair of hands with many numbers is slowed down; a neighbourhood that shares an address is not."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix

from marketplace.config import Settings
from marketplace.web import limits
from marketplace.web.limits import Rule

HERE, NEXT_DOOR, ELSEWHERE, PROXY = "36.66.1.10", "36.66.1.77", "36.66.2.10", "127.0.0.1"
RULES = (
    Rule("guess", "3 per minute", limits.network, limits.is_refused),
    Rule("buy", "3 per minute", limits.account),
)


def browser_of(settings: Settings) -> FlaskClient:
    """A small application under these rules: it answers with the status that it is asked for."""
    small = Flask("small")

    @small.get("/guess/<int:status>")
    def guess(status: int) -> tuple[str, int]:
        return "", status

    @small.get("/buy/<int:status>")
    def buy(status: int) -> tuple[str, int]:
        return "", status

    limits.install(small, settings)
    return small.test_client()


@pytest.fixture
def browser(settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(limits, "RULES", RULES)
    return browser_of(settings)


def answers(browser: FlaskClient, path: str, address: str, times: int = 1) -> list[int]:
    return [browser.get(path, environ_base={"REMOTE_ADDR": address}).status_code for _ in range(times)]


def test_guessing_is_stopped_for_the_whole_network_and_no_other(browser: FlaskClient) -> None:
    assert answers(browser, "/guess/200", HERE, 3) == [200] * 3
    assert answers(browser, "/guess/200", NEXT_DOOR) == [429]
    assert answers(browser, "/guess/200", ELSEWHERE) == [200]


def test_only_what_is_refused_counts_as_a_guess(browser: FlaskClient) -> None:
    assert answers(browser, "/guess/302", HERE, 6) == [302] * 6
    assert answers(browser, "/guess/200", HERE, 4) == [200, 200, 200, 429]


def test_an_address_that_is_a_proxys_limits_nobody(browser: FlaskClient) -> None:
    assert answers(browser, "/guess/200", PROXY, 6) == [200] * 6


def test_an_account_is_counted_wherever_it_comes_from(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "current_user", lambda: SimpleNamespace(id="siti"))
    assert [answers(browser, "/buy/302", each)[0] for each in (HERE, ELSEWHERE, PROXY)] == [302] * 3
    assert answers(browser, "/buy/302", PROXY) == [429]
    monkeypatch.setattr(limits, "current_user", lambda: SimpleNamespace(id="budi"))
    assert answers(browser, "/buy/302", PROXY) == [302]


def test_two_processes_count_together(browser: FlaskClient, settings: Settings) -> None:
    assert answers(browser, "/guess/200", HERE, 3) == [200] * 3
    assert answers(browser_of(settings), "/guess/200", HERE) == [429]


def test_without_redis_each_process_counts_for_itself_and_nobody_waits_long(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RULES", RULES)
    alone = browser_of(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    started = time.monotonic()
    assert answers(alone, "/guess/200", HERE, 4) == [200, 200, 200, 429]
    assert time.monotonic() - started < 3


def test_without_the_rules_nothing_is_counted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(limits, "RULES", ())
    assert answers(browser_of(settings), "/guess/200", HERE, 6) == [200] * 6


def test_the_real_rules_hold_for_the_real_pages(app: Flask, redis_url: str) -> None:
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["contact"] = "siti@contoh.test"
    sent = [
        browser.post("/masuk/kode", data={"code": "000000"}, environ_base={"REMOTE_ADDR": HERE})
        for _ in range(201)
    ]
    assert [each.status_code for each in sent] == [200] * 200 + [429]
    assert "Terlalu" in sent[-1].text
    assert {rule.endpoint for rule in limits.RULES} <= app.view_functions.keys()


@pytest.mark.parametrize(
    ("address", "expected"),
    [("36.66.1.10", "network:36.66.1.0/24"), ("2404:c0:1234:5678::1", "network:2404:c0:1234::/48")],
)
def test_a_network_is_wider_than_an_address(address: str, expected: str) -> None:
    with Flask("small").test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert limits.network() == expected and not limits.is_nowhere()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "unix:", ""])
def test_an_address_inside_the_house_names_no_network(address: str) -> None:
    with Flask("small").test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert limits.is_nowhere()


def test_only_the_last_proxys_word_is_believed() -> None:
    """Whoever asks may write X-Forwarded-For as they like; our own proxy adds to its end."""
    small, seen = Flask("small"), []
    small.add_url_rule("/", view_func=lambda: seen.append(request.remote_addr) or "")
    small.wsgi_app = ProxyFix(small.wsgi_app, x_for=1)  # type: ignore[method-assign] # as create_app does
    small.test_client().get("/", headers={"X-Forwarded-For": f"{HERE}, {ELSEWHERE}"})
    assert seen == [ELSEWHERE]

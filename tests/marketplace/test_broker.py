"""A nudge never fails, and never keeps somebody waiting for a broker that is away."""

import time

import pytest
from flask import Flask

from marketplace import broker
from marketplace.notifications import tasks

_AT_MOST_SECONDS = 1.5


@pytest.fixture
def nobody_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not met a broken broker yet."""
    monkeypatch.setattr(broker, "_silent_until", 0.0)


def seconds_of_a_nudge(app: Flask, monkeypatch: pytest.MonkeyPatch, url: str) -> float:
    celery = app.extensions["celery"]
    monkeypatch.setattr(tasks.sweep, "_get_app", lambda: celery)
    monkeypatch.setitem(celery.conf, "broker_url", url)
    monkeypatch.setitem(celery.conf, "broker_write_url", url)
    started = time.monotonic()
    broker.nudge(tasks.sweep)
    return time.monotonic() - started


@pytest.mark.usefixtures("nobody_is_silent")
def test_a_broker_that_is_down_delays_nobody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_of_a_nudge(app, monkeypatch, "redis://127.0.0.1:1/0") < _AT_MOST_SECONDS


@pytest.mark.usefixtures("nobody_is_silent")
def test_a_broker_that_never_answers_delays_nobody(
    app: Flask, monkeypatch: pytest.MonkeyPatch, mute: str
) -> None:
    assert seconds_of_a_nudge(app, monkeypatch, mute) < _AT_MOST_SECONDS


@pytest.mark.usefixtures("nobody_is_silent")
def test_after_a_failure_the_next_nudge_does_not_even_try(
    app: Flask, monkeypatch: pytest.MonkeyPatch, mute: str
) -> None:
    seconds_of_a_nudge(app, monkeypatch, mute)
    assert seconds_of_a_nudge(app, monkeypatch, mute) < 0.05


@pytest.mark.usefixtures("nobody_is_silent")
def test_a_patient_nudge_would_have_kept_them_waiting(
    app: Flask, monkeypatch: pytest.MonkeyPatch, mute: str
) -> None:
    """The negative control: with the worker's patience the same broker costs seconds."""
    monkeypatch.setattr(broker, "_IMPATIENT", {"socket_timeout": 2.5, "max_retries": 0})
    assert seconds_of_a_nudge(app, monkeypatch, mute) > _AT_MOST_SECONDS

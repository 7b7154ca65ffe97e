"""Celery and how the edges nudge it.

The state of a row is the queue of record: a message only says "look now". When the broker is
away, nothing is lost but a few seconds, because a sweep looks again.
"""

import time
from typing import Any

import structlog
from celery import Celery, Task
from flask import Flask
from kombu.exceptions import LimitExceeded
from kombu.exceptions import OperationalError as BrokerUnavailable
from kombu.pools import producers

from marketplace.config import Settings

log = structlog.get_logger(__name__)

_SILENCE_SECONDS = 5.0
IMPATIENT: dict[str, Any] = {"socket_connect_timeout": 0.4, "socket_timeout": 0.4}
"""How a page speaks to Valkey: somebody waits for it. Workers have more time."""

_IMPATIENT = {**IMPATIENT, "max_retries": 0}

_POOL_SECONDS = 0.4

_silent_until = 0.0


def build_celery(app: Flask, settings: Settings) -> Celery[Any]:
    """A Celery whose tasks run inside the Flask application's context."""

    class ContextTask(Task):  # type: ignore[type-arg] # celery's Task is generic only in its stubs
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery: Celery[Any] = Celery(app.name, task_cls=ContextTask)
    celery.conf.update(
        broker_url=settings.redis_url,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_time_limit=100,
        task_soft_time_limit=90,
        # above the hard time limit, so that a running task is never handed out twice by a timeout
        broker_transport_options={
            "visibility_timeout": 120,
            "socket_connect_timeout": 0.5,
            "socket_timeout": 10,
        },
        broker_connection_retry_on_startup=True,
        task_publish_retry=False,
        timezone="Asia/Jakarta",
        worker_hijack_root_logger=False,
    )
    celery.set_default()
    app.extensions["celery"] = celery
    return celery


def nudge(task: Any, *ids: str) -> None:
    """Ask a worker to look at rows now. Never raises when the broker is away: the sweep will come.

    After a failure the broker is left alone for a few seconds, so that a purchase does not wait
    for a connection that nobody answers. A broker that is away costs the first nudge less than a second.
    """
    if is_left_alone():
        return
    try:
        connection = task.app.connection_for_write(transport_options=_IMPATIENT)
        with producers[connection].acquire(block=True, timeout=_POOL_SECONDS) as producer:
            task.apply_async(args=ids, producer=producer, retry=False)
    except (BrokerUnavailable, LimitExceeded, OSError) as error:
        leave_alone(error, task=task.name)


def is_left_alone() -> bool:
    """Whether it failed a few seconds ago: nobody waits for it again so soon."""
    return time.monotonic() < _silent_until


def leave_alone(error: Exception, **what: str) -> None:
    """It failed: for a few seconds no page of this process asks it for anything."""
    global _silent_until
    _silent_until = time.monotonic() + _SILENCE_SECONDS
    log.warning("broker_unavailable", error=str(error), **what)

"""When work is looked for, and on which queue. The tasks themselves decide what is due."""

from typing import Any

from celery import Celery

from marketplace.config import Settings

QUEUES: dict[str, str] = {
    "marketplace.payouts.*": "payouts",
    "marketplace.notifications.*": "notifications",
    "marketplace.*": "default",
}
ALL_QUEUES = "default,notifications,payouts"

SWEEPS = (
    "marketplace.notifications.tasks.sweep",
    "marketplace.batches.tasks.sweep",
    "marketplace.enrolments.tasks.sweep",
    "marketplace.payouts.tasks.sweep",
    "marketplace.oversight.tasks.seal",
    "marketplace.web.provider.tasks.sweep",
)
"""Beat starts each at every tick. A sweep finds rows that wait, whatever became of the nudge."""

SELDOM = (
    "marketplace.oversight.tasks.roll_up",
    "marketplace.oversight.tasks.close_complaints",
    "marketplace.catalogue.tasks.learn_words",
)
"""At every twentieth tick: looking at every hot account is no work for every few seconds, a complaint's
days end at midnight, and a new course is found at once, its words are only needed where somebody mistypes
them."""


def install(celery: Celery, settings: Settings) -> None:
    """Give Celery its routes and its beat table. A tick that was not taken in time expires."""
    celery.conf.task_routes = {pattern: {"queue": queue} for pattern, queue in QUEUES.items()}
    celery.conf.task_default_queue = "default"
    celery.conf.imports = tuple(name.rpartition(".")[0] for name in SWEEPS + SELDOM)
    ticks = dict.fromkeys(SWEEPS, 1) | dict.fromkeys(SELDOM, 20)
    celery.conf.beat_schedule = {
        name: _every(name, settings.tick_seconds * count) for name, count in ticks.items()
    }


def _every(name: str, seconds: float) -> dict[str, Any]:
    return {"task": name, "schedule": seconds, "options": {"expires": seconds * 2}}

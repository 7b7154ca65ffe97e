"""What is learnt about the catalogue in the background."""

import structlog
from celery import shared_task

from marketplace.catalogue import spelling
from marketplace.db import run_in_transaction

log = structlog.get_logger(__name__)

_MOST_CHUNKS = 40


@shared_task
def learn_words() -> None:
    """Learn the words of courses that were written since the last time, a few thousand courses at most."""
    courses = 0
    for _ in range(_MOST_CHUNKS):
        learnt = run_in_transaction(spelling.learn)
        courses += learnt
        if not learnt:
            break
    if courses:
        log.info("words_learnt", courses=courses)

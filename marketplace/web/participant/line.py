"""The waiting list of a full run: joining and leaving. What is offered is bought on the review page."""

import uuid
from collections.abc import Callable

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.enrolments import waiting
from marketplace.web.acting import act_and_return
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages


@pages.post("/beli/<uuid:run_id>/tunggu")
def join(run_id: uuid.UUID) -> Response:
    """Stand in line. Nothing is charged, and a second time changes nothing."""
    participant_id = current_participant().id
    return _act(
        run_id,
        lambda current: waiting.join(current, participant_id, run_id),
        _("Anda masuk daftar tunggu. Kami kabari begitu ada kursi untuk Anda."),
    )


@pages.post("/beli/<uuid:run_id>/tunggu/keluar")
def leave(run_id: uuid.UUID) -> Response:
    """Stand in line no longer; a seat that was kept goes to the next."""
    participant_id = current_participant().id
    return _act(
        run_id,
        lambda current: waiting.leave(current, participant_id, run_id),
        _("Anda keluar dari daftar tunggu."),
    )


def _act(run_id: uuid.UUID, act: Callable[[Session], object], done: str) -> Response:
    return act_and_return(act, done, url_for("participant.review", run_id=run_id))

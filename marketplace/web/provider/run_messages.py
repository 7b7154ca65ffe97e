"""Writing to everybody in a run."""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.enrolments import provider_queries, run_messages
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Text, empty, key_of, new_key, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import day_words


class Lines(Text):
    """Text that may have several lines, as a text area sends it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        lines = str(value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if not "".join(lines).strip():
            raise self.make_error("blank")
        for line in filter(str.strip, lines):
            super()._deserialize(line, attr, data, **kwargs)
        return "\n".join(lines).strip()


class MessageForm(FormSchema):
    key = fields.String(load_default="")
    body = Lines(
        _l("Tulis pesan Anda."),
        validate=validate.Length(
            max=run_messages.LONGEST,
            error=_l("Tulis paling banyak %(most)s huruf.", most=run_messages.LONGEST),
        ),
    )


@pages.get("/jadwal/<uuid:run_id>/pesan")
def run_message(run_id: uuid.UUID) -> str:
    """What was written so far, and a new message."""
    return _page(run_id, empty(key=new_key()))


@pages.post("/jadwal/<uuid:run_id>/pesan")
def send_message(run_id: uuid.UUID) -> Response | tuple[str, int]:
    """Send it to everybody who is in the run."""
    form = submitted(MessageForm())
    if not form.is_valid:
        return _page(run_id, form), 400
    provider_id, user_id, key = current_provider().id, signed_in_user().id, key_of(form)

    def work(current: Session) -> int:
        provider_queries.get_run_of_provider(current, run_id, provider_id)
        actor = current.get_one(User, user_id)
        return run_messages.send(current, run_id, form.data["body"], actor, key).recipients

    try:
        told = db.run_in_transaction(work)
    except NotFound:
        raise
    except MarketplaceError as error:
        form.refuse("body", words_for(error))
        return _page(run_id, form), 409
    nudge(notifications.sweep)
    flash(ngettext("Pesan dikirim ke %(num)s peserta.", "Pesan dikirim ke %(num)s peserta.", told), "daun")
    return redirect(url_for("provider.run_message", run_id=run_id))


def _page(run_id: uuid.UUID, form: Form) -> str:
    current = db.session()
    run = provider_queries.get_run_of_provider(current, run_id, current_provider().id)
    return render_template(
        "provider/run_message.html",
        run=run,
        days=day_words(run),
        form=form,
        sent=run_messages.list_messages(current, run_id),
        longest=run_messages.LONGEST,
        most=run_messages.MOST_A_DAY,
    )

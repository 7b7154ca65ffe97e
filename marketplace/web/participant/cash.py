"""A participant's own money: incentives, surveys that are paid for, and where the amount stands."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant
from marketplace.broker import nudge
from marketplace.enrolments import certificates, queries
from marketplace.errors import MarketplaceError, NotFound
from marketplace.notifications import tasks as notifications
from marketplace.payouts import surveys
from marketplace.payouts.incentive_outlook import outlook
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, empty
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.home import movement_of
from marketplace.web.participant.incentive_words import outlook_words
from marketplace.web.participant.survey_words import survey_fields, survey_title


@pages.get("/insentif")
def cash() -> str:
    """What has been earned, what it is waiting for, and the surveys that are open."""
    current = db.session()
    participant = current_participant()
    grant = grants.find_grant(current, participant.id)
    rows = queries.cash_history(current, participant.id)
    own = certificates.list_all_own(current, participant.id)
    money = surveys.overview(current, grant)
    waits = None if money.earned else outlook(current, grant, own)
    return render_template(
        "participant/cash.html",
        grant=grant,
        cash=money,
        movements=[movement_of(row, grant) for row in rows],
        waits=outlook_words(waits) if waits else None,
        survey_title=survey_title,
    )


@pages.get("/survei/<int:survey>")
def ask_survey(survey: int) -> str:
    """One survey's questions."""
    return _page(survey, empty())


@pages.post("/survei/<int:survey>")
def answer_survey(survey: int) -> Response | tuple[str, int]:
    """Take the answers, and pay for them once."""
    questions = surveys.get_questions(_grant(db.session()), survey)
    form = Form(typed={code: request.form.get(code, "") for code in questions})
    for code, words, _options in survey_fields(questions):
        if form.typed[code] not in questions[code]:
            form.refuse(code, _("Pilih satu jawaban: %(question)s", question=words))
    if not form.is_valid:
        return _page(survey, form), 400
    participant_id, answers = current_participant().id, dict(form.typed)
    try:
        db.run_in_transaction(lambda current: surveys.answer(current, participant_id, survey, answers))
    except NotFound:
        raise
    except MarketplaceError as error:
        form.refuse("", words_for(error))
        return _page(survey, form), 409
    nudge(notifications.sweep)
    flash(_("Terima kasih. Jawaban Anda tersimpan dan imbalannya tercatat."), "daun")
    return redirect(url_for("participant.cash"))


def _page(survey: int, form: Form) -> str:
    current = db.session()
    grant = _grant(current)
    questions = surveys.get_questions(grant, survey)
    found = surveys.overview(current, grant)
    return render_template(
        "participant/survey.html",
        survey=survey,
        title=survey_title(survey),
        fields_asked=survey_fields(questions),
        form=form,
        is_open=survey in found.open_surveys,
        has_begun=bool(found.earned),
        amount=grant.scheme.survey_amount if grant else None,
    )


def _grant(current: Session) -> Grant | None:
    return grants.find_grant(current, current_participant().id)

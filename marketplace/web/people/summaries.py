"""One page about a participant, one about a provider: where they stand, and what they were told."""

import uuid
from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.batches import queries as grants
from marketplace.enrolments import certificates, conflicts, figures
from marketplace.enrolments import queries as enrolments
from marketplace.identity.models import Role, User
from marketplace.notifications import queries as notifications
from marketplace.oversight import complaint_queries as complaints
from marketplace.oversight import lookups
from marketplace.participants import queries as participants
from marketplace.payouts import queries as payouts
from marketplace.providers import queries as providers
from marketplace.providers import service as provider_service
from marketplace.providers import statements
from marketplace.providers.models import Provider
from marketplace.web import complaint_words
from marketplace.web.banks import account_words
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import signed_in_user
from marketplace.web.people.blueprint import pages
from marketplace.web.people.grant_words import grant_tag, message_tag
from marketplace.web.regions import PROVINCES
from marketplace.web.state_words import (
    account_tag,
    enrolment_tag,
    hold_words,
    money_tag,
    payout_tag,
    staff_role_name,
)

_MESSAGES_SHOWN, _PAYOUTS_SHOWN = 20, 10


class PlaceForm(FormSchema):
    city = Text(
        _l("Tulis kota atau kabupatennya."),
        validate=validate.Length(max=80, error=_l("Tulis paling banyak %(most)s huruf.", most=80)),
    )
    province_code = Text(
        _l("Pilih provinsi dari daftar."),
        validate=validate.OneOf(list(PROVINCES), error=_l("Pilih provinsi dari daftar.")),
    )


@pages.get("/orang/<uuid:participant_id>")
def participant(participant_id: uuid.UUID) -> str:
    """A participant: states, balance, purchases, complaints, messages. That it was read is recorded."""
    _note(participant_id, lookups.open_participant)
    current = db.session()
    found = participants.get_participant(current, participant_id)
    grant = grants.find_grant(current, found.id)
    return render_template(
        "people/participant.html",
        participant=found,
        province=PROVINCES.get(found.province_code, ""),
        grant=grant,
        grant_tag=grant_tag(grant, found),
        money=enrolments.money_of_participant(current, found.id) if grant else None,
        bought=enrolments.list_for_participant(current, found.id),
        certificates=certificates.list_own(current, found.id),
        complaints=complaints.list_for_participant(current, found.id),
        messages=notifications.list_for_user(current, found.user_id, _MESSAGES_SHOWN),
        now=clock.now(current),
        words=complaint_words,
        enrolment_tag=enrolment_tag,
        money_tag=money_tag,
        message_tag=message_tag,
    )


@pages.get("/lembaga/<uuid:provider_id>")
def provider(provider_id: uuid.UUID) -> str:
    """A provider: staff, account, money, complaints. That it was read is recorded."""
    _note(provider_id, lookups.open_provider)
    found = providers.get_provider(db.session(), provider_id)
    return _show(found, empty(city=found.city, province_code=found.province_code))


@pages.post("/lembaga/<uuid:provider_id>/tempat")
def locate(provider_id: uuid.UUID) -> Response | tuple[str, int]:
    """Where it sits: what the search's filter and the hours of its staff go by."""
    form = submitted(PlaceForm())
    if not form.is_valid:
        return _show(providers.get_provider(db.session(), provider_id), form), 400
    place, user_id = form.data, signed_in_user().id
    db.run_in_transaction(
        lambda current: provider_service.locate(
            current, provider_id, place["city"], place["province_code"], current.get_one(User, user_id)
        )
    )
    flash(_("Disimpan."), "daun")
    return redirect(url_for("people.provider", provider_id=provider_id))


def _show(found: Provider, form: Form) -> str:
    current = db.session()
    now = clock.now(current)
    sums = figures.figures_for_provider(current, found.id, now)
    stated = statements.latest_of(current, found.id, clock.local_date(now).year)
    return render_template(
        "people/provider.html",
        provider=found,
        province=PROVINCES.get(found.province_code),
        provinces=PROVINCES,
        form=form,
        figures=sums,
        hold_reasons=[hold_words(code) for code in sums.hold_codes],
        staff=providers.list_staff(current, found.id),
        role_name=staff_role_name,
        year=clock.local_date(now).year,
        stated=stated,
        named=conflicts.receipts_of(current, [each.id for each in stated.values()]),
        account=providers.accounts_in_use(current, [found.id]).get(found.id),
        account_words=account_words,
        account_tag=account_tag,
        payouts=payouts.list_for_provider(current, found.id, _PAYOUTS_SHOWN),
        payout_tag=payout_tag,
        complaints=complaints.list_for_provider(current, found.id, with_money=True),
        now=now,
        words=complaint_words,
        is_finance=signed_in_user().has_role(Role.FINANCE),
    )


def _note(subject_id: uuid.UUID, opening: Callable[[Session, uuid.UUID, User], object]) -> None:
    user_id = signed_in_user().id
    db.run_in_transaction(lambda current: opening(current, subject_id, current.get_one(User, user_id)))

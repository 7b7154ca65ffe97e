"""Bank accounts that providers have named: a second person looks at each before anything is paid to it."""

import uuid
from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.identity.models import Role, User
from marketplace.providers import queries, service
from marketplace.providers.account_messages import tell_owners
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.schemes import queries as schemes
from marketplace.web.acting import act_and_return
from marketplace.web.banks import account_words
from marketplace.web.finance.blueprint import pages
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import signed_in_user

LONGEST_REASON = 200


class DeclineForm(FormSchema):
    reason = Text(
        _l("Tulis alasannya."),
        validate=validate.Length(
            max=LONGEST_REASON, error=_l("Tulis paling banyak %(most)s huruf.", most=LONGEST_REASON)
        ),
    )


@pages.get("/rekening-lembaga")
def provider_accounts() -> str:
    """Accounts that wait for a second person, the longest waiting first."""
    current = db.session()
    waiting = queries.list_proposed_accounts(current)
    return render_template(
        "finance/provider_accounts.html",
        waiting=waiting,
        in_use=queries.accounts_in_use(current, [each.provider_id for each in waiting]),
        me=signed_in_user().id,
        may_act=signed_in_user().has_role(Role.FINANCE),
        account_words=account_words,
        wait_days=schemes.get_default_scheme(current).bank_account_wait_days,
    )


@pages.post("/rekening-lembaga/<uuid:account_id>/setujui")
def approve_account(account_id: uuid.UUID) -> Response:
    """Accept the account; it is used after the scheme's waiting days."""
    user_id = signed_in_user().id

    def work(current: Session) -> BankAccount:
        account = service.approve_bank_account(current, account_id, current.get_one(User, user_id))
        tell_owners(current, account)
        return account

    return _act(work, _("Rekening disetujui. Rekening lembaga yang lama tidak dipakai lagi."))


@pages.get("/rekening-lembaga/<uuid:account_id>/tolak")
def ask_decline_account(account_id: uuid.UUID) -> str | Response:
    """Before refusing: which account, and why."""
    return _ask_decline(account_id, empty())


@pages.post("/rekening-lembaga/<uuid:account_id>/tolak")
def decline_account(account_id: uuid.UUID) -> str | Response | tuple[str | Response, int]:
    """Refuse the account."""
    form = submitted(DeclineForm())
    if not form.is_valid:
        return _ask_decline(account_id, form), 400
    user_id = signed_in_user().id

    def work(current: Session) -> BankAccount:
        actor = current.get_one(User, user_id)
        account = service.decline_bank_account(current, account_id, actor, form.data["reason"])
        tell_owners(current, account)
        return account

    return _act(work, _("Rekening ditolak. Lembaga bisa mengajukan yang lain."))


def _ask_decline(account_id: uuid.UUID, form: Form) -> str | Response:
    found = queries.get_bank_account(db.session(), account_id)
    if found.state != BankAccountState.PROPOSED:
        return redirect(url_for("finance.provider_accounts"))
    return render_template(
        "finance/decline_account.html",
        account=found,
        account_words=account_words,
        form=form,
        most=LONGEST_REASON,
    )


def _act(work: Callable[[Session], object], done: str) -> Response:
    return act_and_return(work, done, url_for("finance.provider_accounts"))

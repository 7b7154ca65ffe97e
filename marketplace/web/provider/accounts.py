"""Where the provider is paid: a new account is proposed here, and approved by somebody of the programme."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.providers import queries, service
from marketplace.providers.account_messages import tell_owners
from marketplace.providers.errors import BankDetailsInvalid
from marketplace.providers.models import BankAccount, BankAccountState, Provider
from marketplace.providers.service import BankDetails
from marketplace.schemes import queries as schemes
from marketplace.web.banks import account_words, bank_choices
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.state_words import account_tag

_FAULTS = {
    "bank_code": _l("Pilih bank dari daftar."),
    "holder_name": _l("Tulis nama seperti di buku rekening: huruf biasa, paling panjang 70."),
    "number": _l("Nomor rekening terdiri dari 5 sampai 34 angka."),
}


class AccountForm(FormSchema):
    bank_code = Text(_FAULTS["bank_code"])
    holder_name = Text(_FAULTS["holder_name"])
    number = Text(_FAULTS["number"])


@pages.get("/rekening")
def bank_account() -> str:
    """The account in use, one that waits, and the form for another."""
    return _page(empty())


@pages.post("/rekening")
def propose_account() -> Response | tuple[str, int]:
    """Name a new account. It pays nobody before a second person approves it and some days have passed."""
    form = submitted(AccountForm())
    if form.is_valid:
        _propose(form)
    if not form.is_valid:
        return _page(form), 400
    flash(_("Diajukan. Orang lain di kantor program memeriksanya sebelum dipakai."), "daun")
    return redirect(url_for("provider.bank_account"))


def _propose(form: Form) -> None:
    provider_id, user_id = current_provider().id, signed_in_user().id
    names = ("bank_code", "holder_name", "number")
    details = BankDetails(**{name: form.data[name] for name in names})
    if details.bank_code not in dict(bank_choices()):
        return form.refuse("bank_code", _FAULTS["bank_code"])

    def work(current: Session) -> BankAccount:
        provider, actor = current.get_one(Provider, provider_id), current.get_one(User, user_id)
        account = service.propose_bank_account(current, provider, details, actor)
        tell_owners(current, account, actor.name)
        return account

    try:
        db.run_in_transaction(work)
    except BankDetailsInvalid as error:
        name = str(error.details["field"])
        form.refuse(name, _FAULTS[name])
    else:
        nudge(notifications.sweep)
    return None


def _page(form: Form) -> str:
    current = db.session()
    now = clock.now(current)
    found = queries.list_bank_accounts(current, current_provider().id)
    accounts = [account for account in found if account.state != BankAccountState.REPLACED]
    return render_template(
        "provider/bank_account.html",
        accounts=[(account, account_tag(account, now)) for account in accounts],
        account_words=account_words,
        banks=bank_choices(),
        wait_days=schemes.get_default_scheme(current).bank_account_wait_days,
        form=form,
    )

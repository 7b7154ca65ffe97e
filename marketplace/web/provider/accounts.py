"""Where the provider is paid: a new account is proposed here, and approved by somebody of the programme."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.identity.models import User
from marketplace.identity.step_up import Act
from marketplace.notifications import tasks as notifications
from marketplace.providers import queries, service
from marketplace.providers.account_messages import tell_owners
from marketplace.providers.errors import BankDetailsInvalid
from marketplace.providers.models import BankAccountState, Provider
from marketplace.providers.service import BankDetails
from marketplace.schemes import queries as schemes
from marketplace.web import fresh_code
from marketplace.web.banks import account_words, bank_choices
from marketplace.web.forms import Copied, Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.state_words import account_tag

_FAULTS = {
    "bank_code": _l("Pilih bank dari daftar."),
    "holder_name": _l("Tulis nama seperti di buku rekening: huruf biasa, paling banyak 70 huruf."),
    "number": _l("Nomor rekening terdiri dari 5 sampai 34 angka."),
}


class AccountForm(FormSchema):
    bank_code = Text(_FAULTS["bank_code"])
    holder_name = Text(_FAULTS["holder_name"])
    number = Copied(_FAULTS["number"])
    code = Text(required=False, load_default="")
    resend = Text(required=False)


@pages.get("/rekening")
def bank_account() -> str:
    """The account in use, one that waits, and the form for another."""
    return _page(empty())


@pages.post("/rekening")
def propose_account() -> str | Response | tuple[str, int]:
    """Name a new account. It pays nobody before a second person approves it and some days have passed.

    Whoever signed in a while ago gives a fresh code first: where money goes is changed by its owner alone.
    An account that waits already is not named again, however often the button is pressed.
    """
    form = submitted(AccountForm())
    details = _read(form)
    if details is None:
        return _page(form), 400
    provider_id, user_id = current_provider().id, signed_in_user().id
    is_repeat = service.find_proposal(db.session(), provider_id, details) is not None
    asked = None if is_repeat or fresh_code.is_fresh() else _ask_code(form, details)
    if asked is not None:
        return asked

    def work(current: Session) -> None:
        provider = current.get_one(Provider, provider_id, with_for_update={"of": Provider, "key_share": True})
        if service.find_proposal(current, provider_id, details) is None:
            actor = current.get_one(User, user_id)
            tell_owners(current, service.propose_bank_account(current, provider, details, actor), actor.name)

    db.run_in_transaction(work)
    nudge(notifications.sweep)
    flash(_("Diajukan. Orang lain di kantor program memeriksanya sebelum dipakai."), "daun")
    return redirect(url_for("provider.bank_account"))


def _read(form: Form) -> BankDetails | None:
    """The account that was typed, or None; what is wrong goes to the form."""
    if not form.is_valid:
        return None
    details = BankDetails(**{name: form.data[name] for name in ("bank_code", "holder_name", "number")})
    try:
        service.check_bank_details(details)
    except BankDetailsInvalid as error:
        name = str(error.details["field"])
        form.refuse(name, _FAULTS[name])
    if details.bank_code not in dict(bank_choices()):
        form.refuse("bank_code", _FAULTS["bank_code"])
    return details if form.is_valid else None


def _ask_code(form: Form, details: BankDetails) -> str | tuple[str, int] | None:
    """Take the code that the form brings, and return None; else send one, or say what is wrong with it."""
    ending = details.number[-4:]
    if "code" not in form.typed or "resend" in form.typed:
        fresh_code.send(form, _("mengajukan rekening berakhiran %(ending)s", ending=ending), Act.ACCOUNT)
    else:
        fresh_code.take(form)
        if form.is_valid:
            return None
    contact = signed_in_user().contact
    page = render_template("provider/prove_account.html", form=form, ending=ending, contact=contact)
    return (page, 409) if form.errors else page


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

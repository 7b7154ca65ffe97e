"""Registration: three short pages; what was typed is kept, encrypted, in the person's own cookie."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from cryptography.fernet import InvalidToken
from flask import Blueprint, current_app, flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, validates
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.batches import service as grants
from marketplace.batches import tasks as batches
from marketplace.broker import nudge
from marketplace.encryption import vault
from marketplace.participants import eligibility
from marketplace.participants import service as participants
from marketplace.participants.errors import Ineligible
from marketplace.schemes import queries as schemes
from marketplace.web.errors import words_for
from marketplace.web.forms import Copied, Digits, Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import find_participant, signed_in_user
from marketplace.web.regions import PROVINCES

pages = Blueprint("registration", __name__, url_prefix="/daftar")

_FIELD_OF = {
    "nik_malformed": "nik",
    "nik_taken": "nik",
    "nik_birth_date_mismatch": "nik",
    "kk_malformed": "kk",
    "kk_quota_full": "kk",
    "under_age": "birth",
    "over_age": "birth",
    "name_missing": "full_name",
    "province_unknown": "province_code",
}
_WRONG_DATE = _l("Tulis tanggal lahir yang ada di kalender, misalnya 27 8 1995.")


class PersonForm(FormSchema):
    full_name = Text(_l("Tulis nama lengkap seperti di KTP."))
    day = Digits(data_key="birth-day")
    month = Digits(data_key="birth-month")
    year = Digits(data_key="birth-year")

    @validates("full_name")
    def _long_enough(self, value: str, **kwargs: Any) -> None:
        if not 2 <= len(value) <= 120:
            raise ValidationError(str(_l("Tulis nama lengkap seperti di KTP.")))


class NumbersForm(FormSchema):
    nik = Copied(_l("Tulis NIK, 16 angka di KTP."))
    kk = Copied(_l("Tulis nomor kartu keluarga, 16 angka."))


class PlaceForm(FormSchema):
    province_code = Text(_l("Pilih provinsi dari daftar."))


@pages.before_request
def _once() -> Response | None:
    return redirect(url_for("participant.home")) if find_participant() else None


@pages.get("")
def person() -> str:
    """First page: name and birth date."""
    return render_template("account/register_person.html", form=empty(**_draft()))


@pages.post("")
def save_person() -> str | Response:
    """Check the first page. The three boxes of the date share one error."""
    form = submitted(PersonForm())
    wrong = [form.errors.pop(name, None) for name in ("birth-day", "birth-month", "birth-year")]
    _check_birth(form, None if any(wrong) else _birth_date(form.data))
    if not form.is_valid:
        return render_template("account/register_person.html", form=form)
    _save_draft(form)
    return redirect(url_for("registration.numbers"))


@pages.get("/nomor")
def numbers() -> str | Response:
    """Second page: NIK and KK."""
    if _birth_date(_draft()) is None:
        return redirect(url_for("registration.person"))
    return render_template("account/register_numbers.html", form=empty(**_draft()))


@pages.post("/nomor")
def save_numbers() -> str | Response:
    form = submitted(NumbersForm())
    if form.is_valid:
        _check_numbers(form, _draft())
    if not form.is_valid:
        return render_template("account/register_numbers.html", form=form)
    _save_draft(form)
    return redirect(url_for("registration.place"))


@pages.get("/wilayah")
def place() -> str | Response:
    """Third page: province, and what will be registered."""
    draft = _draft()
    return _place(empty(**draft), draft) if _is_ready(draft) else redirect(url_for("registration.person"))


@pages.post("/wilayah")
def register() -> str | Response:
    """Register, and ask for the grant."""
    form = submitted(PlaceForm())
    if form.is_valid and form.data["province_code"] not in PROVINCES:
        form.refuse("province_code", _("Pilih provinsi dari daftar."))
    draft = _draft()
    if not _is_ready(draft):
        return redirect(url_for("registration.person"))
    if form.is_valid:
        _register(form, draft)
    if not form.is_valid:
        return _ask_again(form, draft)
    session.pop("draft", None)
    nudge(batches.activate)
    flash(_("Pendaftaran Anda diterima. Bantuan pelatihan sedang kami kirim ke saldo Anda."))
    return redirect(url_for("participant.home"))


def _place(form: Form, draft: dict[str, str]) -> str:
    return render_template(
        "account/register_place.html",
        form=form,
        draft=draft,
        born=_birth_date(draft),
        nik=_masked(draft["nik"]),
        kk=_masked(draft["kk"]),
        provinces=PROVINCES,
    )


def _ask_again(form: Form, draft: dict[str, str]) -> str:
    """The page whose field was refused, with everything that was typed."""
    again = Form(typed=draft | dict(form.typed), errors=form.errors)
    if "birth" in form.errors or "full_name" in form.errors:
        return render_template("account/register_person.html", form=again)
    if "nik" in form.errors or "kk" in form.errors:
        return render_template("account/register_numbers.html", form=again)
    return _place(form, draft)


def _is_ready(draft: dict[str, str]) -> bool:
    """Whether the two pages before the last are filled in."""
    return {"full_name", "nik", "kk"} <= draft.keys() and _birth_date(draft) is not None


def _masked(typed: str) -> str:
    digits = "".join(character for character in typed if character.isdigit())
    return f"{digits[:4]}••••••••{digits[-4:]}"


def _register(form: Form, draft: dict[str, str]) -> None:
    """Register and award in one transaction; a refusal is shown in words, with its reason."""
    born = _birth_date(draft)
    if born is None:
        return form.refuse("birth", _WRONG_DATE)
    details = participants.Registration(
        full_name=draft["full_name"],
        nik=draft["nik"],
        kk=draft["kk"],
        birth_date=born,
        province_code=form.data["province_code"],
    )
    try:
        with db.transaction() as current:
            participant = participants.register(current, signed_in_user(), details)
            if current_app.extensions["settings"].grant_on_registration:
                grants.award(current, [participant.id])
    except Ineligible as error:
        form.refuse(_FIELD_OF.get(error.code, ""), words_for(error))


def _check_birth(form: Form, born: date | None) -> None:
    """A day of the calendar, and an age that the scheme takes: said at once, not two pages later."""
    current = db.session()
    today = clock.today(current)
    if born is None or born > today:
        return form.refuse("birth", _WRONG_DATE)
    try:
        eligibility.check_age(born, schemes.get_default_scheme(current), today)
    except Ineligible as error:
        form.refuse("birth", words_for(error))


def _check_numbers(form: Form, draft: dict[str, str]) -> None:
    """Find typing errors on the page where they are made; registering checks everything again."""
    born = _birth_date(draft)
    today = clock.today(db.session())
    checks: dict[str, Callable[[str], object]] = {
        "nik": lambda typed: eligibility.check_identity(typed, born, today) if born else None,
        "kk": eligibility.check_family_card,
    }
    for name, check in checks.items():
        try:
            check(form.data[name])
        except Ineligible as error:
            form.refuse(name, words_for(error))


def _birth_date(data: Mapping[str, Any]) -> date | None:
    try:
        return date(int(data["year"]), int(data["month"]), int(data["day"]))
    except (KeyError, ValueError, OverflowError):
        return None


def _draft() -> dict[str, str]:
    """What was typed so far, or nothing: a cookie from before a change of keys is simply empty."""
    sealed = session.get("draft")
    if not sealed:
        return {}
    try:
        draft: dict[str, str] = json.loads(vault().decrypt(sealed.encode()))
    except InvalidToken:
        session.pop("draft")
        return {}
    return draft


def _save_draft(form: Form) -> None:
    draft = _draft() | {name: str(value) for name, value in form.data.items()}
    session["draft"] = vault().encrypt(json.dumps(draft)).decode()

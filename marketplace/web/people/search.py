"""The search for people and providers. What is typed travels in a form's body, never in an address."""

import uuid

from flask import render_template
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.identity.models import User
from marketplace.oversight import lookups
from marketplace.oversight.lookups import Found, Kind
from marketplace.web.forms import Copied, FormSchema, empty, submitted
from marketplace.web.identity import parse_id, signed_in_user
from marketplace.web.people.blueprint import pages
from marketplace.web.regions import PROVINCES

_ASK = _l("Tulis nama, kontak, NIK, atau sebuah nomor.")


class SearchForm(FormSchema):
    q = Copied(
        _ASK,
        validate=validate.Length(
            min=lookups.SHORTEST,
            max=200,
            error=_l("Tulis paling sedikit %(least)s huruf.", least=lookups.SHORTEST),
        ),
    )
    after = fields.String(load_default="")


@pages.get("/orang")
def search() -> str:
    """The empty search."""
    return _page()


@pages.post("/orang")
def find() -> str | tuple[str, int]:
    """Whom the text means. Nothing changes but the audit trail."""
    form = submitted(SearchForm())
    if not form.is_valid:
        return _page(form.errors, str(form.typed.get("q", ""))[:200]), 400
    user_id, wanted = signed_in_user().id, form.data["q"]
    after = parse_id(form.data["after"]) if form.data["after"] else None
    return db.run_in_transaction(lambda current: _found(current, wanted, user_id, after))


def _found(current: Session, wanted: str, user_id: uuid.UUID, after: uuid.UUID | None) -> str:
    """Made inside the transaction: whom it found is read once."""
    found = lookups.search(current, wanted, current.get_one(User, user_id), after)
    return _page(wanted=wanted, found=found)


def _page(errors: dict[str, str] | None = None, wanted: str = "", found: Found | None = None) -> str:
    """A NIK is not written back: whoever looks over a shoulder need not read it."""
    form = empty(q="" if found and found.kind is Kind.NIK else wanted)
    form.errors = errors or {}
    return render_template("people/search.html", form=form, found=found, provinces=PROVINCES)

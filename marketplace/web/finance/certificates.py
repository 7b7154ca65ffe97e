"""The programme office's view of certificates: find one, and take it back for a reason."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.enrolments import certificates
from marketplace.identity.models import Role, User
from marketplace.notifications import tasks as notifications
from marketplace.web.certificates import reason_words
from marketplace.web.finance.blueprint import pages
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import signed_in_user


class RevokeForm(FormSchema):
    reason = Text(_l("Tulis alasannya: setiap orang yang memeriksa sertifikat ini membacanya."))


@pages.get("/sertifikat")
def certificate_list() -> str | Response:
    """The newest certificates, and a search by number."""
    current = db.session()
    typed = request.args.get("nomor", "").replace("\x00", "").strip()[:60]
    found = certificates.find(current, typed) if typed else None
    if found is not None:
        return redirect(url_for("finance.certificate", certificate_id=found.id))
    recent = certificates.list_recent(current)
    return render_template("finance/certificates.html", typed=typed, recent=recent)


@pages.get("/sertifikat/<uuid:certificate_id>")
def certificate(certificate_id: uuid.UUID) -> str:
    """One certificate, with the way to revoke it."""
    return _certificate(certificate_id, empty())


@pages.post("/sertifikat/<uuid:certificate_id>")
def revoke_certificate(certificate_id: uuid.UUID) -> Response | tuple[str, int]:
    """Take it back. Its holder is told, and the public page says why."""
    form = submitted(RevokeForm())
    if not form.is_valid:
        return _certificate(certificate_id, form), 400
    user_id = signed_in_user().id
    with db.transaction() as current:
        actor = current.get_one(User, user_id)
        certificates.revoke(current, certificate_id, form.data["reason"], actor)
    nudge(notifications.sweep)
    flash(_("Sertifikat dicabut. Pemiliknya diberi tahu."), "daun")
    return redirect(url_for("finance.certificate", certificate_id=certificate_id))


def _certificate(certificate_id: uuid.UUID, form: Form) -> str:
    found = certificates.get(db.session(), certificate_id)
    return render_template(
        "finance/certificate.html",
        certificate=found,
        form=form,
        reason=reason_words(found),
        may_act=signed_in_user().has_role(Role.FINANCE),
    )

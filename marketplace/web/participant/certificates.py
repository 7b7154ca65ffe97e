"""Certificates to take away: on paper, and as a digital badge. A revoked one has only its public page."""

import uuid

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from marketplace import db
from marketplace.enrolments import certificates
from marketplace.enrolments.badges import sign_badge
from marketplace.enrolments.learning_models import Certificate
from marketplace.web.certificate_pdf import draw
from marketplace.web.certificates import addresses, signing_key
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages


@pages.get("/sertifikat-saya/<uuid:certificate_id>/sertifikat.pdf")
def certificate_pdf(certificate_id: uuid.UUID) -> AnyResponse:
    """One page of A4, with a code that leads to the page that proves it."""
    found = _own(certificate_id)
    if found.revoked_at is not None:
        return _why_not(found)
    paper = draw(found, addresses().certificate(found.number))
    return _file(paper, "application/pdf", f"{found.number}.pdf")


@pages.get("/sertifikat-saya/<uuid:certificate_id>/lencana.jwt")
def badge(certificate_id: uuid.UUID) -> AnyResponse:
    """The Open Badges 3.0 credential, signed."""
    found = _own(certificate_id)
    if found.revoked_at is not None:
        return _why_not(found)
    signed = sign_badge(found, signing_key(), addresses())
    return _file(signed.encode(), "application/vc+jwt", f"{found.number}.jwt")


def _own(certificate_id: uuid.UUID) -> Certificate:
    return certificates.get_own(db.session(), certificate_id, current_participant().id)


def _why_not(revoked: Certificate) -> AnyResponse:
    """The page that says since when it does not hold, and why: what is signed now would say that it does."""
    return redirect(url_for("certificate.show", number=revoked.number))


def _file(content: bytes, mimetype: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=mimetype, headers=headers)

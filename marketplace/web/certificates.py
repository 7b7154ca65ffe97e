"""Certificates for everybody: is this one genuine, who issued the badge, with which key, what was revoked."""

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from marketplace import db
from marketplace.config import Settings
from marketplace.enrolments import badges, certificates
from marketplace.enrolments.badges import Addresses, BadgeKey
from marketplace.enrolments.learning_models import Certificate, RevocationCode
from marketplace.enrolments.receipts import is_valid
from marketplace.web.identity import find_participant

pages = Blueprint("certificate", __name__)

_FOR_MINUTES = "public, max-age=300"


@pages.get("/sertifikat")
def check() -> str | AnyResponse:
    """A form for the number on the paper."""
    typed = request.args.get("nomor", "").replace("\x00", "").strip()[:60]
    if not typed:
        return render_template("public/certificate_check.html", typed="", problem=None)
    number = "".join(typed.split()).upper().replace("/", "")
    return redirect(url_for("certificate.show", number=number or "-"))


@pages.get("/sertifikat/<number>")
def show(number: str) -> str | tuple[str, int]:
    """What a certificate says, and whether it holds; for an unknown number, what to do."""
    current = db.session()
    found = certificates.find(current, number.replace("\x00", ""))
    if found is None:
        return _unknown(number[:60])
    return render_template(
        "public/certificate.html",
        certificate=found,
        reason=reason_words(found),
        successor=_successor(current, found),
        is_own=_is_own(found),
    )


@pages.get("/lencana/penerbit.json")
def issuer() -> Response:
    """The profile of the issuer of badges, with the key's address."""
    at = addresses()
    keys = [at.key(each.name) for each in _keys()]
    return _public(badges.issuer(at) | {"verificationMethod": keys, "jwks": url_for("certificate.keys")})


@pages.get("/lencana/kunci.json")
def keys() -> Response:
    """Every public key that signs or has signed badges, as a JWK set."""
    at = addresses()
    return _public({"keys": [_published(each, at) for each in _keys()]})


@pages.get("/lencana/kunci/<kid>.json")
def key(kid: str) -> Response:
    """One public key, where the header of a badge says that it is."""
    found = next((each for each in _keys() if each.name == kid), None)
    return _public(_published(found, addresses())) if found else abort(404)


@pages.get("/lencana/pencabutan.json")
def revocations() -> Response:
    """The badges that no longer hold, and why."""
    revoked = certificates.list_revoked(db.session())
    reasons = {each.number: reason_words(each) for each in revoked}
    return _public(badges.revocation_list(reasons, addresses()))


def addresses() -> Addresses:
    """Where this installation's badges say that things are."""
    settings: Settings = current_app.extensions["settings"]
    return Addresses(settings.public_url.rstrip("/"))


def signing_key() -> BadgeKey:
    """The key that signs badges now."""
    return _keys()[0]


def reason_words(certificate: Certificate) -> str:
    """Why a certificate no longer holds; empty while it does."""
    if certificate.revoked_code == RevocationCode.CORRECTED:
        return _("Hasil kursusnya dikoreksi setelah sertifikat ini terbit.")
    return certificate.revoked_reason


def _keys() -> list[BadgeKey]:
    settings: Settings = current_app.extensions["settings"]
    return [BadgeKey(seed) for seed in settings.badge_signing_keys]


def _published(key: BadgeKey, at: Addresses) -> badges.Json:
    return key.public | {"alg": "EdDSA", "kid": at.key(key.name), "use": "sig"}


def _public(document: badges.Json) -> Response:
    answer = jsonify(document)
    answer.headers["Cache-Control"] = _FOR_MINUTES
    answer.headers["Access-Control-Allow-Origin"] = "*"  # verifiers are pages of other sites
    return answer


def _successor(current: Session, certificate: Certificate) -> Certificate | None:
    """The certificate that took a corrected one's place, if there is one."""
    if certificate.revoked_at is None:
        return None
    newest = certificates.find_newest_of(current, certificate.enrolment_id)
    return newest if newest is not None and newest.revoked_at is None else None


def _is_own(certificate: Certificate) -> bool:
    participant = find_participant()
    return participant is not None and certificate.enrolment.participant_id == participant.id


def _unknown(number: str) -> tuple[str, int]:
    if is_valid("".join(number.split()).upper()):
        problem = _("Nomor ini ditulis dengan benar, tetapi Bekal tidak pernah menerbitkannya.")
    else:
        problem = _("Nomor ini salah tulis: angka pemeriksanya tidak cocok. Periksa setiap huruf dan angka.")
    return render_template("public/certificate_check.html", typed=number, problem=problem), 404

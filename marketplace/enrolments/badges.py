"""A certificate as an Open Badges 3.0 credential, signed as a JSON Web Token.

Sources: Open Badges 3.0, sections on the data model and the JSON Web Token proof format; RFC 7515, 7638
and 8037. The payload is the credential itself together with the registered claims.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from marketplace.enrolments.learning_models import Certificate

Json = dict[str, Any]

_CONTEXT = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
]
_SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"


@dataclass(frozen=True, slots=True)
class BadgeKey:
    """An Ed25519 key that signs badges; `name` is the thumbprint of its public half."""

    seed: bytes

    @property
    def public(self) -> Json:
        """The public key as a JSON Web Key. It never holds the private half."""
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}

    @property
    def name(self) -> str:
        return _base64url(hashlib.sha256(_compact(self.public)).digest())

    def sign(self, payload: Json, key_address: str) -> str:
        """A compact JWS. Ed25519 is deterministic: the same payload gives the same text."""
        header = {"alg": "EdDSA", "kid": key_address, "typ": "JWT"}
        signed = f"{_base64url(_compact(header))}.{_base64url(_compact(payload))}"
        return f"{signed}.{_base64url(self._private.sign(signed.encode()))}"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a badge says that things are: all below the installation's public address."""

    site: str

    @property
    def issuer(self) -> str:
        return f"{self.site}/lencana/penerbit.json"

    @property
    def revocations(self) -> str:
        return f"{self.site}/lencana/pencabutan.json"

    def key(self, name: str) -> str:
        return f"{self.site}/lencana/kunci/{name}.json"

    def certificate(self, number: str) -> str:
        return f"{self.site}/sertifikat/{number}"

    def course(self, certificate: Certificate) -> str:
        return f"{self.site}/kursus/{certificate.enrolment.run.course_id}"


def sign_badge(certificate: Certificate, key: BadgeKey, at: Addresses) -> str:
    """The badge that its holder downloads. Contains nothing that the certificate does not show."""
    credential = describe(certificate, at)
    claims = {
        "iss": at.issuer,
        "jti": credential["id"],
        "nbf": int(certificate.issued_at.timestamp()),
        "sub": credential["credentialSubject"]["id"],
    }
    return key.sign(credential | claims, at.key(key.name))


def describe(certificate: Certificate, at: Addresses) -> Json:
    """The OpenBadgeCredential of a certificate, unsigned."""
    return {
        "@context": _CONTEXT,
        "id": at.certificate(certificate.number),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": certificate.course_title,
        "issuer": issuer(at),
        "validFrom": _instant(certificate.issued_at),
        "credentialSubject": _subject(certificate, at),
        "credentialSchema": [{"id": _SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
        "credentialStatus": {"id": at.revocations, "type": "1EdTechRevocationList"},
    }


def issuer(at: Addresses) -> Json:
    """The profile of whoever issues badges here."""
    return {"id": at.issuer, "type": ["Profile"], "name": "Bekal", "url": at.site}


def revocation_list(certificates: Mapping[str, str], at: Addresses) -> Json:
    """The list that `credentialStatus` names, from numbers to reasons."""
    revoked = [
        {"id": at.certificate(number), "revoked": True, "revocationReason": reason}
        for number, reason in certificates.items()
    ]
    return {"id": at.revocations, "issuer": at.issuer, "revokedCredential": revoked}


def _subject(certificate: Certificate, at: Addresses) -> Json:
    """Whose it is: by name, as on paper, and by an id that only this certificate has."""
    return {
        "id": f"urn:uuid:{certificate.id}",
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": certificate.holder_name,
                "identityType": "name",
            }
        ],
        "activityStartDate": f"{certificate.starts_on}T00:00:00Z",
        "activityEndDate": f"{certificate.ends_on}T00:00:00Z",
        "narrative": f"Hadir {certificate.percent}%.",
        "achievement": _achievement(certificate, at),
    }


def _achievement(certificate: Certificate, at: Addresses) -> Json:
    hours = f", {certificate.hours} jam" if certificate.hours else ""
    return {
        "id": at.course(certificate),
        "type": ["Achievement"],
        "achievementType": "CertificateOfCompletion",
        "name": certificate.course_title,
        "description": f"Pelatihan {certificate.course_title} oleh {certificate.provider_name}{hours}.",
        "criteria": {
            "narrative": f"Hadir sedikitnya {certificate.enrolment.scheme.certificate_from_percent}% "
            "dari semua sesi atau unit."
        },
    }


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _compact(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

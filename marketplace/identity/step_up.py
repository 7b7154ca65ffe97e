"""A fresh proof that whoever uses a session still has the contact it was opened with.

The code is issued for one session, so that another one, or signing in, has no use for it; it is
used up like every other code. All on the wall's clock.
"""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity import codes
from marketplace.identity.models import UserSession
from marketplace.notifications import service as notifications
from marketplace.notifications.models import Channel


class Act(StrEnum):
    """What a fresh proof is asked for."""

    PURCHASE = "purchase"
    ACCOUNT = "account"


_MESSAGES = {
    Act.PURCHASE: {
        "id": (
            "Kode pembelian Bekal",
            "Kode pembelian Bekal Anda {code}, untuk {purpose}. Berlaku 10 menit dan hanya sekali.\n\n"
            "Jangan berikan kode ini kepada siapa pun, termasuk petugas. Bila Anda tidak sedang membeli, "
            "abaikan pesan ini: tanpa kode ini saldo Anda tidak berkurang.",
        ),
        "en": (
            "Bekal purchase code",
            "Your Bekal purchase code is {code}, for {purpose}. It is valid for 10 minutes and only once.\n\n"
            "Give it to nobody, officers included. If you are not buying anything, ignore this message: "
            "without this code your balance is not touched.",
        ),
    },
    Act.ACCOUNT: {
        "id": (
            "Kode rekening Bekal",
            "Kode Bekal Anda {code}, untuk {purpose}. Berlaku 10 menit dan hanya sekali.\n\n"
            "Jangan berikan kode ini kepada siapa pun, termasuk petugas. Bila bukan Anda yang mengajukan "
            "rekening, abaikan pesan ini dan beri tahu kantor program.",
        ),
        "en": (
            "Bekal account code",
            "Your Bekal code is {code}, for {purpose}. It is valid for 10 minutes and only once.\n\n"
            "Give it to nobody, officers included. If you are not naming a bank account, ignore this message "
            "and tell the programme office.",
        ),
    },
}


def is_proven(found: UserSession, within: timedelta) -> bool:
    """Whether the session's owner gave a code not longer ago than this."""
    return clock.wall_now() - found.proved_at <= within


def request_proof(session: Session, found: UserSession, purpose: str, act: Act = Act.PURCHASE) -> None:
    """Send a code to the session's owner; `purpose` says what it is for. Raises RateLimited."""
    code = codes.issue(session, _subject(found))
    subject, body = _MESSAGES[act].get(found.user.locale, _MESSAGES[act]["id"])
    notifications.notify_contact(
        session,
        Channel.EMAIL if found.user.email else Channel.SMS,
        found.user.contact,
        subject=subject,
        body=body.format(code=code, purpose=purpose),
        secret=True,
    )


def prove(session: Session, found: UserSession, code: str) -> None:
    """Take a code for a session. Raises CodeExpired and CodeWrong, which is `recorded`."""
    codes.redeem(session, _subject(found), "".join(code.split()))
    found.proved_at = clock.wall_now()
    session.flush()


def _subject(found: UserSession) -> str:
    """What the codes of a session are kept under. No contact looks like this."""
    return f"session:{found.id}"

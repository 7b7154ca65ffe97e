"""The public log of the ledger: who signs it, when it is sealed, what a person can prove with it."""

from datetime import timedelta

from sqlalchemy.orm import Session

from ledger import LedgerError, Seal, Signer, get_seal, read_signer, seal
from marketplace import clock
from marketplace.config import Settings

# summing every account takes seconds with millions of them, and nobody needs a proof of every tick
BALANCES_EVERY = timedelta(days=1)


def signer(settings: Settings) -> Signer:
    """The key that signs this installation's log; its name is the log's origin."""
    return read_signer(settings.log_signing_key)


def seal_waiting(session: Session, key: Signer, *, balances: bool = False) -> Seal | None:
    """Seal what was written since; all balances too, once a day or when asked. None where nothing waits.

    Raises InvalidCheckpoint where the past was changed.
    """
    return seal(session, key, balances=balances or _wants_balances(session))


def _wants_balances(session: Session) -> bool:
    try:
        newest = get_seal(session, balances=True)
    except LedgerError:
        return True
    return newest.sealed_at <= clock.wall_now() - BALANCES_EVERY

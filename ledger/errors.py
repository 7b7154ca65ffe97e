"""Everything the ledger refuses: one exception per reason, each with a stable code.

The database raises the same reasons with an SQLSTATE of its own class ``LG``; ``BY_SQLSTATE`` and
``BY_CONSTRAINT`` say which exception a refusal of the database becomes.
"""

from typing import ClassVar


class LedgerError(Exception):
    """The ledger refused and wrote nothing. ``code`` is stable; ``detail`` names the row to blame, if any."""

    code: ClassVar[str] = "ledger_error"

    def __init__(self, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class InvalidRequest(LedgerError):
    """The request itself is malformed; sending it again cannot help."""

    code = "invalid_request"


class InvalidKey(InvalidRequest):
    """An idempotency key is 1 to 200 bytes of printable text."""

    code = "invalid_key"


class InvalidKind(InvalidRequest):
    """A kind of transaction is a short lower-case word, as ``purchase``."""

    code = "invalid_kind"


class InvalidReference(InvalidRequest):
    """A reference is 1 to 200 bytes of printable text."""

    code = "invalid_reference"


class InvalidMetadata(InvalidRequest):
    """Metadata and personal parts are JSON objects of at most 16 KiB without NUL, NaN or lone surrogates."""

    code = "invalid_metadata"


class InvalidAmount(InvalidRequest):
    """An amount is a finite Decimal above zero, with at most two decimals, below 10**18."""

    code = "invalid_amount"


class InvalidPostings(InvalidRequest):
    """A transaction has 1 to 1,000 postings."""

    code = "invalid_postings"


class SameAccount(InvalidRequest):
    """A posting debits and credits two different accounts."""

    code = "same_account"


class InvalidEffectiveAt(InvalidRequest):
    """An effective date is aware, not before 2000 and at most one day ahead of programme time."""

    code = "invalid_effective_at"


class InvalidPosition(InvalidRequest):
    """A position is a whole number below which everything is known by now."""

    code = "invalid_position"


class InvalidPeriod(InvalidRequest):
    """A period is closed when it is over, and after those before it; ``detail`` is its end."""

    code = "invalid_period"


class InvalidAccountCode(InvalidRequest):
    """An account code is ``family:name`` in lower-case letters, digits, ``_``, ``.`` and ``-``."""

    code = "invalid_account_code"


class UnknownFamily(InvalidRequest):
    """The owner has not declared this family of accounts."""

    code = "unknown_family"


class UnknownAccount(LedgerError):
    """No such account is open; ``detail`` is its code."""

    code = "unknown_account"


class UnknownTransaction(LedgerError):
    """No such transaction; ``detail`` is its id."""

    code = "unknown_transaction"


class AccountClosed(LedgerError):
    """A closed account takes no further postings; ``detail`` is its code."""

    code = "account_closed"


class AccountNotEmpty(LedgerError):
    """Only an account with a balance of zero and no holds may be closed; ``detail`` is its code."""

    code = "account_not_empty"


class InsufficientBalance(LedgerError):
    """A guarded account would go below zero, holds included; ``detail`` is its code."""

    code = "insufficient_balance"


class NotHoldable(InvalidRequest):
    """Only a guarded balance that debits lower can be held; ``detail`` is the account."""

    code = "not_holdable"


class InvalidExpiry(InvalidRequest):
    """A hold ends at an aware instant in the future of programme time."""

    code = "invalid_expiry"


class UnknownHold(LedgerError):
    """No such hold; ``detail`` is its id."""

    code = "unknown_hold"


class HoldResolved(LedgerError):
    """A hold is captured, released or expired once, and this one was; ``detail`` is its id."""

    code = "hold_resolved"


class HoldExpired(HoldResolved):
    """The hold is past its instant; ``detail`` is its id."""

    code = "hold_expired"


class ExceedsHold(LedgerError):
    """More would be captured than is held; ``detail`` is the hold's id."""

    code = "exceeds_hold"


class IdempotencyConflict(LedgerError):
    """The key was used before for another request; ``detail`` is the key."""

    code = "idempotency_conflict"


class CurrencyMismatch(LedgerError):
    """The two accounts of a posting are kept in different currencies."""

    code = "currency_mismatch"


class FlowNotAllowed(LedgerError):
    """The owner's whitelist has no such flow: kind of transaction, debited family, credited family."""

    code = "flow_not_allowed"


class ExceedsOriginal(LedgerError):
    """What settles and reverses a transaction would together exceed what it credited."""

    code = "exceeds_original"


class PeriodClosed(LedgerError):
    """The effective date lies in a closed period."""

    code = "period_closed"


class WrongIsolation(LedgerError):
    """The ledger writes only in READ COMMITTED transactions."""

    code = "wrong_isolation"


class HistoryIsImmutable(LedgerError):
    """Raw SQL tried to change, delete or add to what is written."""

    code = "history_is_immutable"


class IncompleteTransaction(LedgerError):
    """Raw SQL wrote a transaction that has not exactly the postings it says."""

    code = "incomplete_transaction"


class InvalidCheckpoint(LedgerError):
    """A checkpoint does not say what its seal says, or does not continue the one before it."""

    code = "invalid_checkpoint"


class NeedsAdoption(LedgerError):
    """Transaction ids restarted, as after a restore into a new cluster: the owner must adopt it first."""

    code = "needs_adoption"


class LogEnded(LedgerError):
    """The log of this name was cut off by a restore: it goes on under another name; ``detail`` is its own."""

    code = "log_ended"


class InvalidArchive(LedgerError):
    """A full export cannot be loaded here: it is none, not whole, not sound, or the ledger is not empty."""

    code = "invalid_archive"


class NotSealed(LedgerError):
    """What was asked for is not sealed yet, or never was written; ``detail`` names it."""

    code = "not_sealed"


class InvalidSigningKey(LedgerError):
    """A signing key is ``PRIVATE+KEY+name+id+base64`` with an Ed25519 seed, and its parts fit each other."""

    code = "invalid_signing_key"


BY_SQLSTATE: dict[str, type[LedgerError]] = {
    "LG001": InsufficientBalance,
    "LG002": IdempotencyConflict,
    "LG003": UnknownAccount,
    "LG004": AccountClosed,
    "LG005": CurrencyMismatch,
    "LG006": FlowNotAllowed,
    "LG007": ExceedsOriginal,
    "LG008": UnknownTransaction,
    "LG009": WrongIsolation,
    "LG010": HistoryIsImmutable,
    "LG011": PeriodClosed,
    "LG012": InvalidEffectiveAt,
    "LG013": InvalidAmount,
    "LG014": IncompleteTransaction,
    "LG015": UnknownFamily,
    "LG016": AccountNotEmpty,
    "LG017": InvalidCheckpoint,
    "LG020": NotHoldable,
    "LG021": InvalidExpiry,
    "LG022": UnknownHold,
    "LG023": HoldResolved,
    "LG024": HoldExpired,
    "LG025": ExceedsHold,
    "LG026": InvalidPeriod,
    "LG027": NeedsAdoption,
}

BY_CONSTRAINT: dict[str, type[LedgerError]] = {
    "ck_transaction_key": InvalidKey,
    "ck_transaction_kind": InvalidKind,
    "ck_transaction_reference": InvalidReference,
    "ck_transaction_metadata": InvalidMetadata,
    "ck_transaction_postings": InvalidPostings,
    "ck_transaction_one_original": InvalidRequest,
    "ck_personal_content": InvalidMetadata,
    "ck_posting_amount": InvalidAmount,
    "ck_posting_two_accounts": SameAccount,
    "ck_account_code": InvalidAccountCode,
    "ck_hold_key": InvalidKey,
    "ck_hold_kind": InvalidKind,
    "ck_hold_reference": InvalidReference,
    "ck_hold_amount": InvalidAmount,
    "ck_hold_two_accounts": SameAccount,
    "ck_hold_resolution_captured": InvalidAmount,
    "ck_hold_resolution_capture": InvalidAmount,
}

"""The one error tree of the marketplace. It knows no HTTP: api and web map classes to answers."""

from typing import ClassVar


class MarketplaceError(Exception):
    """A refusal that a person can understand and act on.

    `code` is stable and public. `retryable` says that the same request may succeed later,
    unchanged. `details` carries the figures that the words need (amounts, dates, names).
    `recorded` says that the refusal itself must be remembered (a wrong code that was tried):
    `transaction()` then commits what the service flushed before it raised.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    recorded: ClassVar[bool] = False

    def __init__(self, message: str = "", **details: object) -> None:
        super().__init__(message or self.code)
        self.details = details


class NotFound(MarketplaceError):
    """No such thing, or none that this person may see: the two look the same from outside."""

    code = "not_found"


class IllegalTransition(MarketplaceError):
    """The thing has moved on: its state no longer allows what was asked."""

    code = "illegal_transition"


class NotAllowed(MarketplaceError):
    """The person is known, but this act is not theirs."""

    code = "not_allowed"


class ReasonMissing(MarketplaceError):
    """Whoever takes something away, returns or refuses it says why."""

    code = "reason_missing"

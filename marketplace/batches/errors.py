"""What granting can be refused for."""

from typing import ClassVar

from marketplace.errors import MarketplaceError, NotFound


class GrantMissing(NotFound):
    """This participant has no grant."""

    code: ClassVar[str] = "grant_missing"


class NotEnoughFunds(MarketplaceError):
    """The scheme's fund does not cover one more grant. Details: scheme, needed, available (rupiah)."""

    code: ClassVar[str] = "not_enough_funds"
    retryable: ClassVar[bool] = True

"""What the programme's terms can refuse."""

from typing import ClassVar

from marketplace.errors import MarketplaceError, NotFound


class SchemeNotFound(NotFound):
    """No scheme has this code."""

    code: ClassVar[str] = "scheme_not_found"


class AmountInvalid(MarketplaceError):
    """Not an amount of whole rupiah above zero."""

    code: ClassVar[str] = "amount_invalid"


class AppropriationConflict(MarketplaceError):
    """The reference was used before for another amount or scheme."""

    code: ClassVar[str] = "appropriation_conflict"

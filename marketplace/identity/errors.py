"""What signing in can be refused for."""

from typing import ClassVar

from marketplace.errors import MarketplaceError


class ContactInvalid(MarketplaceError):
    """Neither an e-mail address nor an Indonesian telephone number."""

    code: ClassVar[str] = "contact_invalid"


class ContactTaken(MarketplaceError):
    """Another login already has this e-mail address or number. Told to operators only."""

    code: ClassVar[str] = "contact_taken"


class RateLimited(MarketplaceError):
    """Too many codes for one contact. `details["retry_after"]` is in seconds."""

    code: ClassVar[str] = "rate_limited"
    retryable: ClassVar[bool] = True


class CodeWrong(MarketplaceError):
    """The code does not match. `details["left"]` more attempts are allowed; this one counts."""

    code: ClassVar[str] = "code_wrong"
    recorded: ClassVar[bool] = True


class CodeExpired(MarketplaceError):
    """No code of this contact can be used any more: too old, used, or tried too often."""

    code: ClassVar[str] = "code_expired"

"""What a provider's affairs can be refused for."""

from typing import ClassVar

from marketplace.errors import MarketplaceError


class ProviderNameTaken(MarketplaceError):
    """Another provider has this name."""

    code: ClassVar[str] = "provider_name_taken"


class ProviderNameInvalid(MarketplaceError):
    """No name, or one with characters that cannot be shown."""

    code: ClassVar[str] = "provider_name_invalid"


class StaffTaken(MarketplaceError):
    """This login already acts for another provider."""

    code: ClassVar[str] = "staff_taken"


class LastOwner(MarketplaceError):
    """A provider always has somebody who may do everything."""

    code: ClassVar[str] = "last_owner"


class BankDetailsInvalid(MarketplaceError):
    """`details["field"]` names what is wrong: bank_code, holder_name or number."""

    code: ClassVar[str] = "bank_details_invalid"


class SamePerson(MarketplaceError):
    """Who proposed may not approve: two people look at every bank account."""

    code: ClassVar[str] = "same_person"


class DocumentInvalid(MarketplaceError):
    """`details["fault"]`: empty, too_large, too_many, too_many_at_once, kind (neither PDF, PNG nor JPEG),
    damaged, active."""

    code: ClassVar[str] = "document_invalid"


class ApplicationIncomplete(MarketplaceError):
    """An application is handed in with at least one document."""

    code: ClassVar[str] = "application_incomplete"


class RegistrationTaken(MarketplaceError):
    """Another provider is registered under this number."""

    code: ClassVar[str] = "registration_taken"

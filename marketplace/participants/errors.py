"""Why a person cannot register or buy. Each class's code is the public reason code."""

from typing import ClassVar

from marketplace.errors import MarketplaceError


class Ineligible(MarketplaceError):
    """Registration is refused. `code` is the reason; its sentences are in `eligibility`."""

    code: ClassVar[str] = "ineligible"


class NikMalformed(Ineligible):
    """What was typed cannot be a NIK. `details["template"]` is the Indonesian sentence before its figures."""

    code: ClassVar[str] = "nik_malformed"


class NikTaken(Ineligible):
    """Another login has registered this NIK."""

    code: ClassVar[str] = "nik_taken"


class NikBirthDateMismatch(Ineligible):
    """The birth date is not the one in the NIK."""

    code: ClassVar[str] = "nik_birth_date_mismatch"


class KkMalformed(Ineligible):
    """What was typed cannot be the number of a family card."""

    code: ClassVar[str] = "kk_malformed"


class KkQuotaFull(Ineligible):
    """The family card has as many participants as the scheme allows: `details["allowed"]`."""

    code: ClassVar[str] = "kk_quota_full"


class UnderAge(Ineligible):
    """Younger than `details["minimum"]` years on the day of application."""

    code: ClassVar[str] = "under_age"


class OverAge(Ineligible):
    """Older than `details["maximum"]` years on the day of application."""

    code: ClassVar[str] = "over_age"


class NameMissing(Ineligible):
    """No name, or one too long to be one."""

    code: ClassVar[str] = "name_missing"


class ProvinceUnknown(Ineligible):
    """Not one of the provinces' two-digit codes."""

    code: ClassVar[str] = "province_unknown"


class AlreadyRegistered(Ineligible):
    """This login belongs to another person already."""

    code: ClassVar[str] = "already_registered"


class NotEligible(MarketplaceError):
    """A participant may not buy now: `details["reason"]` is the code on their record."""

    code: ClassVar[str] = "not_eligible"

"""An e-mail address or telephone number as people type it, and the one form in which it is kept."""

from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from marketplace.identity.errors import ContactInvalid

_INDONESIA = 62
_LONGEST = 254


class ContactKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Contact:
    """Equal contacts have equal values: addresses in small letters, numbers in E.164."""

    kind: ContactKind
    value: str


def parse_contact(text: str) -> Contact:
    """Read what was typed. Raises ContactInvalid."""
    typed = text.strip()
    if not typed or len(typed) > _LONGEST:
        raise ContactInvalid("a contact is an e-mail address or a telephone number")
    return _email(typed) if "@" in typed else _phone(typed)


def _email(typed: str) -> Contact:
    """Only the form is checked: whether mail arrives is found out by the code that is sent.

    Addresses in other scripts are refused, because two that look alike could be two people.
    """
    try:
        found = validate_email(typed, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise ContactInvalid("not an e-mail address") from error
    return Contact(ContactKind.EMAIL, found.normalized.lower())


def _phone(typed: str) -> Contact:
    """Indonesian numbers only: messages to costly numbers abroad are a known fraud.

    Possible rather than valid numbers, since new prefixes come faster than software does.
    """
    try:
        number = phonenumbers.parse(typed, "ID")
    except phonenumbers.NumberParseException as error:
        raise ContactInvalid("not a telephone number") from error
    if number.country_code != _INDONESIA or not phonenumbers.is_possible_number(number):
        raise ContactInvalid("not an Indonesian telephone number")
    return Contact(ContactKind.PHONE, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

"""Numbers that people can read over the telephone: BKL-2611-7F3KQ9-20 on a receipt, SRT-2611-7F3KQ9XD-20 on
a certificate, ADU-2611-7F3KQ9-20 on a complaint.

Year and month in the programme's zone, random characters without look-alikes, and two check
digits, so that a mistyped number is found to be mistyped instead of being somebody else's.
"""

import re
import secrets
from datetime import date

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BODY = re.compile(rf"(BKL|SRT|ADU)-(\d{{4}}-[{_ALPHABET}]{{6,8}})-(\d{{2}})")
_MODULUS = 97


def new_number(day: date, prefix: str = "BKL", length: int = 6) -> str:
    """A fresh number of this day, with so many random characters: uniqueness is the table's to keep."""
    body = f"{day:%y%m}-" + "".join(secrets.choice(_ALPHABET) for _ in range(length))
    return f"{prefix}-{body}-{_check_digits(body):02d}"


def is_valid(number: str) -> bool:
    """Whether the check digits agree: catches any one wrong character and any two swapped ones."""
    match = _BODY.fullmatch(number)
    return match is not None and _check_digits(match[2]) == int(match[3])


def _check_digits(body: str) -> int:
    remainder = 0
    for character in body.replace("-", ""):
        remainder = (remainder * len(_ALPHABET) + _ALPHABET.index(character)) % _MODULUS
    return remainder

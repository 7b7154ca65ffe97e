"""Banks by the names people know them by."""

from marketplace.providers.models import BankAccount

_NAMES = {
    # the first six letters of the BIC: the same for every branch
    "CENAID": "BCA",
    "BMRIID": "Mandiri",
    "BRINID": "BRI",
    "BNINID": "BNI",
    "BSMDID": "BSI",
    "BTANID": "BTN",
    "BNIAID": "CIMB Niaga",
    "BBBAID": "Permata",
    "BDINID": "Danamon",
    "PDJBID": "BJB",
}


def bank_choices() -> list[tuple[str, str]]:
    """(BIC, name) of the banks that an account can be at."""
    choices = [(f"{prefix}JA", name) for prefix, name in _NAMES.items()]
    return sorted(choices, key=lambda choice: choice[1])


def account_words(account: BankAccount) -> str:
    """`BCA ••••2210`: enough to recognise one's own account. An unknown bank keeps its code."""
    name = _NAMES.get(account.bank_code[:6], account.bank_code)
    return f"{name} ••••{account.number_ending}"

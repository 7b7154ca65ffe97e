"""A worker of django-hordak: one transfer between two accounts, each its own database transaction.

It keeps no balance and guards none; a deferred trigger tests that the legs of a transaction add up.
"""

import random
from typing import Any
from uuid import uuid4

import django
from django.conf import settings as django_settings

from bench.worker import answer, serve, settings


def prepare(given: dict[str, Any]) -> None:
    """Make the tables and open the accounts; number 0 is the hot provider."""
    from django.core.management import call_command
    from hordak.models import Account, AccountType

    call_command("migrate", verbosity=0)
    # what its manager would number one after another, which takes minutes for thousands of accounts
    nodes = [
        Account(
            name=str(n), type=AccountType.liability, currencies=["EUR"], lft=1, rght=2, level=0, tree_id=n + 1
        )
        for n in range(given["payers"] + given["providers"] + 1)
    ]
    Account.objects.bulk_create(nodes)


def worker(given: dict[str, Any]) -> None:
    """Serve orders, the accounts already at hand."""
    from hordak.models import Account
    from moneyed import Money

    accounts = list(Account.objects.order_by("tree_id"))
    providers, payers = accounts[: given["providers"] + 1], accounts[given["providers"] + 1 :]
    price = Money(100, "EUR")

    def do(work: str) -> int:
        provider = providers[0 if work == "hot" else random.randint(1, given["providers"])]
        provider.transfer_to(random.choice(payers), price, description=f"purchase:{uuid4()}")
        return 1

    serve(given["threads"], do)


def main() -> None:
    """Prepare where the settings say so; otherwise work."""
    given = settings()
    django_settings.configure(
        DATABASES={"default": given["database"]},
        INSTALLED_APPS=["django.contrib.contenttypes", "mptt", "hordak"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DEFAULT_CURRENCY="EUR",
        USE_TZ=True,
    )
    django.setup()
    if given["prepare"]:
        prepare(given)
        answer({"ready": True})
    else:
        worker(given)


if __name__ == "__main__":
    main()

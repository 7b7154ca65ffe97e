"""A worker of openedx-ledger: one transaction that lowers a ledger's balance, guarded.

It adds up all transactions of the ledger for each new one, behind a lock in the cache that is tried once and
not waited for: who finds it taken comes again a moment later. Hot means one ledger for all.
"""

import random
import time
from typing import Any
from uuid import uuid4

import django
from django.conf import settings as django_settings

from bench.worker import answer, serve, settings

_PAUSE_SECONDS = 0.002
_FUNDS = 10**15


def prepare(given: dict[str, Any]) -> None:
    """Make the tables, the hot ledger and the others, with money in all of them."""
    from django.core.management import call_command
    from openedx_ledger.api import create_transaction
    from openedx_ledger.models import Ledger

    call_command("migrate", verbosity=0)
    for number in range(given["providers"] + 1):
        ledger = Ledger.objects.create(idempotency_key=f"ledger:{number:08d}")
        create_transaction(ledger, _FUNDS, f"deposit:{number}", state="committed")


def worker(given: dict[str, Any]) -> None:
    """Serve orders, the ledgers already at hand."""
    from openedx_ledger.api import create_transaction
    from openedx_ledger.models import Ledger, LedgerLockAttemptFailed

    hot, *others = Ledger.objects.order_by("idempotency_key")

    def do(work: str) -> int:
        ledger = hot if work == "hot" else random.choice(others)
        try:
            create_transaction(ledger, -100, f"purchase:{uuid4()}", lms_user_id=1, state="committed")
        except LedgerLockAttemptFailed:
            time.sleep(random.uniform(0, _PAUSE_SECONDS))
            return 0
        return 1

    serve(given["threads"], do)


def main() -> None:
    """Prepare where the settings say so; otherwise work."""
    given = settings()
    django_settings.configure(
        DATABASES={"default": given["database"]},
        CACHES={
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": given["redis_url"],
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "simple_history",
            "openedx_ledger",
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
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

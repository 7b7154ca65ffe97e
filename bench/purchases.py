"""A worker of ours: purchases through a SQLAlchemy Session, each its own database transaction."""

import random
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.books import payer, provider
from bench.worker import serve, settings
from ledger import Posting, TransactionRequest, post, post_many

_PRICE = Decimal(100)


class Buyer:
    """Buys from one provider or from many, one by one or in batches."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._payers: int = given["payers"]
        self._providers: int = given["providers"]
        self._engine = create_engine(given["url"], pool_size=given["threads"])

    def do(self, work: str) -> int:
        """`hot` and `spread` make one purchase, `batch N` so many at once."""
        if work.startswith("batch "):
            return self._batch(int(work.removeprefix("batch ")))
        seller = provider(0 if work == "hot" else random.randint(1, self._providers))
        name = uuid4()
        with Session(self._engine) as session, session.begin():
            posting = Posting(self._somebody(), seller, _PRICE)
            post(session, f"purchase:{name}", "purchase", [posting], reference=f"enrolment:{name}")
        return 1

    def _batch(self, size: int) -> int:
        with Session(self._engine) as session, session.begin():
            post_many(session, [self._request() for _ in range(size)])
        return size

    def _request(self) -> TransactionRequest:
        name, posting = uuid4(), Posting(self._somebody(), provider(0), _PRICE)
        return TransactionRequest(f"purchase:{name}", "purchase", [posting], reference=f"enrolment:{name}")

    def _somebody(self) -> str:
        return payer(random.randint(1, self._payers))


if __name__ == "__main__":
    given = settings()
    serve(given["threads"], Buyer(given).do)

"""A small chart of accounts, and the acts of a training programme in one line each."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger import Held, Posted, Posting

FAMILIES = [
    {"name": name, "kind": kind, "guard": guard, "mode": mode, "currency": currency}
    for name, kind, guard, mode, currency in (
        ("bank", "asset", "none", "folded", "IDR"),
        ("fund", "equity", "no_overdraft", "counted", "IDR"),
        ("reserve", "equity", "no_overdraft", "counted", "IDR"),
        ("benefit", "liability", "no_overdraft", "counted", "IDR"),
        ("escrow", "liability", "none", "folded", "IDR"),
        ("payable", "liability", "none", "folded", "IDR"),
        ("transit", "liability", "none", "folded", "IDR"),
        ("fees", "income", "none", "folded", "IDR"),
        ("stock", "asset", "no_overdraft", "counted", "IDR"),
        ("dollars", "liability", "none", "counted", "USD"),
        ("pool", "liability", "no_overdraft", "folded", "IDR"),
        ("vault", "asset", "no_overdraft", "folded", "IDR"),
    )
]

FLOWS = [
    {"kind": kind, "debit": debit, "credit": credit, "settles": settles}
    for kind, debit, credit, settles in (
        ("appropriation", "bank", "fund", None),
        ("grant", "fund", "benefit", None),
        ("grant", "fund", "reserve", None),
        ("purchase", "benefit", "escrow", None),
        ("cancellation", "escrow", "benefit", "purchase"),
        ("completion", "escrow", "payable", "purchase"),
        ("completion", "escrow", "fees", "purchase"),
        ("completion", "escrow", "benefit", "purchase"),
        ("payout", "payable", "transit", None),
        ("payout_confirmed", "transit", "bank", "payout"),
        ("payout_rejected", "transit", "payable", "payout"),
        ("swap", "benefit", "benefit", None),
        ("gift", "benefit", "escrow", None),
        ("exchange", "fund", "dollars", None),
        ("deposit", "stock", "fund", None),
        ("withdrawal", "fund", "stock", None),
        ("pooling", "benefit", "pool", None),
        ("drawing", "pool", "benefit", None),
        ("storing", "vault", "fund", None),
        ("taking", "fund", "vault", None),
    )
]

ANI, BUDI, SCHOOL = "benefit:ani", "benefit:budi", "escrow:school"
_CODES = (
    "bank:treasury", "fund:2023", "reserve:2023", "fees:2023", "transit:payouts", "payable:school",
    "dollars:one", "stock:one", ANI, BUDI, SCHOOL,
)  # fmt: skip


def rupiah(amount: int | str) -> Decimal:
    return Decimal(amount)


def open_books(session: Session) -> None:
    """Open the accounts that every test uses."""
    ledger.open_accounts(session, _CODES)


def move(debit: str, credit: str, amount: int | str) -> list[Posting]:
    """A single posting."""
    return [Posting(debit, credit, rupiah(amount))]


def appropriate(session: Session, amount: int = 1_000_000_000, key: str = "appropriation") -> Posted:
    return ledger.post(session, key, "appropriation", move("bank:treasury", "fund:2023", amount))


def grant(session: Session, who: str = ANI, amount: int = 3_500_000, kept: int = 700_000) -> Posted:
    postings = move("fund:2023", who, amount) + move("fund:2023", "reserve:2023", kept)
    return ledger.post(session, f"grant:{who}", "grant", postings)


def purchase(
    session: Session, amount: int | str = 500_000, key: str = "purchase:1", who: str = ANI
) -> Posted:
    return ledger.post(session, key, "purchase", move(who, SCHOOL, amount), reference=f"enrolment:{key}")


def complete(
    session: Session, bought: UUID, net: int, fee: int, rest: int, key: str = "completion:1"
) -> Posted:
    legs = (("payable:school", net), ("fees:2023", fee), (ANI, rest))
    postings = [Posting(SCHOOL, account, rupiah(amount)) for account, amount in legs if amount]
    return ledger.post(session, key, "completion", postings, settles=bought)


def cancel(session: Session, bought: UUID, amount: int, key: str = "cancellation:1") -> Posted:
    return ledger.post(session, key, "cancellation", move(SCHOOL, ANI, amount), settles=bought)


def funded(session: Session) -> None:
    """Money from the state, and a training balance of Rp3.500.000 for Ani."""
    appropriate(session)
    grant(session)
    session.commit()


def keep(
    session: Session, amount: int = 500_000, key: str = "hold:1", seconds: float = 3600, who: str = ANI
) -> Held:
    """Hold an amount for a purchase, for so long from now on."""
    now: datetime = session.execute(text("SELECT ledger.now()")).scalar_one()
    expires_at = now + timedelta(seconds=seconds)
    (posting,) = move(who, SCHOOL, amount)
    return ledger.hold(session, key, "purchase", posting, expires_at, reference=f"enrolment:{key}")

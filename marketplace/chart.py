"""The chart of accounts and the flow whitelist: which money may go where, for what reason.

Seeded into owner-only tables by a migration, where the ledger's functions enforce it.
"""

import uuid

BANK_TREASURY = "bank:treasury"
TRANSIT_PAYOUTS = "transit:payouts"
SUSPENSE_BANK = "suspense:bank"

FAMILIES: tuple[tuple[str, str, str, str], ...] = (
    # family, kind, guard, mode
    ("bank", "asset", "none", "folded"),
    ("fund", "equity", "no_overdraft", "counted"),
    ("reserve", "equity", "no_overdraft", "counted"),
    ("benefit", "liability", "no_overdraft", "counted"),
    ("escrow", "liability", "none", "folded"),
    ("payable", "liability", "none", "folded"),
    ("receivable", "asset", "none", "folded"),
    ("cash", "liability", "no_overdraft", "counted"),
    ("transit", "liability", "none", "folded"),
    ("fees", "income", "none", "folded"),
    ("suspense", "liability", "none", "folded"),
)

FLOWS: tuple[tuple[str, str, str, str | None], ...] = (
    # transaction kind, debit family, credit family, the kind that it must settle
    ("appropriation", "bank", "fund", None),
    ("grant", "fund", "benefit", None),
    ("grant", "fund", "reserve", None),
    ("purchase", "benefit", "escrow", None),
    ("cancellation", "escrow", "benefit", "purchase"),
    ("cancellation", "escrow", "fund", "purchase"),
    ("completion", "escrow", "payable", "purchase"),
    ("completion", "escrow", "fees", "purchase"),
    ("completion", "escrow", "benefit", "purchase"),
    ("completion", "escrow", "fund", "purchase"),
    ("correction", "escrow", "payable", "reversal"),
    ("correction", "escrow", "fees", "reversal"),
    ("correction", "escrow", "benefit", "reversal"),
    ("correction", "escrow", "fund", "reversal"),
    ("payout", "payable", "transit", None),
    ("payout_confirmed", "transit", "bank", "payout"),
    ("payout_rejected", "transit", "payable", "payout"),
    ("payout_returned", "bank", "payable", None),
    ("bank_line", "bank", "suspense", None),
    ("bank_line", "suspense", "bank", None),
    ("revocation", "benefit", "fund", None),
    ("revocation", "reserve", "fund", None),
    ("incentive", "reserve", "cash", None),
    ("survey", "reserve", "cash", None),
)


def fund(scheme_code: str) -> str:
    return f"fund:{scheme_code}"


def reserve(scheme_code: str) -> str:
    return f"reserve:{scheme_code}"


def fees(scheme_code: str) -> str:
    return f"fees:{scheme_code}"


def benefit(participant_id: uuid.UUID) -> str:
    return f"benefit:{participant_id.hex}"


def escrow(provider_id: uuid.UUID) -> str:
    return f"escrow:{provider_id.hex}"


def payable(provider_id: uuid.UUID) -> str:
    return f"payable:{provider_id.hex}"


def cash(participant_id: uuid.UUID) -> str:
    return f"cash:{participant_id.hex}"


def transaction_label(transaction_id: uuid.UUID) -> str:
    """The public name of a ledger transaction: `txn_` and 32 hexadecimal digits."""
    return f"txn_{transaction_id.hex}"

"""The back office of the money: payout runs, the bank's lines, the ledger."""

from marketplace.web.finance import accounts, bank, books, certificates, held, payouts, provider_accounts
from marketplace.web.finance.blueprint import pages

__all__ = ["accounts", "bank", "books", "certificates", "held", "pages", "payouts", "provider_accounts"]

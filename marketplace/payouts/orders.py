"""The order to the bank for one run: the same values, so the same bytes, whenever it is made."""

import uuid
from decimal import Decimal

from marketplace.encryption import vault
from marketplace.payouts.iso20022 import CreditTransfer, Debtor, PaymentFile
from marketplace.payouts.models import Payout, PayoutRun
from marketplace.providers.models import BankAccount


def credit_transfer(
    payout_id: uuid.UUID, amount: Decimal, account: BankAccount, remittance: str
) -> CreditTransfer:
    """One payment of whole rupiah to a provider's account."""
    return CreditTransfer(
        payout_id=payout_id,
        amount=amount,
        creditor_name=account.holder_name,
        bank_code=account.bank_code,
        account_number=vault().decrypt(account.number_encrypted),
        remittance=remittance,
    )


def payment_file(run: PayoutRun, debtor: Debtor) -> PaymentFile:
    """Every payout of the run that has left the books, whatever became of it since.

    Nothing here depends on the present, so that a file written again is known to be the same.
    """
    if run.approved_at is None:
        raise ValueError(f"payout run {run.id} is not approved")
    sent = [payout for payout in run.payouts if payout.transaction_id is not None]
    return PaymentFile(
        run_id=run.id,
        created_at=run.approved_at,
        debtor=debtor,
        transfers=[_transfer(run, payout) for payout in sent],
    )


def _transfer(run: PayoutRun, payout: Payout) -> CreditTransfer:
    remittance = f"Bekal {run.scheme_code} {run.day.isoformat()} {payout.label}"
    return credit_transfer(payout.id, payout.amount, payout.bank_account, remittance)

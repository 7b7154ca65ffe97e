"""The bank's language: ISO 20022 messages as plain values, independent of the database.

pain.001 goes out (`write_payment_file`), pain.002 and camt.053 come in (`read_status_report`,
`read_statements`). Nothing here knows how a file travels; `marketplace.payouts.bank` does that.
Source of the element names and lengths: the message definitions of the ISO 20022 registration
authority.
"""

from marketplace.payouts.iso20022.elements import MAX_FILE_BYTES, BankFileError
from marketplace.payouts.iso20022.payment_file import (
    CreditTransfer,
    Debtor,
    PaymentFile,
    PaymentFileError,
    write_payment_file,
)
from marketplace.payouts.iso20022.reasons import reason_sentence
from marketplace.payouts.iso20022.statement import Statement, StatementEntry, read_statements
from marketplace.payouts.iso20022.status_report import (
    PaymentStatus,
    StatusReport,
    TransactionStatus,
    read_status_report,
)

__all__ = [
    "MAX_FILE_BYTES",
    "BankFileError",
    "CreditTransfer",
    "Debtor",
    "PaymentFile",
    "PaymentFileError",
    "PaymentStatus",
    "Statement",
    "StatementEntry",
    "StatusReport",
    "TransactionStatus",
    "read_statements",
    "read_status_report",
    "reason_sentence",
    "write_payment_file",
]

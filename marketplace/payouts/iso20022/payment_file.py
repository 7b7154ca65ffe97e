"""pain.001.001.09: the order to the bank to pay one payout run.

The bytes depend on nothing but the run: the same run written tomorrow, by another worker, gives the
same file, so that writing it again after a crash can be told from changing it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from lxml import etree

from marketplace.clock import ZONE
from marketplace.errors import MarketplaceError

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_BANK_CODE = re.compile(r"[0-9A-Za-z]{3,35}")
_ACCOUNT = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,33}")
_TEXT_LENGTH = 140
_LARGEST = Decimal(10) ** 16


class PaymentFileError(MarketplaceError):
    """A payout that the message cannot carry: the text names it and says why."""

    code: ClassVar[str] = "payment_file_invalid"


@dataclass(frozen=True, slots=True)
class Debtor:
    """Whose money leaves: the programme's treasury account."""

    name: str
    bank_code: str
    account_number: str


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """One payout: whole rupiah to one account. `bank_code` is a BIC or a national clearing code."""

    payout_id: UUID
    amount: Decimal
    creditor_name: str
    bank_code: str
    account_number: str
    remittance: str

    @property
    def end_to_end_id(self) -> str:
        """What the bank repeats in every answer about this payout."""
        return self.payout_id.hex


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """One run's payouts. `created_at` is the instant of the run's approval, never the present."""

    run_id: UUID
    created_at: datetime
    debtor: Debtor
    transfers: Sequence[CreditTransfer]

    @property
    def message_id(self) -> str:
        return self.run_id.hex

    @property
    def execution_date(self) -> date:
        """The day of approval in the programme's zone."""
        return self.created_at.astimezone(ZONE).date()

    @property
    def total(self) -> Decimal:
        return sum((transfer.amount for transfer in self.transfers), Decimal(0))


def write_payment_file(payment: PaymentFile) -> bytes:
    """The pain.001.001.09 document of a run. Raises PaymentFileError, and then nothing may be sent."""
    _check(payment)
    document = etree.Element("Document", nsmap={None: _NAMESPACE})
    initiation = etree.SubElement(document, "CstmrCdtTrfInitn")
    header = etree.SubElement(initiation, "GrpHdr")
    _add(header, "MsgId", payment.message_id)
    _add(header, "CreDtTm", payment.created_at.astimezone(ZONE).isoformat(timespec="seconds"))
    _add_totals(header, payment)
    _add(header, "InitgPty/Nm", _printable(payment.debtor.name, "debtor"))
    _add_instruction(initiation, payment)
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_instruction(initiation: etree._Element, payment: PaymentFile) -> None:
    instruction = etree.SubElement(initiation, "PmtInf")
    _add(instruction, "PmtInfId", payment.message_id)
    _add(instruction, "PmtMtd", "TRF")
    # One statement line per payout: a batch line would hide which of them the bank has booked.
    _add(instruction, "BtchBookg", "false")
    _add_totals(instruction, payment)
    _add(instruction, "ReqdExctnDt/Dt", payment.execution_date.isoformat())
    _add(instruction, "Dbtr/Nm", _printable(payment.debtor.name, "debtor"))
    _add_account(instruction, "DbtrAcct", payment.debtor.account_number)
    _add_agent(instruction, "DbtrAgt", payment.debtor.bank_code)
    for transfer in sorted(payment.transfers, key=lambda transfer: transfer.payout_id):
        _add_transfer(instruction, transfer)


def _add_transfer(instruction: etree._Element, transfer: CreditTransfer) -> None:
    element = etree.SubElement(instruction, "CdtTrfTxInf")
    _add(element, "PmtId/EndToEndId", transfer.end_to_end_id)
    _add(element, "Amt/InstdAmt", _rupiah(transfer.amount)).set("Ccy", "IDR")
    _add_agent(element, "CdtrAgt", transfer.bank_code)
    _add(element, "Cdtr/Nm", _printable(transfer.creditor_name, transfer.end_to_end_id))
    _add_account(element, "CdtrAcct", transfer.account_number)
    _add(element, "RmtInf/Ustrd", _printable(transfer.remittance, transfer.end_to_end_id))


def _add_totals(parent: etree._Element, payment: PaymentFile) -> None:
    _add(parent, "NbOfTxs", str(len(payment.transfers)))
    _add(parent, "CtrlSum", _rupiah(payment.total))


def _add_account(parent: etree._Element, name: str, number: str) -> None:
    _add(parent, f"{name}/Id/Othr/Id", number)


def _add_agent(parent: etree._Element, name: str, code: str) -> None:
    field = "BICFI" if _BIC.fullmatch(code) else "ClrSysMmbId/MmbId"
    _add(parent, f"{name}/FinInstnId/{field}", code)


def _add(parent: etree._Element, path: str, text: str) -> etree._Element:
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = text
    return parent


def _rupiah(amount: Decimal) -> str:
    """Whole rupiah with the two decimals that ISO 4217 gives IDR, whatever exponent the number has."""
    return f"{int(amount)}.00"


def _printable(text: str, what: str) -> str:
    """One line of at most 140 characters: banks match the account, so a long name may be cut."""
    line = " ".join(text.split())[:_TEXT_LENGTH].rstrip()
    if not line or not line.isprintable():
        raise PaymentFileError(f"{what}: text {text!r} is empty or has characters that cannot be sent")
    return line


def _check(payment: PaymentFile) -> None:
    if payment.created_at.tzinfo is None:
        raise PaymentFileError("the instant of approval has no time zone")
    if not payment.transfers:
        raise PaymentFileError("a payment file without payouts")
    if len({transfer.payout_id for transfer in payment.transfers}) != len(payment.transfers):
        raise PaymentFileError("the same payout twice in one file")
    _check_place("debtor", payment.debtor.bank_code, payment.debtor.account_number)
    for transfer in payment.transfers:
        _check_amount(transfer)
        _check_place(transfer.end_to_end_id, transfer.bank_code, transfer.account_number)


def _check_amount(transfer: CreditTransfer) -> None:
    amount = transfer.amount
    if not amount.is_finite() or not 0 < amount < _LARGEST or amount != amount.to_integral_value():
        raise PaymentFileError(f"{transfer.end_to_end_id}: {amount} is not a payable amount of whole rupiah")


def _check_place(what: str, bank_code: str, account_number: str) -> None:
    if not _BANK_CODE.fullmatch(bank_code):
        raise PaymentFileError(f"{what}: {bank_code!r} is neither a BIC nor a clearing code")
    if not _ACCOUNT.fullmatch(account_number):
        raise PaymentFileError(f"{what}: {account_number!r} is not an account number")

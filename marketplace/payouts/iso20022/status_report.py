"""pain.002: what the bank says about the payments of one file.

Versions 10 to 15 (and 03) differ in nothing that is read here, so the version is not asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from marketplace.payouts.iso20022.elements import Element, open_message, read_instant

_NO_ORIGINAL = "NOOR"
_NOT_PROVIDED = "NOTPROVIDED"


class PaymentStatus(StrEnum):
    """External codes for the status of a payment, or of a whole file."""

    RCVD = "RCVD"  # received
    ACTC = "ACTC"  # technically valid
    ACCP = "ACCP"  # customer profile checked
    ACFC = "ACFC"  # funds checked
    ACWC = "ACWC"  # accepted with a change
    ACWP = "ACWP"  # accepted, not yet credited
    ACSP = "ACSP"  # settlement under way
    ACSC = "ACSC"  # debtor's account debited
    ACCC = "ACCC"  # creditor's account credited
    PDNG = "PDNG"  # pending
    PART = "PART"  # some accepted, some not: only for groups
    RJCT = "RJCT"
    CANC = "CANC"

    @property
    def is_rejection(self) -> bool:
        """No money left, and none will: the payout may be posted back."""
        return self in (PaymentStatus.RJCT, PaymentStatus.CANC)

    @property
    def is_pending(self) -> bool:
        """The bank has the order and has not decided: keep waiting, never send again."""
        return self in (PaymentStatus.PDNG, PaymentStatus.RCVD)


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """The bank's word on one payout. `reason` is an external code such as AC01, `info` free text."""

    end_to_end_id: str
    status: PaymentStatus
    reason: str | None
    info: str | None


@dataclass(frozen=True)
class StatusReport:
    """One pain.002. Ask `status_of` for a payout: a word on the whole file covers it too."""

    file: str
    message_id: str
    created_at: datetime
    original_message_id: str
    group_status: PaymentStatus | None
    group_reason: str | None
    group_info: str | None
    transactions: tuple[TransactionStatus, ...]

    @property
    def unknown_to_bank(self) -> bool:
        """The answer to an enquiry about a file that never arrived: it may be submitted again, unchanged."""
        return self.group_reason == _NO_ORIGINAL and not self.transactions

    def status_of(self, end_to_end_id: str) -> TransactionStatus | None:
        """The last word on one payout: its own line, else that on the whole file, else None."""
        own = self._by_id.get(end_to_end_id)
        whole = self.group_status
        if own or whole is None or whole is PaymentStatus.PART or self.unknown_to_bank:
            return own
        return TransactionStatus(end_to_end_id, whole, self.group_reason, self.group_info)

    @cached_property
    def _by_id(self) -> dict[str, TransactionStatus]:
        return {transaction.end_to_end_id: transaction for transaction in self.transactions}


def read_status_report(content: bytes, file: str) -> StatusReport:
    """A pain.002 document as values. Raises BankFileError, naming file and element."""
    message = open_message(content, file, "CstmrPmtStsRpt")
    group = message.get("OrgnlGrpInfAndSts")
    status, reason, info = _whole(message, group)
    return StatusReport(
        file=file,
        message_id=message.text("GrpHdr/MsgId"),
        created_at=read_instant(message.get("GrpHdr"), "CreDtTm"),
        original_message_id=group.text("OrgnlMsgId"),
        group_status=status,
        group_reason=reason,
        group_info=info,
        transactions=tuple(_transactions(message)),
    )


def _whole(message: Element, group: Element) -> tuple[PaymentStatus | None, str | None, str | None]:
    """Status and reason of the whole file; our files hold one instruction, whose word is the closer one."""
    instructions = list(message.each("OrgnlPmtInfAndSts"))
    if len(instructions) == 1 and (status := _find_status(instructions[0], "PmtInfSts")):
        return status, *_reason(instructions[0])
    return _find_status(group, "GrpSts"), *_reason(group)


def _transactions(message: Element) -> list[TransactionStatus]:
    transactions = []
    for instruction in message.each("OrgnlPmtInfAndSts"):
        whole = _find_status(instruction, "PmtInfSts")
        reason, _ = _reason(instruction)
        for line in instruction.each("TxInfAndSts"):
            transactions.append(_transaction(line, whole, reason))
    return transactions


def _transaction(line: Element, whole: PaymentStatus | None, whole_reason: str | None) -> TransactionStatus:
    end_to_end_id = line.text("OrgnlEndToEndId")
    if end_to_end_id == _NOT_PROVIDED:
        raise line.error("OrgnlEndToEndId is NOTPROVIDED: nobody can tell which payout is meant")
    status = _find_status(line, "TxSts") or whole
    if status is None or status is PaymentStatus.PART:
        raise line.error("no status of the transaction")
    reason, info = _reason(line)
    return TransactionStatus(end_to_end_id, status, reason or whole_reason, info)


def _find_status(parent: Element, name: str) -> PaymentStatus | None:
    code = parent.find_text(name)
    if code is None:
        return None
    if code not in PaymentStatus.__members__:
        raise parent.error(f"{name} {code!r} is not a known status")
    return PaymentStatus(code)


def _reason(parent: Element) -> tuple[str | None, str | None]:
    """The first reason code, and all the bank's words about it."""
    codes, words = [], []
    for element in parent.each("StsRsnInf"):
        if code := element.find_text("Rsn/Cd", "Rsn/Prtry"):
            codes.append(code)
        words += [text for line in element.each("AddtlInf") if (text := (line.node.text or "").strip())]
    return (codes[0] if codes else None), (" ".join(words) or None)

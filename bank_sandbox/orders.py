"""Reading pain.001.001.09 as a bank would: one wrong sum, and the whole file is refused."""

import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lxml import etree

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_NS = {"p": _NAMESPACE}
_LARGEST_FILE = 64 * 1024 * 1024
_RUPIAH = re.compile(r"[0-9]{1,15}(\.0{1,2})?")


class Refusal(Exception):
    """The bank does not take this file: a reason code and words; `message_id` when it could be read."""

    def __init__(self, code: str, problem: str, message_id: str = "NOTPROVIDED") -> None:
        super().__init__(problem)
        self.code, self.problem, self.message_id = code, problem, message_id


@dataclass(frozen=True, slots=True)
class Transfer:
    end_to_end_id: str
    amount: int
    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    message_id: str
    instruction_id: str
    execution_date: date
    transfers: tuple[Transfer, ...]


def read_message(path: Path, own_account: str) -> Message:
    """The payments of a file. Raises Refusal with the reason code the bank answers with."""
    root = _parse(path)
    message_id = _identifier(_text(root, "p:CstmrCdtTrfInitn/p:GrpHdr/p:MsgId", "NOTPROVIDED"))
    try:
        return _message(root, message_id, own_account)
    except Refusal as refusal:
        refusal.message_id = message_id
        raise


def _message(root: etree._Element, message_id: str, own_account: str) -> Message:
    initiation = _one(root, "p:CstmrCdtTrfInitn")
    instruction = _one(initiation, "p:PmtInf")
    transfers = tuple(_transfer(element) for element in instruction.iterfind("p:CdtTrfTxInf", _NS))
    _check_totals(_one(initiation, "p:GrpHdr"), transfers)
    _check_totals(instruction, transfers)
    account = _text(instruction, "p:DbtrAcct/p:Id/p:Othr/p:Id")
    if account != own_account:
        raise Refusal("AC02", f"debtor account {account} is not kept here; {own_account} is")
    if len({transfer.end_to_end_id for transfer in transfers}) != len(transfers):
        raise Refusal("AM05", "the same EndToEndId twice in one file")
    instruction_id = _identifier(_text(instruction, "p:PmtInfId"))
    return Message(message_id, instruction_id, _execution_date(instruction), transfers)


def _parse(path: Path) -> etree._Element:
    if path.stat().st_size > _LARGEST_FILE:
        raise Refusal("FF01", "file too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refusal("FF01", f"not well-formed XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refusal("FF01", "document types are refused")
    if root.tag != f"{{{_NAMESPACE}}}Document":
        raise Refusal("FF01", "not a pain.001.001.09 document")
    return root


def _transfer(element: etree._Element) -> Transfer:
    return Transfer(
        end_to_end_id=_identifier(_text(element, "p:PmtId/p:EndToEndId")),
        amount=_rupiah(_one(element, "p:Amt/p:InstdAmt")),
        account=_text(element, "p:CdtrAcct/p:Id/p:Othr/p:Id"),
        name=_text(element, "p:Cdtr/p:Nm"),
    )


def _rupiah(element: etree._Element) -> int:
    text = (element.text or "").strip()
    if element.get("Ccy") != "IDR":
        raise Refusal("AM11", f"currency {element.get('Ccy')}")
    if not _RUPIAH.fullmatch(text) or int(Decimal(text)) == 0:
        raise Refusal("AM12", f"amount {text}")
    return int(Decimal(text))


def _check_totals(parent: etree._Element, transfers: tuple[Transfer, ...]) -> None:
    count, total = _text(parent, "p:NbOfTxs"), _text(parent, "p:CtrlSum")
    if count != str(len(transfers)) or not transfers:
        raise Refusal("AM18", f"NbOfTxs {count}, but {len(transfers)} payments")
    found = sum(transfer.amount for transfer in transfers)
    try:
        agrees = Decimal(total) == found
    except InvalidOperation as error:
        raise Refusal("AM10", f"CtrlSum {total} is not a number") from error
    if not agrees:
        raise Refusal("AM10", f"CtrlSum {total}, but the payments add up to {found}")


def _execution_date(instruction: etree._Element) -> date:
    text = _text(instruction, "p:ReqdExctnDt/p:Dt")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("DT01", f"execution date {text}") from error


def _one(parent: etree._Element, path: str) -> etree._Element:
    found = parent.findall(path, _NS)
    if len(found) != 1:
        raise Refusal("FF01", f"{len(found)} elements {path.replace('p:', '')} where one is expected")
    return found[0]


def _text(parent: etree._Element, path: str, default: str | None = None) -> str:
    text = (parent.findtext(path, namespaces=_NS) or "").strip() or default
    if text is None:
        raise Refusal("FF01", f"{path.replace('p:', '')} is missing")
    return text


def _identifier(text: str) -> str:
    """At most 35 printable characters, as every identifier of ISO 20022."""
    if not text or len(text) > 35 or not text.isprintable():
        raise Refusal("FF01", f"identifier {text[:50]!r} is not one of 1 to 35 printable characters")
    return text


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money moved on the account by others: `amount` is signed, negative for a charge."""

    amount: int
    reference: str
    day: date | None


def read_deposit(path: Path) -> Deposit:
    """A dropped deposit: {"amount": whole rupiah, "reference": words, "date": optional day}."""
    try:
        told = json.loads(path.read_bytes())
        day = date.fromisoformat(told["date"]) if "date" in told else None
        deposit = Deposit(told["amount"], _words(told["reference"]), day)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal("FF01", f"{path.name} is not a deposit: {error}") from error
    if type(deposit.amount) is not int or not deposit.amount:
        raise Refusal("AM12", f"{path.name}: {deposit.amount!r} is not an amount of whole rupiah")
    return deposit


def _words(text: object) -> str:
    if not isinstance(text, str) or not text or not text.isprintable():
        raise ValueError(f"reference {text!r} is not a line of text")
    return text


def read_enquiry(path: Path) -> str:
    """Which message is asked about: {"original_message_id": ...}."""
    try:
        return _identifier(json.loads(path.read_bytes())["original_message_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal("FF01", f"{path.name} is not an enquiry: {error}") from error

"""Writing pain.002.001.12 and camt.053.001.08: pure functions of one line of the log."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from bank_sandbox.log import Event
from bank_sandbox.state import Booking

_URN = "urn:iso:std:iso:20022:tech:xsd:"
_LONGEST_REASON = 105
_CODES = {"paid": ("ICDT", "DMCT"), "returned": ("RCDT", "RRTN"), "deposited": ("RCDT", "DMCT")}


def status_report(event: Event) -> bytes:
    """The pain.002 of an answer."""
    data = event.data
    document, message = _document("pain.002.001.12", "CstmrPmtStsRpt")
    _add(message, "GrpHdr/MsgId", data["report_id"])
    _add(message[0], "CreDtTm", event.at.isoformat(timespec="seconds"))
    group = _add(message, "OrgnlGrpInfAndSts")
    _add(group, "OrgnlMsgId", data["message_id"])
    _add(group, "OrgnlMsgNmId", "pain.001.001.09")
    if data["group_status"]:
        _add(group, "GrpSts", data["group_status"])
    _add_reason(group, data["group_code"], data["group_info"])
    if data["lines"]:
        instruction = _add(message, "OrgnlPmtInfAndSts")
        _add(instruction, "OrgnlPmtInfId", data["instruction_id"])
        for line in data["lines"]:
            _add_status(instruction, line)
    return _bytes(document)


def _add_status(instruction: etree._Element, line: Mapping[str, Any]) -> None:
    element = _add(instruction, "TxInfAndSts")
    _add(element, "OrgnlEndToEndId", line["end_to_end_id"])
    _add(element, "TxSts", line["status"])
    _add_reason(element, line["code"], line["info"])


def _add_reason(parent: etree._Element, code: str, info: str) -> None:
    if not code and not info:
        return
    reason = _add(parent, "StsRsnInf")
    if code:
        # NOOR is no status reason of ISO's external list, so it goes where a bank's own codes go.
        _add(reason, "Rsn/Prtry" if code == "NOOR" else "Rsn/Cd", code)
    if info:
        printable = "".join(letter if letter.isprintable() else " " for letter in info)
        _add(reason, "AddtlInf", printable[:_LONGEST_REASON])


def statement(event: Event, account: str, bookings: Mapping[str, Booking]) -> bytes:
    """The camt.053 of a statement; its lines are named by their references."""
    data = event.data
    document, message = _document("camt.053.001.08", "BkToCstmrStmt")
    created = event.at.isoformat(timespec="seconds")
    _add(message, "GrpHdr/MsgId", f"STATEMENT{data['number']:09d}")
    _add(message[0], "CreDtTm", created)
    element = _add(message, "Stmt")
    _add(element, "Id", f"{account[:24]}-{data['number']:06d}")
    _add(element, "ElctrncSeqNb", str(data["number"]))
    _add(element, "CreDtTm", created)
    _add(element, "FrToDt/FrDtTm", f"{data['start']}T00:00:00+07:00")
    _add(element[-1], "ToDtTm", f"{data['end']}T23:59:59+07:00")
    _add(element, "Acct/Id/Othr/Id", account)
    _add(element[-1], "Ccy", "IDR")
    _add_balance(element, "OPBD", data["opening"], data["start"])
    _add_balance(element, "CLBD", data["closing"], data["end"])
    for reference in data["lines"]:
        _add_entry(element, bookings[reference])
    return _bytes(document)


def _add_balance(parent: etree._Element, code: str, amount: int, day: str) -> None:
    balance = _add(parent, "Bal")
    _add(balance, "Tp/CdOrPrtry/Cd", code)
    _add_amount(balance, amount)
    _add(balance, "Dt/Dt", day)


def _add_entry(parent: etree._Element, booking: Booking) -> None:
    entry = _add(parent, "Ntry")
    _add(entry, "NtryRef", booking.reference)
    _add_amount(entry, booking.amount)
    _add(entry, "Sts/Cd", "BOOK")
    _add(entry, "BookgDt/Dt", booking.booked_on.isoformat())
    _add(entry, "ValDt/Dt", booking.booked_on.isoformat())
    _add(entry, "AcctSvcrRef", booking.reference)
    family, sub_family = _CODES[booking.kind]
    _add(entry, "BkTxCd/Domn/Cd", "PMNT")
    _add(entry[-1][0], "Fmly/Cd", family)
    _add(entry[-1][0][-1], "SubFmlyCd", sub_family)
    _add_details(entry, booking)


def _add_details(entry: etree._Element, booking: Booking) -> None:
    details = _add(entry, "NtryDtls/TxDtls")
    _add(details, "Refs/AcctSvcrRef", booking.reference)
    _add(details[0], "EndToEndId", booking.end_to_end_id or "NOTPROVIDED")
    _add(details, "RmtInf/Ustrd", booking.words[:140])
    if booking.kind == "returned":
        _add(details, "RtrInf/Rsn/Cd", booking.code)


def _add_amount(parent: etree._Element, amount: int) -> None:
    _add(parent, "Amt", f"{abs(amount)}.00").set("Ccy", "IDR")
    _add(parent, "CdtDbtInd", "DBIT" if amount < 0 else "CRDT")


def _document(version: str, name: str) -> tuple[etree._Element, etree._Element]:
    document = etree.Element("Document", nsmap={None: _URN + version})
    return document, etree.SubElement(document, name)


def _add(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = text
    return parent


def _bytes(document: etree._Element) -> bytes:
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)

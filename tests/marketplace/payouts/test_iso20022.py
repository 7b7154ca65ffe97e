"""pain.001 out and pain.002 in."""

from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from lxml import etree

from marketplace.payouts.iso20022 import (
    MAX_FILE_BYTES,
    BankFileError,
    CreditTransfer,
    PaymentFileError,
    PaymentStatus,
    read_status_report,
    reason_sentence,
    write_payment_file,
)
from marketplace.payouts.iso20022.reasons import SENTENCES, UNNAMED
from tests.bank_sandbox.payments import APPROVED_AT, payment, status_report, transfer
from tests.bank_sandbox.schemas import validate

ONE = transfer().end_to_end_id


def _texts(content: bytes, name: str) -> list[str | None]:
    return [element.text for element in etree.fromstring(content).iterfind(f".//{{*}}{name}")]


def _line(status: str, extra: str = "", name: str = ONE) -> str:
    return f"""<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts>
<OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>{extra}</TxInfAndSts></OrgnlPmtInfAndSts>"""


def test_a_payment_file_is_valid_for_its_schema() -> None:
    by_bic = replace(transfer(2), bank_code="BBRIIDJA", creditor_name="Müller & <Söhne> " * 20)
    validate(write_payment_file(payment(transfer(1), by_bic)))


def test_the_schema_refuses_a_file_without_its_control_count() -> None:
    content = write_payment_file(payment())
    broken = content.replace(b"<NbOfTxs>1</NbOfTxs>", b"", 1)
    with pytest.raises(etree.DocumentInvalid):
        validate(broken)


def test_sums_count_and_ids_are_those_of_the_run() -> None:
    content = write_payment_file(payment(transfer(1), transfer(2)))
    assert _texts(content, "CtrlSum") == ["2000003.00", "2000003.00"]
    assert _texts(content, "NbOfTxs") == ["2", "2"]
    assert _texts(content, "EndToEndId") == [UUID(int=1).hex, UUID(int=2).hex]
    assert _texts(content, "InstdAmt") == ["1000001.00", "1000002.00"]


def test_the_same_run_gives_the_same_bytes_whatever_session_read_it() -> None:
    first = payment(transfer(1), transfer(2))
    elsewhere = APPROVED_AT.astimezone(timezone(timedelta(hours=-5))).replace(microsecond=1)
    again = payment(transfer(2), replace(transfer(1), amount=Decimal("1.000001E+6")), at=elsewhere)
    assert write_payment_file(first) == write_payment_file(again)


def test_another_amount_gives_other_bytes() -> None:
    assert write_payment_file(payment(transfer(1))) != write_payment_file(payment(transfer(1, amount=5)))


@pytest.mark.parametrize("amount", ["0", "-1", "1.50", "NaN", "Infinity", "1E+16"])
def test_an_amount_that_cannot_be_paid_is_refused(amount: str) -> None:
    with pytest.raises(PaymentFileError, match="not a payable amount"):
        write_payment_file(payment(replace(transfer(), amount=Decimal(amount))))


@pytest.mark.parametrize(
    "bad",
    [
        replace(transfer(), account_number=""),
        replace(transfer(), account_number="12 34"),
        replace(transfer(), account_number="1" * 35),
        replace(transfer(), bank_code="1"),
        replace(transfer(), bank_code="014\n"),
        replace(transfer(), creditor_name=" \t"),
        replace(transfer(), creditor_name="nul\x00"),
        replace(transfer(), creditor_name="half \ud800"),
        replace(transfer(), remittance="turned \u202eround"),
    ],
)
def test_a_transfer_with_unusable_text_is_refused(bad: CreditTransfer) -> None:
    with pytest.raises(PaymentFileError):
        write_payment_file(payment(bad))


def test_a_file_without_payouts_or_with_one_twice_is_refused() -> None:
    with pytest.raises(PaymentFileError, match="without payouts"):
        write_payment_file(replace(payment(), transfers=()))
    with pytest.raises(PaymentFileError, match="twice"):
        write_payment_file(payment(transfer(1), transfer(1)))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(PaymentFileError, match="time zone"):
        write_payment_file(payment(at=APPROVED_AT.replace(tzinfo=None)))


def test_each_line_of_a_status_report_is_read() -> None:
    words = "<AddtlInf>no such</AddtlInf><AddtlInf>account</AddtlInf>"
    reason = f"<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn>{words}</StsRsnInf>"
    report = read_status_report(status_report(_line("RJCT", reason)), "a.xml")
    status = report.status_of(ONE)
    assert status is not None and status.status is PaymentStatus.RJCT and status.status.is_rejection
    assert (status.reason, status.info) == ("AC01", "no such account")
    assert report.status_of("another") is None


@pytest.mark.parametrize("version", ["pain.002.001.03", "pain.002.001.10", "pain.002.001.14"])
def test_the_version_of_a_status_report_does_not_matter(version: str) -> None:
    report = read_status_report(status_report(_line("ACSC"), version=version), "a.xml")
    assert report.transactions[0].status is PaymentStatus.ACSC


def test_a_status_report_without_a_namespace_is_read() -> None:
    content = status_report(_line("ACSC"))
    bare = content.replace(b' xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"', b"")
    assert read_status_report(bare, "a.xml").transactions[0].end_to_end_id == ONE


def test_a_rejection_of_the_group_rejects_all() -> None:
    group = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM10</Cd></Rsn></StsRsnInf>"
    report = read_status_report(status_report("", group), "a.xml")
    for name in (ONE, "any other"):
        status = report.status_of(name)
        assert status is not None and status.status.is_rejection and status.reason == "AM10"


def test_a_rejection_of_the_instruction_rejects_all() -> None:
    body = (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"
    )
    status = read_status_report(status_report(body, "<GrpSts>ACCP</GrpSts>"), "a.xml").status_of(ONE)
    assert status is not None and status.status.is_rejection


def test_a_partly_accepted_group_says_nothing_about_a_payout_without_a_line() -> None:
    report = read_status_report(status_report(_line("ACSC"), "<GrpSts>PART</GrpSts>"), "a.xml")
    assert report.status_of("another") is None


def test_a_message_unknown_to_the_bank_is_no_rejection() -> None:
    group = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>NOOR</Prtry></Rsn></StsRsnInf>"
    report = read_status_report(status_report("", group), "a.xml")
    assert report.unknown_to_bank
    assert report.status_of(ONE) is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (_line("XXXX"), "not a known status"),
        (_line("ACSC", name=" "), "OrgnlEndToEndId is missing"),
        (_line("ACSC", name="NOTPROVIDED"), "which payout"),
        (_line(""), "no status"),
    ],
)
def test_a_status_that_cannot_be_used_is_named_with_its_place(body: str, problem: str) -> None:
    with pytest.raises(BankFileError, match=problem) as caught:
        read_status_report(status_report(body), "answer.xml")
    assert caught.value.file == "answer.xml"
    assert "OrgnlPmtInfAndSts[1]" in caught.value.where


_BOMB = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Document>&c;</Document>"""
_PEEK = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<Document><CstmrPmtStsRpt>&f;</CstmrPmtStsRpt></Document>"""


@pytest.mark.parametrize("text", [_BOMB, _PEEK])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
def test_entities_are_refused_in_any_encoding(text: str, encoding: str) -> None:
    declared = text.replace('"1.0"', f'"1.0" encoding="{encoding}"', 1)
    with pytest.raises(BankFileError):
        read_status_report(declared.encode(encoding), "bomb.xml")


@pytest.mark.parametrize("content", [b"", b"\x00", b"<Document>", b"PK\x03\x04", b"<html/>", b"<Document/>"])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(BankFileError):
        read_status_report(content, "junk.xml")


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(BankFileError, match="bytes"):
        read_status_report(b" " * (MAX_FILE_BYTES + 1), "huge.xml")


def test_every_reason_has_words_and_an_unknown_one_too() -> None:
    assert reason_sentence("AC04") == "Rekening penerima sudah ditutup."
    assert reason_sentence(None) == reason_sentence("ZZ99") == UNNAMED
    assert all(code.isalnum() and len(code) == 4 and words.endswith(".") for code, words in SENTENCES.items())

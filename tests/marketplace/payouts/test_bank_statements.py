"""camt.053 in: what the bank's statement says, and what is not believed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.payouts.iso20022 import BankFileError, read_statements
from tests.bank_sandbox.payments import entry, statement, transfer
from tests.bank_sandbox.schemas import iso20022_folder

ONE = transfer().end_to_end_id


def _details(extra: str = "", name: str = ONE) -> str:
    return f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>{extra}</TxDtls>"


def test_a_statement_is_read_with_signed_amounts() -> None:
    content = statement(
        entry("500.00", "R1", direction="CRDT") + entry("200", "R2", details=_details()),
        closing="300",
        closing_direction="CRDT",
    )
    (found,) = read_statements(content, "s.xml")
    assert (found.id, found.number, found.opening, found.closing) == ("S-1", 1, 0, 300)
    deposit, payout = found.entries
    assert (deposit.amount, deposit.end_to_end_id, deposit.reference) == (500, None, "R1")
    assert (payout.amount, payout.end_to_end_id, payout.line) == (-200, ONE, 2)
    assert payout.booked_on == date(2030, 3, 4)


def test_a_return_names_its_reason_and_the_payout() -> None:
    information = "<RmtInf><Ustrd>closed</Ustrd></RmtInf><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    line = entry("200", direction="CRDT", details=_details(information))
    (found,) = read_statements(statement(line, "200", closing_direction="CRDT"), "s.xml")
    (entered,) = found.entries
    assert entered.is_return
    assert (entered.return_reason, entered.end_to_end_id, entered.remittance) == ("AC04", ONE, "closed")


def test_a_doubled_line_is_marked_and_counted_once() -> None:
    (found,) = read_statements(statement(entry("200") + entry("200"), "200"), "s.xml")
    assert [line.repeats for line in found.entries] == [False, True]


def test_two_payments_with_their_own_references_are_not_a_doubled_line() -> None:
    (found,) = read_statements(statement(entry("200", "R1") + entry("200", "R2"), "400"), "s.xml")
    assert [line.repeats for line in found.entries] == [False, False]


def test_a_batch_booking_becomes_one_line_per_payment() -> None:
    parts = "".join(
        _details(f'<Amt Ccy="IDR">{amount}</Amt>', name) for amount, name in ((150, "a"), (50, "b"))
    )
    (found,) = read_statements(statement(entry("200", details=parts), "200"), "s.xml")
    lines = [(line.reference, line.amount, line.end_to_end_id) for line in found.entries]
    assert lines == [("R1/1", -150, "a"), ("R1/2", -50, "b")]


def test_a_line_without_a_reference_gets_one_of_its_place() -> None:
    bare = entry("200", "").replace("<NtryRef></NtryRef>", "").replace("<AcctSvcrRef></AcctSvcrRef>", "")
    (found,) = read_statements(statement(bare, "200"), "s.xml")
    assert found.entries[0].reference == "S-1#1"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (statement(entry("200"), "300"), "-100 unexplained"),
        (statement(entry("200", "R1") + entry("100", "R1"), "200"), "100 unexplained"),
        (statement(entry("1.50"), "1.50"), "decimal places"),
        (statement(entry("1e3"), "1000"), "not an amount"),
        (statement(entry("-5"), "5"), "not an amount"),
        (statement(entry("1.000.000"), "5"), "not an amount"),
        (statement(entry("NaN"), "5"), "not an amount"),
        (statement(entry("5").replace("IDR", "USD"), "5"), "currency USD"),
        (statement(entry("5").replace("BOOK", "PDNG"), "5"), "booked entries only"),
        (statement(entry("5").replace("DBIT", "BOTH"), "5"), "neither CRDT nor DBIT"),
        (statement(entry("5").replace("2030-03-04", "YYYY-MM-DD"), "5"), "not a date"),
        (statement(entry("5").replace("2030-03-04", "2030-02-30"), "5"), "not a date"),
        (statement(entry("5"), "5").replace(b"OPBD", b"ITBD"), "no balance OPBD"),
        (statement("", "0").replace(b"<Stmt>", b"<Rpt>").replace(b"</Stmt>", b"</Rpt>"), "no statement"),
        (statement("", "0").replace(b"<ElctrncSeqNb>1<", b"<ElctrncSeqNb>I<"), "not a number"),
    ],
)
def test_a_statement_that_cannot_be_trusted_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(BankFileError, match=problem) as caught:
        read_statements(content, "s.xml")
    assert caught.value.file == "s.xml"


def test_a_batch_that_does_not_add_up_is_refused() -> None:
    parts = _details('<Amt Ccy="IDR">150</Amt>') + _details('<Amt Ccy="IDR">51</Amt>')
    with pytest.raises(BankFileError, match="add up to -201"):
        read_statements(statement(entry("200", details=parts), "200"), "s.xml")


SAMPLES = {
    "camt053.v2.minimal.xml": "currency SEK, expected EUR",
    "camt053.v2.with-account-name.xml": "no balance OPBD",
    "camt053.v2.multi.statement.xml": 2,
    "camt053.v2.five.decimals.xml": "unexplained",
    "camt053.v2.wrong.xml": "no statement",
    "camt053.v4.xml": "currency SEK, expected EUR",
}


@pytest.mark.parametrize(("name", "expected"), SAMPLES.items())
def test_a_bank_sample_is_read_or_refused_by_name(name: str, expected: int | str) -> None:
    content = _samples()[name].read_bytes()
    if isinstance(expected, int):
        assert len(read_statements(content, name, currency="EUR", decimals=2)) == expected
    else:
        with pytest.raises(BankFileError, match=expected):
            read_statements(content, name, currency="EUR", decimals=3)


def test_no_sample_makes_the_reader_stumble_or_guess() -> None:
    for name, path in _samples().items():
        with pytest.raises(BankFileError) as caught:
            read_statements(path.read_bytes(), name)
        assert name in str(caught.value)


def test_a_sample_gives_the_figures_it_states() -> None:
    content = _samples()["camt053.v2.multi.statement.xml"].read_bytes()
    first, second = read_statements(content, "multi", currency="EUR", decimals=2)
    assert (first.opening, first.closing) == (Decimal("18.15"), Decimal("27.00"))
    assert [line.amount for line in second.entries] == [Decimal("-7.00")]
    assert second.entries[0].remittance == "Transaction Description 2"


def _samples() -> dict[str, Path]:
    return {path.name: path for path in iso20022_folder().rglob("camt053*.xml")}

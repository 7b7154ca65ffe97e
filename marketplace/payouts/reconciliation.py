"""Files from the bank, taken in once each: status reports and statements.

One file is one transaction, one file at a time; a file is known by its content and a line by the
bank's reference, so a repeat changes nothing.
"""

import os
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

import ledger
from ledger import TransactionRequest
from marketplace import clock
from marketplace.payouts import explanation, sending, service, settlement
from marketplace.payouts.bank import AnswerFile, AnswerKind
from marketplace.payouts.iso20022 import (
    BankFileError,
    Statement,
    StatementEntry,
    StatusReport,
    TransactionStatus,
    read_statements,
    read_status_report,
)
from marketplace.payouts.models import (
    MOVING,
    BankFile,
    BankFileKind,
    BankLine,
    BankLineReason,
    BankLineState,
    BankStatement,
    Payout,
    PayoutRun,
    PayoutState,
)

DUPLICATE_CODES = frozenset({"AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05"})
"""The bank has seen this order before: a word about the repeat, not about the payment."""

STATEMENT_PATIENCE = timedelta(hours=26)
"""Wall time from the bank's acceptance to the next day's statement."""

Findings = list[dict[str, Any]]


def take(session: Session, answer: AnswerFile, account: str) -> BankFile | None:
    """Book a file from the bank. None when another worker is at it; then leave the file alone.

    A file that cannot be used is recorded with its problem, so that it is not tried for ever.
    `account` is the treasury account: a statement of another one is a problem, too.
    """
    if not _is_alone(session):
        return None
    known = session.get(BankFile, answer.sha256)
    if known is not None:
        return known
    kind = BankFileKind.STATUS_REPORT if answer.kind is AnswerKind.STATUS else BankFileKind.STATEMENT
    file = BankFile(sha256=answer.sha256, name=_readable(answer.name), kind=kind, read_at=clock.now(session))
    try:
        content = _read(answer, account)
    except BankFileError as error:
        file.kind, file.problem = BankFileKind.UNREADABLE, str(error)
        session.add(file)
        session.flush()
        return file
    session.add(file)
    session.flush()
    if isinstance(content, StatusReport):
        file.findings = _take_report(session, content)
    else:
        file.findings = [finding for each in content for finding in _take_statement(session, file, each)]
    session.flush()
    return file


def revisit(session: Session) -> int:
    """Look again at parked lines that something newer may explain; how many it did."""
    if not _is_alone(session):
        return 0
    return _explain_parked(session)


def _is_alone(session: Session) -> bool:
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('payouts:bank'))")))


def _readable(name: str) -> str:
    """A file's name as text. A folder takes any bytes for one, a database does not."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _read(answer: AnswerFile, account: str) -> StatusReport | list[Statement]:
    name = _readable(answer.name)
    if answer.kind is AnswerKind.UNREADABLE:
        raise BankFileError(name, "file", answer.problem or "cannot be read")
    if answer.kind is AnswerKind.STATUS:
        return read_status_report(answer.content, name)
    statements = read_statements(answer.content, name)
    for statement in statements:
        if statement.account != account:
            raise BankFileError(name, "Acct", f"account {statement.account} is not the treasury's")
    return statements


# Status reports


def _take_report(session: Session, report: StatusReport) -> Findings:
    """Rejections post back; everything else only tells that the bank is at it."""
    run = _find_run(session, report.original_message_id)
    if run is None:
        return [{"code": "unknown_message", "message_id": report.original_message_id}]
    if report.unknown_to_bank:
        again = sending.send_again(session, run)
        return [] if again else [{"code": "bank_denies_answered_file", "run": str(run.id)}]
    payouts = {payout.id.hex: payout for payout in service.lock_payouts(session, run.id)}
    findings: Findings = [
        {"code": "unknown_payment", "end_to_end_id": line.end_to_end_id}
        for line in report.transactions
        if line.end_to_end_id not in payouts
    ]
    requests: list[TransactionRequest] = []
    for end_to_end_id, payout in payouts.items():
        status = report.status_of(end_to_end_id)
        if status is not None:
            findings += _take_status(session, payout, status, requests)
    if requests:
        ledger.post_many(session, requests)
    return findings


def _take_status(
    session: Session, payout: Payout, status: TransactionStatus, requests: list[TransactionRequest]
) -> Findings:
    if status.status.is_rejection and status.reason not in DUPLICATE_CODES:
        if payout.state in MOVING:
            requests.append(settlement.fail(session, payout, status.reason, status.info))
        elif payout.state in (PayoutState.PAID, PayoutState.RETURNED):
            return [{"code": "rejected_after_payment", "payout": payout.label, "reason": status.reason}]
    elif payout.state in MOVING:
        _note_acceptance(session, payout)
    return []


def _note_acceptance(session: Session, payout: Payout) -> None:
    """The bank has it; its statement will tell. Asked again only when that stays away."""
    if payout.state != PayoutState.SENT:
        sending.mark_sent(session, payout, STATEMENT_PATIENCE)
    payout.accepted_at = payout.accepted_at or clock.now(session)
    payout.enquire_at = clock.wall_now() + STATEMENT_PATIENCE


def _find_run(session: Session, message_id: str) -> PayoutRun | None:
    run_id = settlement.parse_id(message_id)
    return session.get(PayoutRun, run_id, with_for_update=True) if run_id else None


# Statements


def _take_statement(session: Session, file: BankFile, statement: Statement) -> Findings:
    ledger.open_accounts(session, sending.SHARED_ACCOUNTS)
    findings = _note_statement(session, file, statement)
    known = _known_lines(session, statement)
    fresh: list[BankLine] = []
    for entry in statement.entries:
        before = known.get(entry.reference)
        if before is not None and not _is_same(before, entry):
            findings.append({"code": "line_changed", "reference": entry.reference, "line": entry.line})
        elif before is None and entry.amount != 0:
            known[entry.reference] = _write_line(session, file, statement, entry)
            fresh.append(known[entry.reference])
    _explain(session, fresh)
    _explain_parked(session)
    return findings


def _note_statement(session: Session, file: BankFile, statement: Statement) -> Findings:
    balances = {"opening": statement.opening, "closing": statement.closing}
    before = session.scalar(
        select(BankStatement).where(
            BankStatement.account == statement.account, BankStatement.reference == statement.id
        )
    )
    if before is None:
        session.add(_statement_row(file, statement))
        session.flush()
        return []
    if (before.opening, before.closing) == (statement.opening, statement.closing):
        return []
    return [{"code": "statement_changed", **{name: str(amount) for name, amount in balances.items()}}]


def _statement_row(file: BankFile, statement: Statement) -> BankStatement:
    return BankStatement(
        file_sha256=file.sha256,
        account=statement.account,
        reference=statement.id,
        number=statement.number,
        opened_on=statement.start,
        closed_on=statement.end,
        opening=statement.opening,
        closing=statement.closing,
    )


def _known_lines(session: Session, statement: Statement) -> dict[str, BankLine]:
    references = [entry.reference for entry in statement.entries]
    rows = session.scalars(
        select(BankLine).where(BankLine.account == statement.account, BankLine.reference.in_(references))
    )
    return {line.reference: line for line in rows}


def _is_same(line: BankLine, entry: StatementEntry) -> bool:
    return (line.amount, line.end_to_end_id) == (entry.amount, entry.end_to_end_id)


def _write_line(session: Session, file: BankFile, statement: Statement, entry: StatementEntry) -> BankLine:
    line = BankLine(
        file_sha256=file.sha256,
        account=statement.account,
        reference=entry.reference,
        booked_on=entry.booked_on,
        amount=entry.amount,
        end_to_end_id=entry.end_to_end_id,
        remittance=entry.remittance,
        return_code=entry.return_reason,
        late=entry.booked_on < statement.start,
        reason=BankLineReason.UNKNOWN.value,
    )
    session.add(line)
    return line


def _explain_parked(session: Session) -> int:
    """Only money that came in, or that went out after a rejection, can find its explanation later."""
    parked = session.scalars(
        select(BankLine)
        .where(
            BankLine.state == BankLineState.SUSPENDED,
            or_(BankLine.amount > Decimal(0), BankLine.reason == BankLineReason.PAID_AFTER_REJECTION),
        )
        .order_by(BankLine.id)
    ).all()
    _explain(session, parked)
    return sum(line.state == BankLineState.EXPLAINED for line in parked)


def _explain(session: Session, lines: Iterable[BankLine]) -> None:
    """Judge lines one after another, each by what the one before has changed; post at the end."""
    lines = list(lines)
    requests: list[TransactionRequest] = []
    owner: dict[str, BankLine] = {}
    session.flush()
    for line in lines:
        booked = explanation.book(session, line, explanation.judge(session, line))
        owner.update({request.key: line for request in booked if not explanation.leaves_suspense(request)})
        requests += booked
        session.flush()
    posted = ledger.post_many(session, requests) if requests else []
    for request, transaction in zip(requests, posted, strict=True):
        if request.key in owner:
            owner[request.key].transaction_id = transaction.id
    session.flush()

"""What `flask payouts` prints: documents for `--json`, and the same as lines for people."""

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from marketplace.payouts import queries
from marketplace.payouts.courier import Taken
from marketplace.payouts.messages import rupiah
from marketplace.payouts.models import BankLineState
from marketplace.schemes import queries as schemes

Document = dict[str, Any]


def run_document(session: Session, run_id: uuid.UUID) -> Document:
    """A run with its payouts; amounts are whole rupiah."""
    run = queries.get_run(session, run_id)
    return {
        **_summary(queries.summarise(session, run)),
        "payouts": [
            {
                "payout": payout.label,
                "provider": payout.provider.name,
                "account": f"•••• {payout.bank_account.number_ending}",
                "amount": int(payout.amount),
                "state": payout.state,
                "reason": payout.reason_code,
            }
            for payout in run.payouts
        ],
    }


def run_lines(document: Document) -> Iterator[str]:
    yield _run_line(document)
    for payout in document["payouts"]:
        reason = f" ({payout['reason']})" if payout["reason"] else ""
        state = f"{payout['state']}{reason}"
        yield f"  {payout['payout']}  {rupiah(payout['amount']):>16}  {state}  {payout['provider']}"


def payable_document(session: Session, scheme_code: str) -> Document:
    providers, amount = queries.sum_payable(session, scheme_code)
    return {"providers": providers, "amount": int(amount)}


def waiting_documents(session: Session, scheme_code: str) -> list[Document]:
    return [
        {
            "scheme": scheme_code,
            "provider": row.provider_name,
            "reason": row.reason.value,
            "amount": int(row.amount),
            "earnings": row.earnings,
        }
        for row in queries.list_waiting(session, scheme_code)
    ]


def prepared_lines(document: Document) -> Iterator[str]:
    payable = document["payable"]
    if document["run"]:
        yield from run_lines(document["run"])
    else:
        yield f"no run prepared; {payable['providers']} providers could be paid {rupiah(payable['amount'])}"
    yield from map(_waiting_line, document["waiting"])


def taken_document(taken: Taken) -> Document:
    return {"file": taken.name, "kind": taken.kind, "problem": taken.problem, "findings": taken.findings}


def file_line(taken: Taken) -> str:
    findings = "".join(f"; {finding}" for finding in taken.findings)
    return f"{taken.name}: {taken.problem or taken.kind}{findings}"


def status_document(session: Session) -> Document:
    """Runs, payouts by state, what waits, what the bank left open, and the equation of the books."""
    equation = queries.equation(session)
    suspended = queries.list_bank_lines(session, BankLineState.SUSPENDED)
    counts = queries.count_by_state(session)
    return {
        "runs": [_summary(each) for each in queries.list_runs(session, limit=10)],
        "payouts": {state: {"count": row[0], "amount": int(row[1])} for state, row in counts.items()},
        "waiting": [
            row for each in schemes.list_schemes(session) for row in waiting_documents(session, each.code)
        ],
        "overdue": [payout.label for payout in queries.list_overdue(session)],
        "suspended": [
            {"reference": line.reference, "amount": int(line.amount), "reason": line.reason}
            for line in suspended
        ],
        "missing_statements": [
            {"from": gap.before.reference, "to": gap.after.reference, "difference": int(gap.difference)}
            for gap in queries.list_gaps(session)
        ],
        "equation": {name: int(amount) for name, amount in (*equation.left, *equation.right)},
        "books_balance": equation.holds,
    }


def status_lines(document: Document) -> Iterator[str]:
    yield from map(_run_line, document["runs"])
    for state, row in document["payouts"].items():
        yield f"{state:>10}  {row['count']:>6} payouts  {rupiah(row['amount'])}"
    yield from map(_waiting_line, document["waiting"])
    for label in document["overdue"]:
        yield f"overdue: {label} is on no statement yet"
    for line in document["suspended"]:
        yield f"unexplained: {line['reference']}  {rupiah(line['amount'])}  {line['reason']}"
    for gap in document["missing_statements"]:
        yield f"missing statement between {gap['from']} and {gap['to']}: {rupiah(gap['difference'])}"
    yield f"books balance: {'yes' if document['books_balance'] else 'no'}"


def _summary(summary: queries.RunSummary) -> Document:
    run = summary.run
    return {
        "run": str(run.id),
        "scheme": run.scheme_code,
        "day": run.day.isoformat(),
        "state": run.state,
        "count": summary.payouts,
        "amount": int(summary.amount),
        "states": summary.states,
    }


def _run_line(row: Document) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(row["states"].items()))
    head = f"{row['run']}  {row['day']}  scheme {row['scheme']}"
    return f"{head}  {row['state']}  {rupiah(row['amount'])}  {states}"


def _waiting_line(row: Document) -> str:
    amount = rupiah(row["amount"])
    return f"waiting: {row['provider']}  {amount}  {row['earnings']} earnings  {row['reason']}"

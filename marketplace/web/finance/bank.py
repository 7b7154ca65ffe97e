"""What the bank said: lines that nobody can explain first, then the rest, and the files they came in."""

from flask import render_template

from marketplace import db
from marketplace.payouts import queries
from marketplace.payouts.models import BankLineState
from marketplace.web.finance.blueprint import pages
from marketplace.web.finance.money_words import bank_line_tag, bank_line_words, finding_words
from marketplace.web.state_words import payout_tag

_SHOWN = 100


@pages.get("/rekening-koran")
def bank_lines() -> str:
    """Every line of the bank's statement, explained or not, the unexplained first."""
    current = db.session()
    return render_template(
        "finance/bank_lines.html",
        open_lines=queries.list_bank_lines(current, BankLineState.SUSPENDED, _SHOWN),
        lines=queries.list_bank_lines(current, BankLineState.EXPLAINED, _SHOWN),
        most=_SHOWN,
        files=queries.list_bank_files(current),
        overdue=queries.list_overdue(current),
        gaps=queries.list_gaps(current),
        line_tag=bank_line_tag,
        line_words=bank_line_words,
        finding_words=finding_words,
        payout_tag=payout_tag,
    )

"""What was paid, what will be, and which enrolments each payout covers."""

import uuid

from flask import render_template

from marketplace import clock, db
from marketplace.payouts import queries
from marketplace.payouts.iso20022 import reason_sentence
from marketplace.providers import queries as providers
from marketplace.web.banks import account_words
from marketplace.web.identity import current_provider
from marketplace.web.provider.blueprint import pages
from marketplace.web.state_words import payout_tag


@pages.get("/pembayaran")
def payouts() -> str:
    """Payouts, newest first, and what is on its way."""
    current = db.session()
    provider = current_provider()
    return render_template(
        "provider/payouts.html",
        payouts=queries.list_for_provider(current, provider.id),
        upcoming=queries.upcoming(current, provider.id),
        accounts=providers.list_bank_accounts(current, provider.id),
        account_words=account_words,
        payout_tag=payout_tag,
        reason_sentence=reason_sentence,
        now=clock.now(current),
    )


@pages.get("/pembayaran/<uuid:payout_id>")
def payout(payout_id: uuid.UUID) -> str:
    """One payout, with exactly the enrolments that it covers."""
    current = db.session()
    found = queries.get_payout(current, payout_id, provider_id=current_provider().id)
    return render_template(
        "provider/payout.html",
        payout=found,
        lines=queries.list_lines(current, payout_id),
        later=queries.list_later_payouts(current, found),
        account_words=account_words,
        tag=payout_tag(found),
        reason_sentence=reason_sentence,
    )

"""What was paid, what will be, and which enrolments each payout covers."""

import uuid

from flask import render_template, request

from marketplace import clock, db
from marketplace.enrolments import figures
from marketplace.payouts import outlook, queries
from marketplace.payouts.iso20022 import reason_sentence
from marketplace.providers import queries as providers
from marketplace.web.banks import account_words
from marketplace.web.identity import current_provider
from marketplace.web.provider.alerts import obstacle_words
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.wanted import parse
from marketplace.web.state_words import hold_words, payout_tag

_SHOWN = 50


@pages.get("/pembayaran")
def payouts() -> str:
    """Payouts, newest first, and what is on its way."""
    current, cursor = db.session(), parse(request.args.get("cursor"))
    provider, now = current_provider(), clock.now(current)
    found = figures.figures_for_provider(current, provider.id, now)
    expected = outlook.outlook(current, provider.id)
    listed = queries.list_for_provider(current, provider.id, _SHOWN + 1, cursor)
    accounts = providers.list_bank_accounts(current, provider.id)
    return render_template(
        "provider/payouts.html",
        payouts=listed[:_SHOWN],
        next_cursor=listed[_SHOWN - 1].id if len(listed) > _SHOWN else None,
        is_first=cursor is None,
        figures=found,
        hold_reasons=[hold_words(code) for code in found.hold_codes],
        outlook=expected,
        obstacle=obstacle_words(accounts) if expected.obstacle else None,
        accounts=accounts,
        account_words=account_words,
        payout_tag=payout_tag,
        reason_sentence=reason_sentence,
        now=now,
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

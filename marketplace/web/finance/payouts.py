"""Payout runs: prepared by beat, submitted by a person, approved by another, answered by the bank."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError, NotAllowed, NotFound
from marketplace.identity.models import Role, User
from marketplace.payouts import queries, service, tasks
from marketplace.payouts.iso20022 import reason_sentence
from marketplace.payouts.models import PayoutRun, PayoutRunState, PayoutState
from marketplace.schemes import queries as schemes
from marketplace.web.banks import account_words
from marketplace.web.errors import words_for
from marketplace.web.finance.blueprint import pages
from marketplace.web.finance.money_words import waiting_words
from marketplace.web.finance.next_step import decide, waits_for
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import signed_in_user
from marketplace.web.state_words import payout_run_tag, payout_state_tag, payout_tag

LONGEST_REASON = 200
_AGAIN = (PayoutState.FAILED, PayoutState.RETURNED)


class CancelForm(FormSchema):
    reason = Text(
        _l("Tulis alasan pembatalan."),
        validate=validate.Length(max=LONGEST_REASON, error=_l("Alasan ini terlalu panjang.")),
    )


@pages.get("")
def runs() -> str:
    """What waits for this person, what moves, and what cannot be paid yet and why."""
    current = db.session()
    user = signed_in_user()
    found = queries.list_runs(current)
    waiting = [(each, queries.list_waiting(current, each.code)) for each in schemes.list_schemes(current)]
    return render_template(
        "finance/runs.html",
        runs=found,
        mine=[each for each in found if waits_for(each.run, user)],
        waiting=[(scheme, rows) for scheme, rows in waiting if rows],
        waiting_words=waiting_words,
        refused=_refused(current, [row for _scheme, rows in waiting for row in rows]),
        states=queries.count_by_state(current),
        equation=queries.equation(current),
        run_tag=payout_run_tag,
        states_words=states_words,
        is_auditor=not user.has_role(Role.FINANCE),
        now=clock.now(current),
    )


@pages.get("/pembayaran/<uuid:run_id>")
def run(run_id: uuid.UUID) -> str:
    """One run, with the one button that its state allows this person."""
    current = db.session()
    found = queries.get_run(current, run_id)
    return render_template(
        "finance/run.html",
        run=found,
        summary=queries.summarise(current, found),
        step=decide(current, found, signed_in_user()),
        people=_people(current, found),
        tag=payout_run_tag(found),
        payout_tag=payout_tag,
        reason_sentence=reason_sentence,
        account_words=account_words,
    )


@pages.get("/pembayaran/<uuid:run_id>/<uuid:payout_id>")
def payout(run_id: uuid.UUID, payout_id: uuid.UUID) -> str:
    """One payout with exactly the enrolments that it covers."""
    current = db.session()
    found = queries.get_payout(current, payout_id)
    if found.run_id != run_id:
        raise NotFound("no such payout in this run")
    later = queries.list_later_payouts(current, found)
    may_act = signed_in_user().has_role(Role.FINANCE)
    return render_template(
        "finance/payout.html",
        payout=found,
        lines=queries.list_lines(current, payout_id),
        later=later,
        may_retry=may_act and found.state in _AGAIN and not later,
        tag=payout_tag(found),
        reason_sentence=reason_sentence,
        account_words=account_words,
    )


@pages.post("/pembayaran/<uuid:run_id>/ajukan")
def submit(run_id: uuid.UUID) -> Response:
    """Put the run before a colleague."""
    done = _("Diajukan. Rekan Anda perlu menyetujuinya.")
    return _answer(run_id, _act(lambda current, user: service.submit(current, run_id, user)), done)


@pages.post("/pembayaran/<uuid:run_id>/setujui")
def approve(run_id: uuid.UUID) -> Response:
    """Approve what somebody else submitted. The bank's file follows at once."""
    problem = _act(lambda current, user: service.approve(current, run_id, user))
    if problem is None:
        nudge(tasks.send_run, str(run_id))
    return _answer(run_id, problem, _("Disetujui. Berkas pembayaran dikirim ke bank."))


@pages.get("/pembayaran/<uuid:run_id>/batalkan")
def ask_cancel(run_id: uuid.UUID) -> str | Response:
    """Before cancelling: the reason that stays in the audit trail."""
    return _ask_cancel(run_id, empty())


@pages.post("/pembayaran/<uuid:run_id>/batalkan")
def cancel(run_id: uuid.UUID) -> Response | tuple[str | Response, int]:
    """Cancel a run that was not approved; its earnings go into the next one."""
    form = submitted(CancelForm())
    if not form.is_valid:
        return _ask_cancel(run_id, form), 400
    problem = _act(lambda current, user: service.cancel(current, run_id, user, form.data["reason"]))
    return _answer(run_id, problem, _("Dibatalkan. Hak lembaga masuk ke pembayaran berikutnya."))


@pages.post("/pembayaran/<uuid:run_id>/<uuid:payout_id>/ulangi")
def retry(run_id: uuid.UUID, payout_id: uuid.UUID) -> Response:
    """Try a rejected or returned payout again, in a run of its own that needs two people as well."""
    prepared: list[uuid.UUID] = []

    def work(current: Session, user: User) -> None:
        new = service.retry(current, payout_id, user)
        prepared[:] = [new.id] if new else []

    problem = _act(work)
    if problem or not prepared:
        words = problem or _("Rekening dibuka lagi. Uangnya menunggu sampai syarat pembayarannya terpenuhi.")
        flash(words, "bata" if problem else "kunyit")
        return redirect(url_for("finance.payout", run_id=run_id, payout_id=payout_id))
    done = _("Pembayaran baru disiapkan. Ajukan, lalu minta rekan Anda menyetujuinya.")
    return _answer(prepared[0], None, done)


def states_words(summary: queries.RunSummary) -> str:
    """`2 dibayarkan, 1 ditolak bank`: what became of an approved run."""
    if summary.run.state != PayoutRunState.APPROVED:
        return ""
    counted = [(count, payout_state_tag(PayoutState(state))[0]) for state, count in summary.states.items()]
    return ", ".join(f"{count} {words.lower()}" for count, words in sorted(counted, reverse=True))


def _ask_cancel(run_id: uuid.UUID, form: Form) -> str | Response:
    current = db.session()
    found = queries.get_run(current, run_id)
    if not decide(current, found, signed_in_user()).may_cancel:
        return redirect(url_for("finance.run", run_id=run_id))
    return render_template(
        "finance/cancel_run.html",
        run=found,
        summary=queries.summarise(current, found),
        form=form,
        most=LONGEST_REASON,
    )


def _refused(session: Session, rows: Iterable[queries.Waiting]) -> dict[uuid.UUID, str]:
    """Where the refused payout of a provider is read, and tried again."""
    found = queries.list_last_refused(session, {row.provider_id for row in rows})
    return {
        each.provider_id: url_for("finance.payout", run_id=each.run_id, payout_id=each.id) for each in found
    }


def _people(session: Session, run: PayoutRun) -> dict[str, str]:
    """Who prepared, submitted and approved, by name; Bekal itself prepares at night."""
    ids = {"prepared": run.prepared_by, "submitted": run.submitted_by, "approved": run.approved_by}
    found = {part: session.get(User, user_id) for part, user_id in ids.items() if user_id}
    return {part: user.name or user.contact for part, user in found.items() if user}


def _act(work: Callable[[Session, User], object]) -> str | None:
    """Do it as the signed-in user; the words of a refusal, or None when it is done."""
    user_id = signed_in_user().id
    try:
        db.run_in_transaction(lambda current: work(current, current.get_one(User, user_id)))
    except (NotFound, NotAllowed):
        raise
    except MarketplaceError as error:
        return words_for(error)
    return None


def _answer(run_id: uuid.UUID, problem: str | None, done: Any) -> Response:
    flash(problem or done, "bata" if problem else "daun")
    return redirect(url_for("finance.run", run_id=run_id))

"""What a provider will be paid, and on which day, as far as the rules and the calendar can say.

A day's run is prepared in the night after an earning matures and approved on a working day; small amounts
wait for the month's last day, a new account for its waiting time. What a person decides (a hold, an
approval that takes longer) no calendar knows, so every day here is the earliest one.
"""

import uuid
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, Select, case, cast, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.enrolments.models import UNPAID, Earning, EarningState
from marketplace.payouts.due import WaitingReason
from marketplace.payouts.models import Payout, PayoutLine, PayoutRun, PayoutRunState, PayoutState
from marketplace.providers import queries as providers
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.schemes import calendar
from marketplace.schemes import queries as schemes
from marketplace.schemes.models import Scheme

_ONE = timedelta(days=1)
_FREE, _WAITING, _SENT = "free", "waiting", "sent"
_SPAN_DAYS = 120
"""The calendar is read this far; no scheme lets an earning mature later."""


@dataclass(frozen=True, slots=True)
class Payday:
    """Money that one day's approval would send, in whole rupiah. `is_small`: it waited for the minimum."""

    day: date
    amount: Decimal
    earnings: int
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """Matured money inside payouts (awaiting approval, sent to the bank), what is held, and the days to come.

    With an `obstacle` (no account, a blocked one) nothing can be said about days.
    """

    awaiting: Decimal
    sent: Decimal
    held: Decimal
    paydays: Sequence[Payday]
    obstacle: WaitingReason | None


@dataclass(slots=True)
class _Pile:
    """Earnings of one scheme that mature on one day."""

    matured_on: date
    amount: Decimal
    earnings: int


@dataclass(slots=True)
class _Found:
    sums: dict[str, Decimal] = field(default_factory=dict)
    piles: dict[str, list[_Pile]] = field(default_factory=dict)

    def sum_of(self, kind: str) -> Decimal:
        return self.sums.get(kind, Decimal(0))

    def add(self, kind: str, amount: Decimal) -> None:
        self.sums[kind] = self.sum_of(kind) + amount


def outlook(session: Session, provider_id: uuid.UUID) -> Outlook:
    """A provider's money that is not paid yet. Five queries, however many earnings there are."""
    found = _sort(session.execute(_unpaid(provider_id)).all())
    account = _account(providers.list_bank_accounts(session, provider_id))
    obstacle = _obstacle(account)
    days = [] if account is None or obstacle else _paydays(session, found, account)
    return Outlook(
        awaiting=found.sum_of(_WAITING),
        sent=found.sum_of(_SENT),
        held=found.sum_of(EarningState.HELD),
        paydays=days,
        obstacle=obstacle,
    )


def _unpaid(provider_id: uuid.UUID) -> Select[*tuple[Any, ...]]:
    """Sums by scheme, day of maturity, hold, and whether a payout holds it."""
    place = (
        select(case((PayoutRun.state == PayoutRunState.APPROVED, _SENT), else_=_WAITING))
        .join_from(PayoutLine, Payout, PayoutLine.payout_id == Payout.id)
        .join(PayoutRun, Payout.run_id == PayoutRun.id)
        .where(
            PayoutLine.earning_id == Earning.id,
            PayoutLine.released_at.is_(None),
            Payout.state != PayoutState.PAID,
        )
        .correlate(Earning)
        .scalar_subquery()
    )
    day = cast(func.timezone(clock.ZONE.key, Earning.matures_at), Date)
    columns = (Earning.scheme_code, day, Earning.state, func.coalesce(place, _FREE))
    rows = select(*columns, func.sum(Earning.net), func.count())
    return rows.where(Earning.provider_id == provider_id, Earning.state.in_(UNPAID)).group_by(*columns)


def _sort(rows: Iterable[Any]) -> _Found:
    found = _Found()
    for scheme_code, day, state, place, amount, count in rows:
        if place == _SENT:
            found.add(_SENT, amount)
        elif state == EarningState.HELD:
            found.add(EarningState.HELD, amount)
        else:
            if place == _WAITING:
                found.add(_WAITING, amount)
            kind = f"{scheme_code}/{place}"
            found.piles.setdefault(kind, []).append(_Pile(day, amount, count))
    return found


def _account(accounts: Iterable[BankAccount]) -> BankAccount | None:
    return next((each for each in accounts if each.state == BankAccountState.APPROVED), None)


def _obstacle(account: BankAccount | None) -> WaitingReason | None:
    if account is None:
        return WaitingReason.NO_BANK_ACCOUNT
    return WaitingReason.BANK_ACCOUNT_BLOCKED if account.blocked_code else None


def _paydays(session: Session, found: _Found, account: BankAccount) -> list[Payday]:
    today = clock.today(session)
    working = calendar.working_days(session, today, _SPAN_DAYS)
    terms = {scheme.code: scheme for scheme in schemes.list_schemes(session)}
    first = max(today, clock.local_date(account.usable_from) + _ONE) if account.usable_from else today
    sums: dict[date, Payday] = {}
    for kind, piles in found.piles.items():
        code, place = kind.split("/")
        ready = _in_a_run(piles, today) if place == _WAITING else _runs(piles, terms[code], first)
        for run_day, amount, count, is_small in ready:
            day = working[min(bisect_left(working, run_day), len(working) - 1)]
            before = sums.get(day, Payday(day, Decimal(0), 0))
            sums[day] = Payday(
                day, before.amount + amount, before.earnings + count, before.is_small or is_small
            )
    return [sums[day] for day in sorted(sums)]


_Ready = tuple[date, Decimal, int, bool]


def _in_a_run(piles: Sequence[_Pile], today: date) -> list[_Ready]:
    """What a payout holds already waits for nothing but its approval."""
    return [(today, pile.amount, pile.earnings, False) for pile in piles]


def _runs(piles: Sequence[_Pile], scheme: Scheme, first: date) -> Iterator[_Ready]:
    """The runs that will take these piles: day, amount, how many, and whether it waited as too small."""
    due = [
        (max(first, pile.matured_on + _ONE), pile) for pile in sorted(piles, key=lambda each: each.matured_on)
    ]
    pending: list[_Pile] = []
    waited = False
    for day in sorted({each for run_day, _pile in due for each in (run_day, _month_end(run_day))}):
        pending += [pile for run_day, pile in due if run_day == day]
        amount = sum((pile.amount for pile in pending), Decimal(0))
        if not pending:
            continue
        if amount < scheme.payout_minimum and not _month_is_over(pending, day):
            waited = True
            continue
        yield day, amount, sum(pile.earnings for pile in pending), waited
        pending, waited = [], False


def _month_end(day: date) -> date:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following - _ONE


def _month_is_over(pending: Sequence[_Pile], day: date) -> bool:
    """The rule of payout runs: nothing waits longer than the month in which it matured."""
    oldest = min(pile.matured_on for pile in pending)
    return day == _month_end(day) or (oldest.year, oldest.month) < (day.year, day.month)

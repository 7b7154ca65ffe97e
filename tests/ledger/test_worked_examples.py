"""What an accountant would check by hand: each event, and the books after it. Amounts in rupiah."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

import ledger
from ledger import (
    ExceedsOriginal,
    FlowNotAllowed,
    HoldExpired,
    InsufficientBalance,
    InvalidPeriod,
    PeriodClosed,
    UnknownTransaction,
)
from tests.ledger.books import (
    ANI,
    BUDI,
    SCHOOL,
    appropriate,
    cancel,
    complete,
    funded,
    grant,
    keep,
    move,
    purchase,
    rupiah,
)
from tests.ledger.conftest import Database
from tests.ledger.test_holds import jump

FEBRUARY, MARCH, APRIL = (datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4))


def books_of(session: Session) -> dict[str, int]:
    """Every account that is not empty; the books must balance to be read at all."""
    trial = ledger.trial_balance(session)
    assert trial.is_balanced
    assets = trial.total("bank") + trial.total("stock")
    others = ("fund", "reserve", "benefit", "escrow", "payable", "transit", "fees", "dollars")
    assert assets == sum(trial.total(family) for family in others)
    assert ledger.verify(session).is_sound
    return {row.code: int(row.balance) for row in trial.rows if row.balance}


def test_an_appropriation_raises_the_bank_and_the_fund(session: Session) -> None:
    posted = appropriate(session, 10_000_000)
    assert posted.balances == {"fund:2023": rupiah(10_000_000)}
    assert books_of(session) == {"bank:treasury": 10_000_000, "fund:2023": 10_000_000}


def test_a_grant_moves_money_from_the_fund_to_the_person_and_the_reserve(session: Session) -> None:
    appropriate(session, 10_000_000)
    grant(session)
    assert books_of(session) == {
        "bank:treasury": 10_000_000,
        "fund:2023": 5_800_000,
        ANI: 3_500_000,
        "reserve:2023": 700_000,
    }


def test_a_purchase_puts_the_price_into_escrow(session: Session) -> None:
    funded(session)
    assert purchase(session, 500_000).balances == {ANI: rupiah(3_000_000)}
    assert books_of(session)[SCHOOL] == 500_000


def test_a_cancellation_gives_the_price_back(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    assert cancel(session, bought.id, 500_000).balances == {ANI: rupiah(3_500_000)}
    assert SCHOOL not in books_of(session)


def test_a_completion_of_60_percent_pays_the_provider_the_fee_and_the_rest_back(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    complete(session, bought.id, net=270_000, fee=30_000, rest=200_000)
    books = books_of(session)
    assert (books["payable:school"], books["fees:2023"], books[ANI]) == (270_000, 30_000, 3_200_000)
    assert SCHOOL not in books


def test_a_payout_leaves_the_bank_when_the_bank_confirms_it(session: Session) -> None:
    funded(session)
    complete(session, purchase(session, 500_000).id, net=450_000, fee=50_000, rest=0)
    paid = ledger.post(session, "payout:1", "payout", move("payable:school", "transit:payouts", 450_000))
    assert books_of(session)["transit:payouts"] == 450_000
    ledger.post(
        session,
        "confirmed:1",
        "payout_confirmed",
        move("transit:payouts", "bank:treasury", 450_000),
        settles=paid.id,
    )
    assert books_of(session)["bank:treasury"] == 999_550_000


def test_a_rejected_payout_is_owed_again_and_cannot_also_be_confirmed(session: Session) -> None:
    funded(session)
    complete(session, purchase(session, 500_000).id, net=450_000, fee=50_000, rest=0)
    paid = ledger.post(session, "payout:1", "payout", move("payable:school", "transit:payouts", 450_000))
    ledger.post(
        session,
        "rejected:1",
        "payout_rejected",
        move("transit:payouts", "payable:school", 450_000),
        settles=paid.id,
    )
    assert books_of(session)["payable:school"] == 450_000
    session.commit()
    with pytest.raises(ExceedsOriginal):
        ledger.post(
            session,
            "confirmed:1",
            "payout_confirmed",
            move("transit:payouts", "bank:treasury", 450_000),
            settles=paid.id,
        )


def test_a_purchase_is_refused_when_the_balance_is_too_low(session: Session) -> None:
    funded(session)
    with pytest.raises(InsufficientBalance) as refused:
        purchase(session, 3_500_001)
    assert refused.value.detail == ANI
    session.rollback()
    assert ledger.balance(session, ANI) == 3_500_000
    assert purchase(session, 3_500_000).balances == {ANI: 0}


def test_the_honest_retry_of_the_purchase_that_took_the_last_rupiah_succeeds(session: Session) -> None:
    funded(session)
    first = purchase(session, 3_500_000)
    session.commit()
    again = purchase(session, 3_500_000)
    assert (again.id, again.replayed, again.commitment) == (first.id, True, first.commitment)


def test_an_asset_that_is_guarded_cannot_be_credited_below_zero(session: Session) -> None:
    appropriate(session)
    ledger.post(session, "deposit", "deposit", move("stock:one", "fund:2023", 100))
    session.commit()
    with pytest.raises(InsufficientBalance):
        ledger.post(session, "withdrawal", "withdrawal", move("fund:2023", "stock:one", 101))
    session.rollback()
    posted = ledger.post(session, "withdrawal", "withdrawal", move("fund:2023", "stock:one", 100))
    assert posted.balances["stock:one"] == 0


def test_one_purchase_is_settled_once_in_parts_but_never_beyond_its_price(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    purchase(session, 500_000, key="purchase:2")
    cancel(session, bought.id, 300_000, key="c1")
    cancel(session, bought.id, 200_000, key="c2")
    session.commit()
    with pytest.raises(ExceedsOriginal) as refused:
        cancel(session, bought.id, 1, key="c3")
    assert refused.value.detail == str(bought.id)


def test_escrow_is_never_spent_without_naming_a_purchase(session: Session) -> None:
    funded(session)
    purchase(session)
    session.commit()
    with pytest.raises(FlowNotAllowed):
        ledger.post(session, "c", "cancellation", move(SCHOOL, ANI, 1))
    session.rollback()
    other = ledger.post(session, "gift", "gift", move(ANI, SCHOOL, 1))
    session.commit()
    with pytest.raises(FlowNotAllowed):
        ledger.post(session, "c", "cancellation", move(SCHOOL, ANI, 1), settles=other.id)


def test_a_reversal_is_the_mirror_image_and_happens_once(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    mirrored = ledger.reverse(session, "undo", bought.id, reference="undone")
    assert mirrored.balances == {ANI: rupiah(3_500_000)}
    assert ledger.reverse(session, "undo", bought.id, reference="undone").replayed
    session.commit()
    with pytest.raises(ExceedsOriginal):
        ledger.reverse(session, "undo again", bought.id)
    session.rollback()
    with pytest.raises(ExceedsOriginal):
        cancel(session, bought.id, 1)
    session.rollback()
    with pytest.raises(FlowNotAllowed):
        ledger.reverse(session, "undo the undoing", mirrored.id)
    session.rollback()
    with pytest.raises(UnknownTransaction):
        ledger.reverse(session, "undo nothing", ledger.uuid7())


def test_a_reversal_that_is_no_mirror_image_is_refused(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    session.commit()
    with pytest.raises(FlowNotAllowed):
        ledger.post(session, "bent", "reversal", move(SCHOOL, BUDI, 500_000), reverses=bought.id)


def test_a_dry_run_tells_what_would_happen_and_leaves_nothing(session: Session) -> None:
    funded(session)
    posted = ledger.post(session, "p", "purchase", move(ANI, SCHOOL, 500_000), dry_run=True)
    assert posted.balances == {ANI: rupiah(3_000_000)}
    with pytest.raises(InsufficientBalance):
        ledger.post(session, "p", "purchase", move(ANI, SCHOOL, 4_000_000), dry_run=True)
    assert ledger.balance(session, ANI) == 3_500_000
    with pytest.raises(UnknownTransaction):
        ledger.get_transaction(session, posted.id)


def test_a_hold_sets_money_aside_and_moves_none(session: Session) -> None:
    funded(session)
    before = books_of(session)
    keep(session, 500_000)
    assert books_of(session) == before
    assert (ledger.balance(session, ANI), ledger.available(session, ANI)) == (3_500_000, 3_000_000)


def test_a_hold_of_500_000_that_costs_450_000_gives_50_000_back(session: Session) -> None:
    funded(session)
    held = keep(session, 500_000)
    captured = ledger.capture(session, "capture:1", held.id, rupiah(450_000))
    books = books_of(session)
    assert (books[ANI], books[SCHOOL]) == (3_050_000, 450_000)
    assert ledger.available(session, ANI) == 3_050_000
    # it is a purchase like any other: the completion settles it
    complete(session, captured.id, net=405_000, fee=45_000, rest=0)
    assert SCHOOL not in books_of(session)


def test_a_released_and_an_expired_hold_give_all_of_it_back(session: Session, books: Database) -> None:
    funded(session)
    ledger.release(session, keep(session, 500_000).id)
    assert ledger.available(session, ANI) == 3_500_000
    held = keep(session, 3_500_000, key="hold:2", seconds=3600)
    assert ledger.available(session, ANI) == 0
    session.commit()
    jump(books, 3600)
    assert ledger.available(session, ANI) == 3_500_000
    with pytest.raises(HoldExpired):
        ledger.capture(session, "capture:2", held.id)
    session.rollback()
    assert books_of(session)[ANI] == 3_500_000


def test_a_part_of_a_purchase_is_reversed_and_the_rest_is_settled(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    ledger.reverse(session, "undo:1", bought.id, amounts=[rupiah(200_000)])
    assert (books_of(session)[ANI], books_of(session)[SCHOOL]) == (3_200_000, 300_000)
    complete(session, bought.id, net=270_000, fee=30_000, rest=0)
    session.commit()
    with pytest.raises(ExceedsOriginal):
        ledger.reverse(session, "undo:2", bought.id, amounts=[rupiah(1)])
    session.rollback()
    books = books_of(session)
    assert (books[ANI], books["payable:school"], books["fees:2023"]) == (3_200_000, 270_000, 30_000)


def test_a_purchase_of_february_that_is_written_in_march_is_februarys(session: Session) -> None:
    funded(session)
    session.commit()
    day = datetime(2026, 2, 27, tzinfo=UTC)
    ledger.post(session, "p", "purchase", move(ANI, SCHOOL, 500_000), effective_at=day)
    month = ledger.statement(session, SCHOOL, FEBRUARY, MARCH)
    assert (month.opening, [line.amount for line in month.lines], month.closing) == (0, [500_000], 500_000)
    assert ledger.balance(session, SCHOOL, as_of=FEBRUARY) == 0
    assert ledger.balance(session, SCHOOL, as_of=MARCH) == 500_000
    assert books_of(session)[SCHOOL] == 500_000


def test_a_closed_february_takes_nothing_more_and_its_correction_is_dated_later(
    session: Session, books: Database
) -> None:
    funded(session)
    day = datetime(2026, 2, 27, tzinfo=UTC)
    bought = ledger.post(session, "p", "purchase", move(ANI, SCHOOL, 500_000), effective_at=day)
    session.commit()
    with Session(books.owner) as owner:
        ledger.close_period(owner, MARCH)
        owner.commit()
        with pytest.raises(InvalidPeriod):
            ledger.close_period(owner, FEBRUARY)
    with pytest.raises(PeriodClosed):
        ledger.post(session, "late", "purchase", move(ANI, SCHOOL, 1), effective_at=day)
    session.rollback()
    refund = move(SCHOOL, ANI, 500_000)
    ledger.post(session, "c", "cancellation", refund, settles=bought.id, effective_at=MARCH)
    assert ledger.balance(session, SCHOOL, as_of=MARCH) == 500_000
    assert ledger.balance(session, SCHOOL, as_of=APRIL) == 0
    assert books_of(session)[ANI] == 3_500_000

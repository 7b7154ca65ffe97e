"""What an accountant would check by hand: each event, and the books after it. Amounts in rupiah."""

import pytest
from sqlalchemy.orm import Session

import ledger
from ledger import ExceedsOriginal, FlowNotAllowed, InsufficientBalance, UnknownTransaction
from tests.ledger.books import (
    ANI,
    BUDI,
    SCHOOL,
    appropriate,
    cancel,
    complete,
    funded,
    grant,
    move,
    purchase,
    rupiah,
)


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

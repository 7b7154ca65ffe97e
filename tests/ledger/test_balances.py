"""Reading: balances, statements and the trial balance, exact at every moment for folded accounts too."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from tests.ledger.books import ANI, BUDI, SCHOOL, cancel, complete, funded, keep, move, purchase, rupiah
from tests.ledger.conftest import Database
from tests.ledger.waiting import all_is_known

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_balance_is_positive_on_the_natural_side_of_its_account(session: Session) -> None:
    funded(session)
    purchase(session, 500_000)
    assert ledger.balances(session, ["bank:treasury", ANI, SCHOOL, BUDI]) == {
        "bank:treasury": rupiah(1_000_000_000),
        ANI: rupiah(3_000_000),
        SCHOOL: rupiah(500_000),
        BUDI: rupiah(0),
    }
    assert ledger.balances(session, []) == {}


def test_an_account_that_was_never_opened_has_no_balance(session: Session) -> None:
    for read in (ledger.balance, ledger.statement, ledger.passbook):
        with pytest.raises(ledger.UnknownAccount) as refused:
            read(session, "benefit:nobody")
        assert refused.value.detail == "benefit:nobody"


def test_opening_an_account_again_changes_nothing_and_uses_up_no_number(session: Session) -> None:
    funded(session)
    for _ in range(3):
        ledger.open_accounts(session, [ANI, BUDI, ANI])
    ledger.open_accounts(session, ["benefit:citra", "benefit:dewi"])
    assert ledger.balance(session, ANI) == 3_500_000
    first, second, highest = session.execute(
        text(
            "SELECT max(id) FILTER (WHERE code = 'benefit:citra'),"
            " max(id) FILTER (WHERE code = 'benefit:dewi'),"
            " (SELECT count(*) FROM ledger.account) FROM ledger.account"
        )
    ).one()
    assert (first, second) == (highest - 1, highest)


def _dated(session: Session, key: str, amount: int, at: datetime) -> None:
    ledger.post(session, key, "purchase", move(ANI, SCHOOL, amount), effective_at=at, reference=key)


def test_a_statement_runs_from_its_opening_to_its_closing_balance(session: Session) -> None:
    funded(session)
    _dated(session, "third", 300, JANUARY + 2 * DAY)
    _dated(session, "first", 100, JANUARY)
    _dated(session, "second", 200, JANUARY + DAY)
    whole = ledger.statement(session, SCHOOL)
    assert (whole.opening, whole.closing) == (0, 600)
    assert [(line.reference, line.amount, line.balance) for line in whole.lines] == [
        ("first", 100, 100),
        ("second", 200, 300),
        ("third", 300, 600),
    ]
    middle = ledger.statement(session, SCHOOL, JANUARY + DAY, JANUARY + 2 * DAY)
    assert (middle.opening, middle.closing) == (100, 300)
    assert [line.counterpart for line in middle.lines] == [ANI]
    empty = ledger.statement(session, SCHOOL, JANUARY + 3 * DAY)
    assert (empty.opening, list(empty.lines), empty.closing) == (600, [], 600)


def test_a_statement_of_an_asset_rises_with_debits_and_falls_with_credits(session: Session) -> None:
    funded(session)
    complete(session, purchase(session, 500).id, net=500, fee=0, rest=0)
    paid = ledger.post(session, "payout", "payout", move("payable:school", "transit:payouts", 500))
    confirmation = move("transit:payouts", "bank:treasury", 500)
    ledger.post(session, "confirmed", "payout_confirmed", confirmation, settles=paid.id)
    amounts = [line.amount for line in ledger.statement(session, "bank:treasury").lines]
    assert amounts == [1_000_000_000, -500]


def test_a_passbook_is_the_whole_statement_with_what_is_held(session: Session) -> None:
    funded(session)
    ledger.open_accounts(session, ["benefit:citra"])
    bought = purchase(session, 500_000)
    cancel(session, bought.id, 500_000)
    keep(session, 200_000)
    for code in (ANI, SCHOOL, "bank:treasury", "benefit:citra"):
        found, whole = ledger.passbook(session, code), ledger.statement(session, code)
        assert (found.lines, found.funds.balance) == (whole.lines, whole.closing)
        assert found.funds == ledger.funds(session, code)
    assert ledger.passbook(session, ANI).funds.available == 3_300_000


def _roll_up(session: Session) -> None:
    session.commit()
    all_is_known(session)
    assert ledger.roll_up(session, at_least=1) > 0
    session.commit()


def test_a_folded_balance_is_its_last_rollup_and_what_came_after(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500)
    purchase(session, 700, key="purchase:2")
    _roll_up(session)
    assert ledger.balance(session, SCHOOL) == 1_200
    cancel(session, bought.id, 200)
    assert ledger.balance(session, SCHOOL) == 1_000
    _roll_up(session)
    purchase(session, 1, key="purchase:3")
    assert ledger.balance(session, SCHOOL) == 1_001
    row = next(each for each in ledger.trial_balance(session).rows if each.code == SCHOOL)
    assert (row.debits, row.credits) == (200, 1_201)
    assert ledger.trial_balance(session).is_balanced


def test_control_a_reader_that_forgets_the_tail_is_wrong(session: Session) -> None:
    funded(session)
    purchase(session, 500)
    _roll_up(session)
    purchase(session, 700, key="purchase:2")
    forgetful = session.scalar(text("SELECT max(credits) FROM ledger.rollup WHERE debits = 0"))
    assert forgetful != ledger.balance(session, SCHOOL) == 1_200


def test_the_trial_balance_sums_families_and_both_sides(session: Session) -> None:
    funded(session)
    purchase(session, 500_000)
    ledger.open_accounts(session, ["benefit:zaki", "benefit:abdul"])
    trial = ledger.trial_balance(session)
    assert trial.is_balanced
    assert trial.debits == trial.credits == 1_000_000_000 + 4_200_000 + 500_000
    assert (trial.total("benefit"), trial.total("escrow"), trial.total("nothing")) == (3_000_000, 500_000, 0)
    people = [row.code for row in trial.rows if row.family == "benefit"]
    assert people == ["benefit:abdul", ANI, BUDI, "benefit:zaki"]


def test_a_transaction_is_read_as_it_was_written(session: Session) -> None:
    funded(session)
    metadata = {"course": "Las listrik", "hours": 40, "tags": ["a", None, 1.5]}
    postings = move(ANI, SCHOOL, "0.01") + move(ANI, SCHOOL, 2)
    posted = ledger.post(
        session, "k", "purchase", postings, effective_at=JANUARY, reference="r", metadata=metadata
    )
    record = ledger.get_transaction(session, posted.id)
    assert list(record.postings) == postings
    assert (record.key, record.kind, record.effective_at, record.reference) == ("k", "purchase", JANUARY, "r")
    assert (record.metadata, record.commitment, record.settles) == (metadata, posted.commitment, None)
    assert ledger.find_transactions(session, reference="r") == [record]
    assert ledger.find_transactions(session, reference="s") == []
    later = ledger.post(session, "k2", "purchase", move(ANI, SCHOOL, 1), reference="r")
    assert [each.id for each in ledger.find_transactions(session, reference="r")] == [posted.id, later.id]
    with pytest.raises(ledger.UnknownTransaction):
        ledger.get_transaction(session, ledger.uuid7())


def test_a_batch_answers_in_order_and_replays_its_doubles(session: Session) -> None:
    funded(session)
    requests = [
        ledger.TransactionRequest(f"p{number % 3}", "purchase", move(ANI, SCHOOL, 1 + number % 3))
        for number in range(5)
    ]
    answers = ledger.post_many(session, requests)
    assert [each.replayed for each in answers] == [False, False, False, True, True]
    assert (answers[0].id, answers[1].id) == (answers[3].id, answers[4].id)
    assert all(each.balances == {ANI: rupiah(3_499_994)} for each in answers)
    assert [each.id for each in ledger.post_many(session, requests)] == [each.id for each in answers]
    assert ledger.post_many(session, []) == []
    assert ledger.verify(session).is_sound


def test_programme_time_dates_what_names_no_date(session: Session, books: Database) -> None:
    with books.owner.begin() as owner:
        owner.execute(text("UPDATE ledger.programme_clock SET \"offset\" = interval '30 days'"))
    funded(session)
    record = ledger.get_transaction(session, purchase(session).id)
    ahead = record.effective_at - record.recorded_at
    assert 29 * DAY < ahead < 31 * DAY

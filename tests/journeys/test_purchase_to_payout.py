"""How one purchase travels, from a person's balance to a provider's bank account. Read this first.

Nobody calls a function here: people open pages and press buttons, the worker and beat do their part,
the bank is a process of its own, and the programme's clock moves for all of them. Who makes the
pages is in marketplace/web, what a button does in the service of its domain, and what is due by
itself in the tasks. tests/journeys/town.py says how each of these steps is done by hand.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest

import bank_sandbox
from tests.journeys.town import Town, sees
from tests.live import Live

pytestmark = pytest.mark.long

SARI, BUDI = "sari@contoh.test", "budi@contoh.test"
PRICE = Decimal(1_000_000)
GROSS = Decimal(750_000)
"""The provider's share of the price for a participant who came to three meetings of four."""


@pytest.fixture(scope="module")
def town(live: Live) -> Iterator[Town]:
    with ExitStack() as doors:
        town = Town(live, doors)
        town.open_office(SARI, BUDI)
        live.start("beat")
        yield town


def test_a_purchase_travels_from_a_balance_to_a_bank_account(town: Town) -> None:
    # A provider has put a class on sale: four meetings, the first in a week.
    lesson = town.open_class("1200000001", PRICE)

    # Rina signs in with the code from her message and registers; the worker credits her grant.
    rina = town.register("rina@contoh.test")

    # She finds the class, reviews it, buys it. Its price leaves her balance and waits in escrow.
    receipt = town.buy(rina, lesson)
    sees(rina, "/beranda", "Dititipkan Rp1.000.000")

    # She comes three times, and types the code that changes on the classroom's screen.
    for number, starts_at in enumerate(lesson.meetings[:3], start=1):
        town.go_to(starts_at)
        town.check_in(rina, lesson, number)

    # The class is over. The provider reads what will happen, and declares completion.
    town.go_to(lesson.ends_at)
    teacher = town.visitor(lesson.staff)
    teacher.open(lesson.place)
    teacher.follow("nyatakan selesai")
    teacher.press("Nyatakan selesai")

    # Three of four: the fourth part of the price is back in her balance.
    sees(rina, "/beranda", "Sisa Rp250.000 kembali ke saldo")
    assert "Rp2.750.000" in rina.text

    # For five working days anyone may object. Then beat prepares the night's payout run.
    town.go_to_working_day_after(town.objections_end(lesson))

    # One finance person submits it, another approves it, and it goes to the bank.
    town.approve_payments(SARI, BUDI)

    # The bank pays, its statement is booked, and the provider reads so.
    sees(teacher, "/lembaga/pembayaran", "Dibayarkan bulan ini Rp675.000")
    [paid] = bank_sandbox.paid_totals(town.live.settings.bank_folder).values()
    assert paid == GROSS - GROSS / 10

    # Rina's receipt tells every step of her money.
    rina.open(receipt)
    assert "Dibayarkan" in rina.text
    assert_books_balance(town)


def test_a_payout_that_the_bank_rejects_is_paid_at_the_second_try(town: Town) -> None:
    # Everything up to the approval is as before, but this provider's account was closed.
    account = "1200009901"
    lesson = town.open_class(account, PRICE)
    dewi = town.register("dewi@contoh.test")
    town.buy(dewi, lesson)
    town.go_to(lesson.meetings[0])
    town.check_in(dewi, lesson, 1)
    town.go_to(lesson.ends_at)
    teacher = town.visitor(lesson.staff)
    teacher.open(lesson.place)
    teacher.follow("nyatakan selesai")
    teacher.press("Nyatakan selesai")
    town.go_to_working_day_after(town.objections_end(lesson))
    run = town.approve_payments(SARI, BUDI)

    # The bank rejects the payment. The money is the provider's again, and everybody reads why.
    sees(teacher, "/lembaga/pembayaran", "Ditolak")
    sari = town.visitor(SARI)
    sari.open(run)
    sari.follow("Lembaga Karya")
    assert "AC01" in sari.text
    assert_books_balance(town)

    # The provider settles it with the bank, and the office pays again, in a run that two people release.
    mended = {"accounts": {account: {"action": "pay"}}}
    (town.live.settings.bank_folder / "behaviour.json").write_text(json.dumps(mended))
    sari.press("Bayar lagi")
    town.approve_payments(SARI, BUDI)
    sees(teacher, "/lembaga/pembayaran", "Dibayarkan bulan ini Rp225.000")
    assert_books_balance(town)


def assert_books_balance(town: Town) -> None:
    """What an auditor does from a terminal: the trial balance with its equation, and every posting anew."""
    assert "books balance: yes" in town.run("ledger", "trial-balance")
    assert "sound" in town.run("ledger", "verify")

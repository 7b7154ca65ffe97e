"""A machine that does to the ledger whatever may be done to it, in any order, with books on paper beside."""

import sys
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

import ledger
from ledger.verify_receipt import read_checkpoint
from tests.ledger.attacks import ATTACKS
from tests.ledger.desk import SEN, Desk, changed
from tests.ledger.paper import (
    NOTHING,
    Batch,
    Capture,
    Closing,
    Entry,
    Keeping,
    Move,
    Paper,
    Release,
    Reversal,
    natural,
)
from tests.ledger.raw import REPLICA, state_of
from tests.ledger.stage import Play, Sealed, Stage
from tests.ledger.tampering import tampered
from tests.ledger.test_sealing import SIGNER

_FUNDED = Decimal(1_000_000)
_FIRST_HOLD_HOURS = 12
_SEALED = """
SELECT t.key, t.position, (SELECT count(*) FROM ledger.leaf l WHERE l.transaction_id = t.id) AS leaves
FROM ledger.transaction t WHERE starts_with(t.key, :prefix) ORDER BY t.position, t.id
"""
shares = st.integers(1, 120)
picks = st.integers(0, 999)
people = st.sampled_from(["ani", "budi"])
# mostly now; else some hours back or ahead
hours = st.one_of(st.none(), st.none(), st.integers(-40, 30))


class Machine(RuleBasedStateMachine):
    """One example: fifty of these steps, each followed by the whole judgement."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.play: Play = stage.play()
        self.desk = Desk(self.play, Paper(self.play.codes))
        self.paper = self.desk.paper
        self.seals: list[Sealed] = []
        self.luck = Random(0)
        self.desk.do(Entry(self.key(), "appropriation", (self.move("bank", "fund", _FUNDED),)))
        self.desk.do(Entry(self.key(), "grant", (self.move("fund", "benefit.ani", _FUNDED / 10),)))
        # something to wait for: else few examples see a hold's end
        kept = self.move("benefit.ani", "escrow", _FUNDED / 50)
        self.desk.do(Keeping(self.key(), "purchase", kept, _FIRST_HOLD_HOURS, self.key()))

    # Words

    def key(self) -> str:
        return self.play.key(len(self.desk.calls))

    def code(self, name: str) -> str:
        """The account of this example: of a family, or of a person in it."""
        head, _, person = name.partition(".")
        return next(each for each in self.play.codes if each.startswith(f"{head}:") and each.endswith(person))

    def move(self, debit: str, credit: str, amount: Decimal) -> Move:
        return self.code(debit), self.code(credit), amount

    def part(self, share: int, whole: Decimal) -> Decimal:
        """So many percent; at least one sen, for there is always something to ask for."""
        return max(SEN, (whole * share / 100).quantize(SEN))

    def share_of(self, share: int, name: str) -> Decimal:
        return self.part(share, self.paper.available(self.code(name)))

    def hour(self, shift: int | None) -> int | None:
        return None if shift is None else self.paper.hour + shift

    def entries(self, *kinds: str) -> list[str]:
        """Keys of what was written, of these kinds or of any."""
        return [key for key, line in self.paper.journal.items() if not kinds or line.entry.kind in kinds]

    @initialize(seed=st.integers(0, 2**32))
    def shuffle(self, seed: int) -> None:
        """Says what will be tampered with in the end."""
        self.luck.seed(seed)

    # Rules: each makes up a call

    @rule(share=shares, who=people)
    def grant(self, share: int, who: str) -> None:
        amount = self.part(share, self.share_of(20, "fund"))
        kept = self.part(20, amount)
        moves = (self.move("fund", f"benefit.{who}", amount), self.move("fund", "reserve", kept))
        self.desk.do(Entry(self.key(), "grant", moves))

    @rule(share=shares, who=people, shift=hours)
    def buy(self, share: int, who: str, shift: int | None) -> None:
        moves = (self.move(f"benefit.{who}", "escrow", self.share_of(share, f"benefit.{who}")),)
        self.desk.do(Entry(self.key(), "purchase", moves, hour=self.hour(shift), reference=self.key()))

    @rule(share=shares, who=people, kind=st.sampled_from(["swap", "pooling", "drawing", "theft"]))
    def pass_on(self, share: int, who: str, kind: str) -> None:
        mine, other = f"benefit.{who}", "benefit.budi" if who == "ani" else "benefit.ani"
        debit, credit = {"pooling": (mine, "pool"), "drawing": ("pool", mine)}.get(kind, (mine, other))
        self.desk.do(Entry(self.key(), kind, (self.move(debit, credit, self.share_of(share, debit)),)))

    @rule(share=shares, who=people, length=st.integers(0, 48))
    def hold(self, share: int, who: str, length: int) -> None:
        move = self.move(f"benefit.{who}", "escrow", self.share_of(share, f"benefit.{who}"))
        self.desk.do(Keeping(self.key(), "purchase", move, self.paper.hour + length, self.key()))

    @precondition(lambda self: self.paper.holds)
    @rule(pick=picks, share=st.one_of(st.none(), shares), shift=hours)
    def capture(self, pick: int, share: int | None, shift: int | None) -> None:
        key = _picked(list(self.paper.holds), pick)
        amount = self.part(share, self.paper.holds[key].request.move[2]) if share else None
        self.desk.do(Capture(self.key(), key, amount, self.hour(shift)))

    @precondition(lambda self: self.paper.holds)
    @rule(pick=picks)
    def release(self, pick: int) -> None:
        self.desk.do(Release(_picked(list(self.paper.holds), pick)))

    @precondition(lambda self: self.entries("purchase"))
    @rule(pick=picks, share=shares)
    def cancel(self, pick: int, share: int) -> None:
        bought = _picked(self.entries("purchase"), pick)
        debit, credit, amount = self.paper.journal[bought].entry.moves[0]
        moves = ((credit, debit, self.part(share, amount)),)
        self.desk.do(Entry(self.key(), "cancellation", moves, settles=bought))

    @rule(pick=picks, shares=st.tuples(shares, shares), rest=st.booleans())
    def complete(self, pick: int, shares: tuple[int, int], rest: bool) -> None:
        """Settles a purchase, or tries to settle something that was none."""
        bought = _picked(self.entries("purchase") or self.entries(), pick)
        debit, credit, whole = self.paper.journal[bought].entry.moves[0]
        net, fee = self.part(min(shares[0], 100), whole), self.part(shares[1] // 10, whole)
        moves = [(credit, self.code("payable"), net), (credit, self.code("fees"), fee)]
        if rest and whole > net + fee:
            moves.append((credit, debit, whole - net - fee))
        self.desk.do(Entry(self.key(), "completion", tuple(moves), settles=bought))

    @rule(share=shares)
    def pay_out(self, share: int) -> None:
        self.desk.do(
            Entry(self.key(), "payout", (self.move("payable", "transit", self.share_of(share, "payable")),))
        )

    @precondition(lambda self: self.entries("payout"))
    @rule(
        pick=picks,
        share=st.sampled_from([50, 100, 100, 101]),
        kind=st.sampled_from(["confirmed", "rejected"]),
    )
    def settle_payout(self, pick: int, share: int, kind: str) -> None:
        paid = _picked(self.entries("payout"), pick)
        amount = self.part(share, self.paper.journal[paid].entry.moves[0][2])
        to = "bank" if kind == "confirmed" else "payable"
        moves = (self.move("transit", to, amount),)
        self.desk.do(Entry(self.key(), f"payout_{kind}", moves, settles=paid))

    @rule(
        pick=picks, shares=st.one_of(st.none(), st.tuples(shares, st.integers(0, 100), st.integers(0, 100)))
    )
    def reverse(self, pick: int, shares: tuple[int, ...] | None) -> None:
        original = _picked(self.entries(), pick)
        moves = self.paper.journal[original].entry.moves
        amounts = None
        if shares is not None:
            amounts = tuple(
                self.part(share, move[2]) if share else NOTHING
                for share, move in zip(shares, moves, strict=False)
            )
        self.desk.do(Reversal(self.key(), original, amounts))

    @rule(share=st.integers(1, 60), who=people, pick=picks, twice=st.booleans())
    def batch(self, share: int, who: str, pick: int, twice: bool) -> None:
        """A grant and a purchase out of it in one call; perhaps something of before among them."""
        key, amount = self.key(), self.share_of(share, "fund")
        mine = f"benefit.{who}"
        entries = [
            Entry(f"{key}a", "grant", (self.move("fund", mine, amount),)),
            Entry(f"{key}b", "purchase", (self.move(mine, "escrow", self.part(2 * share, amount)),)),
        ]
        old = [each for each in self.desk.calls if isinstance(each, Entry)]
        if twice:
            entries.append(_picked([*old, *entries], pick))
        self.desk.do(Batch(tuple(entries)))

    @rule(pick=picks)
    def repeat(self, pick: int) -> None:
        self.desk.do(_picked(self.desk.calls, pick))

    @rule(pick=picks, how=st.sampled_from(["amount", "kind", "hour", "reference"]))
    def repeat_otherwise(self, pick: int, how: str) -> None:
        call = changed(_picked(self.desk.calls, pick), how)
        if call is not None:
            self.desk.do(call)

    @rule(ago=st.integers(-3, 30))
    def close_period(self, ago: int) -> None:
        self.desk.do(Closing(self.paper.hour - ago))

    # Rules: time, and what works in the background

    @rule(length=st.integers(1, 30))
    def wait(self, length: int) -> None:
        self.paper.hour += length
        self.play.set_hour(self.paper.hour)

    @precondition(lambda self: any(self.paper.is_live(key) for key in self.paper.holds))
    @rule()
    def wait_for_the_end_of_a_hold(self) -> None:
        live = [each.request.until for key, each in self.paper.holds.items() if self.paper.is_live(key)]
        self.paper.hour = min(live)
        self.play.set_hour(self.paper.hour)

    @rule()
    def roll_up(self) -> None:
        ledger.roll_up(self.play.session, 1)
        self.play.session.commit()

    @rule(back=st.integers(-5, 20))
    def seal(self, back: int) -> None:
        """Everything known by now gets its one leaf, and what was known now will be known for ever."""
        session, prefix = self.play.session, self.play.key("")
        known = ledger.known_position(session)
        ledger.seal(session, SIGNER)
        session.commit()
        through = session.scalar(text("SELECT coalesce(max(through), 0) FROM ledger.seal")) or 0
        rows = session.execute(text(_SEALED), {"prefix": prefix}).all()
        session.rollback()
        lost = [row.key for row in rows if row.leaves != (row.position < through)]
        assert lost == [], f"not sealed once: {lost}"
        assert all(row.leaves for row in rows if row.position < known), "known, and not sealed"
        count = sum(row.position < through for row in rows)
        hour = self.paper.hour - back
        seal = Sealed(through, hour, self.paper.sums(None, count), self.paper.sums(hour, count))
        self.seals = [*self.seals[-1:], seal]

    @precondition(lambda self: self.seals)
    @rule(who=people)
    def look_back(self, who: str) -> None:
        """What the readers say of the past, through the front door."""
        session, code = self.play.session, self.code(f"benefit.{who}")
        seal = self.seals[-1]
        at, known_at = self.play.at(seal.hour), seal.through
        read = ledger.balances(session, self.play.codes, as_of=at, known_at=known_at)
        assert read == {each: natural(each, seal.effective[each]) for each in self.play.codes}
        assert ledger.statement(session, code, end=at, known_at=known_at).closing == read[code]
        assert ledger.available(session, code) == self.paper.available(code)
        session.rollback()

    @rule(pick=picks, role=st.sampled_from(["app", "owner", "superuser"]))
    def attack(self, pick: int, role: str) -> None:
        name, statement = _picked(list(ATTACKS.items()), pick)
        engine = {"app": self.play.database.app, "owner": self.play.database.owner}.get(role)
        before = REPLICA if role == "superuser" else ""
        parameters = {"ids": list(self.play.ids.values()), "prefix": self.play.key(""), "key": self.key()}
        state = state_of(engine or self.play.database.superuser, statement, parameters, before)
        assert state == "42501" if role == "app" else state.startswith(("LG", "23")), f"{name}: {state}"

    # The judge

    @invariant()
    def books_agree(self) -> None:
        """After every step: the database is what the paper says, now and at the last two seals."""
        self.play.check(self.paper, self.desk.ids(), self.seals)
        self.stage.steps += 1

    def teardown(self) -> None:
        """At the end: all of it verifies, and no longer does once somebody has tampered with it."""
        try:
            # whatever went wrong before is the news
            if sys.exc_info()[0] is None:
                self._verify()
        finally:
            self.stage.note(sys.exc_info()[1])
            self.play.close()

    def _verify(self) -> None:
        session = self.play.session
        ledger.seal(session, SIGNER)
        session.commit()
        newest = ledger.find_seal(session)
        published = read_checkpoint(newest.note, SIGNER.key) if newest and newest.note else None
        report = ledger.verify(session, keys=[SIGNER.key], published=published)
        session.rollback()
        assert report.is_sound, report.problem
        if self.luck.random() < 0.5:
            return
        with tampered(self.play.database, self.luck) as (there, what):
            assert not ledger.verify(there, keys=[SIGNER.key], published=published).is_sound, what


def _picked(choices: list[Any], pick: int) -> Any:
    return choices[pick % len(choices)]

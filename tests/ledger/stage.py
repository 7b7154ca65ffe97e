"""What the state machine plays on: a database for some examples, and for each example accounts of its own.

A copy of a database costs more than fifty steps do, so the examples share one; nothing of theirs meets, for
accounts, keys and hours are new each time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from psycopg import connect
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

import ledger
from tests.ledger.conftest import Database, create_database
from tests.ledger.paper import NOTHING, Paper, Sums
from tests.servers import Servers, plain

Judge: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_EXAMPLES = 20
_APART_HOURS = 1000
_NAMES = (
    "bank:{}.state", "fund:{}.year", "reserve:{}.year", "fees:{}.year", "transit:{}.payouts",
    "payable:{}.school", "escrow:{}.school", "benefit:{}.ani", "benefit:{}.budi", "pool:{}.one",
)  # fmt: skip
_HOUR = timedelta(hours=1)

_ACCOUNTS = """
SELECT a.code, s.debits, s.credits, coalesce(f.debits, 0), coalesce(f.credits, 0),
    coalesce(b.debits, s.debits),
    coalesce(b.credits, s.credits), ledger.live_holds(a.id), coalesce(b.held, 0),
    CASE WHEN b.guarded_side = 1 THEN b.credits - b.debits - b.held ELSE 0 END
FROM ledger.account a
CROSS JOIN LATERAL ledger.sums(a.id) s
LEFT JOIN ledger.balance b ON b.account_id = a.id
LEFT JOIN (
    SELECT e.account_id, sum(e.debit) AS debits, sum(e.credit) AS credits
    FROM (
        SELECT debit_account AS account_id, amount AS debit, 0 AS credit
        FROM ledger.posting WHERE debit_account = ANY (%s::integer[])
        UNION ALL SELECT credit_account, 0, amount
        FROM ledger.posting WHERE credit_account = ANY (%s::integer[])
    ) e GROUP BY 1
) f ON f.account_id = a.id
WHERE a.id = ANY (%s::integer[])
"""
_JOURNAL = """
SELECT ARRAY(SELECT t.key || ' ' || t.id FROM ledger.transaction t WHERE starts_with(t.key, %s)),
    ARRAY(
        SELECT concat_ws(' ', h.key,
            coalesce(r.outcome, CASE WHEN h.expires_at <= ledger.now() THEN 'expired' ELSE 'live' END),
            coalesce(r.captured, 0)::numeric(20, 2))
        FROM ledger.hold h LEFT JOIN ledger.hold_resolution r ON r.hold_id = h.id
        WHERE h.account_id = ANY (%s::integer[])),
    ARRAY(
        SELECT o.key FROM ledger.transaction t JOIN ledger.transaction o ON o.id IN (t.settles, t.reverses)
        JOIN ledger.posting p ON p.transaction_id = t.id
        WHERE starts_with(t.key, %s)
        GROUP BY o.id, p.debit_account
        HAVING sum(p.amount) > (
            SELECT coalesce(sum(q.amount), 0) FROM ledger.posting q
            WHERE q.transaction_id = o.id AND q.credit_account = p.debit_account))
"""
_PAST = """
SELECT x.n, a.code, k.debits, k.credits, e.debits, e.credits
FROM unnest(%s::bigint[], %s::timestamptz[]) WITH ORDINALITY x(through, before, n)
CROSS JOIN ledger.account a
CROSS JOIN LATERAL ledger.sums_known(a.id, x.through) k
CROSS JOIN LATERAL ledger.sums_effective(a.id, x.before, x.through) e
WHERE a.id = ANY (%s::integer[])
"""
_SET_CLOCK = """
UPDATE ledger.programme_clock
SET "offset" = make_interval(secs => extract(epoch FROM %s::timestamptz - clock_timestamp()) + 0.001)
"""


@dataclass(frozen=True)
class Sealed:
    """A position, an hour, and what must be read there for ever: all that was known, what counted by then."""

    through: int
    hour: int
    known: Sums
    effective: Sums


class Stage:
    """The databases of one run; ``weaken`` is what a seeded bug does to each as its owner."""

    def __init__(
        self, servers: Servers, template: str, weaken: Callable[[Connection], object] | None = None
    ) -> None:
        self._servers, self._template, self._weaken = servers, template, weaken
        self._database: Database | None = None
        self._judge: Judge | None = None
        self.plays = self.steps = 0
        self.found: AssertionError | None = None

    def note(self, error: BaseException | None) -> None:
        """Remember the first thing that an example found to be wrong."""
        if self.found is None and isinstance(error, AssertionError):
            self.found = error

    def play(self) -> "Play":
        """A place for the next example."""
        if self._database is None or self.plays % _EXAMPLES == 0:
            self.close()
            self._database = Database(self._servers, create_database(self._servers, self._template))
            self._judge = connect(plain(self._database.app.url), autocommit=True)
            if self._weaken is not None:
                with self._database.owner.begin() as owner:
                    self._weaken(owner)
        self.plays += 1
        assert self._database is not None
        assert self._judge is not None
        return Play(self._database, self._judge, str(self.plays))

    def close(self) -> None:
        """Leave nothing behind."""
        if self._judge is not None:
            self._judge.close()
        if self._database is not None:
            self._database.dispose()
            self._servers.drop(self._database.name)
            self._database = None


class Play:
    """One example's part of a database: its accounts, its keys, its hours."""

    def __init__(self, database: Database, judge: Judge, name: str) -> None:
        self.database, self._judge, self.name = database, judge, name
        self.codes = [each.format(name) for each in _NAMES]
        self.connection = database.app.connect()
        self.session = Session(self.connection)
        ledger.open_accounts(self.session, self.codes)
        known = "SELECT code, id, ledger.now() AS now FROM ledger.account WHERE code = ANY (:codes)"
        rows = self.session.execute(text(known), {"codes": self.codes}).all()
        self.session.commit()
        self.ids = {row.code: row.id for row in rows}
        now: datetime = rows[0].now
        self.start = now.replace(minute=0, second=0, microsecond=0) + _APART_HOURS * _HOUR
        self.set_hour(0)

    def key(self, name: object) -> str:
        """A key that only this example uses."""
        return f"{self.name}/{name}"

    def at(self, hour: int) -> datetime:
        """The instant at which an hour begins."""
        return self.start + hour * _HOUR

    def set_hour(self, hour: int) -> None:
        """Move programme time to the beginning of an hour, as only the owner may."""
        with self.database.owner.begin() as owner:
            owner.exec_driver_sql(_SET_CLOCK, (self.at(hour),))

    def close(self) -> None:
        """Give the connection back."""
        self.session.close()
        self.connection.close()

    # The judge

    def check(self, paper: Paper, ids: dict[str, str], seals: Sequence[Sealed] = ()) -> None:
        """Hold everything of this example in the database against the paper, now and as it was sealed."""
        # as text: that is quicker than a list
        mine, prefix = f"{{{','.join(map(str, self.ids.values()))}}}", self.key("")
        past = ([each.through for each in seals], [self.at(each.hour) for each in seals], mine)
        # one round trip, in no transaction
        with self._judge.pipeline():
            accounts = self._judge.execute(_ACCOUNTS, (mine, mine, mine), prepare=True)
            journal = self._judge.execute(_JOURNAL, (prefix, mine, prefix), prepare=True)
            readings = self._judge.execute(_PAST, past, prepare=True) if seals else None
        _check_accounts(paper, accounts.fetchall())
        entries, holds, overused = journal.fetchall()[0]
        assert sorted(entries) == sorted(f"{key} {ids[key]}" for key in paper.journal)
        kept = [f"{key} {paper.state(key)} {each.captured:.2f}" for key, each in paper.holds.items()]
        assert sorted(holds) == sorted(kept)
        assert overused == []
        for n, code, *sums in readings.fetchall() if readings else ():
            seal = seals[n - 1]
            assert (*seal.known[code], *seal.effective[code]) == tuple(sums), (
                f"the past of {code} has changed"
            )


def _check_accounts(paper: Paper, rows: list[tuple[Any, ...]]) -> None:
    total, sums = NOTHING, paper.sums()
    assert len(rows) == len(sums)
    for code, debits, credits, *folded, kept_debits, kept_credits, live, held, free in rows:
        assert (debits, credits) == sums[code], f"{code} is {debits} and {credits}, not {sums[code]}"
        assert tuple(folded) == sums[code], f"the postings of {code} are not {sums[code]}"
        assert (kept_debits, kept_credits) == sums[code], f"the balance row of {code} is not {sums[code]}"
        assert live == paper.held(code) <= held, f"{live} of {code} are held, not {paper.held(code)}"
        assert free >= 0, f"{code} is below zero"
        total += debits - credits
    assert total == 0, f"the sums differ by {total}"

"""`flask dev seed`: every promised state is there, made by the product itself, and only once."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from marketplace.config import load_settings
from marketplace.dev.demo.scenes import PARTS
from marketplace.dev.demo.seed import seed
from marketplace.dev.errors import RefusedInProduction
from tests import commands
from tests.servers import APPLICATION, OWNER, Servers, plain

pytestmark = pytest.mark.long


@dataclass
class Seeded:
    """An installation after `flask dev seed`."""

    environ: dict[str, str]
    connection: psycopg.Connection[Any]
    home: Path
    said: str

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return commands.flask(os.environ | self.environ, *arguments)

    def rows(self, query: str, *parameters: object) -> list[Any]:
        return self.connection.execute(query, parameters).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        return self.rows(query, *parameters)[0][0]

    def user(self, key: str) -> str:
        """The login of a named person."""
        note = next(part.note for part in PARTS if part.key == key)
        groups = json.loads((self.home / "demo-people.json").read_text())
        found = [each["user"] for group in groups for each in group["people"] if each["note"] == note]
        assert len(found) == 1
        return str(found[0])

    def enrolment(self, key: str) -> Any:
        """(state, percent, paid percent, price, gross) of the one course that a named person has."""
        found = self.rows(
            "SELECT e.state, e.percent, e.paid_percent, e.price, g.gross FROM enrolment e"
            " JOIN participant p ON p.id = e.participant_id LEFT JOIN earning g ON g.enrolment_id = e.id"
            " WHERE p.user_id = %s",
            self.user(key),
        )
        assert len(found) == 1
        return found[0]


@pytest.fixture(scope="module")
def seeded(servers: Servers, worker_number: int) -> Iterator[Seeded]:
    name = f"{servers.prefix}_{worker_number}_seed"
    servers.clone(name)
    with TemporaryDirectory(prefix="bekal-seed-test-") as home:
        environ = {
            "BEKAL_ENV": "development",
            "BEKAL_HOME": home,
            "DATABASE_URL": servers.url(APPLICATION, name),
            "DATABASE_OWNER_URL": servers.url(OWNER, name),
            "REDIS_URL": servers.redis(worker_number),
        }
        with psycopg.connect(plain(make_url(environ["DATABASE_URL"])), autocommit=True) as connection:
            found = Seeded(environ, connection, Path(home), "")
            done = found.flask("dev", "seed")
            assert done.returncode == 0, done.stderr
            found.said = done.stdout
            yield found
    servers.drop(name)


@pytest.mark.parametrize(
    ("key", "percent", "paid_percent"),
    [("p0", 0, 25), ("p24", 24, 25), ("p25", 25, 25), ("p79", 79, 79), ("p80", 80, 100), ("p100", 100, 100)],
)
def test_attendance_of_every_kind_has_been_settled(
    seeded: Seeded, key: str, percent: int, paid_percent: int
) -> None:
    state, was, paid, price, gross = seeded.enrolment(key)
    assert (state, was, paid) == ("no_show" if percent == 0 else "completed", percent, paid_percent)
    assert gross == price * paid_percent // 100


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("waiting", "purchased"),
        ("asks", "awaiting_confirmation"),
        ("checks_in", "attending"),
        ("self_paced", "attending"),
        ("sold_out", "purchased"),
        ("cut_short", "cancelled_by_provider"),
        ("called_off", "cancelled_by_provider"),
        ("changed_mind", "cancelled_by_participant"),
        ("listed", "completed"),
    ],
)
def test_named_people_are_where_their_notes_say(seeded: Seeded, key: str, state: str) -> None:
    assert seeded.enrolment(key)[0] == state


def test_money_of_those_without_a_course_is_as_their_notes_say(seeded: Seeded) -> None:
    balances = (
        'SELECT g.state FROM "grant" g JOIN participant p ON p.id = g.participant_id WHERE p.user_id = %s'
    )
    assert [seeded.value(balances, seeded.user(key)) for key in ("fresh", "deadline", "revoked")] == [
        "active",
        "active",
        "revoked",
    ]


def test_a_session_is_open_now_for_somebody_who_has_not_checked_in(seeded: Seeded) -> None:
    hours_left = seeded.value(
        "SELECT extract(epoch FROM s.ends_at - ledger.now()) / 3600 FROM run_session s"
        " JOIN enrolment e ON e.run_id = s.run_id JOIN participant p ON p.id = e.participant_id"
        " WHERE p.user_id = %s AND ledger.now() BETWEEN s.starts_at AND s.ends_at"
        " AND NOT EXISTS (SELECT FROM attendance a WHERE a.session_id = s.id AND a.enrolment_id = e.id)",
        seeded.user("checks_in"),
    )
    assert hours_left > 6


def test_a_result_was_corrected_and_a_run_written_to(seeded: Seeded) -> None:
    assert seeded.rows("SELECT old_percent, new_percent FROM result_correction") == [(100, 66)]
    assert seeded.value("SELECT recipients FROM run_message") == 5


def test_runs_are_in_every_state(seeded: Seeded) -> None:
    found = seeded.rows(
        "SELECT count(*) FILTER (WHERE state = 'open' AND starts_at > ledger.now()),"
        " count(*) FILTER (WHERE state = 'open' AND kind = 'scheduled'"
        "   AND ledger.now() BETWEEN starts_at AND ends_at),"
        " count(*) FILTER (WHERE state = 'open' AND ends_at < ledger.now()),"
        " count(*) FILTER (WHERE state = 'open' AND seats_taken = seats AND starts_at > ledger.now()),"
        " count(*) FILTER (WHERE state = 'open' AND seats - seats_taken BETWEEN 1 AND 6 AND seats_taken > 0),"
        " count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE state = 'settled'),"
        " count(*) FILTER (WHERE kind = 'self_paced') FROM run"
    )[0]
    assert all(found), found
    assert found[0] > 100
    assert seeded.rows("SELECT state FROM waiting_place") == [("waiting",)]


def test_payouts_were_paid_rejected_and_returned_and_one_run_is_ready(seeded: Seeded) -> None:
    states = dict(seeded.rows("SELECT state, count(*) FROM payout GROUP BY state"))
    assert {"paid", "failed", "returned", "prepared"} <= set(states)
    today = "(ledger.now() AT TIME ZONE 'Asia/Jakarta')::date"
    assert seeded.value(f"SELECT count(*) FROM payout_run WHERE state = 'prepared' AND day = {today}") == 1
    assert seeded.value("SELECT count(*) FROM earning WHERE state = 'held'") > 0
    # the bank will reject one of this morning's payouts, in front of whoever takes the tour
    assert seeded.value(
        "SELECT count(*) FROM payout p JOIN bank_account b ON b.id = p.bank_account_id"
        " WHERE p.state = 'prepared' AND b.number_ending = '9901' AND b.blocked_code IS NULL"
    )


def test_all_dates_lie_in_the_past_and_programme_time_is_the_walls_again(seeded: Seeded) -> None:
    assert seeded.value('SELECT extract(epoch FROM "offset") FROM ledger.programme_clock') == 0
    assert seeded.value("SELECT max(effective_at) <= now() FROM ledger.transaction")
    assert seeded.value("SELECT min(effective_at) < now() - interval '30 days' FROM ledger.transaction")
    assert seeded.value("SELECT count(*) FROM notification WHERE state = 'pending'") == 0


def test_the_books_balance_and_agree_with_the_bank(seeded: Seeded) -> None:
    done = seeded.flask("dev", "books")
    assert (done.stdout.splitlines()[-1], done.returncode) == ("books balance: yes", 0)


def test_everybody_is_named_to_the_person_at_the_console(seeded: Seeded) -> None:
    groups = json.loads((seeded.home / "demo-people.json").read_text())
    assert [group["group"] for group in groups] == ["Peserta", "Lembaga", "Kantor program"]
    for group in groups:
        assert group["people"]
        assert all(person["contact"] in seeded.said for person in group["people"])


def test_a_second_seed_changes_nothing(seeded: Seeded) -> None:
    tables = ("participant", "enrolment", "event")
    before = [seeded.value(f"SELECT count(*) FROM {table}") for table in tables]
    (seeded.home / "demo-people.json").unlink()
    again = seeded.flask("dev", "seed")
    assert again.returncode == 0
    assert again.stdout == seeded.said
    assert [seeded.value(f"SELECT count(*) FROM {table}") for table in tables] == before


def test_production_is_refused(seeded: Seeded) -> None:
    settings = replace(load_settings(seeded.environ), environment="production")
    with pytest.raises(RefusedInProduction):
        seed(settings, print)

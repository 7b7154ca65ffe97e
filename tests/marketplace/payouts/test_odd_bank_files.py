"""No file in the bank's folder, however odd, keeps the ones after it from being booked."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.config import Settings
from marketplace.payouts import bank, courier, queries
from marketplace.payouts.courier import Desk
from marketplace.payouts.models import BankLine
from tests.marketplace.payouts import world
from tests.marketplace.payouts.bank_files import Line, statement
from tests.marketplace.payouts.world import MONDAY, noon

SOUND = statement([Line(100, "B1")]).content


@pytest.fixture
def desk(settings: Settings, database: str) -> Desk:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    return world.desk_of(settings)


@pytest.fixture
def inbox(settings: Settings, desk: Desk) -> Path:
    return world.inbox_of(settings)


def _booked(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(BankLine.reference)))


def _age(path: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ElctrncSeqNb>1<", b"<ElctrncSeqNb>" + b"9" * 19 + b"<"),
        (b"<ElctrncSeqNb>1<", b"<ElctrncSeqNb>" + b"9" * 5000 + b"<"),
        (b"<AcctSvcrRef>B1<", b"<AcctSvcrRef>" + b"R" * 9000 + b"<"),
        (b"<Id>S-1<", b"<Id>" + b"S" * 9000 + b"<"),
        (
            b"<TxDtls></TxDtls>",
            b"<TxDtls><Refs><EndToEndId>" + b"E" * 9000 + b"</EndToEndId></Refs></TxDtls>",
        ),
        (b"<TxDtls></TxDtls>", b"<TxDtls><RmtInf><Ustrd>" + b"U" * 9000 + b"</Ustrd></RmtInf></TxDtls>"),
    ],
)
def test_a_text_that_no_message_may_hold_is_refused_and_the_next_file_booked(
    session: Session, desk: Desk, inbox: Path, old: bytes, new: bytes
) -> None:
    odd = SOUND.replace(old, new)
    assert odd != SOUND
    (inbox / "a-odd.xml").write_bytes(odd)
    (inbox / "b-sound.xml").write_bytes(SOUND)
    first, second = courier.read_answers(desk)
    assert first.problem is not None and "at most" in first.problem and second.problem is None
    assert _booked(session) == ["B1"]
    assert list(inbox.iterdir()) == []


def test_a_statement_may_be_numbered_by_its_date(session: Session, desk: Desk, inbox: Path) -> None:
    (inbox / "s.xml").write_bytes(SOUND.replace(b"<ElctrncSeqNb>1<", b"<ElctrncSeqNb>202611250001<"))
    [taken] = courier.read_answers(desk)
    assert taken.problem is None and _booked(session) == ["B1"]


@pytest.mark.parametrize(
    "name",
    [
        b"a\xff\xfe.xml",
        b"a" * 251 + b".xml",
        "é".encode() * 120 + b".xml",
        b"a." + b"x" * 250,
        b"a b\n;$(c)'\".xml",
    ],
)
@pytest.mark.parametrize("content", [SOUND, b"<html/>"])
def test_a_file_may_have_any_name(
    session: Session, desk: Desk, inbox: Path, name: bytes, content: bytes
) -> None:
    odd = inbox / os.fsdecode(name)
    odd.write_bytes(content)
    _age(odd)
    (inbox / "z-sound.xml").write_bytes(statement([Line(7, "B2")], number=2, opening=100).content)
    assert len(courier.read_answers(desk)) == 2
    assert "B2" in _booked(session)
    assert list(inbox.iterdir()) == []
    assert len(queries.list_bank_files(session)) == 2


@pytest.mark.parametrize("length", [0, 40, 300, len(SOUND) - 3])
def test_a_file_that_is_still_being_written_is_left_alone(
    session: Session, desk: Desk, inbox: Path, length: int
) -> None:
    path = inbox / "s.xml"
    with path.open("wb") as growing:
        growing.write(SOUND[:length])
        growing.flush()
        assert courier.read_answers(desk) == []
        assert path.exists() and queries.list_bank_files(session) == []
        growing.write(SOUND[length:])
    [taken] = courier.read_answers(desk)
    assert taken.problem is None and _booked(session) == ["B1"]


def test_a_file_that_stays_half_is_refused(session: Session, desk: Desk, inbox: Path) -> None:
    (inbox / "s.xml").write_bytes(SOUND[:300])
    _age(inbox / "s.xml")
    [taken] = courier.read_answers(desk)
    assert taken.problem is not None and _booked(session) == []


def test_a_reader_that_does_not_wait_would_refuse_what_is_sound(
    session: Session, desk: Desk, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without waiting, the rest of the file is written into the refused one."""
    monkeypatch.setattr(bank, "_STILL_SECONDS", 0.0)
    with (inbox / "s.xml").open("wb") as growing:
        growing.write(SOUND[:300])
        growing.flush()
        [taken] = courier.read_answers(desk)
        growing.write(SOUND[300:])
    assert taken.problem is not None
    assert courier.read_answers(desk) == [] and _booked(session) == []


def test_a_file_that_cannot_be_read_waits_and_the_next_one_is_booked(
    session: Session, desk: Desk, inbox: Path
) -> None:
    unreadable = inbox / "a-first.xml"
    # a regular file of which no byte can be had, for whoever asks
    unreadable.symlink_to("/proc/self/mem")
    (inbox / "b-second.xml").write_bytes(SOUND)
    assert [each.name for each in courier.read_answers(desk)] == ["b-second.xml"]
    assert _booked(session) == ["B1"]
    assert unreadable.is_symlink()

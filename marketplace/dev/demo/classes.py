"""Weeks of classes: codes on the screen, signed lists, units done alone, a run stopped mid-way."""

import re
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from marketplace.dev.demo import timetable
from marketplace.dev.demo.playground import Playground
from marketplace.dev.demo.visitors import PageFault

_SHARES = (100, 80, 79, 25, 24, 0, 100, 100, 80)
_LONG_SHARES = (80, 80, 24, 0, 25)
"""How much of a class each person attends, in percent, one after the other."""

_LONG = 20  # sessions

_CODED_SHARE = 0.28  # of the purchases: the others are on signed lists, or nobody keeps any
_UNATTENDED_EVERY = 7
_SELF_PACED_MOST = 40
_STOPPED_AFTER = 5  # looks: on the third day, in the middle of every shorter class
_CODE_SECONDS = 10.0  # a code is taken for half a minute after it has changed
_CODE = re.compile(r"(?<!\d)(\d{3}) (\d{3})(?!\d)")

_RUNS = """
    SELECT r.id, r.kind, count(*), (SELECT count(*) FROM run_session s WHERE s.run_id = r.id),
        (SELECT u.email FROM provider_staff f JOIN "user" u ON u.id = f.user_id
         WHERE f.provider_id = c.provider_id ORDER BY f.added_at LIMIT 1),
        EXISTS (SELECT FROM bank_account b
                WHERE b.provider_id = c.provider_id AND b.number_ending LIKE '99%%')
    FROM run r JOIN course c ON c.id = r.course_id JOIN enrolment e ON e.run_id = r.id
    WHERE r.state = 'open' AND e.state = 'purchased'
    GROUP BY r.id, c.id ORDER BY 4 DESC, 6 DESC, c.source_id"""
_LEARNERS = """
    SELECT e.id, u.email FROM enrolment e JOIN participant p ON p.id = e.participant_id
    JOIN "user" u ON u.id = p.user_id WHERE e.run_id = %s AND e.state = 'purchased' ORDER BY e.id"""
_OPEN_SESSIONS = """
    SELECT id, run_id, sequence FROM run_session
    WHERE run_id = ANY(%s) AND ledger.now() BETWEEN starts_at - interval '15 minutes' AND ends_at"""
_IN_SESSION = """
    SELECT EXISTS (SELECT FROM run_session
                   WHERE run_id = ANY(%s) AND %s BETWEEN starts_at - interval '15 minutes' AND ends_at)"""
_UNRECORDED_SESSIONS = """
    SELECT id, run_id, sequence FROM run_session s WHERE run_id = ANY(%s) AND starts_at <= ledger.now()
        AND NOT EXISTS (SELECT FROM attendance a WHERE a.session_id = s.id)"""


@dataclass(frozen=True, slots=True)
class Class:
    """One run with who learns in it: (enrolment, e-mail, sessions they come to)."""

    run_id: uuid.UUID
    staff: str
    is_long: bool
    learners: Sequence[tuple[uuid.UUID, str, int]]

    def present(self, sequence: int) -> list[tuple[uuid.UUID, str]]:
        """Who comes to a session, counted from 1."""
        return [(enrolment, email) for enrolment, email, comes in self.learners if comes >= sequence]


@dataclass
class School:
    """The runs by how their attendance is kept."""

    coded: dict[uuid.UUID, Class] = field(default_factory=dict)
    listed: dict[uuid.UUID, Class] = field(default_factory=dict)
    self_paced: dict[uuid.UUID, Class] = field(default_factory=dict)
    stopped: uuid.UUID | None = None


def hold_classes(ground: Playground) -> School:
    """Let the days pass by the programme's clock, from one look to the next."""
    with ground.report.step("classes") as step:
        school = _enrol(ground)
        counts: Counter[str] = Counter()
        counts["units done alone"] = _do_units(ground, school)
        for number, instant in enumerate(timetable.looks(ground.days)):
            if number != _STOPPED_AFTER and not ground.reader.value(_IN_SESSION, list(school.coded), instant):
                continue  # nobody has anything to type
            ground.travel(instant)
            if number == _STOPPED_AFTER:
                school.stopped = _stop_one(ground, school)
            counts["check-ins with a code"] += _check_in(ground, school)
        ground.travel(ground.days.at(timetable.LAST_LOOK_DAY, 20))
        counts["names on signed lists"] = send_lists(ground, school.listed)
        step.add(f"{timetable.LAST_LOOK_DAY} days passed")
        for what, count in counts.items():
            step.add(f"{count} {what}")
        step.add("1 run stopped mid-way" if school.stopped else "no run could be stopped mid-way")
        return school


def _enrol(ground: Playground) -> School:
    """Long classes and those whose payment the bank will refuse are attended with codes, then others
    until there are enough; every seventh of the rest is attended by nobody."""
    school, coded = School(), 0
    most = ground.size.purchases * _CODED_SHARE
    for number, (run_id, kind, sold, sessions, staff, marked) in enumerate(ground.reader.rows(_RUNS)):
        found = Class(run_id, staff, sessions > _LONG, _learners(ground, run_id, sessions))
        if kind == "self_paced":
            school.self_paced[run_id] = found
        elif marked or coded < most:
            school.coded[run_id] = found
            coded += sold
        elif number % _UNATTENDED_EVERY:
            school.listed[run_id] = found
    return school


def _learners(ground: Playground, run_id: uuid.UUID, sessions: int) -> list[tuple[uuid.UUID, str, int]]:
    rows = ground.reader.rows(_LEARNERS, run_id)
    shares = _LONG_SHARES if sessions > _LONG else _SHARES
    return [
        (enrolment, email, sessions * shares[number % len(shares)] // 100)
        for number, (enrolment, email) in enumerate(rows)
        if email in ground.guests
    ]


def _check_in(ground: Playground, school: School) -> int:
    """Every session that is open now: its code from the provider's screen, typed by those who came."""
    running = [run_id for run_id in school.coded if run_id != school.stopped]
    sessions = ground.reader.rows(_OPEN_SESSIONS, running)
    ground.sign_in_all(school.coded[run_id].staff for _, run_id, _ in sessions)
    return sum(
        ground.everybody(
            sessions, lambda row: _one_session(ground, school.coded[row[1]], row[0], row[2]), "checking in"
        )
    )


def _one_session(ground: Playground, group: Class, session_id: uuid.UUID, sequence: int) -> int:
    """The first of a class opens the page of the course; all of them type the code of the screen."""
    present, screen = group.present(sequence), _Screen(ground, group.staff, session_id)
    for number, (enrolment, email) in enumerate(present):
        visitor, address = ground.guests[email], f"/kursus-saya/{enrolment}"
        form = (
            visitor.remember(f"{address}/sesi/{session_id}")
            if number
            else visitor.open(address).form(f"/sesi/{session_id}")
        )
        visitor.must(form, {"code": screen.code()})
    return len(present)


class _Screen:
    """The provider's screen in the classroom: looked at again when its code is about to change."""

    def __init__(self, ground: Playground, staff: str, session_id: uuid.UUID) -> None:
        self._visitor, self._path = ground.sign_in(staff), f"/lembaga/sesi/{session_id}"
        self._code, self._read_at = "", 0.0

    def code(self) -> str:
        if time.monotonic() - self._read_at > _CODE_SECONDS:
            shown = self._visitor.open(self._path).words("layar")
            found = _CODE.search(shown)
            if found is None:
                raise PageFault(f"{self._path} shows no code: {shown[:200]}")
            self._code, self._read_at = "".join(found.groups()), time.monotonic()
        return self._code


def send_lists(ground: Playground, classes: Mapping[uuid.UUID, Class]) -> int:
    """The signed lists of sessions for which nobody checked in; how many names were on them. What one
    provider has to send is one person's work."""
    sessions = defaultdict(list)
    for session_id, run_id, sequence in ground.reader.rows(_UNRECORDED_SESSIONS, list(classes)):
        group = classes[run_id]
        sessions[group.staff].append((session_id, [str(each) for each, _ in group.present(sequence)]))
    return sum(ground.everybody(sessions.items(), lambda each: _send_lists(ground, *each), "sending lists"))


def _send_lists(ground: Playground, staff: str, lists: Sequence[tuple[uuid.UUID, list[str]]]) -> int:
    visitor, named = ground.sign_in(staff), 0
    for session_id, present in lists:
        if present:
            page = visitor.open(f"/lembaga/sesi/{session_id}/daftar-hadir")
            visitor.must(page.form(f"/{session_id}/daftar-hadir"), ticked=present)
            named += len(present)
    return named


def _do_units(ground: Playground, school: School) -> int:
    """Some do their units; what nobody opens is refunded."""
    learners = [each for group in school.self_paced.values() for each in group.learners]
    return sum(
        ground.everybody(
            learners[:_SELF_PACED_MOST], lambda each: _learn_alone(ground, *each), "learning alone"
        )
    )


def _learn_alone(ground: Playground, enrolment: uuid.UUID, email: str, units: int) -> int:
    visitor = ground.guests[email]
    for _ in range(units):
        visitor.must(visitor.open(f"/kursus-saya/{enrolment}").form("/unit/"))
    return units


def _stop_one(ground: Playground, school: School) -> uuid.UUID | None:
    """One provider gives up in the middle: paid for what was attended, no more."""
    short = [run_id for run_id, group in school.coded.items() if not group.is_long]
    if not short:
        return None
    run_id = short[-1]
    visitor = ground.sign_in(school.coded[run_id].staff)
    form = visitor.open(f"/lembaga/jadwal/{run_id}/batalkan").form("/batalkan")
    visitor.must(form, {"reason": "Pengajar sakit dan tidak ada pengganti"})
    return run_id

"""Where the journeys happen: a running Bekal, its people at their browsers, and its calendar."""

import re
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from marketplace import clock
from marketplace.catalogue.models import Run
from marketplace.db import session, transaction
from marketplace.dev import programme_clock
from marketplace.enrolments.models import Earning, Enrolment
from marketplace.identity.models import Role
from marketplace.providers import service as providers
from marketplace.providers.models import Provider
from marketplace.providers.service import BankDetails
from marketplace.schemes.calendar import is_working_day
from tests import factories
from tests.live import Live, wait_until
from tests.visitors import Visitor, sign_in

PATIENCE = 60.0
"""Seconds that another process may take: generous, since a busy machine is no fault of the product."""


@dataclass(frozen=True)
class Class:
    """A run on sale, as the story needs it: where it is, and when each meeting begins."""

    id: uuid.UUID
    title: str
    meetings: list[datetime]
    ends_at: datetime
    staff: str

    @property
    def place(self) -> str:
        """The provider's page about it."""
        return f"/lembaga/jadwal/{self.id}"


@dataclass
class Town:
    """The installation and everybody who has a browser open."""

    live: Live
    doors: ExitStack
    browsers: dict[str, Visitor] = field(default_factory=dict)

    def visitor(self, contact: str) -> Visitor:
        """The browser of somebody who is signed in; the first time they sign in with a code."""
        if contact not in self.browsers:
            browser = self.doors.enter_context(Visitor(self.live.url))
            sign_in(browser, self.live.settings, contact, lambda told: wait_until(told, PATIENCE))
            self.browsers[contact] = browser
        return self.browsers[contact]

    # Time

    def go_to(self, instant: datetime) -> None:
        """Let programme time pass until a minute after an instant, as `flask dev clock advance` does."""
        owner_url = self.live.settings.database_owner_url
        wait = instant - programme_clock.read(owner_url) + timedelta(minutes=1)
        assert wait > timedelta(), f"{instant} is over"
        programme_clock.advance(owner_url, wait)

    def go_to_working_day_after(self, instant: datetime) -> None:
        """The first noon after an instant at which the office works."""
        noon = instant.astimezone(clock.ZONE).replace(hour=12, minute=0)
        with self.live.inside():
            while noon <= instant or not is_working_day(session(), noon.date()):
                noon += timedelta(days=1)
        self.go_to(noon)

    def objections_end(self, lesson: Class) -> datetime:
        """When everything that a class has earned is due: five working days, whatever holidays there are."""
        mine = Earning.enrolment.has(Enrolment.run_id == lesson.id)
        with self.live.inside():
            ends = session().scalar(select(func.max(Earning.matures_at)).where(mine))
        assert ends is not None, f"{lesson.title} has earned nothing"
        return ends

    def run(self, *arguments: str) -> str:
        """A `flask` command that must succeed. Returns what it printed."""
        done = self.live.flask(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # People and places that were there before the story

    def open_office(self, *contacts: str) -> None:
        """Finance staff, by the operator's command."""
        for contact in contacts:
            self.run("users", "create", contact, "--name", "Petugas Keuangan", "--role", Role.FINANCE.value)

    def open_class(self, account: str, price: Decimal) -> Class:
        """A provider with staff and a usable account, and a run of four meetings a week from now."""
        with self.live.inside(), transaction() as current:
            factories.fund_scheme(current)
            provider = self._provider(account)
            staff = factories.make_staff(current, provider)
            course = factories.make_course(current, provider, price=price)
            return _class(factories.make_run(current, course), staff.contact)

    def _provider(self, account: str) -> Provider:
        provider = factories.make_provider(session())
        details = BankDetails("CENAIDJA", provider.name, account)
        proposed = providers.propose_bank_account(
            session(), provider, details, factories.make_user(session())
        )
        approver = factories.make_user(session(), Role.FINANCE)
        providers.approve_bank_account(session(), proposed.id, approver)
        proposed.usable_from = clock.now(session()) - timedelta(days=1)
        return provider

    # What people do more than once

    def register(self, contact: str) -> Visitor:
        """Somebody new: a code, three short pages, and the grant that the worker brings."""
        details = factories.make_registration()
        person = self.visitor(contact)
        born = details.birth_date
        birth = {"birth-day": str(born.day), "birth-month": str(born.month), "birth-year": str(born.year)}
        person.press("Lanjut", full_name=details.full_name, **birth)
        person.press("Lanjut", nik=details.nik, kk=details.kk)
        person.press("Kirim pendaftaran", province_code=details.province_code)
        wait_until(lambda: "Rp3.500.000" in _reload(person, "/beranda"), PATIENCE)
        return person

    def buy(self, person: Visitor, lesson: Class) -> str:
        """From the search to the receipt, by what is on the pages. Returns the receipt's address."""
        person.open("/kursus")
        person.press("Cari", q=lesson.title)
        person.follow(lesson.title)
        person.press("Lanjut")
        person.press("Beli dengan saldo")
        assert "Anda terdaftar" in person.text
        return person.path

    def check_in(self, person: Visitor, lesson: Class, meeting: int) -> None:
        """Type the code that the provider's screen shows at this moment."""
        screen = self.visitor(lesson.staff)
        screen.open(lesson.place)
        screen.follow(f"Layar presensi sesi {meeting}")
        code = re.search(r"\b\d{3} \d{3}\b", screen.text)
        assert code, screen.text
        person.open("/kursus-saya")
        person.follow(lesson.title)
        person.press("Catat kehadiran", code=code.group())
        assert "Kehadiran Anda tercatat." in person.text

    def approve_payments(self, submitter: str, approver: str) -> str:
        """The office's morning: one person submits, another approves. Returns the run's address."""
        first, second = self.visitor(submitter), self.visitor(approver)
        wait_until(lambda: "Menunggu Anda" in _reload(first, "/keuangan"), PATIENCE)
        first.open(first.address_of("td.p-title a"))
        first.press("Ajukan untuk disetujui")
        assert "orang lain harus menyetujui" in first.text
        second.open(first.path)
        second.press("Setujui dan kirim")
        return second.path


def _class(run: Run, staff: str) -> Class:
    meetings = [meeting.starts_at for meeting in run.sessions if meeting.starts_at]
    return Class(run.id, run.course.title, meetings, run.ends_at, staff)


def _reload(visitor: Visitor, path: str) -> str:
    visitor.open(path)
    return visitor.text


def sees(visitor: Visitor, path: str, words: str) -> None:
    """Reload a page until it says something, as people do who wait for it."""
    wait_until(lambda: words in _reload(visitor, path), PATIENCE)

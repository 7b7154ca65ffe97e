"""`flask dev seed`: five weeks of a programme that has been running, ending now.

Made by the product's own services and jobs while programme time lies in the past; see `story`.
"""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.csv_import import read_catalogue
from marketplace.catalogue.importing import import_rows
from marketplace.config import Settings
from marketplace.db import run_in_transaction
from marketplace.dev.demo import grievances, stage, timetable, troupe, writing
from marketplace.dev.demo.direction import Direction
from marketplace.dev.demo.guests import Group, guest_list, note_guests
from marketplace.dev.demo.office import Office
from marketplace.dev.demo.scenes import OPENING_DAY, REPLACED_ACCOUNT, SELF_PACED, list_scenes
from marketplace.dev.demo.story import Days, Story
from marketplace.dev.demo.troupe import Troupe
from marketplace.dev.errors import DevelopmentError, RefusedInProduction
from marketplace.identity import audit
from marketplace.notifications import service as notifications
from marketplace.notifications import tasks as messages
from marketplace.participants.models import Participant
from marketplace.providers import service as providers
from marketplace.schemes import queries as schemes
from marketplace.schemes import service as scheme_service

SUBJECT = "installation:demo"
BUDGETS = (("2023", Decimal(1_500_000_000)), ("2020", Decimal(100_000_000)))
_STARTED, _FINISHED = "demo.started", "demo.finished"
_NEW_NUMBER = "1130091846227"

Say = Callable[[str], None]


def seed(settings: Settings, say: Say) -> None:
    """Fill an empty installation; one that was filled before stays as it is.

    Raises RefusedInProduction, and DevelopmentError where an earlier attempt was interrupted.
    """
    if settings.is_production:
        raise RefusedInProduction
    groups = run_in_transaction(_find_guests)
    if groups is None and run_in_transaction(_is_used):
        say("demo data: left out, since this installation holds other people")
        return
    if groups is None:
        _make(settings)
        groups = run_in_transaction(_find_guests) or []
    _write(settings.home / "demo-people.json", groups)
    people = sum(len(group["people"]) for group in groups)
    say(f"demo data    {people} people to be, in every state; their codes appear here and in /dev/inbox:")
    for group in groups:
        for guest in group["people"]:
            say(f"  {guest['contact']:<44} {guest['note']}")


def _find_guests(session: Session) -> list[Group] | None:
    """The guest list of a finished seed; None where there was none. Raises DevelopmentError."""
    entries = {entry.action: entry for entry in audit.list_entries(session, SUBJECT)}
    if _FINISHED in entries:
        return guest_list(session, entries[_FINISHED].details)
    if _STARTED in entries:
        raise DevelopmentError("an earlier `flask dev seed` was interrupted; start anew: `flask dev reset`")
    return None


def _is_used(session: Session) -> bool:
    return bool(session.scalar(select(func.count()).select_from(Participant)))


def _make(settings: Settings) -> None:
    days = Days(clock.wall_now())
    office = Office(settings)
    with Story(settings.database_owner_url) as story:
        story.at(days.at(OPENING_DAY, 8), _open)
        story.edge(days.at(OPENING_DAY, 9), partial(_receive_money, settings, office, days))
        story.play()
        direction = run_in_transaction(lambda session: _direct(session, story, days))
        _keep_office(story, days, office)
        story.at(days.at(-10, 8), lambda session: timetable.fill(session, days))
        story.at(days.at(-5, 10), grievances.complain)
        story.at(days.at(-4, 11), grievances.answer)
        story.at(days.at(-3, 9), grievances.insist)
        story.at(days.at(-3, 11), writing.submit_courses)
        story.at(days.at(-2, 15), writing.apply)
        story.at(days.at(-1, 10), _replace_account)
        story.play()
    run_in_transaction(grievances.announce)
    run_in_transaction(
        lambda session: audit.record(
            session,
            "cli:seed",
            _FINISHED,
            SUBJECT,
            **note_guests(session, direction.troupe, direction.staged),
        )
    )
    _deliver_messages()


def _open(session: Session) -> None:
    """The programme's first morning: office, providers, catalogue, accounts."""
    audit.record(session, "cli:seed", _STARTED, SUBJECT)
    stage.open_office(session)
    stage.register_providers(session)
    report = import_rows(session, read_catalogue(stage.CATALOGUE))
    if report.refused:
        raise DevelopmentError(f"the demo catalogue has bad rows: {report.refused[0]}")
    stage.approve_accounts(session, stage.add_staff(session))


def _receive_money(settings: Settings, office: Office, days: Days) -> None:
    """The state's money is appropriated, and arrives at the bank under the same reference."""
    run_in_transaction(lambda session: _appropriate(session, days))
    for code, amount in BUDGETS:
        stage.deposit(settings.bank_folder, code, int(amount), _reference(code, days), days.day(OPENING_DAY))
    office.meet_bank()


def _appropriate(session: Session, days: Days) -> None:
    finance = stage.office_user(session, stage.SUBMITTER)
    for code, amount in BUDGETS:
        scheme_service.appropriate(session, code, amount, _reference(code, days), finance)


def _reference(scheme_code: str, days: Days) -> str:
    return f"DIPA {days.day(OPENING_DAY).year} skema {scheme_code}"


def _direct(session: Session, story: Story, days: Days) -> Direction:
    """Write everything that people do into the story."""
    balance = schemes.get_default_scheme(session).training_balance
    prices = {course.source_id: course.price for course in timetable.list_unscheduled(session, days.now)}
    direction = Direction(story, days, Troupe(balance), prices)
    for scene in list_scenes(session, days):
        direction.cast(scene)
    direction.cast_self_paced(SELF_PACED)
    direction.register_everybody()
    return direction


def _keep_office(story: Story, days: Days, office: Office) -> None:
    """Every night and every morning since the opening; today's run is left for whoever looks."""
    for number in range(OPENING_DAY + 1, 1):
        story.edge(min(days.at(number, 2), days.now), office.night)
        if number < 0:
            story.edge(days.at(number, 9, 30), office.morning)


def _replace_account(session: Session) -> None:
    """One provider names a new account, and the office approves it: it waits for three days."""
    provider = troupe.find_course(session, REPLACED_ACCOUNT).provider
    card = next(card for card in stage.provider_cards() if card.name == provider.name)
    details = replace(card.account, number=_NEW_NUMBER)
    staff = troupe.staff_of(session, provider.id)
    account = providers.propose_bank_account(session, provider, details, staff)
    stage.approve_accounts(session, [account.id])


def _deliver_messages() -> None:
    """Send what five weeks have written, without a line on the console for each."""
    with redirect_stdout(io.StringIO()):
        while run_in_transaction(lambda session: notifications.list_due(session, limit=1)):
            messages.sweep()


def _write(path: Path, groups: list[Group]) -> None:
    path.write_text(json.dumps(groups, ensure_ascii=False, indent=1), encoding="utf-8")

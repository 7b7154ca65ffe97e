"""Held earnings: seen with their evidence, let go by finance staff for a reason that the provider reads."""

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.enrolments.models import Earning
from marketplace.identity.models import AuditEntry
from marketplace.notifications.models import Notification
from marketplace.payouts import service
from marketplace.providers import service as providers
from marketplace.providers.models import Provider, StaffRole
from tests import factories
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, SCHEME, make_earning, noon
from tests.web.conftest import SignIn, read, words
from tests.web.finance.conftest import Office

LIST = "/keuangan/ditahan"


@pytest.fixture
def held(office: Office) -> Earning:
    with transaction() as current:
        found = make_earning(current, office.provider, hold_code="staff_bought")
        provider = current.get_one(Provider, office.provider.id)
        providers.add_staff(current, provider, factories.make_user(current), StaffRole.TEACHING)
    return office.session.get_one(Earning, found.id)


def _release(client: FlaskClient, earning: Earning, reason: str = "Absensi dan foto kelas cocok.") -> str:
    return words(client.post(f"{LIST}/{earning.id}", data={"reason": reason}, follow_redirects=True).text)


def _paid_after(office: Office, days: int) -> set[object]:
    """What the run of a later day covers."""
    office.session.rollback()
    world.set_programme_time(office.settings.database_owner_url, noon(MONDAY + timedelta(days=days)))
    with transaction() as current:
        run = service.prepare(current, SCHEME, clock.today(current))
        return {line.earning_id for payout in run.payouts for line in payout.lines} if run else set()


def test_it_is_found_looked_at_and_let_go_and_then_paid(
    office: Office, held: Earning, sign_in: SignIn, session: Session
) -> None:
    client = sign_in(office.first)
    assert "ditahan" in words(client.get("/keuangan").text).lower()
    listed = client.get(LIST).text
    link = read(listed).select_one(f'a[href="{LIST}/{held.id}"]')
    assert link is not None and "1 pendaftaran, Rp900.000" in words(listed)
    page = words(client.get(f"{LIST}/{held.id}").text)
    assert "pembelinya staf lembaga sendiri" in page and "Selesai" in page
    assert _paid_after(office, 1) == set()
    assert "Dilepas." in _release(client, held)
    session.expire_all()
    assert (held.state, held.hold_code) == ("accrued", None)
    assert _paid_after(office, 2) == {held.id}
    assert "Tidak ada yang ditahan." in words(client.get(LIST).text)


def test_owners_read_the_reason_and_it_is_kept_with_who_gave_it(
    office: Office, held: Earning, sign_in: SignIn, session: Session
) -> None:
    _release(sign_in(office.first), held)
    session.rollback()
    told = session.scalars(
        select(Notification).where(Notification.subject.contains("tidak ditahan lagi"))
    ).all()
    assert [("Absensi dan foto kelas cocok." in each.body, "Rp900.000" in each.body) for each in told] == [
        (True, True)
    ]
    kept = session.scalars(select(AuditEntry).where(AuditEntry.action == "earning.released")).one()
    assert kept.actor_id == office.first.id
    assert "Absensi dan foto kelas cocok." in json.dumps(kept.details)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_reason_of_fitting_length_it_stays(
    office: Office, held: Earning, sign_in: SignIn, session: Session, reason: str
) -> None:
    answer = sign_in(office.first).post(f"{LIST}/{held.id}", data={"reason": reason})
    assert answer.status_code == 400
    assert read(answer.text).select_one(".govuk-error-summary a[href='#reason']") is not None
    session.expire_all()
    assert held.state == "held"


def test_an_auditor_reads_it_and_finds_no_button(office: Office, held: Earning, sign_in: SignIn) -> None:
    auditor = sign_in(office.auditor)
    assert "Lepaskan" not in words(auditor.get(f"{LIST}/{held.id}").text)
    assert auditor.post(f"{LIST}/{held.id}", data={"reason": "a"}).status_code == 403


def test_a_second_press_says_that_it_is_done_and_tells_nobody_again(
    office: Office, held: Earning, sign_in: SignIn, session: Session
) -> None:
    client = sign_in(office.first)
    _release(client, held)
    assert "Dilepas." not in _release(client, held)
    assert client.get(f"{LIST}/{held.id}").headers["Location"] == LIST
    session.rollback()
    told = session.scalars(
        select(Notification).where(Notification.subject.contains("tidak ditahan lagi"))
    ).all()
    assert len(told) == 1


def test_what_was_never_held_cannot_be_let_go(office: Office, sign_in: SignIn, session: Session) -> None:
    paid = session.scalars(select(Earning)).one()
    before = (paid.state, paid.hold_code)
    assert "Dilepas." not in _release(sign_in(office.second), paid)
    session.expire_all()
    assert (paid.state, paid.hold_code) == before

"""A list takes as many queries for many rows as for few: one scene, looked at, grown, and looked at again."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.batches import queries as grants
from marketplace.catalogue import saving, writing
from marketplace.catalogue.models import Course, Run
from marketplace.catalogue.version_queries import content_of
from marketplace.catalogue.versions import CommentSide, CourseVersion
from marketplace.db import transaction
from marketplace.enrolments import reviewing
from marketplace.enrolments.learning_models import Review
from marketplace.identity.models import User
from marketplace.oversight import announcements, complaints
from marketplace.oversight.announcements import Draft
from marketplace.oversight.complaint_files import Upload
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import Subject
from marketplace.oversight.models import Audience, Category, Severity
from marketplace.participants.models import Participant
from marketplace.payouts import service as payouts
from marketplace.payouts.models import BankFile, BankLine, BankLineState
from marketplace.providers import applications
from marketplace.providers import service as providers
from marketplace.providers.applications import Details
from marketplace.providers.models import Provider, StaffRole
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.marketplace.payouts import world
from tests.web.conftest import SignIn
from tests.web.provider.conftest import counted
from tests.web.scene import Ids, Scene
from tests.web.scene_states import hold_class

Places = dict[str, dict[str, str]]
CHEAP, MORE = Decimal(50_000), 2
HOME, RECEIPT = 11, 7
"""With everything on them, two of them for what is kept elsewhere; without a result yet, home takes five."""


PLACES = {
    "stranger": {
        "provider": "/kursus/lembaga/{provider_id}",
        "course": "/kursus/{course_id}",
        "status": "/status",
        "reviews": "/kursus/{reviewed_id}/ulasan",
    },
    "participant": {
        "home": "/beranda",
        "history": "/riwayat",
        "saved": "/tersimpan",
        "learning": "/kursus-saya/{declared_id}",
        "courses": "/kursus-saya",
        "cash": "/insentif",
        "receipt": "/bukti/{enrolment_id}",
        "complaints": "/pengaduan",
        "complaint": "/pengaduan/{complaint_id}",
    },
    "provider": {
        "overview": "/lembaga",
        "courses": "/lembaga/kursus",
        "course": "/lembaga/kursus/{course_id}",
        "upload": "/lembaga/kursus/impor/{upload_id}",
        "class_dates": "/lembaga/jadwal/impor/{run_upload_id}",
        "runs": "/lembaga/jadwal",
        "run": "/lembaga/jadwal/{over_run_id}",
        "completion": "/lembaga/jadwal/{over_run_id}/selesai",
        "sheet": "/lembaga/jadwal/{over_run_id}/kehadiran",
        "session": "/lembaga/sesi/{over_session_id}",
        "list": "/lembaga/sesi/{over_session_id}/daftar-hadir",
        "enrolments": "/lembaga/pendaftaran",
        "filters": "/lembaga/pendaftaran/saring",
        "enrolment": "/lembaga/pendaftaran/{declared_id}",
        "staff": "/lembaga/staf",
        "accounts": "/lembaga/rekening",
        "reports": "/lembaga/grafik",
        "months": "/lembaga/laporan",
        "complaints": "/lembaga/pengaduan",
        "reviews": "/lembaga/ulasan",
        "payouts": "/lembaga/pembayaran",
        "payout": "/lembaga/pembayaran/{payout_id}",
        "complaint": "/lembaga/pengaduan/{provider_complaint_id}",
    },
    "finance": {
        "runs": "/keuangan",
        "run": "/keuangan/pembayaran/{payout_run_id}",
        "payout": "/keuangan/pembayaran/{payout_run_id}/{payout_id}",
        "held": "/keuangan/ditahan",
        "held one": "/keuangan/ditahan/{earning_id}",
        "bank": "/keuangan/rekening-koran",
        "books": "/keuangan/buku-besar",
        "family": "/keuangan/buku-besar?family=escrow",
        "people's accounts": "/keuangan/buku-besar?family=benefit",
        "account": "/keuangan/buku-besar/akun/fund:2023",
        "accounts": "/keuangan/rekening-lembaga",
        "certificates": "/keuangan/sertifikat",
    },
    "curator": {
        "queue": "/kurasi",
        "version": "/kurasi/versi/{version_id}",
        "courses": "/kurasi/kursus?q=a",
        "course": "/kurasi/kursus/{course_id}",
        "applications": "/kurasi/lembaga",
        "application": "/kurasi/lembaga/{application_id}",
    },
    "desk": {
        "queue": "/kantor/pengaduan",
        "announcements": "/kantor/pengumuman",
        "person": "/kantor/orang/{participant_id}",
        "their provider": "/kantor/lembaga/{provider_id}",
        "complaint": "/kantor/pengaduan/{complaint_id}",
        "claim": "/kantor/pengaduan/{provider_complaint_id}",
    },
}
"""What each audience looks at. Details follow the ids, for a payout that is made never grows."""


def test_no_list_takes_a_query_a_row(app: Flask, session: Session, scene: Scene, sign_in: SignIn) -> None:
    with transaction() as current:
        _comment(current, scene.own)
    few = _look(app, session, scene, sign_in, _places(_few(session, scene)))
    many = _look(app, session, scene, sign_in, _places(_grow(session, scene)))
    assert few == many
    assert few["participant: home"] <= HOME and few["participant: receipt"] <= RECEIPT


def test_a_list_that_reads_each_row_is_noticed(
    app: Flask, session: Session, scene: Scene, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above."""
    listed = reviewing.list_for_provider

    def read_each(current: Session, *wanted: Any) -> Sequence[Review]:
        found = listed(current, *wanted)
        for review in found:
            current.refresh(review)
        return found

    monkeypatch.setattr(reviewing, "list_for_provider", read_each)
    places = {"provider": {"reviews": "/lembaga/ulasan"}}
    few = _look(app, session, scene, sign_in, places)
    with transaction() as current:
        _review(current, _few(current, scene))
    assert _look(app, session, scene, sign_in, places) != few


def _look(app: Flask, session: Session, scene: Scene, sign_in: SignIn, places: Places) -> dict[str, int]:
    """How many statements each page takes, opened by somebody whom it is for."""
    taken = {}
    for audience, pages in places.items():
        session.rollback()
        user_id = scene.people[audience]
        browser = sign_in(session.get_one(User, user_id)) if user_id else app.test_client()
        browser.get("/kursus")  # what is read once and kept is read
        for name, address in pages.items():
            session.rollback()
            session.expunge_all()
            with counted() as statements:
                assert browser.get(address, follow_redirects=True).status_code == 200, address
            taken[f"{audience}: {name}"] = len(statements)
    return taken


def _places(ids: Ids) -> Places:
    """Where everybody looks in this scene."""
    return {
        audience: {name: address.format(**ids) for name, address in places.items()}
        for audience, places in PLACES.items()
    }


def _few(session: Session, scene: Scene) -> Ids:
    reviewed = session.get_one(Review, scene.own["review_id"]).course_id
    return scene.own | {"payout_run_id": scene.payout_run, "reviewed_id": reviewed}


def _grow(session: Session, scene: Scene) -> Ids:
    """More of everything that stood in the scene, and the ids of what has more rows than before."""
    ids = _few(session, scene)
    with transaction() as current:
        ids["enrolment_id"] = _study(current, ids)
        _fill(current, scene, ids)
        _book(current)
        _complain(current, scene, ids)
        _write(current, ids)
        run = payouts.prepare(current, world.SCHEME, clock.today(current), world.make_finance(current))
        assert run is not None and len(run.payouts) > 2
        ids["payout_run_id"] = run.id
        [ids["payout_id"]] = [each.id for each in run.payouts if each.provider_id == ids["provider_id"]]
    return ids


def _study(session: Session, ids: Ids) -> uuid.UUID:
    """Purchases and results of the buyer's, reviews by others, earnings held and matured; a purchase."""
    provider = session.get_one(Provider, ids["provider_id"])
    buyer = session.get_one(Participant, ids["participant_id"])
    grant = grants.find_grant(session, buyer.id)
    assert grant is not None
    for number in range(MORE):
        course = factories.make_course(session, provider, price=CHEAP)
        bought = buy(
            session, factories.make_run(session, course, starts_in=timedelta(days=3), sessions=9), grant
        )
        world.make_earning(session, provider, grant=grant, course=course)
        _review(session, ids)
        other, _account = world.make_payee(session)
        world.make_earning(session, other)
        world.make_earning(session, other, hold_code="staff_bought")
        details = providers.BankDetails("BMRIIDJA", "Karya Mandiri", f"1370001{number:04d}")
        providers.propose_bank_account(session, other, details, factories.make_user(session))
    return bought.id


def _review(session: Session, ids: Ids) -> None:
    """Somebody else completes the course that has a review, and writes another."""
    provider, course = (
        session.get_one(Provider, ids["provider_id"]),
        session.get_one(Course, ids["reviewed_id"]),
    )
    done = world.make_earning(session, provider, course=course)
    reviewing.review(session, done.enrolment_id, done.enrolment.participant_id, 5, "Baik.")


def _fill(session: Session, scene: Scene, ids: Ids) -> None:
    """More people in the classes, at the provider's desk and in the programme's news; more courses kept."""
    provider = session.get_one(Provider, ids["provider_id"])
    course, officer = session.get_one(Course, ids["course_id"]), session.get_one(User, scene.people["desk"])
    over = hold_class(session, course, 0, 1, 3, 4)
    ids |= {"over_run_id": over.id, "over_session_id": over.sessions[3].id}
    for number in range(MORE):
        buy(session, session.get_one(Run, ids["run_id"]))
        buy(session, session.get_one(Run, ids["later_run_id"]))
        providers.add_staff(session, provider, factories.make_user(session), StaffRole.TEACHING)
        saving.save(session, ids["participant_id"], factories.make_course(session).id)
        now = clock.wall_now()
        draft = Draft(Severity.INFO, Audience.PROVIDERS, "Kabar.", "News.", now, now + timedelta(hours=2))
        announcements.announce(session, draft, officer, str(number))
        said = Subject(Category.OTHER), Words("Ruangannya terkunci.", uuid7().hex)
        buyer = session.get_one(Participant, ids["participant_id"])
        complaints.open_for_participant(session, buyer, *said)
        complaints.open_for_provider(session, provider.id, factories.make_staff(session, provider), *said)


def _book(session: Session) -> None:
    """Files from the bank with lines that are explained and lines that are not."""
    for number in range(MORE):
        file = BankFile(
            sha256=bytes([number]) * 32, name="camt.053", kind="statement", read_at=clock.now(session)
        )
        session.add(file)
        session.flush()
        for state in BankLineState:
            session.add(
                BankLine(
                    file_sha256=file.sha256,
                    account="1",
                    reference=f"{number} {state}",
                    booked_on=clock.today(session),
                    amount=Decimal(-5_000),
                    state=state.value,
                    reason="unknown",
                    transaction_id=None,
                )
            )


def _complain(session: Session, scene: Scene, ids: Ids) -> None:
    """Threads in which several people have written."""
    for complaint_id in (ids["complaint_id"], ids["provider_complaint_id"]):
        opener = session.get_one(complaints.Complaint, complaint_id).opener
        officer = session.get_one(User, scene.people["desk"])
        for number in range(MORE):
            complaints.answer(session, complaint_id, officer, Words(f"Kami periksa {number}.", uuid7().hex))
            sent = (Upload("bukti.pdf", b"%PDF-1.7\n%%EOF"),) * 2
            complaints.reply(
                session, complaint_id, opener, Words(f"Belum {number}.", uuid7().hex, files=sent)
            )


def _write(session: Session, ids: Ids) -> None:
    """Comments of several people on the version that waits, and more to look at beside it."""
    for number in range(MORE):
        author = _comment(session, ids)
        course = factories.make_course(session)
        changed = replace(content_of(course), price=CHEAP, description="Isi.")
        writing.edit_course(session, course.provider_id, course.id, changed, author)
        writing.submit(session, course.provider_id, course.id, author)
        details = Details(f"Sanggar {number}", f"912000123456{number}", "Jalan", "Sleman", "34", "Sulastri")
        applicant = factories.make_user(session)
        applications.write(session, applicant, details)
        applications.add_document(session, applicant, "izin.pdf", b"%PDF-1.7\n%%EOF")
        applications.submit(session, applicant)


def _comment(session: Session, ids: Ids) -> User:
    author = factories.make_user(session, name="Bayu Pratama")
    version = session.get_one(CourseVersion, ids["version_id"])
    writing.comment(session, version, author, CommentSide.PROGRAMME, "Catatan.")
    return author

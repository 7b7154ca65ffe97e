"""Two of everything: one's own, and another's, so that a page can be tried with both."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.catalogue import run_uploads, saving, uploads, version_queries, writing
from marketplace.catalogue.models import Course, Run
from marketplace.catalogue.versions import CatalogueUpload, Content
from marketplace.enrolments import certificates, exports, reviewing
from marketplace.enrolments import service as enrolments
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.service import PurchaseRequest
from marketplace.enrolments.tracking_models import EnrolmentExport, ExportKind
from marketplace.identity.models import Role, User
from marketplace.oversight import announcements, complaints
from marketplace.oversight.announcements import Draft
from marketplace.oversight.complaint_files import Upload
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import Subject
from marketplace.oversight.models import Audience, Category, Severity
from marketplace.participants.models import Participant
from marketplace.payouts import service as payouts
from marketplace.payouts.models import PayoutRun
from marketplace.providers import applications
from marketplace.providers import service as providers
from marketplace.providers.applications import Details
from marketplace.providers.models import BankAccount, Provider, ProviderDocument, StaffRole
from tests import factories
from tests.marketplace.payouts import world
from tests.web.scene_states import add_states

Ids = dict[str, uuid.UUID]
_FILE = b"source_id,title,category,mode,level,hours,price_idr,description,language\nk:1,Batik,,,,,0,,\n"


@dataclass
class Scene:
    """The users who are there (None is a stranger), and the ids of what is theirs and what is not."""

    people: dict[str, uuid.UUID | None] = field(default_factory=dict)
    own: Ids = field(default_factory=dict)
    others: Ids = field(default_factory=dict)
    payout_run: uuid.UUID = field(default_factory=uuid7)
    transaction: uuid.UUID = field(default_factory=uuid7)
    certificate: str = ""
    revoked: str = ""


def build(session: Session) -> Scene:
    """Two providers with a class each, a buyer in each class who waits for another, and a payout run that
    pays both. What is one's own has the states that pass, too."""
    factories.fund_scheme(session)
    newcomer = factories.make_user(session).id
    scene = Scene(people={"stranger": None, "newcomer": newcomer})
    scene.own, buyer, provider = _shop(session)
    scene.own |= _apply(session, newcomer) | add_states(session, buyer, provider)
    scene.others, _, _ = _shop(session)
    scene.certificate = certificates.get(session, scene.own["certificate_id"]).number
    scene.revoked = certificates.get(session, scene.own["revoked_id"]).number
    scene.people["participant"] = buyer.user_id
    scene.people["provider"] = factories.make_staff(session, provider).id
    scene.people["finance"] = factories.make_user(session, Role.FINANCE, name="Sari Wulandari").id
    scene.people["curator"] = factories.make_user(session, Role.CURATOR, name="Wulan Sihombing").id
    scene.people["desk"] = factories.make_user(session, Role.DESK, name="Hasan Basri").id
    told = announcements.announce(session, _news(), session.get_one(User, scene.people["desk"]), "a")
    scene.own["announcement_id"] = told.id
    scene.people["auditor"] = factories.make_user(session, Role.AUDITOR, name="Dewi Anggraini").id
    run = payouts.prepare(session, world.SCHEME, clock.today(session), world.make_finance(session))
    assert run is not None
    _note_payouts(scene, run)
    bought = session.get_one(Enrolment, scene.own["enrolment_id"])
    assert bought.transaction_id is not None
    scene.payout_run, scene.transaction = run.id, bought.transaction_id
    return scene


def _shop(session: Session) -> tuple[Ids, Participant, Provider]:
    provider, _account = world.make_payee(session)
    grant = factories.make_grant(session)
    buyer = grant.participant
    done = world.make_earning(session, provider, grant=grant)
    certificate = certificates.find_newest_of(session, done.enrolment_id)
    assert certificate is not None
    said = reviewing.review(session, done.enrolment_id, buyer.id, 4, "Jelas dan runtut.")
    course = factories.make_course(session, provider, price=Decimal(500_000), rating=Decimal("4.6"))
    run = factories.make_run(session, course, starts_in=timedelta(minutes=10))
    change = writing.edit_course(session, provider.id, course.id, _dearer(course), _writer(session))
    writing.submit(session, provider.id, course.id, _writer(session))
    saving.save(session, buyer.id, course.id)
    upload = uploads.keep_upload(session, provider.id, _writer(session), "kursus.csv", _FILE)
    enrolment = _buy(session, buyer, run)
    later = factories.make_run(session, course)
    awaiting = _buy(session, buyer, factories.make_run(session, course, needs_confirmation=True))
    ids = {
        "provider_id": provider.id,
        "participant_id": buyer.id,
        "course_id": course.id,
        "version_id": change.id,
        "upload_id": upload.id,
        "run_upload_id": _dates(session, provider, course).id,
        "staff_id": _colleague(session, provider).id,
        "account_id": _proposed(session, provider).id,
        "run_id": run.id,
        "session_id": run.sessions[0].id,
        "enrolment_id": enrolment.id,
        "transaction_id": enrolment.transaction_id or uuid7(),
        "later_run_id": later.id,
        "awaiting_id": awaiting.id,
        "export_id": _export(session, provider).id,
        "certificate_id": certificate.id,
        "review_id": said.id,
        "earning_id": world.make_earning(session, provider, hold_code="staff_bought").id,
        **_complain(session, provider, enrolment),
    }
    return ids, buyer, provider


def _dearer(course: Course) -> Content:
    return replace(version_queries.content_of(course), price=Decimal(600_000), description="Isi.")


def _colleague(session: Session, provider: Provider) -> User:
    user = factories.make_user(session, name="Sulastri")
    providers.add_staff(session, provider, user, StaffRole.TEACHING)
    return user


def _complain(session: Session, provider: Provider, bought: Enrolment) -> Ids:
    """The buyer about the class, the provider about nothing in particular."""
    files = (Upload("IMG-2045.pdf", b"%PDF-1.7\n%%EOF"),)
    words = Words("Ruangannya terkunci sampai pukul sepuluh.", uuid7().hex, files=files)
    said = Subject(Category.CLASS, bought.id)
    own = complaints.open_for_participant(session, bought.participant, said, words)
    claim = complaints.open_for_provider(
        session, provider.id, _writer(session), Subject(Category.OTHER), words
    )
    return {
        "complaint_id": own.id,
        "attachment_id": own.messages[0].attachments[0].id,
        "provider_complaint_id": claim.id,
        "provider_attachment_id": claim.messages[0].attachments[0].id,
    }


def _news() -> Draft:
    now = clock.wall_now()
    words = ("Bekal dipelihara malam ini.", "Bekal is being maintained tonight.")
    return Draft(Severity.INFO, Audience.EVERYBODY, *words, now, now + timedelta(hours=2))


def _proposed(session: Session, provider: Provider) -> BankAccount:
    details = providers.BankDetails("BMRIIDJA", "Karya Mandiri", "13700012345")
    return providers.propose_bank_account(session, provider, details, _writer(session))


def _apply(session: Session, user_id: uuid.UUID) -> Ids:
    """Two applications with a document each: the user's is not handed in yet, another's waits for a look."""
    user, other = session.get_one(User, user_id), factories.make_user(session, name="Sulastri")
    drafted, document = _draft(session, user), _draft(session, other)
    applications.submit(session, other)
    return {
        "application_id": document.application_id,
        "document_id": document.id,
        "drafted_document_id": drafted.id,
    }


def _draft(session: Session, user: User) -> ProviderDocument:
    details = Details("Sanggar Kopi Merapi", "9120001234567", "Jalan Kaliurang", "Sleman", "34", "Sulastri")
    applications.write(session, user, details)
    return applications.add_document(session, user, "izin.pdf", b"%PDF-1.7\n%%EOF")


def _dates(session: Session, provider: Provider, course: Course) -> CatalogueUpload:
    """A file with one run that could be opened, and one that could not."""
    day = clock.today(session) + timedelta(days=20)
    rows = (f"{course.title},{day},09:00,12:00,20", f"{course.title},{day},12:00,09:00,20")
    content = "\n".join(("course,date,start,end,seats", *rows)).encode()
    return run_uploads.keep(session, provider.id, _writer(session), "jadwal.csv", content)


def _writer(session: Session) -> User:
    return factories.make_user(session, name="Bayu Pratama")


def _export(session: Session, provider: Provider) -> EnrolmentExport:
    order = exports.Order(ExportKind.CSV, "", "id", 2)
    export = exports.request(session, provider.id, order, factories.make_user(session))
    exports.finish(session, export.id, b"Peserta", 2)
    return export


def _buy(session: Session, buyer: Participant, run: Run) -> Enrolment:
    seen = (run.course.version, run.course.price, run.needs_confirmation)
    request = PurchaseRequest(buyer.id, run.id, str(uuid7()), *seen)
    return enrolments.purchase(session, request)


def _note_payouts(scene: Scene, run: PayoutRun) -> None:
    paid_to = {payout.provider_id: payout.id for payout in run.payouts}
    for ids in (scene.own, scene.others):
        ids["payout_id"] = paid_to[ids["provider_id"]]

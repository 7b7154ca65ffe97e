"""What people complain about: one waits for an answer, one went to a second person, one was solved. And
what the office tells everybody meanwhile.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.dev.demo import stage, troupe
from marketplace.enrolments.models import LIVE, Enrolment, EnrolmentState
from marketplace.oversight import announcements, complaints
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight.announcements import Draft
from marketplace.oversight.complaint_queries import Filters
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import Subject
from marketplace.oversight.models import Audience, Category, Complaint, ComplaintState, Severity
from marketplace.providers import queries as providers

_ATTENDANCE = (
    "Saya hadir di sesi terakhir, tetapi kodenya tidak muncul di layar sampai kelas bubar. Kehadiran saya "
    "tercatat kurang satu."
)
_CLASS = "Pengajarnya diganti tanpa kabar, dan dua kali mulai terlambat setengah jam."
_PROVIDER = "Nama di sertifikat peserta kami tertulis tanpa gelar. Apakah bisa ditambahkan?"

_NEWS = (
    "Lusa pukul 22.00 sampai 23.00 WIB Bekal dipelihara. Membeli tetap bisa; pesan bisa terlambat.",
    "In two days, from 22:00 to 23:00 WIB, Bekal is maintained. Buying goes on; messages may be late.",
)


def complain(session: Session) -> None:
    """A participant of a class that is over, one of a class to come, and a provider write."""
    over, coming = (_first(session, states) for states in ((EnrolmentState.COMPLETED,), LIVE))
    wrongs = ((over, Category.ATTENDANCE, _ATTENDANCE), (coming, Category.CLASS, _CLASS))
    for enrolment, category, text in wrongs:
        said, words = Subject(category, enrolment.id), Words(text, category)
        complaints.open_for_participant(session, enrolment.participant, said, words)
    provider = providers.find_by_name(session, stage.provider_cards()[0].name)
    assert provider  # register_providers has made it
    staff = troupe.staff_of(session, provider.id)
    said = Subject(Category.OTHER)
    complaints.open_for_provider(session, provider.id, staff, said, Words(_PROVIDER, "1"))


def answer(session: Session) -> None:
    """The desk answers all but the class to come; the provider is content."""
    officer = stage.office_user(session, stage.DESK)
    for each in queries.list_queue(session, Filters(), clock.now(session)).shown:
        if each.category != Category.CLASS:
            text = "Terima kasih. Kami sudah menanyakannya, dan menurut daftarnya sudah benar."
            complaints.answer(session, each.id, officer, Words(text, "2"))
        if each.provider_id is not None:
            complaints.accept(session, each.id, each.opener)


def insist(session: Session) -> None:
    """The one about attendance is not solved."""
    waiting = select(Complaint).where(Complaint.state == ComplaintState.ANSWERED)
    for each in session.scalars(waiting).all():
        text = "Belum. Tiga teman sekelas bisa membenarkan bahwa layarnya mati."
        complaints.insist(session, each.id, each.opener, Words(text, "3"))


def announce(session: Session) -> None:
    """Something calm that is true for two days."""
    now = clock.wall_now()
    draft = Draft(Severity.INFO, Audience.EVERYBODY, *_NEWS, now, now + timedelta(days=2))
    announcements.announce(session, draft, stage.office_user(session, stage.DESK), "1")


def _first(session: Session, states: tuple[EnrolmentState, ...]) -> Enrolment:
    wanted = select(Enrolment).where(Enrolment.state.in_(states))
    return session.scalars(wanted.order_by(Enrolment.id).limit(1)).one()

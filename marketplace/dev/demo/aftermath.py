"""What follows a declared run: a correction; reviews, some of them bad, and what providers answer."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalogue.models import Run
from marketplace.dev.demo import troupe
from marketplace.enrolments import correction, reviewing
from marketplace.enrolments.correction import Wish
from marketplace.enrolments.models import Enrolment, EnrolmentState

INCENTIVE_AFTER = 9
"""Days after a declaration by which a certificate is surely final."""

_OPINIONS = (
    (5, "Saya baru sadar warung saya rugi di gas dan plastik. Sekarang tiap malam catat 10 menit.", ""),
    (4, "Pengajarnya sabar, contohnya dekat dengan pekerjaan saya.", "Terima kasih, sampai jumpa lagi."),
    (3, "Materinya bagus, tetapi ruangannya panas dan mulai telat 20 menit.", "Ruangannya sudah kami ganti."),
    (5, "Runtut dari awal sampai akhir. Langsung saya pakai di toko.", ""),
    (2, "Terlalu cepat untuk pemula. Saya ketinggalan sejak sesi ketiga.", ""),
)


def correct(session: Session, run_id: uuid.UUID) -> None:
    """Its provider finds that somebody had been ticked for a last session which they did not come to."""
    done = (Enrolment.run_id == run_id) & (Enrolment.state == EnrolmentState.COMPLETED)
    newest = select(Enrolment.id).where(done).order_by(Enrolment.id.desc()).limit(1)
    sessions = [each.id for each in session.get_one(Run, run_id).sessions]
    wish = Wish(
        1,
        frozenset(sessions[:-1]),
        "Kodenya diketikkan temannya; ia sendiri pulang sebelum sesi terakhir",
        "Daftar hadir bertanda tangan, halaman 3",
    )
    enrolment_id = session.scalars(newest).one()
    correction.correct(session, enrolment_id, wish, troupe.staff_of_run(session, run_id))


def review(session: Session, run_id: uuid.UUID) -> None:
    """Whoever completed a run says what they think, and its provider answers some."""
    done = (Enrolment.run_id == run_id) & (Enrolment.state == EnrolmentState.COMPLETED)
    completed = session.scalars(select(Enrolment).where(done).order_by(Enrolment.id)).all()
    for number, enrolment in enumerate(completed):
        rating, words, answer = _OPINIONS[number % len(_OPINIONS)]
        written = reviewing.review(session, enrolment.id, enrolment.participant_id, rating, words)
        if answer:
            reviewing.answer(session, written.id, answer, troupe.staff_of_run(session, run_id))

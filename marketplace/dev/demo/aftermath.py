"""What follows a declared run: reviews, some of them bad, and what providers answer."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.dev.demo import troupe
from marketplace.enrolments import reviewing
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


def review(session: Session, run_id: uuid.UUID) -> None:
    """Whoever completed a run says what they think, and its provider answers some."""
    done = (Enrolment.run_id == run_id) & (Enrolment.state == EnrolmentState.COMPLETED)
    completed = session.scalars(select(Enrolment).where(done).order_by(Enrolment.id)).all()
    for number, enrolment in enumerate(completed):
        rating, words, answer = _OPINIONS[number % len(_OPINIONS)]
        written = reviewing.review(session, enrolment.id, enrolment.participant_id, rating, words)
        if answer:
            reviewing.answer(session, written.id, answer, troupe.staff_of_run(session, run_id))

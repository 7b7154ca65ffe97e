"""What providers write and the programme office looks at: something waits, something came back."""

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalogue import curation, version_queries, writing
from marketplace.catalogue.models import Course
from marketplace.catalogue.versions import Content
from marketplace.dev.demo import stage, troupe
from marketplace.identity import service as identity
from marketplace.providers import applications
from marketplace.providers import queries as providers
from marketplace.providers.applications import Details

_APPLICANT = "yuliana.rahmadani@sanggar.example"
_DOCUMENT = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
)
_NEW = Content(
    title="Video pendek untuk jualan: dari naskah sampai unggah",
    price=Decimal(420_000),
    hours=18,
    category="Digital dan kantor",
    mode="online",
    level="beginner",
    description="Anda membuat empat video satu menit dengan ponsel: menulis naskah, merekam, memotong, dan "
    "memberi teks.\n\nYang perlu disiapkan: ponsel dengan kamera dan ruang kosong 4 GB.",
)
_COMMENT = "Sebutkan apa yang dihasilkan peserta, dan apakah bahan prakteknya sudah termasuk harga."


def submit_courses(session: Session) -> None:
    """A new course and a dearer version of one on sale wait for a look; a third course came back."""
    cards = stage.provider_cards()
    first, second, third = (providers.find_by_name(session, card.name) for card in cards[:3])
    assert first and second and third  # register_providers has made them
    writer = troupe.staff_of(session, first.id)
    waiting = writing.draft_course(session, first.id, _NEW, writer)
    writing.submit(session, first.id, waiting.course_id, writer, "Kursus baru, mulai bulan depan.")
    sold = session.scalars(select(Course).where(Course.provider_id == second.id).limit(1)).one()
    offer = version_queries.content_of(sold)
    dearer = replace(offer, price=offer.price + 75_000, hours=(offer.hours or 24) + 4)
    writer = troupe.staff_of(session, second.id)
    writing.edit_course(session, second.id, sold.id, dearer, writer)
    writing.submit(session, second.id, sold.id, writer, "Ditambah satu sesi praktek.")
    writer = troupe.staff_of(session, third.id)
    returned = writing.draft_course(session, third.id, replace(_NEW, title="Sambal kemasan tahan lama",
        category="Kuliner", mode="in_person", description="Belajar membuat sambal."), writer)  # fmt: skip
    writing.submit(session, third.id, returned.course_id, writer)
    curator = stage.office_user(session, stage.CURATOR)
    curation.return_version(session, returned.id, curator, _COMMENT)


def apply(session: Session) -> None:
    """An organisation has handed in its application."""
    user = identity.create_user(session, name="Yuliana Rahmadani", contact=_APPLICANT)
    details = Details(
        "Sanggar Tenun Watubela",
        "9120304567812",
        "Jalan Pantai Kelapa 7",
        "Maumere",
        "53",
        "Yuliana Rahmadani",
    )
    applications.write(session, user, details)
    applications.add_document(session, user, "izin-usaha.pdf", _DOCUMENT)
    applications.submit(session, user)

"""What people in line for a full run are told."""

from collections.abc import Mapping

from marketplace.catalogue.models import CourseState, RunState
from marketplace.enrolments.messages import reader_of, rupiah
from marketplace.enrolments.places import PlaceState, WaitingPlace

_WORDS: Mapping[str, Mapping[PlaceState, tuple[str, str]]] = {
    "id": {
        PlaceState.OFFERED: (
            "Ada kursi untuk Anda: {title}",
            "Satu kursi disimpan untuk Anda sampai {until}. Beli dengan saldo pelatihan {price} lewat "
            "halaman Kursus saya. Bila tidak dibeli, kursi ditawarkan kepada orang berikutnya.",
        ),
        PlaceState.WAITING: (
            "Kursi Anda ditunda: {title}",
            "Kursus ini sedang tidak dijual, jadi kursi yang disimpan untuk Anda belum bisa dibeli. Tempat "
            "Anda di daftar tunggu tetap; Anda dikabari begitu kursi bisa dibeli lagi. Saldo Anda tidak "
            "berubah.",
        ),
        PlaceState.MISSED: (
            "Kursi tidak diambil: {title}",
            "Kursi yang disimpan untuk Anda tidak dibeli sampai batas waktunya, jadi sudah ditawarkan kepada "
            "orang berikutnya. Anda bisa masuk daftar tunggu lagi. Saldo Anda tidak berubah.",
        ),
        PlaceState.CLOSED: (
            "Daftar tunggu ditutup: {title}",
            "Tidak ada kursi untuk Anda sampai daftar tunggunya ditutup. Anda bisa memilih jadwal atau "
            "kursus lain. Saldo Anda tidak berubah.",
        ),
    },
    "en": {
        PlaceState.OFFERED: (
            "A seat for you: {title}",
            "A seat is kept for you until {until}. Buy it with your training balance for {price} on the page "
            "My courses. If it is not bought, it is offered to the next person.",
        ),
        PlaceState.WAITING: (
            "Your seat has to wait: {title}",
            "This course is not on sale at the moment, so the seat kept for you cannot be bought yet. You "
            "keep your place in the waiting list, and we tell you when a seat can be bought again. Your "
            "balance has not changed.",
        ),
        PlaceState.MISSED: (
            "The seat was not taken: {title}",
            "The seat kept for you was not bought in time, so it has been offered to the next person. You "
            "can join the waiting list again. Your balance has not changed.",
        ),
        PlaceState.CLOSED: (
            "The waiting list is closed: {title}",
            "There was no seat for you before the waiting list closed. You can choose another run or course. "
            "Your balance has not changed.",
        ),
    },
}
_CALLED_OFF = {
    "id": "Lembaga membatalkan jadwal ini. Anda bisa memilih jadwal atau kursus lain. Saldo Anda tidak "
    "berubah.",
    "en": "The provider cancelled this run. You can choose another run or course. Your balance has not "
    "changed.",
}
_WITHDRAWN = {
    "id": "Lembaga tidak menjual kursus ini lagi. Anda bisa memilih kursus lain. Saldo Anda tidak berubah.",
    "en": "The provider does not sell this course any more. You can choose another course. Your balance has "
    "not changed.",
}


def about(place: WaitingPlace) -> tuple[str, str] | None:
    """Subject and body for the state of a place, or None where its owner has done it themselves.

    Who waits has been offered a seat before: nobody is told that they have joined.
    """
    reader = reader_of(place.participant.user, place.participant)
    words = _WORDS[reader.locale].get(PlaceState(place.state))
    if words is None:
        return None
    subject, body = words
    course = place.run.course
    if place.state == PlaceState.CLOSED and place.run.state == RunState.CANCELLED:
        body = _CALLED_OFF[reader.locale]
    elif place.state == PlaceState.CLOSED and course.state == CourseState.WITHDRAWN:
        body = _WITHDRAWN[reader.locale]
    until, price = reader.moment(place.offer_until), rupiah(course.price)
    return subject.format(title=course.title), body.format(until=until, price=price)

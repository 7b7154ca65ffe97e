"""What whoever complained is told, in the language they chose."""

from marketplace.enrolments.messages import reader_of
from marketplace.identity.models import User
from marketplace.oversight.models import Complaint, ComplaintState, Remedy

_OPENED = {
    "id": (
        "Pengaduan {number} diterima",
        "Kami menjawab paling lambat {due}. Anda bisa membacanya dan menambahkan sesuatu di Bekal, "
        "pada Pengaduan.",
    ),
    "en": (
        "Complaint {number} received",
        "We answer by {due} at the latest. You can read it and add to it in Bekal, under Complaints.",
    ),
}
_SUBJECTS = {
    "id": {
        ComplaintState.ANSWERED: "Jawaban atas pengaduan {number}",
        ComplaintState.ESCALATED: "Pengaduan {number} diteruskan",
        ComplaintState.CLOSED: "Pengaduan {number} ditutup",
        ComplaintState.UPHELD: "Pengaduan {number} dikabulkan",
    },
    "en": {
        ComplaintState.ANSWERED: "An answer to complaint {number}",
        ComplaintState.ESCALATED: "Complaint {number} handed on",
        ComplaintState.CLOSED: "Complaint {number} closed",
        ComplaintState.UPHELD: "Complaint {number} upheld",
    },
}
_NEXT = {
    "id": {
        ComplaintState.ANSWERED: "Belum selesai? Balas atau minta diperiksa orang kedua sampai {due}. "
        "Sesudah itu pengaduan kami tutup.",
        ComplaintState.ESCALATED: "Orang kedua di kantor program memutuskannya paling lambat {due}.",
        ComplaintState.CLOSED: "Pengaduan ini sudah selesai. Bila ada hal baru, buat pengaduan baru.",
        Remedy.REFUND: "Pembelian dibatalkan oleh program, dan uangnya kembali.",
        Remedy.HOLD: "Pembayaran ke lembaga ditahan sampai kantor program selesai memeriksanya.",
    },
    "en": {
        ComplaintState.ANSWERED: "Still not solved? Reply, or ask for a second person, until {due}. "
        "After that we close the complaint.",
        ComplaintState.ESCALATED: "A second person of the programme office decides by {due} at the latest.",
        ComplaintState.CLOSED: "This complaint is over. If something new comes up, open another one.",
        Remedy.REFUND: "The programme has cancelled the purchase, and the money goes back.",
        Remedy.HOLD: "What the provider would be paid is held until the programme office has looked at it.",
    },
}
_SILENT = {
    "id": (
        "Pengaduan {number} ditutup",
        "Kami tidak menerima balasan atas jawaban kami, jadi pengaduan ini ditutup. "
        "Bila ada hal baru, buat pengaduan baru.",
    ),
    "en": (
        "Complaint {number} closed",
        "We had no reply to our answer, so this complaint is closed. "
        "If something new comes up, open another one.",
    ),
}


def opened(complaint: Complaint, actor: User) -> tuple[str, str]:
    """Subject and body of the receipt for a complaint."""
    reader = reader_of(actor, complaint.participant or complaint.provider)
    subject, body = _OPENED[reader.locale]
    return subject.format(number=complaint.number), body.format(due=reader.moment(complaint.due_at))


def written(complaint: Complaint, text: str) -> tuple[str, str]:
    """Subject and body of the office's words, and what happens next."""
    reader = reader_of(complaint.opener, complaint.participant or complaint.provider)
    state = ComplaintState(complaint.state)
    subject = _SUBJECTS[reader.locale][state].format(number=complaint.number)
    step = Remedy(complaint.remedy) if complaint.remedy else state
    return subject, f"{text}\n\n{_NEXT[reader.locale][step].format(due=reader.moment(complaint.due_at))}"


def fell_silent(complaint: Complaint) -> tuple[str, str]:
    """Subject and body when the time to reply is over."""
    subject, body = _SILENT[reader_of(complaint.opener).locale]
    return subject.format(number=complaint.number), body

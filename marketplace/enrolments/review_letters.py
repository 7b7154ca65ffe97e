"""What people are told about their reviews, in the language they chose."""

from marketplace.enrolments.learning_models import Review

_ANSWERED = {
    "id": (
        "Lembaga menjawab ulasan Anda: {title}",
        "Jawabannya tampil di halaman kursus, di bawah ulasan Anda:\n\n{answer}",
    ),
    "en": (
        "The provider answered your review: {title}",
        "The answer stands on the course's page, under your review:\n\n{answer}",
    ),
}


def answered(review: Review, locale: str) -> tuple[str, str]:
    """Subject and body when the provider has answered."""
    subject, body = _ANSWERED.get(locale, _ANSWERED["id"])
    return subject.format(title=review.enrolment.course_title), body.format(answer=review.answer)

"""The surveys in words: questions, and their options in the order in which they are asked."""

from flask_babel import gettext as _

from marketplace.payouts.surveys import Questions

Field = tuple[str, str, list[tuple[str, str]]]


def survey_title(number: int) -> str:
    """What a survey is about."""
    titles = (
        _("Tentang pelatihan Anda"),
        _("Tentang pekerjaan Anda"),
        _("Tentang keterampilan baru Anda"),
    )
    return titles[number - 1]


def survey_fields(questions: Questions) -> list[Field]:
    """(name, question, options) for each question."""
    words = _question_words()
    return [
        (code, words[code], [(option, _option_words(option)) for option in options])
        for code, options in questions.items()
    ]


def _question_words() -> dict[str, str]:
    return {
        "useful": _("Seberapa berguna pelatihan ini?"),
        "pace": _("Bagaimana kecepatan mengajarnya?"),
        "recommend": _("Apakah Anda menyarankannya kepada teman?"),
        "work_before": _("Apa kegiatan utama Anda sebelum pelatihan?"),
        "work_now": _("Apa kegiatan utama Anda sekarang?"),
        "income": _("Bagaimana penghasilan Anda dibanding sebelum pelatihan?"),
        "skill_used": _("Seberapa sering Anda memakai keterampilan dari pelatihan?"),
        "next": _("Apa rencana Anda berikutnya?"),
        "programme": _("Seberapa puas Anda dengan program ini?"),
    }


def _option_words(code: str) -> str:
    return {
        "5": _("5, sangat baik"),
        "4": _("4, baik"),
        "3": _("3, cukup"),
        "2": _("2, kurang"),
        "1": _("1, buruk"),
        "too_slow": _("Terlalu lambat"),
        "right": _("Pas"),
        "too_fast": _("Terlalu cepat"),
        "yes": _("Ya"),
        "unsure": _("Ragu-ragu"),
        "no": _("Tidak"),
        "employed": _("Bekerja pada orang lain"),
        "business": _("Usaha sendiri"),
        "seeking": _("Mencari pekerjaan"),
        "home": _("Mengurus rumah tangga"),
        "higher": _("Lebih tinggi"),
        "same": _("Sama saja"),
        "lower": _("Lebih rendah"),
        "none": _("Belum berpenghasilan"),
        "daily": _("Setiap hari"),
        "weekly": _("Setiap pekan"),
        "seldom": _("Jarang"),
        "never": _("Tidak pernah"),
        "another_course": _("Mengikuti pelatihan lain"),
        "work": _("Mencari pekerjaan baru"),
        "nothing": _("Belum ada rencana"),
    }[code]

"""Who may register and who may buy: every check has a code and a sentence in two languages."""

from datetime import date

from marketplace.participants import nik as niks
from marketplace.participants.errors import (
    KkMalformed,
    NikBirthDateMismatch,
    NikMalformed,
    OverAge,
    UnderAge,
)
from marketplace.participants.nik import MalformedNik, Nik
from marketplace.schemes.models import Scheme

_KK_LENGTH = 16

BLOCKS = ("blacklisted", "in_formal_education", "civil_servant_or_officer")
"""Reasons that can come after the award: a purchase fails on them and freezes the grant."""

SENTENCES: dict[str, tuple[str, str]] = {
    # code: Indonesian, English
    "nik_malformed": (
        "NIK terdiri dari 16 angka dan memuat tanggal lahir. Periksa kembali di KTP Anda.",
        "A NIK has 16 digits and contains a birth date. Check it on your identity card.",
    ),
    "nik_taken": (
        "NIK ini sudah terdaftar dengan akun lain. Masuk dengan akun itu, atau ajukan keberatan.",
        "This NIK is registered with another login. Sign in with that one, or object.",
    ),
    "nik_birth_date_mismatch": (
        "Tanggal lahir tidak sama dengan yang termuat dalam NIK. Periksa keduanya di KTP Anda.",
        "The birth date is not the one in the NIK. Check both on your identity card.",
    ),
    "kk_malformed": (
        "Nomor KK terdiri dari 16 angka yang tertulis di bagian atas kartu keluarga.",
        "A family card number has the 16 digits printed at the top of the card.",
    ),
    "kk_quota_full": (
        "Jumlah anggota kartu keluarga ini yang sudah terdaftar telah mencapai batas skema.",
        "As many people of this family card are registered as the scheme allows.",
    ),
    "under_age": (
        "Usia Anda belum mencapai batas usia pendaftaran.",
        "You are younger than the age for application.",
    ),
    "over_age": (
        "Usia Anda melewati batas usia pendaftaran.",
        "You are older than the age for application.",
    ),
    "name_missing": (
        "Isi nama lengkap seperti di KTP Anda.",
        "Give your full name as on your identity card.",
    ),
    "province_unknown": ("Pilih provinsi tempat tinggal Anda.", "Choose the province in which you live."),
    "already_registered": (
        "Akun ini sudah terdaftar atas nama orang lain. Gunakan akun Anda sendiri.",
        "This login is registered to another person. Use one of your own.",
    ),
    "blacklisted": (
        "Nama Anda ada dalam daftar yang tidak boleh membeli pelatihan. Anda dapat mengajukan keberatan.",
        "You are on the list of people who may not buy training. You can object.",
    ),
    "in_formal_education": (
        "Peserta yang sedang menempuh pendidikan formal tidak dapat membeli pelatihan. "
        "Anda dapat mengajukan keberatan.",
        "People in formal education cannot buy training. You can object.",
    ),
    "civil_servant_or_officer": (
        "Aparatur negara, TNI, Polri dan pejabat tidak dapat membeli pelatihan. "
        "Anda dapat mengajukan keberatan.",
        "Civil servants, members of the armed forces or police, and officials cannot buy training. "
        "You can object.",
    ),
}


def sentence(code: str, locale: str = "id") -> str:
    """A reason in words. Raises KeyError for a code that has none."""
    indonesian, english = SENTENCES[code]
    return english if locale == "en" else indonesian


def check_identity(nik: str, birth_date: date, today: date) -> Nik:
    """The NIK as stated. Raises NikMalformed and NikBirthDateMismatch."""
    try:
        found = niks.parse(nik, today=today)
    except MalformedNik as error:
        raise NikMalformed(str(error), template=error.template, **error.details) from error
    if not found.matches(birth_date):
        raise NikBirthDateMismatch()
    return found


def check_family_card(kk: str) -> str:
    """The sixteen digits of a family card's number. Raises KkMalformed."""
    try:
        digits = niks.normalise(kk)
    except MalformedNik as error:
        raise KkMalformed() from error
    if len(digits) != _KK_LENGTH:
        raise KkMalformed(typed=len(digits))
    if len(set(digits)) == 1:
        raise KkMalformed()
    return digits


def check_age(birth_date: date, scheme: Scheme, today: date) -> None:
    """The age on the day of application, in whole years. Raises UnderAge and OverAge."""
    age = age_on(birth_date, today)
    if age < scheme.minimum_age:
        raise UnderAge(age=age, minimum=scheme.minimum_age)
    if age > scheme.maximum_age:
        raise OverAge(age=age, maximum=scheme.maximum_age)


def age_on(birth_date: date, day: date) -> int:
    """Whole years; who is born on 29 February has a birthday on 1 March in other years."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday)

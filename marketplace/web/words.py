"""The words of every refusal, by its stable code. Figures come from the error's details."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.participants.eligibility import sentence
from marketplace.web.catalogue.labels import too_short_words
from marketplace.web.course_words import field_name
from marketplace.web.formatting import long_date, moment, rupiah
from marketplace.web.language import current_language

Details = dict[str, Any]


def _document_words(fault: str) -> str:
    """Why a document is not kept."""
    return {
        "empty": _("Pilih dokumen yang tidak kosong."),
        "too_large": _("Dokumen terlalu besar. Paling besar 2 MB."),
        "too_many": _("Jumlah dokumen sudah paling banyak. Hapus satu lebih dulu."),
        "too_many_at_once": _("Terlalu banyak berkas. Pilih paling banyak tiga."),
        "kind": _("Hanya PDF, PNG, atau JPEG yang diterima."),
        "damaged": _("Dokumen ini rusak atau terpotong. Simpan ulang, lalu unggah lagi."),
        "active": _(
            "PDF ini berisi skrip, lampiran, formulir, atau kata sandi. Cetak ke PDF baru, lalu unggah lagi."
        ),
    }[fault]


def _plan_words(details: Details) -> str:
    """What is wrong with the times of a run."""
    if details.get("fault") == "past":
        return _("Sesi pertama harus masih akan datang.")
    if details.get("fault") == "after_scheme":
        return _(
            "Paling lambat selesai %(day)s: sesudah itu saldo pelatihan tidak berlaku.",
            day=long_date(details["ends_on"]),
        )
    return _("Rencana jadwal ini tidak cocok: periksa kursi dan urutan sesinya.")


def _wrong_code(left: int) -> str:
    """How many more tries the newest code has; after the last one only a new code helps."""
    if left < 1:
        return _("Kode itu tidak cocok, dan tidak bisa dicoba lagi. Minta kode baru.")
    return ngettext(
        "Kode itu tidak cocok. Periksa pesan yang paling baru; masih bisa dicoba %(num)s kali.",
        "Kode itu tidak cocok. Periksa pesan yang paling baru; masih bisa dicoba %(num)s kali.",
        left,
    )


def _changed_words(what: str) -> str:
    """What has become another since it was shown, and what to do about it."""
    return {
        "version": _(
            "Lembaga mengajukan ulang kursus ini setelah Anda membukanya, jadi keputusan Anda belum dicatat. "
            "Baca isinya yang sekarang, lalu catat keputusannya lagi."
        ),
        "application": _(
            "Pendaftar mengirim ulang pendaftaran ini setelah Anda membukanya, jadi keputusan Anda belum "
            "dicatat. Periksa data dan dokumennya yang sekarang, lalu catat keputusannya lagi."
        ),
        "review": _(
            "Ulasan ini atau jawabannya berubah setelah Anda membukanya, jadi jawaban Anda belum disimpan. "
            "Baca yang tampil sekarang, lalu simpan lagi."
        ),
        "draft": _(
            "Naskah ini berubah setelah Anda membukanya, jadi isian Anda belum disimpan. Bandingkan keduanya "
            "di bawah, lalu simpan lagi."
        ),
    }[what]


WORDS: dict[str, Callable[[Details], str]] = {
    # signing in
    "contact_invalid": lambda d: _(
        "Tulis alamat e-mail atau nomor ponsel yang benar, misalnya nama@contoh.id."
    ),
    "rate_limited": lambda d: ngettext(
        "Kode sudah diminta terlalu sering. Tunggu %(num)s menit, lalu coba lagi.",
        "Kode sudah diminta terlalu sering. Tunggu %(num)s menit, lalu coba lagi.",
        -(-int(d["retry_after"]) // 60),
    ),
    "code_wrong": lambda d: _wrong_code(d["left"]),
    "code_expired": lambda d: _("Kode ini sudah tidak berlaku. Minta kode baru."),
    # registering
    "under_age": lambda d: _(
        "Peserta berusia paling sedikit %(minimum)s tahun; Anda %(age)s tahun.",
        minimum=d["minimum"],
        age=d["age"],
    ),
    "over_age": lambda d: _(
        "Peserta berusia paling banyak %(maximum)s tahun; Anda %(age)s tahun.",
        maximum=d["maximum"],
        age=d["age"],
    ),
    "kk_malformed": lambda d: _("Nomor KK terdiri dari 16 angka; Anda mengetik %(typed)s.", typed=d["typed"]),
    "kk_quota_full": lambda d: _(
        "Satu kartu keluarga paling banyak %(allowed)s peserta, dan jumlah itu sudah tercapai.",
        allowed=d["allowed"],
    ),
    # certificates, reviews, surveys
    "survey_not_open": lambda d: _("Survei dibuka setelah insentif pertama menjadi hak Anda."),
    "not_completed": lambda d: _("Ulasan bisa ditulis setelah kursus selesai."),
    "review_answered": lambda d: _(
        "Lembaga sudah menjawab ulasan ini, jadi ulasannya tidak bisa diubah lagi."
    ),
    "reason_missing": lambda d: _("Tulis alasannya: yang menerima keputusan ini membacanya."),
    # buying
    "insufficient_balance": lambda d: _(
        "Kurang %(short)s. Saldo Anda %(balance)s, harga kursus %(price)s.",
        short=rupiah(d["short_by"]),
        balance=rupiah(d["balance"]),
        price=rupiah(d["price"]),
    ),
    "no_seats": lambda d: _(
        "Kursi terakhir jadwal ini baru saja terisi. Saldo Anda tidak berkurang. Pilih jadwal lain."
    ),
    "run_started": lambda d: _("Kelas ini sudah mulai. Saldo Anda tidak berkurang. Pilih jadwal lain."),
    "run_cancelled": lambda d: _("Jadwal ini dibatalkan oleh lembaga. Saldo Anda tidak berkurang."),
    "already_enrolled": lambda d: _("Anda sudah terdaftar di jadwal ini. Lihat di Kursus saya."),
    "offer_changed": lambda d: _(
        "Harga atau isi kursus berubah sejak Anda melihatnya. Periksa lagi; saldo Anda belum berkurang."
    ),
    "grant_missing": lambda d: _("Bantuan pelatihan Anda belum masuk ke saldo. Kami kabari begitu masuk."),
    "balance_expired": lambda d: _("Masa pakai saldo pelatihan Anda sudah berakhir."),
    "course_outside_scheme": lambda d: (
        too_short_words(d["hours"])
        if d["reason"] == "shortest_hours"
        else _(
            "Jadwal ini selesai sesudah %(day)s, hari terakhir bantuan Anda. Pilih jadwal yang lebih awal.",
            day=long_date(d["ends_on"]),
        )
    ),
    "not_eligible": lambda d: _(
        "Saldo Anda dibekukan. %(reason)s", reason=sentence(d["reason"], current_language())
    ),
    "key_reused": lambda d: _("Formulir ini sudah dipakai untuk pembelian lain. Buka lagi halaman kursus."),
    "seats_left": lambda d: _("Jadwal ini masih punya kursi. Anda bisa langsung membeli."),
    "line_closed": lambda d: _(
        "Kelas ini segera mulai, jadi daftar tunggunya sudah ditutup. Pilih jadwal lain."
    ),
    "confirmation_closed": lambda d: _(
        "Kelas ini mulai terlalu dekat bagi lembaga untuk mengonfirmasi kursi. Pilih jadwal lain."
    ),
    "confirmation_over": lambda d: _(
        "Batas konfirmasi sudah lewat (%(until)s), jadi uangnya kembali ke peserta.",
        until=moment(d["confirm_by"]),
    ),
    "too_late_to_cancel": lambda d: _(
        "Kelas sudah mulai atau kehadiran Anda sudah tercatat, jadi pembelian ini tidak bisa dibatalkan lagi."
    ),
    "course_not_on_sale": lambda d: _("Kursus ini sedang tidak dijual. Saldo Anda tidak berkurang."),
    # saving
    "saved_too_many": lambda d: ngettext(
        "Paling banyak %(num)s kursus bisa disimpan. Hapus yang tidak perlu, lalu simpan lagi.",
        "Paling banyak %(num)s kursus bisa disimpan. Hapus yang tidak perlu, lalu simpan lagi.",
        d["most"],
    ),
    # attending
    "check_in_code_wrong": lambda d: _("Kode itu tidak cocok. Lihat kode terbaru di layar kelas."),
    "not_yet": lambda d: _("Presensi dibuka %(opens)s.", opens=moment(d["opens_at"])),
    "session_over": lambda d: _("Sesi ini sudah selesai. Minta lembaga mencatat kehadiran Anda."),
    "not_enrolled": lambda d: _("Anda tidak terdaftar di kelas ini."),
    "check_in_blocked": lambda d: _(
        "Terlalu banyak kode salah. Tunggu sampai %(until)s, lalu coba lagi.", until=moment(d["until"])
    ),
    "run_not_over": lambda d: _("Kelas belum selesai. Penyelesaian bisa dinyatakan setelah sesi terakhir."),
    "result_final": lambda d: _("Hasil ini sudah tetap, jadi tidak bisa dikoreksi lagi."),
    "nothing_corrected": lambda d: _("Dengan centang ini persennya tetap sama. Ubah dulu, lalu tinjau."),
    "correction_outdated": lambda d: _(
        "Hasil ini sudah dikoreksi sejak halaman ini dibuka. Periksa dulu yang berlaku sekarang."
    ),
    "already_spent": lambda d: _(
        "Sisa yang kembali ke peserta sudah dipakai, jadi hasil yang lebih tinggi tidak bisa dibayar lagi. "
        "Saldo peserta tidak boleh kurang dari nol."
    ),
    "receipt_unknown": lambda d: _(
        "Tidak ada pendaftaran bernomor %(receipt)s di lembaga ini.", receipt=d["receipt"]
    ),
    "evidence_of_others": lambda d: ngettext(
        "Presensi yang dicoret satu-satunya bukti bahwa kelas ini berlangsung bagi %(num)s peserta lain, "
        "jadi tidak bisa dicoret.",
        "Presensi yang dicoret satu-satunya bukti bahwa kelas ini berlangsung bagi %(num)s peserta lain, "
        "jadi tidak bisa dicoret.",
        d["others"],
    ),
    "too_many_exports": lambda d: _("Beberapa berkas masih disiapkan. Tunggu sampai salah satunya selesai."),
    "too_many_messages": lambda d: _(
        "Paling banyak %(most)s pesan dalam 24 jam untuk satu jadwal. Coba lagi nanti.", most=d["most"]
    ),
    "nobody_to_tell": lambda d: _("Tidak ada peserta yang bisa menerima pesan di jadwal ini."),
    # a provider's staff and account
    "staff_taken": lambda d: _(
        "Kontak itu tidak bisa ditambahkan. Pakai alamat e-mail kerja yang belum dipakai di Bekal."
    ),
    "last_owner": lambda d: _("Harus selalu ada satu pemilik. Jadikan rekan lain pemilik lebih dulu."),
    "document_invalid": lambda d: _document_words(d["fault"]),
    "application_incomplete": lambda d: _("Tambahkan sedikitnya satu dokumen sebelum mengirim."),
    "registration_taken": lambda d: _("NIB ini sudah dipakai lembaga lain."),
    "provider_name_taken": lambda d: _("Sudah ada lembaga bernama %(name)s.", name=d["name"]),
    "provider_name_invalid": lambda d: _("Nama lembaga ini tidak bisa dipakai."),
    # planning runs
    "run_plan_invalid": _plan_words,
    "seats_taken": lambda d: _(
        "%(taken)s kursi sudah dibeli; jumlah kursi tidak bisa kurang dari itu.", taken=d["taken"]
    ),
    "run_sold": lambda d: _(
        "Sudah ada yang membeli, jadi waktu dan jumlah sesinya tetap. Bila harus berubah, batalkan jadwal "
        "ini: peserta mendapat uangnya kembali."
    ),
    # writing and looking at courses
    "version_incomplete": lambda d: _(
        "Lengkapi dulu: %(fields)s.", fields=", ".join(map(field_name, d["fields"]))
    ),
    "version_locked": lambda d: _(
        "Versi ini sedang diperiksa atau sudah diputuskan, jadi belum bisa diubah dengan cara ini."
    ),
    "nothing_changed": lambda d: _("Isinya sama dengan yang sudah dijual. Ubah dulu, lalu ajukan."),
    "own_affair": lambda d: _(
        "Anda juga bekerja untuk lembaga ini, jadi rekan Anda yang harus memutuskannya."
    ),
    "comment_missing": lambda d: _("Tulis apa sebabnya, supaya lembaga tahu apa yang harus dilakukan."),
    "changed_meanwhile": lambda d: _changed_words(d["what"]),
    # the complaint desk
    "complaint_moved": lambda d: _(
        "Pengaduan ini baru saja berubah: rekan Anda atau pelapornya menulis. Baca dulu, lalu kirim lagi."
    ),
    "complaint_ended": lambda d: _("Pengaduan ini sudah selesai. Bila ada hal baru, buat pengaduan baru."),
    "another_person": lambda d: _("Anda yang menjawab pengaduan ini, jadi rekan Anda yang memutuskannya."),
    "finance_decides": lambda d: _("Uang hanya bergerak atau ditahan dengan keputusan staf keuangan."),
    "nothing_to_refund": lambda d: _(
        "Tidak ada yang bisa dikembalikan atau ditahan: uangnya sudah kembali atau sudah dibayarkan."
    ),
    "announcement_invalid": lambda d: (
        _("Akhirnya harus sesudah mulainya.")
        if d["fault"] == "order"
        else _("Waktu itu sudah lewat, jadi tidak ada yang akan membacanya.")
    ),
    # paying providers
    "nothing_to_retry": lambda d: _(
        "Hanya pembayaran yang ditolak atau dikembalikan bank yang bisa diulang."
    ),
    "not_allowed": lambda d: _("Tindakan ini bukan wewenang akun Anda."),
    "same_person": lambda d: _(
        "Orang yang mengajukan tidak boleh menyetujui. Minta rekan Anda menyetujuinya."
    ),
    "not_a_working_day": lambda d: _("Persetujuan hanya bisa diberikan pada hari kerja."),
    "illegal_transition": lambda d: _(
        "Keadaannya sudah berubah sejak halaman ini dibuka. Muat ulang untuk melihat yang terbaru."
    ),
}

"""Why a bank refuses or returns a payment: external reason codes in words for people.

Source of the codes: ISO 20022 external code sets (status reason and return reason).
"""


def N_(message: str) -> str:  # noqa: N802 - the name that extraction of translations knows
    """Marks a sentence for translation; the page translates it when it shows it."""
    return message


UNNAMED = N_("Bank menolak pembayaran tanpa alasan yang kami kenal.")

SENTENCES = {
    "AC01": N_("Nomor rekening tidak dikenal oleh bank."),
    "AC02": N_("Nomor rekening kas program tidak benar."),
    "AC03": N_("Nomor rekening penerima tidak benar."),
    "AC04": N_("Rekening penerima sudah ditutup."),
    "AC06": N_("Rekening penerima sedang diblokir."),
    "AC07": N_("Rekening penerima sudah ditutup."),
    "AC13": N_("Jenis rekening penerima tidak dapat menerima pembayaran ini."),
    "AG01": N_("Pembayaran ke rekening ini tidak diizinkan."),
    "AG02": N_("Jenis perintah pembayaran tidak dikenal oleh bank."),
    "AM01": N_("Jumlah pembayaran nol."),
    "AM02": N_("Jumlah pembayaran melebihi batas yang diizinkan bank."),
    "AM03": N_("Mata uang pembayaran tidak dapat diproses."),
    "AM04": N_("Saldo rekening kas program tidak mencukupi."),
    "AM05": N_("Pembayaran yang sama sudah pernah diterima bank."),
    "AM09": N_("Jumlah yang diterima bank tidak sesuai."),
    "AM10": N_("Jumlah kendali berkas pembayaran tidak cocok."),
    "AM11": N_("Mata uang pembayaran tidak benar."),
    "AM12": N_("Jumlah pembayaran tidak benar."),
    "AM14": N_("Jumlah pembayaran melebihi batas yang disepakati dengan bank."),
    "AM18": N_("Banyaknya pembayaran dalam berkas tidak cocok."),
    "BE01": N_("Nama penerima tidak cocok dengan pemilik rekening."),
    "BE04": N_("Alamat penerima tidak ada atau tidak benar."),
    "BE05": N_("Pengirim perintah pembayaran tidak dikenal oleh bank."),
    "CNOR": N_("Bank penerima tidak terdaftar."),
    "CUST": N_("Pembayaran ditolak atas permintaan nasabah."),
    "DT01": N_("Tanggal pembayaran tidak benar."),
    "DUPL": N_("Pembayaran yang sama sudah pernah diterima bank."),
    "ED05": N_("Penyelesaian pembayaran antarbank gagal."),
    "FF01": N_("Berkas pembayaran tidak dapat dibaca oleh bank."),
    "FOCR": N_("Pembayaran dikembalikan setelah permintaan pembatalan."),
    "MD07": N_("Pemilik rekening sudah meninggal dunia."),
    "MS02": N_("Penerima menolak tanpa menyebut alasan."),
    "MS03": N_("Bank menolak tanpa menyebut alasan."),
    "NARR": N_("Bank menyebut alasannya dalam catatan."),
    "NOOR": N_("Bank tidak pernah menerima perintah pembayaran ini."),
    "RC01": N_("Kode bank penerima tidak benar."),
    "RC04": N_("Kode bank penerima tidak dikenal."),
    "RR04": N_("Pembayaran ditahan karena peraturan."),
    "TM01": N_("Berkas pembayaran datang setelah batas waktu bank."),
}


def reason_sentence(code: str | None) -> str:
    """The Indonesian sentence for a reason code: a message id to translate, never empty.

    A code that is not in the table, or none at all, gets a general sentence; show the code beside it.
    """
    return SENTENCES.get(code or "", UNNAMED)

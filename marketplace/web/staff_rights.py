"""Which part of a provider's staff may open what."""

import re

from marketplace.providers.models import StaffRole

_OWNER, _TEACHING, _FINANCE = StaffRole.OWNER, StaffRole.TEACHING, StaffRole.FINANCE
_WRITERS = frozenset({_OWNER, _TEACHING})
_RIGHTS: tuple[tuple[str, frozenset[StaffRole]], ...] = (
    ("/lembaga/staf", frozenset({_OWNER})),
    ("/lembaga/pembayaran", frozenset({_OWNER, _FINANCE})),
    ("/lembaga/laporan", frozenset({_OWNER, _FINANCE})),
    ("/lembaga/berkas", frozenset(StaffRole)),
    ("/lembaga/rekening", frozenset({_OWNER, _FINANCE})),
    ("/lembaga/pernyataan", frozenset(StaffRole)),
    ("/lembaga/pengaduan", frozenset(StaffRole)),
    ("/lembaga/kursus/impor", _WRITERS),
    ("/lembaga/jadwal/impor", _WRITERS),
)
"""Who may open what begins so, whichever the method."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = re.compile(
    r"/lembaga/(ulasan/[^/]+"
    r"|.*/(baru|ubah|jadwal-baru|akses-baru|berhenti-dijual|batalkan|selesai|pesan|tolak|koreksi|daftar-hadir))"
)
"""What would be written there is all that these pages are for, so who may not write does not open them."""


def may_open(role: StaffRole, path: str, method: str = "GET") -> bool:
    """May staff of this part send this request?

    Elsewhere all of them read, and owners and teaching staff change courses and classes.
    """
    for beginning, roles in _RIGHTS:
        if path == beginning or path.startswith(f"{beginning}/"):
            return role in roles
    only_reads = method in _READING and not _FORMS.fullmatch(path)
    return only_reads or role in _WRITERS

"""Which part of a provider's staff may open what."""

from marketplace.providers.models import StaffRole

_OWNER, _TEACHING, _FINANCE = StaffRole.OWNER, StaffRole.TEACHING, StaffRole.FINANCE
_RIGHTS: tuple[tuple[str, frozenset[StaffRole]], ...] = (
    ("/lembaga/staf", frozenset({_OWNER})),
    ("/lembaga/pembayaran", frozenset({_OWNER, _FINANCE})),
    ("/lembaga/laporan", frozenset({_OWNER, _FINANCE})),
    ("/lembaga/berkas", frozenset(StaffRole)),
    ("/lembaga/rekening", frozenset({_OWNER, _FINANCE})),
    ("/lembaga/pernyataan", frozenset(StaffRole)),
    ("/lembaga/pengaduan", frozenset(StaffRole)),
)
"""Who may open what begins so, whichever the method."""
_WRITERS = frozenset({_OWNER, _TEACHING})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def may_open(role: StaffRole, path: str, method: str = "GET") -> bool:
    """May staff of this part send this request?

    Elsewhere all of them read, and owners and teaching staff change courses and classes.
    """
    for beginning, roles in _RIGHTS:
        if path == beginning or path.startswith(f"{beginning}/"):
            return role in roles
    return method in _READING or role in _WRITERS

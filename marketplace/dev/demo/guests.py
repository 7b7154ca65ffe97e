"""The guest list: whom one can be with one click, and what one sees as them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from marketplace.dev.demo import troupe
from marketplace.dev.demo.direction import StagedRun
from marketplace.dev.demo.scenes import PARTS, Scene
from marketplace.dev.demo.stage import APPROVER, AUDITOR, CURATOR, DESK, SUBMITTER, office_user
from marketplace.dev.demo.troupe import Troupe
from marketplace.identity import queries as identity
from marketplace.identity.models import User
from marketplace.providers import queries as providers

Guest = dict[str, str]
Group = dict[str, Any]

_OFFICE = (
    (SUBMITTER, "Keuangan: mengajukan pembayaran pagi ini"),
    (APPROVER, "Keuangan: menyetujui yang diajukan rekannya"),
    (AUDITOR, "Pemeriksa: membaca buku besar, tidak mengubah apa pun"),
    (CURATOR, "Kurasi: dua kursus dan satu lembaga menunggu diperiksa"),
    (DESK, "Pengaduan: satu menunggu jawaban, satu menunggu orang kedua"),
)


def note_guests(
    session: Session, company: Troupe, staged: Sequence[tuple[Scene, StagedRun]]
) -> dict[str, dict[str, str]]:
    """Who plays what, by id: part key -> user, and provider's user -> note."""
    notes: dict[str, str] = {}
    for scene, run in staged:
        if scene.note:
            notes.setdefault(str(troupe.staff_of_run(session, run.run).id), scene.note)
    return {"parts": {key: str(actor.user_id) for key, actor in company.named.items()}, "staff": notes}


def guest_list(session: Session, noted: Mapping[str, Mapping[str, str]]) -> list[Group]:
    """Groups of people with Indonesian notes, as /dev/inbox shows them."""
    played = noted["parts"]
    participants = [
        _guest(_user(session, played[part.key]), part.note) for part in PARTS if part.key in played
    ]
    staff = [_staff_guest(session, user_id, note) for user_id, note in noted["staff"].items()]
    office = [_guest(office_user(session, desk), note) for desk, note in _OFFICE]
    return [
        {"group": "Peserta", "people": participants},
        {"group": "Lembaga", "people": staff},
        {"group": "Kantor program", "people": office},
    ]


def _staff_guest(session: Session, user_id: str, note: str) -> Guest:
    user = _user(session, user_id)
    provider = providers.find_provider_of(session, user.id)
    return _guest(user, f"{provider.name if provider else ''}: {note}")


def _guest(user: User, note: str) -> Guest:
    return {"user": str(user.id), "name": user.name, "contact": user.contact, "note": note}


def _user(session: Session, user_id: str) -> User:
    return identity.get_user(session, uuid.UUID(user_id))

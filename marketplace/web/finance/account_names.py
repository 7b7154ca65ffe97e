"""Accounts by the names of what they belong to: many at once, in two queries."""

import uuid
from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.participants.models import Participant
from marketplace.providers.models import Provider
from marketplace.web.finance.money_words import family_words

_OF_PROVIDERS = frozenset({"escrow", "payable", "receivable"})
_OF_PARTICIPANTS = frozenset({"benefit", "cash"})


def account_names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """`escrow:…` is `Titipan, Karya Mandiri`: each code with its words."""
    wanted = set(codes)
    providers = dict(
        session.execute(
            select(Provider.id, Provider.name).where(Provider.id.in_(_ids(wanted, _OF_PROVIDERS)))
        ).all()
    )
    people = dict(
        session.execute(
            select(Participant.id, Participant.full_name).where(
                Participant.id.in_(_ids(wanted, _OF_PARTICIPANTS))
            )
        ).all()
    )
    owners = providers | {participant_id: short_name(name) for participant_id, name in people.items()}
    return {code: _name(code, owners) for code in wanted}


def short_name(full: str) -> str:
    """`Nurul A. R.`: whom it is about, without more than the reader of the books needs."""
    first, *rest = full.split() or [""]
    return " ".join([first, *(f"{each[0]}." for each in rest)])


def _name(code: str, owners: dict[uuid.UUID, str]) -> str:
    family, _colon, rest = code.partition(":")
    words = {
        "escrow": _("Titipan"),
        "payable": _("Hak lembaga"),
        "receivable": _("Piutang"),
        "benefit": _("Saldo"),
        "cash": _("Insentif"),
    }.get(family, family_words(family))
    if family in {"fund", "reserve", "fees"}:
        return _("%(words)s, skema %(scheme)s", words=words, scheme=rest)
    owner_id = _id(rest)
    owner = owners.get(owner_id) if owner_id else None
    return f"{words}, {owner}" if owner else words


def _ids(codes: Iterable[str], families: frozenset[str]) -> list[uuid.UUID]:
    parts = (code.partition(":") for code in codes)
    found = (_id(rest) for family, _colon, rest in parts if family in families)
    return [each for each in found if each is not None]


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=text)
    except ValueError:
        return None

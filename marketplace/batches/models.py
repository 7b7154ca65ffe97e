"""Grants: crediting the benefit to a participant."""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.participants.models import Participant
from marketplace.schemes.models import Rupiah, Scheme
from marketplace.states import one_of


class GrantState(StrEnum):
    """Awarded on paper; active once the money is in the balance; frozen while nothing may be bought."""

    AWARDED = "awarded"
    ACTIVE = "active"
    FROZEN = "frozen"
    REVOKED = "revoked"
    LAPSED = "lapsed"


GRANT_TRANSITIONS = {
    GrantState.AWARDED: {GrantState.ACTIVE},
    GrantState.ACTIVE: {GrantState.FROZEN, GrantState.REVOKED, GrantState.LAPSED},
    GrantState.FROZEN: {GrantState.ACTIVE, GrantState.LAPSED},
}


class Grant(Base):
    """One participant's benefit under one scheme, with the deadline of the first purchase.

    `first_purchase_at` stops that clock; when every purchase is cancelled it is emptied again,
    `first_purchase_by` moves on; `clock_resumptions` counts how often the participant caused that.
    `frozen_code` is the reason why a frozen one buys nothing. `reserve_returned_at`: nothing more can be
    earned of a lapsed one, and the rest of its reserve went back.
    """

    __tablename__ = "grant"
    __table_args__ = (
        CheckConstraint(one_of("state", GrantState), name="state"),
        CheckConstraint("state = 'awarded' OR transaction_id IS NOT NULL", name="posted"),
        CheckConstraint("(state = 'frozen') = (frozen_code IS NOT NULL)", name="frozen"),
        CheckConstraint("reserve_returned_at IS NULL OR state = 'lapsed'", name="reserve"),
        Index("ix_grant_awarded", "id", postgresql_where="state = 'awarded'"),
        Index(
            "ix_grant_unspent",
            "first_purchase_by",
            postgresql_where="state = 'active' AND first_purchase_at IS NULL",
        ),
        Index("ix_grant_reserve", "id", postgresql_where="state = 'lapsed' AND reserve_returned_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    participant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("participant.id"), unique=True)
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    amount: Mapped[Decimal] = mapped_column(Rupiah)
    state: Mapped[str] = mapped_column(Text, default=GrantState.AWARDED.value)
    awarded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    activated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_purchase_by: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_purchase_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    clock_resumptions: Mapped[int] = mapped_column(SmallInteger, default=0)
    spend_by: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    frozen_code: Mapped[str | None] = mapped_column(Text)
    reserve_returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    transaction_id: Mapped[uuid.UUID | None]
    participant: Mapped[Participant] = relationship(lazy="joined", innerjoin=True)
    scheme: Mapped[Scheme] = relationship(lazy="joined", innerjoin=True)

"""Places in line for full runs."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.catalogue.models import Run
from marketplace.participants.models import Participant
from marketplace.schemes.models import Scheme
from marketplace.states import one_of


class PlaceState(StrEnum):
    """Waiting in line; offered a seat that is kept for them (waiting again when its sale is stopped); and how
    it ended."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    MISSED = "missed"
    LEFT = "left"
    CLOSED = "closed"


_P = PlaceState
IN_LINE = (_P.WAITING, _P.OFFERED)
PLACE_TRANSITIONS = {
    _P.WAITING: {_P.OFFERED, _P.TAKEN, _P.LEFT, _P.CLOSED},
    _P.OFFERED: {_P.WAITING, _P.TAKEN, _P.MISSED, _P.LEFT, _P.CLOSED},
}


class WaitingPlace(Base):
    """Somebody's place in line for a full run. It holds no money; while `offered` it holds a seat."""

    __tablename__ = "waiting_place"
    __table_args__ = (
        CheckConstraint(one_of("state", PlaceState), name="state"),
        CheckConstraint("state <> 'offered' OR offer_until IS NOT NULL", name="offer"),
        Index(
            "uq_waiting_place_in_line",
            "participant_id",
            "run_id",
            unique=True,
            postgresql_where="state IN ('waiting', 'offered')",
        ),
        Index(
            "ix_waiting_place_line", "run_id", "joined_at", postgresql_where="state IN ('waiting', 'offered')"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"))
    participant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("participant.id"))
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    state: Mapped[str] = mapped_column(Text, default=PlaceState.WAITING.value)
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    offer_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    run: Mapped[Run] = relationship(lazy="joined", innerjoin=True)
    participant: Mapped[Participant] = relationship()
    scheme: Mapped[Scheme] = relationship()

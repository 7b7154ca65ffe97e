"""The outbox: what happened, with a snapshot of the thing as it was."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ledger import Base, uuid7


class Event(Base):
    """Written in the transaction of what it tells of. `provider_id` is whose business it is."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "provider_id", "created_at"), Index(None, "subject_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    type: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[uuid.UUID]
    provider_id: Mapped[uuid.UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

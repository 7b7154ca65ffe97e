"""Messages to people, waiting or sent. The row is the queue: a lost task loses no message."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from ledger import Base, uuid7
from marketplace.states import one_of


class NotificationState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    ABANDONED = "abandoned"


TRANSITIONS = {NotificationState.PENDING: {NotificationState.SENT, NotificationState.ABANDONED}}


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class Notification(Base):
    """One message to one address, on the wall's clock. `problem` is why the last attempt failed.

    `secret` ones (codes) lose their body once they are sent or given up.
    """

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint(one_of("state", NotificationState), name="state"),
        CheckConstraint(one_of("channel", Channel), name="channel"),
        Index("ix_notification_waiting", "next_attempt_at", postgresql_where="state = 'pending'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"), index=True)
    channel: Mapped[str] = mapped_column(Text)
    destination: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    secret: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(Text, default=NotificationState.PENDING.value)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    problem: Mapped[str | None] = mapped_column(Text)

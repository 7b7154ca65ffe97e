"""What a provider's desk leaves behind: messages to a run, declared purchases, long files of enrolments."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.identity.models import User
from marketplace.states import one_of


class RunMessage(Base):
    """What a provider wrote to everybody in a run, on the wall's clock; what each got is a notification."""

    __tablename__ = "run_message"
    __table_args__ = (
        CheckConstraint("char_length(body) BETWEEN 1 AND 1000", name="body"),
        CheckConstraint("recipients > 0", name="recipients"),
        Index(None, "run_id", "sent_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"))
    sent_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    body: Mapped[str] = mapped_column(Text)
    recipients: Mapped[int]
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sender: Mapped[User] = relationship()


class DeclaredPurchase(Base):
    """A purchase that a provider's staff stated to be a conflict of interest. Only ever added."""

    __tablename__ = "declared_purchase"

    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    statement_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conflict_statement.id"), primary_key=True, index=True
    )


class ExportState(StrEnum):
    """A file is finished with its content, failed without, or expired when its content is gone."""

    REQUESTED = "requested"
    FINISHED = "finished"
    FAILED = "failed"
    EXPIRED = "expired"


EXPORT_TRANSITIONS = {
    ExportState.REQUESTED: {ExportState.FINISHED, ExportState.FAILED},
    ExportState.FINISHED: {ExportState.EXPIRED},
}


class ExportKind(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


class EnrolmentExport(Base):
    """A file of a provider's enrolments too long to write while somebody waits. On the wall's clock.

    `query` is the list's address after the question mark; `rows` is how many it found when asked for.
    """

    __tablename__ = "enrolment_export"
    __table_args__ = (
        CheckConstraint(one_of("state", ExportState), name="state"),
        CheckConstraint(one_of("kind", ExportKind), name="kind"),
        CheckConstraint("(state = 'finished') = (content IS NOT NULL)", name="content"),
        CheckConstraint("state <> 'finished' OR expires_at IS NOT NULL", name="expiry"),
        Index("ix_enrolment_export_waiting", "requested_at", postgresql_where="state = 'requested'"),
        Index("ix_enrolment_export_finished", "expires_at", postgresql_where="state = 'finished'"),
        Index(None, "provider_id", "requested_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"))
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=ExportState.REQUESTED.value)
    rows: Mapped[int]
    written: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

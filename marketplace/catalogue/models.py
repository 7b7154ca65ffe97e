"""Courses, and runs: their dated offerings with seats."""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.providers.models import Provider
from marketplace.schemes.models import Rupiah
from marketplace.states import one_of


class Mode(StrEnum):
    ONLINE = "online"
    IN_PERSON = "in_person"
    HYBRID = "hybrid"


class CourseState(StrEnum):
    """The import makes published courses; curation adds the states before."""

    PUBLISHED = "published"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


COURSE_TRANSITIONS = {
    CourseState.PUBLISHED: {CourseState.SUSPENDED, CourseState.WITHDRAWN},
    CourseState.SUSPENDED: {CourseState.PUBLISHED, CourseState.WITHDRAWN},
}


_ON_SALE = "state = 'published'"


class Course(Base):
    """A catalogue item. `version` rises with every change to price, hours or title.

    `search` is written by the database: title, category, provider's name and description, weighed in this
    order, each word as it is and with its Indonesian stem. `words_learnt` is the queue of spelling.
    """

    __tablename__ = "course"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint(f"mode IS NULL OR {one_of('mode', Mode)}", name="mode"),
        CheckConstraint(one_of("state", CourseState), name="state"),
        Index(None, "category"),
        Index("ix_course_cheapest", "price", "id", postgresql_where=_ON_SALE),
        Index("ix_course_best", text("(- COALESCE(rating, 0::numeric))"), "id", postgresql_where=_ON_SALE),
        Index(None, "search", postgresql_using="gin"),
        Index("ix_course_words_wait", "id", postgresql_where="NOT words_learnt"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    source_id: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text, default="")
    mode: Mapped[str | None] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text, default="")
    hours: Mapped[int | None] = mapped_column(SmallInteger)
    price: Mapped[Decimal] = mapped_column(Rupiah)
    rating: Mapped[Decimal | None] = mapped_column(Numeric(3, 1))
    rating_count: Mapped[int] = mapped_column(default=0)
    description: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(Text, default="id")
    state: Mapped[str] = mapped_column(Text, default=CourseState.PUBLISHED.value)
    version: Mapped[int] = mapped_column(default=1)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    search: Mapped[str] = mapped_column(TSVECTOR, server_default=text("''::tsvector"), deferred=True)
    words_learnt: Mapped[bool] = mapped_column(server_default=false(), deferred=True)
    provider: Mapped[Provider] = relationship(lazy="joined", innerjoin=True)
    runs: Mapped[list["Run"]] = relationship(back_populates="course", order_by="Run.starts_at")

    @property
    def is_on_sale(self) -> bool:
        """Published, by a provider that is not suspended."""
        return self.state == CourseState.PUBLISHED and self.provider.suspended_at is None


class CatalogueWord(Base):
    """A word of a title, a category or a provider's name, findable by what a typing fault leaves of it."""

    __tablename__ = "catalogue_word"
    __table_args__ = (Index(None, "fragments", postgresql_using="gin"),)

    word: Mapped[str] = mapped_column(Text, primary_key=True)
    fragments: Mapped[list[str]] = mapped_column(ARRAY(Text))


class SavedCourse(Base):
    """A course that a participant wants to find again. It promises nothing: no seat, no price."""

    __tablename__ = "saved_course"

    participant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("participant.id"), primary_key=True)
    course_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("course.id"), primary_key=True, index=True)
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class RunKind(StrEnum):
    SCHEDULED = "scheduled"
    SELF_PACED = "self_paced"


class RunState(StrEnum):
    OPEN = "open"
    CANCELLED = "cancelled"
    SETTLED = "settled"


RUN_TRANSITIONS = {RunState.OPEN: {RunState.CANCELLED, RunState.SETTLED}}


class Run(Base):
    """A dated offering. Full, started and ended are computed, never stored.

    `starts_at` is the first session's start and `ends_at` the last one's end; self-paced runs have
    units in place of sessions and `ends_at` is when access ends. Where a run `needs_confirmation` a
    purchase waits for the provider's word. `cancel_reason` is what its participants read.
    """

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("seats_taken BETWEEN 0 AND seats", name="seats"),
        CheckConstraint("starts_at < ends_at", name="period"),
        CheckConstraint(one_of("state", RunState), name="state"),
        CheckConstraint(one_of("kind", RunKind), name="kind"),
        CheckConstraint("cancel_reason IS NULL OR state = 'cancelled'", name="cancel_reason"),
        Index(None, "course_id", "starts_at"),
        Index("ix_run_open_ends_at", "ends_at", postgresql_where="state = 'open'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    course_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("course.id"))
    kind: Mapped[str] = mapped_column(Text, default=RunKind.SCHEDULED.value)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    place: Mapped[str] = mapped_column(Text, default="")
    seats: Mapped[int]
    seats_taken: Mapped[int] = mapped_column(default=0)
    needs_confirmation: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    state: Mapped[str] = mapped_column(Text, default=RunState.OPEN.value)
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    course: Mapped[Course] = relationship(back_populates="runs", lazy="joined", innerjoin=True)
    sessions: Mapped[list["RunSession"]] = relationship(order_by="RunSession.sequence")

    @property
    def seats_left(self) -> int:
        return self.seats - self.seats_taken


class RunSession(Base):
    """One promised meeting, or one unit of a self-paced run (then without times)."""

    __tablename__ = "run_session"
    __table_args__ = (
        UniqueConstraint("run_id", "sequence"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="times"),
        CheckConstraint("starts_at < ends_at", name="period"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"))
    sequence: Mapped[int] = mapped_column(SmallInteger)
    topic: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

"""What a provider writes before it is sold: versions of a course, and what was said about them.

The first half of a course's life (drafted, submitted, approved or returned or rejected) is its versions'.
A row in `course` exists from the first publication on, so nothing unpublished can be found or bought.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.catalogue.models import Mode
from marketplace.identity.models import User
from marketplace.providers.models import Provider
from marketplace.schemes.models import Rupiah
from marketplace.states import one_of

OFFER = ("title", "hours", "price")
"""What a buyer decides on. A change to it is a new version that somebody has to approve."""
DETAILS = ("category", "mode", "level", "description", "language")
"""What a provider may change by itself, in the open: each change is a version too."""


class VersionState(StrEnum):
    DRAFTED = "drafted"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    PUBLISHED = "published"
    REPLACED = "replaced"
    DISCARDED = "discarded"


VERSION_TRANSITIONS = {
    # straight to published: a change of details alone
    VersionState.DRAFTED: {VersionState.SUBMITTED, VersionState.PUBLISHED, VersionState.DISCARDED},
    VersionState.SUBMITTED: {
        VersionState.APPROVED,
        VersionState.RETURNED,
        VersionState.REJECTED,
        VersionState.DRAFTED,
    },
    VersionState.APPROVED: {VersionState.PUBLISHED, VersionState.DISCARDED},
    VersionState.PUBLISHED: {VersionState.REPLACED},
}
OPEN = (VersionState.DRAFTED, VersionState.SUBMITTED, VersionState.APPROVED)
"""At most one of these for a course. What was returned stays as it was; its correction is a new version."""


class Rejection(StrEnum):
    """Why a course cannot be sold here, however it is rewritten."""

    DUPLICATE = "duplicate"
    NOT_TRAINING = "not_training"
    MISLEADING = "misleading"
    OVERPRICED = "overpriced"
    UNLAWFUL = "unlawful"


@dataclass(frozen=True, slots=True)
class Content:
    """What a course says. Text is plain; `price` is whole rupiah; None and "" are not stated."""

    title: str
    price: Decimal
    hours: int | None = None
    category: str = ""
    mode: str | None = None
    level: str = ""
    description: str = ""
    language: str = "id"


class CourseVersion(Base):
    """One text of a course with its price. `course_id` is the course that it is, or is to become.

    Once submitted its content stays as it is: what was approved is what is sold.
    """

    __tablename__ = "course_version"
    __table_args__ = (
        UniqueConstraint("course_id", "number"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint(f"mode IS NULL OR {one_of('mode', Mode)}", name="mode"),
        CheckConstraint(one_of("state", VersionState), name="state"),
        CheckConstraint(
            f"rejection IS NULL OR {one_of('rejection', Rejection)}",
            name="rejection",
        ),
        CheckConstraint("(state = 'rejected') = (rejection IS NOT NULL)", name="rejected"),
        CheckConstraint(
            "state NOT IN ('submitted', 'approved', 'returned', 'rejected') OR submitted_at IS NOT NULL",
            name="submitted",
        ),
        Index(
            "uq_course_version_open",
            "course_id",
            unique=True,
            postgresql_where="state IN ('drafted', 'submitted', 'approved')",
        ),
        Index("uq_course_version_sold", "course_id", unique=True, postgresql_where="state = 'published'"),
        Index("ix_course_version_queue", "submitted_at", postgresql_where="state = 'submitted'"),
        Index(None, "provider_id", "source_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"))
    course_id: Mapped[uuid.UUID]
    source_id: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    hours: Mapped[int | None] = mapped_column(SmallInteger)
    price: Mapped[Decimal] = mapped_column(Rupiah)
    category: Mapped[str] = mapped_column(Text)
    mode: Mapped[str | None] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=VersionState.DRAFTED.value)
    rejection: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    provider: Mapped[Provider] = relationship(lazy="joined", innerjoin=True)
    comments: Mapped[list["VersionComment"]] = relationship(order_by="VersionComment.id")

    @property
    def is_private(self) -> bool:
        """Its provider's alone: not handed in, taken back, or given up before anybody decided on it."""
        is_given_up = self.state == VersionState.DISCARDED and self.decided_at is None
        return is_given_up or self.state == VersionState.DRAFTED

    @property
    def content(self) -> Content:
        """What it says, apart from where it stands."""
        return Content(**{name: getattr(self, name) for name in (*OFFER, *DETAILS)})


class CommentSide(StrEnum):
    PROVIDER = "provider"
    PROGRAMME = "programme"


class VersionComment(Base):
    """What the programme office or the provider said about a version. Both read all of it."""

    __tablename__ = "version_comment"
    __table_args__ = (CheckConstraint(one_of("side", CommentSide), name="side"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("course_version.id"), index=True)
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    side: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    author: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class UploadKind(StrEnum):
    """What the rows of a file are."""

    COURSES = "courses"
    RUNS = "runs"


class CatalogueUpload(Base):
    """A file that somebody is looking at before it is booked; forgotten when it is, or after a while."""

    __tablename__ = "catalogue_upload"
    __table_args__ = (CheckConstraint(one_of("kind", UploadKind), name="kind"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    uploaded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(Text, default=UploadKind.COURSES.value)
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes]
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

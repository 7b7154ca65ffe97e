"""What the catalogue can refuse."""

from typing import ClassVar

from marketplace.errors import MarketplaceError


class NoSeats(MarketplaceError):
    """Every seat of the run is taken, or the run is no longer open."""

    code: ClassVar[str] = "no_seats"
    retryable: ClassVar[bool] = True


class RunPlanInvalid(MarketplaceError):
    """The plan of a run contradicts itself; the text says how."""

    code: ClassVar[str] = "run_plan_invalid"


class SeatsTaken(MarketplaceError):
    """Fewer seats than people have bought; `details["taken"]` is how many they are."""

    code: ClassVar[str] = "seats_taken"


class RunSold(MarketplaceError):
    """Somebody has a seat: when and how often a run meets is what they bought."""

    code: ClassVar[str] = "run_sold"


class CursorInvalid(MarketplaceError):
    """A page address that no search of ours has given out."""

    code: ClassVar[str] = "cursor_invalid"


class VersionIncomplete(MarketplaceError):
    """A course is looked at only when it says everything; `details["fields"]` are missing."""

    code: ClassVar[str] = "version_incomplete"


class VersionLocked(MarketplaceError):
    """The newest version is being looked at or is approved: it cannot be changed now."""

    code: ClassVar[str] = "version_locked"


class NothingChanged(MarketplaceError):
    """The version says what is already sold."""

    code: ClassVar[str] = "nothing_changed"


class OwnAffair(MarketplaceError):
    """Who works for a provider decides nothing about its courses."""

    code: ClassVar[str] = "own_affair"


class CommentMissing(MarketplaceError):
    """Who returns a course says what is to be changed."""

    code: ClassVar[str] = "comment_missing"


class SavedTooMany(MarketplaceError):
    """A list of saved courses as long as it may be."""

    code: ClassVar[str] = "saved_too_many"

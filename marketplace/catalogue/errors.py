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


class CursorInvalid(MarketplaceError):
    """A page address that no search of ours has given out."""

    code: ClassVar[str] = "cursor_invalid"

"""What the complaint desk can refuse."""

from typing import ClassVar

from marketplace.errors import MarketplaceError


class ComplaintMoved(MarketplaceError):
    """Somebody has written or decided since the page was opened."""

    code: ClassVar[str] = "complaint_moved"


class ComplaintEnded(MarketplaceError):
    """Closed or upheld: nobody writes any more. A new complaint can be opened."""

    code: ClassVar[str] = "complaint_ended"


class AnotherPerson(MarketplaceError):
    """Who answered a complaint does not decide it too."""

    code: ClassVar[str] = "another_person"


class FinanceDecides(MarketplaceError):
    """Money moves, or is kept back, by a decision of finance staff alone."""

    code: ClassVar[str] = "finance_decides"


class NothingToRefund(MarketplaceError):
    """No enrolment of who complains, or one whose money has gone back or been paid out."""

    code: ClassVar[str] = "nothing_to_refund"


class AnnouncementInvalid(MarketplaceError):
    """`details["fault"]` is order (ends before it starts) or past (has ended already)."""

    code: ClassVar[str] = "announcement_invalid"

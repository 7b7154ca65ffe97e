"""Why a purchase, a check-in or a completion is refused. `details` carries the figures for the words."""

from marketplace.errors import MarketplaceError
from marketplace.participants.errors import NotEligible


class InsufficientBalance(MarketplaceError):
    """The price is above the training balance. Details: balance, price, short_by (rupiah)."""

    code = "insufficient_balance"


class RunStarted(MarketplaceError):
    """The run has begun, so its seats are no longer sold."""

    code = "run_started"


class RunCancelled(MarketplaceError):
    """The provider cancelled the run, or it is over and settled."""

    code = "run_cancelled"


class CourseNotOnSale(MarketplaceError):
    """The course is suspended or withdrawn, or its provider is suspended."""

    code = "course_not_on_sale"


class AlreadyEnrolled(MarketplaceError):
    """This participant already has this run. Details: enrolment_id."""

    code = "already_enrolled"


class OfferChanged(MarketplaceError):
    """The price, the version or the way of buying is no longer what the buyer saw.

    Details: price, version as they are now.
    """

    code = "offer_changed"


class GrantMissing(MarketplaceError):
    """No money has been credited to this participant, or it was taken back. Details: state."""

    code = "grant_missing"


class BalanceExpired(MarketplaceError):
    """The scheme's last day is over, or that of the first purchase. Details: spend_by, the day's end."""

    code = "balance_expired"


class EligibilityLost(NotEligible):
    """The grant is frozen, perhaps only now. Details: reason, the code on the person's record."""

    recorded = True


class CourseOutsideScheme(MarketplaceError):
    """The scheme does not pay for this. Details: reason, `shortest_hours` or `ends_after_scheme`."""

    code = "course_outside_scheme"


class KeyReused(MarketplaceError):
    """The idempotency key was used for another purchase."""

    code = "key_reused"


class ConfirmationClosed(MarketplaceError):
    """Too near to the start for the provider to confirm a seat. Details: starts_at."""

    code = "confirmation_closed"


class ConfirmationOver(MarketplaceError):
    """The provider's time to confirm is over; what was set aside goes back. Details: confirm_by."""

    code = "confirmation_over"


class SeatsLeft(MarketplaceError):
    """Nobody needs to wait in line: the run has a free seat."""

    code = "seats_left"


class LineClosed(MarketplaceError):
    """Too near to the start for seats to be offered to those in line."""

    code = "line_closed"


class TooLateToCancel(MarketplaceError):
    """The run has started, or the first unit was opened. Details: starts_at."""

    code = "too_late_to_cancel"


class CheckInCodeWrong(MarketplaceError):
    """Not the code on the screen. Details: left, how many more tries before a pause."""

    code = "check_in_code_wrong"
    recorded = True


class CheckInBlocked(MarketplaceError):
    """Too many wrong codes; wait. Details: until (wall time)."""

    code = "check_in_blocked"
    retryable = True


class NotYet(MarketplaceError):
    """Attendance is not open yet. Details: opens_at (programme time)."""

    code = "not_yet"
    retryable = True


class SessionOver(MarketplaceError):
    """The session has ended; the provider's list is the way left."""

    code = "session_over"


class NotEnrolled(MarketplaceError):
    """This participant holds no live enrolment in that run."""

    code = "not_enrolled"


class RunNotOver(MarketplaceError):
    """Completion is declared after the run has ended. Details: ends_at."""

    code = "run_not_over"
    retryable = True


class ResultFinal(MarketplaceError):
    """The result can no longer be corrected: it has matured or is paid. Details: until, if it had an end."""

    code = "result_final"


class NothingCorrected(MarketplaceError):
    """The attendance as corrected proves the same percent."""

    code = "nothing_corrected"


class CorrectionOutdated(MarketplaceError):
    """Somebody has corrected this result since the form was opened."""

    code = "correction_outdated"


class AlreadySpent(MarketplaceError):
    """A higher result needs money back that is no longer where the first settlement put it."""

    code = "already_spent"


class EvidenceOfOthers(MarketplaceError):
    """A check-in to be struck is all that proves the run for others. Details: others, how many."""

    code = "evidence_of_others"


class TooManyExports(MarketplaceError):
    """Several files of this provider wait to be written. Details: waiting."""

    code = "too_many_exports"
    retryable = True


class TooManyMessages(MarketplaceError):
    """The provider has written enough to this run's participants for a day. Details: most."""

    code = "too_many_messages"
    retryable = True


class NobodyToTell(MarketplaceError):
    """Nobody is in this run, or everybody's enrolment has ended."""

    code = "nobody_to_tell"


class NotCompleted(MarketplaceError):
    """A course is reviewed by who completed it."""

    code = "not_completed"


class ReviewAnswered(MarketplaceError):
    """The provider has answered these words, so they stay as they are."""

    code = "review_answered"


class ReceiptUnknown(MarketplaceError):
    """A receipt number that is none of this provider's purchases. Details: receipt."""

    code = "receipt_unknown"

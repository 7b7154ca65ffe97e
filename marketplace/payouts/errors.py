"""What payouts refuse."""

from marketplace.errors import MarketplaceError


class SamePerson(MarketplaceError):
    """Whoever submitted a payout run may not approve it: money leaves by two people's hands."""

    code = "same_person"


class NotAWorkingDay(MarketplaceError):
    """Payout runs are approved on working days only, when somebody at the bank can answer."""

    code = "not_a_working_day"


class NothingToRetry(MarketplaceError):
    """Only a payout that the bank rejected or sent back can be tried again."""

    code = "nothing_to_retry"


class SurveyNotOpen(MarketplaceError):
    """Surveys are for those who have earned their first incentive."""

    code = "survey_not_open"

"""The one blueprint of the catalogue, and whose balance and scheme its courses are held against."""

from collections.abc import Callable
from decimal import Decimal

from flask import Blueprint
from sqlalchemy.orm import Session

from marketplace.batches import queries as grants
from marketplace.catalogue.models import Course
from marketplace.enrolments import offer
from marketplace.schemes import queries as schemes
from marketplace.schemes.models import Scheme
from marketplace.web.identity import find_participant

pages = Blueprint("catalogue", __name__)


def balance_of_reader(current: Session) -> Decimal | None:
    """The training balance of the participant who reads, or None for everybody else."""
    participant = find_participant()
    return grants.balance_of(current, participant.id) if participant else None


def scheme_of_reader(current: Session) -> Scheme | None:
    """The terms of the participant who reads, or None for everybody else."""
    participant = find_participant()
    return schemes.get_scheme(current, participant.scheme_code) if participant else None


def too_short_for_reader(current: Session) -> Callable[[Course], int | None]:
    """Of any course: the least hours that the reader's scheme pays for, where the course has fewer."""
    return too_short_for(scheme_of_reader(current))


def too_short_for(scheme: Scheme | None) -> Callable[[Course], int | None]:
    """The same by these terms; without any, no course is too short."""
    return lambda course: offer.too_short(scheme, course) if scheme else None

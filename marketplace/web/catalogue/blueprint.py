"""The one blueprint of the catalogue, and whose balance its prices are held against."""

from decimal import Decimal

from flask import Blueprint
from sqlalchemy.orm import Session

from marketplace.batches import queries as grants
from marketplace.web.identity import find_participant

pages = Blueprint("catalogue", __name__)


def balance_of_reader(current: Session) -> Decimal | None:
    """The training balance of the participant who reads, or None for everybody else."""
    participant = find_participant()
    return grants.balance_of(current, participant.id) if participant else None

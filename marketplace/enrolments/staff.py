"""Whether a person may act for the provider of a run."""

import uuid

from sqlalchemy.orm import Session

from marketplace.errors import NotFound
from marketplace.identity.models import User
from marketplace.providers import queries as providers


def require_staff(session: Session, actor: User | None, provider_id: uuid.UUID) -> None:
    """Raise NotFound unless the actor is staff of this provider; None is Bekal itself.

    NotFound, not a refusal: nobody learns what other providers have.
    """
    if actor is None:
        return
    own = providers.find_provider_of(session, actor.id)
    if own is None or own.id != provider_id:
        raise NotFound("not this provider's")

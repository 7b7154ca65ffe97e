"""Reading the programme's terms."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.schemes.errors import SchemeNotFound
from marketplace.schemes.models import Scheme


def get_scheme(session: Session, code: str) -> Scheme:
    """A scheme. Raises SchemeNotFound."""
    scheme = session.get(Scheme, code)
    if scheme is None:
        raise SchemeNotFound(f"no scheme {code!r}", scheme=code)
    return scheme


def get_default_scheme(session: Session) -> Scheme:
    """The scheme that people register for unless told otherwise. Raises SchemeNotFound."""
    scheme = session.scalar(select(Scheme).where(Scheme.default))
    if scheme is None:
        raise SchemeNotFound("no scheme is the default")
    return scheme


def list_schemes(session: Session) -> Sequence[Scheme]:
    """Every scheme, the default first."""
    return session.scalars(select(Scheme).order_by(Scheme.default.desc(), Scheme.code)).all()

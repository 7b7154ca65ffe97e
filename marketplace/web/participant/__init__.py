"""A participant's pages: home, buying, learning."""

from marketplace.web.participant import (
    cash,
    certificates,
    complaints,
    home,
    learning,
    line,
    movements,
    proof,
    purchase,
    rating,
    saved,
    scanning,
)
from marketplace.web.participant.blueprint import pages

__all__ = [
    "cash",
    "certificates",
    "complaints",
    "home",
    "learning",
    "line",
    "movements",
    "pages",
    "proof",
    "purchase",
    "rating",
    "saved",
    "scanning",
]

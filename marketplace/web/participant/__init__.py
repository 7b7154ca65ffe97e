"""A participant's pages: home, buying, learning."""

from marketplace.web.participant import home, learning, line, proof, purchase, saved
from marketplace.web.participant.blueprint import pages

__all__ = ["home", "learning", "line", "pages", "proof", "purchase", "saved"]

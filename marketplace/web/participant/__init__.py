"""A participant's pages: home, buying, learning."""

from marketplace.web.participant import home, learning, proof, purchase
from marketplace.web.participant.blueprint import pages

__all__ = ["home", "learning", "pages", "proof", "purchase"]

"""What somebody had before them when they decided: a mark of it, which their form brings back.

A page that asks for a verdict, an answer or a change shows a text that others may change meanwhile. Its form
carries a mark of what it showed, and whoever acts on it compares the two under the lock of the row.
"""

import hashlib
from typing import ClassVar

from marketplace.errors import MarketplaceError


class ChangedMeanwhile(MarketplaceError):
    """It says something else by now than when it was shown; `details["what"]` is what it is."""

    code: ClassVar[str] = "changed_meanwhile"


def mark(*shown: object) -> str:
    """A short digest of what a page shows; whatever is written differently has another."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:20]


def require(seen: str | None, now: str, what: str) -> None:
    """Raise ChangedMeanwhile unless the mark that was brought back is that of now.

    A form that brought none ("") saw nothing. None stands for whoever acts without a page: a command, a file.
    """
    if seen is not None and seen != now:
        raise ChangedMeanwhile(f"the {what} is another by now", what=what)

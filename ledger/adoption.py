"""After a restore: positions go on above all that is known, and a log that was cut off ends.

Transaction ids of a new cluster begin anew. A position is such an id plus an offset, so that what is written
after the restore lies above what was sealed and rolled up before it.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ledger import merkle
from ledger.calling import call
from ledger.sealing import find_seal
from ledger.tiles import StoredTree
from ledger.verify_receipt import Checkpoint


@dataclass(frozen=True, slots=True)
class Adoption:
    """Writing goes on at ``position``, ``raised_by`` more than this cluster would have given.

    ``lost`` is the published checkpoint that the ledger does not lead to, or None.
    """

    position: int
    raised_by: int
    lost: Checkpoint | None


def adopt(session: Session, published: Checkpoint | None = None) -> Adoption:
    """Make a restored ledger ready to be written to, as the owner and before anybody writes.

    ``published`` is the newest checkpoint that is known outside, its signature checked. Where the ledger does
    not lead to it, entries that were published are lost; then the log of that name has ended, and the next
    checkpoint must have another name and says what it continues. A repeat changes nothing. Raises
    WrongIsolation.
    """
    lost = None if published is None or _leads_to(session, published) else published
    named = (None, None, None) if lost is None else (lost.origin, lost.size, lost.root)
    (row,) = call(session, "SELECT goes_on_at, raised_by FROM ledger.adopt(%s, %s, %s)", named)
    return Adoption(row.goes_on_at, row.raised_by, lost)


def _leads_to(session: Session, published: Checkpoint) -> bool:
    newest = find_seal(session)
    size = newest.size if newest else 0
    if published.size > size:
        return False
    return merkle.root(published.size, StoredTree(session, size).read) == published.root

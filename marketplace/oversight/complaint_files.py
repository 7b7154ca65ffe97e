"""Evidence that comes with a text of a complaint: cleaned like a provider's documents, and kept encrypted.

Both sides of the complaint read it and nobody else; whenever the office does, that is recorded.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace.encryption import vault
from marketplace.errors import NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.oversight.models import Complaint, ComplaintAttachment, ComplaintMessage
from marketplace.providers import documents
from marketplace.providers.errors import DocumentInvalid

MOST_FILES = 3
"""Files with one text."""

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


def keep(session: Session, message: ComplaintMessage, files: Sequence[Upload]) -> None:
    """Keep what was sent with a text, or nothing of it. Raises DocumentInvalid."""
    if len(files) > MOST_FILES:
        raise DocumentInvalid("too many", fault="too_many_at_once")
    for each in files:
        kept = documents.clean(each.content)
        session.add(
            ComplaintAttachment(
                message_id=message.id,
                name=each.name[:_LONGEST_NAME],
                media_type=kept.media_type,
                size=len(kept.content),
                content_encrypted=vault().encrypt_bytes(kept.content),
            )
        )
    session.flush()


def open_file(
    session: Session, found: Complaint, attachment_id: uuid.UUID, officer: User | None = None
) -> tuple[ComplaintAttachment, bytes]:
    """A file of this complaint with its content; that an officer read it is recorded. Raises NotFound."""
    attachment = session.get(ComplaintAttachment, attachment_id)
    if attachment is None or attachment.message.complaint_id != found.id:
        raise NotFound(f"no attachment {attachment_id}")
    if officer is not None:
        audit.record(
            session, officer, "complaint_attachment.read", f"complaint:{found.id}", attachment=attachment.id
        )
    return attachment, vault().decrypt_bytes(attachment.content_encrypted)

"""What somebody sent with a complaint, for those of the office who answer and decide."""

import uuid

from flask import Response
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.identity.models import User
from marketplace.oversight import complaint_files
from marketplace.oversight import complaint_queries as queries
from marketplace.web.attachments import as_download
from marketplace.web.identity import signed_in_user
from marketplace.web.people.blueprint import pages


@pages.get("/pengaduan/<uuid:complaint_id>/berkas/<uuid:attachment_id>")
def complaint_attachment(complaint_id: uuid.UUID, attachment_id: uuid.UUID) -> Response:
    """A file of a complaint. That it was read is recorded."""
    user_id = signed_in_user().id

    def work(current: Session) -> Response:
        found, officer = queries.get(current, complaint_id), current.get_one(User, user_id)
        return as_download(*complaint_files.open_file(current, found, attachment_id, officer))

    return db.run_in_transaction(work)

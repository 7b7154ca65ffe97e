"""Training providers that want to sell here: what they hand in, and what the programme office says to it."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, shown
from marketplace.encryption import vault
from marketplace.errors import IllegalTransition, NotAllowed, NotFound, ReasonMissing
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.providers import application_messages as messages
from marketplace.providers import documents, queries, service
from marketplace.providers.errors import (
    ApplicationIncomplete,
    DocumentInvalid,
    ProviderNameTaken,
    RegistrationTaken,
    StaffTaken,
)
from marketplace.providers.models import (
    APPLICATION_TRANSITIONS,
    ApplicationState,
    ProviderApplication,
    ProviderDocument,
)
from marketplace.states import move

MOST_DOCUMENTS = 6
LONGEST_REASON = 2000
_WRITABLE = (ApplicationState.DRAFTED, ApplicationState.RETURNED)
_OPEN = (*_WRITABLE, ApplicationState.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Details:
    """Who applies: the name, the 13 digits of its business registration (NIB), where it is, whom to ask."""

    name: str
    registration_number: str
    address: str
    city: str
    province_code: str
    contact_name: str


def find_open(session: Session, user_id: uuid.UUID) -> ProviderApplication | None:
    """What somebody has begun or waits for, or None."""
    found = select(ProviderApplication).where(
        ProviderApplication.user_id == user_id, ProviderApplication.state.in_(_OPEN)
    )
    return session.scalar(found)


def find_last(session: Session, user_id: uuid.UUID) -> ProviderApplication | None:
    """The newest application of somebody, whatever became of it."""
    found = select(ProviderApplication).where(ProviderApplication.user_id == user_id)
    return session.scalars(found.order_by(ProviderApplication.id.desc()).limit(1)).first()


def get_application(session: Session, application_id: uuid.UUID) -> ProviderApplication:
    """An application that has been handed in. Raises NotFound, for a draft too: it is its writer's alone."""
    found = session.get(ProviderApplication, application_id)
    if found is None or found.state == ApplicationState.DRAFTED:
        raise NotFound(f"no application {application_id}")
    return found


def list_waiting(session: Session, limit: int) -> Sequence[ProviderApplication]:
    """What waits for the programme office, the longest waiting first."""
    waiting = select(ProviderApplication).where(ProviderApplication.state == ApplicationState.SUBMITTED)
    return session.scalars(waiting.order_by(ProviderApplication.submitted_at).limit(limit)).all()


def list_decided(session: Session, limit: int) -> Sequence[ProviderApplication]:
    """What was decided last."""
    decided = select(ProviderApplication).where(ProviderApplication.decided_at.is_not(None))
    return session.scalars(decided.order_by(ProviderApplication.decided_at.desc()).limit(limit)).all()


def write(session: Session, actor: User, details: Details) -> ProviderApplication:
    """Begin an application, or change the one that is being written.

    Raises StaffTaken for who already acts for somebody or is a participant, IllegalTransition once it
    is handed in.
    """
    if actor.roles:
        raise StaffTaken("acts for somebody, or is a participant")
    application = _lock_open(session, actor)
    if application is None:
        application = ProviderApplication(user=actor, created_at=clock.now(session), **asdict(details))
        session.add(application)
    elif application.state not in _WRITABLE:
        raise IllegalTransition("it is being looked at", current=application.state)
    else:
        for name, value in asdict(details).items():
            setattr(application, name, value)
    session.flush()
    return application


def add_document(session: Session, actor: User, name: str, content: bytes) -> ProviderDocument:
    """Keep a document with the application. Raises NotFound, IllegalTransition, DocumentInvalid."""
    application = _get_writable(session, actor)
    if len(application.documents) >= MOST_DOCUMENTS:
        raise DocumentInvalid("too many", fault="too_many")
    kept = documents.clean(content)
    document = ProviderDocument(
        application_id=application.id,
        name=name[:120],
        media_type=kept.media_type,
        size=len(kept.content),
        content_encrypted=vault().encrypt_bytes(kept.content),
        uploaded_at=clock.wall_now(),
    )
    session.add(document)
    session.flush()
    session.expire(application, ["documents"])
    return document


def remove_document(session: Session, actor: User, document_id: uuid.UUID) -> None:
    """Take a document back. Raises NotFound, IllegalTransition."""
    application = _get_writable(session, actor)
    document = next((each for each in application.documents if each.id == document_id), None)
    if document is None:
        raise NotFound(f"no document {document_id}")
    application.documents.remove(document)
    session.delete(document)
    session.flush()


def open_document(
    session: Session, application: ProviderApplication, document_id: uuid.UUID, actor: User
) -> tuple[ProviderDocument, bytes]:
    """A document with its content; that somebody else read it is recorded. Raises NotFound."""
    document = session.get(ProviderDocument, document_id)
    if document is None or document.application_id != application.id:
        raise NotFound(f"no document {document_id}")
    if actor.id != application.user_id:
        audit.record(
            session, actor, "provider_document.read", f"application:{application.id}", document=document.id
        )
    return document, vault().decrypt_bytes(document.content_encrypted)


def submit(session: Session, actor: User) -> ProviderApplication:
    """Hand the application in. Raises NotFound, IllegalTransition, ApplicationIncomplete."""
    application = _get_writable(session, actor)
    if not application.documents:
        raise ApplicationIncomplete("without a document")
    now = clock.now(session)
    move(application, ApplicationState.SUBMITTED, APPLICATION_TRANSITIONS)
    application.submitted_at = now
    session.flush()
    _note(session, application, actor, "application.submitted")
    return application


def mark_of(application: ProviderApplication) -> str:
    """The mark of what a curator reads: details, documents, and which handing in of them this is."""
    details = [getattr(application, each.name) for each in fields(Details)]
    documents = sorted(document.id for document in application.documents)
    return shown.mark(details, documents, application.submitted_at)


def approve(
    session: Session, application_id: uuid.UUID, actor: User, *, seen: str | None = None
) -> ProviderApplication:
    """Make the provider, with the applicant as its first owner. `seen` is the mark of what was read.

    Raises NotFound, NotAllowed (one's own), IllegalTransition, ChangedMeanwhile, ProviderNameTaken,
    RegistrationTaken.
    """
    application = _lock_submitted(session, application_id, actor, seen)
    if queries.find_by_name(session, application.name) is not None:
        raise ProviderNameTaken(application.name, name=application.name)
    taken = select(ProviderApplication.id).where(
        ProviderApplication.registration_number == application.registration_number,
        ProviderApplication.state == ApplicationState.APPROVED,
    )
    if session.scalar(taken) is not None:
        raise RegistrationTaken("another provider has this registration")
    provider = service.create_provider(session, application.name, application.city, application.province_code)
    service.add_staff(session, provider, application.user)
    return _decide(session, application, actor, ApplicationState.APPROVED, "", provider.id)


def return_application(
    session: Session, application_id: uuid.UUID, actor: User, comment: str, *, seen: str | None = None
) -> ProviderApplication:
    """Send it back with what is missing. Raises ReasonMissing, and as approve."""
    return _refuse(session, application_id, actor, ApplicationState.RETURNED, comment, seen)


def reject(
    session: Session, application_id: uuid.UUID, actor: User, comment: str, *, seen: str | None = None
) -> ProviderApplication:
    """Refuse it, with the reason. Raises as return_application."""
    return _refuse(session, application_id, actor, ApplicationState.REJECTED, comment, seen)


def _refuse(
    session: Session,
    application_id: uuid.UUID,
    actor: User,
    verdict: ApplicationState,
    comment: str,
    seen: str | None,
) -> ProviderApplication:
    if not comment.strip():
        raise ReasonMissing("say why")
    application = _lock_submitted(session, application_id, actor, seen)
    return _decide(session, application, actor, verdict, comment.strip()[:LONGEST_REASON])


def _decide(
    session: Session,
    application: ProviderApplication,
    actor: User,
    verdict: ApplicationState,
    comment: str,
    provider_id: uuid.UUID | None = None,
) -> ProviderApplication:
    now = clock.now(session)
    move(application, verdict, APPLICATION_TRANSITIONS)
    application.provider_id, application.comment = provider_id, comment
    application.decided_at, application.decided_by = now, actor.id
    session.flush()
    _note(session, application, actor, f"application.{verdict}")
    notifications.notify(session, application.user, *messages.decided(application))
    return application


def _lock_open(session: Session, actor: User) -> ProviderApplication | None:
    """Under a lock on the applicant, so that two tabs do not begin two."""
    session.execute(select(User.id).where(User.id == actor.id).with_for_update(key_share=True))
    found = find_open(session, actor.id)
    if found is not None:
        session.refresh(found)
    return found


def _get_writable(session: Session, actor: User) -> ProviderApplication:
    application = _lock_open(session, actor)
    if application is None:
        raise NotFound("no application")
    if application.state not in _WRITABLE:
        raise IllegalTransition("it is being looked at", current=application.state)
    return application


def _lock_submitted(
    session: Session, application_id: uuid.UUID, actor: User, seen: str | None
) -> ProviderApplication:
    application = get_application(session, application_id)
    session.refresh(application, with_for_update={"of": ProviderApplication, "key_share": True})
    if application.user_id == actor.id:
        raise NotAllowed("one's own application")
    if application.state != ApplicationState.SUBMITTED:
        raise IllegalTransition("not waiting", current=application.state)
    shown.require(seen, mark_of(application), "application")
    return application


def _note(session: Session, application: ProviderApplication, actor: User, what: str) -> None:
    audit.record(session, actor, what, f"application:{application.id}", state=application.state)
    events.record(session, what, application.id, application.provider_id)

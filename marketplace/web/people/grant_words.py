"""Where a person's benefit stands, and what became of a message, in words."""

from flask_babel import gettext as _

from marketplace.batches.models import Grant, GrantState
from marketplace.notifications.models import Notification, NotificationState
from marketplace.participants.eligibility import sentence
from marketplace.participants.models import Participant
from marketplace.web.language import current_language
from marketplace.web.state_words import Tag


def grant_tag(grant: Grant | None, participant: Participant) -> Tag:
    """Whether somebody may buy."""
    if participant.blocked_code:
        return sentence(participant.blocked_code, current_language()), "bata", "warning"
    if grant is None:
        return _("Belum mendapat bantuan"), "", None
    return {
        GrantState.AWARDED: (_("Bantuan segera masuk"), "kunyit", "clock"),
        GrantState.ACTIVE: (_("Bantuan berlaku"), "daun", "check"),
        GrantState.FROZEN: (_("Saldo dibekukan"), "bata", "warning"),
        GrantState.REVOKED: (_("Bantuan dicabut"), "", "close"),
        GrantState.LAPSED: (_("Masa bantuan berakhir"), "", "close"),
    }[GrantState(grant.state)]


def message_tag(message: Notification) -> Tag:
    """Whether a message has gone out."""
    return {
        NotificationState.PENDING: (_("Menunggu dikirim"), "kunyit", "clock"),
        NotificationState.SENT: (_("Terkirim"), "daun", "check"),
        NotificationState.ABANDONED: (_("Tidak terkirim"), "bata", "warning"),
    }[NotificationState(message.state)]

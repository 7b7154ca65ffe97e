"""What owners are told about where their organisation is paid: a wrong account must not go unnoticed."""

import uuid

from sqlalchemy.orm import Session

from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.providers import queries
from marketplace.providers.models import BankAccount, BankAccountState, StaffRole

_LETTERS = {
    "id": {
        BankAccountState.PROPOSED: (
            "Rekening baru diajukan untuk {provider}",
            "Rekening yang berakhiran {ending} diajukan {name}. Bila itu bukan atas keputusan lembaga, "
            "segera hubungi kantor program sebelum rekening ini dipakai.",
        ),
        BankAccountState.APPROVED: (
            "Rekening baru disetujui untuk {provider}",
            "Rekening yang berakhiran {ending} disetujui dan dipakai setelah masa tunggu.",
        ),
        BankAccountState.REPLACED: (
            "Rekening ditolak untuk {provider}",
            "Rekening yang berakhiran {ending} tidak disetujui. Anda bisa mengajukan yang lain.",
        ),
    },
    "en": {
        BankAccountState.PROPOSED: (
            "A new bank account was named for {provider}",
            "The account ending in {ending} was named by {name}. If your organisation did not decide so, "
            "tell the programme office at once, before it is used.",
        ),
        BankAccountState.APPROVED: (
            "A new bank account was approved for {provider}",
            "The account ending in {ending} is approved, and is used after the waiting time.",
        ),
        BankAccountState.REPLACED: (
            "A bank account was declined for {provider}",
            "The account ending in {ending} was not approved. You can name another.",
        ),
    },
}


def tell_owners(session: Session, account: BankAccount, by: str = "") -> None:
    """Tell every owner what became of an account, each in their language."""
    letters = []
    for owner in _owners(session, account.provider_id):
        locale = owner.locale if owner.locale in _LETTERS else "id"
        subject, body = _LETTERS[locale][BankAccountState(account.state)]
        said = body.format(ending=account.number_ending, name=by)
        letters.append(notifications.message_to(owner, subject.format(provider=account.provider.name), said))
    notifications.notify_many(session, letters)


def _owners(session: Session, provider_id: uuid.UUID) -> list[User]:
    staff = queries.list_staff(session, provider_id)
    return [member.user for member in staff if member.role == StaffRole.OWNER]

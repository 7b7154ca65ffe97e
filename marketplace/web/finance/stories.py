"""A ledger transaction told for people: a title, one plain sentence, the split, the way of the money."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from ledger import TransactionRecord, find_transactions
from marketplace import clock
from marketplace.batches.models import Grant, GrantState
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import Enrolment
from marketplace.payouts.models import BankLine, Payout
from marketplace.web.finance import enrolment_story
from marketplace.web.finance.account_names import short_name
from marketplace.web.finance.money_words import bank_line_tag, money_kind, part_words
from marketplace.web.finance.traces import Stages, box, pending_box
from marketplace.web.formatting import rupiah
from marketplace.web.state_words import Tag, kind_words, payout_tag

Parts = list[tuple[str, Decimal, str]]


@dataclass
class Story:
    """What the page shows above the journal. `details` are rows of (label, value)."""

    title: str
    words: str
    parts: Parts
    stages: Stages
    tags: list[Tag] = field(default_factory=list)
    details: list[tuple[Any, ...]] = field(default_factory=list)


def tell(session: Session, record: TransactionRecord, names: Mapping[str, str]) -> Story:
    """The story of a transaction, by what its reference names; any transaction has at least a plain one."""
    story = _plain(session, record, names)
    subject, found_id = _subject(record.reference)
    teller = _TELLERS.get(subject)
    if teller is not None and found_id is not None:
        teller(session, record, found_id, story)
    return story


def total_of(record: TransactionRecord) -> Decimal:
    """All that a transaction moved."""
    return sum((each.amount for each in record.postings), Decimal(0))


def _plain(session: Session, record: TransactionRecord, names: Mapping[str, str]) -> Story:
    moved = total_of(record)
    first = record.postings[0]
    words = _(
        "%(amount)s berpindah dari %(source)s ke %(target)s.",
        amount=rupiah(moved),
        source=names[first.debit],
        target=_joined([names[each.credit] for each in record.postings]),
    )
    trail = find_transactions(session, reference=record.reference) if record.reference else [record]
    title = _("%(kind)s: %(amount)s", kind=kind_words(record.kind), amount=rupiah(moved))
    return Story(title, words, _parts(record, names), [[box(each, record)] for each in trail])


def _parts(record: TransactionRecord, names: Mapping[str, str]) -> Parts:
    """Where the money went, one part for each account."""
    sums: dict[str, Decimal] = {}
    for each in record.postings:
        sums[each.credit] = sums.get(each.credit, Decimal(0)) + each.amount
    return [
        (
            part_words(record.kind, code.partition(":")[0]) or names[code],
            amount,
            money_kind(code.partition(":")[0]),
        )
        for code, amount in sums.items()
    ]


def _tell_enrolment(session: Session, record: TransactionRecord, found_id: uuid.UUID, story: Story) -> None:
    enrolment = session.get(Enrolment, found_id)
    if enrolment is None:
        return
    facts = enrolment_story.read_facts(session, enrolment)
    story.title, story.words = enrolment_story.title_and_words(record, facts)
    story.stages = enrolment_story.stages(session, record, facts)
    story.tags = enrolment_story.tags(record, facts, clock.now(session))
    story.details = enrolment_story.details(session, record, facts)


def _tell_grant(session: Session, record: TransactionRecord, found_id: uuid.UUID, story: Story) -> None:
    grant = session.get(Grant, found_id)
    if grant is None:
        return
    name = short_name(grant.participant.full_name)
    values = {"name": name, "amount": rupiah(grant.amount), "scheme": grant.scheme_code}
    if record.kind == "grant":
        story.title = _("Bantuan pelatihan: %(amount)s untuk %(name)s", **values)
        story.words = _(
            "%(name)s menerima %(amount)s dari dana skema %(scheme)s."
            " Cadangan insentif dan survei disisihkan juga.",
            **values,
        )
    else:
        story.words = _("Bantuan %(name)s kembali ke dana skema %(scheme)s.", **values)
        if grant.state == GrantState.LAPSED:
            moved = sum((each.amount for each in record.postings), Decimal(0))
            story.title = _("%(kind)s: %(amount)s", kind=kind_words("lapse"), amount=rupiah(moved))


def _tell_payout(session: Session, record: TransactionRecord, found_id: uuid.UUID, story: Story) -> None:
    payout = session.get(Payout, found_id)
    if payout is None:
        return
    values = {"provider": payout.provider.name, "amount": rupiah(payout.amount)}
    sentences = {
        "payout": _("Hak %(provider)s sebesar %(amount)s diperintahkan ke bank.", **values),
        "payout_confirmed": _("Rekening koran menunjukkan %(amount)s sampai di %(provider)s.", **values),
        "payout_rejected": _(
            "Bank menolak %(amount)s untuk %(provider)s, jadi uangnya tetap hak lembaga.", **values
        ),
        "payout_returned": _("Bank mengembalikan %(amount)s; uangnya hak %(provider)s lagi.", **values),
    }
    story.words = sentences.get(record.kind, story.words)
    story.tags = [payout_tag(payout)]
    href = url_for("finance.payout", run_id=payout.run_id, payout_id=payout.id)
    link = Markup('<a href="{}">{}</a>').format(href, _("lihat yang tercakup"))
    story.details = [(_("Pembayaran"), link, payout.provider.name)]
    if payout.state in ("sending", "sent", "unknown"):
        story.stages.append([pending_box(_("menunggu rekening koran"), payout.amount)])


def _tell_bank_line(session: Session, record: TransactionRecord, found_id: uuid.UUID, story: Story) -> None:
    line = session.get(BankLine, found_id)
    if line is None:
        return
    story.tags = [bank_line_tag(line.reason)]
    story.details = [(_("Baris bank"), line.reference, line.remittance)]


def _tell_incentive(session: Session, record: TransactionRecord, found_id: uuid.UUID, story: Story) -> None:
    certificate = session.get(Certificate, found_id)
    if certificate is None:
        return
    values = {"name": short_name(certificate.holder_name), "amount": rupiah(total_of(record))}
    story.words = {
        "incentive": _("%(name)s berhak atas insentif %(amount)s setelah sertifikatnya tetap.", **values),
        "survey": _("%(name)s berhak atas %(amount)s untuk survei yang dijawabnya.", **values),
    }.get(record.kind, story.words)
    href = url_for("finance.certificate", certificate_id=certificate.id)
    link = Markup('<a href="{}">{}</a>').format(href, certificate.number)
    story.details = [(_("Sertifikat"), link, certificate.course_title)]


def _subject(reference: str | None) -> tuple[str, uuid.UUID | None]:
    """`enrolment:…` or `po_…` as what it names, and its id."""
    text = reference or ""
    kind, id_text = (
        ("payout", text.removeprefix("po_")) if text.startswith("po_") else text.partition(":")[::2]
    )
    try:
        return kind, uuid.UUID(hex=id_text)
    except ValueError:
        return "", None


def _joined(words: list[str]) -> str:
    distinct = list(dict.fromkeys(words))
    if len(distinct) == 1:
        return distinct[0]
    return _("%(most)s dan %(last)s", most=", ".join(distinct[:-1]), last=distinct[-1])


_TELLERS: dict[str, Callable[[Session, TransactionRecord, uuid.UUID, Story], None]] = {
    "enrolment": _tell_enrolment,
    "grant": _tell_grant,
    "payout": _tell_payout,
    "line": _tell_bank_line,
    "certificate": _tell_incentive,
}

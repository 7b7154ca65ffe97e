"""What the layout needs on every page; its shape is described at the top of templates/_layout.html."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _

from marketplace import db
from marketplace.batches import queries as grants
from marketplace.identity.models import Role, User
from marketplace.providers.models import StaffRole
from marketplace.web import notices
from marketplace.web.formatting import READERS_ZONE, WIB, here
from marketplace.web.identity import current_user, find_participant, find_provider, find_staff
from marketplace.web.language import current_language
from marketplace.web.regions import zone_of
from marketplace.web.staff_rights import may_open

Item = dict[str, Any]


def install(app: Flask) -> None:
    """Offer `shell` to every template."""
    app.extensions[READERS_ZONE] = _readers_zone
    app.context_processor(lambda: {"shell": build(), "zone": here()})


def build() -> dict[str, Any]:
    """The shell of this request's page. Signed-out readers and error pages get a plain one."""
    user = current_user()
    audience = _audience(user)
    return {
        "locale": current_language(),
        "audience": "staff" if audience in _STAFF else audience,
        "home_href": url_for("public.home"),
        "place": _place(audience),
        "nav": _NAVIGATION[audience](),
        "user": _user(user) if user else None,
        "balance": _balance(),
        "balance_href": url_for("participant.home"),
        "sign_in": None if user else {"label": _("Masuk"), "href": url_for("account.sign_in")},
        "language": _other_language(),
        "footer": _footer(audience),
        "banners": notices.banners(),
        "announcements": notices.announcements(audience),
    }


def _readers_zone() -> str:
    """The province of the provider whose staff reads, or a participant's own; all others read WIB."""
    user = current_user()
    is_staff = user is not None and user.has_role(Role.PROVIDER)
    found = find_provider() if is_staff else find_participant()
    return zone_of(found.province_code) if found else WIB


def initials(name: str) -> str:
    """Up to two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalpha()]
    return "".join(word[0] for word in words[:2]).upper() or "•"


_OFFICE = frozenset({"finance", "curation", "desk"})
_DESKS, _DESKS_ARE_FOR = ("desk", "people"), frozenset({"desk", "finance"})
_STAFF = _OFFICE | {"provider"}


def _audience(user: User | None) -> str:
    if user is None:
        return "public"
    own = [audience for role, audience in _AUDIENCE_OF.items() if user.has_role(role)]
    if request.blueprint in _DESKS and _DESKS_ARE_FOR.intersection(own):
        return "desk"
    return request.blueprint if request.blueprint in own else next(iter(own), "public")


_AUDIENCE_OF = {
    Role.PARTICIPANT: "participant",
    Role.PROVIDER: "provider",
    Role.FINANCE: "finance",
    Role.AUDITOR: "finance",
    Role.DESK: "desk",
    Role.CURATOR: "curation",
}


def _user(user: User) -> Item:
    return {"name": user.name, "initials": initials(user.name), "href": url_for("account.me")}


def _item(label: str, endpoint: str, icon: str, *below: str, phone_only: bool = False) -> Item:
    return {
        "label": label,
        "href": url_for(endpoint),
        "icon": icon,
        "current": request.endpoint in {endpoint, *below},
        "badge": None,
        "phone_only": phone_only,
    }


def _public_nav() -> list[Item]:
    return []


def _participant_nav() -> list[Item]:
    return [
        _item(_("Beranda"), "participant.home", "home", "participant.movements"),
        _item(_("Cari"), "catalogue.search", "search", *_OF_CATALOGUE),
        _item(
            _("Kursus saya"), "participant.courses", "book", "participant.enrolment", "participant.receipt"
        ),
        _item(_("Akun"), "account.me", "user", *_OF_COMPLAINTS, phone_only=True),
    ]


_OF_CATALOGUE = (
    "catalogue.course", "catalogue.provider", "catalogue.compare", "participant.saved", "participant.review",
)  # fmt: skip

_OF_COMPLAINTS = (
    "participant.complaints", "participant.complaint", "participant.new_complaint",
    "participant.open_complaint", "participant.reply_complaint", "participant.insist_complaint",
)  # fmt: skip

_OF_CLAIMS = tuple(each.replace("participant.", "provider.") for each in _OF_COMPLAINTS[1:])

_OF_RUNS = (
    "provider.run", "provider.ask_complete", "provider.complete", "provider.ask_cancel", "provider.cancel",
    "provider.session", "provider.attendance_list", "provider.record_attendance", "provider.read_list",
    "provider.sheet", "provider.run_message", "provider.send_message",
    "provider.edit_run", "provider.change_run",
    "provider.choose_run_upload", "provider.keep_run_upload", "provider.run_upload",
)  # fmt: skip


_OF_COURSES = (
    "provider.course", "provider.new_course", "provider.add_course", "provider.edit_course",
    "provider.change_course", "provider.submit_course", "provider.ask_withdraw_course",
    "provider.new_run", "provider.add_run", "provider.new_self_paced_run", "provider.add_self_paced_run",
    "provider.choose_upload", "provider.keep_upload", "provider.upload",
)  # fmt: skip

_OF_ENROLMENTS = (
    "provider.enrolment", "provider.refine_enrolments", "provider.ask_decline", "provider.ask_export",
    "provider.export",
    "provider.ask_correction", "provider.review_correction", "provider.correct",
)  # fmt: skip


_OF_MONEY = ("provider.payout", "provider.monthly_report", "provider.monthly_reports")


_OF_PAYOUTS = ("finance.run", "finance.ask_cancel", "finance.cancel", "finance.payout")


_OF_HELD = ("finance.held_earning", "finance.release_earning")
_OF_CERTIFICATES = ("finance.certificate", "finance.revoke_certificate")


def _provider_nav() -> list[Item]:
    """What one's part allows. Who is no staff sees the error page of such an address without any."""
    staff = find_staff()
    if staff is None:
        return []
    role = StaffRole(staff.role)
    return [item for item in _provider_items() if may_open(role, item["href"])]


def _provider_items() -> list[Item]:
    return [
        _item(_("Ringkasan"), "provider.overview", "chart"),
        _item(_("Kursus"), "provider.courses", "book", *_OF_COURSES),
        _item(_("Jadwal"), "provider.runs", "calendar", *_OF_RUNS),
        _item(_("Pendaftaran"), "provider.enrolments", "users", *_OF_ENROLMENTS),
        _item(_("Ulasan"), "provider.reviews", "star", "provider.review", "provider.answer_review"),
        _item(_("Pembayaran"), "provider.payouts", "wallet", *_OF_MONEY),
        _item(_("Grafik"), "provider.reports", "list"),
        _item(_("Rekening"), "provider.bank_account", "bank", "provider.propose_account"),
        _item(_("Staf"), "provider.staff", "user", "provider.add_member"),
        _item(_("Pengaduan"), "provider.complaints", "message", *_OF_CLAIMS),
        _item(_("Pernyataan"), "provider.statement", "shield", "provider.make_statement"),
    ]


def _finance_nav() -> list[Item]:
    return [
        _item(_("Pembayaran"), "finance.runs", "wallet", *_OF_PAYOUTS),
        _item(
            _("Rekening lembaga"), "finance.provider_accounts", "bank", "finance.ask_decline_account",
            "finance.decline_account",
        ),
        _item(_("Ditahan"), "finance.held_earnings", "lock", *_OF_HELD),
        _item(_("Rekening koran"), "finance.bank_lines", "scales"),
        _item(_("Buku besar"), "finance.ledger", "list", "finance.transaction", "finance.account"),
        _item(_("Sertifikat"), "finance.certificate_list", "certificate", *_OF_CERTIFICATES),
        _item(_("Pengaduan"), "desk.queue", "message"),
    ]  # fmt: skip


_OF_PEOPLE = ("people.find", "people.participant", "people.provider", "people.locate")


def _desk_nav() -> list[Item]:
    """Finance staff and auditors come from their own pages and go back there."""
    user = current_user()
    items = [_item(_("Pengaduan"), "desk.queue", "message", "desk.complaint", "desk.decide")]
    if user is not None and (user.has_role(Role.DESK) or user.has_role(Role.FINANCE)):
        items.append(_item(_("Cari orang"), "people.search", "search", *_OF_PEOPLE))
    items.append(_item(_("Pengumuman"), "desk.announcements", "info", "desk.announce"))
    if user is not None and (user.has_role(Role.FINANCE) or user.has_role(Role.AUDITOR)):
        items.append(_item(_("Pembayaran"), "finance.runs", "wallet"))
    return items


def _curation_nav() -> list[Item]:
    return [
        _item(_("Kurasi"), "curation.queue", "check", "curation.version", "curation.decide"),
        _item(
            _("Kursus yang dijual"), "curation.courses", "book", "curation.course",
            "curation.suspend_course", "curation.restore_course",
        ),
        _item(
            _("Lembaga baru"), "curation.provider_applications", "users", "curation.provider_application",
            "curation.decide_application",
        ),
    ]  # fmt: skip


_NAVIGATION: dict[str, Callable[[], list[Item]]] = {
    "public": _public_nav,
    "participant": _participant_nav,
    "provider": _provider_nav,
    "finance": _finance_nav,
    "curation": _curation_nav,
    "desk": _desk_nav,
}


def _place(audience: str) -> str | None:
    if audience == "provider":
        provider = find_provider()
        return provider.name if provider else None
    return _("Kantor program") if audience in _OFFICE else None


def note_balance(balance: Decimal) -> None:
    """A page that has read the balance spares the shell from reading it again."""
    g.balance = balance


def _balance() -> Decimal | None:
    participant = find_participant()
    if participant is None:
        return None
    if "balance" not in g:
        note_balance(grants.balance_of(db.session(), participant.id))
    return Decimal(g.balance)


def _other_language() -> Item:
    code, label = ("en", "English") if current_language() == "id" else ("id", "Bahasa Indonesia")
    here = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return {"label": label, "code": code, "href": url_for("public.language", code=code, next=here)}


def _footer(audience: str) -> list[tuple[str, str]]:
    """Pages for everybody; during development also the place where one becomes somebody else."""
    links = [
        (_("Cari kursus"), url_for("catalogue.search")),
        (_("Daftarkan lembaga"), url_for("applying.application")),
        (_("Periksa sertifikat"), url_for("certificate.check")),
        (_("Status layanan"), url_for("status.status")),
    ]
    if audience == "participant":
        links.append((_("Pengaduan"), url_for("participant.complaints")))
    if "dev" in current_app.blueprints:
        links.append((_("Kotak keluar"), url_for("dev.inbox")))
    return links

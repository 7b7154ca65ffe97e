"""Why the first incentive has not come yet, or does not come, in a sentence."""

from flask_babel import gettext as _

from marketplace.payouts.incentive_models import Obstacle
from marketplace.payouts.incentive_outlook import Outlook, Wait
from marketplace.web.formatting import here, long_date


def outlook_words(found: Outlook) -> str:
    """What the certificate waits for, or why it earns nothing and which one would."""
    title = found.certificate.course_title
    if found.why is Wait.CORRECTABLE:
        return _(
            "Sertifikat %(course)s bisa dikoreksi lembaga sampai %(day)s. "
            "Setelah itu insentifnya diputuskan.",
            course=title,
            day=long_date(found.certificate.final_at, here()),
        )
    if isinstance(found.why, Wait):
        return {
            Wait.DUE: _("Sertifikat %(course)s sudah tetap. Insentifnya sedang diputuskan.", course=title),
            Wait.HELD: _(
                "Insentif dari %(course)s menunggu: kantor program memeriksa dulu kehadiran di kelas itu.",
                course=title,
            ),
        }[found.why]
    return _why_none(found.why, title)


def _why_none(why: Obstacle, title: str) -> str:
    said = {
        Obstacle.NO_INCENTIVE: _("Skema bantuan Anda tidak memberi insentif."),
        Obstacle.REVOKED: _("Sertifikat %(course)s dicabut, jadi tidak memberi insentif.", course=title),
        Obstacle.FREE: _("%(course)s gratis, jadi sertifikatnya tidak memberi insentif.", course=title),
        Obstacle.SHORT: _(
            "%(course)s terlalu singkat, jadi sertifikatnya tidak memberi insentif.", course=title
        ),
    }[why]
    if why is Obstacle.NO_INCENTIVE:
        return said
    return said + " " + _("Sertifikat pertama dari kursus berbayar yang cukup lama memberi insentif.")

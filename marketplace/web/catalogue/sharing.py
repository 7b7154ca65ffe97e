"""What other programs read of a course: the preview when it is shared, and schema.org's description of it."""

from collections.abc import Sequence
from typing import Any

from flask import current_app, url_for
from flask_babel import gettext as _

from marketplace.catalogue.models import Course, Mode, Run, RunKind
from marketplace.web.assets import asset_url
from marketplace.web.language import current_language
from marketplace.web.rich_text import excerpt

_MODES = {Mode.ONLINE.value: "Online", Mode.IN_PERSON.value: "Onsite", Mode.HYBRID.value: "Blended"}
_LOCALES = {"id": "id_ID", "en": "en_GB"}
_PREVIEW, _DESCRIPTION = 200, 1000


def address_of(endpoint: str, **values: Any) -> str:
    """A page's whole address, under the name by which the public knows this service."""
    return _public(url_for(endpoint, **values))


def _public(path: str) -> str:
    return str(current_app.extensions["settings"].public_url).rstrip("/") + path


def preview(title: str, text: str, address: str) -> dict[str, str]:
    """The properties of an Open Graph preview, which cards of other sites read too."""
    return {
        "og:site_name": "Bekal",
        "og:type": "website",
        "og:locale": _LOCALES[current_language()],
        "og:title": title,
        "og:description": excerpt(text, _PREVIEW),
        "og:url": address,
        "og:image": _public(asset_url("bagikan.png")),
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": _("Bekal, program pelatihan nasional"),
        "twitter:card": "summary_large_image",
    }


def describe(course: Course, runs: Sequence[Run]) -> dict[str, Any]:
    """The course as schema.org's Course, each run as a CourseInstance. What is not known is left out."""
    provider = {
        "@type": "Organization",
        "name": course.provider.name,
        "url": address_of("catalogue.provider", provider_id=course.provider_id),
    }
    described = {
        "@context": "https://schema.org",
        "@type": "Course",
        "name": course.title,
        "description": excerpt(course.description, _DESCRIPTION) or course.title,
        "url": address_of("catalogue.course", course_id=course.id),
        "inLanguage": course.language,
        "provider": provider,
        "offers": _offer(course, any(run.seats_left for run in runs)),
        "hasCourseInstance": [_instance(course, run) for run in runs],
    }
    if course.rating and course.rating_count:
        described["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": str(course.rating),
            "ratingCount": course.rating_count,
            "bestRating": "5",
        }
    return {name: value for name, value in described.items() if value}


def _offer(course: Course, has_seats: bool) -> dict[str, str]:
    return {
        "@type": "Offer",
        "category": "Paid" if course.price else "Free",
        "price": str(course.price),
        "priceCurrency": "IDR",
        "availability": f"https://schema.org/{'InStock' if has_seats else 'SoldOut'}",
    }


def _instance(course: Course, run: Run) -> dict[str, Any]:
    instance: dict[str, Any] = {"@type": "CourseInstance", "endDate": run.ends_at.isoformat()}
    if run.kind == RunKind.SCHEDULED:
        instance["startDate"] = run.starts_at.isoformat()
    if course.mode:
        instance["courseMode"] = _MODES[course.mode]
    if course.hours:
        instance["courseWorkload"] = f"PT{course.hours}H"
    if run.place:
        instance["location"] = {"@type": "Place", "name": run.place}
    return instance

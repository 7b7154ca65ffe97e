"""Up to three courses side by side; which ones is in the address."""

import uuid
from collections.abc import Iterable

from flask import render_template, request, url_for
from flask_babel import gettext as _

from marketplace import clock, db
from marketplace.catalogue import queries
from marketplace.catalogue.queries import CourseCard
from marketplace.web.catalogue.address import MOST_COMPARED
from marketplace.web.catalogue.blueprint import balance_of_reader, pages, too_short_for_reader
from marketplace.web.catalogue.labels import level_name, mode_name, start_of
from marketplace.web.formatting import decimal, hours, number

Row = tuple[str, str]


@pages.get("/kursus/banding")
def compare() -> str:
    """The same facts of each course in the same order. What is not known says so."""
    current = db.session()
    asked = _read_ids(request.args.getlist("k"))
    cards = queries.list_cards(current, asked[:MOST_COMPARED], clock.now(current))
    ids = [card.course.id for card in cards]
    return render_template(
        "public/compare.html",
        cards=[(card, _facts(card), _address_without(card, ids)) for card in cards],
        balance=balance_of_reader(current),
        too_short=too_short_for_reader(current),
        too_many=len(asked) > MOST_COMPARED,
        add_href=url_for("catalogue.search", k=[str(each) for each in ids])
        if len(ids) < MOST_COMPARED
        else None,
    )


def _read_ids(words: Iterable[str]) -> list[uuid.UUID]:
    """The ids among the words, each once."""
    found = []
    for word in dict.fromkeys(words):
        try:
            found.append(uuid.UUID(word))
        except ValueError:
            continue  # no course has such a name
    return list(dict.fromkeys(found))


def _address_of_more(ids: Iterable[uuid.UUID]) -> str:
    """The search, which then offers each course as a companion of these."""
    return url_for("catalogue.search", k=[str(each) for each in ids])


def _address_without(card: CourseCard, ids: Iterable[uuid.UUID]) -> str:
    return url_for("catalogue.compare", k=[str(each) for each in ids if each != card.course.id])


def _facts(card: CourseCard) -> list[Row]:
    course, run = card.course, card.next_run
    unknown = _("Tidak disebut")
    rated = (
        f"{decimal(course.rating)} ({number(course.rating_count)})" if course.rating else _("Belum dinilai")
    )
    return [
        (_("Lembaga"), course.provider.name),
        (_("Bidang"), course.category or unknown),
        (_("Cara belajar"), mode_name(course.mode) or unknown),
        (_("Tempat"), (run.place if run else "") or course.provider.city or unknown),
        (_("Lama"), hours(course.hours) if course.hours else unknown),
        (_("Tingkat"), level_name(course.level) or unknown),
        (_("Mulai"), start_of(run) if run else _("Belum ada jadwal")),
        (_("Kursi"), _seats(card)),
        (_("Nilai peserta"), rated),
    ]


def _seats(card: CourseCard) -> str:
    if card.next_run is None:
        return "–"
    left, seats = card.next_run.seats_left, card.next_run.seats
    return _("Sisa %(left)s dari %(seats)s", left=left, seats=seats) if left else _("Penuh")

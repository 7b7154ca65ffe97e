"""How courses and the choices of a search are named, and which icon stands before them."""

from flask_babel import gettext as _

from marketplace.catalogue.filters import BANDS
from marketplace.catalogue.models import Course, Mode, Run, RunKind
from marketplace.catalogue.queries import Band, CourseCard, Rating, Sort, When
from marketplace.web.formatting import here, hours, long_date, rupiah, short_date

Fact = tuple[str, str]
"""An icon and the words beside it."""

_ICONS: tuple[tuple[str, str, str], ...] = (
    # a word in the category's name, the icon, its tint
    ("digital", "screen", "tarum"),
    ("keuangan", "calculator", "daun"),
    ("usaha", "shop", "kunyit"),
    ("kuliner", "cup", "kunyit"),
    ("busana", "scissors", "bata"),
    ("kerajinan", "scissors", "bata"),
    ("teknik", "tools", "tarum"),
    ("bahasa", "message", "tarum"),
    ("pertanian", "leaf", "daun"),
    ("kesehatan", "heart", "bata"),
    ("kreatif", "palette", "kunyit"),
)


def icon_of(found: Course) -> tuple[str, str]:
    """Icon and tint of a course's category; a book where the category is not one of ours."""
    name = found.category.lower()
    return next(((icon, tint) for word, icon, tint in _ICONS if word in name), ("book", "tarum"))


def sorts() -> list[tuple[str, str]]:
    """The orders one can ask for."""
    return [
        (Sort.BEST, _("Paling cocok")),
        (Sort.CHEAPEST, _("Termurah")),
        (Sort.SOONEST, _("Paling cepat mulai")),
        (Sort.RATING, _("Nilai tertinggi")),
    ]


def when_name(when: When) -> str:
    """A time of starting, in words."""
    if when is When.THIS_WEEK:
        return _("Pekan ini")
    return _("Pekan depan") if when is When.NEXT_WEEK else _("Sesudahnya")


def band_name(band: Band) -> str:
    """A range of prices, in words."""
    above, to = BANDS[band]
    if above is None:
        return _("Gratis")
    return (
        _("Di atas %(least)s", least=rupiah(above)) if to is None else _("Sampai %(most)s", most=rupiah(to))
    )


def rating_name(least: Rating) -> str:
    """A rating, in words."""
    return _("Bintang %(least)s ke atas", least=least.value)


def mode_name(mode: str | None) -> str:
    """How one learns there, in words; nothing where the catalogue does not say."""
    if not mode:
        return ""
    if mode == Mode.ONLINE:
        return _("Daring")
    return _("Tatap muka") if mode == Mode.IN_PERSON else _("Campuran")


def level_name(level: str) -> str:
    """For whom a course is, in words; nothing where the catalogue does not say."""
    levels = {"beginner": _("Pemula"), "intermediate": _("Menengah"), "advanced": _("Lanjutan")}
    return levels.get(level, "")


def facts_of_card(card: CourseCard) -> list[Fact]:
    """Way of learning, hours and the next start."""
    facts = _learning_facts(card.course)
    if card.next_run:
        facts.append(("calendar", start_of(card.next_run)))
    return facts


def facts_of_course(found: Course) -> list[Fact]:
    """Way of learning, hours and level."""
    facts = _learning_facts(found)
    if level := level_name(found.level):
        facts.append(("book", level))
    return facts


def _learning_facts(found: Course) -> list[Fact]:
    facts = []
    if found.mode:
        place = (
            found.provider.city
            if found.mode != Mode.ONLINE and found.provider.city
            else mode_name(found.mode)
        )
        facts.append(("screen" if found.mode == Mode.ONLINE else "pin", place))
    if found.hours:
        facts.append(("clock", hours(found.hours)))
    return facts


def start_of(run: Run) -> str:
    """When one can begin."""
    if run.kind == RunKind.SELF_PACED:
        return _("Mulai kapan saja, sampai %(day)s", day=long_date(run.ends_at, here()))
    return short_date(run.starts_at, here())


def too_short_words(least: int) -> str:
    """Why a course cannot be bought whatever the balance."""
    return _(
        "Bantuan Anda membayar kursus mulai %(hours)s jam, jadi kursus ini tidak bisa dibeli dengannya.",
        hours=least,
    )

"""What somebody may have meant who typed a word that no course has.

The words of titles, categories and providers are learnt in the background. Only a search that finds
nothing asks for them; what it is offered has been looked up and finds something.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.catalogue import words
from marketplace.catalogue.models import CatalogueWord, Course, CourseState
from marketplace.providers.models import Provider

_CHUNK = 500
_LOCK = 0x6B616D7573  # any number: two learners at once would wait for each other's words
_MOST_NEAR = 500


@dataclass(frozen=True, slots=True)
class Correction:
    """Words that find something, in place of the unknown ones; `others` are further guesses for them."""

    words: Sequence[str]
    others: Sequence[str]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def learn(session: Session) -> int:
    """Learn the words of the next courses that were written or changed. Returns how many courses."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    waiting = select(Course.id).where(Course.words_learnt.is_(False)).order_by(Course.id).limit(_CHUNK)
    ids = session.scalars(waiting.with_for_update(skip_locked=True)).all()
    if not ids:
        return 0
    written = func.concat_ws(" ", Course.title, Course.category, Provider.name)
    vector = func.to_tsvector("simple", func.search_words(written))
    each = select(func.unnest(func.tsvector_to_array(vector))).join(Course.provider).where(Course.id.in_(ids))
    new = sorted(word for word in session.scalars(each.distinct()) if words.is_worth_learning(word))
    if new:
        rows = [{"word": word, "fragments": words.fragments(word)} for word in new]
        session.execute(insert(CatalogueWord).on_conflict_do_nothing(), rows)
    session.execute(update(Course).where(Course.id.in_(ids)).values(words_learnt=True))
    return len(ids)


def correct(session: Session, typed: Sequence[str]) -> Correction | None:
    """A search in place of one that found nothing, or None where no word is unknown or none is near.

    Three queries at most, whatever was typed.
    """
    unknown = _unknown(session, typed)
    near = _near(session, unknown)
    if not near or any(word not in near for word in unknown):
        return None
    guesses = [near[word][0] if word in near else word for word in typed]
    others = [other for word in unknown for other in near[word][1:]]
    return Correction(list(dict.fromkeys(guesses)), others)


def _unknown(session: Session, typed: Sequence[str]) -> list[str]:
    """The words that no course on sale has."""
    known = session.execute(select(*(_is_found(words.beginning(word)) for word in typed))).one()
    return [word for word, is_known in zip(typed, known, strict=True) if not is_known]


def _is_found(query: ColumnElement[object]) -> ColumnElement[bool]:
    return exists().where(Course.state == CourseState.PUBLISHED, Course.search.bool_op("@@")(query))


def _near(session: Session, unknown: Sequence[str]) -> dict[str, list[str]]:
    """For each unknown word the known ones near it, nearest and then commonest first."""
    wanted = sorted(
        {each for word in unknown if words.faults_allowed(word) for each in words.fragments(word)}
    )
    if not wanted:
        return {}
    touched = CatalogueWord.fragments.overlap(wanted)
    known = session.scalars(select(CatalogueWord.word).where(touched).limit(_MOST_NEAR)).all()
    guesses = {word: words.nearest(word, known) for word in unknown}
    common = _courses_with(session, sorted({guess for near in guesses.values() for guess in near}))
    ranked = {
        word: sorted(
            (guess for guess in near if common[guess]),
            key=lambda guess: (words.distance(word, guess), -common[guess], guess),
        )
        for word, near in guesses.items()
    }
    return {word: near for word, near in ranked.items() if near}


def _courses_with(session: Session, guesses: Sequence[str]) -> dict[str, int]:
    """How many courses on sale have each word."""
    if not guesses:
        return {}
    counts = [
        select(func.count())
        .where(Course.state == CourseState.PUBLISHED)
        .where(Course.search.bool_op("@@")(func.to_tsquery("simple", f"'{guess}'")))
        .scalar_subquery()
        for guess in guesses
    ]
    found = session.execute(select(literal(0), *counts)).one()
    return dict(zip(guesses, found[1:], strict=True))

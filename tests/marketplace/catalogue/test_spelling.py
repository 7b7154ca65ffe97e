"""Words that nobody's course has: which one was meant, by rule and by what is there."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import queries, spelling, tasks, words
from marketplace.catalogue.filters import Filters
from marketplace.catalogue.models import Course, CourseState
from marketplace.db import transaction
from tests.factories import make_course, make_provider


@pytest.fixture
def learnt(session: Session) -> list[Course]:
    """Courses whose words have been learnt."""
    courses = [
        make_course(session, make_provider(session, "Sanggar Kopi Merapi"), title="Barista Kedai Kopi"),
        make_course(session, title="Menjahit Busana Siap Pakai", category="Kerajinan dan busana"),
        make_course(session, title="Pemrograman Web Dasar", category="Digital"),
        make_course(session, title="Akuntansi untuk Koperasi", category="Usaha"),
        make_course(session, title="Fotografi Produk", category="Digital"),
    ]
    assert spelling.learn(session) == 5
    assert spelling.learn(session) == 0
    return courses


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("barsita", "barista"),  # two letters swapped
        ("brista", "barista"),  # one left out
        ("barrista", "barista"),  # one too many
        ("varista", "barista"),  # a wrong one, the first
        ("menjait busna", "menjahit busana"),
        ("kpoi", "kopi"),
        ("pemogramman", "pemrograman"),  # two faults in a long word
        ("akutansi koprasi", "akuntansi koperasi"),
        ("fotograpi", "fotografi"),
        ("mrapi barista", "merapi barista"),  # the provider's name counts
        ("kursus barsita untuk pemula", None),  # "pemula" is known to nobody and near nothing
        ("xilofon", None),
        ("kop", None),  # the beginning of a word is no fault
        ("abc", None),  # too short to tell what was meant
        ("2o26", None),
    ],
)
def test_the_word_that_was_meant_is_found(
    session: Session, learnt: list[Course], typed: str, meant: str | None
) -> None:
    found = queries.corrected(session, Filters(text=typed))
    assert (found[0].text if found else None) == meant
    if found:
        assert queries.search(session, found[0], clock.now(session)).cards


def test_words_are_learnt_in_the_background(session: Session) -> None:
    with transaction() as current:
        make_course(current, title="Barista Kedai Kopi")
    tasks.learn_words()
    found = queries.corrected(session, Filters(text="barsita"))
    assert found is not None and found[0].text == "barista"


def test_nothing_is_offered_that_is_not_on_sale(session: Session, learnt: list[Course]) -> None:
    learnt[0].state = CourseState.SUSPENDED.value
    session.flush()
    assert queries.corrected(session, Filters(text="barsita")) is None


def test_a_new_title_and_a_providers_new_name_are_found_and_learnt(
    session: Session, learnt: list[Course]
) -> None:
    barista = learnt[0]
    barista.title = "Peracik Espreso"
    session.flush()
    barista.provider.name = "Warung Gayo"
    session.flush()
    now = clock.now(session)
    for text in ("espreso", "gayo"):
        assert [each.course for each in queries.search(session, Filters(text=text), now).cards] == [barista]
    assert not queries.search(session, Filters(text="merapi"), now).cards
    assert spelling.learn(session) == 1
    found = queries.corrected(session, Filters(text="esprso"))
    assert found is not None and found[1].words == ["espreso"]


def test_the_database_strips_the_words_that_the_search_leaves_out(session: Session) -> None:
    stripped = func.search_words(" ".join(sorted(words.STOP_WORDS)) + " kopi-teh, <b>di</b> (KOPI)")
    assert str(session.scalar(select(stripped))).split() == ["kopi", "teh", "KOPI"]
    assert words.words_of("Kursus KOPI-teh di\u200b Ubud_2") == ["kopi", "teh", "ubud", "2"]


@pytest.mark.parametrize(
    ("one", "other", "far"), [("kopi", "kpoi", 1), ("kopi", "kopi", 0), ("", "abc", 3), ("sate", "tesa", 4)]
)
def test_distance_counts_what_a_hand_did_wrong(one: str, other: str, far: int) -> None:
    assert words.distance(one, other) == words.distance(other, one) == far


def test_near_words_have_a_fragment_in_common() -> None:
    """Every single fault, and so what the index must find, by trying all of them."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    for word in ("kopi", "barista", "pemrograman"):
        known = set(words.fragments(word))
        for place in range(len(word)):
            faults = {word[:place] + word[place + 1 :]}
            faults |= {word[:place] + letter + word[place + 1 :] for letter in letters}
            faults |= {word[:place] + letter + word[place:] for letter in letters}
            faults.add(word[:place] + word[place : place + 2][::-1] + word[place + 2 :])
            for fault in faults - {word}:
                if words.is_worth_learning(fault):
                    assert known & set(words.fragments(fault)), (word, fault)

"""Finding courses."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import queries, service
from marketplace.catalogue.errors import CursorInvalid
from marketplace.catalogue.facets import Choice
from marketplace.catalogue.filters import Band, Filters, Rating, Sort, When
from marketplace.catalogue.models import Course, CourseState, Mode, Run, RunState
from marketplace.errors import NotFound
from tests.factories import make_course, make_provider, make_run, make_self_paced_run


def found(session: Session, **asked: object) -> list[str]:
    """The titles of one page."""
    filters = Filters(**asked)  # type: ignore[arg-type] # the tests name its fields
    return [card.course.title for card in queries.search(session, filters, clock.now(session)).cards]


@contextmanager
def counted_queries(session: Session) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def courses(session: Session) -> dict[str, Course]:
    """Three courses that differ in everything one can filter by."""
    merapi = make_provider(session, "Sanggar Kopi Merapi")
    return {
        "barista": make_course(
            session,
            merapi,
            title="Barista: dari Biji sampai Cangkir",
            price=Decimal(1_200_000),
            category="Kuliner",
            rating=Decimal("4.9"),
        ),
        "web": make_course(
            session,
            title="Pemrograman Web Dasar",
            price=Decimal(1_900_000),
            category="Digital",
            mode=Mode.ONLINE,
            description="HTML dan CSS untuk kedai kopi",
        ),
        "jahit": make_course(
            session,
            title="Menjahit Busana",
            price=Decimal(2_400_000),
            category="Kerajinan",
            mode=None,
            rating=Decimal("4.5"),
        ),
    }


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("barista", ["Barista: dari Biji sampai Cangkir"]),
        ("BARIS", ["Barista: dari Biji sampai Cangkir"]),
        ("merapi barista", ["Barista: dari Biji sampai Cangkir"]),
        ("kopi", ["Barista: dari Biji sampai Cangkir", "Pemrograman Web Dasar"]),
        ("merap barista", []),
        ("jahitan", ["Menjahit Busana"]),
        ("kursus jahit untuk pemula", []),
        ("kursus jahit untuk", ["Menjahit Busana"]),
        ("web menjahit", []),
        ("kuliner", ["Barista: dari Biji sampai Cangkir"]),
        ("'; DROP TABLE course; --", []),
        (
            "& | ! ( ) : * <->",
            ["Barista: dari Biji sampai Cangkir", "Menjahit Busana", "Pemrograman Web Dasar"],
        ),
        ("\\", ["Barista: dari Biji sampai Cangkir", "Menjahit Busana", "Pemrograman Web Dasar"]),
    ],
)
def test_every_word_must_occur_in_the_course_or_its_provider(
    session: Session, courses: dict[str, Course], text: str, titles: list[str]
) -> None:
    assert found(session, text=text) == titles


def test_filters_narrow_and_their_words_widen(session: Session, courses: dict[str, Course]) -> None:
    assert found(session, categories=("Kuliner", "Kerajinan")) == [
        "Barista: dari Biji sampai Cangkir",
        "Menjahit Busana",
    ]
    assert found(session, categories=("Kuliner", "Kerajinan"), modes=("in_person",)) == [
        "Barista: dari Biji sampai Cangkir"
    ]
    assert found(session, max_price=Decimal(1_900_000), sort=Sort.CHEAPEST) == [
        "Barista: dari Biji sampai Cangkir",
        "Pemrograman Web Dasar",
    ]
    assert found(session, above_price=Decimal(1_900_000)) == ["Menjahit Busana"]
    merapi = courses["barista"].provider
    assert found(session, providers=(merapi.slug,)) == ["Barista: dari Biji sampai Cangkir"]
    merapi.province_code = "91"
    session.flush()
    assert found(session, provinces=("91",)) == ["Barista: dari Biji sampai Cangkir"]
    assert found(session, bands=(Band.TOP, Band.FREE)) == ["Menjahit Busana"]
    make_run(session, courses["web"], seats=1)
    assert found(session, with_seats=True) == ["Pemrograman Web Dasar"]


def test_a_rating_is_at_least_so_good_and_counted(session: Session, courses: dict[str, Course]) -> None:
    """Whoever nobody has rated yet is not found by a rating, and comes last in its order."""
    for course, rating in zip(courses.values(), ("4.0", "3.9", None), strict=True):
        course.rating = Decimal(rating) if rating else None
    session.flush()
    best, good, unrated = (each.title for each in courses.values())
    assert found(session, sort=Sort.RATING) == [best, good, unrated]
    assert found(session, ratings=(Rating.FOUR,)) == [best]
    assert found(session, ratings=(Rating.THREE,)) == found(session, ratings=(*Rating,)) == [best, good]
    for asked in ((), (Rating.FOUR,)):  # each group is counted without its own filter
        facets = queries.facets(session, Filters(ratings=asked), clock.now(session))
        assert [(each.value, each.count) for each in facets.ratings] == [("4", 1), ("3", 2)]
    assert (facets.total, facets.without) == (1, {"rating": 3})
    narrowed = queries.facets(session, Filters(categories=("Digital",)), clock.now(session))
    assert [(each.value, each.count) for each in narrowed.ratings] == [("3", 1)]


def test_only_published_courses_of_active_providers_are_found(
    session: Session, courses: dict[str, Course]
) -> None:
    courses["web"].state = CourseState.SUSPENDED.value
    courses["barista"].provider.suspended_at = clock.now(session)
    session.flush()
    assert found(session) == ["Menjahit Busana"]


def test_a_course_without_a_run_is_listed_and_says_so(session: Session, courses: dict[str, Course]) -> None:
    make_run(session, courses["web"], starts_in=timedelta(days=-1))
    cancelled = make_run(session, courses["web"])
    cancelled.state = RunState.CANCELLED.value
    page = queries.search(session, Filters(), clock.now(session))
    assert [(card.next_run, card.open_runs) for card in page.cards] == [(None, 0)] * 3


def test_a_card_shows_the_soonest_run_with_seats(session: Session, courses: dict[str, Course]) -> None:
    full = make_run(session, courses["web"], starts_in=timedelta(days=1), seats=1)
    late, soon = (make_run(session, courses["web"], starts_in=timedelta(days=days)) for days in (9, 3))
    service.take_seat(session, full.id)
    [card] = queries.search(session, Filters(text="web"), clock.now(session)).cards
    assert card.next_run is soon and card.open_runs == 3
    assert queries.list_runs(session, courses["web"].id, clock.now(session)) == [full, soon, late]


def test_a_self_paced_run_is_sold_until_its_access_ends(session: Session, courses: dict[str, Course]) -> None:
    run = make_self_paced_run(session, courses["web"], days=2)
    now = clock.now(session)
    assert queries.list_runs(session, courses["web"].id, now) == [run]
    assert queries.list_runs(session, courses["web"].id, now + timedelta(days=3)) == []


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("text", ["", "resep"])
def test_pages_hold_every_course_once_in_every_order(session: Session, sort: Sort, text: str) -> None:
    provider = make_provider(session)
    for number in range(23):
        course = make_course(
            session,
            provider,
            title=f"Resep {number}",
            price=Decimal(number % 3 * 1000),
            rating=Decimal(number % 4) or None,
        )
        if number % 2:
            make_run(session, course, starts_in=timedelta(days=number % 5 + 1))
    seen, cursor, now = [], None, clock.now(session)
    while True:
        page = queries.search(session, Filters(text=text, sort=sort, size=5, cursor=cursor), now)
        seen += [card.course.title for card in page.cards]
        cursor = page.next_cursor
        if cursor is None:
            break
        now += timedelta(seconds=30)
    assert len(seen) == len(set(seen)) == 23


def test_orders_are_what_they_say(session: Session, courses: dict[str, Course]) -> None:
    make_run(session, courses["jahit"], starts_in=timedelta(days=1))
    make_run(session, courses["web"], starts_in=timedelta(days=2))
    titles = {name: course.title for name, course in courses.items()}
    assert found(session, sort=Sort.SOONEST) == [titles["jahit"], titles["web"], titles["barista"]]
    assert found(session, sort=Sort.RATING) == [titles["barista"], titles["jahit"], titles["web"]]
    assert found(session, sort=Sort.CHEAPEST) == [titles["barista"], titles["web"], titles["jahit"]]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJOYU4iLCIwIl0", "é", "W" * 5000, "WyIxIiwxXQ"])
def test_a_page_address_that_is_not_ours_is_refused(session: Session, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        queries.search(session, Filters(cursor=cursor), clock.now(session))


@pytest.mark.parametrize("key", ["1E+1000000", "1E-20000", "1" * 30, "-", "١", True, 1.5, [0, [1], 5]])
def test_a_number_that_only_python_understands_is_no_place_in_a_list(session: Session, key: object) -> None:
    address = base64.urlsafe_b64encode(json.dumps([key, "0" * 32]).encode()).decode()
    with pytest.raises(CursorInvalid):
        queries.search(session, Filters(cursor=address), clock.now(session))


def test_a_page_takes_as_many_queries_for_fifty_courses_as_for_two(session: Session) -> None:
    def queries_for(size: int) -> int:
        session.expire_all()
        with counted_queries(session) as statements:
            page = queries.search(session, Filters(size=size), clock.now(session))
            assert len(page.cards) == size
            for card in page.cards:
                assert card.course.provider.name and card.next_run and card.next_run.seats_left
        return len(statements)

    for _ in range(50):
        make_run(session, make_course(session))
    queries_for(2)
    assert queries_for(50) == queries_for(2) <= 4


def test_facets_count_what_each_further_choice_leaves(session: Session, courses: dict[str, Course]) -> None:
    make_course(session, title="Kue Basah", category="Kuliner", mode=Mode.ONLINE)
    courses["web"].provider.province_code = "91"
    make_run(session, courses["jahit"], starts_in=timedelta(days=30))
    filters = Filters(categories=("Kuliner",), max_price=Decimal(1_000_000))
    facets = queries.facets(session, filters, clock.now(session))

    def counts(choices: Sequence[Choice]) -> dict[str, int]:
        return {each.value: each.count for each in choices}

    assert facets.total == 1
    assert facets.without == {"category": 1, "fits": 2}
    assert counts(facets.categories) == {"Kuliner": 1}
    everything = queries.facets(session, Filters(), clock.now(session))
    assert counts(everything.categories) == {"Kuliner": 2, "Digital": 1, "Kerajinan": 1}
    assert counts(everything.modes) == {"in_person": 1, "online": 2}
    assert counts(everything.provinces) == {"34": 3, "91": 1}
    assert counts(everything.bands) == {Band.MIDDLE: 1, Band.HIGH: 2, Band.TOP: 1}
    assert counts(everything.when) == {When.THIS_WEEK: 0, When.NEXT_WEEK: 0, When.LATER: 1}
    assert everything.with_seats == 1
    assert {each.label for each in everything.providers} >= {"Sanggar Kopi Merapi"}


@pytest.mark.parametrize(
    ("starts_at", "when"),
    [
        (datetime(2026, 11, 29, 16, 59, tzinfo=clock.UTC), When.THIS_WEEK),  # Sunday 23.59 WIB
        (datetime(2026, 11, 29, 17, 0, tzinfo=clock.UTC), When.NEXT_WEEK),  # Monday 00.00 WIB
        (datetime(2026, 12, 6, 17, 0, tzinfo=clock.UTC), When.LATER),
    ],
)
def test_weeks_begin_on_monday_in_jakarta(session: Session, starts_at: datetime, when: When) -> None:
    now = datetime(2026, 11, 25, 3, tzinfo=clock.UTC)
    run = make_run(session, sessions=1)
    run.starts_at, run.ends_at = starts_at, starts_at + timedelta(hours=2)
    session.flush()
    for asked in When:
        page = queries.search(session, Filters(when=(asked,)), now)
        assert len(page.cards) == (1 if asked is when else 0)
    counts = {each.value: each.count for each in queries.facets(session, Filters(), now).when}
    assert counts == {each.value: int(each is when) for each in When}


def test_what_does_not_exist_is_not_found(session: Session) -> None:
    run = make_run(session)
    assert queries.get_run(session, run.id).sessions[0].sequence == 1
    assert queries.get_course(session, run.course_id) is run.course
    for get in (queries.get_run, queries.get_course):
        with pytest.raises(NotFound):
            get(session, run.sessions[0].id)
    assert isinstance(run, Run)

"""Whatever people read is there in English too: collected from the code, translated, and shown."""

import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_babel import force_locale, get_babel, ngettext
from lxml.etree import Element
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.catalogue.models import Course, Run, RunSession
from marketplace.catalogue.versions import CourseVersion
from marketplace.db import transaction
from marketplace.enrolments.learning_models import Certificate, Review
from marketplace.identity import service as identity
from marketplace.identity.models import User, UserSession
from marketplace.notifications.models import Notification
from marketplace.oversight.models import ComplaintMessage
from marketplace.participants.eligibility import check_identity
from marketplace.participants.errors import NikMalformed
from marketplace.participants.models import Participant
from marketplace.payouts import messages
from marketplace.payouts.models import Payout
from marketplace.providers.models import BankAccount, Provider, ProviderApplication, ProviderDocument
from marketplace.web.errors import words_for
from marketplace.web.regions import PROVINCES
from tests import factories
from tests.web import page_rules
from tests.web.page_rules import crawl
from tests.web.places import states
from tests.web.scene import Ids, Scene

ROOT = Path(__file__).resolve().parents[2]
TRANSLATIONS = ROOT / "marketplace" / "translations"
HOMES = {
    "stranger": "/",
    "newcomer": "/daftar",
    "participant": "/beranda",
    "provider": "/lembaga",
    "finance": "/keuangan",
    "auditor": "/keuangan",
    "curator": "/kurasi",
    "desk": "/kantor/pengaduan",
}
SPOKEN = ("aria-label", "placeholder", "title", "alt", "value")
"""Attributes that are read out or shown; of values only those on buttons."""

# whole words: a piece of an id, such as ada3, is none
_WORD = re.compile(r"\b[^\W\d_]{3,}\b")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


class Listener(NullTranslations):
    """Asked only for what the catalogue does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def gettext(self, message: str) -> str:
        self.heard.add(message)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.heard.add(msgid1)
        return msgid1 if n == 1 else msgid2

    ugettext, ungettext = gettext, ngettext


class Reader(FlaskClient):
    """A browser in English that keeps what it has read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pages: list[TestResponse] = []
        with self.session_transaction() as cookie:
            cookie["language"] = "en"

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        self.pages.append(answer)
        return answer


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The messages of the code, as `make messages` collects them."""
    file = tmp_path_factory.mktemp("words") / "messages.pot"
    keywords = ["-k", "_l", "-k", "ngettext:1,2", "-k", "MalformedNik"]
    options = ["--quiet", "extract", "-F", str(ROOT / "babel.cfg"), *keywords, "-o", str(file), str(ROOT)]
    CommandLineInterface().run(["pybabel", *options])  # type: ignore[no-untyped-call] # babel's own
    return read_po(io.BytesIO(file.read_bytes()))


@pytest.fixture(scope="module")
def english() -> Catalog:
    return read_po(io.BytesIO((TRANSLATIONS / "en/LC_MESSAGES/messages.po").read_bytes()), locale="en")


@pytest.fixture
def listener(app: Flask, english: Catalog) -> Iterator[Listener]:
    """The catalogue as it is in the checkout, with somebody who notes what it lacks."""
    translations, heard = _compiled(english), Listener()
    translations.add_fallback(heard)
    with app.app_context():
        cache = get_babel(app).instance.domain_instance.cache
    kept = dict(cache)
    cache["en", "messages"] = translations
    yield heard
    cache.clear()
    cache.update(kept)


def _compiled(catalogue: Catalog) -> Translations:
    file = io.BytesIO()
    write_mo(file, catalogue)
    file.seek(0)
    return Translations(file)


def faults(collected: Catalog, catalogue: Catalog) -> list[str]:
    """What a catalogue lacks of the collected messages, and what nobody says any more."""
    found = []
    for message in _messages(collected):
        translated = catalogue.get(message.id)
        if translated is None:
            found.append(f"{message.id}: not in the catalogue")
        else:
            found += [f"{message.id}: {fault}" for fault in _faults_of(message, translated)]
    stale = [each.id for each in _messages(catalogue) if collected.get(each.id) is None]
    return found + [f"{message}: said nowhere" for message in stale]


def _faults_of(message: Message, translated: Message) -> Iterator[str]:
    forms = _forms(translated.string)
    if translated.fuzzy:
        yield "fuzzy"
    if not all(forms) or len(forms) < len(_forms(message.id)):
        yield "not translated"
    elif any(_placeholders(form) != _placeholders(_forms(message.id)[0]) for form in forms):
        yield "other placeholders"


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ("",))


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def vocabulary(catalogue: Catalog) -> set[str]:
    """Words that Indonesian messages have and no English one."""
    spoken: tuple[set[str], set[str]] = (set(), set())
    for message in _messages(catalogue):
        for known, forms in zip(spoken, (message.id, message.string), strict=True):
            known |= _words_of(_forms(forms))
    return spoken[0] - spoken[1]


def _words_of(texts: Iterable[str]) -> set[str]:
    bare = _PLACEHOLDER.sub(" ", " ".join(texts))
    return {word.lower() for word in _WORD.findall(bare)}


def indonesian(html: str, known: set[str]) -> set[str]:
    """Words of a page that its English reader has no use for. What is marked as Indonesian may be."""
    page = page_rules.read(html)
    for element in page.xpath("//*[@lang='id'][ancestor::*]"):
        element.drop_tree()
    texts = page.xpath("//text()[not(parent::script)]")
    for element in page.iter(Element):
        names = [name for name in SPOKEN if name != "value" or element.tag == "button"]
        texts += [element.attrib[name] for name in names if name in element.attrib]
    return _words_of(texts) & known


def _content(session: Session) -> set[str]:
    """Words that are people's own: names, titles, places. They are shown as they are."""
    columns = (
        Course.title, Course.category, Course.description, Run.place, RunSession.topic, Provider.name,
        Provider.city, Participant.full_name, User.name, User.email,
        BankAccount.holder_name, Review.words, CourseVersion.title, CourseVersion.description,
        ProviderApplication.name, ProviderApplication.address, ProviderDocument.name,
        ComplaintMessage.body, Certificate.revoked_reason,
    )  # fmt: skip
    texts = (str(text) for column in columns for text in session.scalars(select(column)) if text)
    return _words_of([*texts, *PROVINCES.values()])


# The catalogue


def test_every_message_is_translated(collected: Catalog, english: Catalog) -> None:
    assert len(list(_messages(collected))) > 700
    found = faults(collected, english)
    assert not found, "\n".join(["run `make messages`, then translate:", *found])


@pytest.mark.parametrize(
    ("translation", "fault"),
    [
        ("", "not translated"),
        ("It costs nothing", "other placeholders"),
        ("It costs %(amount)s", "other placeholders"),
        ("It costs %(price)s", None),
    ],
)
def test_a_faulty_translation_is_seen(translation: str, fault: str | None) -> None:
    collected, catalogue = Catalog(), Catalog()
    collected.add("Harganya %(price)s")
    catalogue.add("Harganya %(price)s", translation)
    assert faults(collected, catalogue) == ([f"Harganya %(price)s: {fault}"] if fault else [])


def test_missing_guessed_and_forgotten_messages_are_seen() -> None:
    collected, catalogue = Catalog(), Catalog(locale="en")
    collected.add("Baru")
    collected.add("Mirip")
    collected.add(("%(num)s kursus", "%(num)s kursus"))
    catalogue.add("Mirip", "Alike", flags=["fuzzy"])
    catalogue.add(("%(num)s kursus", "%(num)s kursus"), ("%(num)s course", ""))
    catalogue.add("Lama", "Old")
    assert [each.rpartition(": ")[2] for each in faults(collected, catalogue)] == [
        "not in the catalogue", "fuzzy", "not translated", "said nowhere",
    ]  # fmt: skip


# Pages


@pytest.mark.parametrize("who", HOMES)
def test_every_link_from_home_leads_to_a_page_and_in_english_none_has_indonesian_words(
    app: Flask, session: Session, scene: Scene, english: Catalog, listener: Listener, who: str
) -> None:
    known = vocabulary(english) - _content(session)
    reader = _reader(app, scene.people[who])
    opened, problems = crawl(reader, HOMES[who])
    assert not problems, "\n".join(problems)
    assert len(opened) > 5
    for address in ("/tidak-ada", "/keluar", *(where for reads, where in states(scene) if reads == who)):
        reader.get(address)
    for address, typed in _sent(scene.own).get(who, {}).items():
        assert reader.post(address, data=typed).mimetype == "text/html", address
    pages = [page for page in reader.pages if page.mimetype == "text/html" and page.status_code != 302]
    assert len(pages) > 7 and all('<html lang="en">' in page.text for page in pages)
    assert listener.heard == set()
    found = {page.request.path: indonesian(page.text, known) for page in pages}
    assert {path: left for path, left in found.items() if left} == {}


def _sent(own: Ids) -> dict[str, dict[str, dict[str, str]]]:
    """By who, where and what: forms whose answers no link leads to. A session here has no fresh code."""
    bought = {"key": "x", "version": "1", "price": "100000"}
    correction = {"sequence": "1", "reason": "x", "evidence": "x"}
    account = {"bank_code": "BMRIIDJA", "holder_name": "x", "number": "13700012346"}
    result = f"/lembaga/pendaftaran/{own['declared_id']}/koreksi/tinjau"
    return {
        "participant": {f"/beli/{own['offered_run_id']}": bought, "/survei/1": {}},
        "provider": {result: correction, "/lembaga/rekening": account},
        "newcomer": {"/daftar-lembaga": {}, "/daftar": {}},
    }


def _reader(app: Flask, user_id: UUID | None) -> Reader:
    reader = Reader(app, app.response_class, use_cookies=True)
    if user_id is not None:
        with transaction() as current:
            token = identity.start_session(current, current.get_one(User, user_id), "test")
            current.execute(update(UserSession).values(proved_at=UserSession.proved_at - timedelta(days=1)))
        with reader.session_transaction() as cookie:
            cookie["token"] = token
    return reader


def test_words_past_the_catalogue_are_seen(app: Flask, english: Catalog, listener: Listener) -> None:
    with app.test_request_context(), force_locale("en"):
        page = render_template_string("<p>{{ _('Belum ada peserta.') }} {{ _('Sebuah kalimat baru.') }}</p>")
    assert listener.heard == {"Sebuah kalimat baru."}
    assert "baru" in indonesian(page, vocabulary(english))
    for bare in ("<b>Belum ada</b>", '<nav aria-label="Belum ada"></nav>', "<button value='Belum ada'>"):
        assert indonesian(bare, vocabulary(english)) == {"belum", "ada"}
    assert indonesian('<a lang="id">Belum ada</a> <input value="Belum ada">', vocabulary(english)) == set()


@pytest.mark.parametrize(
    ("count", "locale", "said"),
    [
        (1, "id", "1 kursus"), (2, "id", "2 kursus"), (0, "id", "0 kursus"),
        (1, "en", "1 course"), (2, "en", "2 courses"), (0, "en", "0 courses"),
    ],
)  # fmt: skip
def test_counts_have_the_plural_of_their_language(
    app: Flask, listener: Listener, count: int, locale: str, said: str
) -> None:
    with app.test_request_context(), force_locale(locale):
        assert ngettext("%(num)s kursus", "%(num)s kursus", count) == said


def test_the_application_looks_where_the_catalogue_is(app: Flask) -> None:
    with app.app_context():
        assert [Path(each).resolve() for each in get_babel(app).translation_directories] == [TRANSLATIONS]


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("id", "NIK terdiri dari 16 angka; Anda mengetik 3."),
        ("en", "A NIK has 16 digits; you typed 3."),
    ],
)
def test_a_mistyped_nik_is_told_with_its_figures(
    app: Flask, listener: Listener, session: Session, locale: str, said: str
) -> None:
    with pytest.raises(NikMalformed) as refusal:
        check_identity("317", factories.BIRTH_DATE, date(2026, 11, 23))
    with app.test_request_context(), force_locale(locale):
        assert words_for(refusal.value) == said


# Letters


def test_the_sign_in_letter_is_in_the_readers_language(app: Flask, session: Session) -> None:
    reader = _reader(app, None)
    reader.post("/masuk", data={"contact": "maya@contoh.test"})
    letter = session.scalars(select(Notification)).one()
    assert letter.subject == "Bekal sign-in code"
    found = re.search(r"\b\d{6}\b", letter.body)
    assert found is not None
    reader.post("/masuk/kode", data={"code": found.group()})
    assert session.scalars(select(User)).one().locale == "en"


def test_letters_follow_the_choice_of_a_language(app: Flask, session: Session) -> None:
    with transaction() as current:
        user = factories.make_user(current)
    reader = _reader(app, user.id)
    for language in ("en", "id", "fr"):
        reader.get(f"/bahasa/{language}")
        session.refresh(user)
        assert user.locale == {"fr": "id"}.get(language, language)


def test_a_providers_letter_gives_the_banks_reason_in_both_languages(
    session: Session, scene: Scene, english: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "english_words", lambda: _compiled(english))
    payout = session.get_one(Payout, scene.own["payout_id"])
    payout.reason_code = "AC04"
    for letter in (messages.rejected(payout), messages.returned(payout)):
        assert "Rekening penerima sudah ditutup. (AC04)" in letter.indonesian.body
        assert "The recipient's account is closed. (AC04)" in letter.english.body


def test_english_pages_and_letters_say_run_and_not_class(english: Catalog) -> None:
    """One word for one thing (docs/glossary.md); a classroom is a room."""
    letters = [
        line
        for path in (ROOT / "marketplace").glob("*/*.py")
        if path.stem.endswith(("letters", "messages", "run_changes"))
        for line in re.findall(r'(?<!")"[^"\n]+"', path.read_text())
    ]
    pages = [form for each in _messages(english) for form in _forms(each.string)]
    assert any(re.search(r"\brun\b", each) for each in letters), "letters are read"
    assert [each for each in (*letters, *pages) if re.search(r"\bclass(es)?\b", each)] == []

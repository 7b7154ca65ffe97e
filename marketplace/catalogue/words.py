"""The words of a search: how they are cut, which of them say nothing, and how near two of them are.

Nothing here knows the database, except `matching()`, which writes PostgreSQL's query for the words.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache, reduce
from itertools import combinations

from sqlalchemy import ColumnElement, func

_STOP = """
    ada adalah agar akan anda antara apa atau bagaimana bagi bahwa bisa dalam dan dapat dari dengan di hingga
    ini itu juga karena kami ke kepada kita lebih maka melalui menjadi oleh pada para saat sampai sangat saya
    sebagai secara sejak seperti serta sudah supaya tanpa telah tentang tiap untuk yaitu yang
    belajar kelas kursus pelatihan
    and at for from in of on the to with class course courses training
"""
STOP_WORDS = frozenset(_STOP.split())
"""Words on so many courses, or so empty, that asking for them narrows nothing. The function
search_words() of the database strips the same ones; a test holds the two together."""

_MOST_WORDS = 10
_LONGEST_WORD = 40
_SHORTEST_BEGINNING = 2
"""A single letter begins half of all words."""

_SHORTEST_LEARNT, _TWO_FAULTS_FROM = 4, 7
_FRAGMENT_OF = 7
"""Only the first letters make fragments: more would find nothing more, and take ten times the room."""


def words_of(text: str) -> list[str]:
    """The words that say something, in small letters, each once, at most ten."""
    plain = "".join(each for each in unicodedata.normalize("NFC", text) if unicodedata.category(each) != "Cf")
    found = re.findall(r"[^\W_]+", plain.lower())
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found if word not in STOP_WORDS))[:_MOST_WORDS]


@lru_cache(maxsize=256)
def matching(words: tuple[str, ...]) -> ColumnElement[object]:
    """PostgreSQL's query for courses with all the words; of the last one, a beginning is enough.

    A page asks for it three times, and the same object is sent once in a statement.
    """
    *whole, last = words
    return reduce(lambda left, right: left.op("&&")(right), [*map(_whole, whole), beginning(last)])


def beginning(word: str) -> ColumnElement[object]:
    """A word as it is written, another with its stem, or a longer one that begins so."""
    if len(word) < _SHORTEST_BEGINNING:
        return _whole(word)
    return func.to_tsquery("simple", f"'{word}':*").op("||")(func.to_tsquery("indonesian", f"'{word}'"))


def _whole(word: str) -> ColumnElement[object]:
    written, stem = (func.to_tsquery(name, f"'{word}'") for name in ("simple", "indonesian"))
    return written.op("||")(stem)


def is_worth_learning(word: str) -> bool:
    """Whether somebody could mistype it, and mean it."""
    return _SHORTEST_LEARNT <= len(word) <= _LONGEST_WORD and not any(each.isdigit() for each in word)


def faults_allowed(word: str) -> int:
    """How many letters may be wrong before it would be another word."""
    if not is_worth_learning(word):
        return 0
    return 2 if len(word) >= _TWO_FAULTS_FROM else 1


def fragments(word: str) -> list[str]:
    """What is left of a word's beginning when up to as many letters as may be wrong are taken away.

    Two words that differ by that many letters have a fragment in common, wherever the difference is: an
    index on fragments finds the near ones without comparing all (the method of SymSpell, W. Garbe).
    """
    start = word[:_FRAGMENT_OF]
    left = {start}
    for faults in range(1, faults_allowed(word) + 1):
        left.update("".join(kept) for kept in combinations(start, len(start) - faults))
    return sorted(left)


def distance(one: str, other: str) -> int:
    """Letters to put in, leave out, replace, or swap with their neighbour, to make one word the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            least = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                least = min(least, above[j - 2] + 1)
            row.append(least)
    return row[-1]


def nearest(word: str, known: Iterable[str], most: int = 5) -> list[str]:
    """The known words that this one may have been meant to be, nearest first."""
    allowed = faults_allowed(word)
    near = [(distance(word, each), each[0] != word[0], each) for each in known if each != word]
    return [each for far, _, each in sorted(near) if far <= allowed][:most]

"""State machines: an enum, a transition table, and a CHECK in SQL that lists the same words."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

from marketplace.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)


class HasState(Protocol):
    """A row with its state stored as text."""

    state: str


def one_of(column: str, states: type[StrEnum]) -> str:
    """The text of a CHECK that a column holds one of an enum's words."""
    words = ", ".join(f"'{state.value}'" for state in states)
    return f"{column} IN ({words})"


def move(row: HasState, target: S, transitions: Mapping[S, Collection[S]]) -> None:
    """Set a row's state. Raises IllegalTransition when the table has no such step."""
    current = type(target)(row.state)
    if target not in transitions.get(current, ()):
        raise IllegalTransition(f"{current} -> {target}", current=current.value, target=target.value)
    row.state = target.value

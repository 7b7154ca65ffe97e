"""A figure, its goal, and how both are shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_HEADINGS = ("what", "value", "unit", "floor", "ratio", "goal", "met")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: a value, what it is held against in the same run, and their ratio.

    ``goal`` says in words what ``met`` judges; both are None where nothing was promised.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: str | None = None
    met: bool | None = None


def at_least(name: str, value: float, unit: str, floor: float, goal: float) -> Figure:
    """A figure whose ratio to its floor has to reach the goal."""
    ratio = value / floor
    return Figure(name, value, unit, floor, ratio, f"ratio >= {goal:g}", ratio >= goal)


def at_most(name: str, value: float, unit: str, goal: float, floor: float | None = None) -> Figure:
    """A figure whose value has to stay at or below the goal."""
    ratio = None if floor is None else value / floor
    return Figure(name, value, unit, floor, ratio, f"value <= {goal:g}", value <= goal)


def compared(name: str, value: float, unit: str, floor: float) -> Figure:
    """A figure without a goal, held against its floor."""
    return Figure(name, value, unit, floor, value / floor)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures for a program: a list of objects with the fields of Figure."""
    path.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out for a reader, words to the left and numbers to the right."""
    rows = [_HEADINGS, *map(_cells, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    met = {None: "", True: "yes", False: "NO"}[figure.met]
    numbers = (_number(figure.value), figure.unit, _number(figure.floor), _number(figure.ratio))
    return (figure.name, *numbers, figure.goal or "", met)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if heading in ("value", "floor", "ratio") else cell.ljust(width)
        for heading, cell, width in zip(_HEADINGS, row, widths, strict=True)
    ]

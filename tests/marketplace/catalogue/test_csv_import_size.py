"""The catalogue import holds one row at a time, however large the file."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.catalogue import csv_import
from marketplace.catalogue.csv_import import COLUMNS, CatalogueFileError

ROWS = 500
LENGTHY = "x" * 9000


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.csv"
    with file.open("w", encoding="utf-8") as stream:
        stream.write(",".join(COLUMNS) + "\n")
        stream.writelines(f"id{number},Judul,LPK,,,,24,0,,,{LENGTHY},id\n" for number in range(ROWS))
    return file


def count(path: Path) -> int:
    return sum(1 for _ in csv_import.read_catalogue(path))


def keep_everything(path: Path) -> int:
    return len(list(csv_import.read_catalogue(path)))


def peak_memory(work: Callable[[Path], int], path: Path) -> int:
    tracemalloc.start()
    try:
        assert work(path) == ROWS
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_file_is_streamed(large: Path) -> None:
    assert large.stat().st_size > 4_000_000
    count(large)  # the first run also loads what Python loads once
    assert peak_memory(count, large) < 1_000_000


def test_the_measure_of_memory_would_notice_rows_that_are_kept(large: Path) -> None:
    assert peak_memory(keep_everything, large) > 4_000_000


@pytest.mark.parametrize("swallowed", ["kecil\n", "x" * 300_000, "panjang\n" * 40_000, '\n","' * 60_000])
def test_a_quotation_mark_that_is_never_closed_makes_the_file_unusable(large: Path, swallowed: str) -> None:
    with large.open("a", encoding="utf-8") as stream:
        stream.write('b,"' + swallowed)
    with pytest.raises(CatalogueFileError, match="tanda kutip") as caught:
        count(large)
    assert caught.value.details["line"] == ROWS + 2


def test_one_endless_line_is_not_read_into_memory(tmp_path: Path) -> None:
    file = tmp_path / "endless.csv"
    file.write_text(",".join(COLUMNS) + "\n" + "x" * 5_000_000, encoding="utf-8")
    tracemalloc.start()
    with pytest.raises(CatalogueFileError, match="tanda kutip"):
        count(file)
    assert tracemalloc.get_traced_memory()[1] < 1_500_000
    tracemalloc.stop()


def test_too_many_rows_are_refused(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_import, "MAX_ROWS", 3)
    with pytest.raises(CatalogueFileError, match="lebih dari 3 baris data"):
        count(large)


@pytest.mark.parametrize("row", ["x\n", 'a"b,"c"d\n', ",Judul,LPK,,,,24,0,,,,id\n"])
def test_too_many_rows_are_refused_though_none_of_them_has_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    """Each refused row is kept for the report: a hundred megabytes of them would fill the memory."""
    monkeypatch.setattr(csv_import, "MAX_ROWS", 3)
    file = tmp_path / "noise.csv"
    file.write_text(",".join(COLUMNS) + "\n" + row * 4, encoding="utf-8")
    with pytest.raises(CatalogueFileError, match="lebih dari 3 baris data"):
        count(file)

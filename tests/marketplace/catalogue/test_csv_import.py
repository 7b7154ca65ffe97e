"""The catalogue import: every fault has its line, column, value and reason."""

import csv
import io
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.catalogue import course_rows, csv_cells, csv_import
from marketplace.catalogue.csv_import import COLUMNS, CatalogueFileError, CourseRow, Problem, RowProblem
from marketplace.catalogue.csv_words import ENGLISH, reason_in
from marketplace.catalogue.models import Mode

GOOD = {
    "source_id": "lpk:1",
    "title": "Barista untuk kedai kecil",
    "provider": "LPK Contoh",
    "category": "Kuliner dan wisata",
    "mode": "in_person",
    "level": "beginner",
    "hours": "24",
    "price_idr": "750000",
    "rating": "4.6",
    "rating_count": "12",
    "description": "Dari biji sampai cangkir.",
    "language": "id",
}
HEADER = ",".join(COLUMNS)
DATA = Path(os.environ.get("BEKAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
DEMO = Path(csv_import.__file__).parents[1] / "dev" / "demo" / "catalogue.csv"


def text_of(*changes: dict[str, str]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for change in changes:
        writer.writerow(GOOD | change)
    return stream.getvalue()


def read(tmp_path: Path, content: str | bytes) -> list[CourseRow | RowProblem]:
    file = tmp_path / "catalogue.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    return list(csv_import.read_catalogue(file))


def course(tmp_path: Path, **change: str) -> CourseRow:
    (row,) = read(tmp_path, text_of(change))
    assert isinstance(row, CourseRow), row
    return row


def problem(tmp_path: Path, **change: str) -> Problem:
    (row,) = read(tmp_path, text_of(change))
    assert isinstance(row, RowProblem), row
    (only,) = row.problems
    return only


def unusable(tmp_path: Path, content: str | bytes) -> CatalogueFileError:
    with pytest.raises(CatalogueFileError) as caught:
        read(tmp_path, content)
    return caught.value


def test_a_good_row_is_read_with_its_types(tmp_path: Path) -> None:
    assert course(tmp_path) == CourseRow(
        2, "lpk:1", "Barista untuk kedai kecil", "LPK Contoh", "Kuliner dan wisata", "in_person", "beginner",
        24, Decimal(750000), Decimal("4.6"), 12, "Dari biji sampai cangkir.", "id",
    )  # fmt: skip


def test_columns_that_may_be_blank_have_their_defaults(tmp_path: Path) -> None:
    blank = dict.fromkeys(
        ("category", "mode", "level", "hours", "rating", "rating_count", "description", "language"), ""
    )
    row = course(tmp_path, **blank)
    assert (row.category, row.mode, row.level, row.hours, row.rating) == ("", None, None, None, None)
    assert (row.rating_count, row.description, row.language) == (0, "", "id")


@pytest.mark.parametrize("column", ["source_id", "title", "provider", "price_idr"])
def test_a_blank_required_cell_is_refused(tmp_path: Path, column: str) -> None:
    found = problem(tmp_path, **{column: "  "})
    assert (found.line, found.column, found.code) == (2, column, "required")


@pytest.mark.parametrize(
    ("written", "rupiah"),
    [
        ("0", 0),
        ("3500000", 3_500_000),
        ("3.500.000", 3_500_000),
        ("Rp3.500.000", 3_500_000),
        (" Rp 750000 ", 750_000),
        ("1.500", 1500),
    ],
)
def test_whole_rupiah_are_read(tmp_path: Path, written: str, rupiah: int) -> None:
    assert course(tmp_path, price_idr=written).price == rupiah


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("629762970000", "price_too_high"),
        ("1.000.000.001", "price_too_high"),
        ("3,500,000.00", "price_format"),
        ("3,500,000", "price_format"),
        ("3,500", "price_format"),
        ("$1,575.00", "price_currency"),
        ("€900", "price_currency"),
        ("USD 900", "price_currency"),
        ("1000.50", "price_has_sen"),
        ("1000,50", "price_has_sen"),
        ("1000.00", "price_has_sen"),
        ("3.500.000,00", "price_has_sen"),
        ("1.5", "price_has_sen"),
        ("NaN", "price_not_a_number"),
        ("Infinity", "price_not_a_number"),
        ("1e6", "price_not_a_number"),
        ("0x10", "price_not_a_number"),
        ("1_000", "price_not_a_number"),
        ("٣٥٠٠", "price_not_a_number"),
        ("gratis", "price_not_a_number"),
        ("007", "price_not_a_number"),
        ("+5000", "price_not_a_number"),
        ("1" * 40, "price_not_a_number"),
        ("-1", "price_negative"),
        ("\u2212500", "price_negative"),
        ("(500)", "price_negative"),
    ],
)
def test_money_is_never_guessed(tmp_path: Path, written: str, code: str) -> None:
    found = problem(tmp_path, price_idr=written)
    assert (found.column, found.code) == ("price_idr", code)


def test_the_price_ceiling_belongs_to_the_caller(tmp_path: Path) -> None:
    file = tmp_path / "dear.csv"
    file.write_text(text_of({"price_idr": "629762970000"}), encoding="utf-8")
    (row,) = csv_import.read_catalogue(file, price_ceiling=Decimal(10**12))
    assert isinstance(row, CourseRow)
    (refused,) = csv_import.read_catalogue(file, price_ceiling=Decimal(3_500_000))
    assert isinstance(refused, RowProblem)
    assert "Rp629.762.970.000 melebihi batas Rp3.500.000" in refused.problems[0].describe()


@pytest.mark.parametrize(
    ("column", "written", "code"),
    [
        ("source_id", "a b", "identifier"),
        ("source_id", "x" * 65, "identifier"),
        ("title", "Kopi <b>enak</b>", "html"),
        ("title", "Kopi &lt;script&gt;", "html"),
        ("provider", "LPK <img src=x onerror=alert(1)>", "html"),
        ("title", "x" * 201, "too_long"),
        ("description", "x" * 10_001, "too_long"),
        ("title", "---", "no_letters"),
        ("title", "Kopi\x07", "control_character"),
        ("description", "Kopi\x00 enak", "control_character"),
        ("description", "Kopi\x85 enak", "control_character"),
        ("provider", "LPK \u202eotnoC", "direction_mark"),
        ("title", "Untuk hari\ufffd ini", "damaged_text"),
        ("title", "Kopi caf\udce9", "not_utf8"),
        ("mode", "daring", "choice"),
        ("level", "expert", "choice"),
        ("language", "Bahasa Indonesia", "language"),
        ("hours", "2001", "hours_too_many"),
        ("hours", "1.5", "hours"),
        ("hours", "-3", "hours"),
        ("hours", "9" * 30, "hours"),
        ("rating", "5.1", "rating"),
        ("rating", "-1", "rating"),
        ("rating", "NaN", "rating"),
        ("rating", "4,6", "rating"),
        ("rating_count", "1.200", "rating_count"),
        ("rating_count", "999999999", "rating_count"),
    ],
)
def test_each_fault_is_named_by_its_column(tmp_path: Path, column: str, written: str, code: str) -> None:
    found = problem(tmp_path, **{column: written})
    assert (found.line, found.column, found.code) == (2, column, code)
    assert found.reason


@pytest.mark.parametrize(
    ("column", "written", "english"),
    [
        ("title", "x" * 201, "201 characters; at most 200"),
        ("mode", "daring", "must be one of online, in_person, hybrid, or empty"),
        ("title", "Kopi\x07", "has the control character U+0007; delete it from this cell"),
        ("price_idr", "9.000.000.000", "Rp9.000.000.000 is above the limit of Rp1.000.000.000"),
        ("hours", "1.5", "must be whole hours, such as 24"),
    ],
)
def test_english_reasons_have_the_figures_too(
    tmp_path: Path, column: str, written: str, english: str
) -> None:
    found = problem(tmp_path, **{column: written})
    assert reason_in("en", found.code, found.reason) == english
    assert reason_in("id", found.code, found.reason) == found.reason


def test_english_reasons_of_whole_rows_have_them_as_well(tmp_path: Path) -> None:
    rows = list(read(tmp_path, text_of({}, {}) + "a,b\n"))
    problems = [each for row in rows if isinstance(row, RowProblem) for each in row.problems]
    said = [reason_in("en", each.code, each.reason) for each in problems]
    assert said == [
        "is used already in line 2",
        "has 2 cells instead of 12; check commas and quotation marks",
    ]


def test_all_faults_of_a_row_are_reported_at_once(tmp_path: Path) -> None:
    (row,) = read(tmp_path, text_of({"title": "", "hours": "9999", "price_idr": "$5", "rating": "6"}))
    assert isinstance(row, RowProblem)
    assert [found.column for found in row.problems] == ["title", "hours", "price_idr", "rating"]


def test_a_problem_describes_itself_in_one_printable_line(tmp_path: Path) -> None:
    assert problem(tmp_path, price_idr="$1,575.00").describe() == (
        "baris 2, price_idr, “$1,575.00”: memakai lambang mata uang lain; "
        "tulis rupiah bulat, misalnya 3500000 atau 3.500.000"
    )
    hidden = problem(tmp_path, title="Kopi\n\u202e\udce9\x1b[31m" + "x" * 500).describe()
    assert hidden.isprintable() and len(hidden) < 250


def test_untidy_text_is_tidied_and_kept(tmp_path: Path) -> None:
    row = course(
        tmp_path,
        title="  Kopi \u00ad&amp;   teh\n dasar ",
        provider="Cafe\u0301 Kita",
        description="Baris satu.\r\n\r\n\r\n\r\n  Baris   dua. \u200f",
    )
    assert (row.title, row.provider) == ("Kopi & teh dasar", "Caf\u00e9 Kita")
    assert row.description == "Baris satu.\n\nBaris dua."


@pytest.mark.parametrize(
    "title", ["المحاسبة للإداريين", "株式投資", "Kopi ☕ pagi", "AT&T; 5 < 6 > 4", "C++ dasar"]
)
def test_other_scripts_and_honest_signs_are_welcome(tmp_path: Path, title: str) -> None:
    assert course(tmp_path, title=title).title == title


def test_html_in_a_description_becomes_text_and_is_noticed(tmp_path: Path) -> None:
    row = course(
        tmp_path,
        description="<p>Seduh &amp; saji.</p><p>24 < 30</p><script>alert('x')</script><style>p{}</style>",
    )
    assert row.description == "Seduh & saji.\n24 < 30"
    assert [notice.code for notice in row.notices] == ["html_removed"]


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+Plus Digital", "-50 kg", "@rumah"])
def test_text_like_a_formula_is_kept_as_text_and_noticed(tmp_path: Path, title: str) -> None:
    row = course(tmp_path, title=title)
    assert (row.title, [(notice.column, notice.code) for notice in row.notices]) == (
        title,
        [("title", "formula")],
    )


@pytest.mark.parametrize(
    ("written", "kept"), [("4.58", "4.6"), ("4.25", "4.3"), ("5", "5.0"), ("0.83", "0.8")]
)
def test_ratings_are_kept_with_one_decimal(tmp_path: Path, written: str, kept: str) -> None:
    assert str(course(tmp_path, rating=written).rating) == kept


def test_a_rating_of_zero_means_not_yet_rated(tmp_path: Path) -> None:
    assert course(tmp_path, rating="0.0", rating_count="0").rating is None


def test_repeated_ids_name_the_first_line_even_when_that_row_was_refused(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of({"price_idr": "-1"}, {"source_id": "lpk:2"}, {}))
    assert [type(row) for row in rows] == [RowProblem, CourseRow, RowProblem]
    assert isinstance(rows[2], RowProblem)
    assert rows[2].problems[0].describe() == "baris 4, source_id, “lpk:1”: sudah dipakai di baris 2"


def test_ragged_rows_are_refused_and_the_next_row_is_read(tmp_path: Path) -> None:
    short, good = "a,b,c\n", text_of({}).splitlines(keepends=True)[1]
    rows = read(tmp_path, HEADER + "\n" + short + good.rstrip("\n") + ",extra\n" + good)
    assert [found.code for row in rows if isinstance(row, RowProblem) for found in row.problems] == [
        "ragged_row"
    ] * 2
    assert isinstance(rows[-1], CourseRow) and rows[-1].line == 4


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    rows = read(
        tmp_path, text_of({"description": "satu\ndua\r\ntiga"}, {"source_id": "b"}) + "\n\n" + HEADER + "\n"
    )
    assert [row.line for row in rows] == [2, 5, 8]


def test_a_quote_out_of_place_spoils_its_row_only(tmp_path: Path) -> None:
    good = text_of({}).splitlines(keepends=True)[1]
    rows = read(tmp_path, HEADER + '\nlpk:0,"Siap" kerja,LPK,,,,24,0,,,,id\n' + good)
    assert isinstance(rows[0], RowProblem) and rows[0].problems[0].code == "quotes"
    assert isinstance(rows[1], CourseRow)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_endings_and_a_byte_order_mark_do_not_matter(tmp_path: Path, ending: str, mark: bytes) -> None:
    rows = read(tmp_path, mark + text_of({}, {"source_id": "b"}).replace("\n", ending).encode())
    assert [(row.line, type(row)) for row in rows] == [(2, CourseRow), (3, CourseRow)]


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    order = COLUMNS[::-1]
    (row,) = read(tmp_path, ",".join(order) + "\n" + ",".join(GOOD[column] for column in order) + "\n")
    assert isinstance(row, CourseRow) and row.price == 750_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "berkas kosong"),
        (HEADER.replace("price_idr", "price"), "tidak ada: price_idr; tidak dikenal: price"),
        (HEADER + ",place", "tidak dikenal: place"),
        (HEADER.removesuffix(",language"), "tidak ada: language"),
        (HEADER + ",title", "berulang: title"),
        (HEADER.replace(",", ";"), "titik koma"),
        (HEADER.replace(",", "\t"), "dipisahkan tab"),
        (b"PK\x03\x04\x14\x00", "buku kerja Excel"),
        (text_of({}).encode("utf-16"), "UTF-16"),
        (text_of({}).encode("utf-16-le"), "UTF-16"),
        (b"judul\xe9" + HEADER.encode(), "bukan UTF-8"),
        ('"' + HEADER, "tidak pernah ditutup"),
    ],
)
def test_a_file_with_other_columns_or_of_another_kind_is_unusable(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    error = unusable(tmp_path, content)
    assert words in str(error)
    assert (error.code, error.details["line"]) == ("catalogue_file_unusable", 1)
    assert error.details["fault"] in ENGLISH


def test_a_file_that_is_not_there_is_unusable(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(CatalogueFileError, match="tidak dapat dibuka"):
            next(csv_import.read_catalogue(path))


def test_windows_1252_is_refused_row_by_row_and_plain_rows_are_kept(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of({"title": "Café"}, {"source_id": "b"}).encode("cp1252"))
    assert isinstance(rows[0], RowProblem)
    assert rows[0].problems[0].describe().startswith("baris 2, title, “Caf\\xe9”: bukan UTF-8")
    assert isinstance(rows[1], CourseRow)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), min_size=12, max_size=12))
def test_any_cells_are_read_or_refused_in_words(values: list[str]) -> None:
    for column, value in zip(COLUMNS, values, strict=True):
        row = course_rows.Row(2, GOOD | {column: value})
        course_rows._read_course(row, course_rows.Terms(Decimal(10**8)))
        assert all(found.column == column and found.describe().isprintable() for found in row.problems)


def test_modes_are_those_of_the_catalogue() -> None:
    assert tuple(mode.value for mode in Mode) == csv_cells.MODES


def test_the_demonstration_catalogue_has_no_problem() -> None:
    rows = list(csv_import.read_catalogue(DEMO))
    assert [row.problems for row in rows if isinstance(row, RowProblem)] == []
    assert [row.notices for row in rows if isinstance(row, CourseRow) and row.notices] == []
    assert len(rows) >= 150


@pytest.mark.skipif(not (DATA / "courses").exists(), reason="data: a real catalogue")
def test_a_real_catalogue_gives_the_expected_counts() -> None:
    rows = list(csv_import.read_catalogue(DATA / "courses" / "courses.csv"))
    good = [row for row in rows if isinstance(row, CourseRow)]
    refused = Counter(found.code for row in rows if isinstance(row, RowProblem) for found in row.problems)
    assert (len(rows), len(good)) == (5115, 4931)
    assert refused == {"price_too_high": 40, "required": 100, "hours_too_many": 47}
    assert sum(row.price <= 3_500_000 for row in good) == 239


@pytest.mark.skipif(not (DATA / "courses").exists(), reason="data: a rough list with other columns")
def test_a_real_list_with_other_columns_is_refused_as_a_file() -> None:
    with pytest.raises(CatalogueFileError, match="tidak dikenal: css, hours_raw") as caught:
        next(csv_import.read_catalogue(DATA / "courses" / "raw_nj_list.csv"))
    assert HEADER in str(caught.value)

"""What is wrong with a cell or a file, in English: the reasons in the importer are the Indonesian ones."""

import re

ENGLISH = {
    "not_utf8": "not UTF-8; save the file as “CSV UTF-8” and import it again",
    "damaged_text": "has letters damaged by a wrong conversion (�); correct them at the source",
    "control_character": "has a control character; delete it from this cell",
    "required": "must be filled in",
    "identifier": "only letters, digits and : . _ / - without blanks, at most 64",
    "direction_mark": "has an invisible mark that turns the writing direction; delete it",
    "html": "has HTML tags; write plain text",
    "no_letters": "has no letter or digit",
    "choice": "is none of the words that may stand here",
    "language": "must be an ISO 639 code, such as id or en",
    "price_too_high": "is above Rp1,000,000,000",
    "hours": "must be whole hours, such as 24",
    "hours_too_many": "more than 2,000 hours; check the unit (hours, not minutes)",
    "rating": "must be a number from 0 to 5",
    "rating_count": "must be a whole number without separators, such as 128",
    "price_negative": "the price must not be below zero; write whole rupiah, such as 3500000 or 3.500.000",
    "price_currency": "uses another currency; write whole rupiah, such as 3500000 or 3.500.000",
    "price_format": "uses English grouping; write whole rupiah, such as 3500000 or 3.500.000",
    "price_has_sen": "has sen; write whole rupiah, such as 3500000 or 3.500.000",
    "price_not_a_number": "is no number of rupiah; write whole rupiah, such as 3500000 or 3.500.000",
    "too_long": "is too long",
    "quotes": 'quotation marks are misplaced; put the cell in " and write those inside it twice',
    "ragged_row": "has another number of cells than the header; check commas and quotation marks",
    "duplicate_id": "is used by an earlier row of this file",
    "other_provider": "belongs to another provider",
    "not_yours": "is not the name of your organisation; leave it empty or delete the column",
    "under_review": "the version before is under review or not yet published",
    "was_rejected": "this course was rejected",
    "withdrawn": "this course is no longer sold",
    "rating_ignored": "ratings come from participants; those in the file are not used",
    "formula_cell": "has a formula; paste its result as a value",
    "error_cell": "has an error of Excel; write the value",
    "formula": "begins with = + - or @; kept as plain text",
    "date": "write a date, such as 2027-08-27 or 27-8-2027",
    "no_such_day": "is not in the calendar",
    "time": "write hours and minutes, such as 09:00",
    "end_before_start": "the end must be after the start",
    "seats": "must be a number of seats from 1 to 100,000",
    "unknown_course": "is neither the title nor the number of a course of yours that is published",
    "ambiguous_course": "more than one course of yours has this title; write its number",
    "not_published": "this course is not on sale at the moment",
    "run_differs": "is not the same as in the first row of this run",
    "overlap": "begins before the session before has ended",
    "too_many_sessions": "more than 100 sessions in one run",
    "past": "is over; the first session must lie ahead",
    "after_scheme": "is after the last day on which a training balance is valid",
    "same_run": "is the same as another run of this file",
    "html_removed": "HTML tags are dropped; only their text is kept",
    "columns": "the columns do not fit",
    "too_many_rows": "too many rows; split it into several files",
    "too_many_lines": "too many lines; split it into several files",
    "not_opened": "the file cannot be opened",
    "endless_row": "one row is too long; has a quotation mark been left open?",
    "quote_left_open": "a quotation mark that is opened here is never closed",
    "no_csv": "the file is empty or no CSV",
    "workbook": "this is an Excel workbook; save it as “CSV UTF-8”",
    "binary": "the file is UTF-16 or binary; save it again as “CSV UTF-8”",
    "file_not_utf8": "the file is not UTF-8; save it again as “CSV UTF-8”",
    "semicolons": "the columns are separated by semicolons; use commas",
    "tabs": "the columns are separated by tabs; use commas",
    "workbook_damaged": "this Excel workbook is damaged or cannot be read",
    "workbook_too_large": "this Excel workbook is too large once opened; split it into several",
    "workbook_locked": "this Excel workbook has a password; save it without one",
    "workbook_definitions": "this Excel workbook has XML definitions that may not be used",
    "sheet_empty": "the first sheet is empty",
}


_FIGURES = {
    "choice": (r"salah satu dari (.+), atau", "must be one of {}, or empty"),
    "columns": (
        r"\((.+)\)\. Yang diharapkan: (.+)$",
        "the columns do not fit ({}). Expected: {}",
    ),
    "control_character": (r"kendali (U\+\w+)", "has the control character {}; delete it from this cell"),
    "duplicate_id": (r"di baris (\d+)", "is used already in line {}"),
    "price_too_high": (r"^(\S+) melebihi batas (\S+)", "{} is above the limit of {}"),
    "ragged_row": (
        r"berisi (\d+) sel, seharusnya (\d+)",
        "has {} cells instead of {}; check commas and quotation marks",
    ),
    "too_long": (r"^(\d+) karakter; paling panjang (\d+)", "{} characters; at most {}"),
}
"""Where the figures stand in the Indonesian reason, and the English one around them."""

_AMONG_COLUMNS = {"tidak ada: ": "missing: ", "tidak dikenal: ": "unknown: ", "berulang: ": "repeated: "}
"""What is said between the names of columns."""


def reason_in(language: str, code: str, reason: str) -> str:
    """The reason of a fault in the reader's language, with its figures."""
    if language != "en":
        return reason
    pattern, sentence = _FIGURES.get(code, ("", ""))
    found = re.search(pattern, reason) if pattern else None
    if found is None:
        return ENGLISH.get(code, reason)
    words = sentence.format(*found.groups())
    if code == "columns":
        for said, meant in _AMONG_COLUMNS.items():
            words = words.replace(said, meant, 1)
    return words

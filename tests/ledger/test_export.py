"""The books in other programs' forms: bean-check and hledger accept them, and find what is missing."""

import csv
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from beancount import loader
from beancount.core.data import Transaction
from sqlalchemy.orm import Session

import ledger
from ledger.export import EXPORT_FORMS, export_books
from tests.commands import BEAN_CHECK
from tests.ledger.books import ANI, BUDI, SCHOOL, appropriate, cancel, complete, grant, move, purchase

Check = Callable[[Path], int]
WIB = ZoneInfo("Asia/Jakarta")


def bean_check(file: Path) -> int:
    return subprocess.run([*BEAN_CHECK, str(file)], capture_output=True, text=True, check=False).returncode


def hledger_check(file: Path) -> int:
    if shutil.which("hledger") is None:
        pytest.skip("hledger is not installed (Debian: apt install hledger)")
    command = ["hledger", "-f", str(file), "check", "--strict"]
    return subprocess.run(command, capture_output=True, text=True, check=False).returncode


CHECKS: dict[str, Check] = {"beancount": bean_check, "hledger": hledger_check}


@pytest.fixture
def told(session: Session) -> Session:
    """Two months of books, with keys and references that would break a careless export."""
    ledger.open_accounts(session, ["benefit:a_b.c-d", "benefit:a-b"])
    appropriate(session)
    grant(session)
    for number, day in enumerate((3, 20, 40)):
        ledger.post(
            session,
            f'=purchase "{number}"; \\ {{x}} [2020-01-01] date:2020',
            "purchase",
            move(ANI, SCHOOL, f"{100_000 + number}.25"),
            reference='-1+"2"',
            effective_at=datetime(2026, 1, 1, 17, 30, tzinfo=UTC) + timedelta(days=day),
        )
    bought = purchase(session, 500_000, key="bought")
    complete(session, bought.id, 400_000, 50_000, 50_000)
    cancel(session, purchase(session, 7, key="given up").id, 7)
    ledger.post(session, "odd names", "swap", move(ANI, "benefit:a_b.c-d", 3) + move(ANI, "benefit:a-b", 4))
    session.commit()
    return session


def written(session: Session, form: str, folder: Path, **span: datetime) -> Path:
    file = folder / f"books.{form}"
    file.write_text("".join(export_books(session, form, zone=WIB, **span)))
    return file


SPANS: list[dict[str, datetime]] = [
    {},
    {"start": datetime(2026, 1, 10, tzinfo=WIB), "end": datetime(2026, 2, 1, tzinfo=WIB)},
    {"start": datetime(2026, 1, 10, tzinfo=WIB)},
    {"end": datetime(2026, 2, 1, tzinfo=WIB)},
    {"start": datetime(2027, 12, 1, tzinfo=WIB)},
]


@pytest.mark.parametrize("form", CHECKS)
@pytest.mark.parametrize("span", SPANS, ids=["all", "a month", "from", "to", "nothing"])
def test_other_programs_accept_the_books(
    told: Session, form: str, span: dict[str, datetime], tmp_path: Path
) -> None:
    assert CHECKS[form](written(told, form, tmp_path, **span)) == 0


@pytest.mark.parametrize("form", CHECKS)
def test_other_programs_find_what_is_missing(told: Session, form: str, tmp_path: Path) -> None:
    file = written(told, form, tmp_path)
    whole = file.read_text()
    # a sum that was changed on both sides, and a transaction that is not there
    assert whole.count("100001.25") == 2
    for broken in (
        whole.replace("100001.25", "100001.26"),
        "\n\n".join(part for part in whole.split("\n\n") if "100001.25" not in part),
    ):
        file.write_text(broken)
        assert CHECKS[form](file) != 0


def test_the_totals_are_those_of_the_trial_balance(told: Session, tmp_path: Path) -> None:
    entries, errors, _ = loader.load_file(str(written(told, "beancount", tmp_path)))
    assert errors == []
    sums: dict[str, Decimal] = {}
    for entry in entries:
        for each in entry.postings if isinstance(entry, Transaction) else ():
            assert each.units is not None
            sums[each.account] = sums.get(each.account, Decimal(0)) + (each.units.number or Decimal(0))
    trial = {row.code: row.debits - row.credits for row in ledger.trial_balance(told).rows}
    assert sorted(sums.values()) == sorted(value for code, value in trial.items() if code in _touched(told))
    assert sums["Assets:Bank:Treasury"] == trial["bank:treasury"]
    assert sums["Liabilities:Benefit:A-ub-dc--d"] == trial["benefit:a_b.c-d"] == -3


def _touched(session: Session) -> set[str]:
    return {row.code for row in ledger.trial_balance(session).rows if row.debits or row.credits}


def test_a_spreadsheet_adds_up_and_runs_nothing(told: Session) -> None:
    span = SPANS[1]
    rows = list(csv.DictReader(StringIO("".join(export_books(told, "csv", zone=WIB, **span)))))
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row["record"] == "closing":
            continue
        for side, sign in (("debit", 1), ("credit", -1)):
            if row[side]:
                sums[row[side]] = sums.get(row[side], Decimal(0)) + sign * Decimal(row["amount"])
    closings = {
        row["debit"] or row["credit"]: (1 if row["debit"] else -1) * Decimal(row["amount"])
        for row in rows
        if row["record"] == "closing"
    }
    assert sums == closings
    assert [row["date"] for row in rows if row["record"] == "posting"] == ["2026-01-22"]
    assert closings[ANI] == Decimal("200001.50")
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_an_unknown_form_is_refused_and_an_empty_book_is_sound(session: Session, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        list(export_books(session, "xls"))
    for form in EXPORT_FORMS:
        file = written(session, form, tmp_path)
        assert CHECKS.get(form, lambda _: 0)(file) == 0
    assert BUDI in file.read_text()


HUGE = "999999999999999999.99"
ODD = [
    "benefit:9",
    "benefit:0.1-2_3",
    "benefit:a.b",
    "benefit:a-db",
    "benefit:a-d-b",
    "benefit:x--y",
    "benefit:x__y",
]


@pytest.mark.parametrize("form", CHECKS)
def test_huge_amounts_and_odd_names_are_told_apart(session: Session, form: str, tmp_path: Path) -> None:
    ledger.open_accounts(session, ODD)
    ledger.post(session, "all there is", "appropriation", move("bank:treasury", "fund:2023", HUGE))
    for number, code in enumerate(ODD, start=1):
        ledger.post(session, code, "grant", move("fund:2023", code, f"1234567890123.{number:02}"))
    session.commit()
    file = written(session, form, tmp_path)
    assert CHECKS[form](file) == 0
    whole = file.read_text()
    assert HUGE in whole
    opened = [line for line in whole.splitlines() if " open " in line or line.startswith("account ")]
    assert len({line.lower() for line in opened}) == len(opened) == len(ledger.trial_balance(session).rows)
    # control: one hundredth of a rupiah is not lost among eighteen digits
    file.write_text(whole.replace("1234567890123.07", "1234567890123.08", 1))
    assert CHECKS[form](file) != 0


def test_hledger_s_balances_are_those_of_the_trial_balance(told: Session, tmp_path: Path) -> None:
    if shutil.which("hledger") is None:
        pytest.skip("hledger is not installed (Debian: apt install hledger)")
    file = written(told, "hledger", tmp_path)
    # the closing transaction asserts and moves nothing
    command = ["hledger", "-f", str(file), "balance", "--no-total", "--flat", "--empty", "-O", "csv"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {row["account"]: row["balance"] for row in csv.DictReader(StringIO(printed))}
    trial = {row.code: row.debits - row.credits for row in ledger.trial_balance(told).rows}
    assert len(found) == len(trial)
    for account, balance in found.items():
        _, _, code = account.partition(":")
        amount = balance.removeprefix("IDR ").removeprefix("USD ")
        assert Decimal(amount or "0") == trial[code], account


def test_progress_is_told_now_and_then(told: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.export._BATCH", 4)
    for form in EXPORT_FORMS:
        heard: list[tuple[int, int]] = []
        list(export_books(told, form, progress=lambda done, of, heard=heard: heard.append((done, of))))  # type: ignore[misc] # a default for the closure
        assert heard == [(4, 10), (8, 10)]


# of two months only the second, with what came before in its opening balances
WRITTEN = {
    "beancount": """\
2026-01-06 open Assets:Bank:Treasury IDR
  code: "bank:treasury"
2026-01-06 open Liabilities:Benefit:Ani IDR
  code: "benefit:ani"
2026-01-06 open Equity:Fund:2023 IDR
  code: "fund:2023"

2026-01-06 * "opening balances"
  Assets:Bank:Treasury  1000.00 IDR
  Equity:Fund:2023  -1000.00 IDR
2026-01-07 balance Assets:Bank:Treasury  1000.00 ~ 0.00 IDR
2026-01-07 balance Liabilities:Benefit:Ani  0.00 ~ 0.00 IDR
2026-01-07 balance Equity:Fund:2023  -1000.00 ~ 0.00 IDR

2026-01-08 * "grant"
  id: "ID"
  key: "a \\\\ \\"b\\" c"
  reference: "-c \\"d\\" \\\\"
  Equity:Fund:2023  300.00 IDR
  Liabilities:Benefit:Ani  -300.00 IDR
  Equity:Fund:2023  0.50 IDR
  Liabilities:Benefit:Ani  -0.50 IDR
2026-01-11 balance Assets:Bank:Treasury  1000.00 ~ 0.00 IDR
2026-01-11 balance Liabilities:Benefit:Ani  -300.50 ~ 0.00 IDR
2026-01-11 balance Equity:Fund:2023  -699.50 ~ 0.00 IDR
""",
    "hledger": """\
commodity IDR 1000.00
commodity USD 1000.00
account assets:bank:treasury
account liabilities:benefit:ani
account equity:fund:2023

2026-01-07 * opening balances
    assets:bank:treasury  IDR 1000.00 = IDR 1000.00
    liabilities:benefit:ani  IDR 0.00 = IDR 0.00
    equity:fund:2023  IDR -1000.00 = IDR -1000.00

2026-01-08 * (ID) grant
    equity:fund:2023  IDR 300.00
    liabilities:benefit:ani  IDR -300.00
    equity:fund:2023  IDR 0.50
    liabilities:benefit:ani  IDR -0.50

2026-01-10 * closing balances
    assets:bank:treasury  IDR 0.00 = IDR 1000.00
    liabilities:benefit:ani  IDR 0.00 = IDR -300.50
    equity:fund:2023  IDR 0.00 = IDR -699.50
""",
    "csv": """\
record,date,transaction,kind,key,reference,debit,credit,amount,currency
opening,2026-01-07,,,,,bank:treasury,,1000.00,IDR
opening,2026-01-07,,,,,benefit:ani,,0.00,IDR
opening,2026-01-07,,,,,,fund:2023,1000.00,IDR
posting,2026-01-08,ID,grant,"a \\ ""b"" c","'-c ""d"" \\",fund:2023,benefit:ani,300.00,IDR
posting,2026-01-08,ID,grant,"a \\ ""b"" c","'-c ""d"" \\",fund:2023,benefit:ani,0.50,IDR
closing,2026-01-10,,,,,bank:treasury,,1000.00,IDR
closing,2026-01-10,,,,,,benefit:ani,300.50,IDR
closing,2026-01-10,,,,,,fund:2023,699.50,IDR
""",
}
UNUSED = ("budi", "school", "fees", "payouts", "reserve", "dollars", "stock")


def test_each_form_is_written_to_the_letter(session: Session) -> None:
    first, second = datetime(2026, 1, 6, 16, 59, tzinfo=UTC), datetime(2026, 1, 7, 23, tzinfo=UTC)
    bought = move("bank:treasury", "fund:2023", 1000)
    ledger.post(session, "appropriation", "appropriation", bought, effective_at=first)
    legs = move("fund:2023", ANI, 300) + move("fund:2023", ANI, "0.50")
    key, reference = 'a \\ "b" c', '-c "d" \\'
    posted = ledger.post(session, key, "grant", legs, effective_at=second, reference=reference)
    span = {"start": datetime(2026, 1, 7, tzinfo=WIB), "end": datetime(2026, 1, 11, tzinfo=WIB)}
    for form, expected in WRITTEN.items():
        lines = "".join(export_books(session, form, zone=WIB, **span)).splitlines(keepends=True)
        found = "".join(line for line in lines if not any(each in line.lower() for each in UNUSED))
        assert found.replace(str(posted.id), "ID") == expected
        # without a span it begins at the first transaction and ends at the last
        whole = "".join(export_books(session, form, zone=WIB))
        dates = sorted(set(re.findall(r"\d{4}-\d\d-\d\d", whole)))
        around = {"beancount": ["2026-01-05", "2026-01-06", "2026-01-08", "2026-01-09"]}
        assert dates == around.get(form, ["2026-01-06", "2026-01-08"])

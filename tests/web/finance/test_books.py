"""The ledger's pages: any rupiah in one minute, by any of its names."""

import csv
import io
import re
import shlex

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

import ledger
from marketplace import chart
from marketplace.db import transaction
from marketplace.enrolments.cancellation import cancel
from marketplace.enrolments.models import Earning, Enrolment
from marketplace.oversight import tasks as oversight
from marketplace.payouts import queries as payouts
from tests import factories
from tests.ledger.raw import PURCHASE, WRITE, state_of
from tests.marketplace.enrolments.scenes import buy
from tests.servers import ROOT
from tests.watermark import wait_for_others
from tests.web.conftest import SignIn, read, words
from tests.web.finance.conftest import Office

BOOKS = "/keuangan/buku-besar"
README = ROOT / "README.md"
REWRITE = "UPDATE ledger.posting SET amount = amount"
HOW_GUARDED = (
    "SELECT DISTINCT tgenabled::text FROM pg_trigger"
    " WHERE NOT tgisinternal AND tgrelid = 'ledger.posting'::regclass"
)


@pytest.fixture
def auditor(office: Office, sign_in: SignIn) -> FlaskClient:
    return sign_in(office.auditor)


def _earning(office: Office) -> Earning:
    office.session.rollback()
    return office.session.query(Earning).one()


def test_the_trial_balance_is_shown_by_family_and_the_equation_holds(auditor: FlaskClient) -> None:
    page = words(auditor.get(BOOKS).text)
    assert "Buku seimbang." in page
    assert "Hak lembaga, belum dibayar payable Rp0 Rp900.000 Rp900.000" in page
    assert "Potongan program fees Rp0 Rp100.000 Rp100.000" in page


def test_a_family_lists_its_accounts_by_name(auditor: FlaskClient, office: Office) -> None:
    page = words(auditor.get(f"{BOOKS}?family=payable").text)
    assert f"Hak lembaga, {office.provider.name} payable:{office.provider.id.hex}" in page
    assert "Neraca saldo" in words(auditor.get(f"{BOOKS}?family=zzz").text)


def test_a_transaction_is_found_by_each_of_its_names(auditor: FlaskClient, office: Office) -> None:
    earning = _earning(office)
    enrolment = earning.enrolment
    bought = enrolment.transaction_id
    assert bought is not None
    label = chart.transaction_label(bought)
    for name in (
        label,
        label.upper(),
        bought.hex,
        str(bought),
        enrolment.receipt_number.lower(),
        f"  {label} ",
    ):
        answer = auditor.get(BOOKS, query_string={"q": name})
        assert answer.location == f"{BOOKS}/{label}", name


def test_an_account_and_a_payout_are_found_by_their_names(auditor: FlaskClient, office: Office) -> None:
    assert auditor.get(f"{BOOKS}?q=bank:treasury").location == f"{BOOKS}/akun/bank:treasury"
    assert auditor.get(f"{BOOKS}?q={office.payout.label}").location == office.payout_address


def test_what_is_only_set_aside_is_found_in_the_balance_that_it_came_from(
    auditor: FlaskClient, office: Office
) -> None:
    with transaction() as current:
        waiting = buy(current, factories.make_run(current, needs_confirmation=True))
        account = chart.benefit(waiting.participant_id)
        number = waiting.receipt_number
    answer = auditor.get(BOOKS, query_string={"q": number}, follow_redirects=True)
    assert answer.request.path == f"{BOOKS}/akun/{account}"
    assert "Sekarang Rp750.000 dari saldo ini disisihkan" in words(answer.text)


@pytest.mark.parametrize(
    "name",
    [
        "zzz",
        "txn_zzz",
        "txn_" + "5" * 32,
        "po_" + "0" * 32,
        "po_x",
        "bank:zzz",
        "a:\x00",
        "\x00",
        ":",
        "%",
        "é",
    ],
)
def test_a_name_of_nothing_says_so(auditor: FlaskClient, name: str) -> None:
    answer = auditor.get(BOOKS, query_string={"q": name})
    assert answer.status_code == 200
    if name.strip("\x00"):
        assert "Tidak ada yang bernama" in words(answer.text)


@pytest.mark.parametrize(
    "path", ["txn_x", "txn_" + "0" * 32, "akun/x", "akun/bank:zzz", "akun/a:%00", "akun/%27:%27"]
)
def test_an_address_of_nothing_is_not_found(auditor: FlaskClient, path: str) -> None:
    assert auditor.get(f"{BOOKS}/{path}").status_code == 404


def test_a_completion_is_told_in_one_sentence_and_adds_up(auditor: FlaskClient, office: Office) -> None:
    page = auditor.get(f"{BOOKS}/{chart.transaction_label(_earning(office).transaction_id)}").text
    said = words(page)
    assert "Penyelesaian 100%: Rp1.000.000 menjadi dua bagian" in said
    assert "Rina L. hadir 1 dari 5 sesi" in said
    assert "Rp1.000.000 menjadi hak lembaga, dikurangi potongan program 10%." in said
    assert "Rp1.000.000 = Rp1.000.000" in said
    assert "Belum dibayarkan" in said
    assert "segel" not in said.lower()
    assert [words(str(cell)) for cell in read(page).select("tfoot td")] == [
        "", "Jumlah", "Debit Rp1.000.000", "Kredit Rp1.000.000", "",
    ]  # fmt: skip


def test_every_transaction_has_its_page(auditor: FlaskClient, office: Office) -> None:
    with transaction() as current:
        bought = buy(current, factories.make_run(current))
        cancelled = buy(current, factories.make_run(current))
        cancel(current, cancelled.id, cancelled.participant_id)
        bought_id = bought.id
    office.approve()
    office.send()
    office.answer("AC04", "Account closed")
    kinds = set()
    for record in office.transactions():
        answer = auditor.get(f"{BOOKS}/{chart.transaction_label(record.id)}")
        assert answer.status_code == 200, record.kind
        assert "Seimbang" in words(answer.text)
        kinds.add(record.kind)
    assert kinds >= {
        "appropriation",
        "grant",
        "purchase",
        "cancellation",
        "completion",
        "payout",
        "payout_rejected",
    }
    enrolment = office.session.get_one(Enrolment, bought_id)
    assert enrolment.transaction_id is not None
    page = words(auditor.get(f"{BOOKS}/{chart.transaction_label(enrolment.transaction_id)}").text)
    assert "Pembelian: Rp750.000 dititipkan" in page
    assert "saldo peserta ke titipan" in words(
        auditor.get(f"{BOOKS}/{chart.transaction_label(_earning(office).transaction_id)}").text
    )


def test_the_trace_follows_the_rupiah_from_the_grant_to_the_bank(
    auditor: FlaskClient, office: Office
) -> None:
    office.approve()
    office.send()
    office.answer()
    page = read(auditor.get(f"{BOOKS}/{chart.transaction_label(_earning(office).transaction_id)}").text)
    boxes = [words(str(box)) for box in page.select(".jejak .kartu")]
    stages = [box.split(", ", 1)[1].split(" Rp")[0] for box in boxes]
    assert stages == [
        "bantuan pelatihan",
        "pembelian",
        "penyelesaian",
        "pembayaran dikirim",
        "pembayaran sampai",
    ]
    assert [box.split()[-1] if "halaman ini" in box else "" for box in boxes].count("ini") == 1
    assert "Rp3.500.000" in boxes[0]
    assert "Dibayarkan" in words(str(page.select_one(".imbuh")))


def test_a_persons_balance_after_a_posting_is_counted(auditor: FlaskClient, office: Office) -> None:
    enrolment = _earning(office).enrolment
    assert enrolment.transaction_id is not None
    journal = read(
        auditor.get(f"{BOOKS}/{chart.transaction_label(enrolment.transaction_id)}").text
    ).select_one("table.jurnal")
    assert "Rp2.500.000" in words(str(journal))


def test_a_statement_opens_closes_and_adds_up(auditor: FlaskClient, office: Office) -> None:
    code = chart.payable(office.provider.id)
    page = words(auditor.get(f"{BOOKS}/akun/{code}").text)
    assert "Saldo awal, 24 Oktober 2026 Rp0 Mutasi Rp900.000 Saldo akhir, 23 November 2026 Rp900.000" in page
    later = words(auditor.get(f"{BOOKS}/akun/{code}?from=2026-11-24&to=2026-11-30").text)
    assert "Saldo awal, 24 November 2026 Rp900.000 Mutasi Rp0" in later
    assert "Tidak ada mutasi di tanggal ini." in later


@pytest.mark.parametrize(
    "query",
    ["from=x", "from=2026-13-01", "from=2026-11-30&to=2026-11-01", "to=9999-12-31", "from=0001-01-01"],
)
def test_dates_that_are_none_are_said_to_be_wrong(auditor: FlaskClient, query: str) -> None:
    answer = auditor.get(f"{BOOKS}/akun/bank:treasury?{query}")
    assert answer.status_code == 200
    assert "Salah:" in words(answer.text)


def test_a_statements_file_has_every_line(auditor: FlaskClient, office: Office) -> None:
    code = chart.escrow(office.provider.id)
    answer = auditor.get(f"{BOOKS}/akun/{code}.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["Nominal"] for row in rows] == ["1000000", "-900000", "-100000"]
    assert rows[-1]["Saldo"] == "0"
    assert auditor.get(f"{BOOKS}/akun/bank:zzz.csv").status_code == 404


def test_the_office_and_the_ledger_agree(office: Office) -> None:
    office.session.rollback()
    trial = ledger.trial_balance(office.session)
    assert payouts.equation_of(trial) == payouts.equation(office.session)


def test_a_sealed_transaction_shows_its_place_in_the_log(auditor: FlaskClient, office: Office) -> None:
    address = f"{BOOKS}/{chart.transaction_label(_earning(office).transaction_id)}"
    assert "Tersegel" not in words(auditor.get(address).text)
    wait_for_others(office.session)
    oversight.seal()
    said = words(auditor.get(address).text)
    assert "Tersegel" in said
    assert "Catatan ke-" in said


def _tour() -> list[list[str]]:
    """The commands of the README's tour that tamper, and put things back."""
    step = README.read_text(encoding="utf-8").partition("**Tamper.**")[2].partition("## Commands")[0]
    typed = "\n".join(re.findall(r"^ +```\n(.*?)^ +```$", step, re.MULTILINE | re.DOTALL))
    return [shlex.split(each, comments=True) for each in typed.split(".venv/bin/flask")[1:]]


def test_the_tour_is_found_out_and_leaves_a_guarded_ledger(
    app: Flask, auditor: FlaskClient, office: Office, owner_engine: Engine
) -> None:
    bought = _earning(office).enrolment
    assert bought.transaction_id is not None
    receipt, page = bought.receipt_number, f"{BOOKS}/{chart.transaction_label(bought.transaction_id)}"
    posting = ledger.get_transaction(office.session, bought.transaction_id).postings[0]
    overdraft = PURCHASE | {"debit": posting.debit, "credit": posting.credit, "amount": "99000000"}
    said = words(auditor.get(page).text)
    assert "Seimbang" in said and "Berubah sejak dicatat" not in said

    def play(command: list[str]) -> Result:
        arguments = [each.replace("BKL-…", receipt) for each in command]
        return app.test_cli_runner().invoke(args=arguments)

    disabling, tampering, verifying, balancing, *putting_back, verifying_again = _tour()
    assert [play(each).exit_code for each in (disabling, tampering)] == [0, 0]
    assert play(verifying).exit_code == 1
    unbalanced = play(balancing)
    assert (unbalanced.exit_code, "books balance: NO\n" in unbalanced.stdout) == (1, True)
    assert play(["payouts", "status"]).exit_code == 1
    said = words(auditor.get(page).text)
    assert "Berubah sejak dicatat" in said and "its content does not fit its commitment" in said
    for each in ("/keuangan", BOOKS):
        assert "Buku tidak seimbang." in words(auditor.get(each).text)
    # the guards of postings were never out of the way
    assert state_of(owner_engine, WRITE, overdraft) == "LG001"
    assert state_of(owner_engine, REWRITE) == "done"
    assert [play(each).exit_code for each in (*putting_back, verifying_again)] == [0, 0, 0]
    assert play(balancing).exit_code == play(["payouts", "status"]).exit_code == 0
    assert state_of(owner_engine, REWRITE) == "LG010"
    # A: also where a superuser plays a replica
    with owner_engine.connect() as owner:
        assert owner.scalars(text(HOW_GUARDED)).all() == ["A"]

"""Receipts and other proofs are checked by the stand-alone script, and refused after any change."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger.notes import new_signer
from ledger.proofs import Document, find_sealing, get_balance_receipt, get_growth, get_receipt, proof_text
from ledger.verify_receipt import (
    Refused,
    check,
    check_balance,
    check_growth,
    check_receipt,
    main,
    read_checkpoint,
)
from tests.ledger.books import ANI, BUDI, SCHOOL, cancel, funded, move, purchase
from tests.ledger.test_sealing import SIGNER, swaps
from tests.watermark import seal

SCRIPT = Path(ledger.__file__).parent / "verify_receipt.py"


@pytest.fixture
def sealed(session: Session) -> Session:
    """Books with some history, sealed in two steps."""
    funded(session)
    bought = purchase(session)
    ledger.post(
        session,
        "private",
        "swap",
        move(ANI, BUDI, "5.50"),
        metadata={"note": "é 😀", "list": [1, 2.5, None, True]},
        personal={"name": "Ani", "city": "Surabaya é"},
    )
    session.commit()
    seal(session, SIGNER)
    session.commit()
    cancel(session, bought.id, 300_000)
    swaps(session, 300)
    seal(session, SIGNER, balances=True)
    session.commit()
    return session


def receipt_of(session: Session, key: str, *, personal: bool = False) -> dict[str, Any]:
    transaction_id = session.execute(
        text("SELECT id FROM ledger.transaction WHERE key = :key"), {"key": key}
    ).scalar_one()
    return get_receipt(session, transaction_id, personal=personal)


@pytest.mark.parametrize("key", ["appropriation", "purchase:1", "private", "cancellation:1", "swap:299"])
@pytest.mark.parametrize("personal", [False, True])
def test_a_receipt_holds_with_and_without_its_personal_part(
    sealed: Session, key: str, personal: bool
) -> None:
    document = receipt_of(sealed, key, personal=personal)
    assert "is entry" in check_receipt(json.loads(json.dumps(document)), SIGNER.key)
    assert ("Surabaya" in json.dumps(document)) is (personal and key == "private")


def test_a_receipt_is_checked_by_a_script_that_knows_nothing_else(sealed: Session, tmp_path: Path) -> None:
    document = proof_text(receipt_of(sealed, "private", personal=True))
    (tmp_path / "verify_receipt.py").write_bytes(SCRIPT.read_bytes())
    (tmp_path / "good.json").write_text(document)
    (tmp_path / "bad.json").write_text(document.replace('"5.50"', '"5.51"'))
    command = [sys.executable, "-I", "verify_receipt.py", "--key", str(SIGNER.key)]
    good, bad = (
        subprocess.run([*command, name], cwd=tmp_path, capture_output=True, text=True, check=False)
        for name in ("good.json", "bad.json")
    )
    assert (good.returncode, good.stdout[:20], good.stderr) == (0, "holds: transaction 0", "")
    assert (bad.returncode, bad.stdout, bad.stderr[:7]) == (1, "", "REFUSED")


def test_the_script_says_what_holds_and_asks_for_a_file_and_a_key(
    sealed: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = receipt_of(sealed, "private", personal=True)
    file, key = tmp_path / "receipt.json", ["--key", str(SIGNER.key)]
    file.write_text(proof_text(document), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["verify_receipt.py", str(file), *key])
    assert (main(), main([*key, str(file)])) == (0, 0)
    said = f"holds: transaction {document['transaction']['id']} is entry 3 of 4\n"
    assert capsys.readouterr() == (said * 2, "")
    for arguments in ([str(file)], key, []):
        with pytest.raises(SystemExit):
            main(arguments)


def _documents(session: Session) -> dict[str, Document]:
    return {
        "receipt": receipt_of(session, "cancellation:1"),
        "receipt with a personal part": receipt_of(session, "private", personal=True),
        "receipt without its personal part": receipt_of(session, "private"),
        "balance": get_balance_receipt(session, ANI),
        "growth": get_growth(session, 4),
    }


def test_no_byte_of_a_proof_can_be_changed(sealed: Session, tmp_path: Path) -> None:
    file, changed = tmp_path / "proof.json", 0
    for step, (name, document) in enumerate(_documents(sealed).items(), start=1):
        whole = proof_text(document).encode()
        file.write_bytes(whole)
        assert check(file, SIGNER.key), name
        # all of the first, a sample of the others; another bit, another space
        for at in range(0, len(whole), step):
            for other in {whole[at] ^ 1, 32 if whole[at] == 10 else 10}:
                file.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
                changed += 1
                with pytest.raises(Refused):
                    check(file, SIGNER.key)
        for form in (whole[:-1], whole + b"\n", json.dumps(document).encode(), whole.replace(b"\n", b"\r\n")):
            file.write_bytes(form)
            with pytest.raises(Refused):
                check(file, SIGNER.key)
    assert changed > 5_000


# each says the same in other bytes, or adds what nobody signed
OTHER_FORMS: dict[str, tuple[str, str]] = {
    "a zone": ('+00:00",\n  "recorded_at"', '-00:00",\n  "recorded_at"'),
    "a shorter instant": ("T", " "),
    "a number": ('"leaf": 4', '"leaf": 4.0'),
    "a field twice": ('"format": "bekal-receipt/1",', '"format": "x",\n "format": "bekal-receipt/1",'),
    "a field more": ('"format": "bekal-receipt/1",', '"format": "bekal-receipt/1",\n "praise": "good",'),
    "a posting's field more": ('"debit"', '"note": "free",\n    "debit"'),
    "an escape": ('"cancellation"', '"\\u0063ancellation"'),
}


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_a_receipt_has_one_written_form(sealed: Session, tmp_path: Path, name: str) -> None:
    old, new = OTHER_FORMS[name]
    whole, file = proof_text(receipt_of(sealed, "cancellation:1")), tmp_path / "receipt.json"
    assert old in whole
    file.write_text(whole.replace(old, new, 1))
    assert main([str(file), "--key", str(SIGNER.key)]) == 1


def test_salts_and_hashes_have_one_written_form(sealed: Session) -> None:
    shown, hidden = (receipt_of(sealed, "private", personal=each) for each in (True, False))
    for document, part in ((shown, shown), (shown, shown["personal"]), (hidden, hidden["personal"])):
        check_receipt(document, SIGNER.key)
        name = "digest" if "digest" in part else "salt"
        for other in (part[name].upper(), part[name].replace("-", ""), f"{part[name]} ", f"{{{part[name]}}}"):
            right, part[name] = part[name], other
            if other != right:
                with pytest.raises(Refused):
                    check_receipt(document, SIGNER.key)
            part[name] = right
    check_receipt({**hidden, "leaf": 3}, SIGNER.key)
    for leaf in (3.0, "3", True, None):
        with pytest.raises((Refused, TypeError)):
            check_receipt({**hidden, "leaf": leaf}, SIGNER.key)


def test_hashes_in_base64_have_one_written_form(sealed: Session) -> None:
    """The last digit of 32 bytes in base64 has two bits to spare."""
    document = receipt_of(sealed, "purchase:1")
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = document["path"][0][42]
    twin = document["path"][0][:42] + digits[digits.index(last) ^ 1] + "="
    assert base64.b64decode(twin) == base64.b64decode(document["path"][0])
    with pytest.raises(Refused, match="base64"):
        check_receipt({**document, "path": [twin, *document["path"][1:]]}, SIGNER.key)
    short = base64.b64encode(bytes(31)).decode()
    with pytest.raises(Refused, match="no hash"):
        check_receipt({**document, "path": [short, *document["path"][1:]]}, SIGNER.key)


@pytest.mark.parametrize(
    "change", ["leaf", "kind", "reference", "metadata", "settles", "recorded_at", "drop"]
)
def test_a_receipt_with_a_changed_field_is_refused(sealed: Session, change: str) -> None:
    document = receipt_of(sealed, "cancellation:1")
    transaction = document["transaction"]
    if change == "leaf":
        document["leaf"] -= 1
    elif change == "drop":
        document["path"].pop()
    elif change == "recorded_at":
        transaction[change] = transaction[change].replace("20", "21", 1)
    else:
        transaction[change] = None if transaction[change] else "x"
    with pytest.raises((Refused, TypeError)):
        check_receipt(document, SIGNER.key)


def test_erasing_leaves_every_receipt_valid(sealed: Session) -> None:
    before = receipt_of(sealed, "private", personal=True)
    transaction_id = sealed.execute(
        text("SELECT id FROM ledger.transaction WHERE key = 'private'")
    ).scalar_one()
    ledger.erase(sealed, transaction_id, "asked to be forgotten")
    sealed.commit()
    after = receipt_of(sealed, "private", personal=True)
    assert set(after["personal"]) == {"digest"}
    for document in (before, after):
        check_receipt(document, SIGNER.key)


def test_a_balance_is_proved_without_showing_others(sealed: Session) -> None:
    document = get_balance_receipt(sealed, ANI)
    said = check_balance(document, SIGNER.key)
    assert said == "benefit:ani had 500305.50 debits and 3800000.00 credits (IDR) after entry 304"
    assert BUDI not in json.dumps(document)
    bare = SIGNER.sign(f"{SIGNER.name}\n305\n{'A' * 43}=\n")
    with pytest.raises(Refused, match="outside a tree of 0"):
        check_balance({**document, "checkpoint": bare}, SIGNER.key)
    document["balance"]["credits"] = "3800000.01"
    with pytest.raises(Refused):
        check_balance(document, SIGNER.key)


def test_every_balance_has_its_proof(sealed: Session) -> None:
    for code in ("bank:treasury", "fund:2023", "reserve:2023", ANI, BUDI, SCHOOL):
        check_balance(get_balance_receipt(sealed, code), SIGNER.key)
    with pytest.raises(ledger.UnknownAccount):
        get_balance_receipt(sealed, "stock:one")


def test_a_balance_receipt_stays_true_when_more_is_written(sealed: Session) -> None:
    before = get_balance_receipt(sealed, ANI)
    purchase(sealed, 7, key="later")
    sealed.commit()
    seal(sealed, SIGNER)
    assert get_balance_receipt(sealed, ANI) == before


def test_the_newest_checkpoint_is_proved_to_continue_an_older_one(sealed: Session) -> None:
    document = get_growth(sealed, 4)
    assert check_growth(document, SIGNER.key) == (
        "the tree of 305 in bekal.example/log only adds to the tree of 4"
    )
    forged = {**document, "old": SIGNER.sign(f"{SIGNER.name}\n4\n{'A' * 43}=\n")}
    with pytest.raises(Refused, match="continue"):
        check_growth(forged, SIGNER.key)
    assert check_growth(get_growth(sealed, 305), SIGNER.key)
    with pytest.raises(ledger.LedgerError) as refusal:
        get_growth(sealed, 5)
    assert refusal.value.code == "not_sealed"


def test_what_is_not_sealed_yet_has_no_proof(session: Session) -> None:
    funded(session)
    bought = purchase(session)
    session.commit()
    assert find_sealing(session, bought.id) is None
    for ask in (lambda: get_receipt(session, bought.id), lambda: get_balance_receipt(session, ANI)):
        with pytest.raises(ledger.LedgerError) as refusal:
            ask()
        assert refusal.value.code == "not_sealed"
    seal(session, SIGNER)
    session.commit()
    found = find_sealing(session, bought.id)
    assert found is not None
    assert (found.number, found.size) == (2, 3)
    with pytest.raises(ledger.UnknownTransaction):
        get_receipt(session, ledger.uuid7())


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "bekal-receipt/1"}', '{"format": 3}', "\x00"]
)
def test_a_file_that_is_no_proof_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "proof.json"
    file.write_text(content)
    assert main([str(file), "--key", str(SIGNER.key)]) == 1
    assert main([str(tmp_path / "absent.json"), "--key", str(SIGNER.key)]) == 1
    assert main([str(file), "--key", "x"]) == 1
    assert capsys.readouterr().err.count("REFUSED") == 3


def test_another_log_s_checkpoint_proves_nothing(sealed: Session) -> None:
    document = receipt_of(sealed, "purchase:1")
    other = new_signer(SIGNER.name)
    found = read_checkpoint(document["checkpoint"], SIGNER.key)
    document["checkpoint"] = other.sign(document["checkpoint"].rpartition("\n\n")[0] + "\n")
    assert found.size == 4
    with pytest.raises(Refused, match="did not sign"):
        check_receipt(document, SIGNER.key)

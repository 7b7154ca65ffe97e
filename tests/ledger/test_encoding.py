"""What is hashed, by values written down once: a ledger's hashes must mean the same for ever."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from ledger import canonical
from ledger.notes import checkpoint_text, continuation, new_signer, signature_line
from ledger.proofs import proof_text
from ledger.verify_receipt import (
    COSIGNATURE,
    GrowingTree,
    Refused,
    VerifierKey,
    check_balance,
    check_export,
    check_growth,
    check_receipt,
    commitment,
    leaf_hash,
    node_hash,
)

SALT = UUID("01a20a9b-1380-757a-84f5-6e2cd609360e")
NAME = UUID("01a20a9b-1381-7000-8000-000000000001")
ORIGINAL = UUID("01a20a9b-1381-7000-8000-000000000000")
DATED = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
WRITTEN = datetime(2026, 3, 1, 5, 0, 1, tzinfo=timezone(timedelta(hours=-7)))
SIGNER = new_signer("bekal.example/log", bytes(range(32)))

SHARED = (
    "10:completion36:01a20a9b-1381-7000-8000-000000000000-:9:réf 😀8:{\"a\": 1}"
    "13:escrow:school14:payable:school3:IDR9:450000.0013:escrow:school9:fees:20233:IDR8:50000.50"
)  # fmt: skip
COMMITMENT = "f498c9f9e96af1c6cc31ba485cf35b3fd6a63d295c402d78c12e067709533db3"
WITHOUT_PERSONAL = "651fffa8e92b01e37fc77442195be00e153ddb14e75fd11435672761bb93b29f"
DIGEST = "22241fabf53fa2f4b33559650fa50ee30a8a88d8f3e9f6def113d4adee69bae1"


def shared() -> str:
    lines = [
        canonical.line("escrow:school", "payable:school", "IDR", Decimal("4.5E5")),
        canonical.line("escrow:school", "fees:2023", "IDR", Decimal("50000.5")),
    ]
    return canonical.content("completion", ORIGINAL, None, "réf 😀", '{"a": 1}', lines)


def test_the_hashed_bytes_are_those_written_down() -> None:
    assert shared() == SHARED
    head = (NAME, "completion:1", DATED, WRITTEN)
    digest = canonical.personal_digest(SALT, '{"n": "é"}')
    assert digest.hex() == DIGEST
    assert canonical.commitment(SALT, head, SHARED, digest).hex() == COMMITMENT
    assert canonical.commitment(SALT, head, SHARED, None).hex() == WITHOUT_PERSONAL
    assert canonical.request_hash(DATED, SHARED).hex() == (
        "7dc87f89e3d2c26b166e2b3de62e48240322e5d90b30756e30ffd01b786fbbcf"
    )
    assert canonical.request_hash(None, SHARED).hex() == (
        "287a93bffe472d36c211059782629ab7f57962578ba91b58b37612ed61a82ec9"
    )
    assert canonical.hold_hash("hold:1", DATED, SHARED).hex() == (
        "0b24f87ad31a2a242b1fc21918e0831ed40efa55011913d4031aeb81a1b2a01c"
    )
    assert canonical.balance_entry(bytes(32), "benefit:ani", "IDR", Decimal(1), Decimal("2.5")).hex() == (
        "08caf0456998301b292afb4d8eb2767364abf1d3ef47e9667b757be9c7bc76b5"
    )


def test_a_commitment_is_what_the_documentation_says() -> None:
    """Put together here by hand: two salted hashes, of the money and of the personal part."""
    head = f"14:bekal-ledger/136:{NAME}12:completion:116:177236640012345616:1772366401000000"
    money = sha256(SALT.bytes + (head + SHARED).encode()).digest()
    personal = sha256(SALT.bytes + '{"n": "é"}'.encode()).digest()
    assert sha256(money + personal).hexdigest() == COMMITMENT
    assert sha256(money + sha256(b"").digest()).hexdigest() == WITHOUT_PERSONAL


def receipt(**more: Any) -> dict[str, Any]:
    """A receipt as the service would write it, of entry 2 of 3."""
    entries = [leaf_hash(b"0"), leaf_hash(b"1"), leaf_hash(bytes.fromhex(COMMITMENT))]
    tree = GrowingTree()
    for each in entries:
        tree.add(each)
    postings = [
        {"debit": "escrow:school", "credit": "payable:school", "currency": "IDR", "amount": "450000.00"},
        {"debit": "escrow:school", "credit": "fees:2023", "currency": "IDR", "amount": "50000.50"},
    ]
    transaction = {
        "id": str(NAME), "key": "completion:1", "kind": "completion",
        "effective_at": "2026-03-01T12:00:00.123456+00:00", "recorded_at": "2026-03-01T12:00:01.000000+00:00",
        "settles": str(ORIGINAL), "reverses": None, "reference": "réf 😀", "metadata": '{"a": 1}',
        "postings": postings,
    }  # fmt: skip
    return {
        "format": "bekal-receipt/1",
        "transaction": transaction,
        "salt": str(SALT),
        "personal": {"salt": str(SALT), "content": '{"n": "é"}'},
        "leaf": 2,
        "path": [_base64(node_hash(entries[0], entries[1]))],
        "checkpoint": SIGNER.sign(checkpoint_text(SIGNER.name, 3, tree.root())),
        **more,
    }


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def test_a_receipt_is_re_computed_from_what_it_shows() -> None:
    assert commitment(receipt()).hex() == COMMITMENT
    assert commitment(receipt(personal={"digest": DIGEST})).hex() == COMMITMENT
    assert commitment(receipt(personal=None)).hex() == WITHOUT_PERSONAL
    assert check_receipt(receipt(), SIGNER.key) == f"transaction {NAME} is entry 2 of 3"
    assert check_receipt(receipt(personal={"digest": DIGEST}), SIGNER.key)
    with pytest.raises(Refused, match="not in the signed tree"):
        check_receipt(receipt(personal=None), SIGNER.key)
    for leaf in (0, 1, 3, -1):
        with pytest.raises(Refused):
            check_receipt(receipt(leaf=leaf), SIGNER.key)
    assert proof_text(receipt()).endswith("\n}\n")


def balance(**more: Any) -> dict[str, Any]:
    """A receipt of the first of two balances."""
    ours = leaf_hash(canonical.balance_entry(bytes(32), "benefit:ani", "IDR", Decimal(1), Decimal("2.5")))
    other = leaf_hash(b"other")
    extensions = ["other line", f"balances 2 {_base64(node_hash(ours, other))}"]
    return {
        "format": "bekal-balance/1",
        "balance": {"account": "benefit:ani", "currency": "IDR", "debits": "1.00", "credits": "2.50"},
        "salt": "00" * 32,
        "leaf": 0,
        "path": [_base64(other)],
        "checkpoint": SIGNER.sign(checkpoint_text(SIGNER.name, 9, bytes(32), extensions)),
        **more,
    }


def test_a_balance_is_re_computed_from_what_it_shows() -> None:
    assert check_balance(balance(), SIGNER.key) == (
        "benefit:ani had 1.00 debits and 2.50 credits (IDR) after entry 8"
    )
    plain = SIGNER.sign(checkpoint_text(SIGNER.name, 9, bytes(32), ["other line"]))
    for bad in ({"salt": "01" * 32}, {"leaf": 1}, {"path": []}, {"checkpoint": plain}):
        with pytest.raises(Refused):
            check_balance(balance(**bad), SIGNER.key)


def test_growth_is_between_two_signed_checkpoints() -> None:
    old, new = GrowingTree(), GrowingTree()
    entries = [leaf_hash(bytes([number])) for number in range(3)]
    for each in entries[:2]:
        old.add(each)
    for each in entries:
        new.add(each)
    notes = [SIGNER.sign(checkpoint_text(SIGNER.name, tree.size, tree.root())) for tree in (old, new)]
    document = {"format": "bekal-growth/1", "old": notes[0], "new": notes[1], "path": [_base64(entries[2])]}
    assert (
        check_growth(document, SIGNER.key) == "the tree of 3 in bekal.example/log only adds to the tree of 2"
    )
    for bad in ({"old": notes[1], "new": notes[0]}, {"path": []}, {"path": [_base64(entries[1])]}):
        with pytest.raises(Refused):
            check_growth(document | bad, SIGNER.key)


def test_an_export_is_held_against_each_checkpoint() -> None:
    tree = GrowingTree()
    tree.add(leaf_hash(commitment(receipt())))
    line = proof_text(receipt(leaf=0)).replace("\n", "") + "\n"
    signed = proof_text({"checkpoint": SIGNER.sign(checkpoint_text(SIGNER.name, 1, tree.root()))}).replace(
        "\n", ""
    )
    assert check_export([line, signed, "{}"], SIGNER.key) == (
        "all 1 entries are those that bekal.example/log signed"
    )
    for lines, reason in (
        ([line], "nobody signed entry 0"),
        ([signed], "entries 0 to 0 are not those"),
        ([line, line.replace('"leaf": 0', '"leaf": 1'), signed], "entries 0 to 0"),
        ([line, line, signed], "entry 0 stands in the place of entry 1"),
        ([line.replace("450000.00", "450000.01"), signed], "entries 0 to 0"),
        ([line, signed, line.replace('"leaf": 0', '"leaf": 1')], "nobody signed entry 1"),
    ):
        with pytest.raises(Refused, match=reason):
            check_export(lines, SIGNER.key)


def test_lines_of_notes_are_written_as_the_formats_say() -> None:
    assert checkpoint_text("o", 7, bytes(32)) == f"o\n7\n{'A' * 43}=\n"
    assert checkpoint_text("o", 7, bytes(32), ["a", "b"]) == f"o\n7\n{'A' * 43}=\na\nb\n"
    assert continuation("o", 7, bytes(32)) == f"continues o 7 {'A' * 43}="
    key = VerifierKey("w", COSIGNATURE, bytes(32))
    assert signature_line(key, b"\0\0") == f"— w {_base64(key.id + bytes(2))}\n"

"""Signed notes and checkpoints against published examples and another implementation."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError

from ledger import LedgerError
from ledger.notes import Signer, checkpoint_text, new_signer, read_signer, signature_line
from ledger.verify_receipt import COSIGNATURE, Refused, VerifierKey, open_note, read_checkpoint, read_key

# the example of the Go package that introduced the format
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
MARK = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n— PeterNeumann {MARK}\n"

# the example of c2sp.org/signed-note
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
# a checkpoint that a certificate log published with the signatures of its witnesses, and two of the keys
CT_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
CT_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
CT_NOTE = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3ur\
bllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75M\
dhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5h\
NI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5Xe\
U/zZ0WBxtqB0DrAWfBw==
"""

SIGNER = new_signer("bekal.example/log", bytes(range(32)))


class OneKey:
    """A keyring, as the other implementation asks for one."""

    def __init__(self, signer: Signer) -> None:
        self.public = Ed25519PublicKey.from_public_bytes(signer.key.public)

    def verify(self, *, key_id: bytes, signature: bytes, data: bytes) -> None:
        try:
            self.public.verify(signature, data)
        except Exception as error:
            raise VerificationError(str(error)) from error


def test_the_published_note_is_signed_and_opened_byte_for_byte() -> None:
    signer = read_signer(SECRET)
    assert (str(signer.key), signer.secret, signer.sign(TEXT)) == (KEY, SECRET, NOTE)
    assert open_note(NOTE, read_key(KEY)) == TEXT


def test_the_published_example_of_the_format_is_opened() -> None:
    assert open_note(C2SP_NOTE, read_key(C2SP_KEY)) == "This is an example message.\n"
    with pytest.raises(Refused, match="is wrong"):
        open_note(C2SP_NOTE.replace("example message", "Example message"), read_key(C2SP_KEY))


@pytest.mark.parametrize("key", [CT_LOG, CT_WITNESS])
def test_a_checkpoint_of_another_log_is_read_with_its_witness(key: str) -> None:
    """The log's own signature, and cosignature/v1 of somebody else; others of other kinds between them."""
    found = read_checkpoint(CT_NOTE, read_key(key))
    assert (found.origin, found.size) == ("arche2025h1.staging.ct.transparency.dev", 1_432_088_532)
    assert found.root.hex().startswith("53b58cefd8ebcf284667")
    for forged in (
        CT_NOTE.replace("1432088532", "1432088533"),
        # the moment of a witness is signed too
        CT_NOTE.replace("2net5wAAAABqEiEg", "2net5wAAAABqEiEh").replace("ui8GwCF1", "ui8GwCF2"),
    ):
        assert forged != CT_NOTE
        with pytest.raises(Refused, match="is wrong"):
            read_checkpoint(forged, read_key(key))


def test_a_checkpoint_is_read_by_another_implementation() -> None:
    root = bytes(range(32, 64))
    note = SIGNER.sign(checkpoint_text(SIGNER.name, 70_000, root, ["balances 3 abc"]))
    theirs = SignedCheckpoint.from_text(note)
    theirs.signed_note.verify(OneKey(SIGNER), SIGNER.key.id)  # type: ignore[arg-type] # see OneKey
    assert theirs.checkpoint.origin == SIGNER.name
    assert (theirs.checkpoint.log_size, theirs.checkpoint.log_hash) == (70_000, root.hex())
    assert theirs.checkpoint.other_content == ["balances 3 abc"]
    assert read_checkpoint(note, SIGNER.key) == (SIGNER.name, 70_000, root, ["balances 3 abc"])
    # control: both see one changed digit
    forged = note.replace("70000", "70001")
    with pytest.raises(VerificationError):
        SignedCheckpoint.from_text(forged).signed_note.verify(OneKey(SIGNER), SIGNER.key.id)  # type: ignore[arg-type] # see OneKey
    with pytest.raises(Refused, match="wrong"):
        read_checkpoint(forged, SIGNER.key)


def test_signatures_of_strangers_are_left_aside() -> None:
    stranger, namesake = new_signer("elsewhere.example"), new_signer(SIGNER.name)
    note = SIGNER.sign(TEXT)
    crowd = stranger.sign(TEXT).rpartition("\n\n")[2] + namesake.sign(TEXT).rpartition("\n\n")[2]
    for each in (note + crowd, f"{TEXT}\n{crowd}{note.rpartition(chr(10) * 2)[2]}"):
        assert open_note(each, SIGNER.key) == TEXT
    with pytest.raises(Refused, match="did not sign"):
        open_note(f"{TEXT}\n{crowd}", SIGNER.key)


def test_a_witness_signs_the_moment_too() -> None:
    witness = new_signer("witness.example/w1")
    key = VerifierKey(witness.name, COSIGNATURE, witness.key.public)
    text = checkpoint_text(SIGNER.name, 3, bytes(32))
    moment = (1679315147).to_bytes(8, "big")
    signature = witness.private.sign(b"cosignature/v1\ntime 1679315147\n" + text.encode())
    note = SIGNER.sign(text) + signature_line(key, moment + signature)
    assert open_note(note, read_key(str(key))) == open_note(note, SIGNER.key) == text
    late = SIGNER.sign(text) + signature_line(key, bytes(8) + signature)
    with pytest.raises(Refused, match="wrong"):
        open_note(late, key)


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE.replace("x08g", "x08 "),
        NOTE.replace("x08go", "*"),
        NOTE.replace("you", "you\t"),
        NOTE.replace("PeterNeumann", "Peter+Neumann"),
        f"{TEXT}\n— PeterNeumann x08go===\n",
        f"{TEXT}\n— PeterNeumann {MARK[:-4]}\n",
        f"{TEXT}\n— PeterNeumann {base64.b64encode(base64.b64decode(MARK)[:4]).decode()}\n",
    ],
    ids=range(13),
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(Refused):
        open_note(note, read_key(KEY))


@pytest.mark.parametrize(
    "lines",
    [
        ["a", "1"],
        ["a", "01", base64.b64encode(bytes(32)).decode()],
        ["a", "-1", base64.b64encode(bytes(32)).decode()],
        ["a", "١", base64.b64encode(bytes(32)).decode()],
        ["", "1", base64.b64encode(bytes(32)).decode()],
        ["a", "1", base64.b64encode(bytes(31)).decode()],
        ["a", "1", base64.b64encode(bytes(32)).decode(), ""],
    ],
)
def test_a_note_that_is_no_checkpoint_is_refused(lines: list[str]) -> None:
    note = SIGNER.sign("".join(f"{line}\n" for line in lines))
    with pytest.raises(Refused, match="no checkpoint"):
        read_checkpoint(note, SIGNER.key)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", KEY[:-4], KEY.replace("c74f20a3", "c74f20a4"), KEY.replace("Peter", "Petra"), KEY[12:]],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_key(text)
    with pytest.raises(LedgerError) as refusal:
        read_signer("PRIVATE+KEY+" + text)
    assert refusal.value.code == "invalid_signing_key"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_that_would_break_the_format_is_refused(name: str) -> None:
    with pytest.raises(LedgerError):
        new_signer(name)
    with pytest.raises(LedgerError):
        new_signer("good", b"short")


@pytest.mark.parametrize("text", ["no newline", "tab\t\n", "\x00\n"])
def test_a_text_that_no_note_may_have_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="newline"):
        SIGNER.sign(text)


@pytest.mark.parametrize(
    "text",
    [
        SECRET.removeprefix("PRIVATE+KEY+"),
        SECRET.replace("PRIVATE", "PUBLIC"),
        SECRET[:-1],
        SECRET[:-4] + "*DFz",
        SECRET[:-8] + "\n" + SECRET[-8:],
        SECRET + "AAAA",
        SECRET.replace("+AYEK", "+AoEK"),
        SECRET.replace("c74f20a3", "C74F20A3"),
        SECRET.replace("Peter", "Pet er"),
        "PRIVATE+KEY+",
        "",
    ],
)
def test_what_is_no_signing_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(LedgerError) as refusal:
        read_signer(text)
    assert refusal.value.code == "invalid_signing_key"
    assert SECRET[-20:-4] not in str(refusal.value) + str(refusal.value.detail)

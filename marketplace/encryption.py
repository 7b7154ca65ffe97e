"""Personal data at rest: encrypted, with a keyed blind index where it must be unique or found.

The key comes from the environment and is never in the database, so a stolen copy of the tables
tells nobody's NIK or account number.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet


class Vault:
    """Encrypts short texts and computes their blind indexes."""

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive(key, b"encryption")))
        self._index_key = _derive(key, b"blind-index")

    def encrypt(self, plain: str) -> bytes:
        """Ciphertext; different at every call."""
        return self._fernet.encrypt(plain.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        """The text again. Raises cryptography.fernet.InvalidToken for a wrong key or altered data."""
        return self._fernet.decrypt(ciphertext).decode()

    def encrypt_bytes(self, plain: bytes) -> bytes:
        """Ciphertext of a file; a third larger."""
        return self._fernet.encrypt(plain)

    def decrypt_bytes(self, ciphertext: bytes) -> bytes:
        """The file again. Raises as decrypt."""
        return self._fernet.decrypt(ciphertext)

    def blind_index(self, purpose: str, plain: str) -> bytes:
        """A keyed fingerprint: equal for equal texts of one purpose, useless without the key."""
        return hmac.digest(self._index_key, f"{purpose}:{plain}".encode(), "sha256")


def _derive(key: str, purpose: bytes) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=32, person=purpose[:16]).digest()


_configured: Vault | None = None


def configure(key: str) -> None:
    """Set the process's key. Called once by create_app."""
    global _configured
    _configured = Vault(key)


def vault() -> Vault:
    """The configured vault. Raises RuntimeError before create_app has run."""
    if _configured is None:
        raise RuntimeError("encryption.configure() has not been called")
    return _configured

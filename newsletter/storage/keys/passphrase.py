"""Encrypts a file with a passphrase, in pieces, so that memory does not grow with the file.

The file: MAGIC, 16 octets of salt, 7 octets of nonce, then the pieces. The key is Scrypt (RFC 7914; N = 2^17, r = 8,
p = 1; 32 octets) of the passphrase in UTF-8. Each piece holds 65,536 octets, the last one fewer or as many, and is
encrypted by ChaCha20-Poly1305 (RFC 8439) with the nonce followed by the piece's number (4 octets, from 0) and 1 for
the last piece, else 0: no piece can be left out, moved or added (STREAM; Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from newsletter.domain.errors import WrongPassphrase

MAGIC = b"newsletter-encrypted/1\n"
PIECE = 65_536
_SALT, _NONCE, _TAG = 16, 7, 16
_HEAD = len(MAGIC) + _SALT + _NONCE


def is_encrypted(file: BinaryIO) -> bool:
    """Whether a file was encrypted here."""
    file.seek(0)
    return file.read(len(MAGIC)) == MAGIC


@contextmanager
def encrypting(file: IO[bytes], passphrase: str) -> Iterator[BinaryIO]:
    """A writer that encrypts into a file, which is complete at the end of the block."""
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    file.write(MAGIC + salt + nonce)
    pieces = _Pieces(file, _cipher(passphrase, salt), nonce)
    writer = io.BufferedWriter(cast("io.RawIOBase", pieces), PIECE)
    yield writer
    writer.flush()
    pieces.end()


def decrypting(file: BinaryIO, passphrase: str) -> BinaryIO:
    """A reader of the decrypted contents, which can only seek to the beginning; both raise WrongPassphrase."""
    contents = _Contents(file, passphrase)
    contents.readinto(bytearray(1))
    contents.seek(0)
    return io.BufferedReader(cast("io.RawIOBase", contents), PIECE)


def _cipher(passphrase: str, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt, 32, n=2**17, r=8, p=1).derive(passphrase.encode()))


def _nonce(nonce: bytes, number: int, *, is_last: bool) -> bytes:
    return nonce + number.to_bytes(4, "big") + bytes([is_last])


class _Pieces(io.RawIOBase):
    """Holds a piece back until it is known whether it is the last one."""

    def __init__(self, file: IO[bytes], cipher: ChaCha20Poly1305, nonce: bytes) -> None:
        self._file, self._cipher, self._nonce = file, cipher, nonce
        self._number = 0
        self._held = b""

    def writable(self) -> bool:
        return True

    def write(self, octets: bytes) -> int:  # type: ignore[override]
        self._held += bytes(octets)
        while len(self._held) > PIECE:
            self._send(self._held[:PIECE], is_last=False)
            self._held = self._held[PIECE:]
        return len(octets)

    def end(self) -> None:
        """Write the last piece."""
        self._send(self._held, is_last=True)

    def _send(self, piece: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._nonce, self._number, is_last=is_last)
        self._file.write(self._cipher.encrypt(nonce, piece, None))
        self._number += 1


class _Contents(io.RawIOBase):
    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        file.seek(len(MAGIC))
        salt, self._nonce = file.read(_SALT), file.read(_NONCE)
        self._cipher = _cipher(passphrase, salt)
        self._plain, self._ahead = b"", b""
        self._number = self._at = 0
        self._is_over = False
        self._restart()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go back to the beginning."""
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("it is read from the beginning alone")
        self._restart()
        return 0

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._plain and not self._is_over:
            self._next()
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        self._at += count
        return count

    def _restart(self) -> None:
        self._file.seek(_HEAD)
        self._ahead = self._file.read(PIECE + _TAG)
        self._number = self._at = 0
        self._plain, self._is_over = b"", False

    def _next(self) -> None:
        piece, self._ahead = self._ahead, self._file.read(PIECE + _TAG)
        self._is_over = not self._ahead
        nonce = _nonce(self._nonce, self._number, is_last=self._is_over)
        try:
            self._plain = self._cipher.decrypt(nonce, piece, None)
        except (InvalidTag, ValueError):
            raise WrongPassphrase from None
        self._number += 1

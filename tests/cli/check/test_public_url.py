"""Why a certificate is not trusted, by a real handshake."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from newsletter.cli.check import public_url
from tests.worker.certificates import self_signed, server_side
from tests.worker.scripted_http import ScriptedHttp, in_json


def why(certificate: Path) -> tuple[str, str]:
    with ScriptedHttp(in_json(200, {}), tls=server_side(certificate)) as server:
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            public_url.ask(server.url.replace("http:", "https:"))
        return public_url.certificate_error(refused.value)


def test_a_certificate_for_another_name_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = self_signed(tmp_path, x509.DNSName("other.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))

    assert why(other)[0] == "is issued for another name"


def test_a_self_signed_certificate_is_named_as_such(tmp_path: Path) -> None:
    wrong, remedy = why(self_signed(tmp_path))

    assert wrong == "is self-signed"
    assert "SSL_CERT_FILE" in remedy

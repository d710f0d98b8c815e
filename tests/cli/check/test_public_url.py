"""Why a certificate is not trusted, as a real handshake tells it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from newsletter.cli.check import certificates, public_url
from tests.worker.certificates import self_signed, server_side
from tests.worker.scripted_http import ScriptedHttp, in_json


def why(certificate: Path) -> tuple[str, str]:
    with ScriptedHttp(in_json(200, {}), tls=server_side(certificate)) as server:
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            public_url.ask(server.url.replace("http:", "https:"))
        return certificates.why(refused.value)


def test_a_certificate_of_another_name_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = self_signed(tmp_path, x509.DNSName("other.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))

    assert why(other)[0] == "is made out to another name"


def test_a_certificate_that_nobody_else_signed_is_told_as_that(tmp_path: Path) -> None:
    wrong, remedy = why(self_signed(tmp_path))

    assert wrong == "is signed by nobody but itself"
    assert "SSL_CERT_FILE" in remedy

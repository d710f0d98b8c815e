"""Mailchimp's signature of a webhook call."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from newsletter.web.http.signature import WrongSignature, check

SECRET = "signing-secret"
BODY = b"type=unsubscribe&data%5Bemail%5D=ada%40example.org"


def sign(time: str = "1700000000", body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "header",
    [
        f"t=1700000000,v1={sign()}",
        f"t=1700000000, v1={sign()}",
        f"t=1700000000,v1={sign().upper()}",
        f"v1={sign()},t=1700000000",
        f"t=1700000000,v1={'0' * 64},v1={sign()},v0=old",
        f"t=1,v1={sign('1')}",
    ],
)
def test_a_right_signature_passes_whatever_its_age_and_company(header: str) -> None:
    check(header, BODY, SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"v1={sign()}",
        "t=1700000000",
        f"t=1700000001,v1={sign()}",
        f"t=1700000000,v0={sign()}",
        f"t=1700000000,t=1700000000,v1={sign()}",
        f"t=1700000000,v1={sign(secret='another')}",
        f"t=1700000000,v1={sign()[:-1]}",
        "t=\udc80,v1=ü\udc80",
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(WrongSignature):
        check(header, BODY, SECRET)


def test_one_octet_more_in_the_body_is_refused() -> None:
    with pytest.raises(WrongSignature):
        check(f"t=1700000000,v1={sign()}", BODY + b"&", SECRET)

"""Links are signed, valid for one purpose, short, and without the address."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime
from itertools import permutations

import pytest
import time_machine
from flask import Flask
from itsdangerous.encoding import base64_decode

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain.errors import OutdatedLink, UnknownLink
from newsletter.subscriptions import links
from newsletter.subscriptions.links import Link, Purpose
from tests.conftest import COMPANY

REF = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
LINK = Link(REF, 3, datetime(2026, 3, 1, 9, 20, tzinfo=UTC))


@pytest.fixture
def core() -> Flask:
    online = {"PUBLIC_URL": "https://news.example.com/base", "SMTP_URL": "smtp://mail.example.com"}
    return create_core(load({**COMPANY, **online}))


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


def tokens_of(purpose: Purpose, round_: int) -> list[str]:
    """The tokens of many people."""
    numbered = (Link(f"{number:032x}", round_, LINK.written_at) for number in range(500))
    return [token_of(links.url_for(purpose, link)) for link in numbered]


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("round_", [0, 1, 255, 256, 70_000])
def test_a_link_can_be_read_again(core: Flask, purpose: Purpose, round_: int) -> None:
    link = Link(REF, round_, LINK.written_at)
    with core.app_context(), time_machine.travel(link.written_at, tick=False):
        url = links.url_for(purpose, link)

        assert links.read(purpose, token_of(url)) == link
    assert url.startswith(f"https://news.example.com/base/{purpose}/")


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("round_", [0, 1, 61, 300])
def test_a_token_begins_and_ends_with_a_letter_or_digit(
    core: Flask, purpose: Purpose, round_: int
) -> None:
    with core.app_context():
        for token in tokens_of(purpose, round_):
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{42,44}[A-Za-z0-9]", token)


def test_a_link_fits_a_line_of_76_characters() -> None:
    online = {"PUBLIC_URL": "https://news.example.de", "SMTP_URL": "smtp://mail.example.com"}
    with create_core(load({**COMPANY, **online})).app_context():
        for purpose in (Purpose.CONFIRM, Purpose.NOT_ME, Purpose.MY_DATA):
            assert len(links.url_for(purpose, LINK)) <= 76


@pytest.mark.requires("R14")
@pytest.mark.parametrize(("made_for", "used_for"), list(permutations(Purpose, 2)))
def test_a_link_is_valid_for_one_purpose_only(
    core: Flask, made_for: Purpose, used_for: Purpose
) -> None:
    with core.app_context():
        token = token_of(links.url_for(made_for, LINK))

        with pytest.raises(UnknownLink):
            links.read(used_for, token)


@pytest.mark.requires("R14")
@pytest.mark.parametrize("position", range(44))
def test_a_token_with_a_changed_character_is_refused(core: Flask, position: int) -> None:
    with core.app_context():
        token = token_of(links.url_for(Purpose.CONFIRM, LINK))
        other = "A" if token[position] != "A" else "B"
        forged = token[:position] + other + token[position + 1 :]

        with pytest.raises(UnknownLink):
            links.read(Purpose.CONFIRM, forged)


@pytest.mark.parametrize("round_", [1, 300])
@pytest.mark.parametrize(
    ("ours", "twin"),
    [
        ("-", "+"),
        ("_", "/"),
        ("$", "="),
        ("$", "A"),
        ("$", "\n"),
        ("$", "."),
        ("^", "."),
        ("^", "ü"),
    ],
)
def test_another_spelling_of_a_token_is_refused(
    core: Flask, round_: int, ours: str, twin: str
) -> None:
    with core.app_context():
        token = next(each for each in tokens_of(Purpose.CONFIRM, round_) if ours in f"^{each}$")
        spelt = f"^{token}$".replace(ours, twin).removeprefix("^").removesuffix("$")

        assert links.read(Purpose.CONFIRM, token).round == round_
        with pytest.raises(UnknownLink):
            links.read(Purpose.CONFIRM, spelt)


@pytest.mark.parametrize("nonsense", ["", ".", "..", "a.b.c", "ü", "A" * 43, "A" * 44, "x" * 5000])
def test_nonsense_is_refused(core: Flask, nonsense: str) -> None:
    with core.app_context(), pytest.raises(UnknownLink):
        links.read(Purpose.CONFIRM, nonsense)


@pytest.mark.requires("R14")
def test_an_older_key_still_reads_and_the_newest_signs() -> None:
    old, new = "old-key-".ljust(32, "o"), "new-key-".ljust(32, "n")
    before, rotated, after = (
        create_core(load({**COMPANY, "SECRET_KEY": keys})) for keys in (old, f"{new},{old}", new)
    )
    with before.app_context():
        earlier = token_of(links.url_for(Purpose.CONFIRM, LINK))
    with rotated.app_context():
        assert links.read(Purpose.CONFIRM, earlier) == LINK
        fresh = token_of(links.url_for(Purpose.CONFIRM, LINK))
    with after.app_context():
        assert links.read(Purpose.CONFIRM, fresh) == LINK
        with pytest.raises(UnknownLink):
            links.read(Purpose.CONFIRM, earlier)


def test_the_link_to_unsubscribe_is_always_the_same(core: Flask) -> None:
    with core.app_context():
        once, again = (links.url_for(Purpose.UNSUBSCRIBE, Link("a" * 32)) for _ in range(2))

    assert once == again


@pytest.mark.requires("R14")
def test_a_link_holds_time_reference_round_and_a_signature_of_96_bits(core: Flask) -> None:
    with core.app_context():
        said = base64_decode(token_of(links.url_for(Purpose.CONFIRM, LINK)))

    seconds, ref, signature, round_ = said[:4], said[4:20], said[20:32], said[32:]
    assert int.from_bytes(seconds) == LINK.written_at.timestamp()
    assert (ref.hex(), int.from_bytes(round_)) == (REF, 3)
    assert len(signature) * 8 == 96


@pytest.mark.requires("R14")
@pytest.mark.parametrize("purpose", Purpose)
def test_a_signature_is_hmac_sha_256_with_a_key_for_each_purpose(
    core: Flask, purpose: Purpose
) -> None:
    with core.app_context():
        said = base64_decode(token_of(links.url_for(purpose, LINK)))

    key = hmac.digest(COMPANY["SECRET_KEY"].encode(), f"newsletter {purpose}".encode(), "sha256")
    assert said[20:32] == hmac.digest(key, said[:20] + said[32:], "sha256")[:12]


@pytest.mark.parametrize(("round_", "octets"), [(0, 1), (1, 1), (255, 1), (256, 2), (65_535, 2)])
def test_a_round_takes_no_more_octets_than_it_needs(core: Flask, round_: int, octets: int) -> None:
    with core.app_context():
        said = base64_decode(token_of(links.url_for(Purpose.CONFIRM, Link(REF, round_))))

    assert len(said[32:]) == octets


def test_a_receipts_link_ends_an_hour_after_it_was_made(core: Flask) -> None:
    with core.app_context(), time_machine.travel(LINK.written_at, tick=False) as clock:
        token = token_of(links.url_for(Purpose.RECEIPT, LINK))
        clock.shift(3600)
        assert links.read(Purpose.RECEIPT, token) == LINK

        clock.shift(1)
        with pytest.raises(OutdatedLink):
            links.read(Purpose.RECEIPT, token)


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.NOT_ME, Purpose.UNSUBSCRIBE])
def test_no_other_link_ends_by_its_time(core: Flask, purpose: Purpose) -> None:
    with core.app_context(), time_machine.travel(LINK.written_at, tick=False) as clock:
        token = token_of(links.url_for(purpose, LINK))
        clock.shift(10 * 365 * 86400)

        assert links.read(purpose, token) == LINK

"""Links: ours, for one purpose, and without the address."""

from __future__ import annotations

from itertools import permutations

import pytest
import time_machine
from flask import Flask
from itsdangerous import URLSafeSerializer

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain.errors import OutdatedLink, UnknownLink
from newsletter.subscriptions import links
from newsletter.subscriptions.links import Link, Purpose
from tests.conftest import COMPANY

REF, LETTER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "9a8b7c6d5e4f30211203f4e5d6c7b8a9"
LINK = Link(REF, 3, LETTER)


@pytest.fixture
def core() -> Flask:
    online = {"PUBLIC_URL": "https://news.example.com/base", "SMTP_URL": "smtp://mail.example.com"}
    return create_core(load({**COMPANY, **online}))


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_can_be_read_again(core: Flask, purpose: Purpose) -> None:
    with core.app_context():
        url = links.url_for(purpose, LINK)

        assert links.read(purpose, token_of(url)) == LINK
    assert url.startswith(f"https://news.example.com/base/{purpose}/")


@pytest.mark.parametrize(("made_for", "used_for"), list(permutations(Purpose, 2)))
def test_a_link_serves_one_purpose_alone(core: Flask, made_for: Purpose, used_for: Purpose) -> None:
    with core.app_context():
        token = token_of(links.url_for(made_for, LINK))

        with pytest.raises(UnknownLink):
            links.read(used_for, token)


@pytest.mark.parametrize("position", range(0, 100, 7))
def test_a_changed_character_makes_it_none_of_ours(core: Flask, position: int) -> None:
    with core.app_context():
        token = token_of(links.url_for(Purpose.CONFIRM, LINK))
        other = "A" if token[position] != "A" else "B"
        forged = token[:position] + other + token[position + 1 :]

        with pytest.raises(UnknownLink):
            links.read(Purpose.CONFIRM, forged)


@pytest.mark.parametrize("nonsense", ["", ".", "..", "a.b.c", "ü", "x" * 5000])
def test_nonsense_is_none_of_ours(core: Flask, nonsense: str) -> None:
    with core.app_context(), pytest.raises(UnknownLink):
        links.read(Purpose.CONFIRM, nonsense)


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


def test_the_link_to_unsubscribe_is_always_the_same(core: Flask) -> None:
    with core.app_context():
        once, again = (links.url_for(Purpose.UNSUBSCRIBE, Link("a" * 32, 0)) for _ in range(2))

    assert once == again


def test_a_link_holds_a_reference_and_nothing_else(core: Flask) -> None:
    with core.app_context():
        token = token_of(links.url_for(Purpose.CONFIRM, LINK))

    payload = token.rsplit(".", 2)[0].encode()
    assert URLSafeSerializer("anybody can read it").load_payload(payload) == [REF, 3, LETTER]


def test_a_link_may_name_the_text_of_its_letter(core: Flask) -> None:
    link = Link(REF, 3, LETTER, "c" * 64)
    with core.app_context():
        token = token_of(links.url_for(Purpose.CONFIRM, link))

        assert links.read(Purpose.CONFIRM, token) == link
    assert len(token) < 200


def test_a_receipts_link_ends_an_hour_after_it_was_made(core: Flask) -> None:
    with core.app_context(), time_machine.travel(0, tick=False) as clock:
        token = token_of(links.url_for(Purpose.RECEIPT, LINK))
        clock.shift(3600)
        assert links.read(Purpose.RECEIPT, token) == LINK

        clock.shift(1)
        with pytest.raises(OutdatedLink):
            links.read(Purpose.RECEIPT, token)


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.NOT_ME, Purpose.UNSUBSCRIBE])
def test_no_other_link_ends_by_its_date(core: Flask, purpose: Purpose) -> None:
    with core.app_context(), time_machine.travel(0, tick=False) as clock:
        token = token_of(links.url_for(purpose, LINK))
        clock.shift(10 * 365 * 86400)

        assert links.read(purpose, token) == LINK

"""Confirming: what the ledger and the success page get of it, and in which language a dead link is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain.errors import OutdatedLink
from newsletter.domain.lifecycle import Event
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import confirm, links
from newsletter.subscriptions.confirm import CONFIRM_PAGE
from newsletter.subscriptions.links import Link, Purpose
from newsletter.texts import versions
from tests.people import ADA, access, sign_up

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def link(app: Flask, client: FlaskClient, clock: time_machine.Traveller) -> Iterator[Link]:
    """The link of Ada's English letter."""
    sign_up(client, ADA, locale="en")
    reference = str(access(client, ADA)["reference"])
    with app.app_context():
        yield Link(reference, 1, NOW)


@pytest.mark.parametrize("options", [{"on_page": True}, {"on_page": False}, {}])
def test_the_ledger_names_the_version_of_our_own_page_and_of_no_other(
    link: Link, options: dict[str, bool]
) -> None:
    confirm.confirm(link, **options)

    with reading() as session:
        confirmed = log.newest_of(session, link.ref, Event.CONFIRMED)
        assert confirmed is not None
        ours = versions.of_page(CONFIRM_PAGE, "en") if options.get("on_page") else None
        assert confirmed.template == ours


@pytest.mark.parametrize(
    ("later", "has_receipt", "opens_data"),
    [
        (0 * HOUR, True, True),
        (HOUR - SECOND, True, True),
        (HOUR, True, False),
        (HOUR + SECOND, False, False),
    ],
)
def test_the_success_page_leads_to_receipt_and_data_for_an_hour(
    link: Link,
    clock: time_machine.Traveller,
    later: timedelta,
    *,
    has_receipt: bool,
    opens_data: bool,
) -> None:
    confirm.confirm(link)
    clock.shift(later)

    consent = confirm.confirm(link)

    receipt = links.url_for(Purpose.RECEIPT, Link(link.ref, 1, NOW + later))
    my_data = links.url_for(Purpose.MY_DATA, Link(link.ref, written_at=NOW))
    assert (consent.reference, consent.confirmed_at, consent.language) == (link.ref, NOW, "en")
    assert consent.unsubscribe_url == links.url_for(Purpose.UNSUBSCRIBE, Link(link.ref))
    assert consent.receipt_url == (receipt if has_receipt else None)
    assert consent.my_data_url == (my_data if opens_data else None)


@pytest.mark.parametrize("act", [confirm.confirm, confirm.open_request])
def test_a_dead_link_is_answered_in_the_language_of_its_sign_up(
    link: Link, clock: time_machine.Traveller, act: Callable[[Link], object]
) -> None:
    for dead in (Link(link.ref, 2, NOW), Link(link.ref, 1, NOW + SECOND)):
        with pytest.raises(OutdatedLink) as outdated:
            act(dead)
        assert outdated.value.language == "en"
    clock.shift(timedelta(days=7))
    with pytest.raises(OutdatedLink) as expired:
        act(link)
    assert expired.value.language == "en"
    with pytest.raises(OutdatedLink) as unknown:
        act(Link("0" * 32, 1, NOW))
    assert unknown.value.language is None


def test_an_open_request_shows_its_text_and_its_end_unless_it_is_held(link: Link) -> None:
    request = confirm.open_request(link)

    assert (request.expires_at, request.is_confirmed) == (NOW + timedelta(days=7), False)
    assert request.consent.language == "en"
    with writing() as session:
        session.execute(update(Subscription).values(hold=True))
    with pytest.raises(OutdatedLink):
        confirm.open_request(link)


def test_a_confirmation_names_neither_who_is_replaced_nor_who_follows_where_nobody_is(
    link: Link,
) -> None:
    confirm.confirm(link)

    with reading() as session:
        row = session.scalars(select(Subscription)).one()
        assert (row.replaces_ref, row.follows_ref) == (None, None)
    assert confirm.open_request(link).is_confirmed

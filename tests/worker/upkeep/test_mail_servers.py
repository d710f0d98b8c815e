"""Whether an address that staff ask about can get e-mails at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from newsletter.domain.address import Address
from newsletter.storage.database import writing
from newsletter.storage.models import Inquiry
from newsletter.subscriptions import inquiries
from newsletter.worker.upkeep.mail_servers import MailServers

ADDRESS = Address.parse_leniently("ada@exmaple.com")


@pytest.fixture
def inquiry(app: Flask) -> Iterator[str]:
    with app.app_context():
        yield inquiries.begin(ADDRESS, actor="dpo")


def answer_of(id_: str) -> bool | None:
    found = inquiries.find(id_)
    assert found is not None
    return found.has_mail_server


@pytest.mark.parametrize("answer", [True, False])
def test_a_domain_is_looked_up_once(inquiry: str, answer: bool) -> None:
    asked: list[str] = []

    def look(domain: str) -> bool:
        asked.append(domain)
        return answer

    servers = MailServers(look)
    assert [servers.step(), servers.step()] == [True, False]
    assert (asked, answer_of(inquiry)) == (["exmaple.com"], answer)


def test_where_dns_does_not_answer_nothing_is_said(inquiry: str) -> None:
    asked: list[str] = []
    servers = MailServers(lambda domain: asked.append(domain))

    assert [servers.step(), servers.step()] == [True, False]
    assert (len(asked), answer_of(inquiry)) == (1, None)


def test_a_damaged_row_stops_nobody_else(inquiry: str) -> None:
    other = inquiries.begin(Address.parse_leniently("ada@example.org"), actor="dpo")
    with writing() as session:
        row = session.get(Inquiry, inquiry)
        assert row is not None
        row.address = b"damaged"

    servers = MailServers(lambda _: True)
    while servers.step():
        pass
    assert answer_of(other) is True

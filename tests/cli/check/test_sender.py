"""DNS of a sender's domain, asked of a real name server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dns.resolver import Resolver

from newsletter.cli.check import sender
from newsletter.config import Settings, load
from tests.cli.check.conftest import records
from tests.cli.check.dns_standin import DnsStandIn
from tests.conftest import COMPANY

POLICY = "_dmarc.example.com"


@pytest.fixture
def server() -> Iterator[DnsStandIn]:
    with DnsStandIn(records()) as running:
        yield running


def settings(**variables: str) -> Settings:
    public = {"PUBLIC_URL": "https://news.example.com", "SMTP_URL": "smtp://smtp.provider.net"}
    return load({**COMPANY, **public, **variables})


def found_by(server: DnsStandIn, **variables: str) -> list[str]:
    found = sender.findings(settings(**variables), server.resolver)
    return [f"{finding.about} {finding.wrong}" for finding in found]


def test_a_correct_domain_has_no_finding(server: DnsStandIn) -> None:
    assert found_by(server) == []


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 include:_spf.provider.net -all",
        "V=SPF1 MX A:mail.provider.net ~ALL",
        "v=spf1 redirect=spf.provider.net",
        "v=spf1 ip4:9.9.9.0/24 -all",
        "v=spf1 ip4:9.9.9.9 ?all",
        "v=spf1 ip6:2620:fe::/48 -all",
        f"v=spf1 {' '.join(f'ip4:192.0.2.{number}' for number in range(60))} ip4:9.9.9.9 -all",
    ],
)
def test_an_spf_record_names_the_mail_server_by_its_address_or_its_domain(
    server: DnsStandIn, record: str
) -> None:
    server.records["example.com", "TXT"] = [record]
    server.records["smtp.provider.net", "A"] = ["9.9.9.9"]
    server.records["smtp.provider.net", "AAAA"] = ["2620:fe::fe"]

    assert found_by(server) == []


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 mx -all",
        "v=spf1 include:_spf.another.org ip4:192.0.2.1 -all",
        "v=spf1 -include:_spf.provider.net -all",
        "v=spf1",
    ],
)
def test_an_spf_record_that_does_not_name_the_mail_server_is_quoted_in_a_hint(
    server: DnsStandIn, record: str
) -> None:
    server.records["example.com", "TXT"] = [record]

    [finding] = sender.findings(settings(), server.resolver)

    assert finding.is_hint
    assert finding.wrong.startswith(f"its SPF record “{record}” names neither SMTP_URL's server")


def test_a_mail_server_of_the_senders_own_domain_is_named_by_a_bare_mx(server: DnsStandIn) -> None:
    server.records["example.com", "TXT"] = ["v=spf1 mx -all"]

    assert found_by(server, SMTP_URL="smtp://mail.example.com") == []


def test_a_mail_server_on_a_private_network_is_not_looked_for(server: DnsStandIn) -> None:
    server.records["example.com", "TXT"] = ["v=spf1 ip4:192.0.2.1 -all"]

    assert found_by(server, SMTP_URL="smtp://10.0.0.25") == []


@pytest.mark.requires("R30")
@pytest.mark.parametrize("record", ["v=spf1 mx all", "v=spf1 +all", "v=spf1 a +ALL mx"])
def test_an_spf_record_that_lets_anybody_send_is_found(server: DnsStandIn, record: str) -> None:
    server.records["example.com", "TXT"] = [record]

    [found] = found_by(server)

    assert found.endswith("lets anybody send")


def test_a_text_that_only_looks_like_spf_is_none(server: DnsStandIn) -> None:
    server.records["example.com", "TXT"] = ["v=spf10 -all", "spf1 -all"]

    assert found_by(server) == ["MAIL_FROM its domain has no SPF record"]


@pytest.mark.requires("R30")
@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1",
        "v=DMARC1; p=refuse",
        "v=DMARC1 p=none",
        "v=dmarc1; p=none",
        "v=DMARC1; rua=mailto:a@example.com; pct=100",
        "v=DMARC1; sp=none",
    ],
)
def test_a_malformed_dmarc_record_is_found(server: DnsStandIn, text: str) -> None:
    server.records[POLICY, "TXT"] = [text]

    assert found_by(server) == ["MAIL_FROM its domain has a malformed DMARC record"]


@pytest.mark.parametrize(
    "text", ["v=DMARC1;p=NONE", "v=DMARC1; sp=none; p=reject; pct=100;", "v=DMARC1; p = none ;"]
)
def test_a_dmarc_record_with_a_policy_has_no_finding(server: DnsStandIn, text: str) -> None:
    server.records[POLICY, "TXT"] = [text]

    assert found_by(server) == []


def test_two_dmarc_records_are_found(server: DnsStandIn) -> None:
    server.records[POLICY, "TXT"] = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]

    assert found_by(server) == [
        "MAIL_FROM its domain has several DMARC records, so all are ignored"
    ]


def test_a_domain_above_may_have_the_dmarc_record(server: DnsStandIn) -> None:
    server.records |= records("news.example.com")
    del server.records["_dmarc.news.example.com", "TXT"]

    assert found_by(server, MAIL_FROM="Muster <newsletter@news.example.com>") == []


def test_a_domain_with_an_address_alone_takes_mail(server: DnsStandIn) -> None:
    del server.records["example.com", "MX"]
    server.records["example.com", "A"] = ["192.0.2.1"]

    assert found_by(server) == []


@pytest.mark.requires("R30")
def test_a_domain_without_mx_and_address_takes_none(server: DnsStandIn) -> None:
    del server.records["example.com", "MX"]

    [found] = found_by(server)

    assert found.startswith("MAIL_FROM its domain takes no mail")


@pytest.mark.parametrize("fault", ["is_silent", "is_failing"])
def test_a_name_server_that_does_not_answer_is_one_finding(server: DnsStandIn, fault: str) -> None:
    setattr(server, fault, True)

    [finding] = sender.findings(settings(), server.resolver)

    assert str(finding) == (
        "MAIL_FROM: its domain cannot be looked up, since DNS does not answer; repair this host's name resolution"
        " or the domain's name servers, and check again."
    )


def test_a_host_without_name_resolution_is_the_same_finding() -> None:
    [finding] = sender.findings(settings(), Resolver(configure=False))

    assert "DNS does not answer" in finding.wrong


def test_by_default_the_hosts_own_resolver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if /etc/resolv.conf were empty: whoever runs the tests may have a network.
    monkeypatch.setattr(Resolver, "read_resolv_conf", lambda self, _: None)

    [finding] = sender.findings(settings())

    assert "DNS does not answer" in finding.wrong

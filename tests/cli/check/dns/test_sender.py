"""What a sender's domain says in DNS, asked of a real name server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dns.resolver import Resolver

from newsletter.cli.check.dns import sender
from newsletter.config import Settings, load
from tests.cli.check.conftest import records
from tests.cli.check.dns_standin import DnsStandIn
from tests.conftest import COMPANY

POLICY = "_dmarc.example.com"
KEY = f"v=DKIM1; p={'MIIB' * 90}"


@pytest.fixture
def server() -> Iterator[DnsStandIn]:
    with DnsStandIn(records()) as running:
        yield running


def settings(**variables: str) -> Settings:
    public = {"PUBLIC_URL": "https://news.example.com", "SMTP_URL": "smtp://mail.example.com"}
    return load({**COMPANY, **public, **variables})


def found_by(server: DnsStandIn, **variables: str) -> list[str]:
    found = sender.findings(settings(**variables), server.resolver)
    return [f"{finding.about} {finding.wrong}" for finding in found]


def test_a_domain_as_it_should_be_gives_nothing_to_say(server: DnsStandIn) -> None:
    assert found_by(server) == []


USELESS_SPF = {
    "v=spf1 mx ipv4:192.0.2.1 -all": "a word that SPF does not know",
    "v=spf1 ip4:192.0.2.1,192.0.2.2 -all": "an IP address in it is none",
    "v=spf1 ip4:2001:db8::1 -all": "an IP address in it is none",
    "v=spf1 include: -all": "a word in it lacks its value",
    "v=spf1 include:nowhere.example -all": "includes a domain without an SPF record",
    "v=spf1 include:example.com -all": "more than 10 names",
    f"v=spf1 {' '.join(f'a:{name}.example.com' for name in 'abcdefghijk')} -all": "more than 10",
    "v=spf1 redirect=nowhere.example": "includes a domain without an SPF record",
}


@pytest.mark.parametrize("record", USELESS_SPF)
def test_an_spf_record_that_counts_for_nothing_is_found(server: DnsStandIn, record: str) -> None:
    server.records["example.com", "TXT"] = [record]

    [found] = found_by(server)

    assert found.startswith("MAIL_FROM its domain's SPF record counts for nothing: ")
    assert USELESS_SPF[record] in found


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 -all",
        "V=SPF1 MX ~ALL",
        "v=spf1 a:mail.example.com/24 mx/24//64 ip6:2001:db8::/32 exists:%{i}.example.com -all",
        "v=spf1 include:%{d}.example.com ptr exp=why.example.com -all",
        "v=spf1 redirect=_spf.example.com",
        f"v=spf1 {' '.join(f'a:{name}.example.com' for name in 'abcdefghij')} -all",
        # What stands behind `all` is never looked at (RFC 7208 § 5.1).
        "v=spf1 -all include:nowhere.example redirect=nowhere.example",
        f"v=spf1 {' '.join(f'ip4:192.0.2.{number}' for number in range(60))} -all",
    ],
)
def test_an_spf_record_that_holds_is_none_to_speak_of(server: DnsStandIn, record: str) -> None:
    server.records["example.com", "TXT"] = [record]

    assert found_by(server) == []


@pytest.mark.parametrize("record", ["v=spf1 mx", "v=spf1", "v=spf1 mx ?all"])
def test_an_spf_record_that_says_nothing_of_others_is_worth_knowing(
    server: DnsStandIn, record: str
) -> None:
    server.records["example.com", "TXT"] = [record]

    [finding] = sender.findings(settings(), server.resolver)

    assert finding.is_hint
    assert "says nothing of servers it does not name" in finding.wrong


@pytest.mark.parametrize("record", ["v=spf1 mx all", "v=spf1 +all", "v=spf1 a +ALL mx"])
def test_an_spf_record_that_lets_anybody_send_is_found(server: DnsStandIn, record: str) -> None:
    server.records["example.com", "TXT"] = [record]

    assert found_by(server) == ["MAIL_FROM its domain's SPF record lets anybody send (+all)"]


def test_a_text_that_only_looks_like_spf_is_none(server: DnsStandIn) -> None:
    server.records["example.com", "TXT"] = ["v=spf10 -all", "spf1 -all"]

    assert found_by(server) == ["MAIL_FROM its domain has no SPF record"]


@pytest.mark.parametrize(
    "texts",
    [
        ["v=DMARC1"],
        ["v=DMARC1; p=refuse"],
        ["v=DMARC1 p=none"],
        ["v=dmarc1; p=none"],
        ["v=DMARC1; rua=mailto:a@example.com; pct=100"],
    ],
)
def test_a_malformed_dmarc_record_is_found(server: DnsStandIn, texts: list[str]) -> None:
    server.records[POLICY, "TXT"] = texts

    assert found_by(server) == [
        "MAIL_FROM its domain's DMARC record is malformed and does not count"
    ]


def test_of_two_dmarc_records_none_counts(server: DnsStandIn) -> None:
    server.records[POLICY, "TXT"] = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]

    assert found_by(server) == [
        "MAIL_FROM its domain has several DMARC records, of which none counts"
    ]


def test_a_domain_above_may_hold_the_dmarc_record(server: DnsStandIn) -> None:
    server.records |= records("news.example.com")
    del server.records["_dmarc.news.example.com", "TXT"]

    assert found_by(server, MAIL_FROM="Muster <newsletter@news.example.com>") == []


def test_what_the_domain_above_asks_of_those_below_is_what_counts(server: DnsStandIn) -> None:
    server.records[POLICY, "TXT"] = ["v=DMARC1; p=none; sp=quarantine"]
    server.records |= records("news.example.com")
    for name in ("_dmarc.news.example.com", "s1._domainkey.news.example.com"):
        del server.records[name, "TXT"]

    [found] = found_by(server, MAIL_FROM="Muster <newsletter@news.example.com>")

    assert "though its DMARC policy is quarantine" in found


def test_no_dkim_key_without_a_strict_policy_names_no_policy(server: DnsStandIn) -> None:
    server.records[POLICY, "TXT"] = ["v=DMARC1; p=none"]
    del server.records["s1._domainkey.example.com", "TXT"]

    assert found_by(server) == ["MAIL_FROM its domain has no DKIM key"]


@pytest.mark.parametrize(
    ("selector", "record", "said"),
    [
        ("b7x", KEY, "no DKIM key was found below its domain under the common selectors"),
        ("s1", "v=DKIM1; p=", "no DKIM key was found below its domain"),
        ("k2", KEY, "no DKIM key but Mailchimp's was found below its domain"),
    ],
)
def test_a_dkim_key_that_may_be_there_is_asked_for_as_a_hint(
    server: DnsStandIn, selector: str, record: str, said: str
) -> None:
    del server.records["s1._domainkey.example.com", "TXT"]
    server.records[f"{selector}._domainkey.example.com", "TXT"] = [record]

    [finding] = sender.findings(settings(), server.resolver)

    assert finding.is_hint
    assert finding.wrong.startswith(said)
    assert "a passing DKIM signature in a letter" in finding.remedy


def test_a_domain_with_an_address_alone_takes_mail(server: DnsStandIn) -> None:
    del server.records["example.com", "MX"]
    server.records["example.com", "A"] = ["192.0.2.1"]

    assert found_by(server) == []


def test_a_domain_without_mx_and_address_takes_none(server: DnsStandIn) -> None:
    del server.records["example.com", "MX"]

    [found] = found_by(server)

    assert found.startswith("MAIL_FROM its domain takes no mail")


@pytest.mark.parametrize("fault", ["is_silent", "is_failing"])
def test_a_name_server_that_does_not_answer_is_one_finding(server: DnsStandIn, fault: str) -> None:
    setattr(server, fault, True)
    resolver = server.resolver

    [finding] = sender.findings(settings(), resolver)

    assert str(finding) == (
        "MAIL_FROM: its domain cannot be looked up, since DNS does not answer; mend this host's name resolution"
        " or the domain's name servers, and check again."
    )


def test_a_host_without_name_resolution_is_the_same_finding() -> None:
    nobody = Resolver(configure=False)

    [finding] = sender.findings(settings(), nobody)

    assert "DNS does not answer" in finding.wrong


def test_by_default_the_hosts_own_resolver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if /etc/resolv.conf were empty: whoever runs the tests may have a network.
    monkeypatch.setattr(Resolver, "read_resolv_conf", lambda self, _: None)

    [finding] = sender.findings(settings())

    assert "DNS does not answer" in finding.wrong

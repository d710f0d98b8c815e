"""Mistakes planted in a deployed service: each is found, and nothing else, with its variable's name and its remedy."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

from newsletter.cli import check
from newsletter.cli.check.finding import Finding
from newsletter.storage import holds
from sandbox.mailbox import Mailbox
from sandbox.mailchimp.answers import problem
from sandbox.mailchimp.problems import internal_error
from tests.cli.check.conftest import HOST, NOWHERE, PASSWORD, Deployed, Web
from tests.people import WEBHOOK_SECRET
from tests.worker.certificates import self_signed, server_side
from tests.worker.scripted_http import Answer, ScriptedHttp, in_json
from tests.worker.scripted_smtp import Act, ScriptedSmtp

ALIVE = {"status": "alive"}
WRONG_WORD = "wr0ngw0rd"
SECRETS = {PASSWORD, WEBHOOK_SECRET, WRONG_WORD}
Variables = dict[str, str]


@dataclass(frozen=True)
class Mistake:
    """A mistake, the beginning of its finding, and words of the remedy."""

    plant: Callable[[Deployed], Variables]
    about: str
    wrong: str
    remedy: str
    is_hint: bool = False


def set_to(**variables: str) -> Callable[[Deployed], Variables]:
    return lambda _: variables


def in_dns(name: str, kind: str, *texts: str) -> Callable[[Deployed], Variables]:
    def plant(deployed: Deployed) -> Variables:
        deployed.dns.records.pop((name, kind), None)
        if texts:
            deployed.dns.records[name, kind] = list(texts)
        return {}

    return plant


def answering(*answers: Answer, is_trusted: bool = True) -> Callable[[Deployed], Variables]:
    """Another service at PUBLIC_URL, where the webhook points, too."""

    def plant(deployed: Deployed) -> Variables:
        tls = deployed.tls if is_trusted else server_side(self_signed(deployed.folder))
        return at(deployed, deployed.enter(ScriptedHttp(*answers, tls=tls, host=HOST)).url)

    return plant


def at(deployed: Deployed, url: str) -> Variables:
    deployed.hook.url = f"{url}/webhooks/mailchimp/{WEBHOOK_SECRET}"
    return {"PUBLIC_URL": url}


def plain(deployed: Deployed) -> Variables:
    web = Web()
    deployed.enter(web.serving(deployed.app))
    return at(deployed, web.url.replace("http:", "https:"))


def mail_server(
    query: str = "starttls=never", login: str = "", **replies: str | Act
) -> Callable[[Deployed], Variables]:
    def plant(deployed: Deployed) -> Variables:
        server = deployed.enter(ScriptedSmtp(replies))
        return {"SMTP_URL": f"smtp://{login}127.0.0.1:{server.port}?{query}"}

    return plant


def unknown_certificate(deployed: Deployed) -> Variables:
    tls = server_side(self_signed(deployed.folder))
    mailbox = deployed.enter(Mailbox(tls=tls))
    return {"SMTP_URL": f"{mailbox.smtp_url}?starttls=required"}


def wrong_password(deployed: Deployed) -> Variables:
    url = str(deployed.environ["SMTP_URL"])
    return {"SMTP_URL": url.replace(PASSWORD, WRONG_WORD)}


def no_folder(deployed: Deployed) -> Variables:
    (deployed.folder / "a-file").touch()
    return {"DATABASE_URL": f"sqlite:///{deployed.folder}/a-file/newsletter.sqlite3"}


def no_database(deployed: Deployed) -> Variables:
    (deployed.folder / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    return {"DATABASE_URL": f"sqlite:///{deployed.folder}/letter.txt"}


def empty_database(deployed: Deployed) -> Variables:
    return {"DATABASE_URL": f"sqlite:///{deployed.folder}/empty.sqlite3"}


def doing(statement: str) -> Callable[[Deployed], Variables]:
    def plant(deployed: Deployed) -> Variables:
        deployed.execute(statement)
        return {}

    return plant


def on_list(change: Callable[[Deployed], object]) -> Callable[[Deployed], Variables]:
    def plant(deployed: Deployed) -> Variables:
        change(deployed)
        return {}

    return plant


def hard_hook_secret(deployed: Deployed) -> Variables:
    deployed.hook.url = deployed.hook.url.replace(WEBHOOK_SECRET, "short")
    return {"MAILCHIMP_WEBHOOK_SECRET": "short"}


def silent_in_english(deployed: Deployed) -> Variables:
    (deployed.folder / "brand/wordings/en.txt").unlink()
    return {}


def forbidden(deployed: Deployed) -> Variables:
    answer = problem(403, "User Disabled", "This account has been deactivated.")
    deployed.mailchimp.answer_next(answer, times=20)
    return {}


def in_trouble(deployed: Deployed) -> Variables:
    deployed.mailchimp.answer_next(internal_error(), times=20)
    return {}


def held(side: holds.Side, reason: str) -> Callable[[Deployed], Variables]:
    """A worker was refused when it sent an e-mail or changed a contact."""
    return doing(
        "INSERT INTO notice (code, owner, detail, since)"
        f" VALUES ('{side}_on_hold', '', '{reason}', '2026-03-01 12:00:00')"
    )


MISTAKES = {
    "a database file in no folder": Mistake(
        no_folder,
        "DATABASE_URL",
        "the SQLite file or its folder cannot be written to",
        "make both writable",
    ),
    "a file that is no database": Mistake(
        no_database, "DATABASE_URL", "the file is no SQLite database", "name another file"
    ),
    "a database that was never released": Mistake(
        empty_database, "DATABASE_URL", "the database has no tables yet", "`newsletter release`"
    ),
    "a database of a later release": Mistake(
        doing("UPDATE alembic_version SET version_num = '9999'"),
        "DATABASE_URL",
        "the database has the schema of a later release",
        "install the later release",
        is_hint=True,
    ),
    "a database server that is away": Mistake(
        set_to(DATABASE_URL=f"postgresql://muster:{PASSWORD}@{NOWHERE}/newsletter"),
        "DATABASE_URL",
        "the database does not answer",
        "start it",
    ),
    "no keyring": Mistake(
        doing("DELETE FROM keyring"), "DATA_KEY", "the database has no keyring yet", "release"
    ),
    "a wrong data key": Mistake(
        set_to(DATA_KEY="a-key-that-does-not-open-this-keyring"),
        "DATA_KEY",
        "does not open this database's keyring",
        "add the one that does to the list",
    ),
    "no worker": Mistake(
        doing("DELETE FROM job"), "worker", "none is running", "start the Procfile's", is_hint=True
    ),
    "a worker whose DATA_KEY is stale": Mistake(
        doing(
            "INSERT INTO notice (code, owner, since) VALUES ('key_is_stale', 'it', '2026-03-01 12:00')"
        ),
        "worker",
        "the DATA_KEY of a worker does not open the keyring",
        "put the one that does into its list, and restart it",
    ),
    "a ledger that was changed": Mistake(
        doing(
            "INSERT INTO notice (code, owner, detail, since)"
            " VALUES ('ledger_wrong', '', 'Position 2', '2026-03-01 12:00')"
        ),
        "ledger",
        "ledger wrong: Position 2",
        "see docs/ledger.md",
    ),
    "a worker that refused to start": Mistake(
        doing(
            "INSERT INTO notice (code, owner, detail, since)"
            " VALUES ('checkpoints_unfit', '', 'a backup was restored', '2026-03-01 12:00:00')"
        ),
        "LEDGER_CHECKPOINTS",
        "workers do not start: a backup was restored",
        "see docs/ledger.md",
    ),
    "an empty folder in place of the checkpoints": Mistake(
        doing("INSERT INTO job (name, ran_at) VALUES ('checkpoints', '2026-03-01 12:00:00')"),
        "LEDGER_CHECKPOINTS",
        "the folder cannot be read, or holds no checkpoint though this database has some",
        "see docs/ledger.md",
    ),
    "no folder for checkpoints": Mistake(
        set_to(LEDGER_CHECKPOINTS=""),
        "LEDGER_CHECKPOINTS",
        "is not set, so neither a restored backup",
        "name a folder outside",
        is_hint=True,
    ),
    "a public URL where nothing listens": Mistake(
        lambda deployed: at(deployed, f"https://{HOST}:9"),
        "PUBLIC_URL",
        "nothing answers there",
        "DNS, the proxy and the firewall",
        is_hint=True,
    ),
    "a public URL of another service": Mistake(
        answering(Answer(404, b"not here", "text/plain")),
        "PUBLIC_URL",
        "another service answers there (status 404 at /health)",
        "set it to this service's own URL",
    ),
    "a public URL whose service answers otherwise": Mistake(
        answering(in_json(200, {"status": "up"})),
        "PUBLIC_URL",
        "another service answers there (status 200 at /health)",
        "set it to this service's own URL",
    ),
    "a public URL that redirects": Mistake(
        answering(Answer(301, headers={"Location": "https://www.example.com/"})),
        "PUBLIC_URL",
        "redirects",
        "set it to the URL that answers itself",
    ),
    "a proxy with nothing behind it": Mistake(
        answering(Answer(502, b"Bad Gateway", "text/html")),
        "PUBLIC_URL",
        "a proxy answers there, but the service behind it does not",
        "to be started",
        is_hint=True,
    ),
    "a certificate that nobody trusts": Mistake(
        answering(in_json(200, ALIVE), is_trusted=False),
        "PUBLIC_URL",
        "the certificate there is self-signed",
        "SSL_CERT_FILE",
    ),
    "a public URL without TLS": Mistake(
        plain, "PUBLIC_URL", "what listens there does not speak TLS", "set up https"
    ),
    "a proxy that TRUSTED_PROXIES does not count": Mistake(
        set_to(TRUSTED_PROXIES="0"),
        "TRUSTED_PROXIES",
        "is 0, though https needs a proxy",
        "set it to the number of proxies",
    ),
    "a mail server that is away": Mistake(
        set_to(SMTP_URL=f"smtp://{NOWHERE}"),
        "SMTP_URL",
        "the mail server cannot be reached (connect)",
        "check host and port",
    ),
    "a mail server that refuses this host": Mistake(
        mail_server(GREETING="554 5.7.1 go away"),
        "SMTP_URL",
        "the mail server refuses this host (connect 554 5.7.1)",
        "have it accept e-mails",
    ),
    "a mail server without STARTTLS": Mistake(
        mail_server("starttls=required"),
        "SMTP_URL",
        "the mail server offers no STARTTLS",
        "use its submission port or smtps://",
    ),
    "a mail server with an unknown certificate": Mistake(
        unknown_certificate,
        "SMTP_URL",
        "the mail server's certificate is self-signed",
        "SSL_CERT_FILE",
    ),
    "a wrong password of the mail server": Mistake(
        wrong_password,
        "SMTP_URL",
        "the mail server refuses user and password (auth 535",
        "set the right ones",
    ),
    "no password for the mail server": Mistake(
        mail_server(MAIL="530 5.7.0 Authentication required"),
        "SMTP_URL",
        "the mail server requires a sign-in (mail 530 5.7.0)",
        "add user and password",
    ),
    "a sign-in that the mail server does not offer": Mistake(
        mail_server(login="muster:word@", EHLO="250 mail.example.com"),
        "SMTP_URL",
        "the mail server offers no sign-in",
        "remove user and password",
    ),
    "a sender that the mail server refuses": Mistake(
        mail_server(RCPT="553 5.7.1 not owned by user muster"),
        "MAIL_FROM",
        "the mail server does not let us send as this address (rcpt 553 5.7.1)",
        "set one that SMTP_URL's user may send as",
    ),
    "a contact that the mail server refuses": Mistake(
        mail_server(RCPT="550 5.1.1 no such user"),
        "CONTACT_EMAIL",
        "the mail server refuses e-mails to that address",
        "set one that somebody reads",
    ),
    "a domain without SPF": Mistake(
        in_dns("example.com", "TXT"), "MAIL_FROM", "its domain has no SPF record", "v=spf1"
    ),
    "a domain with two SPF records": Mistake(
        in_dns("example.com", "TXT", "v=spf1 a -all", "v=spf1 mx -all"),
        "MAIL_FROM",
        "its domain has several SPF records",
        "publish one TXT record",
    ),
    "an SPF record that lets anybody send": Mistake(
        in_dns("example.com", "TXT", "v=spf1 mx +all"),
        "MAIL_FROM",
        "its SPF record “v=spf1 mx +all” lets anybody send",
        "end it with -all",
    ),
    "a domain without DMARC": Mistake(
        in_dns("_dmarc.example.com", "TXT"),
        "MAIL_FROM",
        "its domain has no DMARC record",
        "at _dmarc below it",
    ),
    "a malformed DMARC record": Mistake(
        in_dns("_dmarc.example.com", "TXT", "v=DMARC1; rua=mailto:dmarc@example.com"),
        "MAIL_FROM",
        "its domain has a malformed DMARC record",
        "v=DMARC1; p=quarantine",
    ),
    "a domain that takes no mail": Mistake(
        in_dns("example.com", "MX", "0 ."),
        "MAIL_FROM",
        "its domain takes no mail",
        "publish an MX record",
    ),
    "a contact at a domain without mail": Mistake(
        set_to(CONTACT_EMAIL="datenschutz@muster.example"),
        "CONTACT_EMAIL",
        "its domain takes no mail",
        "set an address elsewhere",
    ),
    "a sender at a domain that does not exist": Mistake(
        set_to(MAIL_FROM="Muster <newsletter@exmaple.com>"),
        "MAIL_FROM",
        "there is no such domain",
        "correct it",
    ),
    "no key of Mailchimp": Mistake(
        set_to(MAILCHIMP_API_KEY=""), "MAILCHIMP_API_KEY", "is not set", "create a key"
    ),
    "nothing of Mailchimp at all": Mistake(
        set_to(
            MAILCHIMP_API_KEY="",
            MAILCHIMP_LIST_ID="",
            MAILCHIMP_API_URL="",
            MAILCHIMP_WEBHOOK_SECRET="",
        ),
        "MAILCHIMP_API_KEY",
        "is not set, so confirmed people are not added",
        "create a key",
        is_hint=True,
    ),
    "a key that Mailchimp refuses": Mistake(
        set_to(MAILCHIMP_API_KEY="f" * 32 + "-us1"),
        "MAILCHIMP_API_KEY",
        "Mailchimp refuses it",
        "make a new key",
    ),
    "an account that was closed": Mistake(
        forbidden, "MAILCHIMP_API_KEY", "Mailchimp forbids what it asks for", "use a key of a user"
    ),
    "another data centre": Mistake(
        set_to(MAILCHIMP_API_URL="https://us7.api.mailchimp.com/3.0"),
        "MAILCHIMP_API_URL",
        "names another data centre",
        "remove it",
    ),
    "a URL without its end": Mistake(
        lambda deployed: {
            "MAILCHIMP_API_URL": deployed.mailchimp.api_url.removesuffix("/3.0"),
        },
        "MAILCHIMP_API_URL",
        "Mailchimp knows nothing under it",
        "set it to https://<data centre>.api.mailchimp.com/3.0",
    ),
    "a Mailchimp that is in trouble": Mistake(
        in_trouble,
        "Mailchimp",
        "is in trouble itself (http 500)",
        "run it again later",
    ),
    "e-mails that the mail server refuses": Mistake(
        held("mail", "data 554 5.7.1"),
        "SMTP_URL",
        "e-mails are on hold: the mail server refuses e-mails (data 554 5.7.1)",
        "check that SMTP_URL's user may send as MAIL_FROM",
    ),
    "an audience that asks for more": Mistake(
        held("mailchimp", "merge_fields"),
        "MAILCHIMP_LIST_ID",
        "changes at Mailchimp are on hold: the audience asks for merge fields",
        "make these fields optional",
    ),
    "a key that may only read": Mistake(
        held("mailchimp", "forbidden"),
        "MAILCHIMP_API_KEY",
        "changes at Mailchimp are on hold: Mailchimp forbids what it asks for",
        "use a key of a user who manages the audience",
    ),
    "an audience that does not exist": Mistake(
        set_to(MAILCHIMP_LIST_ID="ffffffffff"),
        "MAILCHIMP_LIST_ID",
        "Mailchimp knows no such audience",
        "set the Audience ID",
    ),
    "a Mailchimp that is away": Mistake(
        set_to(MAILCHIMP_API_URL=f"http://{NOWHERE}/3.0"),
        "MAILCHIMP_API_KEY",
        "Mailchimp does not answer as it should (network)",
        "see that this host may reach it",
    ),
    "an audience with its own double opt-in": Mistake(
        on_list(lambda deployed: setattr(deployed.mailchimp.audience, "double_optin", True)),
        "MAILCHIMP_LIST_ID",
        "the audience has Mailchimp's own double opt-in",
        "switch it off",
        is_hint=True,
    ),
    "Mailchimp's own form without a confirmation": Mistake(
        set_to(MAILCHIMP_SIGNUP_URL="https://example.us1.list-manage.com/subscribe"),
        "MAILCHIMP_SIGNUP_URL",
        "leads to Mailchimp's own form, which asks nobody to confirm",
        "switch double opt-in on",
    ),
    "an audience that requires a name": Mistake(
        on_list(lambda deployed: deployed.mailchimp.audience.required_merge_fields.add("LNAME")),
        "MAILCHIMP_LIST_ID",
        "the audience requires LNAME",
        "make these fields optional",
        is_hint=True,
    ),
    "a webhook that does not report what staff change": Mistake(
        on_list(lambda deployed: deployed.hook.sources.update(admin=False)),
        "MAILCHIMP_WEBHOOK_SECRET",
        "its webhook does not report: admin",
        "run `newsletter webhook install`",
    ),
    "tracking that the consent text does not mention": Mistake(
        set_to(BRAND_DIR=""),
        "tracking",
        "Mailchimp records who opens a newsletter and clicks in it",
        "switch open and click tracking off in every campaign, or mention it in the consent text",
        is_hint=True,
    ),
    "tracking that one language does not mention": Mistake(
        silent_in_english, "tracking", "Mailchimp records who opens", "mention it", is_hint=True
    ),
    "no secret of the webhook": Mistake(
        set_to(MAILCHIMP_WEBHOOK_SECRET=""),
        "MAILCHIMP_WEBHOOK_SECRET",
        "is not set",
        "set a random text, and run `newsletter webhook install`",
    ),
    "no webhook at Mailchimp": Mistake(
        on_list(lambda deployed: deployed.mailchimp.hooks.registered.clear()),
        "MAILCHIMP_WEBHOOK_SECRET",
        "no webhook is registered for it",
        "run `newsletter webhook install`",
    ),
    "a webhook with another secret": Mistake(
        set_to(MAILCHIMP_WEBHOOK_SECRET="another-hard-to-guess-text"),
        "MAILCHIMP_WEBHOOK_SECRET",
        "is not the secret in the webhook's URL",
        "run `newsletter webhook install` and delete the old webhook",
    ),
    "a webhook at another URL": Mistake(
        on_list(
            lambda deployed: setattr(
                deployed.hook, "url", f"https://old.example.com/webhooks/mailchimp/{WEBHOOK_SECRET}"
            )
        ),
        "PUBLIC_URL",
        "is not the URL that Mailchimp's webhook calls",
        "run `newsletter webhook install` and delete the old webhook",
    ),
    "a webhook that does not report who left": Mistake(
        on_list(lambda deployed: deployed.hook.events.update(unsubscribe=False, cleaned=False)),
        "MAILCHIMP_WEBHOOK_SECRET",
        "its webhook does not report: cleaned, unsubscribe",
        "run `newsletter webhook install`, which switches them on",
    ),
    "a webhook that reports our own changes": Mistake(
        on_list(lambda deployed: deployed.hook.sources.update(api=True)),
        "MAILCHIMP_WEBHOOK_SECRET",
        "its webhook also reports changes through the API",
        "run `newsletter webhook install`, which switches that source off",
    ),
    "a webhook that does not sign": Mistake(
        set_to(MAILCHIMP_SIGNING_SECRET="0123456789abcdef0123456789abcdef"),
        "MAILCHIMP_SIGNING_SECRET",
        "is set, but the webhook's calls are not signed",
        "remove the setting",
    ),
    "a webhook whose signature is not checked": Mistake(
        on_list(lambda deployed: setattr(deployed.hook, "signing_secret", "0" * 64)),
        "MAILCHIMP_SIGNING_SECRET",
        "is not set, though the webhook's calls are signed",
        "set the secret that `newsletter webhook install` showed",
        is_hint=True,
    ),
    "a secret of the webhook that is short": Mistake(
        hard_hook_secret,
        "MAILCHIMP_WEBHOOK_SECRET",
        "has fewer than 16 characters",
        "run `newsletter webhook install`",
    ),
    "an admin's token that is short": Mistake(
        set_to(ADMIN_TOKENS="dpo:Pa55word"),
        "ADMIN_TOKENS",
        "holds a token of fewer than 24 characters",
        "make a new one",
    ),
    "a Redis that is away": Mistake(
        set_to(STORAGE_URI=f"redis://:{PASSWORD}@{NOWHERE}/0"),
        "STORAGE_URI",
        "Redis does not answer",
        "start it",
    ),
    "a folder for checkpoints that does not exist": Mistake(
        lambda deployed: {"LEDGER_CHECKPOINTS": f"{deployed.folder}/nowhere"},
        "LEDGER_CHECKPOINTS",
        "is not a writable folder",
        "create it",
    ),
}


def test_a_correct_deployment_has_no_finding(deployed: Deployed) -> None:
    assert deployed.check() == []


#: Mistakes of one side may hide one another; one of each side is planted at a time.
SIDES = (
    ("PUBLIC_URL", "TRUSTED_PROXIES"),
    ("DATABASE_URL", "DATA_KEY", "worker", "ledger", "LEDGER_CHECKPOINTS"),
    ("SMTP_URL", "MAIL_FROM", "CONTACT_EMAIL"),
)


def planted_together() -> list[list[str]]:
    """The names of all mistakes, each once."""
    others = {mistake.about for mistake in MISTAKES.values()}.difference(*SIDES)
    sides = [
        [name for name, mistake in MISTAKES.items() if mistake.about in side]
        for side in (*SIDES, others)
    ]
    return [[name for name in names if name] for names in zip_longest(*sides)]


@pytest.mark.parametrize("names", planted_together(), ids=", ".join)
def test_planted_mistakes_are_the_only_findings(deployed: Deployed, names: list[str]) -> None:
    mistakes = {MISTAKES[name].about: MISTAKES[name] for name in names}
    variables: Variables = {}
    for mistake in mistakes.values():
        variables |= mistake.plant(deployed)

    findings = deployed.check(**variables)

    assert sorted(finding.about for finding in findings) == sorted(mistakes)
    found = {finding.about: finding for finding in findings}
    private = {*SECRETS, *variables.values()} - {"", "0"}
    for about, mistake in mistakes.items():
        assert str(found[about]).startswith(f"{about}: {mistake.wrong}")
        assert mistake.remedy in found[about].remedy
        assert found[about].is_hint == mistake.is_hint
        assert is_one_sentence(str(found[about]))
        assert not [text for text in private if text in str(found[about])]


def is_one_sentence(said: str) -> bool:
    """What is wrong, then what to do, without an address or a host."""
    form = re.fullmatch(r"\w+: [^\n;]+; [^\n]+[^.]\.", said)
    return form is not None and re.search(r"\w@\w|127\.0\.0", said) is None


def test_all_mistakes_are_found_in_one_run(deployed: Deployed) -> None:
    deployed.execute("DELETE FROM keyring")
    deployed.dns.records.clear()
    deployed.mailchimp.refuse_key()

    found = deployed.check(SMTP_URL=f"smtp://{NOWHERE}", TRUSTED_PROXIES="0")

    assert [one.about for one in found] == [
        "DATA_KEY",
        "TRUSTED_PROXIES",
        "SMTP_URL",
        "MAIL_FROM",
        "MAILCHIMP_API_KEY",
    ]


def test_the_check_sends_no_letter_and_changes_nothing_at_mailchimp(deployed: Deployed) -> None:
    deployed.check()

    assert deployed.mailbox.letters == []
    assert {call.method for call in deployed.mailchimp.calls} == {"GET"}


def test_on_localhost_dns_and_the_webhook_are_not_checked(deployed: Deployed) -> None:
    deployed.dns.records.clear()
    deployed.mailchimp.hooks.registered.clear()
    server = deployed.enter(ScriptedHttp(in_json(200, ALIVE)))

    assert deployed.check(PUBLIC_URL=server.url, TRUSTED_PROXIES="0") == []
    assert deployed.dns.asked == []


def test_a_check_that_hangs_hides_no_other() -> None:
    other = Finding("PORT", "is taken", "take another")
    over = threading.Event()

    def hang() -> list[Finding]:
        over.wait()
        return []

    hanging, found = check.run_all([("SMTP_URL", hang), ("PORT", lambda: [other])], patience=0.2)
    over.set()

    assert found == other
    assert str(hanging).startswith("SMTP_URL: could not be checked in time")


def test_a_check_that_fails_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    other = Finding("PORT", "is taken", "take another")

    failed, found = check.run_all([("SMTP_URL", lambda: 1 // 0), ("PORT", lambda: [other])])  # type: ignore[list-item,return-value]  # what fails returns nothing

    assert found == other
    assert str(failed).startswith("SMTP_URL: could not be checked, ")
    assert "ZeroDivisionError" in caplog.text


def test_without_a_mail_server_the_folder_is_checked(
    deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/mail").touch(0o600)
    server = deployed.enter(ScriptedHttp(in_json(200, ALIVE)))

    [found] = deployed.check(SMTP_URL="", PUBLIC_URL=server.url)

    assert str(found).startswith("SMTP_URL: without it e-mails go to var/mail/")


def test_greylisting_is_not_a_mistake(deployed: Deployed) -> None:
    greylisting = mail_server(RCPT="450 4.2.0 come back later")

    assert deployed.check(**greylisting(deployed)) == []


def test_topics_with_words_about_opening_do_not_mention_tracking(deployed: Deployed) -> None:
    spoken = {"TOPICS": "Türen, die sich öffnen", "TOPICS_EN": "doors that open with a click"}

    [found] = deployed.check(BRAND_DIR="", **spoken)

    assert found.about == "tracking"


def test_a_broken_text_is_the_only_finding_about_texts(deployed: Deployed) -> None:
    (deployed.folder / "brand/wordings/de.txt").write_text("{{ nobody_knows }}")

    [found] = deployed.check()

    assert found.about == "BRAND_DIR"
    assert found.wrong.startswith("wordings/de.txt, line 1: ")


def test_a_wrong_sentence_is_found_with_its_remedy(deployed: Deployed) -> None:
    (deployed.folder / "brand/texts.de.toml").write_text('subscribed = "Ja"')

    [found] = deployed.check()
    assert found.about == "BRAND_DIR"
    assert found.wrong == "texts.de.toml: no sentence is named “subscribed”"
    assert found.remedy == "see `newsletter texts` (perhaps “subscribe”)"

"""The e-mails: complete, neutral, the same words in both parts, and safe in their headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Locale, Settings, load
from newsletter.domain.address import Address
from newsletter.domain.errors import UnsafeLetter
from newsletter.storage.models import LetterKind
from newsletter.texts import brand, letters, versions
from newsletter.texts.formatting import register
from newsletter.texts.letters import (
    ConfirmationValues,
    LetterValues,
    MyDataValues,
    WayBackValues,
    compose,
    finish,
)

PACKAGE = Path(letters.__file__).parent.parent
ADA = "Ada@Example.org"
LANGUAGES: tuple[Locale, ...] = ("de", "en")
COMPANY = load(
    {
        "SECRET_KEY": "signs-links-in-the-tests-0123456789",
        "DATA_KEY": "wraps-the-keyring-in-the-tests-0123",
        "ORGANISATION": "Muster & Söhne GmbH",
        "IMPRINT": "Muster & Söhne GmbH\\nMusterweg 1, 12345 Musterstadt\\nAG Musterstadt HRB 12345",
        "IMPRINT_EN": "Muster & Söhne GmbH\\nMusterweg 1, 12345 Musterstadt, Germany\\nHRB 12345",
        "CONTACT_EMAIL": "privacy@example.com",
        "PRIVACY_URL": "https://www.example.com/datenschutz",
        "PRIVACY_URL_EN": "https://www.example.com/privacy?lang=en&print=1",
        "TOPICS": "neuen Werkzeugen für Tischler",
        "TOPICS_EN": "new tools for joiners",
        "PUBLIC_URL": "https://news.example.com",
        "SMTP_URL": "smtp://mail.example.com",
        "MAIL_FROM": "Muster & Söhne <newsletter@example.com>",
    }
)
CONSENT = (
    "Ja, ich möchte den Newsletter von Muster & Söhne GmbH per E-Mail erhalten. Diese Einwilligung "
    "kann ich jederzeit widerrufen: https://www.example.com/datenschutz"
)
#: What names are made of, and what they must not become: parts of other addresses.
NAME_PARTS = [
    *("Müller", '"Nord"', "&", "Söhne,", "<x@y.example>", "(Ltd.)", "🎉", "\\", "Group:"),
    *("a@b.example", "O'Neil;", "Gesellschaft", "GmbH", "{{ 1 }}", "%s"),
]
ADVERTISING = re.compile(
    r"willkommen|welcome|freuen|glad|gratis|kostenlos|\bfree\b|angebot|\boffer|rabatt|discount"
    r"|exklusiv|exclusive|jetzt|\bnow\b|fragen|questions|kontaktieren|contact us|folgen sie"
    r"|follow us|besuchen|visit|entdecken|discover|danke?\b|thank|!",
    re.IGNORECASE,
)


def values(language: Locale = "de") -> ConfirmationValues:
    return ConfirmationValues(
        recipient=ADA,
        language=language,
        consent_text=CONSENT,
        requested_at=datetime(2026, 3, 1, 22, 59, 59, 999_999, tzinfo=UTC),
        expires_at=datetime(2026, 3, 29, 12, 5, tzinfo=UTC),
        deleted_by=datetime(2026, 3, 30, 12, 5, tzinfo=UTC),
        confirm_url="https://news.example.com/confirm/" + "C0nf1rm-" * 25,
        not_me_url="https://news.example.com/not-me/" + "N0t-m3_." * 25,
        from_our_form=True,
        reference="5f0c9a7e3b1d4c62",
        message_id="<b1946ac92492d234@news.example.com>",
        sent_at=datetime(2026, 3, 1, 23, 0, tzinfo=UTC),
    )


def way_back(language: Locale = "de") -> WayBackValues:
    return WayBackValues(
        recipient=ADA,
        language=language,
        confirmed_at=datetime(2026, 3, 1, 22, 59, 59, 999_999, tzinfo=UTC),
        signup_url="https://example.us1.list-manage.com/subscribe?u=1f2e&id=3d4c",
        unsubscribe_url="https://news.example.com/unsubscribe/" + "Uns8scr-" * 25,
        reference="5f0c9a7e3b1d4c62",
        message_id="<b1946ac92492d234@news.example.com>",
        sent_at=datetime(2026, 3, 1, 23, 5, tzinfo=UTC),
    )


def my_data(language: Locale = "de") -> MyDataValues:
    return MyDataValues(
        recipient=ADA,
        language=language,
        requested_at=datetime(2026, 3, 1, 22, 59, 59, 999_999, tzinfo=UTC),
        expires_at=datetime(2026, 3, 2, 0, 5, tzinfo=UTC),
        my_data_url="https://news.example.com/my-data/" + "My8Data-" * 25,
        reference="5f0c9a7e3b1d4c62",
        message_id="<c1946ac92492d234@news.example.com>",
        sent_at=datetime(2026, 3, 1, 23, 5, tzinfo=UTC),
    )


EVERY_LETTER: list[LetterValues] = [
    make(each) for make in (values, way_back, my_data) for each in LANGUAGES
]


def links_of(asked: LetterValues) -> set[str]:
    """The only links that a letter has."""
    match asked:
        case ConfirmationValues():
            own = {asked.confirm_url, asked.not_me_url}
        case WayBackValues():
            own = {asked.signup_url, asked.unsubscribe_url}
        case MyDataValues():
            own = {asked.my_data_url}
    return own | {COMPANY.privacy_url_in(asked.language)}


def named(asked: LetterValues) -> str:
    return f"{asked.kind}.{asked.language}"


each_letter = pytest.mark.parametrize("asked", EVERY_LETTER, ids=named)


@pytest.fixture(autouse=True, scope="module")
def _app() -> Iterator[None]:
    app = brand.new_flask()
    register(app)
    with app.app_context():
        yield


@pytest.fixture(params=EVERY_LETTER, ids=named)
def letter(request: pytest.FixtureRequest) -> EmailMessage:
    return compose(request.param, COMPANY)


def body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def words(text: str) -> str:
    return " ".join(re.split(r"[ \n]+", text.strip()))


class Reader(HTMLParser):
    """Reads a page as a text browser does."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.links, self.tags, self._in_head = "", list[str](), set[str](), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self._in_head = tag == "head" or (self._in_head and tag != "body")
        self.text += {"hr": "\n--\n", "br": "\n", "p": "\n", "blockquote": "\n"}.get(tag, "")

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_head else data


def read(letter: EmailMessage) -> Reader:
    reader = Reader()
    reader.feed(body(letter, "html"))
    return reader


@pytest.mark.requires("R22", "R41")
@pytest.mark.parametrize(
    ("language", "facts"),
    [
        (
            "de",
            (
                "am 1. März 2026 um 23:59 Uhr (MEZ) auf news.example.com für den Newsletter von "
                "Muster & Söhne GmbH eingetragen",
                "bis zum 29. März 2026, 14:05 Uhr (MESZ):",
                "Ohne Bestätigung senden wir Ihnen keinen Newsletter und löschen die Daten dieser "
                "Anmeldung spätestens am 30. März 2026.",
                "Vorgangsnummer: 5f0c9a7e3b1d4c62",
            ),
        ),
        (
            "en",
            (
                "was entered on news.example.com on 1 March 2026 at 23:59 (CET) for the newsletter "
                "of Muster & Söhne GmbH",
                "by 29 March 2026, 14:05 (CEST):",
                "Without confirmation we will not send you a newsletter, and we will delete the "
                "data of this request by 30 March 2026 at the latest.",
                "Reference number: 5f0c9a7e3b1d4c62",
            ),
        ),
    ],
)
def test_it_says_who_what_when_and_until_when(language: Locale, facts: tuple[str, ...]) -> None:
    text = words(body(compose(values(language), COMPANY), "plain"))

    assert [fact for fact in facts if fact not in text] == []


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        (
            "de",
            (
                "Sie haben am 1. März 2026 um 23:59 Uhr (MEZ) auf news.example.com die Anmeldung zum "
                "Newsletter von Muster & Söhne GmbH bestätigt.",
                "Mailchimp lässt uns diese E-Mail-Adresse nicht aufnehmen, weil sie dort früher "
                "abgemeldet, gelöscht oder gesperrt wurde.",
                "Das Formular betreibt Mailchimp; dabei wird auch Ihre IP-Adresse erhoben.",
                "Möchten Sie das nicht, müssen Sie nichts tun. Sie erhalten dann keinen Newsletter.",
                "Vorgangsnummer: 5f0c9a7e3b1d4c62",
            ),
        ),
        (
            "en",
            (
                "you confirmed your request for the newsletter of Muster & Söhne GmbH on "
                "news.example.com on 1 March 2026 at 23:59 (CET).",
                "Mailchimp does not let us add this e-mail address, because it was unsubscribed, "
                "deleted or blocked there before.",
                "Mailchimp runs the form and also collects your IP address there.",
                "If you would rather not, you need not do anything. You will then receive no "
                "newsletter.",
                "Reference number: 5f0c9a7e3b1d4c62",
            ),
        ),
    ],
)
def test_the_way_back_email_says_why_and_that_nothing_has_to_be_done(
    language: Locale, facts: tuple[str, ...]
) -> None:
    text = words(body(compose(way_back(language), COMPANY), "plain"))

    assert [fact for fact in facts if fact not in text] == []


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        (
            "de",
            (
                "am 1. März 2026 um 23:59 Uhr (MEZ)",
                "bis zum 2. März 2026, 01:05 Uhr (MEZ)",
                "müssen Sie nichts tun",
            ),
        ),
        (
            "en",
            (
                "on 1 March 2026 at 23:59 (CET)",
                "until 2 March 2026, 01:05 (CET)",
                "you need not do anything",
            ),
        ),
    ],
)
def test_the_link_to_ones_data_says_who_may_use_it_and_until_when(
    language: Locale, facts: tuple[str, ...]
) -> None:
    text = words(body(compose(my_data(language), COMPANY), "plain"))

    assert [fact for fact in facts if fact not in text] == []


@pytest.mark.requires("R22")
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_quotes_the_consent_text_word_for_word(language: Locale) -> None:
    assert CONSENT in words(body(compose(values(language), COMPANY), "plain"))


@pytest.mark.requires("R23")
@each_letter
def test_it_ends_with_the_whole_imprint(asked: LetterValues) -> None:
    text = body(compose(asked, COMPANY), "plain")

    assert text.rstrip("\n").endswith("\n--\n" + COMPANY.imprint_in(asked.language))


@pytest.mark.requires("R24")
@each_letter
def test_it_has_three_links_each_whole_on_a_line_of_its_own(asked: LetterValues) -> None:
    lines = body(compose(asked, COMPANY), "plain").splitlines()

    assert {line for line in lines if re.match(r"\w+://", line)} == links_of(asked)


@pytest.mark.requires("R21")
@each_letter
def test_neither_part_contains_any_other_web_address(asked: LetterValues) -> None:
    if isinstance(asked, ConfirmationValues):
        asked = replace(asked, consent_text="Ja")

    letter = compose(asked, COMPANY)
    reader = read(letter)

    assert set(re.findall(r"\w+:/\S+", body(letter, "plain") + reader.text)) == links_of(asked)
    assert set(reader.links) == links_of(asked)


@pytest.mark.requires("R21")
def test_it_does_not_advertise(letter: EmailMessage) -> None:
    found = ADVERTISING.findall(letter["Subject"] + body(letter, "plain"))

    assert found == []


@pytest.mark.requires("R25")
@each_letter
def test_the_html_twin_has_the_same_words_and_shows_where_its_button_leads(
    asked: LetterValues,
) -> None:
    letter = compose(asked, COMPANY)
    lines = body(letter, "plain").splitlines()
    addresses = [line for line in lines if line in links_of(asked)]

    folded = [line for line in lines if line not in addresses[1:]]
    assert words(read(letter).text) == words("\n".join(folded))
    assert read(letter).links[:2] == [addresses[0], addresses[0]]


def test_the_html_twin_has_one_link_that_looks_like_a_button(letter: EmailMessage) -> None:
    assert body(letter, "html").count("inline-block") == 1


@pytest.mark.requires("R21", "R25")
def test_the_html_twin_loads_nothing(letter: EmailMessage) -> None:
    loading = {"img", "link", "style", "script", "iframe", "svg", "video", "form", "object"}

    assert read(letter).tags & loading == set()
    assert not re.search(r"url\(|background=|@import", body(letter, "html"))


def test_the_button_it_names_is_the_one_on_the_page() -> None:
    catalogue = (PACKAGE / "texts/translations/de/LC_MESSAGES/messages.po").read_text("utf-8")
    found = re.search(r'msgid "Confirm"\nmsgstr "(.+)"', catalogue)
    assert found

    assert f"„{found[1]}“" in words(body(compose(values("de"), COMPANY), "plain"))
    assert "“Confirm”" in body(compose(values("en"), COMPANY), "plain")


@pytest.mark.requires("R25")
def test_plain_text_comes_first_both_parts_in_utf_8(letter: EmailMessage) -> None:
    parts = list(letter.iter_parts())

    assert letter.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in parts} == {"utf-8"}
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"quoted-printable"}


@pytest.mark.requires("R25")
def test_it_is_ascii_in_short_lines_that_end_with_crlf(letter: EmailMessage) -> None:
    raw = letter.as_bytes()

    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


def test_only_web_addresses_make_a_line_of_text_long(letter: EmailMessage) -> None:
    lines = body(letter, "plain").splitlines()

    assert [line for line in lines if len(line) > 78 and "://" not in line] == []


@pytest.mark.requires("R26", "R29")
@each_letter
def test_every_header_occurs_once(asked: LetterValues) -> None:
    letter = message_from_bytes(compose(asked, COMPANY).as_bytes())

    names = sorted(name for name in letter if name != "Content-Type")

    assert names == [
        *("Auto-Submitted", "Content-Language", "Date", "From", "MIME-Version"),
        *("Message-ID", "Reply-To", "Subject", "To", "X-Auto-Response-Suppress"),
    ]


def received(values: LetterValues, company: Settings = COMPANY) -> EmailMessage:
    """A letter as a reader takes it apart."""
    return message_from_bytes(finish(values, company).octets, policy=policy.default)


@pytest.mark.requires("R27", "R28")
def test_its_headers_contain_the_given_values() -> None:
    letter = received(values())

    assert letter["To"] == ADA
    assert letter["From"].addresses[0].addr_spec == "newsletter@example.com"
    assert letter["Reply-To"] == "privacy@example.com"
    assert letter["Message-ID"] == "<b1946ac92492d234@news.example.com>"
    assert letter["Date"].datetime == values().sent_at
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["X-Auto-Response-Suppress"] == "All"


def test_there_is_no_reply_to_that_repeats_the_sender() -> None:
    company = COMPANY.model_copy(update={"mail_from": "Muster <Privacy@Example.com>"})

    assert "Reply-To" not in compose(values(), company)


@pytest.mark.requires("R28")
def test_without_mail_from_the_organisation_writes_from_its_contact_address() -> None:
    company = COMPANY.model_copy(update={"mail_from": None})

    letter = received(values(), company)

    sender = letter["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("Muster & Söhne GmbH", "privacy@example.com")
    assert "Reply-To" not in letter


def test_internationalised_domains_are_written_in_ascii() -> None:
    company = COMPANY.model_copy(update={"mail_from": "Müller <news@bücher.example.com>"})
    recipient = Address.parse("Ada@Bücher.example.com").text

    letter = received(replace(values(), recipient=recipient), company)

    assert letter["To"] == "Ada@xn--bcher-kva.example.com"
    assert letter["From"].addresses[0].domain == "xn--bcher-kva.example.com"


@given(st.lists(st.sampled_from(NAME_PARTS), min_size=1, max_size=14).map(" ".join))
def test_the_name_of_the_organisation_cannot_change_the_sender(name: str) -> None:
    company = COMPANY.model_copy(update={"mail_from": None, "organisation": name})

    raw = message_from_bytes(compose(values(), company).as_bytes())["From"]

    assert all(len(word) <= 75 for word in re.findall(r"=\?\S+", raw))
    ((shown, address),) = getaddresses([re.sub(r"\r\n(?=[ \t])", "", raw)])
    assert address == "privacy@example.com"
    assert str(make_header(decode_header(shown))) == name


def test_an_odd_name_is_unchanged_in_both_parts() -> None:
    name = 'Müller "Nord" & <Söhne> {{ 1 }} 🎉'
    company = COMPANY.model_copy(update={"organisation": name})

    letter = compose(values(), company)

    assert f"Newsletter von {name} eingetragen" in words(body(letter, "plain"))
    assert f"Newsletter von {name} eingetragen" in words(read(letter).text)


@pytest.mark.requires("R26")
@pytest.mark.parametrize(("field", "header"), [("recipient", "To"), ("message_id", "Message-ID")])
@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\u2028"])
def test_a_line_break_in_a_header_is_refused(field: str, header: str, line_break: str) -> None:
    broken: dict[str, Any] = {field: f"<x@example.com>{line_break}Bcc: x@example.com"}

    with pytest.raises(UnsafeLetter, match=header):
        compose(replace(values(), **broken), COMPANY)


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\u2028"])
def test_a_line_break_in_the_senders_name_is_refused(line_break: str) -> None:
    name = f"Muster{line_break}Bcc: x@example.com"
    company = COMPANY.model_copy(update={"mail_from": None, "organisation": name})

    with pytest.raises(UnsafeLetter, match="From"):
        compose(values(), company)


@each_letter
def test_the_values_of_a_letter_do_not_show_when_printed(asked: LetterValues) -> None:
    shown = repr(asked)

    assert ADA not in shown
    assert [link for link in links_of(asked) if link in shown] == []


def test_each_letter_has_a_template_version_of_its_own_in_each_language() -> None:
    found = {versions.of_letter(asked.kind, asked.language) for asked in EVERY_LETTER}

    assert len(found) == len(EVERY_LETTER)
    assert all(re.fullmatch(r"[0-9a-f]{64}", version) for version in found)


@pytest.fixture
def brand_dir(tmp_path: Path) -> Path:
    (tmp_path / "letters").mkdir()
    return tmp_path


def version_with(brand_dir: Path) -> str:
    app = brand.new_flask()
    brand.register(app, COMPANY.model_copy(update={"brand_dir": brand_dir}))
    register(app)
    with app.app_context():
        return versions.of_letter(LetterKind.CONFIRMATION, "de")


@pytest.mark.requires("R5")
@pytest.mark.parametrize("part", ["subject", "txt", "html"])
def test_a_change_of_any_template_makes_a_new_version(part: str, brand_dir: Path) -> None:
    name = f"letters/confirmation.de.{part}"
    (brand_dir / name).write_bytes((PACKAGE / "texts" / "templates" / name).read_bytes() + b".")

    assert version_with(brand_dir) != versions.of_letter(LetterKind.CONFIRMATION, "de")


def test_a_change_of_what_a_template_includes_makes_a_new_version(brand_dir: Path) -> None:
    (brand_dir / "letters/confirmation.de.subject").write_text("{% include 'letters/name' %}")
    found = set()
    for name in ("Anmeldung", "Newsletter-Anmeldung"):
        (brand_dir / "letters/name").write_text(name)
        found.add(version_with(brand_dir))

    assert len(found) == 2


def test_a_brand_without_emails_does_not_change_the_version(brand_dir: Path) -> None:
    assert version_with(brand_dir) == versions.of_letter(LetterKind.CONFIRMATION, "de")

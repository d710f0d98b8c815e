"""What `newsletter check` finds wrong in law: nothing in our own templates, and every planted mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.cli.check import law
from newsletter.config import load
from newsletter.texts import brand
from newsletter.web.samples.rendering import sample_app
from sandbox.environment import COMPANY

SETTINGS = {**COMPANY, "SECRET_KEY": "s" * 32, "DATA_KEY": "d" * 32}
GERMAN = ("letters/confirmation.de.txt", "letters/confirmation.de.html")
LETTERS = ("letters/confirmation.de.txt", "letters/confirmation.en.html")


def findings(**variables: str) -> list[str]:
    return law.findings(sample_app(load({**SETTINGS, **variables})))


def findings_with(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What is found when a template of ours is brought by a brand, with one change."""
    ours = (brand.TEMPLATES / name).read_text("utf-8")
    assert re.search(old, ours), "there is nothing to change"
    file = folder / name
    file.parent.mkdir()
    file.write_text(re.sub(old, lambda _: new, ours, count=1), "utf-8")
    return findings(BRAND_DIR=str(folder))


@pytest.mark.requires("R3", "R4")
def test_our_own_texts_have_no_finding() -> None:
    assert findings() == []


def test_german_alone_has_no_finding() -> None:
    assert findings(TOPICS_EN="") == []


@pytest.mark.parametrize(
    "organisation", ["Tischlerverein Musterstadt e. V.", "Erika Muster", "Gute Angebote! AG"]
)
def test_any_name_has_no_finding(organisation: str) -> None:
    imprints = {
        name: COMPANY[name].replace("Muster & Söhne GmbH", organisation) for name in COMPANY
    }

    assert findings(**imprints) == []


@pytest.mark.requires("R3")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "</form>",
            '<input type="checkbox" name="news" checked></form>',
            "“news” is preselected",
        ),
        ("</form>", "<select><option selected>a</select></form>", "“option” is preselected"),
        ("</form>", '<input name="name" required></form>', "required fields are: email, name;"),
        (
            "</form>",
            '<input type="checkbox" name="yes" required></form>',
            "fields are: email, yes;",
        ),
        (" required ", " ", "the required fields are: none;"),
        (r"{{ consent.text\|linked }}", "Ja!", "the consent text is not in the form word for word"),
        (r'name="wording"', 'name="version"', "the hash is not sent"),
        (r"{{ consent.hash }}", "0" * 64, "the hash is not sent"),
        ("</form>", "<p>Es gelten unsere AGB.</p></form>", "other declarations (“AGB”)"),
        ("</form>", "I accept the terms of use.</form>", "other declarations (“terms of use”)"),
    ],
)
def test_a_form_asks_for_a_free_and_separate_consent(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    found = findings_with(tmp_path, "pages/signup.html", old, new)

    assert [text.split(" (")[0] for text in found] == ["BRAND_DIR/pages/signup.html"] * 2
    assert all(said in text for text in found)


def test_the_form_for_other_sites_asks_for_no_less(tmp_path: Path) -> None:
    ticked = '<input type="checkbox" name="news" checked></form>'

    found = findings_with(tmp_path, "pages/embed_form.html", "</form>", ticked)

    assert [text.split(" (")[0] for text in found] == ["BRAND_DIR/pages/embed_form.html"] * 2


def test_the_confirmation_page_asks_for_nothing_else(tmp_path: Path) -> None:
    found = findings_with(
        tmp_path, "pages/confirm.html", "</form>", "Ich akzeptiere die AGB.</form>"
    )

    assert [text.split(" (")[0] for text in found] == ["BRAND_DIR/pages/confirm.html"] * 2
    assert all("other declarations (“AGB”)" in text for text in found)


@pytest.mark.requires("R3")
def test_a_sentence_of_a_brand_adds_no_declaration_to_the_consent(tmp_path: Path) -> None:
    sentence = "Mit Klick akzeptieren Sie die AGB und erklären:"
    (tmp_path / "texts.de.toml").write_text(f'by-pressing-subscribe-you-declare = "{sentence}"')

    found = findings(BRAND_DIR=str(tmp_path))

    assert [text.split(": ")[0] for text in found] == [
        "newsletter/texts/templates/pages/signup.html with BRAND_DIR/texts.de.toml (German)",
        "newsletter/texts/templates/pages/embed_form.html with BRAND_DIR/texts.de.toml (German)",
    ]
    assert all("other declarations (“AGB”)" in text for text in found)


def test_a_file_of_sentences_in_a_language_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "texts.fr.toml").write_text('subscribe = "S’abonner"', "utf-8")

    assert findings(BRAND_DIR=str(tmp_path)) == [
        "BRAND_DIR/texts.fr.toml: nothing uses it; name it texts.de.toml or texts.en.toml, or remove it."
    ]


@pytest.mark.requires("R4")
@pytest.mark.parametrize(
    ("language", "old", "said"),
    [
        ("de", r" von {{ organisation }}", "the sender"),
        ("de", r" mit Informationen zu {{ topics }}", "the subject"),
        ("de", r" per E-Mail(?= erhalten)", "the channel"),
        ("de", r" Mailchimp", "the recipient Mailchimp"),
        ("de", r" \(USA\)", "the country USA"),
        ("de", r"jederzeit mit Wirkung für die Zukunft widerrufen, ", "the right to withdraw"),
        ("de", r", zum Beispiel .+(?=\. Näheres)", "the means to withdraw"),
        ("de", r": {{ privacy_url }}", "the privacy notice"),
        ("en", r" of {{ organisation }}", "the sender"),
        ("en", r", with information about {{ topics }}", "the subject"),
        ("en", r" by e-mail(?=, with)", "the channel"),
        ("en", r" Mailchimp", "the recipient Mailchimp"),
        ("en", r" \(USA\)", "the country USA"),
        ("en", r"withdraw this consent ", "the right to withdraw"),
        ("en", r", for example .+(?=\. See)", "the means to withdraw"),
        ("en", r": {{ privacy_url }}", "the privacy notice"),
    ],
)
def test_a_consent_text_names_all_that_is_agreed_to(
    tmp_path: Path, language: str, old: str, said: str
) -> None:
    name = f"wordings/{language}.txt"

    (found,) = findings_with(tmp_path, name, old, "")

    assert found.startswith(f"BRAND_DIR/{name} (")
    assert said in found


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"(Guten Tag|Hello),", "Willkommen!", "“Willkommen” makes it an advertisement"),
        (r"{{ letter.reference }}", "1\nExklusiv für Sie: Rabatt.", "“Exklusiv” makes it"),
        (r"{{ letter.reference }}", "1 https://shop.example.com/", "leads to https://shop.example"),
        (r"{{ letter.reference }}", "1 www.example.com/werkzeug", "leads to www.example.com/werk"),
        (r"(?<!\")({{ letter.confirm_url }})(?!\")", "…", "the link to confirm"),
        (r"{{ letter.not_me_url }}", "…", "for a person who did not sign up"),
        (r"{{ settings.privacy_url_in\(..+?\) }}", "…", "privacy notice's address"),
        (r"(?:von|of) {{ settings.organisation }}(?! genannt)", "", "whose newsletter it is"),
        (r"{{ letter.requested_at\|long_date\(.+?\) }}", "", "on what day the address was entered"),
        (r"{{ letter.requested_at\|clock_time\(.+?\) }}", "", "at what time the address was"),
        (r"{{ letter.requested_at\|zone_name\(.+?\) }}", "", "in which time zone"),
        (r"{{ letter.expires_at\|long_date\(.+?\) }}", "", "until what day the link is valid"),
        (r"{{ letter.expires_at\|clock_time\(.+?\) }}", "", "until what time the link is valid"),
        (r"{{ letter.deleted_by\|long_date\(.+?\) }}", "", "by what day the data will be deleted"),
        (r"{{ letter.consent_text.*? }}", "Ja.", "the consent text is not there word for word"),
        (r"{%-? for line in settings.imprint.+", "{% for line in [] %}", "the imprint's line “"),
    ],
)
def test_a_letter_says_everything_that_it_must_and_nothing_else(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    found = findings_with(tmp_path, name, old, new)

    assert [text for text in found if said in text]
    assert all(text.startswith(f"BRAND_DIR/{name} (") for text in found)


@pytest.mark.parametrize("name", GERMAN)
def test_a_letter_says_that_ignoring_it_ends_in_deletion(tmp_path: Path, name: str) -> None:
    old = r"und löschen die Daten(.|\n)+?sofort löschen:"

    (found,) = findings_with(
        tmp_path, name, old, "am {{ letter.deleted_by|long_date('de', zone) }}"
    )

    assert "ignoring it ends in deletion" in found


OTHERS = {
    "way_back": [
        (r"(Guten Tag|Hello),", "Willkommen zurück,", "“Willkommen” makes it an advertisement"),
        (r"{{ letter.reference }}", "1 https://shop.example.com/", "leads to https://shop.example"),
        (r"(?<!\")({{ letter.signup_url }})(?!\")", "…", "the link to Mailchimp's form"),
        (r"{{ letter.unsubscribe_url }}", "…", "the link to withdraw"),
        (r"{{ settings.privacy_url_in\(..+?\) }}", "…", "privacy notice's address"),
        (r"(?:von|of) {{ settings.organisation }}", "", "whose newsletter it is"),
        (r"{{ letter.confirmed_at\|long_date\(.+?\) }}", "", "on what day the person confirmed"),
        (r"müssen Sie nichts tun|you need not do anything", "gut", "nothing has to be done"),
        (r"{%-? for line in settings.imprint.+", "{% for line in [] %}", "the imprint's line “"),
    ],
    "my_data": [
        (r"(Guten Tag|Hello),", "Willkommen,", "“Willkommen” makes it an advertisement"),
        (r"{{ letter.reference }}", "1 https://shop.example.com/", "leads to https://shop.example"),
        (r"(?<!\")({{ letter.my_data_url }})(?!\")", "…", "the link to the data"),
        (r"{{ settings.privacy_url_in\(..+?\) }}", "…", "privacy notice's address"),
        (r"(?:von|of) {{ settings.organisation }}", "", "whose newsletter it is"),
        (r"{{ letter.requested_at\|long_date\(.+?\) }}", "", "on what day the link was asked for"),
        (r"{{ letter.expires_at\|clock_time\(.+?\) }}", "", "until what time the link is valid"),
        (r"müssen Sie nichts tun|you need not\s+do anything", "gut", "nothing has to be done"),
        (r"{%-? for line in settings.imprint.+", "{% for line in [] %}", "the imprint's line “"),
    ],
}


@pytest.mark.parametrize("end", ["de.txt", "en.html"])
@pytest.mark.parametrize(
    ("letter", "old", "new", "said"),
    [(letter, *change) for letter, changes in OTHERS.items() for change in changes],
)
def test_the_other_letters_are_checked_likewise(
    tmp_path: Path, letter: str, end: str, old: str, new: str, said: str
) -> None:
    name = f"letters/{letter}.{end}"

    found = findings_with(tmp_path, name, old, new)

    assert [text for text in found if said in text]
    assert all(text.startswith(f"BRAND_DIR/{name} (") for text in found)


@pytest.mark.parametrize("old", ["signup_url", "unsubscribe_url"])
def test_the_way_back_leads_where_it_says(tmp_path: Path, old: str) -> None:
    link = f'href="{{{{ letter.{old} }}}}"'

    found = findings_with(
        tmp_path, "letters/way_back.de.html", re.escape(link), f'{link[:-1]}?utm_source=mail"'
    )

    assert [text for text in found if "a link leads to http" in text]


def test_the_address_of_mailchimps_form_may_be_any() -> None:
    assert findings(MAILCHIMP_SIGNUP_URL="https://example.com/welcome?offers=now") == []


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ('<img src="cid:logo" alt="">', "<img> loads"),
        ('<table background="x.png"></table>', "<table> loads"),
        ("<svg></svg>", "<svg> loads"),
        ('<link rel="stylesheet" href="https://x.example/x.css">', "<link> loads"),
        ('<form action="https://x.example/"></form>', "<form> loads"),
        ('<p style="list-style-image: url(x.png)">', "a style loads something"),
        ("<style>@import 'x.css';</style>", "a style loads something"),
        ('<a href="https://x.example/">Mehr</a>', "a link leads to https://x.example/"),
        ('<a href="mailto:sales@x.example">Mehr</a>', "a link leads to mailto:sales@x.example"),
        ("<a>Mehr</a>", "a link leads to nowhere"),
    ],
)
def test_a_letter_loads_nothing_and_leads_nowhere_else(tmp_path: Path, new: str, said: str) -> None:
    (found,) = findings_with(tmp_path, "letters/confirmation.de.html", "</body>", f"{new}</body>")

    assert said in found


def test_a_link_counted_by_others_is_another_link(tmp_path: Path) -> None:
    old = r'href="{{ letter.confirm_url }}"'

    (found,) = findings_with(
        tmp_path, "letters/confirmation.de.html", old, f'{old[:-1]}?utm_source=mail"'
    )

    assert "a link leads to http" in found


@pytest.mark.parametrize("subject", ["Willkommen bei uns", "Please confirm now"])
def test_a_subject_does_not_advertise(tmp_path: Path, subject: str) -> None:
    (found,) = findings_with(tmp_path, "letters/confirmation.de.subject", r"(.|\n)+", subject)

    assert "makes it an advertisement" in found


@pytest.mark.requires("R23")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Muster & Söhne GmbH", "Muster & Töchter GmbH", "does not name the firm"),
        ("12345 Musterstadt", "Musterstadt", "names no address"),
        ("E-Mail: kontakt@example.com", "Telefax: 0", "names no e-mail address"),
        ("HRB 12345", "", "names no register"),
        ("Vertreten durch die Geschäftsführerin ", "", "does not say who represents the firm"),
        ("HRB 12345", "HRB 12345 TODO", "a placeholder (“TODO”)"),
        ("Erika Muster", "[Name]", "a placeholder (“[”)"),
        ("+49 30 23125 000", "xxxx", "a placeholder (“xxxx”)"),
        ("Musterweg 1", "…", "a placeholder (“…”)"),
    ],
)
def test_an_imprint_identifies_the_sender_in_full(old: str, new: str, said: str) -> None:
    imprint = COMPANY["IMPRINT"]
    assert old in imprint

    (found,) = findings(IMPRINT=imprint.replace(old, new))

    assert found.startswith("IMPRINT: ")
    assert said in found


def test_the_imprint_of_each_language_is_checked() -> None:
    (found,) = findings(IMPRINT_EN=COMPANY["IMPRINT_EN"].replace("kontakt@example.com", ""))

    assert found.startswith("IMPRINT_EN: names no e-mail address")


def test_a_firm_in_no_register_needs_none() -> None:
    imprint = "Erika Muster\\nMusterweg 1, 12345 Musterstadt\\nE-Mail: kontakt@example.com"

    assert findings(ORGANISATION="Erika Muster", IMPRINT=imprint, IMPRINT_EN=imprint) == []


def test_a_file_under_a_wrong_name_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/sign-up.html").write_text("{% extends 'pages/layout.html' %}")

    (found,) = findings(BRAND_DIR=str(tmp_path))

    assert found.startswith("BRAND_DIR/pages/sign-up.html: nothing uses it")


def test_a_template_that_others_include_is_used(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/inbox.html").write_text("{% include 'pages/own.html' %}")
    (tmp_path / "pages/own.html").write_text("…")

    assert findings(BRAND_DIR=str(tmp_path)) == []

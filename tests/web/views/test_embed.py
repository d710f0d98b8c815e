"""The forms that web developers copy into their own pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from tests.conftest import ClientWith
from tests.people import ADA, JSON, sign_up, status_of
from tests.web.callers import BROWSER, EVIL, SITE
from tests.web.snippets import Document, Element

NEWS = "https://news.example"
BEHIND_TLS = {"PUBLIC_URL": NEWS, "SMTP_URL": "smtp://mail.example.com"}

COPYING = "/static/copy.js"

both_forms = pytest.mark.parametrize("form", ["plain", "progressive"])
both_languages = pytest.mark.parametrize("locale", ["de", "en"])


def copied(client: FlaskClient, form: str = "plain", **asked: str) -> Document:
    """What is in the developer's clipboard."""
    page = Document(client.get("/embed", query_string=asked).text)
    return Document(page.one("pre", id=form).text)


@pytest.mark.requires("R3")
@both_forms
@both_languages
def test_a_form_asks_for_the_address_and_nothing_else(
    any_client: FlaskClient, form: str, locale: str
) -> None:
    inputs = copied(any_client, form, locale=locale).named("input", "select", "textarea")

    seen = [each for each in inputs if each.attributes["type"] != "hidden"]
    assert [each.attributes["name"] for each in seen] == ["email", "homepage"]
    assert [each.attributes["name"] for each in seen if "required" in each.attributes] == ["email"]


@pytest.mark.requires("R3")
@both_forms
def test_nothing_is_ticked_for_the_person(any_client: FlaskClient, form: str) -> None:
    document = copied(any_client, form)

    assert {each.attributes["type"] for each in document.named("input")} == {
        "email",
        "text",
        "hidden",
    }
    assert not any("checked" in each.attributes for each in document.elements)


@both_forms
@both_languages
def test_the_consent_text_is_below_the_button_word_for_word(
    any_client: FlaskClient, form: str, locale: str
) -> None:
    document = copied(any_client, form, locale=locale)

    consent, button = document.one("blockquote"), document.one("button", type="submit")
    assert consent.words == any_client.get(f"/?locale={locale}", headers=JSON).get_json()["consent"]
    assert button.attributes["aria-describedby"] == consent.within[-1].attributes["id"]
    between = document.elements[document.elements.index(button) : document.elements.index(consent)]
    assert [each.name for each in between] == ["button", "div", "p"]


@both_forms
@both_languages
def test_the_form_sends_the_present_wordings_hash_and_its_language(
    any_client: FlaskClient, form: str, locale: str
) -> None:
    present = any_client.get(f"/?locale={locale}", headers=JSON).get_json()["wording"]

    assert copied(any_client, form, locale=locale).fields() == {
        "email": "",
        "homepage": "",
        "locale": locale,
        "wording": present,
    }


def test_every_web_address_in_the_consent_is_a_link(any_client: FlaskClient) -> None:
    links = {each.attributes["href"] for each in copied(any_client).named("a")}

    assert links == {"https://www.example.com/datenschutz"}


@pytest.mark.parametrize(
    ("locale", "label", "button"),
    [
        ("de", "E-Mail-Adresse", "Newsletter abonnieren"),
        ("en", "E-mail address", "Subscribe"),
    ],
)
def test_label_and_button_say_what_they_are(
    any_client: FlaskClient, locale: str, label: str, button: str
) -> None:
    document = copied(any_client, locale=locale)

    email = document.one("input", name="email")
    assert (email.within[-1].name, email.within[-1].words) == ("label", label)
    assert document.one("button").words == button
    assert document.one("form").attributes["lang"] == locale


@pytest.mark.requires("R69")
@both_forms
def test_the_trap_is_a_field_to_machines_and_hidden_from_people(
    any_client: FlaskClient, form: str
) -> None:
    trap = copied(any_client, form).one("input", name="homepage")

    hiding = trap.within[-2].attributes
    assert ("hidden" in hiding, hiding["aria-hidden"]) == (True, "true")
    assert (trap.attributes["tabindex"], trap.attributes["autocomplete"]) == ("-1", "off")
    assert not {"disabled", "hidden"} & trap.attributes.keys()


@both_forms
def test_the_form_goes_to_the_public_url_whatever_the_host_header_says(
    client_with: ClientWith, form: str
) -> None:
    client = client_with(**BEHIND_TLS)

    page = Document(client.get("/embed", base_url=EVIL).text)

    document = Document(page.one("pre", id=form).text)
    assert document.one("form").attributes["action"] == f"{NEWS}/subscriptions"
    assert "evil" not in page.html


def test_a_service_under_a_path_is_named_with_it(client_with: ClientWith) -> None:
    client = client_with(**{**BEHIND_TLS, "PUBLIC_URL": f"{NEWS}/letters"})

    document = copied(client, "progressive")

    assert document.one("form").attributes["action"] == f"{NEWS}/letters/subscriptions"
    assert document.one("script").attributes["src"] == f"{NEWS}/letters/static/embed.js"


def test_a_plain_form_needs_no_script_and_no_style(any_client: FlaskClient) -> None:
    document = copied(any_client)

    assert document.named("script", "style", "link") == []
    for element in document.elements:
        assert not [name for name in element.attributes if name.startswith(("on", "style"))]


def test_the_other_one_is_the_same_form_and_one_line(client_with: ClientWith) -> None:
    client = client_with(**BEHIND_TLS)

    plain, progressive = copied(client).html, copied(client, "progressive").html

    script = f'\n<script src="{NEWS}/static/embed.js" defer></script>'
    assert progressive == plain.replace(">", " data-newsletter>", 1) + script


def test_a_form_in_a_frame_is_answered_at_the_top_and_in_utf_8(any_client: FlaskClient) -> None:
    """Our pages are not shown in frames, and a page of another encoding would send umlauts in it."""
    page = Document(any_client.get("/embed?locale=en").text)

    for form in ("plain", "progressive"):
        attributes = Document(page.one("pre", id=form).text).one("form").attributes
        assert (attributes["target"], attributes["accept-charset"]) == ("_top", "utf-8")
    assert 'the answer takes the place of the whole page (target="_top")' in page.one("main").words


def test_a_copied_form_signs_people_up(client: FlaskClient) -> None:
    answer = client.post(
        "/subscriptions", data={**copied(client).fields(), "email": ADA}, headers=BROWSER
    )

    assert (answer.status_code, answer.location) == (303, "/inbox?locale=de")
    assert status_of(client, ADA) == "pending"


def test_a_copied_form_works_after_the_wording_has_changed(client_with: ClientWith) -> None:
    fields = copied(client_with()).fields()
    changed = client_with(TOPICS="alten Werkzeugen")

    assert copied(changed).fields()["wording"] != fields["wording"]
    assert sign_up(changed, ADA, wording=fields["wording"]).status_code == 202


@both_forms
def test_a_next_page_on_an_allowed_site_is_kept(client_with: ClientWith, form: str) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)
    page = f"{SITE}/thanks?a=1&b=2"

    assert copied(client, form, next=page).fields()["next"] == page


def test_any_other_next_page_is_dropped_and_the_page_says_so(client_with: ClientWith) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    page = Document(client.get("/embed", query_string={"next": f"{EVIL}/x"}).text)

    assert "ALLOWED_ORIGINS" in page.one("p", **{"class": "error"}).text
    assert "next" not in Document(page.one("pre", id="plain").text).fields()
    assert "evil" not in page.html


AWKWARD: dict[str, Any] = {
    "ALLOWED_ORIGINS": SITE,
    "ORGANISATION": 'Muster & "Söhne" <b>GmbH</b>',
    "TOPICS": "</code></pre><script>alert(1)</script> &lt; &amp;",
}


@both_forms
def test_what_is_copied_says_exactly_what_the_settings_say(
    client_with: ClientWith, form: str
) -> None:
    client = client_with(**AWKWARD)
    page = f"{SITE}/'\"><script>alert(1)</script>"

    document = copied(client, form, next=page)

    assert document.one("blockquote").words == client.get("/", headers=JSON).get_json()["consent"]
    assert document.fields()["next"] == page
    assert [each.name for each in document.elements if each.name in ("script", "b")] == (
        ["script"] if form == "progressive" else []
    )


def test_no_setting_and_no_next_page_becomes_markup_of_the_page(client_with: ClientWith) -> None:
    client = client_with(**AWKWARD)
    asked = {"next": f"{SITE}/'\"><script>alert(1)</script>"}

    page = Document(client.get("/embed", query_string=asked).text)

    assert page.named("b") == []
    assert [path_of(each) for each in page.named("script")] == [COPYING]
    # The preview is the form itself.
    assert len(page.named("form")) == 1
    assert page.fields()["next"] == asked["next"]


@pytest.mark.parametrize(
    ("asked", "targets"),
    [({}, NEWS), ({"next": f"{SITE}/x"}, f"{NEWS} {SITE}"), ({"next": f"{NEWS}/x"}, NEWS)],
)
def test_the_page_names_the_policy_a_site_needs(
    client_with: ClientWith, asked: dict[str, str], targets: str
) -> None:
    client = client_with(
        **{**BEHIND_TLS, "PUBLIC_URL": f"{NEWS}/letters", "ALLOWED_ORIGINS": f"{SITE},{NEWS}"}
    )

    page = Document(client.get("/embed", query_string=asked).text)

    assert page.one("pre", id="policy-of-plain").text == f"form-action {targets}"
    assert page.one("pre", id="policy-of-progressive").text == (
        f"script-src {NEWS}; connect-src {NEWS}; form-action {targets}"
    )


def test_english_is_offered_only_with_english_topics(client_with: ClientWith) -> None:
    assert copied(client_with(TOPICS_EN=""), locale="en").fields()["locale"] == "de"


def test_the_page_itself_runs_one_script_of_its_own(any_client: FlaskClient) -> None:
    answer = any_client.get("/embed")

    (script,) = Document(answer.text).named("script", "style")
    assert path_of(script) == COPYING
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


def test_the_starter_style_is_the_one_of_the_preview(any_client: FlaskClient) -> None:
    page = Document(any_client.get("/embed").text)

    (style,) = (each for each in page.named("link") if each.within[-1].name == "template")
    with any_client.get(str(style.attributes["href"])) as served:
        assert page.one("pre", id="style").text == served.get_data(as_text=True).rstrip()
    assert "class" in page.one("form").attributes


def path_of(script: Element) -> str:
    """Where a script is, without the hash of its content."""
    return urlsplit(script.attributes["src"] or "").path


def test_other_sites_may_load_the_script_and_soon_get_a_new_one(any_client: FlaskClient) -> None:
    with any_client.get("/static/embed.js") as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.mimetype in ("text/javascript", "application/javascript")
        assert answer.mimetype_params == {"charset": "utf-8"}
        assert answer.cache_control.max_age == 3600


@pytest.mark.parametrize("path", ["/static/newsletter.css", "/embed", "/static/nowhere.js"])
def test_other_sites_may_load_nothing_else(any_client: FlaskClient, path: str) -> None:
    with any_client.get(path) as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_script_is_small(any_client: FlaskClient) -> None:
    with any_client.get("/static/embed.js") as answer:
        assert len(answer.data) < 3000


@both_languages
def test_the_script_says_what_the_inbox_page_says(any_client: FlaskClient, locale: str) -> None:
    page = Document(any_client.get(f"/inbox?locale={locale}").text)
    (main,) = page.named("main")
    # Beneath the form, nobody needs a link to it.
    title, *words, _link = [each.words for each in page.named("h1", "p") if main in each.within]

    with any_client.get("/static/embed.js") as script:
        assert f'"{" ".join([f"{title}.", *words])}"' in script.get_data(as_text=True)

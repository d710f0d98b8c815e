"""What is on every page, whatever it is about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import render_template

from newsletter.config import Locale, Settings
from newsletter.texts import brand
from newsletter.web.samples.pages import page_values
from newsletter.web.samples.rendering import consent, sample_app
from tests.conftest import ClientWith
from tests.web.snippets import Document, Element

ENGLISH = {
    "IMPRINT_EN": "Muster & Söhne GmbH\\nMusterweg 1, 12345 Musterstadt, Germany\\nHRB 12345",
    "PRIVACY_URL_EN": "https://www.example.com/privacy",
}
#: Pages that are given no values.
BY_PATH = {"pages/embed.html": "/embed", "pages/problems.html": "/problems"}
#: What others extend or include, and the one page for programmers.
NO_PAGE = {
    *("pages/layout.html", "pages/switch.html", "pages/times.html"),
    *("pages/embed_form.html", "pages/docs.html"),
}


def in_every_state(settings: Settings, language: Locale) -> Iterator[tuple[str, str]]:
    """Every page that shows values, by its template's name."""
    app = sample_app(settings)
    for name, states in page_values(consent(app, language)).items():
        for values in states:
            with app.test_request_context(query_string={"locale": language}):
                yield name, render_template(name, **values)


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_page_names_the_sender_in_full_and_links_the_privacy_notice_once_and_my_data(
    client_with: ClientWith, language: Locale
) -> None:
    client = client_with(**ENGLISH)
    settings: Settings = client.application.extensions["settings"]
    pages = [
        *in_every_state(settings, language),
        *((name, client.get(f"{path}?locale={language}").text) for name, path in BY_PATH.items()),
    ]

    imprint = " ".join(settings.imprint_in(language).split())
    assert [name for name, html in pages if imprint not in footer(html).words] == []
    privacy_url = settings.privacy_url_in(language)
    # A proof quotes consent texts, which name it, too.
    once = [(name, html) for name, html in pages if name != "pages/proof.html"]
    assert [name for name, html in once if links(html).count(privacy_url) != 1] == []
    my_data = f"{settings.public_url}/my-data?locale={language}"
    assert [name for name, html in pages if my_data not in links(html)] == []
    assert {name for name, _ in pages} == every_page() - NO_PAGE


def footer(html: str) -> Element:
    return Document(html).one("footer")


def links(html: str) -> list[str | None]:
    """Where the links of a page lead."""
    return [each.attributes["href"] for each in Document(html).named("a")]


def every_page() -> set[str]:
    return {name for name in brand.template_names(brand.TEMPLATES) if name.startswith("pages/")}

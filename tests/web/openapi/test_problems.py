"""The page that explains every type of problem."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from newsletter.web.http.error_texts import TEXTS
from tests.web.snippets import Document


@pytest.mark.parametrize("locale", ["de", "en"])
def test_every_type_is_explained(any_client: FlaskClient, locale: str) -> None:
    page = Document(any_client.get(f"/problems?locale={locale}").text)

    assert {each.attributes["id"] for each in page.named("section")} == set(TEXTS)


@pytest.mark.parametrize("slug", TEXTS)
def test_every_type_is_explained_in_german_too(any_client: FlaskClient, slug: str) -> None:
    told = TEXTS[slug]
    with any_client.application.test_request_context("/?locale=en"):
        english = {str(text) for text in told}
    with any_client.application.test_request_context("/?locale=de"):
        german = {str(text) for text in told}

    assert english & german == set()

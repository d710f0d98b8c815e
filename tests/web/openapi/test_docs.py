"""The description as pages to read: every door, every kind of problem."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi.contract import INTRODUCTION
from tests.web.callers import BROWSER
from tests.web.described import description_of
from tests.web.snippets import Document

LOCALES = ("de", "en")


def ids_in(page: str) -> set[str]:
    return set(re.findall(r' id="([^"]+)"', page))


def links_in(page: str) -> set[str]:
    return set(re.findall(r'<a [^>]*href="([^"]+)"', page))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_door_stands_on_the_page(door: FlaskClient, locale: str) -> None:
    page = door.get(f"/docs?locale={locale}").text

    described = description_of(door.application)["paths"].values()
    doors = {operation["operationId"] for methods in described for operation in methods.values()}
    assert doors <= ids_in(page)
    assert f'<html lang="{locale}"' in page


def test_every_door_has_a_call_to_copy(door: FlaskClient) -> None:
    page = door.get("/docs").text

    assert page.count("<code>curl ") == page.count("<section ")
    assert "{token}" not in "".join(re.findall(r"<code>curl [^<]+", page))


@pytest.mark.parametrize(
    ("door_id", "act"), [("not_me.show.get", "disown"), ("unsubscribe.show.get", "unsubscribe")]
)
def test_an_example_is_what_its_own_door_answers(door: FlaskClient, door_id: str, act: str) -> None:
    page = Document(door.get("/docs").text)

    section = page.one("section", id=door_id)
    examples = [each.text for each in page.named("pre") if section in each.within]
    assert f'"action": "{act}"' in examples[-1]


def test_every_door_is_folded_in_and_a_link_to_it_opens_it(door: FlaskClient) -> None:
    page = Document(door.get("/docs").text)

    sections = page.named("section")
    assert len(page.named("details")) == len(sections)
    assert {each.within[-1].name for each in sections} == {"details"}


def test_the_hash_of_the_present_wording_can_be_copied_from_the_table(door: FlaskClient) -> None:
    present = door.get("/", headers={"Accept": "application/json"}).get_json()["wording"]

    assert f"<code>&#34;{present}&#34;</code>" in door.get("/docs").text


@pytest.mark.parametrize("path", ["/docs", "/problems", "/problems/unknown-wording"])
def test_every_link_leads_somewhere(door: FlaskClient, path: str) -> None:
    page = door.get(path).text
    inner = {link.replace("&amp;", "&") for link in links_in(page) if link.startswith(("/", "#"))}

    for link in inner:
        target, _, anchor = link.partition("#")
        there = door.get(target).text if target else page
        assert not target or door.get(target).status_code == 200, link
        assert not anchor or anchor in ids_in(there), link


def test_the_page_needs_neither_script_nor_style_of_its_own(door: FlaskClient) -> None:
    page = door.get("/docs").text

    assert "<script" not in page
    assert "<style" not in page
    assert " style=" not in page


@pytest.mark.parametrize("slug", TEXTS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_problem_has_its_page(door: FlaskClient, slug: str, locale: str) -> None:
    page = door.get(f"/problems/{slug}?locale={locale}")

    assert page.status_code == 200
    assert "{form}" not in page.text
    assert f'href="/problems/{slug}?locale={locale}"' in door.get(f"/problems?locale={locale}").text


@pytest.mark.parametrize("slug", TEXTS)
def test_every_kind_of_problem_is_told_in_german_too(door: FlaskClient, slug: str) -> None:
    told = TEXTS[slug]
    with door.application.test_request_context("/?locale=en"):
        english = {str(text) for text in told}
    with door.application.test_request_context("/?locale=de"):
        german = {str(text) for text in told}

    assert english & german == set()


def test_a_kind_of_problem_nobody_knows_has_none(door: FlaskClient) -> None:
    assert door.get("/problems/unheard-of", headers=BROWSER).status_code == 404


def test_a_problem_names_the_doors_where_it_occurs(door: FlaskClient) -> None:
    page = door.get("/problems/unknown-wording").text

    assert "POST /subscriptions" in page
    assert "/admin" not in page


def test_the_introduction_is_read_as_paragraphs(door: FlaskClient) -> None:
    first = INTRODUCTION.partition(chr(10))[0]

    assert f'<p><span lang="en">{first}</span></p>' in door.get("/docs").text

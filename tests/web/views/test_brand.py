"""BRAND_DIR: style sheet, pages, e-mails and consent texts of the company, checked before anybody sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, template_rendered
from flask.testing import FlaskClient
from jinja2 import Template

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock
from newsletter.domain.errors import SettingsError
from newsletter.subscriptions import links
from newsletter.subscriptions.links import Link, Purpose
from newsletter.web.samples import rendering
from newsletter.web.samples.pages import page_values
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from tests.commands import Run
from tests.conftest import COMPANY, ClientWith, Drain
from tests.patience import PATIENCE
from tests.people import ADA, GRACE, STAFF, access, link_in, sign_up
from tests.web.callers import BROWSER

Bring = Callable[..., Path]
FORM = "pages/signup.html"


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Put files into the brand's folder: their text by their name."""
    folder = tmp_path / "brand"
    folder.mkdir()

    def bring(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        return folder

    return bring


@pytest.fixture
def branded(bring: Bring, client_with: ClientWith) -> Callable[..., FlaskClient]:
    """A client of a web process with such a folder."""
    return lambda files: client_with(BRAND_DIR=str(bring(files)))


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        create_app(load({**COMPANY, "BRAND_DIR": str(folder)}))
    return refused.value.problems


def test_without_a_brand_a_page_has_only_our_style_sheet(any_client: FlaskClient) -> None:
    assert any_client.get("/").text.count('rel="stylesheet"') == 1
    assert any_client.get("/brand.css").status_code == 404


def test_a_brands_style_sheet_comes_after_ours(branded: Callable[..., FlaskClient]) -> None:
    page = branded({"brand.css": ":root { --accent: #7a1f3d }"}).get("/").text

    assert 0 < page.index("/static/newsletter.css") < page.index("/brand.css?v=")


def test_a_brands_style_sheet_is_kept_by_browsers(branded: Callable[..., FlaskClient]) -> None:
    client = branded({"brand.css": ":root { --accent: #7a1f3d }"})
    page = client.get("/").text
    url = page[page.index("/brand.css") :].split('"')[0]

    with client.get(url) as first:
        assert first.mimetype == "text/css"
        assert "--accent: #7a1f3d" in first.get_data(as_text=True)
        assert "max-age=31536000" in first.headers["Cache-Control"]
        tag = first.headers["ETag"]
    with client.get(url, headers={"If-None-Match": tag}) as again:
        assert again.status_code == 304


def test_no_other_file_of_a_brand_is_served(branded: Callable[..., FlaskClient]) -> None:
    client = branded({"brand.css": "", "notes.md": "for the designer"})

    assert client.get("/notes.md").status_code == 404
    assert client.get("/static/../brand/notes.md").status_code == 404


def test_a_brand_without_a_style_sheet_links_none(branded: Callable[..., FlaskClient]) -> None:
    assert "brand.css" not in branded({}).get("/").text


def test_a_page_of_the_brand_is_found_before_ours(branded: Callable[..., FlaskClient]) -> None:
    client = branded({"pages/inbox.html": "Sehen Sie nach."})

    assert client.get("/inbox").text == "Sehen Sie nach."
    assert "Newsletter abonnieren" in client.get("/").text


def test_a_brands_layout_is_the_layout_of_all_our_pages(
    branded: Callable[..., FlaskClient],
) -> None:
    client = branded(
        {
            "pages/layout.html": '{% extends "newsletter/pages/layout.html" %}'
            "{% block header %}<p>Muster seit 1901</p>{% endblock %}"
        }
    )

    for path in ("/", "/inbox", "/nowhere"):
        page = client.get(path, headers=BROWSER).text
        assert "<p>Muster seit 1901</p>" in page
        assert "<footer>" in page


def test_a_page_may_change_one_part_of_ours(branded: Callable[..., FlaskClient]) -> None:
    page = branded(
        {
            "pages/inbox.html": '{% extends "newsletter/pages/inbox.html" %}'
            '{% block main %}{{ super() }}<p class="own">{{ _("Privacy notice") }}</p>{% endblock %}'
        }
    )

    assert '</p><p class="own">Datenschutzerklärung</p>' in page.get("/inbox").text.replace(
        "\n", ""
    )


def test_a_sentence_is_replaced_without_a_template(branded: Callable[..., FlaskClient]) -> None:
    client = branded(
        {
            "texts.de.toml": 'please-check-your-inbox = "Sehen Sie bitte in Ihr Postfach"',
            "texts.en.toml": 'please-check-your-inbox = "Look into your inbox, please"',
        }
    )

    for locale, title in (
        ("de", "Sehen Sie bitte in Ihr Postfach"),
        ("en", "Look into your inbox, please"),
    ):
        page = client.get(f"/inbox?locale={locale}").text
        assert f"<h1>{title}</h1>" in page
        assert f"<title>{title} – " in page


def test_what_is_filled_in_is_filled_into_a_replaced_sentence(
    branded: Callable[..., FlaskClient],
) -> None:
    client = branded({"texts.de.toml": 'information-about-by-e-mail = "Neues: %(topics)s."'})

    assert "Neues: neuen Werkzeugen" in client.get("/?locale=de").text
    assert "Information about" in client.get("/?locale=en").text


def test_an_error_is_told_in_the_brands_words_as_page_and_as_json(
    branded: Callable[..., FlaskClient],
) -> None:
    client = branded({"texts.en.toml": 'this-page-does-not-exist = "There is nothing here."'})

    assert "There is nothing here." in client.get("/nowhere?locale=en", headers=BROWSER).text
    assert client.get("/nowhere?locale=en").get_json()["detail"] == "There is nothing here."


@pytest.mark.requires("R7")
def test_emails_and_consent_texts_of_the_brand_are_used(
    environ: dict[str, Any], bring: Bring, mailbox: Mailbox
) -> None:
    folder = bring(
        {
            "letters/confirmation.de.subject": "Ihre Anmeldung bei {{ settings.organisation }}",
            "wordings/de.txt": "Ja, gern, {{ organisation }}.",
        }
    )
    app = create_app(load({**environ, "BRAND_DIR": str(folder)}))
    sign_up(app.test_client(), ADA)
    send_all(app)

    letter = mailbox.letters_to(ADA)[-1].message
    part = letter.get_body(("plain",))
    assert letter["Subject"] == "Ihre Anmeldung bei Muster & Söhne GmbH"
    assert part is not None
    assert "  Ja, gern, Muster & Söhne GmbH.\n" in part.get_content()


def send_all(app: Flask) -> None:
    worker = Worker(app)
    worker.drain()
    worker.close()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pages/inbox.html", "\n{% block main", "pages/inbox.html, line 2: "),
        ("pages/inbox.html", "{{ name }}", "pages/inbox.html, line 1: 'name' is undefined"),
        ("pages/inbox.html", "{% if name %}{% endif %}", "'name' is undefined"),
        ("pages/inbox.html", "{{ settings.name }}", "has no attribute 'name'"),
        ("pages/inbox.html", "{{ 'x'|shouted }}", "No filter named 'shouted'"),
        ("pages/inbox.html", "{% extends 'layout.html' %}", "no template is named layout.html"),
        ("pages/inbox.html", "{{ url_for('nowhere') }}", "pages/inbox.html, line 1: "),
        ("pages/inbox.html", "{{ 1 / 0 }}", "pages/inbox.html, line 1: division by zero"),
        ("pages/layout.html", "{{ name }}", "pages/layout.html, line 1: 'name' is undefined"),
        ("pages/disowned.html", "{% if is_blocked %}{{ name }}{% endif %}", "'name' is undefined"),
        ("pages/problem.html", "{{ name }}", "pages/problem.html, line 1: 'name' is undefined"),
        ("letters/confirmation.en.html", "{{ letter.name }}", "confirmation.en.html, line 1: "),
        ("letters/confirmation.de.subject", "{{ name }}", "confirmation.de.subject, line 1: "),
        ("wordings/de.txt", "{{ settings.organisation }}", "wordings/de.txt, line 1: 'settings'"),
        ("pages/unused.html", "{% endif %}", "pages/unused.html, line 1: "),
        ("texts.de.toml", "subscribe = Ja", "(at line 1, column 13)"),
        ("texts.en.toml", 'subscribed = "Yes"', "no sentence is named “subscribed”; see `newsl"),
    ],
)
def test_a_broken_template_is_reported_at_start(
    bring: Bring, name: str, text: str, said: str
) -> None:
    (problem,) = problems_of(bring({name: text}))

    assert problem.startswith(f"BRAND_DIR: {name}")
    assert said in problem


def test_all_broken_templates_are_reported_together(bring: Bring) -> None:
    problems = problems_of(bring({"pages/inbox.html": "{{", "wordings/de.txt": "{%"}))

    assert [problem.split(",")[0] for problem in problems] == [
        "BRAND_DIR: pages/inbox.html",
        "BRAND_DIR: wordings/de.txt",
    ]


BROKEN = {"pages/inbox.html": "{{ name }}"}
SAID = "BRAND_DIR: pages/inbox.html, line 1: 'name' is undefined"


def test_a_broken_template_stops_the_web_process(bring: Bring, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import newsletter.app.serving"],
        cwd=tmp_path,
        env={**COMPANY, "PATH": os.environ["PATH"], "BRAND_DIR": str(bring(BROKEN))},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == 2
    assert SAID in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("line", ["release", "worker"])
def test_a_broken_template_stops_release_and_worker(bring: Bring, run: Run, line: str) -> None:
    ended = run(line, BRAND_DIR=str(bring(BROKEN)))

    assert ended.exit_code == 2
    assert SAID in ended.stderr


def test_samples_get_the_same_values_as_the_views_give(
    app: Flask, client: FlaskClient, drain: Drain, mailbox: Mailbox
) -> None:
    """So that a template that can be made of a sample can be made for a person."""
    given: dict[str, set[str]] = {}

    def note(_: Flask, template: Template, context: dict[str, Any], **__: Any) -> None:
        given.setdefault(template.name or "", set()).update(context)

    with template_rendered.connected_to(note, app):
        visit_all(client, drain, mailbox)
        look_at_own_data(app, client)
    with app.app_context():
        consent = rendering.consent(app, "de")
    always = set.intersection(*given.values())
    sampled = {name: set().union(*states) - always for name, states in page_values(consent).items()}
    assert sampled == {name: names - always for name, names in given.items()}


def visit_all(client: FlaskClient, drain: Drain, mailbox: Mailbox) -> None:
    client.get("/", headers=BROWSER)
    client.get("/inbox", headers=BROWSER)
    client.get("/nowhere", headers=BROWSER)
    for person in (ADA, GRACE):
        sign_up(client, person)
    drain()
    letter = mailbox.letters_to(ADA)[-1].message
    confirmed = confirm_page(client, link_in(letter))
    leave = confirmed[confirmed.index("/unsubscribe/") :].split('"')[0]
    client.get(f"/admin/proofs/{access(client, ADA)['reference']}", headers=STAFF | BROWSER)
    client.get(leave, headers=BROWSER)
    client.post(leave, headers=BROWSER)
    not_me = link_in(mailbox.letters_to(GRACE)[-1].message, "not-me")
    client.get(not_me, headers=BROWSER)
    client.post(not_me, headers=BROWSER)


def look_at_own_data(app: Flask, client: FlaskClient) -> None:
    client.get("/my-data", headers=BROWSER)
    client.get("/my-data-inbox", headers=BROWSER)
    with app.app_context():
        mine = Link(access(client, ADA)["reference"], written_at=clock.now())
        path = urlsplit(links.url_for(Purpose.MY_DATA, mine)).path
    client.get(path, headers=BROWSER)
    client.get(f"{path}/erase", headers=BROWSER)
    client.post(path, data={"action": "erase"}, headers=BROWSER, follow_redirects=True)


def confirm_page(client: FlaskClient, link: str) -> str:
    client.get(link, headers=BROWSER)
    return client.post(link, headers=BROWSER).text

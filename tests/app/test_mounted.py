"""The service under a path of another Flask application, as docs/mounting.md shows it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

import newsletter
from newsletter.config import load
from newsletter.storage.models import db
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from tests.people import ADA, STAFF
from tests.web.callers import BROWSER

SHOP = "https://www.example.com"
PATH = "/newsletter"


@pytest.fixture
def mounted(environ: dict[str, Any]) -> Iterator[Flask]:
    app = newsletter.create_app(load({**environ, "PUBLIC_URL": SHOP + PATH}))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def shop(mounted: Flask) -> Client:
    """A client of the other application, which has sessions of its own."""
    app = Flask("shop")
    app.secret_key = "of the shop"

    @app.get("/")
    def home() -> str:
        session["basket"] = "a plane"
        return "The shop"

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PATH: mounted})  # type: ignore[method-assign]  # Flask's way
    return app.test_client()


@pytest.fixture
def letter_link(shop: Client, mounted: Flask, mailbox: Mailbox) -> str:
    """The link in Ada's letter, after she has signed up."""
    shop.post(f"{PATH}/subscriptions", data={"email": ADA}, headers=BROWSER)
    worker = Worker(mounted)
    worker.drain()
    worker.close()
    text = mailbox.letters_to(ADA)[-1].body("plain")
    assert text is not None
    [link, *_] = re.findall(r"https://\S+/confirm/\S+", text)
    return str(link)


def links_in(answer: TestResponse) -> set[str]:
    """The paths of links, forms, style sheets and images on this host."""
    return set(re.findall(r'(?:href|src|action)="(/[^"#]*)', answer.text))


def status_of(shop: Client, path: str) -> int:
    with shop.get(path, headers=BROWSER) as answer:
        return answer.status_code


@pytest.mark.parametrize("page", ["/", "/embed", "/my-data", "/problems", "/nowhere"])
def test_what_a_page_leads_to_is_under_the_path_and_there(shop: Client, page: str) -> None:
    links = links_in(shop.get(PATH + page, headers=BROWSER))

    assert [link for link in links if not link.startswith(f"{PATH}/")] == []
    assert max(status_of(shop, link) for link in links) < 400
    assert f"{PATH}/static/newsletter.css" in {urlsplit(link).path for link in links}


def test_a_journey_stays_under_the_path(shop: Client, letter_link: str) -> None:
    asked = shop.post(f"{PATH}/subscriptions", data={"email": ADA}, headers=BROWSER)
    path = letter_link.removeprefix(SHOP)
    confirmed = shop.post(path, headers=BROWSER)

    assert asked.status_code == 303
    assert urlsplit(asked.headers["Location"]).path.startswith(f"{PATH}/")
    assert letter_link.startswith(f"{SHOP}{PATH}/confirm/")
    assert shop.get(path, headers=BROWSER).status_code == confirmed.status_code == 200


def test_the_service_sets_no_cookie_and_leaves_the_others_alone(
    shop: Client, letter_link: str
) -> None:
    path = letter_link.removeprefix(SHOP)
    theirs = shop.get("/")
    ours = [
        shop.get(f"{PATH}/", headers=BROWSER),
        shop.post(f"{PATH}/subscriptions", data={"email": ADA}, headers=BROWSER),
        shop.get(path, headers=BROWSER),
        shop.post(path, headers=BROWSER),
        shop.get(f"{PATH}/metrics", headers=STAFF),
    ]

    assert theirs.text == "The shop"
    assert "session=" in theirs.headers["Set-Cookie"]
    assert [answer.headers.get("Set-Cookie") for answer in ours] == [None] * len(ours)
    assert "Content-Security-Policy" not in theirs.headers


def test_the_cookie_of_the_desk_is_for_the_desk_under_the_path(shop: Client) -> None:
    cookie = shop.get(f"{PATH}/desk/sign-in", headers=BROWSER).headers["Set-Cookie"]

    assert f"; Path={PATH}/desk;" in cookie


def test_the_api_is_described_where_it_is(shop: Client) -> None:
    described = shop.get(f"{PATH}/openapi.json").get_json()

    assert described["servers"] == [{"url": f"{SHOP}{PATH}"}]


def test_the_other_applications_log_names_file_and_thread_as_before(
    shop: Client, caplog: pytest.LogCaptureFixture
) -> None:
    shop.get(f"{PATH}/health")
    logging.getLogger("shop").warning("sold out")

    [record] = [record for record in caplog.records if record.name == "shop"]
    assert (record.filename, record.threadName) == ("test_mounted.py", "MainThread")

"""The people of the tests and what they do, in the product's words."""

from __future__ import annotations

import json
import re
from email.message import EmailMessage
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn

ADA = "Ada@Example.org"
GRACE = "grace@example.com"
HEDY = "hedy@example.net"
STAFF_TOKEN = "token-of-the-data-protection-officer"
STAFF = {"Authorization": f"Bearer {STAFF_TOKEN}"}
WEBHOOK_SECRET = "hook-secret-9d8f7e6c"
JSON = {"Accept": "application/json"}


def sign_up(client: FlaskClient, email: str, **fields: str) -> TestResponse:
    """Send the form, as JSON in ASCII: what is no text in any other way can be sent, too."""
    body = json.dumps({"email": email, **fields})
    return client.post("/subscriptions", data=body, content_type="application/json")


def link_in(letter: EmailMessage, purpose: str = "confirm") -> str:
    """The path of a letter's link for one purpose."""
    part = letter.get_body(("plain",))
    assert part is not None
    found = re.search(rf"https?://[^/\s]+(/{purpose}/\S+)", part.get_content())
    assert found, "the letter has no such link"
    return found[1]


def confirm(client: FlaskClient, letter: EmailMessage) -> TestResponse:
    """Press the button behind a letter's link."""
    return client.post(link_in(letter), headers=JSON)


def press(client: FlaskClient, mailbox: Mailbox, email: str) -> int:
    """Confirm by the newest letter; the status of the answer."""
    return confirm(client, mailbox.letters_to(email)[-1].message).status_code


def webhook(client: FlaskClient, **fields: str) -> TestResponse:
    """Call the webhook as Mailchimp does; `data_email=…` stands for `data[email]`."""
    form = {re.sub(r"^data_(.+)$", r"data[\1]", name): value for name, value in fields.items()}
    return client.post(f"/webhooks/mailchimp/{WEBHOOK_SECRET}", data=form)


def ask_staff(client: FlaskClient, endpoint: str, email: str, **fields: Any) -> TestResponse:
    """Call an admin endpoint with staff's token."""
    return client.post(f"/admin/{endpoint}", json={"email": email, **fields}, headers=STAFF)


def said_by(answer: TestResponse) -> dict[str, Any]:
    """What an answer says in JSON."""
    said = answer.get_json()
    assert isinstance(said, dict)
    return said


def access(client: FlaskClient, email: str) -> dict[str, Any]:
    """All that is held about somebody."""
    answer = ask_staff(client, "access", email)
    assert answer.status_code == 200, answer.text
    return said_by(answer)


def status_of(client: FlaskClient, email: str) -> str:
    """Where somebody stands; "unknown" where nothing is held."""
    answer = ask_staff(client, "access", email)
    return "unknown" if answer.status_code == 404 else str(said_by(answer)["status"])


def events_of(client: FlaskClient, email: str) -> list[str]:
    """What has happened to somebody, without the looks at it."""
    events = [event["event"] for event in access(client, email)["events"]]
    return [event for event in events if event != "viewed"]


def standing_of(mailchimp: StandIn, person: str) -> str | None:
    """The status of a contact; None where there is none."""
    contact = mailchimp.contacts.get(person.lower())
    return contact.status if contact else None

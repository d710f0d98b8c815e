"""Every consent text is shown with how often it was confirmed, and an earlier one is withdrawn."""

from __future__ import annotations

import pytest
from flask import Flask

from newsletter.domain import clock
from newsletter.domain.consent import ConsentText
from newsletter.storage.database import writing
from newsletter.storage.models import Wording
from tests.conftest import Join, sealing
from tests.people import ADA
from tests.web.desk.visitor import Visitor

pytestmark = sealing

EARLIER = ConsentText("a" * 64, "de", "Ja, ich möchte den Newsletter.")


@pytest.fixture
def earlier(app: Flask) -> str:
    """A text that the form shows no longer; its hash."""
    hash_ = EARLIER.hash
    with app.app_context(), writing() as session:
        session.add(Wording(hash=hash_, language="de", text=EARLIER.text, published_at=clock.now()))
    return hash_


def test_texts_are_shown_with_how_often_they_were_confirmed(
    staff: Visitor, join: Join, earlier: str
) -> None:
    join(ADA)

    page = staff.opens("/desk/consent-texts")
    assert page.count("wird jetzt gezeigt") == 2
    assert page.count("einmal bestätigt") == 1
    assert EARLIER.text in page


def test_an_earlier_text_is_withdrawn_after_a_question(staff: Visitor, earlier: str) -> None:
    path = f"/desk/consent-texts/{earlier}/withdraw"
    assert f'href="{path}"' in staff.opens("/desk/consent-texts")
    assert EARLIER.text in staff.opens(path)

    page = staff.presses(path)
    assert "Zurückgezogen: Anmeldungen" in page
    assert f'href="{path}"' not in page


def test_the_text_that_the_form_shows_cannot_be_withdrawn(staff: Visitor) -> None:
    shown = staff.client.get("/", headers={"Accept": "application/json"}).get_json()["wording"]
    path = f"/desk/consent-texts/{shown}/withdraw"
    page = staff.opens("/desk/consent-texts")
    assert f'href="{path}"' not in page

    staff.opens(path)
    answer = staff.sends(path)
    assert answer.status_code == 409
    assert "Das Formular zeigt diesen Text gerade" in answer.text


def test_a_text_that_is_none_is_not_found(staff: Visitor) -> None:
    staff.opens(f"/desk/consent-texts/{'0' * 64}/withdraw", status=404)

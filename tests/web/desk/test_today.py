"""The first page of the desk names what needs attention, in the reader's language."""

from __future__ import annotations

from flask import Flask

from newsletter.storage import notices
from newsletter.storage.notices import Code
from tests.web.desk.visitor import Visitor


def test_a_notice_is_shown_in_the_language_of_the_page(app: Flask, staff: Visitor) -> None:
    with app.app_context():
        notices.post(Code.LEDGER_WRONG, detail="Position 3: the seal is missing.")

    english, german = staff.opens("/desk?locale=en"), staff.opens("/desk?locale=de")
    assert (
        "<li>ledger: ledger wrong: Position 3: the seal is missing.; see docs/ledger.md.</li>"
        in english
    )
    assert (
        '<li>Protokoll: das Protokoll stimmt nicht: <span lang="en">Position 3: the seal is missing.</span>;'
        " siehe docs/ledger.md.</li>"
    ) in german


def test_without_a_notice_nothing_needs_attention(staff: Visitor) -> None:
    assert "Was Aufmerksamkeit braucht" not in staff.opens("/desk?locale=de")

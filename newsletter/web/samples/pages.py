"""The values that views give to each page, in each of its states."""

from __future__ import annotations

from datetime import date
from typing import Any

from newsletter.domain.consent import ConsentText
from newsletter.rights.access_text import Line, Part
from newsletter.rights.my_data import Erased
from newsletter.rights.proof import sample
from newsletter.rights.proof.page import WORDS
from newsletter.subscriptions.leave import Departure
from newsletter.web.samples.times import EXPIRES_AT, REQUESTED_AT

FORM = "pages/signup.html"
CONFIRM = "pages/confirm.html"


def page_values(consent: ConsentText) -> dict[str, list[dict[str, Any]]]:
    """The states of each page, by its template's name."""
    empty_form = {
        "consent": consent,
        "email": "",
        "error": None,
        "version": "0" * 64,
        "next_url": None,
    }
    asked = {"consent": consent, "expires_at": EXPIRES_AT, "not_me_url": "https://example.com/"}
    nowhere = {"show_form_link": False, "show_my_data_link": False, "show_desk_link": False}
    problem = {"title": "…", "text": "…", "switch_at": "", **nowhere}
    confirmed = {
        "confirmed_at": REQUESTED_AT,
        "reference": "0" * 32,
        "unsubscribe_url": "/",
        "receipt_url": "/",
        "my_data_url": "/",
    }
    page = {**WORDS, "fingerprint": "0" * 64, "style": None}
    parts = [Part("data", "…", (Line("…", "…"),)), Part("wording", "…", quote="…", language="de")]
    all_ways = {"can_leave": True, "can_correct": True, "can_lift": True}
    no_way = dict.fromkeys(all_ways, False)
    urls = {"unsubscribe_url": "/", "erase_url": "/"}
    last_day = date(2029, 12, 31)
    times = {"expires_at": EXPIRES_AT, "proof_until": last_day}
    mine = {"summary": [Line("…", "…")], "parts": parts, **urls, **times, "error": None}
    return {
        FORM: [
            empty_form,
            {**empty_form, "email": "ada", "error": "…", "next_url": "/"},
        ],
        "pages/inbox.html": [{}],
        CONFIRM: [{**asked, "is_confirmed": False}, {**asked, "is_confirmed": True}],
        "pages/confirmed.html": [
            confirmed,
            {**confirmed, "receipt_url": None, "my_data_url": None},
        ],
        "pages/not_me.html": [
            {"is_over": True, "proof_until": None},
            {"is_over": False, "proof_until": None},
            {"is_over": False, "proof_until": last_day},
        ],
        "pages/disowned.html": [
            {"is_blocked": False, "cannot_block": False},
            {"is_blocked": True, "cannot_block": False},
            {"is_blocked": False, "cannot_block": True},
        ],
        "pages/unsubscribe.html": [{"has_left": False}, {"has_left": True}],
        "pages/my_data_request.html": [
            {"email": "", "error": None},
            {"email": "ada", "error": "…"},
        ],
        "pages/my_data_inbox.html": [{}],
        "pages/my_data.html": [
            {**mine, **all_ways, "new_email": "", "done": None},
            {**mine, **no_way, "new_email": "", "done": "unsubscribe"},
            {**mine, **no_way, "new_email": "", "done": "lift"},
            {**mine, **all_ways, "new_email": "", "done": "rectify"},
            {**mine, **all_ways, "new_email": "ada", "done": None, "error": "…"},
        ],
        "pages/my_data_erase.html": [
            {"my_data_url": "/", "would_lose_block": False},
            {"my_data_url": "/", "would_lose_block": True},
        ],
        "pages/my_data_erased.html": [
            {"erased": Erased("0" * 32, keeps_block=False, is_done_at_mailchimp=False)},
            {"erased": Erased("0" * 32, keeps_block=True, is_done_at_mailchimp=True)},
        ],
        "pages/problem.html": [
            problem,
            {**problem, "show_form_link": True},
            {**problem, "show_my_data_link": True},
            {**problem, "show_desk_link": True},
        ],
        "pages/proof.html": [
            {**page, "proof": sample.whole(consent)},
            {**page, "proof": sample.of_erased_person(consent)},
        ],
        "pages/unsubscribed.html": [
            {"departure": None},
            {"departure": Departure(REQUESTED_AT, last_day, is_permanent=False)},
            {"departure": Departure(REQUESTED_AT, last_day, is_permanent=True)},
        ],
    }

"""What waits, was refused or given up, and why; it can be tried now, and an e-mail given up."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from newsletter.storage import holds, waiting
from newsletter.subscriptions import waiting as acts
from newsletter.texts import access_words, delay_words
from newsletter.web.desk import sessions
from newsletter.web.desk.pages import bp, done_among

_DONE = frozenset({"tried", "given-up", "nothing"})


@bp.get("/waiting")
def waits() -> str:
    return render_template(
        "desk/waiting.html",
        holds={side: holds.reason_of(side) for side in ("mail", "mailchimp")},
        letters=waiting.letters(),
        failed_letters=waiting.failed_letters(),
        people=waiting.people(),
        refused_people=waiting.refused_people(),
        most=waiting.MOST,
        delay_of=delay_words.delay_of_waiting,
        hold_delay=delay_words.delay_of,
        words=access_words,
        done=done_among(_DONE),
    )


@bp.post("/waiting/letters/<letter_id>")
def act_on_letter(letter_id: str) -> AnyResponse:
    actor = sessions.require_to_act()
    match request.form.get("action"):
        case "try":
            return _back("tried" if acts.try_letter_now(letter_id) else "nothing")
        case "give-up":
            has_ended = acts.give_up_letter(letter_id, actor=actor)
            return _back("given-up" if has_ended else "nothing")
        case _:
            raise NotFound


@bp.post("/waiting/people/<ref>")
def try_person(ref: str) -> AnyResponse:
    """From the list, or from the person's page."""
    sessions.require_to_act()
    done = "tried" if acts.try_person_now(ref) else "nothing"
    if request.form.get("action") == "person":
        return redirect(url_for("desk.person", ref=ref, done=done), 303)
    return _back(done)


def _back(done: str) -> AnyResponse:
    return redirect(url_for("desk.waits", done=done), 303)

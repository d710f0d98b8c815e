"""Somebody who is unknown here: what Mailchimp and DNS answered the worker, once the page is loaded again."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from newsletter import config
from newsletter.subscriptions import inquiries
from newsletter.subscriptions.erase import erase
from newsletter.subscriptions.inquiries import Answer
from newsletter.texts import access_words, delay_words
from newsletter.web.desk import sessions
from newsletter.web.desk.pages import bp


@bp.get("/inquiries/<id_>")
def inquiry(id_: str) -> str:
    return render_template(
        "desk/inquiry.html",
        answer=_found(id_),
        words=access_words,
        delay_of=delay_words.delay_of,
        has_key=config.current().mailchimp_api_key is not None,
    )


@bp.get("/inquiries/<id_>/erase")
def ask_to_erase(id_: str) -> str:
    sessions.require_to_act()
    return render_template("desk/inquiry_erase.html", answer=_found(id_))


@bp.post("/inquiries/<id_>/erase")
def erase_inquired(id_: str) -> AnyResponse:
    actor = sessions.require_to_act()
    keep_block = "keep_block" in request.form
    number = erase(_found(id_).address, actor=actor, keep_block=keep_block)
    return redirect(url_for("desk.erasure", number=number, done="erase"), 303)


def _found(id_: str) -> Answer:
    answer = inquiries.find(id_)
    if answer is None:
        raise NotFound
    return answer

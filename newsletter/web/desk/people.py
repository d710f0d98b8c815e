"""A person: found by address or number, shown, and what is done for them. Each look is recorded in the ledger.

An address is only ever in the body of a request. A page's URL has the reference number, which names nobody.
"""

from __future__ import annotations

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress
from newsletter.rights import access_text, finding, person_view
from newsletter.rights.proof import document as proof
from newsletter.rights.proof import page as proof_page
from newsletter.subscriptions import inquiries
from newsletter.texts import access_words, delay_words
from newsletter.web.desk import acts, sessions
from newsletter.web.desk.pages import bp, done_among
from newsletter.web.http import errors, language

FILE_NAME = "newsletter-access.json"


@bp.get("/people")
def people() -> str:
    return render_template("desk/people.html", sought="", error=None, is_unknown=False)


@bp.post("/people")
def find() -> AnyResponse:
    sought = request.form.get("who", "").strip()
    try:
        found = finding.find(sought)
    except InvalidAddress as invalid:
        return _not_found(sought, error=errors.reason_of(invalid))
    if found is None and "@" in sought:
        id_ = inquiries.begin(Address.parse_leniently(sought), actor=sessions.actor())
        return redirect(url_for("desk.inquiry", id_=id_), 303)
    if found is None:
        return _not_found(sought)
    if found.kind == "erasure":
        return redirect(url_for("desk.erasure", number=found.number), 303)
    return redirect(url_for("desk.person", ref=found.number), 303)


def _not_found(sought: str, error: str | None = None) -> Response:
    page = render_template("desk/people.html", sought=sought, error=error, is_unknown=error is None)
    return make_response(page, 422 if error else 200)


@bp.get("/people/<ref>")
def person(ref: str) -> str:
    shown = person_view.view(ref, actor=sessions.actor(), locale=language.present())
    return render_template(
        "desk/person.html",
        shown=shown,
        held=shown.data,
        words=access_words,
        detail=access_text.detail,
        delay_of=delay_words.delay_of,
        done=done_among(acts.DONE),
    )


@bp.get("/people/<ref>/access")
def access_document(ref: str) -> Response:
    """In the person's own language, unless the page is asked for in another; what is around it speaks staff's."""
    chosen = language.named_in_url()
    held = person_view.view(ref, actor=sessions.actor(), locale=chosen).data
    locale = chosen or access_text.language_of(held)
    if request.args.get("as") == "json":
        response = jsonify(held)
        response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
        return response
    page = render_template(
        "desk/access.html",
        ref=ref,
        parts=access_text.parts(held, locale),
        title=access_words.LABEL["title"][locale],
        document_locale=locale,
        chosen=chosen,
    )
    return make_response(page)


@bp.get("/people/<ref>/proof")
def proof_to_print(ref: str) -> str:
    document = proof.of(ref, actor=sessions.actor())
    return render_template(proof_page.TEMPLATE, **proof_page.values_of(document))


@bp.get("/people/<ref>/<act>")
def ask(ref: str, act: str) -> str:
    if act not in acts.ACTS:
        raise NotFound
    actor = sessions.require_to_act()
    return _form(ref, act, actor)


@bp.post("/people/<ref>/<act>")
def do(ref: str, act: str) -> AnyResponse:
    if act not in acts.ACTS:
        raise NotFound
    actor = sessions.require_to_act()
    try:
        outcome = acts.carry_out(act, ref, request.form, actor=actor)
    except acts.REFUSED as refused:
        return make_response(_form(ref, act, actor, errors.reason_of(refused)), 422)
    if act == "erase":
        return redirect(url_for("desk.erasure", number=outcome, done="erase"), 303)
    return redirect(url_for("desk.person", ref=ref, done=outcome), 303)


def _form(ref: str, act: str, actor: str, error: str | None = None) -> str:
    """The address is on it, so that nobody is blocked or erased by mistake."""
    return render_template(
        "desk/ask.html",
        ref=ref,
        act=act,
        email=person_view.view(ref, actor=actor).data["email"],
        error=error,
        new_email=request.form.get("new_email", ""),
    )

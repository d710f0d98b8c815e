"""The tour's page, and its buttons: each does one thing and leads back to the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

from flask import Flask, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from sandbox.language import present
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.tour import story, words
from sandbox.tour.facts import Facts
from sandbox.tour.service import Service
from sandbox.tour.walk import Walk
from sandbox.tour.wire import calls_about

PRETTY = "python3 -m json.tool --no-ensure-ascii"


def add_to(app: Flask, mailchimp: StandIn, mailbox: Mailbox, service: Service) -> None:
    """Show one walk."""
    walk = Walk(mailchimp, mailbox, service)
    app.jinja_env.globals["words"] = words
    _add_page(app, walk)
    _add_buttons(app, walk)

    @app.get("/proof/<reference>")
    def proof(reference: str) -> str:
        page = service.proof(reference)
        if page is None:
            abort(404)
        return render_template("proof.html", proof=page)


def _add_page(app: Flask, walk: Walk) -> None:
    @app.get("/")
    def tour() -> str:
        form = walk.service.form(present())
        facts = walk.facts_with(form) if form.is_missing else walk.look()
        scene = story.tell(facts)
        refreshes = scene.is_under_way and walk.is_refreshing()
        calls = calls_about(facts.email, walk.service, walk.mailbox, walk.mailchimp)
        page = render_template(
            "tour/page.html",
            facts=facts,
            scene=scene,
            step=story.step(scene, facts),
            notice=walk.notice,
            form=form,
            typed=walk.typed or (facts.email if scene.chapter < story.Chapter.END else ""),
            suggestion=walk.suggestion(),
            newest=walk.mailbox.letters[-1] if walk.mailbox.letters else None,
            calls=calls,
            latest=[call for call in reversed(calls) if call.at >= walk.pressed_at],
            refreshes=refreshes,
            curl=_curl(facts, walk.service),
        )
        if not refreshes:
            walk.forget_notice()
        return page


def _add_buttons(app: Flask, walk: Walk) -> None:
    buttons: dict[str, Callable[[str], None]] = {
        "follow": walk.follow,
        "anew": lambda _: walk.begin_anew(),
        "confirm": walk.confirm,
        "unsubscribe-there": walk.unsubscribe_there,
        "answer-mailchimp": walk.answer_mailchimp,
        "leave-by-link": walk.leave_by_link,
        "erase": walk.erase,
    }

    @app.post("/tour/sign-up")
    def press_sign_up() -> Response:
        walk.sign_up(_email(), request.form.get("wording", ""), present())
        return redirect("/", 303)

    @app.post("/tour/<button>")
    def press(button: str) -> Response:
        try:
            buttons[button](_email())
        except LookupError:
            abort(404)
        return redirect("/", 303)


def _email() -> str:
    return request.form.get("email", "").strip()


def _curl(facts: Facts, service: Service) -> dict[str, str]:
    """The admin calls to copy; the token stays in its file, not in pages, URLs or histories."""
    body = shlex.quote(json.dumps({"email": facts.email or "ada@example.com"}, ensure_ascii=False))
    file = shlex.quote(str(service.secrets_file))
    token = (
        '  -H "Authorization: Bearer $(\n'
        f"    sed -n 's/^ADMIN_TOKENS=admin://p' \\\n    {file})\" \\\n"
        f"  | {PRETTY}"
    )
    sent = f'  -d {body} \\\n  -H "Content-Type: application/json" \\\n'
    id_ = facts.erasure.body.get("id", "ID") if facts.erasure else "ID"
    return {
        "access": f"curl -sS {service.url}/admin/access \\\n{sent}{token}",
        "erasures": f"curl -sS {service.url}/admin/erasures \\\n{sent}{token}",
        "erasure": f"curl -sS {service.url}/admin/erasures/{id_} \\\n{token}",
    }

"""The routes of an audience's webhooks."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.mailchimp.answers import Answer, Refused, done, ok
from sandbox.mailchimp.fields import EVENTS, SOURCES, WEBHOOK, checked, problems_in, refuse
from sandbox.mailchimp.hooks import Hooks, Webhook
from sandbox.mailchimp.problems import invalid, not_found
from sandbox.mailchimp.request import Request


def show_all(known: Hooks, _: Request, list_id: str) -> Answer:
    """GET /lists/{id}/webhooks."""
    shown = [hook.as_json(list_id) for hook in known.registered]
    return ok({"webhooks": shown, "list_id": list_id, "total_items": len(shown)})


def show(known: Hooks, _: Request, list_id: str, id_: str) -> Answer:
    """GET /lists/{id}/webhooks/{webhook}."""
    return ok(_find(known, id_).as_json(list_id))


def create(known: Hooks, request: Request, list_id: str) -> Answer:
    """POST /lists/{id}/webhooks: the only answer that holds the signing secret."""
    body = _checked(request, required=("url",))
    _check_url(known, body["url"])
    hook = Webhook(
        body["url"],
        events=body.get("events", {}),
        sources=body.get("sources", {}),
        signing_secret=secrets.token_hex(32),
    )
    known.registered.append(hook)
    return ok({**hook.as_json(list_id), "signing_secret": hook.signing_secret})


def change(known: Hooks, request: Request, list_id: str, id_: str) -> Answer:
    """PATCH /lists/{id}/webhooks/{webhook}."""
    hook, body = _find(known, id_), _checked(request)
    if body.get("url", hook.url) != hook.url:
        _check_url(known, body["url"])
    hook.url = body.get("url", hook.url)
    hook.events = hook.events | body.get("events", {})
    hook.sources = hook.sources | body.get("sources", {})
    hook.enabled = True
    return ok(hook.as_json(list_id))


def delete(known: Hooks, _: Request, __: str, id_: str) -> Answer:
    """DELETE /lists/{id}/webhooks/{webhook}."""
    known.registered.remove(_find(known, id_))
    return done()


def _find(known: Hooks, id_: str) -> Webhook:
    for hook in known.registered:
        if hook.id == id_:
            return hook
    raise Refused(not_found())


def _checked(request: Request, required: tuple[str, ...] = ()) -> dict[str, Any]:
    body = checked(request.json(), WEBHOOK, required)
    errors = problems_in(body.get("events", {}), EVENTS, prefix="events.")
    errors += problems_in(body.get("sources", {}), SOURCES, prefix="sources.")
    if errors:
        raise Refused(invalid(errors))
    return body


def _check_url(known: Hooks, url: str) -> None:
    if any(hook.url == url for hook in known.registered):
        raise refuse(
            "url", "Sorry, you can't set up multiple WebHooks for one URL on the same list."
        )
    status = known.is_working(url)
    if status != 200:
        text = (
            "We couldn't verify the URL is working. Please double check and try again. HTTP Code: "
        )
        raise refuse("url", f"{text}{status or 0}")

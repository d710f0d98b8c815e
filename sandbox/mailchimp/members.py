"""The routes of an audience and its members."""

from __future__ import annotations

from typing import Any

from sandbox.mailchimp import listing
from sandbox.mailchimp.answers import Answer, Refused, done, ok
from sandbox.mailchimp.audience import Audience, Caller
from sandbox.mailchimp.fields import (
    BATCH,
    MEMBER_PATCH,
    MEMBER_POST,
    MEMBER_PUT,
    checked,
    problems_in,
    refuse,
)
from sandbox.mailchimp.problems import invalid
from sandbox.mailchimp.request import Request

MAX_BATCH = 500


def show_list(audience: Audience, request: Request) -> Answer:
    """GET /lists/{id}."""
    count = dict.fromkeys(("subscribed", "unsubscribed", "cleaned"), 0)
    for contact in audience.contacts.values():
        if contact.status in count:
            count[contact.status] += 1
    answer = {
        "id": audience.list_id,
        "name": "Newsletter",
        "double_optin": audience.double_optin,
        "date_created": "2026-01-02T03:04:05+00:00",
        "stats": {
            "member_count": count["subscribed"],
            "unsubscribe_count": count["unsubscribed"],
            "cleaned_count": count["cleaned"],
        },
    }
    return ok(listing.selected(answer, request.query))


def show_merge_fields(audience: Audience, request: Request) -> Answer:
    """GET /lists/{id}/merge-fields: the two that every audience has, and the required ones."""
    tags = sorted({"FNAME", "LNAME"} | audience.required_merge_fields)
    fields = [
        {
            "merge_id": number,
            "tag": tag,
            "name": tag.capitalize(),
            "type": "text",
            "required": tag in audience.required_merge_fields,
            "public": False,
            "list_id": audience.list_id,
        }
        for number, tag in enumerate(tags, start=1)
    ]
    answer = {"merge_fields": fields, "list_id": audience.list_id, "total_items": len(fields)}
    return ok(listing.selected(answer, request.query))


def show_all(audience: Audience, request: Request) -> Answer:
    """GET /lists/{id}/members."""
    return listing.members(audience, request.query)


def show(audience: Audience, request: Request, id_: str) -> Answer:
    """GET /lists/{id}/members/{hash}."""
    answer = audience.get(id_).as_json(audience.list_id)
    return ok(listing.selected(answer, request.query))


def put(audience: Audience, request: Request, id_: str) -> Answer:
    """PUT /lists/{id}/members/{hash}."""
    body = checked(request.json(), MEMBER_PUT)
    return ok(audience.put(id_, body, request.caller).as_json(audience.list_id))


def patch(audience: Audience, request: Request, id_: str) -> Answer:
    """PATCH /lists/{id}/members/{hash}."""
    body = checked(request.json(), MEMBER_PATCH)
    return ok(audience.patch(id_, body, request.caller).as_json(audience.list_id))


def post(audience: Audience, request: Request) -> Answer:
    """POST /lists/{id}/members."""
    body = checked(request.json(), MEMBER_POST, ("email_address", "status"))
    return ok(audience.post(body, request.caller).as_json(audience.list_id))


def archive(audience: Audience, _: Request, id_: str) -> Answer:
    """DELETE /lists/{id}/members/{hash}: archives."""
    audience.archive(id_)
    return done()


def delete_permanently(audience: Audience, request: Request, id_: str) -> Answer:
    """POST /lists/{id}/members/{hash}/actions/delete-permanent."""
    request.json()
    audience.forget(id_)
    return done()


def batch(audience: Audience, request: Request) -> Answer:
    """POST /lists/{id}: 200 however many members fail."""
    body = checked(request.json(), BATCH, ("members",))
    items = body["members"]
    if len(items) > MAX_BATCH:
        raise refuse("members", f"No more than {MAX_BATCH} members may be sent at once.")
    errors = [
        error
        for number, item in enumerate(items)
        for error in problems_in(item, MEMBER_POST, ("email_address",), f"members.item:{number}.")
    ]
    if errors:
        raise Refused(invalid(errors))
    return ok(_Batch(audience, request).carry_out(items, bool(body.get("update_existing"))))


class _Batch:
    """One batch: new, changed and failed contacts."""

    def __init__(self, audience: Audience, request: Request) -> None:
        self._audience = audience
        self._caller: Caller = request.caller
        self._drops_twins = request.says_yes("skip_duplicate_check")
        self._seen: set[str] = set()
        self._new: list[dict[str, Any]] = []
        self._updated: list[dict[str, Any]] = []
        self._errors: list[dict[str, str]] = []

    def carry_out(self, items: list[dict[str, Any]], updates: bool) -> dict[str, Any]:
        """Apply every item by itself; return the results."""
        for item in items:
            self._take(item, updates)
        return {
            "new_members": self._new,
            "updated_members": self._updated,
            "errors": self._errors,
            "total_created": len(self._new),
            "total_updated": len(self._updated),
            "error_count": len(self._errors),
        }

    def _take(self, item: dict[str, Any], updates: bool) -> None:
        email = item["email_address"]
        existing = self._audience.contacts.get(email.lower())
        if email.lower() in self._seen:
            if not self._drops_twins:
                self._fail(email, f"{email} is in this request more than once.")
        elif existing and not updates:
            text = f"{email} is already a list member, do you want to update? please provide "
            self._fail(email, f"{text}update_existing:true in the request body", "CONTACT_EXISTS")
        elif existing is None and "status" not in item:
            self._fail(email, "Required fields were not provided: status", field="status")
        else:
            self._set(item, is_new=existing is None)
        self._seen.add(email.lower())

    def _set(self, item: dict[str, Any], *, is_new: bool) -> None:
        email = item["email_address"]
        try:
            contact = (
                self._audience.post(item, self._caller)
                if is_new
                else self._audience.patch(email, item, self._caller)
            )
        except Refused as refused:
            self._fail(email, refused.answer.detail)
        else:
            shown = contact.as_json(self._audience.list_id)
            (self._new if is_new else self._updated).append(shown)

    def _fail(self, email: str, text: str, code: str = "GENERIC", field: str = "") -> None:
        self._errors.append(
            {
                "email_address": email,
                "error": text,
                "error_code": f"ERROR_{code}",
                "field": field,
                "field_message": text if field else "",
            }
        )

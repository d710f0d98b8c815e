"""One audience and its rules: who may be set to which status, and what Mailchimp silently does instead.

Pure: no HTTP and no threads. The events that webhooks report are collected in `events`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp import clock, events, problems
from sandbox.mailchimp.answers import Answer, Refused
from sandbox.mailchimp.contacts import Contact, Forgotten, id_of
from sandbox.mailchimp.events import Event
from sandbox.mailchimp.fields import refuse

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
BY_API = "N/A (Unsubscribed by admin)"


@dataclass
class Caller:
    """The caller: the IP recorded as evidence unless one is sent, and the checks to skip."""

    ip: str = "127.0.0.1"
    skips_merge_fields: bool = False


@dataclass
class Audience:
    """The contacts by lower-cased address, and what else Mailchimp knows of addresses."""

    list_id: str
    contacts: dict[str, Contact] = field(default_factory=dict)
    forgotten: Forgotten = field(default_factory=Forgotten)
    in_compliance: set[str] = field(
        default_factory=set
    )  #: unsubscribed themselves, bounced or complained
    fake_domains: set[str] = field(default_factory=lambda: {"mailinator.com"})
    on_too_many_lists: set[str] = field(default_factory=set)  #: refused temporarily
    required_merge_fields: set[str] = field(default_factory=set)
    double_optin: bool = False  #: of Mailchimp's own forms
    confirmation_mails: list[str] = field(
        default_factory=list
    )  #: addresses to which `pending` made Mailchimp write
    events: list[Event] = field(default_factory=list)

    def find(self, id_: str) -> Contact | None:
        """The contact with this subscriber hash (or, as Mailchimp also takes it, address)."""
        if "@" in id_:
            return self.contacts.get(id_.lower())
        return next((contact for contact in self.contacts.values() if contact.id == id_), None)

    def get(self, id_: str) -> Contact:
        """The contact; raise Refused (404)."""
        contact = self.find(id_)
        if contact is None:
            raise Refused(problems.not_found())
        return contact

    def put(self, id_: str, body: dict[str, Any], caller: Caller) -> Contact:
        """Insert or update; an existing contact's status changes by `status` alone."""
        if contact := self.find(id_):
            return self._update(contact, body, caller)
        if "email_address" not in body:
            raise refuse("", "Required fields were not provided: email_address")
        if id_ not in (id_of(body["email_address"]), body["email_address"].lower()):
            raise refuse("email_address", "The email address does not match the subscriber hash.")
        if "status_if_new" not in body:
            raise refuse("", "Required fields were not provided: status_if_new")
        return self._create(body, body["status_if_new"], caller)

    def patch(self, id_: str, body: dict[str, Any], caller: Caller) -> Contact:
        """Update; never create."""
        return self._update(self.get(id_), body, caller)

    def post(self, body: dict[str, Any], caller: Caller) -> Contact:
        """Create; an archived contact comes back, any other is refused."""
        contact = self.contacts.get(body["email_address"].lower())
        if contact is None:
            return self._create(body, body["status"], caller)
        if contact.status != "archived":
            raise Refused(problems.member_exists(body["email_address"]))
        return self._update(contact, body, caller)

    def archive(self, id_: str) -> None:
        """Archive; refused in the states in which Mailchimp refuses it."""
        contact = self.get(id_)
        if contact.status in ("cleaned", "pending", "archived"):
            raise Refused(problems.not_archivable())
        self.set_status(contact, "archived")
        self.events.append(events.unsubscribed(contact, self.list_id, action="delete"))

    def forget(self, id_: str) -> None:
        """Delete for ever: only the person can bring the address back."""
        if "@" in id_:  # this call alone accepts nothing but the hash
            raise Refused(problems.not_found())
        contact = self.get(id_)
        del self.contacts[contact.key]
        self.in_compliance.discard(contact.key)
        self.forgotten.add(contact.key)
        self.events.append(events.unsubscribed(contact, self.list_id, action="delete"))

    def set_status(self, contact: Contact, status: str) -> None:
        """Change the status and what depends on it, without checks."""
        contact.status = status
        contact.last_changed = clock.written(clock.now())
        if status == "subscribed":
            contact.unsubscribe_reason = ""

    def move(self, contact: Contact, email: str) -> None:
        """Change a contact's address, and so its id."""
        del self.contacts[contact.key]
        old, contact.email_address = contact.email_address, email
        self.contacts[contact.key] = contact
        self.events.extend(events.moved(contact, self.list_id, old))

    def _create(self, body: dict[str, Any], status: str, caller: Caller) -> Contact:
        email = body["email_address"]
        self._check_address(email)
        if email in self.forgotten:
            raise Refused(problems.forgotten(email))
        contact = Contact(email_address=email, status="")
        self._change(contact, body, status, caller)
        self.contacts[contact.key] = contact
        return contact

    def _update(self, contact: Contact, body: dict[str, Any], caller: Caller) -> Contact:
        email = body.get("email_address", contact.email_address)
        if email.lower() != contact.key:
            self._check_new_address(contact, email)
        self._change(contact, body, body.get("status", contact.status), caller)
        if email.lower() != contact.key:
            self.move(contact, email)
        return contact

    def _change(self, contact: Contact, body: dict[str, Any], status: str, caller: Caller) -> None:
        before = contact.status
        if refusal := self._refusal(contact, status):
            raise Refused(refusal)
        self._check_merge_fields(contact, body, caller)
        changed = contact.take(body) or status != before
        if status != before:
            self._enter(contact, before, status, body, caller)
        if changed:
            self.set_status(contact, status)
            self.events.extend(events.of_change(contact, self.list_id, before))

    def _refusal(self, contact: Contact, status: str) -> Answer | None:
        email, before = contact.email_address, contact.status
        if status == before:
            return None
        if contact.key in self.in_compliance and (
            status == "subscribed" or (status == "pending" and before == "cleaned")
        ):
            return problems.in_compliance_state(email)
        if status in ("subscribed", "pending") and contact.key in self.on_too_many_lists:
            return problems.too_many_lists(email)
        return None

    def _enter(
        self, contact: Contact, before: str, status: str, body: dict[str, Any], caller: Caller
    ) -> None:
        if status == "pending":
            self.confirmation_mails.append(contact.key)
        elif status == "subscribed" or before == "":
            # Without better evidence Mailchimp records its own: the caller's IP and this moment.
            contact.take({"ip_opt": caller.ip, "timestamp_opt": clock.written(clock.now())} | body)
        if status == "unsubscribed":
            contact.unsubscribe_reason = BY_API

    def _check_address(self, email: str) -> None:
        if not _ADDRESS.fullmatch(email):
            raise Refused(problems.no_email())
        if email.lower().rpartition("@")[2] in self.fake_domains:
            raise Refused(problems.looks_fake(email))

    def _check_new_address(self, contact: Contact, email: str) -> None:
        self._check_address(email)
        if email.lower() in self.contacts:
            raise Refused(problems.member_exists(email))
        if contact.status != "subscribed":
            raise Refused(problems.not_updatable(contact.status))
        if email in self.forgotten:
            raise Refused(problems.forgotten(email))

    def _check_merge_fields(self, contact: Contact, body: dict[str, Any], caller: Caller) -> None:
        sent = contact.merge_fields | body.get("merge_fields", {})
        missing = sorted(name for name in self.required_merge_fields if not sent.get(name))
        if missing and not caller.skips_merge_fields:
            raise Refused(problems.no_merge_fields(missing))

"""What the acts in outside.py change in the audience."""

from __future__ import annotations

from sandbox.mailchimp import clock, events
from sandbox.mailchimp.audience import BY_API, Audience
from sandbox.mailchimp.contacts import Contact

HOSTED_FORM = "Hosted Signup Form"
PERSONS_IP = "192.0.2.7"


def known(audience: Audience, email: str) -> Contact:
    """The contact with this address; raise LookupError."""
    try:
        return audience.contacts[email.lower()]
    except KeyError:
        raise LookupError("the audience has no such contact") from None


def unsubscribes(audience: Audience, email: str, campaign_id: str | None) -> None:
    contact = known(audience, email)
    _leave(audience, contact, "unsubscribed", "None given")
    audience.events.append(events.unsubscribed(contact, audience.list_id, campaign_id=campaign_id))


def complains(audience: Audience, email: str, *, as_cleaned: bool) -> None:
    contact = known(audience, email)
    _leave(audience, contact, "cleaned" if as_cleaned else "unsubscribed", "Reported as spam")
    audience.events.append(
        events.cleaned(contact, audience.list_id, reason="abuse")
        if as_cleaned
        else events.unsubscribed(
            contact, audience.list_id, reason="abuse", campaign_id=events.CAMPAIGN_ID
        )
    )


def hard_bounces(audience: Audience, email: str) -> None:
    contact = known(audience, email)
    _leave(audience, contact, "cleaned", "")
    audience.events.append(events.cleaned(contact, audience.list_id, reason="hard"))


def confirms(audience: Audience, email: str) -> None:
    contact = known(audience, email)
    if contact.status != "pending":
        raise LookupError("nobody waits for a confirmation at this address")
    _join(audience, contact)


def signs_up(audience: Audience, email: str) -> None:
    contact = audience.contacts.setdefault(email.lower(), Contact(email, "", source=HOSTED_FORM))
    audience.forgotten.discard(email)
    contact.take({"ip_signup": PERSONS_IP, "timestamp_signup": clock.written(clock.now())})
    _join(audience, contact)


def changes_address(audience: Audience, old: str, new: str) -> None:
    contact = known(audience, old)
    if new.lower() in audience.contacts:
        raise LookupError("the new address is in the audience already")
    audience.set_status(contact, contact.status)
    audience.move(contact, new)


def is_archived(audience: Audience, email: str) -> None:
    audience.archive(known(audience, email).id)


def is_deleted(audience: Audience, email: str) -> None:
    audience.forget(known(audience, email).id)


def is_unsubscribed_by_staff(audience: Audience, email: str) -> None:
    contact = known(audience, email)
    audience.set_status(contact, "unsubscribed")
    contact.unsubscribe_reason = BY_API
    audience.events.append(events.unsubscribed(contact, audience.list_id))


def is_edited(audience: Audience, email: str, merge_fields: dict[str, str]) -> None:
    contact = known(audience, email)
    contact.take({"merge_fields": merge_fields})
    audience.set_status(contact, contact.status)
    audience.events.append(events.edited(contact, audience.list_id))


def _leave(audience: Audience, contact: Contact, status: str, reason: str) -> None:
    audience.set_status(contact, status)
    contact.unsubscribe_reason = reason
    audience.in_compliance.add(contact.key)


def _join(audience: Audience, contact: Contact) -> None:
    contact.take({"ip_opt": PERSONS_IP, "timestamp_opt": clock.written(clock.now())})
    audience.set_status(contact, "subscribed")
    audience.in_compliance.discard(contact.key)
    audience.events.append(events.subscribed(contact, audience.list_id))

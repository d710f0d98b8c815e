"""Changes by people, mail servers and Mailchimp's users, outside the API."""

from __future__ import annotations

from sandbox.mailchimp import clock, news
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
    """A person follows the unsubscribe link in a newsletter."""
    contact = known(audience, email)
    _leave(audience, contact, "unsubscribed", "None given")
    audience.news.append(news.unsubscribed(contact, audience.list_id, campaign_id=campaign_id))


def complains(audience: Audience, email: str, *, as_cleaned: bool) -> None:
    """A person reports a newsletter as spam, which is reported in one of two ways."""
    contact = known(audience, email)
    _leave(audience, contact, "cleaned" if as_cleaned else "unsubscribed", "Reported as spam")
    audience.news.append(
        news.cleaned(contact, audience.list_id, reason="abuse")
        if as_cleaned
        else news.unsubscribed(
            contact, audience.list_id, reason="abuse", campaign_id=news.CAMPAIGN_ID
        )
    )


def hard_bounces(audience: Audience, email: str) -> None:
    """A newsletter bounces permanently."""
    contact = known(audience, email)
    _leave(audience, contact, "cleaned", "")
    audience.news.append(news.cleaned(contact, audience.list_id, reason="hard"))


def confirms(audience: Audience, email: str) -> None:
    """A person follows the link in Mailchimp's own confirmation e-mail."""
    contact = known(audience, email)
    if contact.status != "pending":
        raise LookupError("nobody waits for a confirmation at this address")
    _join(audience, contact)


def signs_up(audience: Audience, email: str) -> None:
    """A person uses Mailchimp's own form, which works after a deletion, too."""
    contact = audience.contacts.setdefault(email.lower(), Contact(email, "", source=HOSTED_FORM))
    audience.forgotten.discard(email)
    contact.take({"ip_signup": PERSONS_IP, "timestamp_signup": clock.written(clock.now())})
    _join(audience, contact)


def changes_address(audience: Audience, old: str, new: str) -> None:
    """A person enters another address in the preferences."""
    contact = known(audience, old)
    if new.lower() in audience.contacts:
        raise LookupError("the new address is in the audience already")
    audience.set_status(contact, contact.status)
    audience.move(contact, new)


def is_archived(audience: Audience, email: str) -> None:
    """Staff archive a contact in the web interface."""
    audience.archive(known(audience, email).id)


def is_deleted(audience: Audience, email: str) -> None:
    """Staff delete a contact for ever in the web interface."""
    audience.forget(known(audience, email).id)


def is_unsubscribed_by_staff(audience: Audience, email: str) -> None:
    """Staff unsubscribe a contact in the web interface, which leads to no compliance state."""
    contact = known(audience, email)
    audience.set_status(contact, "unsubscribed")
    contact.unsubscribe_reason = BY_API
    audience.news.append(news.unsubscribed(contact, audience.list_id))


def is_edited(audience: Audience, email: str, merge_fields: dict[str, str]) -> None:
    """Staff edit a contact of any status in the web interface."""
    contact = known(audience, email)
    contact.take({"merge_fields": merge_fields})
    audience.set_status(contact, contact.status)
    audience.news.append(news.edited(contact, audience.list_id))


def _leave(audience: Audience, contact: Contact, status: str, reason: str) -> None:
    audience.set_status(contact, status)
    contact.unsubscribe_reason = reason
    audience.in_compliance.add(contact.key)


def _join(audience: Audience, contact: Contact) -> None:
    contact.take({"ip_opt": PERSONS_IP, "timestamp_opt": clock.written(clock.now())})
    audience.set_status(contact, "subscribed")
    audience.in_compliance.discard(contact.key)
    audience.news.append(news.subscribed(contact, audience.list_id))

"""Walking Mailchimp's audience page by page, over HTTP, while people there come, change and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.worker.mailchimp.listing import Listing, MailchimpMembers
from newsletter.worker.mailchimp.members import Member
from sandbox.mailchimp import StandIn
from sandbox.mailchimp import clock as mailchimps_clock
from sandbox.mailchimp.answers import ok, throttled
from tests.people import ADA, GRACE, HEDY
from tests.worker.crowd import numbered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def members(mailchimp: StandIn) -> Iterator[MailchimpMembers]:
    members = MailchimpMembers(
        api_key=mailchimp.api_key, list_id=mailchimp.list_id, api_url=mailchimp.api_url
    )
    yield members
    members.close()


def fill(mailchimp: StandIn, count: int) -> list[str]:
    """So many contacts, each changed a second after the one before."""
    people = numbered(count)
    for number, person in enumerate(people):
        at = NOON + timedelta(seconds=number)
        mailchimp.add(person).last_changed = mailchimps_clock.written(at)
    return people


def change(mailchimp: StandIn, person: str) -> None:
    """Have a contact change now, so that it comes last."""
    mailchimp.contacts[person].last_changed = mailchimps_clock.written(NOON + timedelta(days=1))


def walked(listing: Listing, between: Callable[[], None] = lambda: None) -> list[str]:
    """Everybody there, as a walk finds them."""
    found: list[str] = []
    while (page := listing.next_page()) is not None:
        found += [contact.email for contact in page]
        between()
    return found


def test_everybody_is_found_once_and_the_archived_last(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    people = fill(mailchimp, 2500)
    mailchimp.is_archived(people[7])

    listing = Listing(members, None)
    found = walked(listing)

    assert found == [*people[:7], *people[8:], people[7]]
    assert listing.total == 2500
    assert [call.query.get("status") for call in mailchimp.calls] == [None] * 3 + ["archived"]


def test_only_necessary_fields_are_requested(members: MailchimpMembers, mailchimp: StandIn) -> None:
    walked(Listing(members, None))

    assert mailchimp.calls[0].query == {
        "count": "1000",
        "offset": "0",
        "fields": "members.email_address,members.status,members.unsubscribe_reason,members.last_changed,total_items",
        "sort_field": "last_changed",
        "sort_dir": "ASC",
    }


def test_a_time_is_sent_in_utc_since_mailchimp_ignores_its_offset(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    mailchimp.add(ADA).last_changed = "2026-03-01T11:00:00+00:00"
    mailchimp.add(GRACE).last_changed = "2026-03-01T12:30:00+00:00"
    in_berlin = NOON.astimezone(timezone(timedelta(hours=1)))

    assert walked(Listing(members, in_berlin)) == [GRACE]
    since = {call.query["since_last_changed"] for call in mailchimp.calls}
    assert since == {"2026-03-01T12:00:00+00:00"}


def test_no_contact_is_missed_when_some_change_between_two_pages(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    people = fill(mailchimp, 1500)
    changing = iter(people[:40])

    def some_change() -> None:
        for person in list(changing):
            change(mailchimp, person)

    assert set(walked(Listing(members, None), some_change)) == set(people)


def test_a_walk_goes_back_when_more_changed_than_two_pages_share(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    people = fill(mailchimp, 2500)
    changing = iter(people[:700])

    def many_change() -> None:
        for person in list(changing):
            change(mailchimp, person)

    assert set(walked(Listing(members, None), many_change)) == set(people)
    offsets = [int(call.query["offset"]) for call in mailchimp.calls]
    assert offsets[:4] == [0, 950, 0, 950]


def test_a_walk_ends_however_much_changes(members: MailchimpMembers, mailchimp: StandIn) -> None:
    fill(mailchimp, 2500)

    def all_change() -> None:
        page = sorted(mailchimp.contacts.values(), key=lambda contact: contact.last_changed)
        latest = mailchimps_clock.read(page[-1].last_changed)
        for number, contact in enumerate(page[:1100], 1):
            at = latest + timedelta(seconds=number)
            contact.last_changed = mailchimps_clock.written(at)

    walked(Listing(members, None), all_change)

    assert len(mailchimp.calls) < 60


def test_an_audience_that_grows_empty_meanwhile_ends_the_walk(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    fill(mailchimp, 1200)

    assert len(walked(Listing(members, None), mailchimp.contacts.clear)) == 1000


def test_a_page_that_failed_is_asked_for_again(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    people = fill(mailchimp, 1200)
    listing = Listing(members, None)
    first = [contact.email for contact in listing.next_page() or []]
    mailchimp.answer_next(throttled())

    with pytest.raises(DeliveryFailure, match="throttled"):
        listing.next_page()

    assert first + walked(listing) == people


@pytest.mark.parametrize(
    "answer", [{}, {"members": {}, "total_items": 1}, {"members": ["odd"], "total_items": 1}]
)
def test_an_answer_without_a_list_of_contacts_is_a_temporary_failure(
    members: MailchimpMembers, mailchimp: StandIn, answer: dict[str, object]
) -> None:
    mailchimp.answer_next(ok({"list_id": mailchimp.list_id, **answer}))

    with pytest.raises(DeliveryFailure) as failure:
        Listing(members, None).next_page()

    assert failure.value.meaning is Meaning.RETRY_LATER


def test_each_contact_has_the_reason_why_it_gets_no_mail(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    mailchimp.add(ADA)
    mailchimp.add(GRACE)
    mailchimp.add(HEDY)
    mailchimp.complains(ADA)
    mailchimp.hard_bounces(GRACE)
    mailchimp.is_archived(HEDY)

    listing = Listing(members, None)
    found: dict[str, Member | None] = {}
    while (page := listing.next_page()) is not None:
        found |= {contact.email: contact.member for contact in page}

    ada, grace, hedy = found[ADA], found[GRACE], found[HEDY]
    assert ada is not None
    assert ada.is_complaint
    assert grace is not None
    assert grace.is_bounce
    assert hedy is not None
    assert hedy.is_archived
    assert {ada.place, grace.place, hedy.place} == {MailchimpStatus.UNSUBSCRIBED}


def test_a_contact_without_address_or_with_unknown_status_does_not_stop_the_others(
    members: MailchimpMembers, mailchimp: StandIn
) -> None:
    contacts = [
        {"status": "subscribed"},
        {"email_address": ADA, "status": "levitating"},
        {"email_address": GRACE, "status": "subscribed"},
    ]
    mailchimp.answer_next(ok({"members": contacts, "total_items": 3}))

    page = Listing(members, None).next_page()

    assert page is not None
    assert [contact.email for contact in page] == ["", "", GRACE]

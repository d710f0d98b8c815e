"""The whole journey as a person makes it, in a browser that runs no scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sandbox.mailchimp import StandIn
from tests.browser.conftest import LinkToData, change
from tests.browser.person import Person, in_german
from tests.journeys.service import Service, wait_until


def stands_at_mailchimp(mailchimp: StandIn, address: str, status: str) -> None:
    """Wait until Mailchimp has somebody so."""
    wait_until(
        lambda: address in mailchimp.contacts and mailchimp.contacts[address].status == status,
        f"the contact is {status} at Mailchimp",
    )


@pytest.mark.requires("R8", "R12", "R77")
def test_a_person_signs_up_confirms_leaves_and_comes_back_without_a_script(
    person: Person, mailchimp: StandIn
) -> None:
    person.gets_letter()
    assert person.address not in mailchimp.contacts

    person.confirms()
    stands_at_mailchimp(mailchimp, person.address, "subscribed")

    person.leaves()
    stands_at_mailchimp(mailchimp, person.address, "unsubscribed")

    person.gets_letter()
    person.confirms()
    stands_at_mailchimp(mailchimp, person.address, "subscribed")


def test_an_address_that_is_none_is_shown_again_with_what_is_wrong_tied_to_the_field(
    person: Person,
) -> None:
    person.signs_up("ada@localhost")

    field = person.page.locator("#email")
    expect(field).to_have_value("ada@localhost")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(_text_of_error(person))
    person.page.locator("#email").fill(person.address)
    person.presses(person.words.sign_up)
    person.reads(person.words.inbox)


def _text_of_error(person: Person) -> str:
    return person.page.locator(".error").inner_text()


@in_german
def test_a_link_opened_again_after_confirming_says_that_all_is_done(person: Person) -> None:
    person.gets_letter()
    person.confirms()

    person.opens_letter()
    person.follows("confirm")

    person.reads(person.words.already)
    expect(person.page.get_by_role("button")).to_have_count(0)


def test_whoever_did_not_sign_up_has_it_forgotten_and_the_link_leads_nowhere(
    person: Person, service: Service
) -> None:
    person.gets_letter()
    person.opens_letter()
    person.follows("confirm")
    person.page.get_by_role("link", name=person.words.not_me).click()

    person.presses(person.words.forget)

    person.reads(person.words.forgotten)
    assert service.status_of(person.address) == "unknown"
    person.opens_letter()
    person.follows("confirm")
    person.reads(person.words.outdated)


@in_german
def test_whoever_wants_no_more_letters_ticks_one_box(person: Person, service: Service) -> None:
    person.gets_letter()
    person.opens_letter()
    person.follows("not-me")

    box = person.page.get_by_role("checkbox")
    expect(box).not_to_be_checked()
    box.check()
    person.presses(person.words.forget)

    person.reads(person.words.forgotten)
    assert service.status_of(person.address) == "blocked"


@in_german
def test_whoever_erases_everything_is_asked_once_more_and_may_go_back(
    person: Person, service: Service, link_to_data: LinkToData
) -> None:
    person.gets_letter()
    person.confirms()
    person.page.goto(link_to_data(person.reference()))

    person.page.get_by_role("link", name=person.words.on_to_erasing).click()
    person.page.get_by_role("link", name=person.words.back_to_data).click()
    person.reads(person.words.my_data)
    assert service.status_of(person.address) == "confirmed"

    person.page.get_by_role("link", name=person.words.on_to_erasing).click()
    person.presses(person.words.erase_all)
    person.reads(person.words.erased)
    assert service.status_of(person.address) in ("erasing", "unknown")


def test_an_expired_link_leads_back_to_the_form(person: Person, service: Service) -> None:
    person.gets_letter()
    expire_all(service)
    person.opens_letter()
    person.follows("confirm")
    person.reads(person.words.outdated)

    person.page.get_by_role("main").get_by_role("link").click()

    expect(person.page.locator("#email")).to_be_empty()


def expire_all(service: Service) -> None:
    """Let the time of every open request be over."""
    long_ago = "'2026-01-01 00:00:00.000000'"
    change(service, f"UPDATE subscription SET expires_at = {long_ago} WHERE expires_at IS NOT NULL")


def test_a_link_that_is_none_of_ours_says_so(person: Person) -> None:
    for purpose in ("confirm", "not-me", "unsubscribe"):
        person.page.goto(f"/{purpose}/made-up")

        person.reads(person.words.unknown)

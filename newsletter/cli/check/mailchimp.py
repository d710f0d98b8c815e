"""Mailchimp: whether it accepts the key, has the audience, and the audience's settings fit ours."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.cli.check import texts
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure
from newsletter.worker.mailchimp.setup import AudienceSettings, is_elsewhere, setup_for
from newsletter.worker.mailchimp.trouble import trouble_of


def findings(settings: Settings) -> Iterator[Finding]:
    """Why confirmed people would not get into the audience; nothing is changed there."""
    mailchimp = setup_for(settings)
    if mailchimp is None:
        yield Finding(
            "MAILCHIMP_API_KEY",
            "is not set, so confirmed people are not added to the audience",
            "create a key at Mailchimp and set it, with MAILCHIMP_LIST_ID",
            is_hint=not _is_partly_set(settings),
        )
        return
    if is_elsewhere(settings):
        yield Finding(
            "MAILCHIMP_API_URL",
            "names another data centre than MAILCHIMP_API_KEY does",
            "remove it: the key is enough",
        )
        return
    try:
        mailchimp.ping()
        mailchimp.check_list()
        yield from _settings_of(settings, mailchimp.audience())
        yield from texts.tracking(settings)
    except DeliveryFailure as failure:
        yield _in_words(failure)
    finally:
        mailchimp.close()


def _is_partly_set(settings: Settings) -> bool:
    names = (name for name in type(settings).model_fields if name.startswith("mailchimp_"))
    return any(getattr(settings, name) is not None for name in names)


def _in_words(failure: DeliveryFailure) -> Finding:
    trouble = trouble_of(failure)
    return Finding(trouble.about, trouble.wrong, trouble.remedy)


def _settings_of(settings: Settings, audience: AudienceSettings) -> Iterator[Finding]:
    has_own_form = settings.mailchimp_signup_url is not None
    if audience.asks_again and not has_own_form:
        yield Finding(
            "MAILCHIMP_LIST_ID",
            "the audience has Mailchimp's own double opt-in, which may ask confirmed people again",
            "switch it off in the audience's settings: only confirmed people are added",
            is_hint=True,
        )
    if has_own_form and not audience.asks_again and not is_local(settings.public_url):
        yield Finding(
            "MAILCHIMP_SIGNUP_URL",
            "leads to Mailchimp's own form, which asks nobody to confirm",
            "switch double opt-in on in the audience's settings",
        )
    if audience.required_fields:
        yield Finding(
            "MAILCHIMP_LIST_ID",
            f"the audience requires {', '.join(audience.required_fields)}, which no sign-up form here asks for",
            "make these fields optional in the audience's settings",
            is_hint=True,
        )

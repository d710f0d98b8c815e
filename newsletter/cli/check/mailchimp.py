"""Mailchimp: whether it takes the key, has the audience, and asks nothing of people that contradicts us."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.cli.check import tracking
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure
from newsletter.worker.mailchimp.setup import Audience, is_elsewhere, setup_for
from newsletter.worker.mailchimp.trouble import trouble_of


def findings(settings: Settings) -> Iterator[Finding]:
    """What keeps confirmed people out of the audience; everything is only looked at."""
    mailchimp = setup_for(settings)
    if mailchimp is None:
        yield Finding(
            "MAILCHIMP_API_KEY",
            "is not set, so that confirmed people wait",
            "make a key at Mailchimp and set it, with MAILCHIMP_LIST_ID",
            is_hint=not _is_meant(settings),
        )
        return
    if is_elsewhere(settings):
        yield Finding(
            "MAILCHIMP_API_URL",
            "names another data centre than the end of MAILCHIMP_API_KEY",
            "take it away: the key's end is enough",
        )
        return
    try:
        mailchimp.ping()
        mailchimp.check_list()
        yield from _asked(settings, mailchimp.audience())
        yield from tracking.findings(settings)
    except DeliveryFailure as failure:
        yield _in_words(failure)
    finally:
        mailchimp.close()


def _is_meant(settings: Settings) -> bool:
    """Whether anything of Mailchimp is set, so that the key is no more than missing."""
    names = (name for name in type(settings).model_fields if name.startswith("mailchimp_"))
    return any(getattr(settings, name) is not None for name in names)


def _in_words(failure: DeliveryFailure) -> Finding:
    trouble = trouble_of(failure)
    return Finding(trouble.about, trouble.wrong, trouble.remedy)


def _asked(settings: Settings, audience: Audience) -> Iterator[Finding]:
    has_own_form = settings.mailchimp_signup_url is not None
    if audience.asks_again and not has_own_form:
        yield Finding(
            "MAILCHIMP_LIST_ID",
            "the audience has Mailchimp's own double opt-in, and could ask people who confirmed here again",
            "switch it off in the audience's settings: whom we add has confirmed",
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
            f"the audience requires {', '.join(audience.required_fields)}, which a sign-up here never asks for",
            "make these fields optional in the audience's settings",
            is_hint=True,
        )
